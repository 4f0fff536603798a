/* SPDX-License-Identifier: Apache-2.0 */
/* One of everything, for test_nomem_api.c: made anew for each allocation that is to fail. */
#ifndef TESTS_UNIT_LIBSWARM_NOMEM_SCENE_H
#define TESTS_UNIT_LIBSWARM_NOMEM_SCENE_H

#include <stdbool.h>

#include "fixture.h"

struct scene {
    struct swarm_cluster *cluster;
    struct swarm_node *n0, *n1, *n2;
    struct swarm_container *c0;      /* on n0, runs, is to be moved if n0 is lost, has bound ports */
    struct swarm_container *c1;      /* on n1, stopped, with everything that could count */
    struct swarm_reservation *place; /* on n2 */
    struct swarm_request *request;   /* asks for something of each kind; not shared */
    struct swarm_request *shared;
    struct swarm_create_body *body;
    struct swarm_image *image;
    struct swarm_registry *registry;             /* has filter and strategy "mine" */
    struct swarm_scheduler *scheduler, *own;     /* the second made of the registry's */
    struct swarm_decision *decision, *explained; /* the second of request */
    struct swarm_rescheduler *rescheduler;
    struct swarm_action action;
    struct swarm_container *made; /* the stand-in */
    struct swarm_membership *membership;
    struct swarm_member *member; /* its only one */
    bool given_back;             /* the action's reservation */
    char *state, *asked;         /* cluster and request, written */

    /* What calls make. */
    struct swarm_cluster *new_cluster;
    struct swarm_node *new_node;
    struct swarm_container *new_container;
    struct swarm_request *new_request;
    struct swarm_create_body *new_body;
    struct swarm_image *new_image;
    struct swarm_registry *new_registry;
    struct swarm_scheduler *new_scheduler;
    struct swarm_decision *new_decision;
    struct swarm_reservation *new_reservation, *new_reservations[3];
    struct swarm_rescheduler *new_rescheduler;
    struct swarm_membership *new_membership;
    struct swarm_member *new_member;
    struct swarm_error *new_errors[2];
    char *new_text;
};

extern struct scene scene;
extern const struct swarm_filter_ops scene_filter;
extern const struct swarm_strategy_ops scene_strategy;
extern const char scene_create[], scene_inspect[];

void scene_begin(void);
/* Explain the request anew, as it has changed. */
void scene_explain(void);
/* What all of it is now, as text; new. */
char *scene_dump(void);
void scene_end(void);

/* Further on in the story of c0: each goes through the ones before it. */
void scene_lost(void);
void scene_moving(void);
void scene_committed(void);
void scene_moved(void);
void scene_returned(void);
void scene_back(void);
void scene_removing(void);
void scene_late(void);

#endif
