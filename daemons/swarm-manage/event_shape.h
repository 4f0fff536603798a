/* SPDX-License-Identifier: Apache-2.0 */
/* How an event looks to clients: the engine's own, and where in the pool it happened. */
#ifndef MANAGE_EVENT_SHAPE_H
#define MANAGE_EVENT_SHAPE_H

#include <jansson.h>
#include <stdint.h>

/* The engine that an event is from. */
struct event_origin {
    const char *name;
    const char *id;
    const char *address;
    const char *ip;
};

/* @p event as an engine sent it (borrowed) with " node:<name>" in `from`, the node.* attributes among the others in
 * order, and the node object at its end. Fields that are not known here are kept before it. New; NULL for lack of
 * memory. */
json_t *event_shape(const json_t *event, const struct event_origin *origin);
/* The manager's own event @p action about that engine. New; NULL for lack of memory. */
json_t *event_shape_swarm(const char *action, int64_t time_ns, const struct event_origin *origin);
/* timeNano, else time, as Unix time in nanoseconds; 0 where there is neither. */
int64_t event_time_ns(const json_t *event);

#endif
