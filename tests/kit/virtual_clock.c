/* SPDX-License-Identifier: Apache-2.0 */
#include "virtual_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void virtual_clock_init(struct virtual_clock *clock, uint64_t seed)
{
    memset(clock, 0, sizeof(*clock));
    clock->random = seed;
}

void virtual_clock_finish(struct virtual_clock *clock)
{
    free(clock->heap);
    clock->heap = NULL;
}

/* ---- events: a binary heap ---- */

static bool before(const struct virtual_event *a, const struct virtual_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void make_room(struct virtual_clock *clock)
{
    if (clock->count < clock->capacity)
        return;
    clock->capacity = clock->capacity != 0 ? clock->capacity * 2 : 256;
    clock->heap = realloc(clock->heap, clock->capacity * sizeof(clock->heap[0]));
    if (clock->heap == NULL) {
        fputs("virtual clock: out of memory\n", stderr);
        exit(1);
    }
}

void virtual_after(struct virtual_clock *clock, int64_t in_ms, virtual_event_fn fn, void *subject, uint64_t number)
{
    make_room(clock);
    struct virtual_event event = {clock->now_ms + in_ms, clock->events++, fn, subject, number};
    size_t at = clock->count++;
    for (; at > 0 && before(&event, &clock->heap[(at - 1) / 2]); at = (at - 1) / 2)
        clock->heap[at] = clock->heap[(at - 1) / 2];
    clock->heap[at] = event;
}

static struct virtual_event take_first(struct virtual_clock *clock)
{
    struct virtual_event first = clock->heap[0], last = clock->heap[--clock->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < clock->count; at = child) {
        if (child + 1 < clock->count && before(&clock->heap[child + 1], &clock->heap[child]))
            child++;
        if (!before(&clock->heap[child], &last))
            break;
        clock->heap[at] = clock->heap[child];
    }
    clock->heap[at] = last;
    return first;
}

bool virtual_step(struct virtual_clock *clock, int64_t until_ms, void *world)
{
    if (clock->count == 0 || clock->heap[0].at_ms > until_ms) {
        clock->now_ms = until_ms;
        return false;
    }
    struct virtual_event event = take_first(clock);
    clock->now_ms = event.at_ms;
    event.fn(world, event.subject, event.number);
    return true;
}

/* ---- chance ---- */

/** SplitMix64. */
static uint64_t next_random(struct virtual_clock *clock)
{
    uint64_t bits = clock->random += UINT64_C(0x9e3779b97f4a7c15);
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

uint64_t virtual_roll(struct virtual_clock *clock, uint64_t sides)
{
    return next_random(clock) % sides;
}

int64_t virtual_between(struct virtual_clock *clock, int64_t low, int64_t high)
{
    return low + (int64_t)virtual_roll(clock, (uint64_t)(high - low) + 1);
}

bool virtual_chance(struct virtual_clock *clock, unsigned percent)
{
    return virtual_roll(clock, 100) < percent;
}
