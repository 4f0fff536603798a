/* SPDX-License-Identifier: Apache-2.0 */
/* How the pool shows a container in lists: the engine's entry with its node's name and address in it. */
#ifndef MANAGE_CONTAINER_ENTRY_H
#define MANAGE_CONTAINER_ENTRY_H

#include <jansson.h>
#include <stdbool.h>

struct entry_context;

/* Write @p entry as JSON in two pieces that the value of Status goes between, quotes excluded. Names get "/<node>" in
 * front where the context says so, addresses of ports that mean all interfaces become the engine's (then exact duplicates are dropped), Labels
 * become @p labels (NULL: stay), Created is corrected by the clock delta; all else stays, in its order. Both pieces are
 * new. 0, or -1 for lack of memory. */
int container_entry_render(json_t *entry, json_t *labels, const struct entry_context *context, char **ret_head,
                           char **ret_tail);

/* The newest minor API version that a field of the entry is from, of those that container_entry_shape() knows; 0: none.
 */
int container_entry_minor(const json_t *entry);
/* Take out what clients of API 1.@p minor do not get from an engine. */
void container_entry_shape(json_t *entry, int minor);

/* "0.0.0.0", "::" in any spelling: all of the engine's interfaces. */
bool ip_is_unspecified(const char *ip);

#endif
