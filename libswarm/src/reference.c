/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "look_up.h"
#include "mem.h"

/* swarm_cluster_look_up(): what a user means by a reference. */

/* Containers that are told of where a reference is ambiguous. */
#define MOST_HITS 10

struct hits {
    bool by_swarm_id;                       /* those with one swarm id are one to the user */
    struct swarm_container *all[MOST_HITS]; /* distinct ones */
    size_t count;
    bool more;
};

/* Whether @a is the one to talk to where both are the same: it answers, it runs, it was there first. */
static bool better(const struct swarm_container *a, const struct swarm_container *b)
{
    bool a_healthy = swarm_node_health(a->node) > 0, b_healthy = swarm_node_health(b->node) > 0;
    if (a_healthy != b_healthy)
        return a_healthy;
    bool a_runs = a->state == SWARM_CONTAINER_RUNNING, b_runs = b->state == SWARM_CONTAINER_RUNNING;
    if (a_runs != b_runs)
        return a_runs;
    return a->node->slot < b->node->slot;
}

static bool same(const struct hits *hits, const struct swarm_container *a, const struct swarm_container *b)
{
    return strcmp(a->id, b->id) == 0 || (hits->by_swarm_id && strcmp(a->by_swarm_id.key, b->by_swarm_id.key) == 0);
}

static bool collect(void *data, struct swarm_container *container)
{
    struct hits *hits = data;
    if (swarm__container_pending(container))
        return true;
    for (size_t i = 0; i < hits->count; i++)
        if (same(hits, hits->all[i], container)) {
            if (better(container, hits->all[i]))
                hits->all[i] = container;
            return true;
        }
    if (hits->count == MOST_HITS) {
        hits->more = true;
        return false;
    }
    hits->all[hits->count++] = container;
    return true;
}

static int by_node_name(const void *a, const void *b)
{
    const struct swarm_container *const *left = a, *const *right = b;
    return strcmp(swarm_node_name((*left)->node), swarm_node_name((*right)->node));
}

/* "a, b, c", each node once. NULL where there is no memory. */
static char *list_nodes(const struct hits *hits)
{
    size_t size = sizeof(", …");
    for (size_t i = 0; i < hits->count; i++)
        size += strlen(swarm_node_name(hits->all[i]->node)) + 2;
    char *text = swarm__malloc(size);
    if (!text)
        return NULL;
    char *end = text;
    for (size_t i = 0; i < hits->count; i++) {
        const char *name = swarm_node_name(hits->all[i]->node);
        if (i > 0 && strcmp(name, swarm_node_name(hits->all[i - 1]->node)) == 0)
            continue;
        if (end != text)
            end = stpcpy(end, ", ");
        end = stpcpy(end, name);
    }
    stpcpy(end, hits->more ? ", …" : "");
    return text;
}

/* @p by_name: the user gave a name, so that a node's name in front of it helps; otherwise more digits do. */
static int ambiguous(struct hits *hits, const char *reference, bool by_name, struct swarm_error **reterr)
{
    if (!reterr)
        return SWARM_ERR_AMBIGUOUS;
    qsort(hits->all, hits->count, sizeof(hits->all[0]), by_node_name);
    char *nodes = list_nodes(hits);
    if (!nodes)
        return swarm__error_nomem(reterr);
    const char *first = swarm_node_name(hits->all[0]->node);
    bool apart = by_name && strcmp(first, swarm_node_name(hits->all[hits->count - 1]->node)) != 0;
    int code = apart ? swarm__error_set(reterr, SWARM_ERR_AMBIGUOUS,
                                        "Container name %s is ambiguous: it exists on nodes %s; use %s/%s", reference,
                                        nodes, first, reference)
                     : swarm__error_set(reterr, SWARM_ERR_AMBIGUOUS,
                                        "Container name %s is ambiguous: it exists on nodes %s; use the container's id",
                                        reference, nodes);
    swarm__free(nodes);
    return code;
}

typedef void (*rule_fn)(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data);

int swarm_cluster_look_up(const struct swarm_cluster *cluster, const char *reference,
                          struct swarm_container **ret_container, struct swarm_error **reterr)
{
    if (!cluster || !reference)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "look-up: NULL");
    static const rule_fn rules[] = {swarm__look_up_ids, swarm__look_up_swarm_ids, swarm__look_up_names,
                                    swarm__look_up_prefix};
    for (size_t i = 0; *reference && i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct hits hits = {.by_swarm_id = rules[i] == swarm__look_up_swarm_ids};
        rules[i](cluster, reference, collect, &hits);
        if (hits.count > 1)
            return ambiguous(&hits, reference, rules[i] == swarm__look_up_names, reterr);
        if (hits.count == 1) {
            if (ret_container)
                *ret_container = hits.all[0];
            return 0;
        }
    }
    return swarm__error_set(reterr, SWARM_ERR_NOT_FOUND, "No such container: %s", reference);
}
