/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a listener asked for, with dockerd's rules for each key of `filters`. */
#ifndef MANAGE_EVENT_FILTER_H
#define MANAGE_EVENT_FILTER_H

#include <jansson.h>
#include <stdbool.h>

/* The keys that are understood, NULL-ended. */
extern const char *const event_filter_keys[];

/* True where @p event (as it is sent to clients) passes @p filters ({"key": ["value", …]}, NULL: none). Any thread. */
bool event_filter_passes(const json_t *filters, const json_t *event);

#endif
