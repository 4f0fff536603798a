/* SPDX-License-Identifier: Apache-2.0 */
/* Which node a build goes to. */
#ifndef MANAGE_BUILD_NODE_H
#define MANAGE_BUILD_NODE_H

#include <jansson.h>
#include <stdint.h>

#include "engine.h"
#include "failure.h"
#include "manager.h"

/* What a build asks of its node. Zeros: nothing. */
struct build_wish {
    json_t *expressions; /* texts such as "constraint:node==n1"; borrowed, NULL: none */
    int64_t memory;
    int64_t cpu_shares;
    const char *platform; /* "linux/arm64" */
    const char *node;     /* name */
};

/* Have the scheduler choose. @p bound: the build can be there only, as its session is, and @p preferred is taken where
 * it has room and nothing was said about where it should go: NULL for either: there is none. *ret is a reference. -1
 * with the scheduler's words. */
int build_node_choose(struct manager *manager, const struct build_wish *wish, struct engine *bound,
                      struct engine *preferred, struct engine **ret, struct failure *failure);
/* The same node for the same client as long as the nodes are the same: of the healthy ones, those that run BuildKit's
 * builds. A reference; NULL with the failure. */
struct engine *build_node_for_client(struct pool *pool, const char *client, struct failure *failure);
/* The healthy node of that name; a reference, NULL with the failure. */
struct engine *build_node_named(struct pool *pool, const char *name, struct failure *failure);
bool build_node_is_healthy(struct pool *pool, const struct engine *engine);

#endif
