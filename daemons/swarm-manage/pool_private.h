/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the pool, and the watchdog, share. All of it with the pool locked for writing. */
#ifndef MANAGE_POOL_PRIVATE_H
#define MANAGE_POOL_PRIVATE_H

#include "container_record.h"
#include "pool.h"

/* Engines that are looked at for one whose answer is the same: what a pool's engines have in common is kept once. */
#define POOL_LIKE_MAX 16

/* Put an engine where it belongs among the others, after its name has changed. */
void pool_reorder_engine(struct pool *pool, struct engine *engine);
/* The engine stays, and is not known to be any node any more. */
void pool_remove_node(struct pool *pool, struct engine *engine);
/* pool_remove_engine() without taking the lock. */
void pool_remove_engine_locked(struct pool *pool, struct engine *engine);

/* Answers asked for up to now do not bring that container back. */
void pool_remember_removal(struct pool *pool, struct engine *engine, const char *id);
bool pool_is_stale(const struct engine *engine, const char *id, uint64_t ticket);
/* Whether it is one of the last that were taken out. */
bool pool_was_removed(const struct engine *engine, const char *id);
/* Count it among the pool's containers by what its state is now; not any more. */
void pool_count_container(struct pool *pool, struct container_record *record);
void pool_uncount_container(struct pool *pool, struct container_record *record);
/* Take a container out of the cluster, with its record. */
void pool_drop_container(struct pool *pool, struct swarm_container *container);

/* Whether it does not run because a client of ours wanted it to end. */
bool pool_was_stopped(const struct container_record *record);
/* The engine is lost: those of its containers that it ended as it shut down count as running for the cluster. */
void pool_restore_running(struct engine *engine);

/* Release with entry_context_clear(). -1 for lack of memory. Takes the lock for reading. */
int pool_entry_context(struct pool *pool, struct engine *engine, struct entry_context *ret);
void entry_context_clear(struct entry_context *context);

#endif
