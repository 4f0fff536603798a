/* SPDX-License-Identifier: Apache-2.0 */
/* A small Docker engine for tests: it is asked about itself, containers are created, listed, inspected, started and
 * removed, an image is there or can be pulled, and its event stream says what the test says. Any thread. */
#ifndef TESTS_KIT_ENGINE_PEER_H
#define TESTS_KIT_ENGINE_PEER_H

#include <jansson.h>
#include <stdbool.h>

#include "http_peer.h"

struct engine_inside;

struct engine_peer {
    struct http_peer *http; /* to kill and revive it, to break its connections, to see what it was asked */
    struct engine_inside *inside;
};

/* What it does wrong. Texts are borrowed. */
struct engine_faults {
    bool image_missing;     /* creates answer 404 until a pull or load has succeeded */
    const char *load_error; /* NULL: loads succeed */
    const char *pull_error; /* in the progress stream; NULL: pulls succeed */
    int pull_status;        /* pulls answer this with pull_error in place of a stream; 0: they begin */
    int create_status;      /* creates answer this with create_message; 0: they work */
    const char *create_message;
    bool hide_containers; /* lists are empty */
    int start_status;     /* 0: starts work */
};

/* Its ID and its name. Ends the program where it cannot be had. */
struct engine_peer *engine_peer_new(const char *id, const char *name);
void engine_peer_free(struct engine_peer *engine);
const char *engine_peer_address(const struct engine_peer *engine);

/* From now on. */
void engine_peer_break(struct engine_peer *engine, struct engine_faults faults);
void engine_peer_set_id(struct engine_peer *engine, const char *id);
/* How long an inspect of that container takes. */
void engine_peer_set_slow(struct engine_peer *engine, const char *container, int delay_ms);

/* A container behind everybody's back and without an event. Containers are named by id or name. */

/* It comes to be, or changes where there is one of that id. @p id NULL: one of the engine's own; @p body: as for a
 * create, NULL: a plain one; @p status: created, running, exited. Its id, borrowed until it is removed. */
const char *engine_peer_put(struct engine_peer *engine, const char *id, const char *name, const char *body,
                            const char *status);
/* It exits now. Its id, borrowed. */
const char *engine_peer_end(struct engine_peer *engine, const char *container);
void engine_peer_rename(struct engine_peer *engine, const char *container, const char *name);
/* It is gone. */
void engine_peer_remove(struct engine_peer *engine, const char *container);

int engine_peer_count(struct engine_peer *engine);
/* Its create body, new; NULL: there is none. */
json_t *engine_peer_body(struct engine_peer *engine, const char *container);
bool engine_peer_runs(struct engine_peer *engine, const char *container);

/* A container's event to every open event stream, whether or not there is such a container. */
void engine_peer_send_event(struct engine_peer *engine, const char *action, const char *id);

#endif
