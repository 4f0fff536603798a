/* SPDX-License-Identifier: Apache-2.0 */
/* Which engines have a network or a volume, as the pool knows it. */
#ifndef MANAGE_OBJECT_FIND_H
#define MANAGE_OBJECT_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

struct object_holder {
    struct engine *engine; /* reference */
    char *node;            /* its name */
    char *id;              /* of the network; NULL: a volume */
    char *name;
    bool local;
    bool healthy;
};

struct object_holders {
    struct object_holder *list; /* healthy ones first, then in the order of the nodes */
    size_t count;
    size_t healthy;
};

/* A network by id or the first 12 digits of it, name or "node/name" (the node by name or id), or else the beginning of
 * an id. 0, also where there is none; -1 for lack of memory. Several networks may be meant: */
int network_find(struct pool *pool, const char *reference, struct object_holders *ret, struct failure *failure);
/* the failure says so, with 400 as an engine does, and names the nodes. */
int network_is_one(const struct object_holders *holders, const char *reference, struct failure *failure);
/* A volume by name or "node/name": all engines that have one of that name. */
int volume_find(struct pool *pool, const char *reference, struct object_holders *ret, struct failure *failure);
void object_holders_clear(struct object_holders *holders);
/* For broadcast_new(): @p data are the holders. */
bool object_is_held_by(void *data, const struct engine *engine);

/* What follows "node/" in @p reference where the engine is called that, by name or id; NULL: it is not. */
const char *without_node(const struct engine *engine, const char *reference);

#endif
