/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about one container: found by what the client calls it, passed on to its engine by its full id. */
#ifndef MANAGE_BY_CONTAINER_H
#define MANAGE_BY_CONTAINER_H

#include <stdbool.h>

#include "api.h"
#include "pool.h"

enum {
    BY_CONTAINER_ANY_HEALTH = 1, /* try even an engine that is known not to answer */
    BY_CONTAINER_REFRESH = 2,    /* ask what became of it before the answer ends */
    BY_CONTAINER_HIJACK = 4,     /* may turn into a raw stream */
    BY_CONTAINER_VOLUMES = 8,    /* ask what volumes there are, too, before the answer ends */
};

/* Find the container. -1 with 404, or with 500 `Container x running on unhealthy node y` unless that is allowed. */
int by_container_find(struct call *call, const char *name, int flags, struct target *ret, struct failure *failure);
/* "/containers/<id><rest>"; new, NULL for lack of memory. */
char *by_container_path(const struct target *target, const char *rest);
/* Pass the client's request on for a container that was found, with its query; answers. *ret_status (may be NULL) is
 * the engine's status, 0 where it did not answer. */
int by_container_pass(struct call *call, const struct target *target, const char *rest, int flags, int *ret_status);
/* Both: find call->name and pass on to "<container><call->rest>". */
int by_container(struct call *call, int flags);
/* Take the engine's answer to the client's request to @p path instead of passing it on. 0 with the answer in *ret_body
 * (new) and its status. */
int by_container_capture(struct call *call, struct engine *engine, const char *method, const char *path,
                         char **ret_body, size_t *ret_length, int *ret_status, struct failure *failure);

#endif
