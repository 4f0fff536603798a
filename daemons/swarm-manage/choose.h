/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes for what is no container: networks and volumes go where an empty container would. */
#ifndef MANAGE_CHOOSE_H
#define MANAGE_CHOOSE_H

#include <jansson.h>
#include <stddef.h>

#include "engine.h"
#include "failure.h"
#include "manager.h"

/* The first choice among the nodes that every one of @p whitelists allows (an array of expressions as in
 * `-e whitelist:node==n1|n2`; NULL: all), less those that turn out not to answer. *ret is a reference. -1 with the
 * scheduler's words. */
int choose_engine(struct manager *manager, const json_t *whitelists, struct engine **ret, struct failure *failure);
/* All nodes that the scheduler would take, the best first; release with fanout_release(). */
int choose_engines(struct manager *manager, const json_t *whitelists, struct engine ***ret, size_t *ret_count,
                   struct failure *failure);
/* The nodes that the decision would take, the chosen one first; likewise. 0 or SWARM_ERR_NOMEM. With the pool locked.
 */
int choose_take(const struct swarm_decision *decision, struct engine ***ret, size_t *ret_count);
/* The first of one or more that answers a ping, where there is a choice: one may have turned silent since the monitor
 * looked. Where none does, the first. Borrowed. Without locks held. */
struct engine *choose_answering(struct engine *const *engines, size_t count);

#endif
