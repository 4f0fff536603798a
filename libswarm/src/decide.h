/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_DECIDE_H
#define SWARM_SRC_DECIDE_H

#include "candidates.h"
#include "scheduler.h"

/** Why nodes were no candidates before any filter ran. */
struct swarm__excluded {
    size_t paused;
    size_t draining;
    size_t unannounced;
    size_t replaced;
};

struct swarm__explain;

/** What a decision has come to. */
struct swarm__outcome {
    struct swarm_candidates candidates; /**< What the filters left. */
    struct swarm_ranking ranking;       /**< Those of them that tie for the first place. */
    uint64_t seed;
    bool list_ties; /**< The ranking is to list the nodes that tie, not only to choose one. */
    bool soft_dropped;
};

/** What a decision does beside deciding. */
struct swarm__aside {
    struct swarm_cluster *learning; /**< The cluster again where it may remember what is matched, which only the one may
                                         allow who has it for himself; NULL: it is only read. */
    struct swarm__explain *explain; /**< Where why is written down; NULL: nobody asks. */
};

/**
 * Filters, then strategy; where that finds no node and the request has soft expressions, once more without these.
 *
 * @param options  With all members.
 * @param outcome  Zeroed but for list_ties. Filled on success: release with swarm__outcome_finish().
 * @return 0, SWARM_ERR_NO_NODE or SWARM_ERR_PARSE (the error is the refusal), SWARM_ERR_NOMEM, what a callback says.
 */
int swarm__decide(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                  const struct swarm_request *request, const struct swarm_place_options *options,
                  struct swarm__aside aside, struct swarm__outcome *outcome, struct swarm_error **reterr);
void swarm__outcome_finish(struct swarm__outcome *outcome);

/** What a filter or strategy answered, as the rest of a decision understands it. @param kind  "filter", "strategy". */
int swarm__answer_known(int code, const char *kind, const char *name, struct swarm_error **reterr);

/** Let the strategy offer. @return 0, also where it offers nothing, or its error. */
int swarm__rank(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr);

/**
 * Say that no node satisfies the conditions: a line for each filter up to @p failed that has something to list.
 *
 * @return @p code, or SWARM_ERR_NOMEM.
 */
int swarm__refuse(const struct swarm_scheduler *scheduler, const struct swarm_request *request, size_t failed, int code,
                  struct swarm_error **reterr);
/** Add a line that says which nodes were no candidates to begin with; none where all were. */
int swarm__refuse_excluded(int code, const struct swarm__excluded *excluded, struct swarm_error **reterr);

#endif
