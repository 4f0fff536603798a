/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"
#include "explain.h"
#include "filter.h"

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    const struct swarm__nodeset *limited = &cluster->limited;
    for (size_t slot = swarm__nodeset_next(limited, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(limited, slot + 1))
        if ((int64_t)cluster->slots[slot].containers >= cluster->slots[slot].open_limit)
            swarm__nodeset_remove(&candidates->set, slot);
    struct swarm_cause *cause = swarm__candidates_refuse(candidates, SWARM_REASON_SLOTS, NULL, NULL, NULL);
    if (cause)
        cause->unit = SWARM_UNIT_CONTAINERS;
    return 0;
}

/* A node that may have no container at all never takes one. */
static int filter_lasting(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                          struct swarm_candidates *candidates, struct swarm_error **reterr)
{
    const struct swarm__nodeset *limited = &cluster->limited;
    for (size_t slot = swarm__nodeset_next(limited, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(limited, slot + 1))
        if (cluster->slots[slot].open_limit < 1)
            swarm__nodeset_remove(&candidates->set, slot);
    struct swarm_cause *cause = swarm__candidates_refuse(candidates, SWARM_REASON_SLOTS, NULL, NULL, NULL);
    if (cause) {
        cause->unit = SWARM_UNIT_CONTAINERS;
        cause->lasting = true;
    }
    return 0;
}

static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    return swarm__filter_condition(conditions, "available container slots", "", "", reterr);
}

const struct swarm_filter_ops swarm__filter_containerslots = {
    sizeof(struct swarm_filter_ops), "containerslots", filter, list_conditions, NULL, filter_lasting};
