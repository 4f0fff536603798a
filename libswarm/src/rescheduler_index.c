/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"
#include "mem.h"
#include "rescheduler.h"

static bool is_removal(int kind)
{
    return kind == SWARM_ACTION_REMOVE;
}

static size_t home(const struct swarm__task_index *index, const struct swarm_container *container, int kind)
{
    uint64_t bits = ((uint64_t)(uintptr_t)container ^ (uint64_t)is_removal(kind)) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(bits >> 20) & (index->capacity - 1);
}

static void put(struct swarm__task_index *index, struct swarm__task *task)
{
    size_t at = home(index, task->container, task->kind);
    while (index->slots[at] != NULL)
        at = (at + 1) & (index->capacity - 1);
    index->slots[at] = task;
}

int swarm__task_index_reserve(struct swarm__task_index *index, size_t tasks)
{
    size_t capacity = index->capacity != 0 ? index->capacity : 16;
    while (capacity / 2 < tasks)
        capacity *= 2;
    if (capacity == index->capacity)
        return 0;
    struct swarm__task_index larger = {swarm__calloc(capacity, sizeof(struct swarm__task *)), capacity};
    if (larger.slots == NULL)
        return SWARM_ERR_NOMEM;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i] != NULL)
            put(&larger, index->slots[i]);
    swarm__free(index->slots);
    *index = larger;
    return 0;
}

void swarm__task_index_add(struct swarm__task_index *index, struct swarm__task *task)
{
    put(index, task);
}

void swarm__task_index_remove(struct swarm__task_index *index, const struct swarm__task *task)
{
    if (task->container == NULL)
        return;
    size_t mask = index->capacity - 1, hole = home(index, task->container, task->kind);
    while (index->slots[hole] != task)
        hole = (hole + 1) & mask;
    /* Those behind it close up, as long as that does not bring them before where they belong. */
    for (size_t at = (hole + 1) & mask; index->slots[at] != NULL; at = (at + 1) & mask) {
        const struct swarm__task *other = index->slots[at];
        if (((at - home(index, other->container, other->kind)) & mask) < ((at - hole) & mask))
            continue;
        index->slots[hole] = index->slots[at];
        hole = at;
    }
    index->slots[hole] = NULL;
}

struct swarm__task *swarm__task_index_find(const struct swarm__task_index *index,
                                           const struct swarm_container *container, int kind)
{
    if (index->capacity == 0)
        return NULL;
    for (size_t at = home(index, container, kind); index->slots[at] != NULL; at = (at + 1) & (index->capacity - 1))
        if (index->slots[at]->container == container && is_removal(index->slots[at]->kind) == is_removal(kind))
            return index->slots[at];
    return NULL;
}

struct swarm__task *swarm__move_of(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return swarm__task_index_find(&r->index, container, SWARM_ACTION_MOVE);
}

struct swarm__task *swarm__removal_of(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return swarm__task_index_find(&r->index, container, SWARM_ACTION_REMOVE);
}
