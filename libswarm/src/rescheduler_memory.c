/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "abi.h"
#include "error.h"
#include "rescheduler.h"

#define MEMORY_FIRST (offsetof(struct swarm_memory, judged) + sizeof(int))

/* ---- what is told ---- */

void swarm_rescheduler_set_memory(struct swarm_rescheduler *r, swarm_memory_fn fn, void *data)
{
    if (r == NULL)
        return;
    r->memory = fn;
    r->memory_data = data;
}

void swarm__tell_memory(const struct swarm_rescheduler *r, const struct swarm__replaced *replaced, bool forgotten)
{
    struct swarm_memory memory = {
        .size = sizeof(memory),
        .container_id = replaced->by_id.key,
        .node_id = replaced->node_id,
        .by = forgotten ? NULL : replaced->by,
        .judged = replaced->judged,
    };
    if (r->memory != NULL)
        r->memory(r->memory_data, &memory);
}

/* ---- what is remembered ---- */

int swarm_rescheduler_remember(struct swarm_rescheduler *r, const struct swarm_memory *memory,
                               struct swarm_error **reterr)
{
    struct swarm_memory read = SWARM_MEMORY_INIT;
    if (r == NULL || memory == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler or memory is NULL");
    if (swarm__abi_read(&read, sizeof(read), MEMORY_FIRST, memory) < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "memory: size %zu: start with SWARM_MEMORY_INIT",
                                memory->size);
    if (read.container_id == NULL || *read.container_id == '\0' || read.by == NULL ||
        strcmp(swarm__replaced_end(r, read.by), read.container_id) == 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "memory: a container and what stands in for it is expected");
    if (read.node_id == NULL)
        read.node_id = "";
    return swarm__replaced_restore(r, &read) < 0 ? swarm__error_nomem(reterr) : 0;
}

int swarm_rescheduler_remember_move(struct swarm_rescheduler *r, int64_t now_ms, const char *swarm_id,
                                    const char *node_id, int start, struct swarm_error **reterr)
{
    if (r == NULL || swarm_id == NULL || node_id == NULL || *node_id == '\0')
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler, swarm id or node id is missing");
    swarm__set_clock(r, now_ms);
    int rc = swarm__attempt_add_ids(r, swarm_id, node_id, start != 0);
    if (rc == SWARM_ERR_INVALID)
        return swarm__error_set(reterr, rc, "swarm id %s: up to 500 characters with its node's are expected", swarm_id);
    return rc < 0 ? swarm__error_nomem(reterr) : 0;
}

/** The stand-in is alone, and waits for its start. */
static bool waits_for_start(struct swarm_rescheduler *r, struct swarm_container *container)
{
    return swarm_container_state(container) == SWARM_CONTAINER_CREATED && swarm__attempt_made(r, container) &&
           !swarm__is_replaced(r, container) && swarm__move_of(r, container) == NULL &&
           !swarm__has_copy(r, container) && !swarm__in_the_making(r, container);
}

int swarm__continue_moves(struct swarm_rescheduler *r, struct swarm_node *node)
{
    struct swarm_container *container = NULL;
    while (r->attempts.count != 0 && (container = swarm_node_next_container(node, container)) != NULL) {
        if (!waits_for_start(r, container) || !swarm__attempt_take_start(r, container))
            continue;
        struct swarm__site *site = swarm__site_get(r, node);
        struct swarm__task *task = site != NULL ? swarm__move_new(r, container) : NULL;
        if (task == NULL) {
            swarm__site_tidy(r, site);
            return SWARM_ERR_NOMEM;
        }
        task->start = true;
        task->restart = true;
        site->due_ms = r->now_ms;
        swarm__task_start(r, task, site, r->now_ms);
    }
    return 0;
}

/* ---- what was removed ---- */

/** Whether an old copy is to be removed as soon as its turn comes: it was seen for a moment only. */
static bool about_to_go(const struct swarm_rescheduler *r, const struct swarm_container *old)
{
    const struct swarm__task *task = swarm__removal_of(r, old);
    return task != NULL && (task->state == SWARM__TASK_UNDER_WAY || task->attempts == 0);
}

/** An old copy that people see beside its stand-in, and could have removed as well; NULL for none. */
static struct swarm__replaced *visible_old_copy(const struct swarm_rescheduler *r, const char *stand_in_id)
{
    struct swarm__replaced *replaced = NULL;
    while ((replaced = swarm__replaced_next(r, stand_in_id, replaced)) != NULL) {
        const struct swarm_container *old = swarm__find_id(r, replaced->by_id.key, NULL, true);
        if (old != NULL && !about_to_go(r, old))
            return replaced;
    }
    return NULL;
}

int swarm_rescheduler_container_deleted(struct swarm_rescheduler *r, int64_t now_ms,
                                        const struct swarm_container *container, struct swarm_error **reterr)
{
    struct swarm__replaced *replaced = NULL;
    if (r == NULL || container == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler or container is NULL");
    swarm__set_clock(r, now_ms);
    const char *id = swarm_container_id(container);
    /* Seen under another address of its engine still, or an old copy itself: then it is not what people mean. */
    bool counts = swarm__alias(r, container) == NULL && !swarm__is_replaced(r, container);
    if (counts && visible_old_copy(r, id) == NULL)
        swarm__attempt_delete(r, swarm_container_swarm_id(container));
    while (counts && (replaced = visible_old_copy(r, id)) != NULL)
        swarm__replaced_forget(r, replaced->by_id.key);
    int rc = counts && swarm__replaced_next(r, id, NULL) != NULL ? swarm__replaced_add(r, id, SWARM__DELETED, true) : 0;
    swarm_rescheduler_container_removed(r, container);
    return rc < 0 ? swarm__error_nomem(reterr) : 0;
}
