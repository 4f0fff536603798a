/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_CANDIDATES_H
#define SWARM_SRC_CANDIDATES_H

#include <swarm/ops.h>

#include "cluster.h"

/* What a decision works on. Built-in filters and strategies go straight to the sets; others use swarm/ops.h. */

#define SWARM__SCRATCH_SETS 5

struct swarm__explain;

struct swarm_candidates {
    const struct swarm_cluster *cluster;
    struct swarm_cluster *learning; /**< The same, where it may remember what is matched; NULL: it is only read. */
    struct swarm__explain *explain; /**< NULL: nobody asks why. */
    struct swarm__nodeset set;
    struct swarm__nodeset scratch[SWARM__SCRATCH_SETS]; /**< See swarm__candidates_scratch(). */
    struct swarm__matcher matcher;
};

/** No candidates yet. @return 0, or SWARM_ERR_NOMEM. */
int swarm__candidates_init(struct swarm_candidates *candidates, const struct swarm_cluster *cluster);
void swarm__candidates_finish(struct swarm_candidates *candidates);
/** An empty set of the same size, from 0 to SWARM__SCRATCH_SETS - 1. NULL where there is no memory. */
struct swarm__nodeset *swarm__candidates_scratch(struct swarm_candidates *candidates, size_t index);

/** The best of what was offered. Start with candidates, seed and room; all else 0. */
struct swarm_ranking {
    const struct swarm_candidates *candidates; /**< Who may be offered. */
    uint64_t seed;
    int64_t best;
    size_t count;                   /**< How many nodes have the best score. */
    uint32_t chosen;                /**< The slot among them that the seed chooses: the one that draws the least. */
    uint64_t least;                 /**< What it has drawn. */
    uint32_t *ties;                 /**< Slots of all of them, in the order they were offered; NULL: nobody asks. */
    size_t room;                    /**< How many candidates there are, and of @c ties. */
    struct swarm__nodeset *left;    /**< Explaining: who may be offered and was not refused; NULL: nobody asks. */
    struct swarm__nodeset *offered; /**< Explaining: who was offered by swarm_ranking_offer(). */
};

/**
 * What a node draws where nodes tie: slots and the order of nodes have no say in it. Every bit of the seed and of the
 * hash of the node's id counts (the finisher of splitmix64, by Sebastiano Vigna).
 */
static inline uint64_t swarm__tie_draw(uint64_t seed, uint64_t hash)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + hash;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/**
 * For built-in strategies, which offer candidates only, and each once: slots with one score.
 *
 * @param word   Of the nodeset that they are in, …
 * @param slots  … and they, as its bits; not 0.
 */
void swarm__ranking_offer(struct swarm_ranking *ranking, size_t word, uint64_t slots, int64_t score);

struct swarm_conditions {
    char *text; /**< Joined by one blank each; NULL while there are none. */
    size_t length;
    size_t capacity;
};

#endif
