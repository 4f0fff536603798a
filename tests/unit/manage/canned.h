/* SPDX-License-Identifier: Apache-2.0 */
/* What a real engine (20.10) said: a node "node-1" with containers web, db, app (linked to db), done and fresh. */
#ifndef TEST_CANNED_H
#define TEST_CANNED_H

#include <jansson.h>
#include <stddef.h>

/* tests/unit/manage/data/<name>.json as text, new; ends the test where it cannot be read. */
char *canned_text(const char *name, size_t *ret_length);
json_t *canned_json(const char *name);
/* The list entry of the container of that name; new reference. */
json_t *canned_entry(const char *container);
/* /info of an engine with that id and name, whose clock is right. */
json_t *canned_info(const char *id, const char *name);

#endif
