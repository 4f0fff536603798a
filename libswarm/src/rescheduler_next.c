/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "error.h"
#include "rescheduler.h"

#define ACTION_FIRST (offsetof(struct swarm_action, term) + sizeof(uint64_t))
_Static_assert(ACTION_FIRST == sizeof(size_t) + 2 * sizeof(uint64_t) + 2 * sizeof(int) + 3 * sizeof(void *),
               "published layout");

/* One call of swarm_rescheduler_next() tries no more placements than this … */
#define PLACEMENTS_A_CALL 64
/* … and once so many moves wait for a busy node, no others are tried before something has ended. */
#define HELD_LIMIT 8

/** When the next move is to be begun, or looked at. @return false where that depends on others. */
static bool next_move_due(const struct swarm_rescheduler *r, int64_t *ret_ms)
{
    const struct swarm__task *move = swarm__queue_first(&r->move_queue);
    if (r->guard.on ? r->guard.settle_ms == INT64_MAX
                    : move == NULL || r->blocked || r->moves_under_way >= r->options.parallel)
        return false;
    *ret_ms = r->guard.on ? r->guard.settle_ms : move->due_ms;
    return true;
}

int64_t swarm_rescheduler_timeout(const struct swarm_rescheduler *r)
{
    int64_t due_ms = -1;
    if (r == NULL)
        return -1;
    bool any = next_move_due(r, &due_ms);
    const struct swarm__task *removal = swarm__queue_first(&r->removal_queue);
    if (removal != NULL && r->removals_under_way < r->options.parallel && (!any || removal->due_ms < due_ms))
        return removal->due_ms;
    return due_ms;
}

bool swarm__in_the_making(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    const char *swarm_id = swarm_container_swarm_id(container);
    const struct swarm__task *task = *swarm_id != '\0' ? r->under_way : NULL;
    for (; task != NULL; task = task->next_active)
        if (task->reservation != NULL && task->target == swarm_container_node(container) && task->container != NULL &&
            strcmp(swarm_container_swarm_id(task->container), swarm_id) == 0)
            return true;
    return false;
}

bool swarm__involved(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    for (const struct swarm__task *task = r->under_way; task != NULL; task = task->next_active)
        if (task->container == container || task->kept == container)
            return true;
    return swarm__in_the_making(r, container);
}

static int action_kind(const struct swarm__task *task)
{
    if (task->kind != SWARM_ACTION_MOVE || task->kept == NULL)
        return task->kind;
    return task->adopt ? SWARM_ACTION_ADOPT : SWARM_ACTION_START;
}

static void fill(const struct swarm__task *task, struct swarm_action *action)
{
    struct swarm_action filled = {
        .size = action->size,
        .id = task->id,
        .kind = action_kind(task),
        .start = task->start,
        .container = task->container,
        .reservation = task->reservation,
        .kept = task->kept,
        .term = task->term,
    };
    memcpy(action, &filled, action->size < sizeof(filled) ? action->size : sizeof(filled));
}

/** Whether what is to be done has to wait for actions about the container itself, or about it under its engine's other
 * address.
 */
static bool must_wait(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    const struct swarm_container *alias = swarm__alias(r, container);
    return swarm__involved(r, container) || (alias != NULL && swarm__involved(r, alias));
}

static int give_removal(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm_container *kept)
{
    task->kept = kept;
    swarm__task_give(r, task);
    return 1;
}

/**
 * Begin a removal if it is clear which copy is to go; that may be the other one than was thought.
 *
 * @return 1: it is under way; 0: not now; or SWARM_ERR_NOMEM.
 */
static int try_removal(struct swarm_rescheduler *r, struct swarm__task *task)
{
    struct swarm_container *gone = task->container, *kept = swarm__stand_in_of(r, gone);
    if (must_wait(r, gone)) { /* before judging: what is being removed is not to be found the better one now */
        swarm__task_set_reason(task, "an action about it is under way");
        swarm__task_retry(r, task);
        return 0;
    }
    if (swarm__replaced_find(r, swarm_container_id(gone))
            ->gone) { /* only listed still, by its engine's other address */
        swarm__task_drop(r, task);
        return 0;
    }
    if (kept == NULL) /* its user removed it */
        return give_removal(r, task, NULL);
    enum swarm__verdict verdict = swarm__judge(r, gone, kept);
    if (verdict == SWARM__REMOVE_NONE) {
        struct swarm_container *other = swarm__better_old_copy(r, gone, kept);
        if (other != NULL)
            return give_removal(r, task, other);
        swarm__task_set_reason(task, "the copy that was made of it does not run");
        swarm__task_retry(r, task);
        return 0;
    }
    if (verdict == SWARM__REMOVE_NEW) {
        if (swarm__trade_places(r, gone, kept) < 0)
            return SWARM_ERR_NOMEM;
        if (swarm__removal_of(r, kept) != NULL)
            swarm__task_drop(r, task);
        else
            swarm__task_set_container(r, task, kept);
        return 0; /* it is first in the queue still */
    }
    return give_removal(r, task, kept);
}

static int next_removal(struct swarm_rescheduler *r, struct swarm_action *action, struct swarm_error **reterr)
{
    struct swarm__task *task;
    while (r->removals_under_way < r->options.parallel && (task = swarm__queue_first(&r->removal_queue)) != NULL &&
           task->due_ms <= r->now_ms) {
        if (!swarm__still_wanted(r, task)) {
            swarm__task_drop(r, task);
            continue;
        }
        int rc = try_removal(r, task);
        if (rc < 0)
            return swarm__error_nomem(reterr);
        if (rc > 0) {
            fill(task, action);
            return 1;
        }
    }
    return 0;
}

/** How many moves are under way onto a node. */
static int moves_onto(const struct swarm_rescheduler *r, const struct swarm_node *node)
{
    int count = 0;
    for (const struct swarm__task *task = r->under_way; task != NULL; task = task->next_active)
        count += task->target == node;
    return count;
}

/** The container is not moved, and not listed either until its node is back. */
static void forget(struct swarm_rescheduler *r, struct swarm__task *task)
{
    struct swarm_container *lost = task->container;
    swarm__task_drop(r, task);
    swarm__replaced_hide(r, lost);
}

/**
 * A copy of the lost container lives already: that one stands in for it. Where memory runs out half-way, doing it again
 * goes on from there.
 *
 * @return 0 or SWARM_ERR_NOMEM.
 */
static int adopt(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm_container *copy)
{
    struct swarm__task *removals = NULL;
    if (swarm__replaced_take_over(r, swarm_container_id(copy)) < 0 ||
        swarm__replaced_add(r, swarm_container_id(task->container), swarm_container_id(copy), false) < 0)
        return SWARM_ERR_NOMEM;
    if (swarm__find_late_copy(r, copy, &removals) < 0)
        return SWARM_ERR_NOMEM;
    forget(r, task);
    swarm__start_removals(r, removals);
    return 0;
}

/** Ask for a place. @return As swarm_scheduler_place(). */
static int place(struct swarm_rescheduler *r, const struct swarm__task *task,
                 struct swarm_reservation **ret_reservation, struct swarm_error **reterr)
{
    struct swarm_reservation *reservation;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_request *request;
    if (swarm__follow_replaced(r, swarm_container_request(task->container), &request) < 0)
        return swarm__error_nomem(reterr);
    options.seed = r->options.seed + task->id;
    options.replaces = task->container;
    int rc = swarm_scheduler_place(r->scheduler, r->cluster, request, &options, &reservation, reterr);
    swarm_request_unref(request);
    if (rc < 0)
        return rc;
    const struct swarm_node *node = swarm_reservation_node(reservation);
    const struct swarm__site *site = swarm__site_find(r, node);
    if (site != NULL && site->lost) { /* else two lost nodes could take from one another without an end */
        swarm_reservation_abort(reservation);
        return swarm__error_set(reterr, SWARM_ERR_NO_NODE,
                                "node %s was chosen, which is lost: health 0 and the filter health are expected",
                                swarm_node_name(node));
    }
    *ret_reservation = reservation;
    return 0;
}

/**
 * Copies that are lost too: one of them is moved, and started if any of them ran. (Each would find its name taken by
 * the others.)
 *
 * @return 1: done; 0: the task has to wait, and is held; or SWARM_ERR_NOMEM.
 */
static int merge_lost_copies(struct swarm_rescheduler *r, struct swarm__task *task)
{
    struct swarm_container *copy;
    while ((copy = swarm__lost_copy(r, task->container)) != NULL) {
        const struct swarm__task *other = swarm__move_of(r, copy);
        if (swarm__involved(r, copy)) {
            swarm__task_hold(r, task);
            return 0;
        }
        if (swarm__replaced_add(r, swarm_container_id(copy), swarm_container_id(task->container), false) < 0)
            return SWARM_ERR_NOMEM;
        task->start = task->start || (other != NULL && other->start) || swarm__container_runs(copy);
        swarm__replaced_hide(r, copy);
    }
    return 1;
}

/** Whether a copy is not what the lost container was, but for that it may not run: the container was renamed, or
 * stopped by its user, since the copy was made. */
static bool is_outdated(const struct swarm__task *task, const struct swarm_container *copy)
{
    const char *name = swarm_container_name(task->container);
    if (name != NULL && *name != '\0' && strcmp(swarm_container_name(copy), name) != 0)
        return true;
    return !task->start && swarm__container_runs(copy) && swarm_container_stopped(task->container);
}

/**
 * Whether there is nothing to move, since the container (or a copy of it) lives elsewhere, or it is an old copy itself;
 * the task is gone then.
 *
 * @param ret_idle  A copy that lives elsewhere but is to be started or adopted first; NULL: none.
 * @return 1, 0, or SWARM_ERR_NOMEM.
 */
static int settled(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm_container **ret_idle)
{
    *ret_idle = NULL;
    if (swarm__seen_elsewhere(r, task->container)) {
        swarm__task_drop(r, task);
        return 1;
    }
    if (swarm__is_replaced(r, task->container)) {
        forget(r, task);
        return 1;
    }
    struct swarm_container *copy = swarm__living_copy(r, task->container);
    if (copy == NULL)
        return 0;
    if ((!task->start || swarm__container_runs(copy)) && !is_outdated(task, copy))
        return adopt(r, task, copy) < 0 ? SWARM_ERR_NOMEM : 1;
    *ret_idle = copy;
    return 0;
}

/** Under way as the start, or the adoption, of a copy. */
static void give_start(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm_container *copy)
{
    task->kept = copy;
    task->adopt = copy != task->container && is_outdated(task, copy);
    task->target = swarm_container_node(copy);
    swarm__task_give(r, task);
}

/** Whether one whose node is back need not be started there: it runs by now, or its user has stopped it since. */
static bool is_restarted(const struct swarm_rescheduler *r, const struct swarm__task *task)
{
    return swarm__container_runs(task->container) || swarm_container_stopped(task->container) ||
           swarm__is_replaced(r, task->container);
}

/** Its node is back: start it there, unless it runs by now. @return 1: that is under way; 0: it is not needed. */
static int try_restart(struct swarm_rescheduler *r, struct swarm__task *task)
{
    if (is_restarted(r, task)) {
        swarm__task_drop(r, task);
        return 0;
    }
    give_start(r, task, task->container);
    return 1;
}

/** Begin a move if that is possible. @return 1: it is under way; 0: not now; or SWARM_ERR_NOMEM. */
static int try_move(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm_error **reterr)
{
    struct swarm_reservation *reservation = NULL;
    struct swarm_container *idle;
    struct swarm_error *why = NULL;
    if (must_wait(r, task->container)) {
        swarm__task_hold(r, task);
        return 0;
    }
    if (task->restart)
        return try_restart(r, task);
    int rc = settled(r, task, &idle);
    if (rc != 0)
        return rc < 0 ? swarm__error_nomem(reterr) : 0;
    if (idle != NULL && swarm__involved(r, idle)) {
        swarm__task_hold(r, task);
        return 0;
    }
    swarm__forget_aliases(r, task->container); /* lost under two addresses, it is moved once */
    if (idle != NULL) {
        give_start(r, task, idle);
        return 1;
    }
    rc = merge_lost_copies(r, task);
    if (rc <= 0)
        return rc < 0 ? swarm__error_nomem(reterr) : 0;
    rc = place(r, task, &reservation, &why);
    if (rc == SWARM_ERR_NOMEM) {
        swarm_error_free(why);
        return swarm__error_nomem(reterr);
    }
    if (rc < 0) {
        swarm__task_set_reason(task, swarm_error_message(why));
        swarm_error_free(why);
        swarm__task_retry(r, task);
        return 0;
    }
    if (moves_onto(r, swarm_reservation_node(reservation)) >= r->options.parallel_per_node) {
        swarm_reservation_abort(reservation);
        swarm__task_hold(r, task);
        return 0;
    }
    task->reservation = reservation;
    task->target = swarm_reservation_node(reservation);
    swarm__task_give(r, task);
    return 1;
}

/** Moves that the guard holds, but which are not needed, as copies live. @return 0 or SWARM_ERR_NOMEM. */
static int settle_held(struct swarm_rescheduler *r)
{
    struct swarm__map_item *item;
    size_t at = 0;
    if (r->guard.settle_ms > r->now_ms)
        return 0;
    r->guard.settle_ms = INT64_MAX;
    while ((item = swarm__map_next(&r->sites, &at)) != NULL) {
        struct swarm__task *next, *task = ((struct swarm__site *)item)->moves.first;
        for (; task != NULL; task = next) {
            struct swarm_container *idle;
            next = task->next;
            if (!task->copy_seen || task->state != SWARM__TASK_WAITING)
                continue;
            int64_t again_ms = must_wait(r, task->container) ? r->now_ms + r->options.retry_initial_ms : task->due_ms;
            if (again_ms <= r->now_ms && settled(r, task, &idle) >= 0)
                continue;
            /* Its grace is not over, something about it is under way, or there is no memory. */
            if (again_ms < r->guard.settle_ms)
                r->guard.settle_ms = again_ms;
            if (again_ms <= r->now_ms)
                return SWARM_ERR_NOMEM;
        }
    }
    return 0;
}

int swarm_rescheduler_settle(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_error **reterr)
{
    struct swarm__map_item *item;
    size_t at = 0;
    if (r == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler is NULL");
    swarm__set_clock(r, now_ms);
    while ((item = swarm__map_next(&r->sites, &at)) != NULL) {
        struct swarm__task *next, *task = ((struct swarm__site *)item)->moves.first;
        for (; task != NULL; task = next) {
            struct swarm_container *idle;
            next = task->next;
            if (task->state != SWARM__TASK_WAITING || task->due_ms > r->now_ms || must_wait(r, task->container))
                continue;
            if (task->restart && is_restarted(r, task))
                swarm__task_drop(r, task);
            else if (!task->restart && settled(r, task, &idle) < 0)
                return swarm__error_nomem(reterr);
        }
    }
    return 0;
}

static bool too_many_held(const struct swarm_rescheduler *r)
{
    int count = 0;
    for (const struct swarm__task *task = r->held; task != NULL; task = task->next_active)
        count++;
    return count >= HELD_LIMIT;
}

static int next_move(struct swarm_rescheduler *r, struct swarm_action *action, struct swarm_error **reterr)
{
    if (r->guard.on && settle_held(r) < 0)
        return swarm__error_nomem(reterr);
    for (int tries = 0; tries < PLACEMENTS_A_CALL && r->moves_under_way < r->options.parallel; tries++) {
        struct swarm__task *task = swarm__queue_first(&r->move_queue);
        if (r->blocked || r->guard.on || task == NULL || task->due_ms > r->now_ms)
            return 0;
        struct swarm__site *site = task->site;
        int rc = try_move(r, task, reterr);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            fill(task, action);
            return 1;
        }
        swarm__site_tidy(r, site);
        r->blocked = too_many_held(r);
    }
    return 0;
}

int swarm_rescheduler_next(struct swarm_rescheduler *r, struct swarm_action *action, struct swarm_error **reterr)
{
    if (r == NULL || action == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler or action is NULL");
    if (action->size < ACTION_FIRST)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "action: size %zu: start with SWARM_ACTION_INIT",
                                action->size);
    int rc = next_removal(r, action, reterr);
    return rc != 0 ? rc : next_move(r, action, reterr);
}
