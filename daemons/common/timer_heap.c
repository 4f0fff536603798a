/* SPDX-License-Identifier: Apache-2.0 */
#include "timer_heap.h"

#include <stdlib.h>

static bool before(const struct http_timer *a, const struct http_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void place(struct timer_heap *heap, struct http_timer *timer, size_t position)
{
    heap->timers[position] = timer;
    timer->position = position;
}

static void sift_up(struct timer_heap *heap, struct http_timer *timer, size_t position)
{
    while (position > 0 && before(timer, heap->timers[(position - 1) / 2])) {
        place(heap, heap->timers[(position - 1) / 2], position);
        position = (position - 1) / 2;
    }
    place(heap, timer, position);
}

static void sift_down(struct timer_heap *heap, struct http_timer *timer, size_t position)
{
    for (;;) {
        size_t child = position * 2 + 1;
        if (child + 1 < heap->count && before(heap->timers[child + 1], heap->timers[child]))
            child++;
        if (child >= heap->count || !before(heap->timers[child], timer))
            break;
        place(heap, heap->timers[child], position);
        position = child;
    }
    place(heap, timer, position);
}

int timer_heap_push(struct timer_heap *heap, struct http_timer *timer)
{
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity * 2 + 16;
        struct http_timer **longer = reallocarray(heap->timers, capacity, sizeof *longer);
        if (!longer)
            return -1;
        heap->timers = longer;
        heap->capacity = capacity;
    }
    timer->sequence = heap->next_sequence++;
    sift_up(heap, timer, heap->count++);
    return 0;
}

void timer_heap_remove(struct timer_heap *heap, struct http_timer *timer)
{
    size_t position = timer->position;
    if (position == TIMER_IDLE)
        return;
    timer->position = TIMER_IDLE;
    struct http_timer *last = heap->timers[--heap->count];
    if (last == timer)
        return;
    if (position > 0 && before(last, heap->timers[(position - 1) / 2]))
        sift_up(heap, last, position);
    else
        sift_down(heap, last, position);
}

struct http_timer *timer_heap_top(const struct timer_heap *heap)
{
    return heap->count > 0 ? heap->timers[0] : NULL;
}

void timer_heap_finish(struct timer_heap *heap)
{
    free(heap->timers);
    *heap = (struct timer_heap){0};
}
