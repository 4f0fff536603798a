/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cluster twice: libswarm's and the oracle's. Each step is drawn, done to both, and their answers are compared.
 * Where the draws come from, and whether the library's memory runs out on the way, is the user's: a seeded generator in
 * differential.c, the bytes of an input in the fuzz target.
 */
#ifndef TESTS_DIFFERENTIAL_WORLD_H
#define TESTS_DIFFERENTIAL_WORLD_H

#include <stdbool.h>
#include <stdio.h>

#include <swarm/swarm.h>

#include "oracle.h"

#define WORLD_PLACES 12

/* A reservation, and what it is about: nothing once its node or its container has gone. */
struct place {
    struct swarm_reservation *reservation; /* NULL: the slot is free */
    struct oracle_node *node;
    struct oracle_container *container;
};

struct world_ops {
    /* A number from 0 to below - 1. */
    unsigned (*draw)(void *data, unsigned below);
    /* NULL: memory never runs out. Have some allocation of the next call fail; say whether one did, and end it. */
    void (*arm)(void *data);
    bool (*disarm)(void *data);
    void *data;
};

struct world {
    struct world_ops ops;
    bool patterns; /* there are many of them in this one */
    FILE *log;     /* each step in a line; NULL: nowhere */
    struct oracle *oracle;
    struct swarm_cluster *cluster;
    struct place places[WORLD_PLACES];
    struct swarm_error *error; /* of the last call */
    uint64_t generation;       /* before it */
    size_t verdicts[4];        /* decisions compared so far, by enum oracle_verdict */
    size_t soft_dropped;       /* of those granted */
    bool differs;
    char difference[3 * ORACLE_ERROR];
};

void world_init(struct world *world, const struct world_ops *ops);
void world_finish(struct world *world);
/* Do one step. Nothing is done any more once there was a difference. */
void world_step(struct world *world);
/* Sums and counts of everything. */
void world_compare(struct world *world);

/* ---- for the steps ---- */

unsigned world_draw(struct world *world, unsigned below);
void world_differ(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define world_log(world, ...)                                                                                          \
    do {                                                                                                               \
        if ((world)->log)                                                                                              \
            fprintf((world)->log, __VA_ARGS__);                                                                        \
    } while (0)

void world_arm(struct world *world);
/* Whether the call is to be made again, since it lacked memory; judges the failure. */
bool world_again(struct world *world, int code);
/* A call that gets &world->error. */
#define WORLD_CALL(world, code, call)                                                                                  \
    do {                                                                                                               \
        world_arm(world);                                                                                              \
        (code) = (call);                                                                                               \
    } while (world_again((world), (code)))
/* The same for batches, which may raise the generation also where they fail. */
#define WORLD_CALL_BATCH(world, code, call)                                                                            \
    do {                                                                                                               \
        world_arm(world);                                                                                              \
        (code) = (call);                                                                                               \
        (world)->generation = swarm_cluster_generation((world)->cluster);                                              \
    } while (world_again((world), (code)))
/* The call's code must be that one. */
void world_expect(struct world *world, const char *what, int code, int expected);

struct oracle_node *world_any_node(struct world *world);
/* Not a pending one; NULL where there is none. */
struct oracle_container *world_any_container(struct world *world);
/* Take a container of the oracle's out, in the places too. */
void world_forget(struct world *world, struct oracle_container *container);
/* What the library calls for each container that goes; @p data is the flag. */
void world_note_destroyed(void *data);
/* Note that the library has made a container for one of the oracle's. */
void world_tie(struct oracle_container *container, struct swarm_container *twin);

/* world_nodes.c, world_containers.c, world_decide.c, world_reload.c, world_batch.c */
void world_change_node(struct world *world);
void world_change_container(struct world *world);
void world_change_place(struct world *world);
void world_hold(struct world *world);
void world_except_stopped(struct world *world);
void world_decide(struct world *world);
void world_look_up(struct world *world);
void world_reload(struct world *world);
void world_batch(struct world *world);
/* Whether there is a place for that swarm id. */
bool world_is_placed(const struct world *world, const char *swarm_id);
/* In any order, some more than once. @p filters has room for MOST_FILTERS (asking.h). */
void world_any_filters(struct world *world, struct oracle_question *question, const char **filters);
void world_log_request(struct world *world, const struct oracle_request *request);

#endif
