/* SPDX-License-Identifier: Apache-2.0 */
/* Time and chance for simulations: events in the order of their time, numbers from a seed. Same seed, same run. */
#ifndef TESTS_KIT_VIRTUAL_CLOCK_H
#define TESTS_KIT_VIRTUAL_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What happens at an event; @p subject and @p number are those that it was set up with. */
typedef void (*virtual_event_fn)(void *world, void *subject, uint64_t number);

struct virtual_event {
    int64_t at_ms;
    uint64_t order; /* of two at one time, the one that was set up first comes first */
    virtual_event_fn fn;
    void *subject;
    uint64_t number;
};

struct virtual_clock {
    int64_t now_ms;
    uint64_t events; /* set up so far */
    struct virtual_event *heap;
    size_t count, capacity;
    uint64_t random;
};

void virtual_clock_init(struct virtual_clock *clock, uint64_t seed);
void virtual_clock_finish(struct virtual_clock *clock);
/** Set up an event in @p in_ms milliseconds, 0 or more. */
void virtual_after(struct virtual_clock *clock, int64_t in_ms, virtual_event_fn fn, void *subject, uint64_t number);
/** Let the next event happen, if it is not after @p until_ms; otherwise go there and answer false. */
bool virtual_step(struct virtual_clock *clock, int64_t until_ms, void *world);

/** A number below @p sides, which is not 0. */
uint64_t virtual_roll(struct virtual_clock *clock, uint64_t sides);
/** A number from @p low to @p high. */
int64_t virtual_between(struct virtual_clock *clock, int64_t low, int64_t high);
/** True in so many of a hundred cases. */
bool virtual_chance(struct virtual_clock *clock, unsigned percent);

#endif
