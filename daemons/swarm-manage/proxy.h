/* SPDX-License-Identifier: Apache-2.0 */
/* Passing requests on to one engine: path rebuilt from route and id, version clamped, connection pooled. */
#ifndef MANAGE_PROXY_H
#define MANAGE_PROXY_H

#include <stdbool.h>

#include "http_server.h"
#include "manager.h"
#include "pool.h"

struct proxy_order {
    struct engine *engine;
    const char *method;  /* NULL: the client's */
    const char *version; /* the client's, "" or NULL: unversioned path */
    const char *path;    /* without version and query: "/containers/<id>/logs" */
    const char *query;   /* without '?'; NULL or "": none */
    bool may_hijack;
    /* The client's body is dropped: engines do not read one there, and it would become the first of the raw bytes. */
    bool without_body;
    const char *switched; /* relay.h */
    const char *refresh; /* container to refresh before the answer ends, NULL: none */
    bool refresh_images; /* likewise the engine's images, or volumes, where it went well */
    bool refresh_volumes;
    char **capture; /* relay.h */
    size_t *capture_length;
};

/* 0 where an answer was passed on (or captured; then *ret_status is its status); -1 with the failure to reply with
 * (status 0 where the client is gone or has been answered already). */
int proxy_request(struct manager *manager, struct http_request *request, struct http_reply *reply,
                  const struct proxy_order *order, int *ret_status, struct failure *failure);

#endif
