/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <string.h>

static struct swarm_container *container_of(const struct swarm__subject *subject)
{
    return (struct swarm_container *)((uintptr_t)subject - offsetof(struct swarm_container, subject));
}

static struct swarm_node *node_of(const struct swarm__subject *subject)
{
    return (struct swarm_node *)((uintptr_t)subject - offsetof(struct swarm_node, subject));
}

static int match_text(const struct swarm__expr *expr, struct swarm__matcher *matcher, const char *text)
{
    return swarm__expr_match(expr, matcher, text, strlen(text));
}

static int match_container(const struct swarm_container *container, const struct swarm__expr *expr,
                           struct swarm__matcher *matcher)
{
    if (!container->names)
        return 0;
    int matched = match_text(expr, matcher, swarm_container_id(container));
    return matched != 0 ? matched : match_text(expr, matcher, container->names->text);
}

static int match_node(const struct swarm_node *node, const struct swarm__expr *expr, struct swarm__matcher *matcher)
{
    int matched = match_text(expr, matcher, node->id);
    return matched != 0 ? matched : match_text(expr, matcher, node->name->text);
}

static bool begins(const char *id, const char *text)
{
    return id && strncmp(id, text, strlen(text)) == 0;
}

static int container_matches(const struct swarm__subject *subject, const struct swarm__question *question,
                             struct swarm__matcher *matcher)
{
    const struct swarm_container *container = container_of(subject);
    if (question->of_swarm_id)
        return container->by_swarm_id.key ? match_text(question->pattern, matcher, container->by_swarm_id.key) : 0;
    if (question->pattern)
        return match_container(container, question->pattern, matcher);
    return begins(container->id, question->text) || begins(container->by_swarm_id.key, question->text);
}

static int node_matches(const struct swarm__subject *subject, const struct swarm__question *question,
                        struct swarm__matcher *matcher)
{
    return match_node(node_of(subject), question->pattern, matcher);
}

static const struct swarm__posting *just_one(uint32_t slot, struct swarm__posting *one)
{
    *one = (struct swarm__posting){.length = 1, .at.one = {slot, 1}};
    return one;
}

static const struct swarm__posting *node_of_container(const struct swarm__subject *subject, struct swarm__posting *one)
{
    return just_one(container_of(subject)->node->slot, one);
}

static const struct swarm__posting *node_itself(const struct swarm__subject *subject, struct swarm__posting *one)
{
    return just_one(node_of(subject)->slot, one);
}

static const struct swarm__memo_kind containers = {container_matches, node_of_container};
static const struct swarm__memo_kind nodes = {node_matches, node_itself};

void swarm__identity_enter(struct swarm_container *container)
{
    swarm__memo_born(&container->node->cluster->container_memo, &container->subject);
}

void swarm__identity_leave(struct swarm_container *container)
{
    struct swarm__memo *memo = &container->node->cluster->container_memo;
    swarm__memo_off(memo, &container->subject, container->node->slot);
    swarm__memo_gone(memo, &container->subject);
}

void swarm__identity_renew(struct swarm_container *container)
{
    swarm__identity_leave(container);
    swarm__identity_enter(container);
}

void swarm__identity_enter_node(struct swarm_node *node)
{
    swarm__memo_born(&node->cluster->node_memo, &node->subject);
}

void swarm__identity_leave_node(struct swarm_node *node)
{
    swarm__memo_off(&node->cluster->node_memo, &node->subject, node->slot);
    swarm__memo_gone(&node->cluster->node_memo, &node->subject);
}

void swarm__identity_renew_node(struct swarm_node *node)
{
    swarm__identity_leave_node(node);
    swarm__identity_enter_node(node);
}

static void enter_list(const struct swarm__container_list *list)
{
    for (struct swarm_container *container = list->first; container; container = container->next)
        swarm__identity_enter(container);
}

static int wake_containers(struct swarm_cluster *cluster)
{
    if (swarm__memo_awake(&cluster->container_memo))
        return 0;
    if (swarm__memo_wake(&cluster->container_memo, &containers, &cluster->memo_pool, cluster->container_count) != 0)
        return -1;
    for (const struct swarm_node *node = cluster->first_node; node; node = node->next) {
        enter_list(&node->containers);
        enter_list(&node->pending);
    }
    return swarm__memo_awake(&cluster->container_memo) ? 0 : -1;
}

static int wake_nodes(struct swarm_cluster *cluster)
{
    if (swarm__memo_awake(&cluster->node_memo))
        return 0;
    if (swarm__memo_wake(&cluster->node_memo, &nodes, &cluster->memo_pool, cluster->node_count) != 0)
        return -1;
    for (struct swarm_node *node = cluster->first_node; node; node = node->next)
        swarm__identity_enter_node(node);
    return swarm__memo_awake(&cluster->node_memo) ? 0 : -1;
}

/* What is remembered of the question, learned first where that is allowed and there is memory; NULL. */
static const struct swarm__memo_entry *recall_containers(struct swarm_candidates *candidates,
                                                         const struct swarm__question *question)
{
    struct swarm_cluster *learning = candidates->learning;
    if (learning && wake_containers(learning) == 0)
        (void)swarm__memo_learn(&learning->container_memo, question, &candidates->matcher, learning->slot_capacity);
    return swarm__memo_find(&candidates->cluster->container_memo, question);
}

static const struct swarm__memo_entry *recall_nodes(struct swarm_candidates *candidates,
                                                    const struct swarm__question *question)
{
    struct swarm_cluster *learning = candidates->learning;
    if (learning && wake_nodes(learning) == 0)
        (void)swarm__memo_learn(&learning->node_memo, question, &candidates->matcher, learning->slot_capacity);
    return swarm__memo_find(&candidates->cluster->node_memo, question);
}

/* Whether some container in the list matches: 1, 0 or an error. */
static int match_list(const struct swarm_container *container, const struct swarm__question *question,
                      struct swarm__matcher *matcher)
{
    int matched = 0;
    for (; container && matched == 0; container = container->next)
        matched = container_matches(&container->subject, question, matcher);
    return matched;
}

static int match_containers_of(const struct swarm__subject *subject, const struct swarm__question *question,
                               struct swarm__matcher *matcher)
{
    const struct swarm_node *node = node_of(subject);
    int matched = match_list(node->containers.first, question, matcher);
    return matched != 0 ? matched : match_list(node->pending.first, question, matcher);
}

/* Match what is on each candidate: where nothing is remembered. */
static int mark_candidates(struct swarm_candidates *candidates, const struct swarm__question *question,
                           int (*match)(const struct swarm__subject *node, const struct swarm__question *question,
                                        struct swarm__matcher *matcher),
                           struct swarm__nodeset *marked)
{
    const struct swarm_node *node = NULL;
    while ((node = swarm_candidates_next(candidates, node))) {
        int matched = match(&node->subject, question, &candidates->matcher);
        if (matched < 0)
            return matched;
        if (matched)
            swarm__nodeset_add(marked, node->slot);
    }
    return 0;
}

int swarm__identity_recall(struct swarm_candidates *candidates, const struct swarm__question *question,
                           struct swarm__nodeset *marked, struct swarm__nodeset *several)
{
    const struct swarm__memo_entry *known = recall_containers(candidates, question);
    if (!known)
        return 0;
    int code = swarm__memo_mark(known, &candidates->matcher, marked, several);
    return code != 0 ? code : 1;
}

int swarm__identity_mark_containers(struct swarm_candidates *candidates, const struct swarm__question *question,
                                    struct swarm__nodeset *marked)
{
    int done = swarm__identity_recall(candidates, question, marked, NULL);
    if (done != 0)
        return done < 0 ? done : 0;
    return mark_candidates(candidates, question, match_containers_of, marked);
}

int swarm__identity_mark_nodes(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                               struct swarm__nodeset *marked)
{
    struct swarm__question question = swarm__question_of(expr);
    const struct swarm__memo_entry *known = recall_nodes(candidates, &question);
    return known ? swarm__memo_mark(known, &candidates->matcher, marked, NULL)
                 : mark_candidates(candidates, &question, node_matches, marked);
}
