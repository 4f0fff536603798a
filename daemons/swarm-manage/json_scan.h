/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that is looked at where it lies: of the thousands of answers in which engines describe their containers, few
 * values are wanted, and making a tree of each costs more than all else that is done with it. Pure functions.
 *
 * json_valid() comes first; all others take what has passed it. Keys are compared as they are written: one that is
 * spelled with escapes is not known. */
#ifndef MANAGE_JSON_SCAN_H
#define MANAGE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json_read.h"

/* A value as it is written, blanks around it excluded. No length: there is none. */
struct json_span {
    const char *at;
    size_t length;
};

/* Whether @p text is one value and nothing else, by the letter, and nested no deeper than JSON_READ_DEPTH_MAX. */
bool json_valid(const char *text, size_t length);
/* The value that is all of @p text. */
struct json_span json_span_of(const char *text, size_t length);

/* What an object or array has in it, from its beginning; nothing of any other value. */
struct json_walk {
    const char *at;
    const char *end;
};
struct json_walk json_walk(struct json_span value);
/* False at the end. The key comes without its quotes. */
bool json_walk_member(struct json_walk *walk, struct json_span *ret_key, struct json_span *ret_value);
bool json_walk_item(struct json_walk *walk, struct json_span *ret_value);
static inline bool json_key_is(struct json_span key, const char *name)
{
    return key.length == strlen(name) && memcmp(key.at, name, key.length) == 0;
}

/* The member of that name, the first one; none where there is none or @p object is no object. */
struct json_span json_span_get(struct json_span object, const char *name);
bool json_span_is_object(struct json_span value);
bool json_span_is_array(struct json_span value);
bool json_span_is_string(struct json_span value);
bool json_span_is_true(struct json_span value);
/* 0 for anything else; the nearest there is for one that is too large. */
int64_t json_span_integer(struct json_span value);
bool json_span_is_integer(struct json_span value);
/* The text of a string into @p buffer, with a NUL behind it; cut where it is longer. "" for anything else. */
void json_span_text(struct json_span value, char *buffer, size_t size);
/* The same as new text, NULL for lack of memory. */
char *json_span_strdup(struct json_span value);
bool json_span_equals(struct json_span value, const char *text);

#endif
