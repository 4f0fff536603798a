/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a stream of JSON objects (an engine's /events) apart, however it is cut into pieces. Looks at braces and
 * strings only: whether an object is valid JSON is for who parses it. */
#ifndef MANAGE_JSON_OBJECTS_H
#define MANAGE_JSON_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

struct json_objects {
    size_t limit; /* bytes of one object */
    char *buffer; /* the beginning of an object whose end has not come yet */
    size_t length, capacity;
    unsigned depth; /* braces and brackets open; 0: between objects */
    bool in_string, escaped;
};

void json_objects_init(struct json_objects *objects, size_t limit);
void json_objects_finish(struct json_objects *objects);
/* Forget a part of an object: the stream starts anew. */
void json_objects_reset(struct json_objects *objects);
/* Take the next piece: @p object is called for each whole object, with its text borrowed; non-zero ends it.
 * 0; -1 for anything but blanks (and RFC 7464's record separators) between objects, an object beyond the limit, lack
 * of memory, or where @p object said so. */
int json_objects_feed(struct json_objects *objects, const char *bytes, size_t length,
                      int (*object)(void *data, const char *text, size_t length), void *data);

#endif
