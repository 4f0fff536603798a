/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_NODE_FACTS_H
#define SWARM_SRC_NODE_FACTS_H

#include "node.h"

/* Labels and images of a node: lists whose texts belong to the cluster's indexes. */

/** Take all of them out of the indexes. */
void swarm__node_drop_facts(struct swarm_node *node);
/** Replace the images by what affinities see of them: ids, references and repositories, as node->images has them.
 *  @return 0, or SWARM_ERR_NOMEM (nothing has changed). */
int swarm__node_set_image_texts(struct swarm_node *node, const char *const *texts, size_t count);

#endif
