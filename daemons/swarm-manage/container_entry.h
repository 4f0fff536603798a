/* SPDX-License-Identifier: Apache-2.0 */
/* How the pool shows a container in lists: the engine's entry with its node's name and address in it. */
#ifndef MANAGE_CONTAINER_ENTRY_H
#define MANAGE_CONTAINER_ENTRY_H

#include <jansson.h>
#include <stdbool.h>

#include "json_scan.h"

struct entry_context;

/* What is of use in an entry besides its text. */
struct entry_parts {
    struct json_span id, names, state, mounts;
    int minor; /* the newest minor API version that a field is from, of those that container_entry_shape() knows */
};
struct entry_parts container_entry_parts(struct json_span entry);

/* What an entry shows in place of what its engine said. No length: that stays. */
struct entry_changes {
    struct json_span labels;
    struct json_span state;
};

/* Write @p entry, an object, as JSON in two pieces that the value of Status goes between, quotes excluded. Names get
 * "/<node>" in front where the context says so, addresses of ports that mean all interfaces become the engine's (then
 * exact duplicates are dropped), Created is corrected by the clock delta; all else stays as it is written, in its
 * order. Both pieces are new. 0, or -1 for lack of memory. */
int container_entry_render(struct json_span entry, const struct entry_changes *changes,
                           const struct entry_context *context, char **ret_head, char **ret_tail);

/* Take out what clients of API 1.@p minor do not get from an engine. */
void container_entry_shape(json_t *entry, int minor);

/* "0.0.0.0", "::" in any spelling: all of the engine's interfaces. */
bool ip_is_unspecified(const char *ip);

#endif
