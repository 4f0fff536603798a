/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_IDENTITY_H
#define SWARM_SRC_IDENTITY_H

#include "candidates.h"
#include "container.h"

/*
 * What containers and nodes are called, as patterns ask for it: a node by its id and name, a container by its id and
 * first name where it has a name (a place taken has the id ""). Beginnings of ids are asked of all containers, by id
 * and by swarm id. The cluster remembers the answers (memo.h).
 */

/** The container is on its node from now on. */
void swarm__identity_enter(struct swarm_container *container);
/** It goes. */
void swarm__identity_leave(struct swarm_container *container);
/** It goes by another id, swarm id or first name now. */
void swarm__identity_renew(struct swarm_container *container);
void swarm__identity_enter_node(struct swarm_node *node);
void swarm__identity_leave_node(struct swarm_node *node);
void swarm__identity_renew_node(struct swarm_node *node);

/**
 * Add the nodes with a container, or those, that the pattern matches. It need not look at nodes that are no candidates.
 *
 * @param question, expr  With a pattern of kind SWARM__EXPR_PATTERN.
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__identity_mark_containers(struct swarm_candidates *candidates, const struct swarm__question *question,
                                    struct swarm__nodeset *marked);
int swarm__identity_mark_nodes(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                               struct swarm__nodeset *marked);

/**
 * Add the nodes with containers for which the answer to the question is yes, where that is remembered or can be.
 *
 * @param several  NULL, or where to add those with more than one; @p nodes must be empty then.
 * @return 1 where it is done; 0 where it is to be found out by other means; SWARM_ERR_NOMEM.
 */
int swarm__identity_recall(struct swarm_candidates *candidates, const struct swarm__question *question,
                           struct swarm__nodeset *nodes, struct swarm__nodeset *several);

/** Hits by name or id that are better remembered than visited one by one. */
#define SWARM__IDENTITY_MANY 16

#endif
