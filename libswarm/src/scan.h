/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_SCAN_H
#define SWARM_SRC_SCAN_H

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

struct swarm__scan_resource {
    double used[SWARM__SCAN_SLOTS];    /**< Used * 100 + 1/2. */
    double inverse[SWARM__SCAN_SLOTS]; /**< 1 / total; infinite where the total is 0. */
};

struct swarm__scan {
    double health[SWARM__SCAN_SLOTS];     /**< What it adds to a score. */
    double containers[SWARM__SCAN_SLOTS]; /**< As in the slot. */
    struct swarm__scan_resource cpus;
    struct swarm__scan_resource memory;
    uint64_t hash[SWARM__SCAN_SLOTS]; /**< As in the slot. */
    uint64_t wide;                    /**< Slots with a total of SWARM__SCAN_TOTAL_LIMIT or more, as bits. */
};

struct swarm_cluster;
struct swarm_ranking;
struct swarm_request;

/** Take over a slot's record, after each change of it. */
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

/** The same by one of the variants for several instruction sets, from 0; which must all come to the same. */
void swarm__scan_rank_by(size_t variant, const struct swarm_cluster *cluster, const struct swarm_request *request,
                         enum swarm__scan_order order, struct swarm_ranking *ranking);
/** How many of them this machine can run. */
size_t swarm__scan_variants(void);

#endif
