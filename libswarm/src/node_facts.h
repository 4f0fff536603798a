/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_NODE_FACTS_H
#define SWARM_SRC_NODE_FACTS_H

#include "node.h"

/* Labels and images of a node: lists whose texts belong to the cluster's indexes. */

/** Take all of them out of the indexes. */
void swarm__node_drop_facts(struct swarm_node *node);

#endif
