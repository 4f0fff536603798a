/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster.h"
#include "container.h"
#include "look_up.h"
#include "mem.h"
#include "request.h"
#include "rescheduler.h"

#define CONTAINER_MODE "container:"
/* Docker's ids have 64 digits. */
#define MAX_ID 128

/* ---- nodes ---- */

struct swarm__site *swarm__site_find(const struct swarm_rescheduler *r, const struct swarm_node *node)
{
    return (struct swarm__site *)swarm__map_find(&r->sites, swarm_node_id(node));
}

bool swarm__node_live(const struct swarm_rescheduler *r, const struct swarm_node *node)
{
    const struct swarm__site *site = swarm__site_find(r, node);
    return (site == NULL || !site->lost) && swarm_node_health(node) > 0;
}

/** Whether two nodes are one engine: by its docker id (an address may follow it), or because they share a container. */
static bool same_engine(const struct swarm_cluster *cluster, const struct swarm_node *a, const struct swarm_node *b)
{
    const char *a_id = swarm_node_id(a), *b_id = swarm_node_id(b);
    size_t length = strcspn(a_id, "|");
    if (a == b || (length == strcspn(b_id, "|") && strncmp(a_id, b_id, length) == 0))
        return true;
    const struct swarm_node *few = a->containers.count <= b->containers.count ? a : b, *other = few == a ? b : a;
    const struct swarm_container *c = NULL;
    while ((c = swarm_node_next_container(few, c)) != NULL)
        if (swarm_cluster_find_container(cluster, other, swarm_container_id(c)) != NULL)
            return true;
    return false;
}

/* ---- containers by id ---- */

struct visit {
    const struct swarm_rescheduler *r;
    const char *id;
    const struct swarm_node *not_on; /* may be NULL */
    bool live;
    struct swarm_container *found;
};

static bool visit_id(void *data, struct swarm_container *hit)
{
    struct visit *visit = data;
    if (strcmp(hit->id, visit->id) != 0 || hit->node == visit->not_on ||
        (visit->live && !swarm__node_live(visit->r, hit->node)))
        return true;
    visit->found = hit;
    return false;
}

struct swarm_container *swarm__find_id(const struct swarm_rescheduler *r, const char *id,
                                       const struct swarm_node *not_on, bool live)
{
    struct visit visit = {r, id, not_on, live, NULL};
    swarm__look_up_ids(r->cluster, id, visit_id, &visit);
    return visit.found;
}

struct swarm_container *swarm__alias(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return swarm__find_id(r, swarm_container_id(container), swarm_container_node(container), false);
}

void swarm__forget_aliases(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    struct swarm_container *alias;
    while ((alias = swarm__alias(r, container)) != NULL && !swarm__involved(r, alias)) {
        swarm__let_go(r, alias);
        swarm_cluster_remove_container(r->cluster, alias);
    }
}

bool swarm__seen_elsewhere(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return swarm__find_id(r, swarm_container_id(container), swarm_container_node(container), true) != NULL;
}

/* ---- copies by what was replaced ---- */

struct swarm_container *swarm__stand_in_of(const struct swarm_rescheduler *r, const struct swarm_container *old)
{
    if (!swarm__is_replaced(r, old) || swarm__is_deleted(r, swarm_container_id(old)))
        return NULL;
    struct swarm_container *now = swarm__find_id(r, swarm__replaced_end(r, swarm_container_id(old)), NULL, true);
    return now != NULL && !same_engine(r->cluster, now->node, old->node) ? now : NULL;
}

/* ---- copies that are known by their labels only ---- */

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && *a != '\0' && strcmp(a, b) == 0;
}

/**
 * Whether two containers of one swarm id are copies by all that can be seen. The swarm id alone does not tell: an image
 * made with `docker commit` hands the label on to every container that is run from it on an engine directly.
 */
static bool are_alike(const struct swarm_container *a, const struct swarm_container *b)
{
    const struct swarm_request *first = swarm_container_request(a), *second = swarm_container_request(b);
    return same_text(swarm_request_image(first), swarm_request_image(second)) &&
           swarm_request_reschedule_policy(first) != SWARM_RESCHEDULE_OFF &&
           swarm_request_reschedule_policy(second) != SWARM_RESCHEDULE_OFF;
}

static bool look_the_same(const struct swarm_container *a, const struct swarm_container *b)
{
    return same_text(swarm_container_name(a), swarm_container_name(b)) && are_alike(a, b);
}

/** Whether one is what a move has made of the other, by another name where that one was renamed meanwhile: then only
 * if it never ran. */
static bool looks_late(const struct swarm_rescheduler *r, const struct swarm_container *late,
                       const struct swarm_container *other)
{
    return swarm__attempt_made(r, late) &&
           (look_the_same(late, other) || (late->state == SWARM_CONTAINER_CREATED && are_alike(late, other)));
}

struct search {
    struct swarm_rescheduler *r;
    struct swarm_container *subject;
    struct swarm_container *found;
    const struct swarm_container *except; /* may be NULL */
    struct swarm__task *tasks;
    bool was_lost; /* the subject's node, until now */
    int rc;
};

/** Whether a hit is another container with the subject's swarm id, on another engine. */
static bool is_elsewhere(const struct search *search, const struct swarm_container *hit)
{
    const struct swarm_container *subject = search->subject;
    return hit != subject && !swarm__container_pending(hit) && strcmp(hit->id, subject->id) != 0 &&
           same_text(swarm_container_swarm_id(subject), swarm_container_swarm_id(hit)) &&
           !same_engine(search->r->cluster, subject->node, hit->node);
}

/** The same, on an engine that is live. */
static bool may_be_copy(const struct search *search, const struct swarm_container *hit)
{
    return swarm__node_live(search->r, hit->node) && is_elsewhere(search, hit);
}

/** Whether both stand for one container, as far as is known. */
static bool is_copy(const struct search *search, const struct swarm_container *hit)
{
    if (swarm__is_deleted(search->r, hit->id) || swarm__is_deleted(search->r, search->subject->id))
        return false;
    return strcmp(swarm__replaced_end(search->r, hit->id), swarm__replaced_end(search->r, search->subject->id)) == 0 ||
           look_the_same(search->subject, hit);
}

static void search_copies(struct search *search, swarm__hit_fn hit)
{
    const char *swarm_id = swarm_container_swarm_id(search->subject);
    if (*swarm_id != '\0')
        swarm__look_up_swarm_ids(search->r->cluster, swarm_id, hit, search);
}

static bool removal_under_way(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    const struct swarm__task *task = container != NULL ? swarm__removal_of(r, container) : NULL;
    return task != NULL && task->state == SWARM__TASK_UNDER_WAY;
}

/** Whether it is being removed, by any address of its engine, or may be by what nobody waits for any more. */
static bool being_removed(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return removal_under_way(r, container) || removal_under_way(r, swarm__alias(r, container)) ||
           swarm__is_doomed(r, container);
}

static bool visit_living(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    if (!may_be_copy(search, hit) || being_removed(search->r, hit) || !is_copy(search, hit))
        return true;
    search->found = hit;
    return swarm__is_replaced(search->r, hit); /* better one that never was */
}

struct swarm_container *swarm__living_copy(struct swarm_rescheduler *r, struct swarm_container *lost)
{
    struct search search = {.r = r, .subject = lost};
    search_copies(&search, visit_living);
    return search.found;
}

static bool visit_other(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    if (hit != search->except && may_be_copy(search, hit) && !being_removed(search->r, hit) &&
        !swarm__is_replaced(search->r, hit) &&
        (look_the_same(search->subject, hit) || looks_late(search->r, search->subject, hit)))
        search->found = hit;
    return search->found == NULL;
}

struct swarm_container *swarm__other_copy(struct swarm_rescheduler *r, struct swarm_container *container,
                                          const struct swarm_container *except)
{
    struct search search = {.r = r, .subject = container, .except = except};
    search_copies(&search, visit_other);
    return search.found;
}

static bool visit_any(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    if (hit != search->subject && strcmp(hit->id, search->subject->id) != 0)
        search->found = hit;
    return search->found == NULL;
}

bool swarm__has_copy(struct swarm_rescheduler *r, struct swarm_container *container)
{
    struct search search = {.r = r, .subject = container};
    search_copies(&search, visit_any);
    return search.found != NULL;
}

static bool visit_lost(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    const struct swarm__site *site = swarm__site_find(search->r, hit->node);
    if (site != NULL && site->lost && is_elsewhere(search, hit) && is_copy(search, hit))
        search->found = hit;
    return search->found == NULL;
}

struct swarm_container *swarm__lost_copy(struct swarm_rescheduler *r, struct swarm_container *container)
{
    struct search search = {.r = r, .subject = container};
    search_copies(&search, visit_lost);
    return search.found;
}

static bool visit_marked(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    struct swarm_rescheduler *r = search->r;
    struct swarm__task *task = swarm__move_of(r, hit);
    if (task == NULL || task->state != SWARM__TASK_WAITING || !is_elsewhere(search, hit) || !is_copy(search, hit))
        return true;
    task->copy_seen = true;
    if (task->due_ms < r->guard.settle_ms)
        r->guard.settle_ms = task->due_ms;
    return true;
}

void swarm__note_living_copies(struct swarm_rescheduler *r, const struct swarm_node *node)
{
    struct search search = {.r = r};
    while (r->guard.on && (search.subject = swarm_node_next_container(node, search.subject)) != NULL)
        search_copies(&search, visit_marked);
}

/* ---- old copies ---- */

static bool has_removal(const struct search *search, const struct swarm_container *container)
{
    if (swarm__removal_of(search->r, container) != NULL)
        return true;
    for (const struct swarm__task *task = search->tasks; task != NULL; task = task->next)
        if (task->container == container)
            return true;
    return false;
}

static void add_removal(struct search *search, struct swarm_container *old)
{
    if (search->rc < 0 || has_removal(search, old))
        return;
    struct swarm__task *task = swarm__task_new(search->r, SWARM_ACTION_REMOVE, old);
    if (task == NULL) {
        search->rc = SWARM_ERR_NOMEM;
        return;
    }
    task->next = search->tasks;
    search->tasks = task;
}

static int search_end(struct search *search, struct swarm__task **ret_tasks)
{
    if (search->rc < 0)
        swarm__task_free_chain(search->r, search->tasks);
    else
        *ret_tasks = search->tasks;
    return search->rc;
}

/**
 * Copies of which nothing is known but that they look the same: another manager moved one of them, or this one before
 * it was started anew. The one on the node that comes back is the old one, if the other one runs and this one does not
 * or was out of reach until now; otherwise nobody can tell, and both stay.
 */
static bool visit_unknown(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    struct swarm_container *subject = search->subject;
    if (!may_be_copy(search, hit) || swarm__is_replaced(search->r, hit) || !look_the_same(subject, hit) ||
        swarm__in_the_making(search->r, hit) || hit->state != SWARM_CONTAINER_RUNNING ||
        (!search->was_lost && subject->state == SWARM_CONTAINER_RUNNING))
        return true;
    search->rc = swarm__replaced_add(search->r, subject->id, hit->id, false);
    return false;
}

/** It was replaced, and is there (again): its stand-in may be too. */
static void add_old(struct search *search, const struct swarm__replaced *replaced, struct swarm_container *old)
{
    if (old != NULL && !replaced->gone && swarm__node_live(search->r, old->node) &&
        (swarm__stand_in_of(search->r, old) != NULL || swarm__is_deleted(search->r, old->id)))
        add_removal(search, old);
}

/** All that a container stands in for, wherever it is. */
static void add_old_of(struct search *search, const struct swarm_container *stand_in)
{
    const struct swarm__replaced *replaced = NULL;
    while (search->rc == 0 && (replaced = swarm__replaced_next(search->r, stand_in->id, replaced)) != NULL)
        add_old(search, replaced, swarm__find_id(search->r, replaced->by_id.key, NULL, true));
}

/** What a failed move made all the same: of two copies the other one counts. */
static void judge_late(struct search *search, const struct swarm_container *late, const struct swarm_container *other)
{
    if (search->rc < 0 || swarm__is_replaced(search->r, late) || !swarm__attempt_made(search->r, late) ||
        swarm__in_the_making(search->r, late))
        return;
    /* Not where that one stands in for this one by way of others. */
    if (strcmp(swarm__replaced_end(search->r, other->id), late->id) != 0)
        search->rc = swarm__replaced_add(search->r, late->id, other->id, true);
}

static bool visit_late(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    if (may_be_copy(search, hit) && looks_late(search->r, hit, search->subject))
        judge_late(search, hit, search->subject);
    return search->rc == 0;
}

/** What is left of a container that its user has removed: its swarm id takes the place of the one that was. */
static int give_up_late(struct swarm_rescheduler *r, const struct swarm_container *late)
{
    const char *swarm_id = swarm_container_swarm_id(late);
    int rc = swarm__replaced_add(r, swarm_id, SWARM__DELETED, true);
    if (rc == 0)
        rc = swarm__replaced_add(r, late->id, swarm_id, true);
    return rc;
}

/** Whether the subject, or another copy, is the late one of two, or of none any more. */
static void look_for_late(struct search *search)
{
    if (search->r->attempts.count == 0)
        return;
    if (swarm__attempt_is_deleted(search->r, search->subject) && !swarm__is_replaced(search->r, search->subject) &&
        !swarm__in_the_making(search->r, search->subject)) {
        search->rc = give_up_late(search->r, search->subject);
        return;
    }
    struct swarm_container *subject = search->subject, *stand_in = swarm__stand_in_of(search->r, subject);
    const struct swarm_container *other = swarm__other_copy(search->r, subject, NULL);
    if (other != NULL)
        judge_late(search, subject, other);
    if (stand_in != NULL)
        search->subject = stand_in;
    if (search->rc == 0 && !swarm__is_replaced(search->r, search->subject))
        search_copies(search, visit_late);
    if (search->rc == 0 && stand_in != NULL)
        add_old_of(search, stand_in);
    search->subject = subject;
}

static bool started_later(const struct swarm_container *a, const struct swarm_container *b)
{
    int64_t a_ms = swarm_container_running_since(a), b_ms = swarm_container_running_since(b);
    return a_ms != b_ms ? a_ms > b_ms : strcmp(a->id, b->id) > 0;
}

struct swarm_container *swarm__better_old_copy(const struct swarm_rescheduler *r, const struct swarm_container *old,
                                               const struct swarm_container *stand_in)
{
    const struct swarm__replaced *replaced = NULL;
    while ((replaced = swarm__replaced_next(r, stand_in->id, replaced)) != NULL) {
        struct swarm_container *other = swarm__find_id(r, replaced->by_id.key, NULL, true);
        if (other != NULL && swarm__container_runs(other) && !being_removed(r, other) && started_later(other, old) &&
            !same_engine(r->cluster, other->node, old->node))
            return other;
    }
    return NULL;
}

static void hasten(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    struct swarm__task *task = container != NULL ? swarm__removal_of(r, container) : NULL;
    if (task != NULL && task->state == SWARM__TASK_WAITING && task->due_ms > r->now_ms)
        swarm__task_reschedule(r, task, r->now_ms);
}

void swarm__hasten_removals(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    const struct swarm__replaced *replaced = NULL;
    if (r->removals.count == 0)
        return;
    hasten(r, container);
    while ((replaced = swarm__replaced_next(r, container->id, replaced)) != NULL)
        hasten(r, swarm__find_id(r, replaced->by_id.key, NULL, true));
}

int swarm__find_old_copies(struct swarm_rescheduler *r, const struct swarm_node *node, bool was_lost,
                           struct swarm__task **ret_tasks)
{
    struct search search = {.r = r, .was_lost = was_lost};
    while (search.rc == 0 && (search.subject = swarm_node_next_container(node, search.subject)) != NULL) {
        look_for_late(&search);
        if (search.rc == 0 && !swarm__is_replaced(r, search.subject) && !swarm__in_the_making(r, search.subject))
            search_copies(&search, visit_unknown);
        const struct swarm__replaced *replaced = swarm__replaced_find(r, search.subject->id);
        if (search.rc == 0 && replaced != NULL)
            add_old(&search, replaced, search.subject);
        add_old_of(&search, search.subject);
    }
    return search_end(&search, ret_tasks);
}

int swarm__find_late_copy(struct swarm_rescheduler *r, struct swarm_container *container,
                          struct swarm__task **ret_tasks)
{
    struct search search = {.r = r, .subject = container};
    look_for_late(&search);
    const struct swarm__replaced *replaced = swarm__replaced_find(r, container->id);
    if (search.rc == 0 && replaced != NULL)
        add_old(&search, replaced, container);
    add_old_of(&search, container);
    return search_end(&search, ret_tasks);
}

int swarm__find_old_copies_of(struct swarm_rescheduler *r, struct swarm_container *stand_in,
                              struct swarm_container *lost, struct swarm__task **ret_tasks)
{
    struct search search = {.r = r, .subject = stand_in};
    add_old_of(&search, stand_in);
    if (search.rc == 0 && lost != NULL && swarm__node_live(r, lost->node) && swarm__stand_in_of(r, lost) == stand_in)
        add_removal(&search, lost);
    return search_end(&search, ret_tasks);
}

/* ---- what refers to a replaced container ---- */

/** The id that stands for the one in "container:<id>"; NULL where that one was not replaced. */
static const char *new_target(const struct swarm_rescheduler *r, const char *mode)
{
    if (mode == NULL || strncmp(mode, CONTAINER_MODE, strlen(CONTAINER_MODE)) != 0)
        return NULL;
    const char *id = mode + strlen(CONTAINER_MODE), *end = swarm__replaced_end(r, id);
    return end != id && *end != '\0' && strlen(end) <= MAX_ID ? end : NULL;
}

static int follow(struct swarm_request *request, const char *id,
                  int (*set)(struct swarm_request *, const char *, struct swarm_error **))
{
    char mode[sizeof(CONTAINER_MODE) + MAX_ID];
    if (id == NULL)
        return 0;
    memcpy(mode, CONTAINER_MODE, strlen(CONTAINER_MODE));
    memcpy(mode + strlen(CONTAINER_MODE), id, strlen(id) + 1);
    return set(request, mode, NULL);
}

int swarm__follow_replaced(const struct swarm_rescheduler *r, struct swarm_request *request,
                           struct swarm_request **ret_request)
{
    const char *network = new_target(r, swarm_request_network_mode(request)),
               *pid = new_target(r, request->extras->pid_mode);
    const char *ipc = new_target(r, request->extras->ipc_mode);
    struct swarm_request *changed;
    if (network == NULL && pid == NULL && ipc == NULL) {
        *ret_request = swarm_request_ref(request);
        return 0;
    }
    if (swarm_request_copy(&changed, request, NULL) < 0)
        return SWARM_ERR_NOMEM;
    if (follow(changed, network, swarm_request_set_network_mode) < 0 ||
        follow(changed, pid, swarm_request_set_pid_mode) < 0 || follow(changed, ipc, swarm_request_set_ipc_mode) < 0) {
        swarm_request_unref(changed);
        return SWARM_ERR_NOMEM;
    }
    *ret_request = changed;
    return 0;
}
