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
 * `-e whitelist:node==n1|n2`; NULL: all). *ret is a reference. -1 with the scheduler's words. */
int choose_engine(struct manager *manager, const json_t *whitelists, struct engine **ret, struct failure *failure);
/* All nodes that the scheduler would take; release with fanout_release(). */
int choose_engines(struct manager *manager, const json_t *whitelists, struct engine ***ret, size_t *ret_count,
                   struct failure *failure);

#endif
