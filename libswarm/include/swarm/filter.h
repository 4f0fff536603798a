/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_FILTER_H
#define SWARM_FILTER_H

#include <stddef.h>

#include <swarm/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * Filters take nodes out that a container cannot go to. A scheduler runs them one after another, each on the nodes
 * that the former left (scheduler.h); <swarm/ops.h> says how to write one.
 *
 *   health          The node's health is above 0.
 *   port            The host ports asked for are free there. In host network mode: no container in host network mode
 *                   there exposes one of the same ports. The protocol does not matter, as in classic Swarm; a host port
 *                   that is empty or "0" is any free one and never in the way.
 *   containerslots  The node has fewer containers (places taken included, stopped ones where they count) than its
 *                   label containerslots says; a node without that label, or with one that is no number, has no limit.
 *   dependency      The containers of volumes-from, links and network mode "container:…" are on the node.
 *   affinity        The affinities hold: key "container" (ids and first names), "image" (ids, references and
 *                   repositories), anything else: that label of the node's containers, empty where one has none.
 *   constraint      The constraints hold: key "node" (id and name), anything else: that label of the node, empty where
 *                   it has none.
 *   whitelist       The node's name is in each of the lists.
 */

/**
 * Name a built-in filter.
 *
 * @param index  From 0, in the default order, which is the order above.
 * @return Static text, NULL past the end.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT const char *swarm_filter_name(size_t index);

#ifdef __cplusplus
}
#endif
#endif
