/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_STRATEGY_H
#define SWARM_STRATEGY_H

#include <stddef.h>

#include <swarm/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * A strategy chooses among the nodes that the filters left (scheduler.h); <swarm/ops.h> says how to write one.
 *
 *   spread    The healthiest, then the emptiest node: least weight = CPU share + memory share - 10 * health, where a
 *             share is (used + asked) * 100 / total as a whole number, and 100 where nothing is asked; then the node
 *             with fewest containers.
 *
 *   binpack   The healthiest, then the fullest node that has room: greatest weight = CPU share + memory share
 *             + 10 * health; then the node with most containers.
 *
 *   random    Any node, whatever CPUs and memory it has (as classic Swarm has it).
 *
 * spread and binpack take no node whose total is less than what is asked, nor one where a share would pass 100.
 * "binpacking" is another name for binpack. No strategy, nor one of your own, is asked about a node that does not have
 * the named resources free that the request asks for (swarm_request_set_resource()).
 *
 * Nodes that tie are told apart by the seed of the decision and their ids alone: the same seed, state and request give
 * the same node, whatever order the nodes were added in, and different seeds spread evenly over them.
 */

/**
 * Name a built-in strategy.
 *
 * @param index  From 0.
 * @return Static text, NULL past the end.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT const char *swarm_strategy_name(size_t index);

#ifdef __cplusplus
}
#endif
#endif
