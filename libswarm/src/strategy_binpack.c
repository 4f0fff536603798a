/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"
#include "strategy.h"

#define HEALTH_FACTOR 10

static int rank(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr)
{
    const struct swarm__nodeset *set = &candidates->set;
    for (size_t slot = swarm__nodeset_next(set, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(set, slot + 1)) {
        const struct swarm__slot *at = &cluster->slots[slot];
        int weight;
        if (!swarm__strategy_weigh(at, request->cpus_milli, request->memory, &weight))
            continue;
        int64_t score = swarm__strategy_score(weight + HEALTH_FACTOR * (int)at->health, at->containers);
        swarm__ranking_offer(ranking, (uint32_t)slot, score);
    }
    return 0;
}

const struct swarm_strategy_ops swarm__strategy_binpack = {sizeof(struct swarm_strategy_ops), "binpack", rank, NULL};
