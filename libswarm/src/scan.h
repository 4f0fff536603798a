/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_SCAN_H
#define SWARM_SRC_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "nodeset.h"

/*
 * What spread and binpack read of nodes, laid out for a scan over thousands of them: the slots of one word of a nodeset
 * make a block, in which each quantity is an array. The slot records (cluster.h) are the truth; this is kept equal to
 * them by swarm__scan_put().
 *
 * A share is (used + asked) * 100 / total, rounded down, and must come out exactly. Let s be the numerator, an integer:
 * s + 1/2 is at least 1/2 away from every multiple of the total, so (s + 1/2) / total is at least 1 / (2 * total) away
 * from every whole number. Computed as a product with the total's reciprocal, it is rounded twice, which moves what is
 * at most 128 by at most 128 * 2^-52 = 2^-45. So where the total is less than 2^44, what is cut off after the point is
 * all that was to be cut off. Nodes with more (17.6 TB of memory) are marked as wide and weighed in integers.
 */

#define SWARM__SCAN_SLOTS SWARM__NODESET_WORD
#define SWARM__SCAN_TOTAL_LIMIT (INT64_C(1) << 44)

/*
 * Requests come in few shapes, and from one decision to the next few nodes change. So each block remembers, for the
 * shapes asked for last, the greatest score of its active nodes and which of them have it, until one of them changes.
 * Only who has the cluster for himself remembers; anyone may use it.
 */
#define SWARM__SCAN_SHAPES 16

struct swarm__scan_shape {
    int64_t cpus_milli;
    int64_t memory;
    int order;      /**< enum swarm__scan_order; 0: there is no such shape. */
    uint64_t asked; /**< When it was asked for last. */
};

/** Zeroed memory is empty. */
struct swarm__scan_shapes {
    struct swarm__scan_shape items[SWARM__SCAN_SHAPES];
    uint64_t now; /**< Counts decisions that remember. */
};

struct swarm__scan_resource {
    double used[SWARM__SCAN_SLOTS];    /**< Used * 100 + 1/2. */
    double inverse[SWARM__SCAN_SLOTS]; /**< 1 / total; infinite where the total is 0. */
};

/** The best of a block. */
struct swarm__scan_top {
    double score;   /**< -INFINITY where there is none that has room. */
    uint64_t slots; /**< Which have it, as bits. */
};

struct swarm__scan {
    double health[SWARM__SCAN_SLOTS];     /**< What it adds to a score. */
    double containers[SWARM__SCAN_SLOTS]; /**< As in the slot. */
    struct swarm__scan_resource cpus;
    struct swarm__scan_resource memory;
    uint64_t hash[SWARM__SCAN_SLOTS]; /**< As in the slot. */
    uint64_t wide;                    /**< Slots with a total of SWARM__SCAN_TOTAL_LIMIT or more, as bits. */
    uint64_t remembered;              /**< Shapes whose top is known, as bits. */
    struct swarm__scan_top tops[SWARM__SCAN_SHAPES];
};

struct swarm_cluster;
struct swarm_ranking;
struct swarm_request;

/** Take over a slot's record, after each change of it and of whether it is active. */
void swarm__scan_put(struct swarm_cluster *cluster, uint32_t slot);

enum swarm__scan_order {
    SWARM__SCAN_EMPTIEST = -1,
    SWARM__SCAN_FULLEST = 1,
};

/**
 * Offer those of the ranking's candidates that have room.
 *
 * Scores are 2^32 * (10 * health + order * weight) + order * containers, the weight as of swarm__strategy_weigh(): the
 * weight decides, and then the number of containers.
 */
void swarm__scan_rank(const struct swarm_cluster *cluster, const struct swarm_request *request,
                      enum swarm__scan_order order, struct swarm_ranking *ranking);

enum swarm__scan_resources {
    SWARM__SCAN_CPUS,
    SWARM__SCAN_MEMORY,
};

/**
 * Which slots of a word of a nodeset have no room for so much of a resource, as bits; those of free slots mean nothing.
 *
 * @param lasting  As if nothing were used.
 */
uint64_t swarm__scan_lack(const struct swarm_cluster *cluster, size_t word, enum swarm__scan_resources which,
                          int64_t asked, bool lasting);

/** These by one of the variants for several instruction sets, from 0, which must all come to the same. */
void swarm__scan_rank_by(size_t variant, const struct swarm_cluster *cluster, const struct swarm_request *request,
                         enum swarm__scan_order order, struct swarm_ranking *ranking);
uint64_t swarm__scan_lack_by(size_t variant, const struct swarm_cluster *cluster, size_t word,
                             enum swarm__scan_resources which, int64_t asked, bool lasting);
/** How many of them this machine can run. */
size_t swarm__scan_variants(void);

#endif
