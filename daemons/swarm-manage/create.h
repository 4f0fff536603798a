/* SPDX-License-Identifier: Apache-2.0 */
/* Making a container: choose and reserve under the lock, create on the engine without it, commit or give back. Serves
 * the API's create and the watchdog's moves. */
#ifndef MANAGE_CREATE_H
#define MANAGE_CREATE_H

#include <jansson.h>

#include <swarm/swarm.h>

#include "failure.h"
#include "manager.h"

struct engine_guard;

struct create_order {
    struct swarm_create_body *body;
    const char *name;                 /* NULL or "": none */
    const char *platform;             /* query parameter passed on, NULL: none */
    const char *auth;                 /* X-Registry-Auth for a pull, NULL: none */
    const char *version;              /* API version of the client, NULL: our maximum */
    const json_t *volumes;            /* named ones that it has (create_bind.h), NULL: none */
    const struct engine_guard *guard; /* engine.h; NULL: none */
};

/* The whole of a create, with retries. *ret_answer: the engine's answer ({"Id", "Warnings"}), owned. */
int create_container(struct manager *manager, const struct create_order *order, json_t **ret_answer,
                     struct failure *failure);
/* Where it would go, and why, with nothing changed: the decision as JSON (swarm_decision_json()), to be released with
 * swarm_free(). */
int create_dry_run(struct manager *manager, const struct create_order *order, char **ret_json, size_t *ret_length,
                   struct failure *failure);
/* Create on the engine of a reservation (pull where the image is missing, refresh, commit): the reservation is gone in
 * any case. *ret_id owned; *ret_engine a reference. */
int create_reserved(struct manager *manager, struct swarm_reservation *reservation, const struct create_order *order,
                    json_t **ret_answer, struct engine **ret_engine, struct failure *failure);

#endif
