/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the virtual cluster share. */
#ifndef TESTS_KIT_VIRTUAL_WORLD_H
#define TESTS_KIT_VIRTUAL_WORLD_H

#include <swarm/swarm.h>

#include "virtual_clock.h"
#include "virtual_cluster.h"

struct engine;
struct app;

/* Addresses that one engine may be known by. */
#define ADDRESSES 2

/* ---- the truth ---- */

/* A container on an engine. It is never freed, so that whatever says its id can be looked up. */
struct copy {
    char id[17];
    struct app *app;
    struct engine *engine;
    bool alive, running, ran_once;
    bool late;        /* made when nobody waited for it any more */
    int64_t since_ms; /* it runs */
    int64_t died_ms;
    struct copy *previous, *next; /* on its engine */
    struct copy *sibling;         /* of its app, newest first, dead ones too */
};

/* What a user sees as one container. */
struct app {
    size_t number;
    char name[16];
    struct swarm_request *request;
    bool policy;
    bool wanted;  /* its user has not removed it */
    bool excused; /* the manager cannot know: it started anew while copies were away or being made */
    struct copy *copies;
    size_t alive;
    int64_t doubled_ms; /* since when two copies run within reach; -1: they do not */
    size_t actions;     /* open ones */
    size_t travelling;  /* orders on their way to an engine */
    size_t home;        /* engine number, of one without a policy */
    uint64_t seen;      /* by the audit of that number */
};

/* What the manager makes of one address of an engine. */
struct address {
    char id[24];
    struct swarm_node *node; /* NULL: not in the pool */
    bool connected;
    bool missed;             /* something happened that it could not hear of */
    int64_t lost_ms, due_ms; /* when it was lost, and when its grace is over */
    bool counts;             /* for the guard */
    int moves_onto;          /* open ones */
};

struct engine {
    size_t number;
    int64_t cpus, memory, used_cpus, used_memory;
    bool power, daemon, cut, destroyed;
    bool slow;
    bool doubled; /* known by both addresses */
    struct copy *copies;
    struct address addresses[ADDRESSES];
};

/* An action that is being carried out. */
struct order {
    int references;          /* of events */
    uint64_t id, term, life; /* life: of the manager that gave it */
    int kind;
    bool start;
    bool reported; /* the manager does not wait for it any more */
    bool counted;  /* on its target */
    struct app *app;
    struct copy *subject; /* REMOVE: to be removed */
    struct copy *made;    /* MOVE, START */
    struct engine *engine;
    size_t address;
    struct swarm_reservation *reservation;
};

struct world {
    struct virtual_clock clock;
    const struct virtual_options *options;
    struct virtual_result *result;

    struct engine *engines;
    size_t engine_count;
    struct app **apps;
    size_t app_count, app_capacity;
    struct copy **copies;
    size_t copy_count, copy_capacity;

    /* the manager */
    struct swarm_cluster *cluster;
    struct swarm_scheduler *scheduler;
    struct swarm_rescheduler *rescheduler;
    struct swarm_rescheduler_options settings;
    uint64_t life, term;
    size_t moves_open, removals_open;
    int64_t wake_ms; /* the earliest turn that is set up; INT64_MAX: none */
    uint64_t audits;
    bool calm; /* no faults any more */
};

void trace(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something does not hold. */
void breach(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As the others, for memory: ends the program where there is none. */
void *must_allocate(size_t size);
void *must_grow(void *array, size_t *capacity, size_t count, size_t element_size);

/* ---- virtual_truth.c ---- */

bool engine_reachable(const struct engine *engine);
struct copy *copy_by_id(const struct world *world, const char *id);
/* Make one; the engine has room, or it is a breach. @p late: see struct copy. */
struct copy *copy_new(struct world *world, struct engine *engine, struct app *app, bool late);
void copy_set_running(struct world *world, struct copy *copy, bool running);
void copy_remove(struct world *world, struct copy *copy);
/* The one of an app on an engine, NULL: none. */
struct copy *copy_on(const struct app *app, const struct engine *engine);
struct app *app_new(struct world *world, bool policy);
/* Where its copies are. */
void app_trace(struct world *world, const struct app *app);
/* See whether two run within reach, and set up a check. */
void app_watch_doubles(struct world *world, struct app *app);
/* Compare all that must hold at any time. */
void audit(struct world *world);
/* Everything is mended, and has settled. */
void check_end(struct world *world);

/* ---- virtual_manager.c ---- */

void manager_start(struct world *world);
void manager_stop(struct world *world);
/* Something about an engine's reachability has changed: the manager notices in time. */
void manager_will_notice(struct world *world, struct engine *engine);
/* A copy has changed: the engine tells the manager, if it can. */
void manager_will_hear(struct world *world, struct copy *copy);
/* Put an address into the pool. */
void manager_add(struct world *world, struct engine *engine, size_t address);
/* Take an engine out of the pool, when the rescheduler lets it go. */
void manager_will_part(struct world *world, struct engine *engine);
/* Take over what an engine says of a copy. */
struct swarm_container *manager_apply(struct world *world, const struct address *address, const struct copy *copy);
/* An engine says that it is gone. */
void manager_forget(struct world *world, struct swarm_container *container);
/* Let the manager act, now. */
void manager_turn(struct world *world);
void manager_begin_term(struct world *world);
/* Somebody looks after what the guard holds and what was given up. */
void manager_release(struct world *world);

/* ---- virtual_orders.c ---- */

/* Carry out an action of the library's. */
void order_begin(struct world *world, const struct swarm_action *action);
/* Release all that are open, at the end. */
void orders_drop(struct world *world);
/* Latency of one way to an engine. */
int64_t travel_ms(struct world *world, const struct engine *engine);

/* ---- virtual_faults.c ---- */

void set_up_faults(struct world *world, int64_t for_ms);
/* End all of them. */
void mend(struct world *world);

#endif
