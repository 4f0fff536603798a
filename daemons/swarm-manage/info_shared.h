/* SPDX-License-Identifier: Apache-2.0 */
/* The members of /info that are made of what all engines say: what they agree on, what all of them can, what any of
 * them has. */
#ifndef MANAGE_INFO_SHARED_H
#define MANAGE_INFO_SHARED_H

#include <jansson.h>
#include <stdbool.h>

#include "info_node.h"

void info_shared_set(json_t *answer, const struct info_node *nodes, size_t count);

/* The names of the engines' members that these are made of, one after the other; NULL at the end. */
const char *info_shared_key(size_t index);

/* A number for all that an engine has to say there, and one for all engines in their order: the same number, the same
 * members. Begin with 0. */
uint64_t info_shared_hash(const struct info_node *node);
uint64_t info_shared_join(uint64_t hash, uint64_t of_node, bool healthy);

#endif
