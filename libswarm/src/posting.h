/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_POSTING_H
#define SWARM_SRC_POSTING_H

#include <stdint.h>

#include "nodeset.h"

/*
 * A counted set of nodes: how often each has something. Small where it is small, because there are as many of them as
 * distinct values (a label may differ on every container): one tally in place, then a list in order of slots. Where a
 * good part of all nodes is in it, bits and an array of counts: it is changed in one step and marked word by word.
 */

struct swarm__tally {
    uint32_t slot;
    uint32_t count;
};

struct swarm__dense;

/** Zeroed memory is an empty one. */
struct swarm__posting {
    uint32_t length;   /**< Nodes. */
    uint32_t capacity; /**< Of the list; 0 while the only tally is in place; SWARM__POSTING_DENSE. */
    union {
        struct swarm__tally one;
        struct swarm__tally *many;
        struct swarm__dense *dense;
    } at;
};

#define SWARM__POSTING_DENSE UINT32_MAX

void swarm__posting_finish(struct swarm__posting *posting);
/** Count one more on that slot. @return 0, or -1 where there is no memory (nothing is changed). */
int swarm__posting_add(struct swarm__posting *posting, uint32_t slot);
/** Count one less; the slot must be there. */
void swarm__posting_remove(struct swarm__posting *posting, uint32_t slot);
uint32_t swarm__posting_count(const struct swarm__posting *posting, uint32_t slot);
/** Walk in order of slots: start with *position 0. @return false at the end. */
bool swarm__posting_next(const struct swarm__posting *posting, uint32_t *position, struct swarm__tally *ret_tally);

/** Add its nodes to the set. */
void swarm__posting_mark(const struct swarm__posting *posting, struct swarm__nodeset *set);
/** Take its nodes out of the set. */
void swarm__posting_unmark(const struct swarm__posting *posting, struct swarm__nodeset *set);
/**
 * Make a set of the slots on which it counts less than their limit (slots that are not in it count 0).
 *
 * @param posting  NULL is an empty one.
 * @param limits   Of the first @p slots, among which are all of its nodes. The set has room for them.
 */
void swarm__posting_below(const struct swarm__posting *posting, const uint32_t *limits, size_t slots,
                          struct swarm__nodeset *set);

#endif
