/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "container.h"
#include "filter.h"
#include "identity.h"

/*
 * Key "container": the id and the first name of each container that has a name. A place taken has the id "".
 *
 * Visits no more entries than @p most. @return false where there are more.
 */
static bool mark_literal(const struct swarm_cluster *cluster, const char *text, size_t most,
                         struct swarm__nodeset *marked)
{
    struct swarm__prefix_entry *entry = swarm__prefix_find(&cluster->container_ids, text);
    for (; entry; entry = entry->same) {
        if (most-- == 0)
            return false;
        const struct swarm_container *container = swarm__container_by_id(entry);
        if (container->names)
            swarm__nodeset_add(marked, container->node->slot);
    }
    const struct swarm__name *name = swarm__names_find(&cluster->container_names, text);
    for (; name; name = name->same) {
        if (most-- == 0)
            return false;
        const struct swarm_container *container = name->owner;
        if (container && container->names == name)
            swarm__nodeset_add(marked, container->node->slot);
    }
    return true;
}

/* Key "com.docker.swarm.id": the same for swarm ids, "" left out. */
static bool mark_swarm_id(const struct swarm_cluster *cluster, const char *text, size_t most,
                          struct swarm__nodeset *marked)
{
    struct swarm__prefix_entry *entry = swarm__prefix_find(&cluster->swarm_ids, text);
    for (; entry; entry = entry->same) {
        if (most-- == 0)
            return false;
        swarm__nodeset_add(marked, swarm__container_by_swarm_id(entry)->node->slot);
    }
    return true;
}

static int mark_containers(struct swarm_candidates *candidates, const struct swarm__question *question,
                           bool (*mark_literally)(const struct swarm_cluster *cluster, const char *text, size_t most,
                                                  struct swarm__nodeset *marked),
                           struct swarm__nodeset *marked)
{
    if (question->pattern->kind == SWARM__EXPR_NEVER)
        return 0;
    if (question->pattern->kind == SWARM__EXPR_PATTERN)
        return swarm__identity_mark_containers(candidates, question, marked);
    if (mark_literally(candidates->cluster, question->text, SWARM__IDENTITY_MANY, marked))
        return 0;
    /* A name that engines have given each: what the cluster remembers of it does not grow with them. */
    int done = swarm__identity_recall(candidates, question, marked, NULL);
    if (done == 0)
        (void)mark_literally(candidates->cluster, question->text, SIZE_MAX, marked);
    return done < 0 ? done : 0;
}

/* Answered like every other label, though it is in no index of labels. */
static int mark_swarm_ids(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                          struct swarm__nodeset *marked)
{
    struct swarm__question question = swarm__question_of(expr);
    question.of_swarm_id = true;
    int code = mark_containers(candidates, &question, mark_swarm_id, marked);
    int matches_nothing = code < 0 ? code : swarm__expr_match(expr, &candidates->matcher, "", 0);
    if (matches_nothing <= 0)
        return matches_nothing;
    return swarm__filter_mark_lacking(candidates, SWARM__OF_CONTAINERS, &candidates->cluster->with_swarm_id, marked);
}

static int mark_called(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                       struct swarm__nodeset *marked)
{
    struct swarm__question question = swarm__question_of(expr);
    return mark_containers(candidates, &question, mark_literal, marked);
}

static int mark_images(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                       struct swarm__nodeset *marked)
{
    struct swarm_cluster *learning = candidates->learning;
    if (learning)
        swarm__index_learn(&learning->images, SWARM__IMAGE_KEY, expr, &candidates->matcher, &learning->memo_pool,
                           learning->slot_capacity);
    const struct swarm__index_key *key = swarm__index_find(&candidates->cluster->images, SWARM__IMAGE_KEY);
    int code = swarm__index_mark(key, expr, &candidates->matcher, marked);
    return code < 0 ? code : 0;
}

static int mark(struct swarm_candidates *candidates, const struct swarm__expr *expr, struct swarm__nodeset *marked)
{
    if (strcmp(expr->key, "container") == 0)
        return mark_called(candidates, expr, marked);
    if (strcmp(expr->key, "image") == 0)
        return mark_images(candidates, expr, marked);
    if (strcmp(expr->key, SWARM__LABEL_ID) == 0)
        return mark_swarm_ids(candidates, expr, marked);
    return swarm__filter_mark_labels(candidates, SWARM__OF_CONTAINERS, expr, marked);
}

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    return swarm__filter_by_exprs(candidates, &request->extras->affinities, soft, mark, SWARM_REASON_AFFINITY, reterr);
}

static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    return swarm__filter_list_exprs(&request->extras->affinities, true, conditions, reterr);
}

const struct swarm_filter_ops swarm__filter_affinity = {
    sizeof(struct swarm_filter_ops), "affinity", filter, list_conditions, NULL, NULL};
