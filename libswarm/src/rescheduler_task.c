/* SPDX-License-Identifier: Apache-2.0 */
#include "mem.h"
#include "rescheduler.h"

/* ---- the queue: a binary heap whose members know their position ---- */

static bool before(const struct swarm__task *a, const struct swarm__task *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->id < b->id;
}

static void settle(struct swarm__queue *queue, struct swarm__task *task, size_t at)
{
    queue->heap[at] = task;
    task->position = at;
}

static void sift_up(struct swarm__queue *queue, size_t at)
{
    struct swarm__task *task = queue->heap[at];
    while (at > 0 && before(task, queue->heap[(at - 1) / 2])) {
        settle(queue, queue->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    settle(queue, task, at);
}

static void sift_down(struct swarm__queue *queue, size_t at)
{
    struct swarm__task *task = queue->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < queue->count && before(queue->heap[child + 1], queue->heap[child]))
            child++;
        if (child >= queue->count || !before(queue->heap[child], task))
            break;
        settle(queue, queue->heap[child], at);
        at = child;
    }
    settle(queue, task, at);
}

/** Cannot fail: swarm__task_new() made room. */
static void enqueue(struct swarm__queue *queue, struct swarm__task *task)
{
    queue->heap[queue->count] = task;
    sift_up(queue, queue->count++);
}

static void dequeue(struct swarm__queue *queue, struct swarm__task *task)
{
    size_t at = task->position;
    struct swarm__task *last = queue->heap[--queue->count];
    if (last == task)
        return;
    settle(queue, last, at);
    sift_up(queue, at);
    sift_down(queue, last->position);
}

struct swarm__task *swarm__queue_first(const struct swarm__queue *queue)
{
    return queue->count != 0 ? queue->heap[0] : NULL;
}

static struct swarm__queue *queue_of(struct swarm_rescheduler *r, const struct swarm__task *task)
{
    return task->kind == SWARM_ACTION_MOVE ? &r->move_queue : &r->removal_queue;
}

/* ---- lists ---- */

static struct swarm__task_list *list_of(struct swarm_rescheduler *r, const struct swarm__task *task)
{
    return task->kind == SWARM_ACTION_MOVE ? &task->site->moves : &r->removals;
}

static void list_append(struct swarm__task_list *list, struct swarm__task *task)
{
    task->previous = list->last;
    task->next = NULL;
    if (list->last != NULL)
        list->last->next = task;
    else
        list->first = task;
    list->last = task;
    list->count++;
}

static void list_remove(struct swarm__task_list *list, struct swarm__task *task)
{
    if (task->previous != NULL)
        task->previous->next = task->next;
    else
        list->first = task->next;
    if (task->next != NULL)
        task->next->previous = task->previous;
    else
        list->last = task->previous;
    list->count--;
}

static void leave_active(struct swarm__task **list, struct swarm__task *task)
{
    while (*list != task)
        list = &(*list)->next_active;
    *list = task->next_active;
}

static int *count_under_way(struct swarm_rescheduler *r, const struct swarm__task *task)
{
    return task->kind == SWARM_ACTION_MOVE ? &r->moves_under_way : &r->removals_under_way;
}

/** Out of its queue, or out of those held or under way. */
static void leave_state(struct swarm_rescheduler *r, struct swarm__task *task)
{
    if (task->state == SWARM__TASK_WAITING) {
        dequeue(queue_of(r, task), task);
    } else if (task->state == SWARM__TASK_HELD) {
        leave_active(&r->held, task);
    } else if (task->state == SWARM__TASK_GIVEN_UP) {
        r->given_up--;
    } else {
        leave_active(&r->under_way, task);
        --*count_under_way(r, task);
    }
}

/* ---- tasks ---- */

struct swarm__task *swarm__task_new(struct swarm_rescheduler *r, int kind, struct swarm_container *container)
{
    struct swarm__task *task = swarm__calloc(1, sizeof(*task));
    if (task == NULL)
        return NULL;
    task->kind = (uint8_t)kind;
    task->container = container;
    struct swarm__queue *queue = queue_of(r, task);
    /* Room for all there are, wherever they are now, and for those that are being made ready. */
    size_t *made = kind == SWARM_ACTION_MOVE ? &r->moves_made : &r->removals_made;
    if (swarm__grow(&queue->heap, &queue->capacity, *made + 1, sizeof(struct swarm__task *)) < 0 ||
        swarm__task_index_reserve(&r->index, r->moves_made + r->removals_made + 1) < 0) {
        swarm__free(task);
        return NULL;
    }
    ++*made;
    task->id = ++r->last_id;
    return task;
}

static void task_free(struct swarm_rescheduler *r, struct swarm__task *task)
{
    --*(task->kind == SWARM_ACTION_MOVE ? &r->moves_made : &r->removals_made);
    r->failed_moves -= task->kind == SWARM_ACTION_MOVE && task->attempts != 0;
    swarm__free(task->reason);
    swarm__free(task);
}

void swarm__task_start(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm__site *site, int64_t due_ms)
{
    task->site = site;
    task->due_ms = due_ms;
    task->state = SWARM__TASK_WAITING;
    list_append(list_of(r, task), task);
    enqueue(queue_of(r, task), task);
    swarm__task_index_add(&r->index, task);
}

void swarm__task_drop(struct swarm_rescheduler *r, struct swarm__task *task)
{
    leave_state(r, task);
    list_remove(list_of(r, task), task);
    swarm__task_index_remove(&r->index, task);
    task_free(r, task);
}

void swarm__task_free_chain(struct swarm_rescheduler *r, struct swarm__task *first)
{
    while (first != NULL) {
        struct swarm__task *next = first->next;
        task_free(r, first);
        first = next;
    }
}

void swarm__task_set_container(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm_container *container)
{
    swarm__task_index_remove(&r->index, task);
    task->container = container;
    if (container != NULL)
        swarm__task_index_add(&r->index, task);
}

/** Nothing is moved before the grace of its node is over, which may have been lost anew meanwhile. */
static int64_t after_grace(const struct swarm__task *task, int64_t due_ms)
{
    return task->site != NULL && due_ms < task->site->due_ms ? task->site->due_ms : due_ms;
}

void swarm__task_reschedule(struct swarm_rescheduler *r, struct swarm__task *task, int64_t due_ms)
{
    struct swarm__queue *queue = queue_of(r, task);
    task->due_ms = after_grace(task, due_ms);
    sift_up(queue, task->position);
    sift_down(queue, task->position);
}

void swarm__task_hold(struct swarm_rescheduler *r, struct swarm__task *task)
{
    leave_state(r, task);
    task->state = SWARM__TASK_HELD;
    task->next_active = r->held;
    r->held = task;
}

void swarm__task_give(struct swarm_rescheduler *r, struct swarm__task *task)
{
    leave_state(r, task);
    task->state = SWARM__TASK_UNDER_WAY;
    task->term = r->term;
    task->next_active = r->under_way;
    r->under_way = task;
    ++*count_under_way(r, task);
}

static int64_t retry_at(const struct swarm_rescheduler *r, const struct swarm__task *task)
{
    int64_t pause = r->options.retry_initial_ms;
    for (unsigned i = 1; i < task->attempts && pause < r->options.retry_max_ms; i++)
        pause = pause > r->options.retry_max_ms / 2 ? r->options.retry_max_ms : pause * 2;
    if (pause > r->options.retry_max_ms)
        pause = r->options.retry_max_ms;
    return r->now_ms > INT64_MAX - pause ? INT64_MAX : r->now_ms + pause;
}

/** Into its queue again, with nothing left of the try before. */
static void wait_again(struct swarm_rescheduler *r, struct swarm__task *task, int64_t due_ms)
{
    leave_state(r, task);
    task->state = SWARM__TASK_WAITING;
    task->reservation = NULL;
    task->kept = NULL;
    task->target = NULL;
    task->due_ms = after_grace(task, due_ms);
    enqueue(queue_of(r, task), task);
}

static void give_up(struct swarm_rescheduler *r, struct swarm__task *task)
{
    leave_state(r, task);
    task->state = SWARM__TASK_GIVEN_UP;
    task->reservation = NULL;
    task->kept = NULL;
    task->target = NULL;
    r->given_up++;
    swarm__report_given_up(r, task);
}

void swarm__task_retry(struct swarm_rescheduler *r, struct swarm__task *task)
{
    bool is_move = task->kind == SWARM_ACTION_MOVE;
    r->failed_moves += is_move && task->attempts == 0;
    if (task->attempts < UINT32_MAX)
        task->attempts++;
    if (is_move && r->options.retry_limit > 0 && task->attempts >= (unsigned)r->options.retry_limit)
        give_up(r, task);
    else
        wait_again(r, task, retry_at(r, task));
}

void swarm__task_requeue(struct swarm_rescheduler *r, struct swarm__task *task)
{
    wait_again(r, task, r->now_ms);
}

void swarm__task_revive(struct swarm_rescheduler *r, struct swarm__task *task)
{
    r->failed_moves -= task->attempts != 0;
    task->attempts = 0;
    wait_again(r, task, r->now_ms);
}

void swarm__task_release_held(struct swarm_rescheduler *r)
{
    r->blocked = false;
    while (r->held != NULL) {
        struct swarm__task *task = r->held;
        r->held = task->next_active;
        task->state = SWARM__TASK_WAITING;
        enqueue(queue_of(r, task), task);
    }
}

struct swarm__task *swarm__task_under_way(const struct swarm_rescheduler *r, uint64_t id)
{
    struct swarm__task *task = r->under_way;
    while (task != NULL && task->id != id)
        task = task->next_active;
    return task;
}
