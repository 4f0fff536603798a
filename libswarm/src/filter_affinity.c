/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "container.h"
#include "filter.h"

static uint32_t containers_of(const struct swarm__slot *slot)
{
    return slot->containers;
}

/* Key "container": the id and the first name of each container that has a name. A place taken has the id "". */
static void mark_literal(const struct swarm_cluster *cluster, const char *text, struct swarm__nodeset *marked)
{
    struct swarm__prefix_entry *entry = swarm__prefix_find(&cluster->container_ids, text);
    for (; entry; entry = entry->same) {
        const struct swarm_container *container = swarm__container_by_id(entry);
        if (container->names)
            swarm__nodeset_add(marked, container->node->slot);
    }
    const struct swarm__name *name = swarm__names_find(&cluster->container_names, text);
    for (; name; name = name->same) {
        const struct swarm_container *container = name->owner;
        if (container && container->names == name)
            swarm__nodeset_add(marked, container->node->slot);
    }
}

static int match_container(struct swarm__matcher *matcher, const struct swarm__expr *expr,
                           const struct swarm_container *container)
{
    if (!container->names)
        return 0;
    const char *id = swarm_container_id(container);
    int matched = swarm__expr_match(expr, matcher, id, strlen(id));
    if (matched != 0)
        return matched;
    return swarm__expr_match(expr, matcher, container->names->text, strlen(container->names->text));
}

/* Whether some container in the list matches: 1, 0 or an error. */
static int match_list(struct swarm__matcher *matcher, const struct swarm__expr *expr,
                      const struct swarm_container *container)
{
    int matched = 0;
    for (; container && matched == 0; container = container->next)
        matched = match_container(matcher, expr, container);
    return matched;
}

static int mark_containers(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                           struct swarm__nodeset *marked)
{
    if (expr->kind == SWARM__EXPR_LITERAL) {
        mark_literal(candidates->cluster, expr->value, marked);
        return 0;
    }
    const struct swarm_node *node = NULL;
    while ((node = swarm_candidates_next(candidates, node))) {
        int matched = match_list(&candidates->matcher, expr, node->containers.first);
        if (matched == 0)
            matched = match_list(&candidates->matcher, expr, node->pending.first);
        if (matched < 0)
            return matched;
        if (matched)
            swarm__nodeset_add(marked, node->slot);
    }
    return 0;
}

static int mark(struct swarm_candidates *candidates, const struct swarm__expr *expr, struct swarm__nodeset *marked)
{
    const struct swarm_cluster *cluster = candidates->cluster;
    if (strcmp(expr->key, "container") == 0)
        return mark_containers(candidates, expr, marked);
    if (strcmp(expr->key, "image") == 0)
        return swarm__index_mark(swarm__index_find(&cluster->images, SWARM__IMAGE_KEY), expr, &candidates->matcher,
                                 marked);
    return swarm__filter_mark_labels(candidates, &cluster->container_labels, expr, containers_of, marked);
}

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    return swarm__filter_by_exprs(candidates, &request->affinities, soft, mark, reterr);
}

static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    return swarm__filter_list_exprs(&request->affinities, true, conditions, reterr);
}

const struct swarm_filter_ops swarm__filter_affinity = {sizeof(struct swarm_filter_ops), "affinity", filter,
                                                        list_conditions, NULL};
