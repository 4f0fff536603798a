/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's event stream: each event is encoded once and queued by reference for every listener; queues are bounded
 * (10,000 events), a listener that falls behind is cut off. A bounded history serves `since`. */
#ifndef MANAGE_EVENTS_H
#define MANAGE_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "failure.h"
#include "json_scan.h"

struct event_hub;
struct event_listener;

/* One event, shared and read only. */
struct event {
    int64_t time_ns;
    const char *line; /* JSON and a newline */
    size_t length;
};

int event_hub_new(struct event_hub **ret);
void event_hub_free(struct event_hub *hub);

/* An engine's event: gets " node:<name>", the node.* attributes and the node object. */
void events_publish_engine(struct event_hub *hub, struct engine *engine, struct json_span event);
/* One of the manager's own: "engine_connect", "engine_disconnect", "engine_reconnect". */
void events_publish_swarm(struct event_hub *hub, struct engine *engine, const char *action);

struct event_query {
    int64_t since_ns; /* -1: only what comes */
    int64_t until_ns; /* -1: for ever */
    json_t *filters;  /* {"key": ["value", …]}, NULL: none; owned by the caller while listening */
};
/* Check the filters' keys: -1 with 400 `invalid filter 'x'`. */
int event_query_check(const struct event_query *query, struct failure *failure);
int event_listener_new(struct event_listener **ret, struct event_hub *hub, const struct event_query *query);
void event_listener_free(struct event_listener *listener);
/* Readable while there is something to take (or the listener was cut off). */
int event_listener_fd(const struct event_listener *listener);
/* The next event that passes the filters: 1; 0 none now; -1 cut off. Release with event_unref(). */
int event_listener_next(struct event_listener *listener, const struct event **ret);
void event_unref(const struct event *event);
size_t event_hub_listeners(struct event_hub *hub);
/* All that listen now get what is queued for them, and are cut off then. */
void event_hub_cut(struct event_hub *hub);

#endif
