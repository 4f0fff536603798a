/* SPDX-License-Identifier: Apache-2.0 */
/* Which container each exec belongs to: engines know their own only. Bounded: the oldest are forgotten, and asked for
 * again when someone wants them. */
#ifndef MANAGE_EXEC_TABLE_H
#define MANAGE_EXEC_TABLE_H

#include <stddef.h>

#include "failure.h"
#include "manager.h"

struct engine;
struct exec_table;

/* 0, or -1 for lack of memory. */
int exec_table_new(struct exec_table **ret);
void exec_table_free(struct exec_table *table);
/* Remember; for lack of memory it is not, which costs a round of questions later. Any thread. */
void exec_table_add(struct exec_table *table, const char *id, const char *container_id, struct engine *engine);
/* The engine of an exec: a reference; NULL where it is unknown. *ret_container is new text. Any thread. */
struct engine *exec_table_find(struct exec_table *table, const char *id, char **ret_container);
void exec_table_remove(struct exec_table *table, const char *id);

#endif
