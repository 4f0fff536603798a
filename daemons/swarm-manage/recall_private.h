/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with records that were read: by recall.c before engines are watched, by recall_merge.c later. */
#ifndef MANAGE_RECALL_PRIVATE_H
#define MANAGE_RECALL_PRIVATE_H

#include <jansson.h>

#include "manager.h"
#include "record.h"
#include "record_store.h"

struct pool;
struct engine;

/* What was read, by what is behind the kind in the key; containers are many, and taken over as they are read. */
struct recalled {
    struct manager *manager;
    json_t *kinds[RECORD_KINDS];
    json_t *unread; /* whole keys, with why */
    size_t containers;
};

void recalled_init(struct recalled *recalled, struct manager *manager);
void recalled_finish(struct recalled *recalled);
/* All but containers. -1 with *reterr new text. */
int recalled_read(struct recalled *recalled, struct record_store *store, char **reterr);
int recalled_leave_unread(struct recalled *recalled, const char *key, const char *why);
void recalled_set_aside(const struct recalled *recalled, struct record_store *store);

/* Add a node of the record to the pool, at its address; borrowed, NULL where it cannot be, which is logged. */
struct engine *recall_node(struct manager *manager, const char *id, const json_t *record);
/* The same to an engine that has no node. With the pool locked for writing. */
int recall_add_node(struct pool *pool, struct engine *engine, const char *id, const json_t *record);
/* What the records have of a container. */
struct recalled_container {
    const char *rest; /* "<node id>/<id>" */
    struct record_spans spans;
    const json_t *state; /* NULL: none */
    uint64_t hash;       /* of the record's text */
};
/* -1: for lack of memory, or it makes no sense. */
int recall_container(struct manager *manager, struct engine *engine, const struct recalled_container *from);
/* The engine whose node it is in "<node id>/<container id>"; NULL where there is none. */
struct engine *recall_engine_of(struct manager *manager, const char *rest);

/* Before engines are watched, for a manager that may have to know later: the nodes, and what was on them. -1 with
 * *reterr new text. */
int recall_ahead(struct manager *manager, struct record_store *store, char **reterr);

/* With the pool locked for writing. */
void recall_copies(struct manager *manager, const struct recalled *recalled);
void recall_claims(struct manager *manager, const struct recalled *recalled);

/* What of a record and a pool that lives belongs together, in both directions: what the pool does not know is added to
 * it, what the record does not have is put. *ret_ask: containers that are to be asked for, so that the record gets what
 * their engines say: new object, id to address of the engine. -1 with *reterr new text. */
int recall_merge(struct manager *manager, struct record_store *store, json_t **ret_ask, char **reterr);

#endif
