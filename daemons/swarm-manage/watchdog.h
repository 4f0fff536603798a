/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out what libswarm's rescheduler decides: one thread that owns it, and a bounded number of workers for the
 * calls to engines. */
#ifndef MANAGE_WATCHDOG_H
#define MANAGE_WATCHDOG_H

#include "engine.h"

struct manager;
struct watchdog;

int watchdog_new(struct watchdog **ret, struct manager *manager);
/* Start acting, where this manager is the primary (leader.h); one that is not follows what happens all the same. */
int watchdog_start(struct watchdog *watchdog);
/* Stop: what is under way ends first. */
void watchdog_free(struct watchdog *watchdog);

/* Any thread, without the pool's lock. */
/* This manager may have become the primary. */
void watchdog_look(struct watchdog *watchdog);
/* Of a manager that acts no more: until what it has begun has ended, or for that long. */
void watchdog_await_rest(struct watchdog *watchdog, int timeout_ms);
void watchdog_engine_lost(struct watchdog *watchdog, struct engine *engine, int loss); /* enum swarm_node_loss */
void watchdog_engine_back(struct watchdog *watchdog, struct engine *engine);
/* Discovery dropped it (its member leaving is set, and cleared should it be listed again) and it does not answer: when
 * no move of its containers pends any more it leaves the pool, with "Removed Engine <name>". */
void watchdog_engine_leaving(struct watchdog *watchdog, struct engine *engine);
/* With the pool locked for writing: before it is told that a container was moved off an engine. Where that is healthy
 * again it is to know: else it takes a container out of the cluster that is to be removed from the engine, too. */
void watchdog_note_back(struct watchdog *watchdog, struct engine *engine);
/* With the pool locked for writing: a container has become known, or its state has changed. */
void watchdog_container_changed(struct watchdog *watchdog, struct swarm_container *container);
/* With the pool locked for writing: before a container is taken out of the cluster. */
void watchdog_container_removed(struct watchdog *watchdog, const struct swarm_container *container);
/* The same where its engine says that it is gone for good. */
void watchdog_container_deleted(struct watchdog *watchdog, const struct swarm_container *container);
/* With the pool locked for writing: before a node is taken out of the cluster, after its containers. */
void watchdog_node_removed(struct watchdog *watchdog, struct swarm_node *node);

/* What an earlier manager knew, with the pool locked for writing and before engines are watched; as libswarm has it. */
int watchdog_remember(struct watchdog *watchdog, const struct swarm_memory *memory, struct swarm_error **reterr);
int watchdog_remember_move(struct watchdog *watchdog, const char *swarm_id, const char *node_id, bool start,
                           struct swarm_error **reterr);
/* Its node was away. */
int watchdog_remember_lost(struct watchdog *watchdog, struct engine *engine);
/* The same in the middle of its life, after that: what was remembered meets what is known of each node. */
void watchdog_review(struct watchdog *watchdog);
/* From here on what is to be remembered goes into the records. */
void watchdog_keep_memory(struct watchdog *watchdog);

/* Go on with what is held, and with what was given up. Any thread, without the pool's lock. */
void watchdog_release(struct watchdog *watchdog);
/* To ask it how things stand, with the pool locked. */
const struct swarm_rescheduler *watchdog_rescheduler(const struct watchdog *watchdog);

/* --- watchdog_state.c; with the pool locked; @p watchdog may be NULL --- */

/* "2 waiting, 1 given up, next try in 5s: <why>" of an engine, new text; NULL where nothing waits, or for lack of
 * memory. */
char *watchdog_engine_text(const struct watchdog *watchdog, const struct engine *engine);
/* "held, 4 of 6 engines lost at once"; NULL where nothing is held, or for lack of memory. */
char *watchdog_held_text(const struct watchdog *watchdog);

#endif
