/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes have a volume's data. A volume of one name is made on every node; what was written to it is where it was
 * used. Known are its users, and of those that are gone when and where the last one went; what was used before the
 * manager began is told by how much is in it. */
#ifndef MANAGE_VOLUME_USE_H
#define MANAGE_VOLUME_USE_H

#include <jansson.h>

#include "pool.h"

/* A container of that engine goes. With the pool locked for writing. */
void volume_use_ended(struct engine *engine, const struct container_uses *uses);
/* What is known of the volumes in @p from is known of those in @p to. */
void volume_use_take_over(struct object_table *to, const struct object_table *from);

/* A whitelist for the healthy nodes where one of the volumes @p names (an array) is in use, else where one was used
 * last, else that have one while others do not: "node==~n1|n2", new text. NULL in *ret where that is none, or all. May
 * ask engines; without locks held. SWARM_ERR_* on failure. */
int volume_use_prefer(struct pool *pool, const json_t *names, char **ret);

#endif
