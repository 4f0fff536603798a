/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_DECISION_H
#define SWARM_DECISION_H

#include <stddef.h>

#include <swarm/error.h>
#include <swarm/node.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Where a request would go, and which nodes were left to choose from: the answer of swarm_scheduler_plan(). Its nodes
 * are borrowed from the cluster; it says nothing any more once one of them is removed.
 *
 * Getters need a decision.
 *
 * Thread safety: any thread, as long as the cluster is not changed. Since: 1.3
 */
struct swarm_decision;

/** Release a decision. NULL is allowed. */
SWARM_EXPORT void swarm_decision_free(struct swarm_decision *decision);
/** The chosen node, borrowed from the cluster. */
SWARM_EXPORT struct swarm_node *swarm_decision_node(const struct swarm_decision *decision);
/** Nodes that the filters left, before the strategy weighed resources. */
SWARM_EXPORT size_t swarm_decision_candidate_count(const struct swarm_decision *decision);
/** The one at @p index of those nodes, borrowed from the cluster; NULL past the end. */
SWARM_EXPORT struct swarm_node *swarm_decision_candidate(const struct swarm_decision *decision, size_t index);
/** Nodes that tie for the first place; the chosen one is among them, by the seed. */
SWARM_EXPORT size_t swarm_decision_best_count(const struct swarm_decision *decision);
/** The one at @p index of those nodes, borrowed from the cluster; NULL past the end. */
SWARM_EXPORT struct swarm_node *swarm_decision_best(const struct swarm_decision *decision, size_t index);
/** 1 where the answer was found only after soft ('~') expressions were dropped. */
SWARM_EXPORT int swarm_decision_soft_dropped(const struct swarm_decision *decision);

#ifdef __cplusplus
}
#endif
#endif
