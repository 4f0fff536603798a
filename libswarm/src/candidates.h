/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_CANDIDATES_H
#define SWARM_SRC_CANDIDATES_H

#include <swarm/ops.h>

#include "cluster.h"

/* What a decision works on. Built-in filters and strategies go straight to the sets; others use swarm/ops.h. */

#define SWARM__SCRATCH_SETS 5

struct swarm_candidates {
    const struct swarm_cluster *cluster;
    struct swarm_cluster
        *learning; /**< The same where what is matched may be remembered; NULL: the cluster is only read. */
    struct swarm__nodeset set;
    struct swarm__nodeset scratch[SWARM__SCRATCH_SETS]; /**< See swarm__candidates_scratch(). */
    struct swarm__matcher matcher;
};

/** No candidates yet. @return 0, or SWARM_ERR_NOMEM. */
int swarm__candidates_init(struct swarm_candidates *candidates, const struct swarm_cluster *cluster);
void swarm__candidates_finish(struct swarm_candidates *candidates);
/** An empty set of the same size, from 0 to SWARM__SCRATCH_SETS - 1. NULL where there is no memory. */
struct swarm__nodeset *swarm__candidates_scratch(struct swarm_candidates *candidates, size_t index);

struct swarm_ranking {
    int64_t best;
    uint32_t *ties; /**< Slots of the nodes with the best score; room for all candidates. */
    size_t count;
    size_t room;                               /**< Of @c ties. */
    const struct swarm_candidates *candidates; /**< Who may be offered. */
};

/** For built-in strategies, which offer candidates only, and each once. */
static inline void swarm__ranking_offer(struct swarm_ranking *ranking, uint32_t slot, int64_t score)
{
    if (ranking->count > 0 && score < ranking->best)
        return;
    if (score != ranking->best)
        ranking->count = 0;
    ranking->best = score;
    ranking->ties[ranking->count++] = slot;
}

struct swarm_conditions {
    char *text; /**< Joined by one blank each; NULL while there are none. */
    size_t length;
    size_t capacity;
};

#endif
