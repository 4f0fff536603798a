/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_EXPLAIN_H
#define SWARM_SRC_EXPLAIN_H

#include "candidates.h"
#include "decide.h"
#include "decision.h"
#include "scheduler.h"
#include "text.h"

/*
 * Writes down, while a decision is made, why nodes go. A filter says a reason after taking nodes out; which ones went
 * is the difference between the set now and the set when somebody last said a reason, so that a reason costs a pass
 * over words, not a call a node. Lack of memory is kept in @c failed until the end.
 */
struct swarm__explain {
    const struct swarm_cluster *cluster;
    struct swarm__nodeset before;     /**< Nodes that nothing was said of yet. */
    const struct swarm__nodeset *now; /**< Nodes that are still in the running. */
    const char *step;                 /**< The filter or strategy at work; NULL: none. */
    size_t step_first;                /**< The first of its causes. */
    struct swarm_cause *causes;
    size_t count;
    size_t capacity;
    struct swarm__ranked *ranked;
    size_t ranked_count;
    struct swarm__text dropped; /**< Soft expressions, an item each. */
    size_t fit;
    bool soft_dropped;
    bool refused; /**< There is a decision, and it refuses. */
    bool failed;  /**< There was no memory for some of it. */
};

/** @return 0, or SWARM_ERR_NOMEM. Release with swarm__explain_finish() either way. */
int swarm__explain_init(struct swarm__explain *explain, const struct swarm_cluster *cluster);
void swarm__explain_finish(struct swarm__explain *explain);

/** A pass begins, with these candidates: forget the pass before it, and say why the other nodes are none of them. */
void swarm__explain_start(struct swarm__explain *explain, const struct swarm_candidates *candidates,
                          const struct swarm_container *replaces);
/** A filter or strategy begins. */
void swarm__explain_step(struct swarm__explain *explain, const char *name);
/** A filter has answered: what it gave no reason for, and all that is left where it refuses, goes under its name. */
void swarm__explain_filtered(struct swarm__explain *explain, int code, const struct swarm_error *error);
/** All nodes are refused since the name is taken. */
void swarm__explain_name(struct swarm__explain *explain, const char *name, const struct swarm_container *holder);
/**
 * The nodes gone since the last call went for this reason, with the detail in pieces.
 *
 * @return The cause, until the next call; NULL where no node went, or there was no memory.
 */
struct swarm_cause *swarm__explain_refuse(struct swarm__explain *explain, int reason, const char *const pieces[3]);

/** A strategy is to offer: a built-in one will offer all of what is then left. @return 0, or SWARM_ERR_NOMEM. */
int swarm__explain_ranking(struct swarm_candidates *candidates, const struct swarm_scheduler *scheduler,
                           const struct swarm_request *request, struct swarm_ranking *ranking);
/** It has ended: write down why it did not offer some. */
void swarm__explain_ranked(struct swarm_candidates *candidates, const struct swarm_scheduler *scheduler,
                           const struct swarm_request *request);
/** Nodes went for lack of a named resource. */
void swarm__explain_resource(struct swarm__explain *explain, const struct swarm__amount *asked, bool lasting);
/** Nodes that have less CPUs or memory in all than is asked for go: for swarm_scheduler_would_fit(). */
void swarm__explain_capacity(struct swarm_candidates *candidates, const struct swarm_request *request);
/**
 * List the first nodes with their scores and parts.
 *
 * @param outcome  Of a decision that is granted; its candidates and ranking are as before afterwards.
 * @return 0, or an error.
 */
int swarm__explain_first(struct swarm__explain *explain, const struct swarm_scheduler *scheduler,
                         const struct swarm_request *request, const struct swarm_place_options *options,
                         struct swarm__outcome *outcome, struct swarm_error **reterr);

/**
 * The decision is made: write down what there is left to say while the request is at hand.
 *
 * @param code    What it came to.
 * @param reterr  Holds the error where there is one.
 * @return @p code, or SWARM_ERR_NOMEM.
 */
int swarm__explain_outcome(struct swarm__explain *explain, const struct swarm_scheduler *scheduler,
                           const struct swarm_request *request, const struct swarm_place_options *options, int code,
                           struct swarm__outcome *outcome, struct swarm_error **reterr);

/** Tell what filters tell, where anybody wants to hear it. */
static inline struct swarm_cause *swarm__candidates_refuse(struct swarm_candidates *candidates, int reason,
                                                           const char *a, const char *b, const char *c)
{
    return candidates->explain ? swarm__explain_refuse(candidates->explain, reason, (const char *const[]){a, b, c})
                               : NULL;
}

#endif
