/* SPDX-License-Identifier: Apache-2.0 */
/* How the pool shows a container in lists: the engine's entry with its node's name and address in it. */
#ifndef MANAGE_CONTAINER_ENTRY_H
#define MANAGE_CONTAINER_ENTRY_H

#include <jansson.h>
#include <stdbool.h>

#include "json_scan.h"

struct entry_context;

/* How lists show a container: a list entry as JSON, in two pieces that the value of Status goes between, quotes
 * excluded. One block of memory: a list takes thousands of them, each from somewhere else. */
struct container_entry {
    unsigned head_length, tail_length;
    char text[]; /* the head, the tail, NUL */
};

/* What is of use in an entry besides its text. */
struct entry_parts {
    struct json_span id, names, state, mounts;
    int minor; /* the newest minor API version that a field is from, of those that container_entry_shape() knows */
};
struct entry_parts container_entry_parts(struct json_span entry);

/* The entry of that id in an engine's list; no length: it is not there. */
struct json_span container_entry_find(struct json_span list, const char *id);

/* What an entry shows in place of what its engine said. No length: that stays. */
struct entry_changes {
    struct json_span labels;
    struct json_span state;
};

/* From an engine's @p entry, an object. Names get "/<node>" in front where the context says so, addresses of ports that
 * mean all interfaces become the engine's (then exact duplicates are dropped), Created is corrected by the clock delta;
 * all else stays as it is written, in its order. New, for free(); NULL for lack of memory. */
struct container_entry *container_entry_render(struct json_span entry, const struct entry_changes *changes,
                                               const struct entry_context *context);

/* Take out what clients of API 1.@p minor do not get from an engine. */
void container_entry_shape(json_t *entry, int minor);

/* "0.0.0.0", "::" in any spelling: all of the engine's interfaces. */
bool ip_is_unspecified(const char *ip);

#endif
