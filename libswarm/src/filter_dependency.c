/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"
#include "explain.h"
#include "filter.h"
#include "identity.h"
#include "look_up.h"

/*
 * The look-up rules of look_up.h, on each node by itself: the first rule that hits on a node settles it there, and the
 * rules of names and prefixes hold only where exactly one container of the node is hit.
 */

struct found {
    struct swarm__nodeset *settled; /* an earlier rule has hit */
    struct swarm__nodeset *once;    /* the node has it */
    struct swarm__nodeset *twice;   /* hit twice by this rule */
};

static bool hit_any(void *data, struct swarm_container *container)
{
    const struct found *found = data;
    uint32_t slot = container->node->slot;
    if (!swarm__nodeset_has(found->settled, slot))
        swarm__nodeset_add(found->once, slot);
    return true;
}

static bool hit_one(void *data, struct swarm_container *container)
{
    const struct found *found = data;
    uint32_t slot = container->node->slot;
    if (swarm__nodeset_has(found->settled, slot))
        return true;
    if (swarm__nodeset_has(found->once, slot))
        swarm__nodeset_add(found->twice, slot);
    swarm__nodeset_add(found->once, slot);
    return true;
}

static bool count_hit(void *data, struct swarm_container *container)
{
    unsigned *left = data;
    if (*left == 0)
        return false;
    (*left)--;
    return true;
}

/*
 * A short text that could begin an id ("db") begins the ids of more containers the more there are, although few mean
 * it.
 */
static int hit_prefix(struct swarm_candidates *candidates, const char *target, struct found *found)
{
    unsigned left = SWARM__IDENTITY_MANY;
    swarm__look_up_prefix(candidates->cluster, target, count_hit, &left);
    if (left == 0) {
        struct swarm__nodeset *nodes = swarm__candidates_scratch(candidates, 3);
        struct swarm__nodeset *several = swarm__candidates_scratch(candidates, 4);
        if (!nodes || !several)
            return SWARM_ERR_NOMEM;
        struct swarm__question question = {NULL, target};
        int done = swarm__identity_recall(candidates, &question, nodes, several);
        if (done < 0)
            return done;
        if (done) {
            swarm__nodeset_and_not(nodes, found->settled);
            swarm__nodeset_or(found->once, nodes);
            swarm__nodeset_and_not(several, found->settled);
            swarm__nodeset_or(found->twice, several);
            return 0;
        }
    }
    swarm__look_up_prefix(candidates->cluster, target, hit_one, found);
    return 0;
}

/* Whatever this rule hit is settled; where it hit twice, the node has no such container. */
static void settle(const struct found *found)
{
    for (size_t i = 0; i < found->once->length; i++) {
        found->settled->words[i] |= found->once->words[i];
        found->once->words[i] &= ~found->twice->words[i];
    }
}

static int keep_nodes_with(struct swarm_candidates *candidates, const char *target)
{
    const struct swarm_cluster *cluster = candidates->cluster;
    struct found found = {swarm__candidates_scratch(candidates, 0), swarm__candidates_scratch(candidates, 1),
                          swarm__candidates_scratch(candidates, 2)};
    if (!found.settled || !found.once || !found.twice)
        return SWARM_ERR_NOMEM;
    if (*target) {
        swarm__look_up_ids(cluster, target, hit_any, &found);
        settle(&found);
        swarm__look_up_swarm_ids(cluster, target, hit_any, &found);
        settle(&found);
        swarm__look_up_names(cluster, target, hit_one, &found);
        settle(&found);
        if (hit_prefix(candidates, target, &found) != 0)
            return SWARM_ERR_NOMEM;
        settle(&found);
    }
    swarm__nodeset_and(&candidates->set, found.once);
    return 0;
}

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    struct swarm__dependency dependency;
    for (size_t i = 0; swarm__request_dependency(request, i, &dependency); i++) {
        if (keep_nodes_with(candidates, dependency.target) != 0)
            return swarm__error_nomem(reterr);
        swarm__candidates_refuse(candidates, SWARM_REASON_DEPENDENCY, dependency.option, dependency.raw, NULL);
    }
    return 0;
}

static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    struct swarm__dependency dependency;
    for (size_t i = 0; swarm__request_dependency(request, i, &dependency); i++) {
        int code = swarm__filter_condition(conditions, dependency.option, dependency.raw, "", reterr);
        if (code != 0)
            return code;
    }
    return 0;
}

const struct swarm_filter_ops swarm__filter_dependency = {
    sizeof(struct swarm_filter_ops), "dependency", filter, list_conditions, NULL, NULL};
