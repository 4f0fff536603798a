/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to the manager, and what it took. */
#ifndef TESTS_BENCH_LOAD_MEASURES_H
#define TESTS_BENCH_LOAD_MEASURES_H

#include <stdbool.h>
#include <stddef.h>

#include "load_world.h"

struct load_row {
    const char *what, *note; /* the target */
    unsigned concurrency;
    size_t operations, errors;
    double cpu_us; /* of the manager, an operation */
    double wall_ms, p50_ms, p90_ms, p99_ms, first_ms, rate;
    double target;
    bool missed;
    struct load_process process; /* afterwards */
};

/* Containers that are there from the beginning. */
struct load_ids {
    char (*ids)[65];
    char (*names)[96]; /* NODE/NAME */
    size_t count;
};

enum load_kind {
    LOAD_CREATE,
    LOAD_CREATE_CONSTRAINT,
    LOAD_CREATE_MEMORY, /* 256 MiB each */
    LOAD_INSPECT,
    LOAD_INSPECT_SHORT,
    LOAD_INSPECT_NAME,
    LOAD_LOGS,
    LOAD_INFO,
    LOAD_PING,
    LOAD_LIST,
};

void load_ids_take(const struct load_world *world, struct load_ids *ids);
void load_ids_free(struct load_ids *ids);
/* @p count operations, row->concurrency at once. */
void load_run(const struct load_world *world, enum load_kind kind, const struct load_ids *ids, size_t count,
              struct load_row *row);
/* The manager's list is the fake engines' own, no name is there twice, no node over its memory: else errors. */
void load_check(const struct load_world *world, struct load_row *row);
void load_events(const struct load_world *world, unsigned listeners, unsigned rate, unsigned seconds,
                 struct load_row *row);
/* Containers of an engine that stops, until they run elsewhere. */
void load_fail_over(const struct load_world *world, unsigned count, struct load_row *row);

#endif
