/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"
#include "explain.h"
#include "filter.h"

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    swarm__nodeset_and(&candidates->set, &cluster->healthy);
    swarm__candidates_refuse(candidates, SWARM_REASON_UNHEALTHY, NULL, NULL, NULL);
    if (swarm__nodeset_empty(&candidates->set))
        return swarm__error_set(reterr, SWARM_ERR_NO_NODE, "No healthy node available in the cluster");
    return 0;
}

const struct swarm_filter_ops swarm__filter_health = {
    sizeof(struct swarm_filter_ops), "health", filter, NULL, NULL, NULL};
