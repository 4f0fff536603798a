/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "error.h"
#include "rescheduler.h"

#define STATUS_FIRST (offsetof(struct swarm_rescheduler_status, term) + sizeof(uint64_t))

int swarm_rescheduler_status(const struct swarm_rescheduler *r, struct swarm_rescheduler_status *ret_status)
{
    if (r == NULL || ret_status == NULL || ret_status->size < STATUS_FIRST)
        return SWARM_ERR_INVALID;
    size_t moves = 0, at = 0;
    struct swarm__map_item *item;
    while ((item = swarm__map_next(&r->sites, &at)) != NULL)
        moves += ((struct swarm__site *)item)->moves.count;
    struct swarm_rescheduler_status status = {
        .size = ret_status->size,
        .held = r->guard.on,
        .held_since_ms = r->guard.on ? r->guard.since_ms : -1,
        .nodes_lost = r->guard.counted,
        .nodes_counted = swarm__guard_total(r),
        .moves = moves,
        .moves_under_way = (size_t)r->moves_under_way,
        .moves_given_up = r->given_up,
        .removals = r->removals.count,
        .removals_under_way = (size_t)r->removals_under_way,
        .term = r->term,
    };
    memcpy(ret_status, &status, sizeof(status) < ret_status->size ? sizeof(status) : ret_status->size);
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

static int wait_of(const struct swarm_rescheduler *r, const struct swarm__task *task)
{
    if (task->state == SWARM__TASK_UNDER_WAY)
        return SWARM_WAIT_END;
    if (task->state == SWARM__TASK_GIVEN_UP)
        return SWARM_WAIT_GIVEN_UP;
    if (task->kind == SWARM_ACTION_MOVE && r->guard.on)
        return SWARM_WAIT_GUARD;
    return task->state == SWARM__TASK_HELD || task->due_ms <= r->now_ms ? SWARM_WAIT_TURN : SWARM_WAIT_TIME;
}

static void tell(const struct swarm_rescheduler *r, const struct swarm__task *task, swarm_waiting_fn fn, void *data)
{
    if (task->container == NULL)
        return;
    int wait = wait_of(r, task);
    struct swarm_waiting waiting = {
        .size = sizeof(waiting),
        .container = task->container,
        .kind = task->kind,
        .wait = wait,
        .attempts = task->attempts,
        .next_ms = wait == SWARM_WAIT_TIME ? task->due_ms : -1,
        .reason = task->reason,
    };
    fn(data, &waiting);
}

void swarm_rescheduler_each_waiting(const struct swarm_rescheduler *r, const struct swarm_node *node,
                                    swarm_waiting_fn fn, void *data)
{
    if (r == NULL || node == NULL || fn == NULL)
        return;
    const struct swarm__site *site = swarm__site_find(r, node);
    for (const struct swarm__task *task = site != NULL ? site->moves.first : NULL; task != NULL; task = task->next)
        tell(r, task, fn, data);
    for (const struct swarm__task *task = r->removals.first; task != NULL; task = task->next)
        if (task->container != NULL && swarm_container_node(task->container) == node)
            tell(r, task, fn, data);
}
