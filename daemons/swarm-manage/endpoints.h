/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of a container that is made again elsewhere. Engines before API 1.44 take one network on create; the others
 * are connected afterwards, which all engines understand. */
#ifndef MANAGE_ENDPOINTS_H
#define MANAGE_ENDPOINTS_H

#include <swarm/swarm.h>

#include "engine.h"

struct endpoint {
    struct endpoint *next;
    char *network;
    char *settings; /* JSON object */
};

/* Take all endpoints but that of the network mode out of @p body. -1 for lack of memory: *ret then has those that were
 * taken. */
int endpoints_take(struct swarm_create_body *body, struct endpoint **ret);
/* Connect container @p id, called @p name in the log, to each. What fails is logged. */
void endpoints_connect(struct engine *engine, const char *id, const char *name, const struct endpoint *endpoints,
                       const struct engine_guard *guard);
void endpoints_free(struct endpoint *endpoints);

#endif
