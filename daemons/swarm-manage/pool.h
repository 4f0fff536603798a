/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's state: the libswarm cluster, the engines, and what each container's engine last said of it. One
 * read-write lock, held for microseconds and never over I/O. It is not recursive: who holds it, be it for reading, must
 * not take it again (a writer may be waiting in between).
 *
 * Order of facts: who asks an engine about a container takes a ticket first, and an answer is applied only where no
 * later ticket's answer was applied before it. A container that was removed is not brought back by an answer asked for
 * before that: the last removals are remembered one by one, of older ones only that they were (engine.h). */
#ifndef MANAGE_POOL_H
#define MANAGE_POOL_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <swarm/swarm.h>

#include "container_uses.h"
#include "engine.h"
#include "failure.h"
#include "json_scan.h"

struct pool {
    pthread_rwlock_t lock;
    struct swarm_cluster *cluster;
    struct engine **engines;    /* pending ones included; in natural order of their names */
    struct engine **by_address; /* the same, in order of their addresses */
    size_t engine_count, engine_capacity;
    _Atomic uint64_t tickets;
    struct info_cache *info;
    struct held_name *held_networks; /* pool_objects.c */
    struct manager *manager;
    size_t container_states[POOL_CONTAINER_STATES]; /* containers by container_record_shown_state() */
    atomic_int lists;                               /* of containers, under way (container_list.h) */
    struct container_record *ended;                 /* of containers that are gone, which lists may show */
};

int pool_new(struct pool **ret, struct manager *manager);
void pool_free(struct pool *pool);
void pool_read_lock(struct pool *pool);
void pool_write_lock(struct pool *pool);
void pool_unlock(struct pool *pool);

/* What the pool keeps of a container beside libswarm's facts: data of its struct swarm_container. */
struct container_record {
    union {
        struct engine *engine;               /* borrowed: lives as long as the container */
        struct container_record *next_ended; /* of the pool's */
    };
    uint64_t ticket;       /* of the inspect answer that is in force */
    uint64_t entry_ticket; /* of the list entry that is: the same or a later one */
    struct container_entry *entry; /* rendered once, when the engine reports; NULL: it has not yet */
    int entry_minor;            /* the entry has fields of API 1.<this>, which container_entry_shape() takes out */
    struct container_uses uses; /* likewise */
    /* What Status, filters and sorting need. */
    bool running, paused, restarting, dead, removing;
    unsigned char counted; /* in the pool's container_states: 1 and up by state, 0: not yet */
    int exit_code;
    char health[16];       /* "none", "starting", "healthy", "unhealthy" */
    int64_t created_ns;    /* Unix time, corrected by the engine's clock delta */
    int64_t started_ns;    /* 0: never */
    int64_t finished_ns;   /* 0: never */
    int64_t killed_ns;     /* its engine told of a signal to it; 0: never */
    int64_t stop_asked_ns; /* a client of ours wanted it to end; 0: never */
    char *inspect;         /* the engine's inspect answer, kept only for containers with a reschedule policy */
    size_t inspect_length;
    char *recorded;                /* "<node id>/<id>" where it is in the records (remember.h); NULL: it is not */
    uint64_t recorded_hash;        /* what is there of it */
    unsigned char recorded_wanted; /* and of its state */
    char *move_trouble; /* why it could not be moved off its lost node, as logged last; NULL: it was not tried */
};
static inline struct container_record *container_record(const struct swarm_container *container)
{
    return swarm_container_data(container);
}

/* A container that a request is about, copied out of the pool. Clear with target_clear(). */
struct target {
    struct engine *engine; /* reference */
    char *id;              /* full id */
    char *name;            /* without slash and node, may be "" */
    char *node_name;
    bool healthy;
};
/* By id, prefix, swarm id, name, node/name. -1: 404 `No such container: x`, also for ambiguous (with its text). */
int pool_find_container(struct pool *pool, const char *reference, struct target *ret, struct failure *failure);
void target_clear(struct target *target);

/* --- engines --- */
/* Add one that discovery named; NULL with failure where that address is known or malformed. Borrowed: the pool holds it
 * until it is removed. */
struct engine *pool_add_engine(struct pool *pool, const char *address, struct failure *failure);
/* Take it out with its containers. */
void pool_remove_engine(struct pool *pool, struct engine *engine);
struct engine *pool_find_engine_by_address(struct pool *pool, const char *address); /* reference, NULL: none */
struct engine *pool_find_engine_by_name(struct pool *pool, const char *name);       /* reference, NULL: none */
/* References to all validated engines (only healthy ones where asked); array owned, each to be unref'd. */
struct engine **pool_engines(struct pool *pool, bool healthy_only, size_t *ret_count);
/* The advertised API version as "1.41". */
void pool_api_version(struct pool *pool, char buffer[16]);

/* Whether another engine is the node of that id, and has containers by which the two can be told apart: then they are to
 * be compared before the specs are applied. */
bool pool_has_twin(struct pool *pool, const struct engine *engine, const char *id);
/* With what the engine answers to "GET /containers/json?all=1": one that has none of the other's is not the same engine
 * at another address, but another machine with the same id (cloned, say), and never becomes that node. */
void pool_compare_twin(struct pool *pool, struct engine *engine, const char *id, const json_t *list);
/* What an engine says of itself. The first time this validates it: it becomes a node of the cluster,
 * unless its id is another engine's (error on it: "ID duplicated. <id> shared by this node <addr> and another node
 * <addr>") or differs from what it was. Where that other one does not answer any more this is it, at another address,
 * unless the two have been compared and differ. 0, or -1 with failure (also set as the engine's error). */
int pool_apply_specs(struct pool *pool, struct engine *engine, json_t *info, json_t *version, const char *builder,
                     struct failure *failure);
/* Its state, failure count and last error (NULL: none); keeps the node's health indicator. */
void pool_set_state(struct pool *pool, struct engine *engine, enum engine_state state, int failures, const char *error);
/* Healthy from now on, given that the pool has what it has. False where a container has been moved off it since the
 * list was asked for that is in force: the move took it out of the pool, and the engine has it still. */
bool pool_set_back(struct pool *pool, struct engine *engine);
/* It answers, but stays unhealthy for that reason, until its state is set again. */
void pool_hold_back(struct pool *pool, struct engine *engine, int failures, const char *error);
/* Its membership has lapsed, but it stays, until @p drop_ms (monotonic, -1: for as long as it answers); or it is
 * announced again. Nothing is placed on an unannounced one. */
void pool_set_unannounced(struct pool *pool, struct engine *engine, bool unannounced, int64_t drop_ms);
/* Its answer to GET /images/json?all=1, asked for with that ticket: nothing where a later answer is in force. */
void pool_apply_images(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *images);

/* The same for GET /networks and GET /volumes, whose answer is an object. */
void pool_apply_networks(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *networks);
void pool_apply_volumes(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *volumes);
/* The tickets of what is in force of images, networks and volumes. */
struct object_tickets {
    uint64_t images, networks, volumes;
};
struct object_tickets pool_object_tickets(struct pool *pool, const struct engine *engine);
/* One that was made just now, as the engine's answer describes it, or that is gone. */
void pool_put_volume(struct pool *pool, struct engine *engine, json_t *volume);
void pool_drop_volume(struct pool *pool, struct engine *engine, const char *name);
void pool_drop_network(struct pool *pool, struct engine *engine, const char *id);
/* No other network of that name is made meanwhile. -1 with 409 where there is one on any engine, or is being made. */
int pool_hold_network_name(struct pool *pool, const char *name, struct failure *failure);
void pool_release_network_name(struct pool *pool, const char *name);

/* --- containers --- */
uint64_t pool_ticket(struct pool *pool);
struct listed_container {
    char *id; /* owned */
    struct json_span entry;
};
/* The engine's GET /containers/json?all=1, an array that json_valid() has passed: what is missing there is removed, known
 * entries are renewed; *ret_wanted (owned, with each id) are those that must be inspected, with their entries, which lie
 * in the answer: new ones, those that restart or whose state is another one, or all of them where @p full. */
int pool_apply_listed(struct pool *pool, struct engine *engine, uint64_t ticket, struct json_span list, bool full,
                      struct listed_container **ret_wanted, size_t *ret_count);
/* Grows by one with each answer about one of the engine's containers that is applied, and with each that is removed. */
uint64_t pool_container_changes(struct pool *pool, const struct engine *engine);
/* Whether an answer asked for with that ticket or a later one had a container that was removed since, and was not
 * believed: it may be there all the same, and only be moved off its engine while that was lost. To be asked anew. */
bool pool_has_refused(struct pool *pool, const struct engine *engine, uint64_t ticket);
/* One container: its list entry, an object that json_valid() has passed, and its inspect answer. */
int pool_apply_answers(struct pool *pool, struct engine *engine, uint64_t ticket, struct json_span entry,
                       const char *inspect, size_t length);
/* The same with a tree. */
int pool_apply_container(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *entry, const char *inspect,
                         size_t length);
/* One of its lists is at its end. */
void pool_end_list(struct pool *pool);
/* Whether what is known of a container has the event in it already: "create", "start", or a network's "connect", which
 * the engine told at that time of its clock (Unix, ns). False for any other, and where that is not certain. */
bool pool_shows_event(struct pool *pool, const struct engine *engine, const char *id, const char *action,
                      int64_t time_ns);
/* It is gone, as its engine says (404, destroy event). */
void pool_apply_removal(struct pool *pool, struct engine *engine, uint64_t ticket, const char *id);
/* Its engine told of a signal to it ("kill" event); a client asked us to stop it. Tells whether it had been stopped, or
 * ran until its engine shut down, should that be lost next. */
void pool_note_kill(struct pool *pool, struct engine *engine, const char *id);
void pool_note_stop(struct pool *pool, struct engine *engine, const char *id);
/* Ask the engine about one container and apply the answer, blocking: after what a request changed. -1 where it could
 * not be asked; a container that is gone is no failure. */
int pool_refresh_container(struct pool *pool, struct engine *engine, const char *id);
/* Its images, networks or volumes, likewise. */
int pool_refresh_images(struct pool *pool, struct engine *engine, struct failure *failure);
int pool_refresh_networks(struct pool *pool, struct engine *engine, struct failure *failure);
int pool_refresh_volumes(struct pool *pool, struct engine *engine, struct failure *failure);
/* The same for the engine's whole list. */
int pool_refresh_engine(struct pool *pool, struct engine *engine, bool full, struct failure *failure);

#endif
