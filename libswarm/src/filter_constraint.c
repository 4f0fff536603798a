/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "filter.h"
#include "identity.h"
#include "node.h"

static void mark_named(const struct swarm_cluster *cluster, const char *text, struct swarm__nodeset *marked)
{
    const struct swarm_node *node = swarm_cluster_find_node(cluster, text);
    if (node)
        swarm__nodeset_add(marked, node->slot);
    const struct swarm__name *name = swarm__names_find(&cluster->node_names, text);
    for (; name; name = name->same)
        swarm__nodeset_add(marked, ((const struct swarm_node *)name->owner)->slot);
}

/* Key "node": id and name. */
static int mark_nodes(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                      struct swarm__nodeset *marked)
{
    if (expr->kind == SWARM__EXPR_PATTERN)
        return swarm__identity_mark_nodes(candidates, expr, marked);
    if (expr->kind == SWARM__EXPR_LITERAL)
        mark_named(candidates->cluster, expr->value, marked);
    return 0;
}

static int mark(struct swarm_candidates *candidates, const struct swarm__expr *expr, struct swarm__nodeset *marked)
{
    if (strcmp(expr->key, "node") == 0)
        return mark_nodes(candidates, expr, marked);
    return swarm__filter_mark_labels(candidates, SWARM__OF_NODES, expr, marked);
}

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    return swarm__filter_by_exprs(candidates, &request->extras->constraints, soft, mark, SWARM_REASON_CONSTRAINT,
                                  reterr);
}

static int filter_lasting(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                          struct swarm_candidates *candidates, struct swarm_error **reterr)
{
    return filter(data, request, cluster, candidates, 0, reterr);
}

static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    return swarm__filter_list_exprs(&request->extras->constraints, false, conditions, reterr);
}

const struct swarm_filter_ops swarm__filter_constraint = {
    sizeof(struct swarm_filter_ops), "constraint", filter, list_conditions, NULL, filter_lasting};
