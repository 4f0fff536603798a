/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"
#include "strategy.h"

static int rank(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr)
{
    swarm__scan_rank(cluster, request, SWARM__SCAN_EMPTIEST, ranking);
    return 0;
}

const struct swarm_strategy_ops swarm__strategy_spread = {
    sizeof(struct swarm_strategy_ops), "spread", rank, NULL, swarm__strategy_parts, 1};
