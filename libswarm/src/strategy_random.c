/* SPDX-License-Identifier: Apache-2.0 */
#include "strategy.h"

/* All candidates tie, so that the seed alone decides. */
static int rank(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr)
{
    const struct swarm__nodeset *set = &candidates->set;
    for (size_t word = 0; word < set->length; word++)
        if (set->words[word] != 0)
            swarm__ranking_offer(ranking, word, set->words[word], 0);
    return 0;
}

const struct swarm_strategy_ops swarm__strategy_random = {
    sizeof(struct swarm_strategy_ops), "random", rank, NULL, NULL, 0};
