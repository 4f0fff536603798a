/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "error.h"
#include "explain.h"
#include "filter.h"
#include "node.h"

/* Neither the key nor the operator matters, as in classic Swarm: a whitelist names the nodes that are allowed. */
static int keep_listed(struct swarm_candidates *candidates, const char *list)
{
    struct swarm__nodeset *listed = swarm__candidates_scratch(candidates, 0);
    if (!listed)
        return SWARM_ERR_NOMEM;
    for (;;) {
        size_t length = strcspn(list, "|");
        const struct swarm__map_item *item = swarm__map_find_n(&candidates->cluster->node_names, list, length);
        for (const struct swarm__name *name = (const struct swarm__name *)item; name; name = name->same)
            swarm__nodeset_add(listed, ((const struct swarm_node *)name->owner)->slot);
        if (list[length] == '\0')
            break;
        list += length + 1;
    }
    swarm__nodeset_and(&candidates->set, listed);
    return 0;
}

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    const struct swarm__exprs *lists = &request->extras->whitelists;
    for (uint32_t i = 0; i < lists->count; i++)
        if (lists->items[i].flaw)
            return swarm__expr_error(&lists->items[i], reterr);
    for (uint32_t i = 0; i < lists->count; i++) {
        const struct swarm__expr *list = &lists->items[i];
        if (!soft && list->soft)
            continue;
        if (keep_listed(candidates, list->value) != 0)
            return swarm__error_nomem(reterr);
        swarm__candidates_refuse(candidates, SWARM_REASON_WHITELIST, list->key, swarm__expr_op_text(list), list->value);
    }
    return 0;
}

static int filter_lasting(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                          struct swarm_candidates *candidates, struct swarm_error **reterr)
{
    return filter(data, request, cluster, candidates, 0, reterr);
}

static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    return swarm__filter_list_exprs(&request->extras->whitelists, true, conditions, reterr);
}

const struct swarm_filter_ops swarm__filter_whitelist = {
    sizeof(struct swarm_filter_ops), "whitelist", filter, list_conditions, NULL, filter_lasting};
