/* SPDX-License-Identifier: Apache-2.0 */
/* jansson's parser takes some ten times as long for a text as looking at where its values begin and end (json_scan.h)
 * and making the tree of these does: it is left with what is wrong, for its words, and with what is rare. */
#include "json_read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"

#define INTEGER_MAX 18 /* characters of one that is certainly not too large */

/* Looks at the first value only: what follows one is never parsed together with it. */
static bool too_deep(const char *text, size_t length)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_READ_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) {
            return false;
        }
    }
    return false;
}

/* --- trees of what json_valid() has passed; NULL for lack of memory, or where jansson refuses it --- */

static json_t *build(struct json_span value);

static json_t *leave_to_jansson(struct json_span value)
{
    return json_loadb(value.at, value.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* Takes the value. */
static int put_member(json_t *object, struct json_span key, json_t *value)
{
    char name[128], *longer;
    int r;

    if (key.length < sizeof(name) && !memchr(key.at, '\\', key.length)) {
        memcpy(name, key.at, key.length);
        name[key.length] = '\0';
        return json_object_set_new_nocheck(object, name, value);
    }
    longer = json_span_strdup((struct json_span){key.at - 1, key.length + 2});
    if (!longer) {
        json_decref(value);
        return -1;
    }
    r = json_object_set_new_nocheck(object, longer, value);
    free(longer);
    return r;
}

static json_t *build_object(struct json_span value)
{
    struct json_walk walk = json_walk(value);
    struct json_span key, member;
    json_t *object = json_object();

    while (object && json_walk_member(&walk, &key, &member)) {
        if (put_member(object, key, build(member)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *build_array(struct json_span value)
{
    struct json_walk walk = json_walk(value);
    struct json_span item;
    json_t *array = json_array();

    while (array && json_walk_item(&walk, &item)) {
        if (json_array_append_new(array, build(item)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *build(struct json_span value)
{
    switch (*value.at) {
    case '{':
        return build_object(value);
    case '[':
        return build_array(value);
    case '"':
        return memchr(value.at, '\\', value.length) ? leave_to_jansson(value)
                                                    : json_stringn_nocheck(value.at + 1, value.length - 2);
    case 't':
        return json_true();
    case 'f':
        return json_false();
    case 'n':
        return json_null();
    default:
        return json_span_is_integer(value) && value.length <= INTEGER_MAX ? json_integer(json_span_integer(value))
                                                                          : leave_to_jansson(value);
    }
}

json_t *json_read(const char *text, size_t length, size_t flags, json_error_t *error)
{
    struct json_span value = json_span_of(text, length);
    json_t *tree;

    if (flags == JSON_ALLOW_NUL && (json_span_is_object(value) || json_span_is_array(value)) &&
        json_valid(text, length)) {
        tree = build(value);
        if (tree)
            return tree;
    }
    if (!too_deep(text, length))
        return json_loadb(text, length, flags, error);
    if (error) {
        memset(error, 0, sizeof(*error));
        snprintf(error->text, sizeof(error->text), "nested deeper than %d levels", JSON_READ_DEPTH_MAX);
    }
    return NULL;
}
