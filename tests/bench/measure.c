/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CLOCK_ROUNDS 1000

static uint64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t processor_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_cost_ns(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < CLOCK_ROUNDS; i++) {
        uint64_t begin = clock_ns();
        uint64_t cost = clock_ns() - begin;
        if (cost < least)
            least = cost;
    }
    return least;
}

void samples_init(struct samples *samples, size_t room)
{
    *samples = (struct samples){malloc(room * sizeof(uint64_t)), 0, room};
    if (!samples->ns) {
        fputs("no memory for the samples\n", stderr);
        exit(1);
    }
}

void samples_free(struct samples *samples)
{
    free(samples->ns);
    *samples = (struct samples){NULL, 0, 0};
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t samples_percentile(struct samples *samples, unsigned percent)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->ns, samples->count, sizeof(*samples->ns), by_value);
    return samples->ns[(samples->count - 1) * percent / 100];
}

size_t heap_bytes(void)
{
#ifdef HAVE_MALLINFO2
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

size_t memory_available(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file)
        return 0;
    char line[128];
    size_t kib = 0;
    while (kib == 0 && fgets(line, sizeof(line), file))
        if (sscanf(line, "MemAvailable: %zu kB", &kib) != 1)
            kib = 0;
    fclose(file);
    return kib * 1024;
}

double machine_load(void)
{
    double load;
    return getloadavg(&load, 1) == 1 ? load : -1;
}
