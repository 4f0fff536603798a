/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_DECISION_H
#define SWARM_DECISION_H

/** @file
 * Decisions: where something would go, and why. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>
#include <swarm/memory.h>
#include <swarm/node.h>

#ifdef __cplusplus
extern "C" {
#endif

struct swarm_container;

/**
 * Where a request would go, and why: the answer of swarm_scheduler_plan(), which knows the nodes that were left to
 * choose from, of swarm_scheduler_explain(), which knows everything here, and of swarm_scheduler_would_fit().
 *
 * Nodes and containers that it gives are borrowed from the cluster, and amounts are worked out from it: a decision says
 * nothing any more once the cluster is changed. It does not need the scheduler nor the request.
 *
 * Getters give NULL or 0 for a decision or a cause that is NULL. Where a decision is not an explained one, those of
 * what only these have do so, too.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
struct swarm_decision;

/**
 * Release a decision. NULL is allowed.
 *
 * @param decision  NULL is allowed.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT void swarm_decision_free(struct swarm_decision *decision);

/**
 * Say whether the request was granted.
 *
 * @param decision  NULL is allowed.
 *
 * @return 0 where it was; SWARM_ERR_NO_NODE, SWARM_ERR_NAME_TAKEN or SWARM_ERR_PARSE (the request is flawed) where it
 *         was refused.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_decision_code(const struct swarm_decision *decision);

/**
 * Get classic Swarm's lines of a refusal.
 *
 * @param decision  NULL is allowed.
 *
 * @return Borrowed from the decision; NULL where the request was granted.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_decision_message(const struct swarm_decision *decision);

/**
 * Get the chosen node.
 *
 * @param decision  NULL is allowed.
 *
 * @return Borrowed from the cluster; NULL where the request was refused, and from swarm_scheduler_would_fit(), which
 *         chooses none.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_decision_node(const struct swarm_decision *decision);

/**
 * Count the nodes that the filters left, before resources were weighed.
 *
 * @param decision  NULL is allowed.
 *
 * @return How many there were; 0 where the request was refused, also where only resources were short.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT size_t swarm_decision_candidate_count(const struct swarm_decision *decision);

/**
 * Get one of the nodes that the filters left.
 *
 * @param decision  NULL is allowed.
 * @param index     From 0.
 *
 * @return Borrowed from the cluster; NULL past the end.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_decision_candidate(const struct swarm_decision *decision, size_t index);

/**
 * Count the nodes that tie for the first place; the chosen one is among them, by the seed.
 *
 * @param decision  NULL is allowed.
 *
 * @return How many there are.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT size_t swarm_decision_best_count(const struct swarm_decision *decision);

/**
 * Get one of the nodes that tie for the first place.
 *
 * @param decision  NULL is allowed.
 * @param index     From 0.
 *
 * @return Borrowed from the cluster; NULL past the end.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_decision_best(const struct swarm_decision *decision, size_t index);

/**
 * Say whether soft ('~') expressions were dropped.
 *
 * @param decision  NULL is allowed.
 *
 * @return 1 where the answer was found only without them, else 0.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_decision_soft_dropped(const struct swarm_decision *decision);

/**
 * Get the seed that it was made with.
 *
 * @param decision  NULL is allowed.
 *
 * @return As it was given.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT uint64_t swarm_decision_seed(const struct swarm_decision *decision);

/**
 * Get the generation of the cluster that it was made of.
 *
 * @param decision  NULL is allowed.
 *
 * @return As swarm_cluster_generation() was.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT uint64_t swarm_decision_generation(const struct swarm_decision *decision);

/**
 * Count the nodes in the cluster.
 *
 * @param decision  NULL is allowed.
 *
 * @return How many there were.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT size_t swarm_decision_node_count(const struct swarm_decision *decision);

/** Why a node was not taken. */
enum swarm_reason {
    SWARM_REASON_OTHER = 0,        /**< What a filter or strategy did not say, or has no better word for. */
    SWARM_REASON_UNHEALTHY = 1,    /**< Its health is 0. */
    SWARM_REASON_PORT = 2,         /**< A port is taken; the detail is the port. */
    SWARM_REASON_SLOTS = 3,        /**< It has as many containers as it may have. */
    SWARM_REASON_DEPENDENCY = 4,   /**< A container that must be there is not; the detail is what ties them. */
    SWARM_REASON_AFFINITY = 5,     /**< An affinity does not hold; the detail is the expression. */
    SWARM_REASON_CONSTRAINT = 6,   /**< A constraint does not hold; the detail is the expression. */
    SWARM_REASON_WHITELIST = 7,    /**< It is not on a whitelist; the detail is the list's expression. */
    SWARM_REASON_CPU = 8,          /**< CPU is short, and maybe memory too. */
    SWARM_REASON_MEMORY = 9,       /**< Memory is short. */
    SWARM_REASON_RESOURCE = 10,    /**< A named resource is short; the detail is its name. */
    SWARM_REASON_NAME = 11,        /**< The name is taken in the cluster; the detail is the name. */
    SWARM_REASON_PAUSED = 12,      /**< It is paused. */
    SWARM_REASON_DRAINING = 13,    /**< It is draining. */
    SWARM_REASON_REPLACED = 14,    /**< It is the node of the container that is to be replaced. */
    SWARM_REASON_UNANNOUNCED = 15, /**< Its membership lapsed. Since: 1.4 */
};

/**
 * Name a reason.
 *
 * @param reason  One of enum swarm_reason.
 * @return Static text such as "memory"; NULL for a number that is no reason.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT const char *swarm_reason_name(int reason);

/** What an amount counts. */
enum swarm_unit {
    SWARM_UNIT_NONE = 0,
    SWARM_UNIT_CPUS_MILLI = 1, /**< Thousandths of a CPU. */
    SWARM_UNIT_BYTES = 2,
    SWARM_UNIT_CONTAINERS = 3,
    SWARM_UNIT_PIECES = 4, /**< Of a named resource. */
};

/**
 * One thing that nodes were not taken for, with these nodes. Each node that was not taken is in exactly one: the first
 * thing that stood in its way. Borrowed from its decision.
 */
struct swarm_cause;

/**
 * Count the nodes that could have taken it.
 *
 * @param decision  NULL is allowed.
 *
 * @return How many of swarm_decision_node_count().
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT size_t swarm_decision_fit_count(const struct swarm_decision *decision);

/**
 * Get one of the causes, those with most nodes first.
 *
 * @param decision  NULL is allowed.
 * @param index     From 0.
 *
 * @return Borrowed from the decision; NULL past the end.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT const struct swarm_cause *swarm_decision_cause(const struct swarm_decision *decision, size_t index);

/**
 * Find the cause for which a node was not taken.
 *
 * @param decision  NULL is allowed.
 * @param node      One of the cluster's.
 *
 * @return Borrowed from the decision; NULL where it could have taken it.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT const struct swarm_cause *swarm_decision_cause_of(const struct swarm_decision *decision,
                                                               const struct swarm_node *node);

/**
 * Get the reason.
 *
 * @param cause  NULL is allowed.
 *
 * @return One of enum swarm_reason.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_cause_reason(const struct swarm_cause *cause);

/**
 * Name the filter or strategy that took the nodes out.
 *
 * @param cause  NULL is allowed.
 *
 * @return Borrowed; NULL where none did: paused, draining, unannounced, replaced, name, and named resources, which are
 * looked at between both.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_cause_filter(const struct swarm_cause *cause);

/**
 * Say what it was about, as the reason has it.
 *
 * @param cause  NULL is allowed.
 *
 * @return Borrowed; NULL where there is no more to say.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_cause_detail(const struct swarm_cause *cause);

/**
 * Count the nodes that were not taken for it.
 *
 * @param cause  NULL is allowed.
 *
 * @return How many there are.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT size_t swarm_cause_count(const struct swarm_cause *cause);

/**
 * Walk the nodes that were not taken for it.
 *
 * @param cause     NULL is allowed.
 * @param previous  The one before; NULL: start.
 *
 * @return Borrowed from the cluster; NULL: there are no more.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_cause_next_node(const struct swarm_cause *cause,
                                                      const struct swarm_node *previous);

/**
 * Find the node that lacks least, where an amount is short (SWARM_REASON_CPU, _MEMORY, _RESOURCE, _SLOTS) and a
 * built-in filter or strategy, or one with a room of its own (ops.h), says so.
 *
 * For CPU it is one that lacks no memory if there is such a node.
 *
 * @param cause  NULL is allowed.
 *
 * @return Borrowed from the cluster; NULL where nothing is short.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_cause_nearest(const struct swarm_cause *cause);

/**
 * How much of what is asked for one of these nodes has not free: with so much more it would have room.
 *
 * @param cause     NULL is allowed.
 * @param node      NULL: the nearest one.
 * @param ret_unit  One of enum swarm_unit; may be NULL.
 *
 * @return Above 0; 0, and SWARM_UNIT_NONE, where no amount is short or the node is none of these.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_cause_shortage(const struct swarm_cause *cause, const struct swarm_node *node,
                                          int *ret_unit);

/**
 * Find what is in the way: the container that has the port on one of these nodes (their first), or the name.
 *
 * @param cause  NULL is allowed.
 *
 * @return Borrowed from the cluster; one whose id is empty is being created. NULL: nothing of that kind, or a name that
 *         is held for a rename.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT const struct swarm_container *swarm_cause_blocker(const struct swarm_cause *cause);

/**
 * Count the nodes of which the scores are told: those that would come first, in that order, so that the first is the
 * chosen one.
 *
 * @param decision  NULL is allowed.
 *
 * @return How many there are, no more than swarm_place_options.ranked.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT size_t swarm_decision_ranked_count(const struct swarm_decision *decision);

/**
 * Get one of the nodes of which the scores are told.
 *
 * @param decision   NULL is allowed.
 * @param index      From 0.
 * @param ret_score  What the strategy gives it, the greatest first. May be NULL; untouched past the end.
 *
 * @return Borrowed from the cluster; NULL past the end.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_decision_ranked(const struct swarm_decision *decision, size_t index,
                                                      int64_t *ret_score);

/**
 * One of the numbers that the score at @p index was made of; "spread" and "binpack" have "cpu" and "memory" (the share
 * that would be taken, in percent, 100 where none is asked for), "health" and "containers".
 *
 * @param decision   NULL is allowed.
 * @param index      As for swarm_decision_ranked().
 * @param part       From 0.
 * @param ret_name   Borrowed from the decision. Each out parameter may be NULL.
 * @param ret_value  Its value.
 *
 * @return 1, or 0 past the end (nothing is written).
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_decision_part(const struct swarm_decision *decision, size_t index, size_t part,
                                     const char **ret_name, int64_t *ret_value);

/**
 * Get one of the soft expressions that were dropped.
 *
 * @param decision  NULL is allowed.
 * @param index     From 0.
 *
 * @return Borrowed from the decision, such as "constraint:storage==~ssd"; NULL past the end.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_decision_dropped(const struct swarm_decision *decision, size_t index);

/**
 * Tell the decision for people.
 *
 * Of a refusal these are classic Swarm's lines and then one such as "0/12 nodes fit: 7 memory short (nearest node-3
 * lacks 310 MiB), 3 port 443 taken by web-1 on node-5 and others, 2 draining".
 *
 * @param decision  Not NULL.
 * @param ret_text  New, release with swarm_free(). UTF-8, lines separated by '\n', none at the end.
 * @param reterr    Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_NOMEM; SWARM_ERR_INVALID (NULL).
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_decision_text(const struct swarm_decision *decision, char **ret_text,
                                     struct swarm_error **reterr);

/**
 * Tell the decision for programs, as a JSON object with exact numbers:
 *
 *   granted      Whether it was.
 *   code         0 or one of enum swarm_error_code; message: classic Swarm's lines, null where granted.
 *   text         As swarm_decision_text().
 *   node         The chosen one, {"id", "name"}, or null.
 *   nodes, fit   How many there are, and could have taken it.
 *   candidates   How many the filters left; 0 where it was refused.
 *   causes       A list, those with most nodes first: {"reason" (swarm_reason_name()), "filter", "detail", "count",
 *                "nearest": {"id", "name", "shortage", "unit"}, "blocker": {"id", "name", "node": {"id", "name"}},
 *                "nodes": [{"id", "name", "shortage"}]}; what there is not is null; "shortage" of the nodes only where
 *                an amount is short. Units are "milli-cpu", "bytes", "containers" and "pieces".
 *   ranked       A list of {"id", "name", "score", "parts": {name: number}}, the first first.
 *   soft_dropped The expressions that were dropped.
 *   seed         As decimal text, since it may pass what readers of JSON can hold.
 *   generation   Of the cluster.
 *
 * @param decision    Not NULL.
 * @param ret_json    New, NUL-ended, release with swarm_free(). Untouched on failure.
 * @param ret_length  Its length without the NUL. May be NULL.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_NOMEM; SWARM_ERR_INVALID (NULL).
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_decision_json(const struct swarm_decision *decision, char **ret_json, size_t *ret_length,
                                     struct swarm_error **reterr);

#ifdef __cplusplus
}
#endif
#endif
