/* SPDX-License-Identifier: Apache-2.0 */
/* What is put into the records as the pool learns it (record.h says what). Nothing is kept where the manager has no
 * records. */
#ifndef MANAGE_REMEMBER_H
#define MANAGE_REMEMBER_H

#include <jansson.h>
#include <stdbool.h>

#include <swarm/swarm.h>

#include "container_record.h"
#include "manager.h"

struct pool;
struct engine;

/* --- with the pool locked for writing --- */

/* An engine reported a container; the report's record is taken where it is a new one. */
void remember_container(struct pool *pool, struct swarm_container *container, struct container_report *report);
/* It was made out of that record, "<node id>/<container>". */
void remember_restored(struct swarm_container *container, const char *rest, uint64_t hash, const json_t *state);
/* The record has that of one whose engine answers. What differs is put; false: what its engine says of it differs, and
 * is to be asked for, since only a hash of that is kept. @p state: NULL: there is none. */
bool remember_compare(struct swarm_container *container, uint64_t hash, const json_t *state);
/* The record has nothing of it: put it when its engine reports it next. */
void remember_anew(struct swarm_container *container);
/* Its state in the cluster is what is wanted of it from now on. */
void remember_wanted(struct swarm_container *container);
/* It leaves the cluster. */
void remember_gone(struct container_record *record);
void remember_node(struct pool *pool, struct engine *engine);
/* Whatever was put before. */
void remember_node_anew(struct pool *pool, struct engine *engine);
/* Those "<node id>/<container>" are not there any more. */
void remember_container_gone(struct manager *manager, const char *rest);
void remember_node_gone(struct pool *pool, const struct engine *engine);
/* For swarm_rescheduler_set_memory(); @p data is the manager, whose table of them is kept as well where there is one.
 */
void remember_copy(void *data, const struct swarm_memory *memory);
/* Put those of the manager's table again that are not in this one, or another one there. */
void remember_copies_but(struct manager *manager, const json_t *known);

/* --- without it --- */

/* Wait until what is known of a container is on disk. */
void remember_settle(struct pool *pool, const struct engine *engine, const char *id);

/* A move that is about to be made. */
struct move_claim {
    const char *id; /* of the container to be moved */
    const char *swarm_id;
    const char *name;
    const char *node_id; /* where it was */
    const char *to_id;   /* where it is to be */
    bool start;
    uint64_t term;
};
/* On disk when it returns. Where that fails, a move is worth more than its record if that is this manager's own, which
 * the log says; false: others would not know of it. */
bool remember_claim(struct manager *manager, const struct move_claim *claim);
/* It was made, or nothing is left of it. */
void remember_claim_end(struct manager *manager, const char *swarm_id);

#endif
