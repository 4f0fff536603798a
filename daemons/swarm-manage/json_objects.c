/* SPDX-License-Identifier: Apache-2.0 */
#include "json_objects.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_SEPARATOR 0x1e

void json_objects_init(struct json_objects *objects, size_t limit)
{
    memset(objects, 0, sizeof(*objects));
    objects->limit = limit;
}

void json_objects_finish(struct json_objects *objects)
{
    free(objects->buffer);
    json_objects_init(objects, objects->limit);
}

void json_objects_reset(struct json_objects *objects)
{
    objects->length = 0;
    objects->depth = 0;
    objects->in_string = objects->escaped = false;
}

static bool between_objects(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == RECORD_SEPARATOR;
}

static void scan_string(struct json_objects *objects, char c)
{
    if (objects->escaped)
        objects->escaped = false;
    else if (c == '\\')
        objects->escaped = true;
    else if (c == '"')
        objects->in_string = false;
}

/* Step over one byte inside an object. True where it was the object's last. */
static bool scan(struct json_objects *objects, char c)
{
    if (objects->in_string) {
        scan_string(objects, c);
        return false;
    }
    switch (c) {
    case '"':
        objects->in_string = true;
        return false;
    case '{':
    case '[':
        objects->depth++;
        return false;
    case '}':
    case ']':
        return --objects->depth == 0;
    default:
        return false;
    }
}

static int keep(struct json_objects *objects, const char *bytes, size_t length)
{
    size_t needed = objects->length + length;

    if (needed > objects->limit)
        return -1;
    if (needed > objects->capacity) {
        size_t capacity = objects->capacity ? objects->capacity : 1024;
        char *buffer;

        while (capacity < needed)
            capacity *= 2;
        buffer = realloc(objects->buffer, capacity);
        if (!buffer)
            return -1;
        objects->buffer = buffer;
        objects->capacity = capacity;
    }
    memcpy(objects->buffer + objects->length, bytes, length);
    objects->length = needed;
    return 0;
}

/* The object's last piece is @p bytes. */
static int complete(struct json_objects *objects, const char *bytes, size_t length,
                    int (*object)(void *data, const char *text, size_t length), void *data)
{
    int r;

    if (!objects->length) /* it came in one piece: no copy */
        return length > objects->limit ? -1 : object(data, bytes, length);
    if (keep(objects, bytes, length) != 0)
        return -1;
    r = object(data, objects->buffer, objects->length);
    objects->length = 0;
    return r;
}

int json_objects_feed(struct json_objects *objects, const char *bytes, size_t length,
                      int (*object)(void *data, const char *text, size_t length), void *data)
{
    size_t start = 0;

    for (size_t i = 0; i < length; i++) {
        if (objects->depth == 0) {
            if (between_objects(bytes[i])) {
                start = i + 1;
                continue;
            }
            if (bytes[i] != '{')
                return -1;
            start = i;
        }
        if (!scan(objects, bytes[i]))
            continue;
        if (complete(objects, bytes + start, i + 1 - start, object, data) != 0)
            return -1;
        start = i + 1;
    }
    return objects->depth ? keep(objects, bytes + start, length - start) : 0;
}
