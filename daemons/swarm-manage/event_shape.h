/* SPDX-License-Identifier: Apache-2.0 */
/* How an event looks to clients: the engine's own, and where in the pool it happened. Engines tell of more events than
 * of anything else, and nobody looks at most of them: their text is made into another one without a tree of either. */
#ifndef MANAGE_EVENT_SHAPE_H
#define MANAGE_EVENT_SHAPE_H

#include <stdint.h>

#include "bytes.h"
#include "json_scan.h"

/* The engine that an event is from. */
struct event_origin {
    const char *name;
    const char *id;
    const char *address;
    const char *ip;
};

/* Append @p event, as an engine sent it, with " node:<name>" in `from`, the node.* attributes among the others in order
 * of their keys, and the node object at its end. Fields that are not known here are kept before it. A line, with its
 * newline and no other. 0, or -1 for lack of memory. */
int event_shape(struct bytes *out, struct json_span event, const struct event_origin *origin);
/* The same of the manager's own event @p action (plain letters) about that engine. */
int event_shape_swarm(struct bytes *out, const char *action, int64_t time_ns, const struct event_origin *origin);
/* timeNano, else time, as Unix time in nanoseconds; 0 where there is neither. */
int64_t event_time_ns(struct json_span event);

#endif
