/* SPDX-License-Identifier: Apache-2.0 */
/* Timers ordered by when they are due: a binary heap of pointers; the timers are their owners'. */
#ifndef COMMON_TIMER_HEAP_H
#define COMMON_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_timer {
    struct http_loop *loop;
    int64_t due_ms;
    uint64_t sequence; /* timers due at once fire in the order in which they were set */
    size_t position;   /* in the heap; TIMER_IDLE where it is not */
    void (*fn)(void *data);
    void *data;
    bool embedded; /* part of something else: not freed when it has fired */
};
#define TIMER_IDLE SIZE_MAX

struct timer_heap {
    struct http_timer **timers;
    size_t count, capacity;
    uint64_t next_sequence;
};

/* -1 for lack of memory; never where a timer was removed just before. */
int timer_heap_push(struct timer_heap *heap, struct http_timer *timer);
void timer_heap_remove(struct timer_heap *heap, struct http_timer *timer);
/* The next one due, NULL where there is none. */
struct http_timer *timer_heap_top(const struct timer_heap *heap);
void timer_heap_finish(struct timer_heap *heap);

#endif
