/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool in virtual time: thousands of simulated engines, the network between them and a manager, and the real library
 * in that manager. A schedule of faults made from a seed runs over it (engines crash, are destroyed, refuse, are cut
 * off, alone or many at once; calls are slow, fail, or their answers are lost; users create, stop and remove; terms
 * begin; the manager starts anew), then everything is mended and settles. What must hold is checked after every step;
 * the first breach ends the run.
 *
 *   - a copy is removed only by its policy, while another one is there, and never one believed to run for one that is
 * not
 *   - two copies that run within reach are settled within a bound
 *   - no engine is asked for more than it has
 *   - a container of a lost node that is to be moved is listed as waiting, with a reason where it was tried
 *   - nothing without a policy is touched; nothing is moved before its grace, beyond the limits, or past the guard
 *   - actions are of the present term, one at a time for each container; reports of older ones are refused
 *   - at the end: each container with a policy exists once and is known where it is (or it waits, with a reason), and
 *     everything else is where it was
 */
#ifndef TESTS_KIT_VIRTUAL_CLUSTER_H
#define TESTS_KIT_VIRTUAL_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct virtual_options {
    uint64_t seed;
    size_t nodes;
    size_t containers; /* to begin with */
    FILE *trace;       /* every step as a line; NULL: none */
};

/* What a run came to. */
struct virtual_result {
    bool broken;
    char breach[512]; /* what did not hold, and when */
    int64_t virtual_ms;
    uint64_t events;
    size_t moves, starts, removals, failures, given_up, held, terms, restarts, doubles;
};

void virtual_cluster_run(const struct virtual_options *options, struct virtual_result *result);

#endif
