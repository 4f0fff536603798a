/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_POSTING_H
#define SWARM_SRC_POSTING_H

#include <stdint.h>

#include "nodeset.h"

/*
 * A counted set of nodes: how often each has something. In order of slots; small where it is small, because there are
 * as many of them as distinct values (a label may differ on every container).
 */

struct swarm__tally {
    uint32_t slot;
    uint32_t count;
};

/** Zeroed memory is an empty one. */
struct swarm__posting {
    uint32_t length;
    uint32_t capacity; /**< 0 while the only tally is kept in place. */
    union {
        struct swarm__tally one;
        struct swarm__tally *many;
    } at;
};

void swarm__posting_finish(struct swarm__posting *posting);
/** Count one more on that slot. @return 0, or -1 where there is no memory. */
int swarm__posting_add(struct swarm__posting *posting, uint32_t slot);
/** Count one less; the slot must be there. */
void swarm__posting_remove(struct swarm__posting *posting, uint32_t slot);
uint32_t swarm__posting_count(const struct swarm__posting *posting, uint32_t slot);

static inline const struct swarm__tally *swarm__posting_tallies(const struct swarm__posting *posting)
{
    return posting->capacity ? posting->at.many : &posting->at.one;
}

/** Add its nodes to the set. */
void swarm__posting_mark(const struct swarm__posting *posting, struct swarm__nodeset *set);

#endif
