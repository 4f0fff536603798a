/* SPDX-License-Identifier: Apache-2.0 */
/* Clock, percentiles and heap accounting of the benchmarks. */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/** Nanoseconds of a clock that only goes forward. */
uint64_t clock_ns(void);
/** Nanoseconds that the processor has worked for this process: other load on the machine is not in it. */
uint64_t processor_ns(void);
/** What reading clock_ns() costs: the least of many pairs of readings. It is part of every sample. */
uint64_t clock_cost_ns(void);

/** Durations, in the order they were measured until the first samples_percentile(). */
struct samples {
    uint64_t *ns;
    size_t count;
    size_t room;
};

/** Ends the program where there is no memory. */
void samples_init(struct samples *samples, size_t room);
void samples_free(struct samples *samples);
/** Needs room. */
static inline void samples_add(struct samples *samples, uint64_t ns)
{
    samples->ns[samples->count++] = ns;
}
/** In nanoseconds; sorts. @param percent  0 to 100. */
uint64_t samples_percentile(struct samples *samples, unsigned percent);

/** Bytes that malloc() has given out, its own overhead included; 0 where the allocator does not tell. */
size_t heap_bytes(void);
/** Memory that the machine has to spare, in bytes; 0 where it does not tell. */
size_t memory_available(void);
/** Load average of the last minute, negative where the machine does not tell. */
double machine_load(void);

#endif
