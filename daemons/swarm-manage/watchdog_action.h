/* SPDX-License-Identifier: Apache-2.0 */
/* One action of the rescheduler, with copies of all that carrying it out without the pool's lock takes. */
#ifndef MANAGE_WATCHDOG_ACTION_H
#define MANAGE_WATCHDOG_ACTION_H

#include <swarm/swarm.h>

#include "engine.h"
#include "manager.h"

struct watchdog_action {
    struct watchdog *watchdog;
    struct manager *manager;
    uint64_t id;
    uint64_t term;
    int kind; /* enum swarm_action_kind */
    bool start;
    bool stopped;                          /* a client wanted it to end */
    bool restart;                          /* START: of the container itself, which is back */
    struct swarm_reservation *reservation; /* MOVE: until it is committed or aborted */
    struct engine *engine;                 /* reference: where the container is */
    struct engine *kept_engine;            /* START: where the copy that stays is, reference */
    int cpus;                              /* of the container's engine */
    char *container_id;
    char *swarm_id;
    char *name;
    char *node_id;
    char *node_name;
    char *to_id;          /* MOVE: the node of the reservation */
    char *kept_id;        /* START, REMOVE: the copy that stays; NULL: none does */
    char *kept_node_name; /* and where it is */
    char *inspect;        /* MOVE: NULL where it is not known */
    size_t inspect_length;
    const struct engine_guard *guard; /* while it is carried out */
};

/* With the pool locked for writing. NULL for lack of memory. */
struct watchdog_action *watchdog_action_new(struct manager *manager, const struct swarm_action *action);
void watchdog_action_free(struct watchdog_action *action);
/* For tests: where the environment has SWARM_TEST_KILL_AT=<step>, the process kills itself at that step of an action:
 * claimed, created, moved, started, removing, removed. */
void watchdog_action_step(const char *step);
/* Carry it out and report the result to the rescheduler. Without locks held. */
void watchdog_action_run(struct watchdog_action *action, struct swarm_rescheduler *rescheduler);

#endif
