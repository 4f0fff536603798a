/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of networks and of volumes: the entries are rendered already (object_record.h), a list is a filter, a sort and
 * a concatenation.
 *
 * What belongs to one node is called "node/name". A name that the filter `name` asks for exactly is the exception: the
 * only network of that name is listed by it, and volumes of that name are one entry by it, as the volume is one to
 * those who made it. */
#ifndef MANAGE_OBJECT_LIST_H
#define MANAGE_OBJECT_LIST_H

#include <jansson.h>
#include <stddef.h>

#include "pool.h"

/* "[…]". *ret is new; -1 with the failure (400 for bad filters). @p filters as filters_parse() gives them. */
int network_list(struct pool *pool, const json_t *filters, char **ret, size_t *ret_length, struct failure *failure);
/* {"Volumes":[…],"Warnings":null} */
int volume_list(struct pool *pool, const json_t *filters, char **ret, size_t *ret_length, struct failure *failure);

/* One network by its id, as the pool knows it, by its own name. NULL: there is none, or no memory. */
char *network_text(struct pool *pool, const struct engine *engine, const char *id);
/* Its endpoints on all nodes: {"<container>": {…}}. New; NULL for lack of memory. */
json_t *network_endpoints(struct pool *pool, const char *id);
/* The volume of that name, or "node/name", by its own name: as the first healthy node that has it lists it, with those
 * that have it under Nodes where there are several. NULL: there is none, or no memory. */
char *volume_text(struct pool *pool, const char *reference);

#endif
