/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a list of containers, made in pieces: what it shows and in which order is settled at first, under one
 * lock; each piece is then copied out of what the engines have reported, under a lock of its own, so that a long list
 * neither takes its whole length in memory nor keeps anybody waiting. */
#ifndef MANAGE_CONTAINER_LIST_H
#define MANAGE_CONTAINER_LIST_H

#include "bytes.h"
#include "container_query.h"

struct container_list;

/* @p query is borrowed. -1 for lack of memory. */
int container_list_new(struct container_list **ret, struct pool *pool, const struct container_query *query);
void container_list_free(struct container_list *list);
/* Append entries until @p out has @p size bytes or more. 1: there is more; 0: all is there, with the brackets; -1 for
 * lack of memory. */
int container_list_write(struct container_list *list, struct bytes *out, size_t size);

#endif
