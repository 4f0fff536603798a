/* SPDX-License-Identifier: Apache-2.0 */
#include "rescheduler.h"

#include <inttypes.h>
#include <string.h>

#include "abi.h"
#include "error.h"
#include "mem.h"
#include "request.h"

#define OPTIONS_FIRST (offsetof(struct swarm_rescheduler_options, seed) + sizeof(uint64_t))
_Static_assert(OPTIONS_FIRST == sizeof(size_t) + 3 * sizeof(int64_t) + 2 * sizeof(int) + sizeof(uint64_t),
               "published layout");

/* ---- life ---- */

static int check_options(const struct swarm_rescheduler_options *options, struct swarm_error **reterr)
{
    if (options->grace_ms < 0 || options->retry_initial_ms < 1 || options->retry_max_ms < 1)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "rescheduler: grace of 0 or more and pauses of 1 ms or more are expected");
    if (options->parallel < 1 || options->parallel_per_node < 1)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "rescheduler: 1 or more parallel moves are expected, in all and on a node");
    return 0;
}

int swarm_rescheduler_new(struct swarm_rescheduler **ret_rescheduler, struct swarm_cluster *cluster,
                          const struct swarm_scheduler *scheduler, const struct swarm_rescheduler_options *options,
                          struct swarm_error **reterr)
{
    struct swarm_rescheduler_options read = SWARM_RESCHEDULER_OPTIONS_INIT;
    if (ret_rescheduler == NULL || cluster == NULL || scheduler == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler: no cluster or no scheduler");
    if (options != NULL && swarm__abi_read(&read, sizeof(read), OPTIONS_FIRST, options) < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler options: use SWARM_RESCHEDULER_OPTIONS_INIT");
    int rc = check_options(&read, reterr);
    if (rc < 0)
        return rc;
    struct swarm_rescheduler *r = swarm__calloc(1, sizeof(*r));
    if (r == NULL)
        return swarm__error_nomem(reterr);
    r->cluster = cluster;
    r->scheduler = scheduler;
    r->options = read;
    r->now_ms = INT64_MIN;
    *ret_rescheduler = r;
    return 0;
}

static void site_free(struct swarm_rescheduler *r, struct swarm__site *site)
{
    swarm__map_remove(&r->sites, &site->by_id);
    swarm__free(site);
}

void swarm_rescheduler_free(struct swarm_rescheduler *r)
{
    if (r == NULL)
        return;
    struct swarm__map_item *item;
    size_t at = 0;
    while ((item = swarm__map_next(&r->sites, &at)) != NULL) {
        struct swarm__site *site = (struct swarm__site *)item;
        while (site->moves.first != NULL) {
            struct swarm_reservation *reservation = site->moves.first->reservation;
            swarm__task_drop(r, site->moves.first);
            swarm_reservation_abort(reservation);
        }
    }
    while (r->removals.first != NULL)
        swarm__task_drop(r, r->removals.first);
    for (at = 0; (item = swarm__map_next(&r->sites, &at)) != NULL; at = 0)
        site_free(r, (struct swarm__site *)item);
    for (at = 0; (item = swarm__map_next(&r->replaced, &at)) != NULL; at = 0)
        swarm__replaced_forget(r, item->key);
    swarm__map_finish(&r->sites);
    swarm__map_finish(&r->replaced);
    swarm__free(r->move_queue.heap);
    swarm__free(r->removal_queue.heap);
    swarm__free(r);
}

/* ---- common steps ---- */

/** The clock never runs backwards here. */
static void set_clock(struct swarm_rescheduler *r, int64_t now_ms)
{
    if (now_ms > r->now_ms)
        r->now_ms = now_ms;
}

static struct swarm__site *site_new(struct swarm_rescheduler *r, struct swarm_node *node)
{
    size_t size = strlen(swarm_node_id(node)) + 1;
    struct swarm__site *site = swarm__calloc(1, sizeof(*site) + size);
    if (site == NULL)
        return NULL;
    memcpy(site->id, swarm_node_id(node), size);
    site->by_id.key = site->id;
    site->node = node;
    if (swarm__map_add(&r->sites, &site->by_id) < 0) {
        swarm__free(site);
        return NULL;
    }
    return site;
}

void swarm__site_tidy(struct swarm_rescheduler *r, struct swarm__site *site)
{
    if (site != NULL && !site->lost && site->moves.count == 0)
        site_free(r, site);
}

void swarm__task_set_reason(struct swarm__task *task, const char *reason)
{
    char *copy = reason != NULL ? swarm__strdup(reason) : NULL;
    swarm__free(task->reason);
    task->reason = copy;
}

bool swarm__container_runs(const struct swarm_container *container)
{
    int state = swarm_container_state(container);
    return state == SWARM_CONTAINER_RUNNING || state == SWARM_CONTAINER_PAUSED || state == SWARM_CONTAINER_RESTARTING;
}

static bool to_be_moved(const struct swarm_container *container)
{
    return swarm_request_reschedule_policy(swarm_container_request(container)) == SWARM_RESCHEDULE_ON_NODE_FAILURE;
}

struct swarm__task *swarm__move_of(const struct swarm__site *site, const struct swarm_container *container)
{
    struct swarm__task *task = site != NULL ? site->moves.first : NULL;
    while (task != NULL && task->container != container)
        task = task->next;
    return task;
}

static struct swarm__task *move_new(struct swarm_rescheduler *r, struct swarm_container *container)
{
    struct swarm__task *task = swarm__task_new(r, SWARM_ACTION_MOVE, container);
    if (task != NULL)
        task->start = swarm__container_runs(container);
    return task;
}

void swarm__start_removals(struct swarm_rescheduler *r, struct swarm__task *tasks)
{
    while (tasks != NULL) {
        struct swarm__task *next = tasks->next;
        swarm__task_start(r, tasks, NULL, r->now_ms);
        tasks = next;
    }
}

void swarm__let_go(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    struct swarm__task *next, *task = swarm__move_of(swarm__site_find(r, swarm_container_node(container)), container);
    if (task != NULL && task->state == SWARM__TASK_UNDER_WAY)
        task->container = NULL;
    else if (task != NULL)
        swarm__task_drop(r, task);
    for (task = r->under_way; task != NULL; task = task->next_active)
        if (task->kept == container)
            task->kept = NULL;
    for (task = r->removals.first; task != NULL; task = next) {
        next = task->next;
        if (task->container != container)
            continue;
        if (task->state == SWARM__TASK_UNDER_WAY)
            task->container = NULL;
        else
            swarm__task_drop(r, task);
    }
}

static bool waits_for_others(const struct swarm__task *task)
{
    struct swarm__dependency dependency;
    const struct swarm_request *request = swarm_container_request(task->container);
    return swarm__request_dependency(request, 0, &dependency) || request->affinities.count != 0;
}

/**
 * Try at once what failed before: the cluster has changed.
 *
 * @param only_tied  Only what depends on other containers.
 */
static void retry_failed(struct swarm_rescheduler *r, bool only_tied)
{
    struct swarm__map_item *item;
    size_t at = 0;
    while (r->failed_moves != 0 && (item = swarm__map_next(&r->sites, &at)) != NULL)
        for (struct swarm__task *task = ((struct swarm__site *)item)->moves.first; task != NULL; task = task->next)
            if (task->state == SWARM__TASK_WAITING && task->attempts != 0 && task->due_ms > r->now_ms &&
                (!only_tied || waits_for_others(task)))
                swarm__task_reschedule(r, task, r->now_ms);
}

/* ---- events about nodes ---- */

/** Make tasks for what is to be moved and has none yet. @return 0 or SWARM_ERR_NOMEM. */
static int moves_for(struct swarm_rescheduler *r, const struct swarm__site *site, struct swarm__task **ret_first)
{
    struct swarm__task *first = NULL, **end = &first;
    struct swarm_container *container = NULL;
    while ((container = swarm_node_next_container(site->node, container)) != NULL) {
        if (!to_be_moved(container) || swarm__move_of(site, container) != NULL)
            continue;
        if ((*end = move_new(r, container)) == NULL) {
            swarm__task_free_chain(r, first);
            return SWARM_ERR_NOMEM;
        }
        end = &(*end)->next;
    }
    *ret_first = first;
    return 0;
}

int swarm_rescheduler_node_lost(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_node *node, int loss,
                                struct swarm_error **reterr)
{
    if (r == NULL || node == NULL || (loss != SWARM_NODE_STOPPED && loss != SWARM_NODE_SILENT))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no node, or an unknown loss %d", loss);
    struct swarm__site *site = swarm__site_find(r, node);
    if (site == NULL && (site = site_new(r, node)) == NULL)
        return swarm__error_nomem(reterr);
    site->node = node; /* it may have been taken out and added again while a move of its containers was under way */
    struct swarm__task *made;
    if (moves_for(r, site, &made) < 0) {
        swarm__site_tidy(r, site);
        return swarm__error_nomem(reterr);
    }
    set_clock(r, now_ms);
    site->lost = true;
    int64_t grace = loss == SWARM_NODE_SILENT ? r->options.grace_ms : 0;
    int64_t due = r->now_ms > INT64_MAX - grace ? INT64_MAX : r->now_ms + grace;
    for (struct swarm__task *task = site->moves.first; task != NULL; task = task->next) {
        task->called_off = false;
        if (task->state == SWARM__TASK_WAITING && task->attempts == 0 && due < task->due_ms)
            swarm__task_reschedule(r, task, due);
    }
    while (made != NULL) {
        struct swarm__task *next = made->next;
        /* An old copy is not moved but only taken off the list. */
        swarm__task_start(r, made, site, swarm__is_replaced(r, made->container) ? r->now_ms : due);
        made = next;
    }
    return 0;
}

/** Its containers are back: moves that have not begun are not needed. */
static void call_off_moves(struct swarm_rescheduler *r, struct swarm__site *site)
{
    struct swarm__task *next;
    for (struct swarm__task *task = site->moves.first; task != NULL; task = next) {
        next = task->next;
        if (task->state == SWARM__TASK_UNDER_WAY)
            task->called_off = true;
        else
            swarm__task_drop(r, task);
    }
}

int swarm_rescheduler_node_back(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_node *node,
                                struct swarm_error **reterr)
{
    if (r == NULL || node == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler or node is NULL");
    struct swarm__site *site = swarm__site_find(r, node);
    struct swarm__task *removals;
    bool was_lost = site != NULL && site->lost;
    if (was_lost)
        site->lost = false;
    if (swarm__find_old_copies(r, node, was_lost, &removals) < 0) {
        if (was_lost)
            site->lost = true;
        return swarm__error_nomem(reterr);
    }
    set_clock(r, now_ms);
    if (site != NULL) {
        call_off_moves(r, site);
        swarm__site_tidy(r, site);
    }
    swarm__start_removals(r, removals);
    retry_failed(r, false);
    swarm__task_release_held(r);
    return 0;
}

int swarm_rescheduler_node_removed(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_node *node,
                                   struct swarm_error **reterr)
{
    if (r == NULL || node == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler or node is NULL");
    set_clock(r, now_ms);
    struct swarm__site *site = swarm__site_find(r, node);
    if (site != NULL && site->moves.count != 0)
        return swarm__error_set(reterr, SWARM_ERR_STATE, "%zu containers of node %s are still to be moved",
                                site->moves.count, swarm_node_name(node));
    const struct swarm_container *container = NULL;
    while ((container = swarm_node_next_container(node, container)) != NULL)
        swarm__let_go(r, container);
    for (struct swarm__task *task = r->under_way; task != NULL; task = task->next_active)
        if (task->target == node)
            task->target = NULL;
    if (site != NULL)
        site_free(r, site);
    return 0;
}

void swarm_rescheduler_container_removed(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    if (r == NULL || container == NULL)
        return;
    struct swarm__site *site = swarm__site_find(r, swarm_container_node(container));
    swarm__let_go(r, container);
    /* Only an engine that answers can tell that a container is gone for good. */
    if (swarm__node_live(r, swarm_container_node(container)))
        swarm__replaced_gone(r, swarm_container_id(container));
    swarm__site_tidy(r, site);
}

/* ---- results ---- */

static struct swarm__task *reported(const struct swarm_rescheduler *r, uint64_t id, int kind,
                                    struct swarm_error **reterr)
{
    struct swarm__task *task = r != NULL ? swarm__task_under_way(r, id) : NULL;
    if (task != NULL && (kind == 0 || task->kind == kind))
        return task;
    swarm__error_set(reterr, SWARM_ERR_INVALID, "no action %" PRIu64 " of that kind is under way", id);
    return NULL;
}

/**
 * Make ready what follows from a move: old copies to remove, and the stand-in's own move where its node is lost by now.
 */
static int prepare_moved(struct swarm_rescheduler *r, struct swarm_container *lost, struct swarm_container *stand_in,
                         struct swarm__task **ret_removals, struct swarm__task **ret_move)
{
    struct swarm__site *site = swarm__site_find(r, swarm_container_node(stand_in));
    struct swarm__task *move = NULL, *removals = NULL;
    if (site != NULL && site->lost) {
        if (to_be_moved(stand_in) && swarm__move_of(site, stand_in) == NULL && (move = move_new(r, stand_in)) == NULL)
            return SWARM_ERR_NOMEM;
    } else if (swarm__find_old_copies_of(r, stand_in, lost, &removals) < 0) {
        return SWARM_ERR_NOMEM;
    }
    *ret_removals = removals;
    *ret_move = move;
    return 0;
}

int swarm_rescheduler_moved(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id,
                            struct swarm_container *stand_in, struct swarm_error **reterr)
{
    struct swarm__task *task = reported(r, action_id, SWARM_ACTION_MOVE, reterr), *removals, *move;
    if (task == NULL || stand_in == NULL)
        return task == NULL ? SWARM_ERR_INVALID : swarm__error_set(reterr, SWARM_ERR_INVALID, "stand_in is NULL");
    struct swarm_container *lost = task->container;
    if (lost != NULL && swarm__replaced_add(r, swarm_container_id(lost), swarm_container_id(stand_in)) < 0)
        return swarm__error_nomem(reterr);
    swarm__replaced_forget(r, swarm_container_id(stand_in)); /* it may be an old copy that was started */
    if (prepare_moved(r, lost, stand_in, &removals, &move) < 0) {
        if (lost != NULL)
            swarm__replaced_forget(r, swarm_container_id(lost));
        return swarm__error_nomem(reterr);
    }
    set_clock(r, now_ms);
    struct swarm__site *site = task->site;
    bool gone = site->lost;
    swarm__task_drop(r, task);
    if (lost != NULL && gone) {
        swarm__let_go(r, lost);
        swarm_cluster_remove_container(r->cluster, lost);
    }
    swarm__start_removals(r, removals);
    if (move != NULL)
        swarm__task_start(r, move, swarm__site_find(r, swarm_container_node(stand_in)), r->now_ms);
    swarm__site_tidy(r, site);
    retry_failed(r, true);
    swarm__task_release_held(r);
    return 0;
}

int swarm_rescheduler_removed(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id,
                              struct swarm_error **reterr)
{
    struct swarm__task *task = reported(r, action_id, SWARM_ACTION_REMOVE, reterr);
    if (task == NULL)
        return SWARM_ERR_INVALID;
    set_clock(r, now_ms);
    struct swarm_container *container = task->container;
    swarm__task_drop(r, task);
    if (container != NULL) {
        swarm__replaced_gone(r, swarm_container_id(container));
        swarm__let_go(r, container);
        swarm_cluster_remove_container(r->cluster, container);
    }
    swarm__task_release_held(r);
    return 0;
}

bool swarm__still_wanted(const struct swarm_rescheduler *r, const struct swarm__task *task)
{
    if (task->container == NULL || task->called_off)
        return false;
    return task->kind == SWARM_ACTION_MOVE || (swarm__node_live(r, swarm_container_node(task->container)) &&
                                               swarm__stand_in_of(r, task->container) != NULL);
}

int swarm_rescheduler_failed(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id, const char *reason,
                             struct swarm_error **reterr)
{
    struct swarm__task *task = reported(r, action_id, 0, reterr);
    if (task == NULL)
        return SWARM_ERR_INVALID;
    set_clock(r, now_ms);
    struct swarm__site *site = task->site;
    if (swarm__still_wanted(r, task)) {
        swarm__task_retry(r, task);
        swarm__task_set_reason(task, reason);
    } else {
        swarm__task_drop(r, task);
    }
    swarm__site_tidy(r, site);
    swarm__task_release_held(r);
    return 0;
}

int swarm_rescheduler_advance(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_error **reterr)
{
    if (r == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler is NULL");
    set_clock(r, now_ms);
    return 0;
}

size_t swarm_rescheduler_waiting(const struct swarm_rescheduler *r, const struct swarm_node *node,
                                 const char **ret_reason)
{
    const struct swarm__site *site = r != NULL && node != NULL ? swarm__site_find(r, node) : NULL;
    if (ret_reason != NULL) {
        const struct swarm__task *task = site != NULL ? site->moves.first : NULL;
        while (task != NULL && task->reason == NULL)
            task = task->next;
        *ret_reason = task != NULL ? task->reason : NULL;
    }
    return site != NULL ? site->moves.count : 0;
}

void swarm_rescheduler_each_waiting(const struct swarm_rescheduler *r, const struct swarm_node *node,
                                    swarm_waiting_fn fn, void *data)
{
    const struct swarm__site *site = r != NULL && node != NULL ? swarm__site_find(r, node) : NULL;
    const struct swarm__task *task = site != NULL && fn != NULL ? site->moves.first : NULL;
    for (; task != NULL; task = task->next)
        if (task->container != NULL)
            fn(data, task->container, task->reason);
}
