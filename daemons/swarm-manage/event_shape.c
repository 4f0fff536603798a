/* SPDX-License-Identifier: Apache-2.0 */
#include "event_shape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "timestamp.h"

/* What a client sees first, in the order in which dockerd writes it. */
static const char *const leading_keys[] = {"status", "id",    "from", "Type",    "Action",
                                           "Actor",  "scope", "time", "timeNano"};
#define LEADING_COUNT (sizeof(leading_keys) / sizeof(leading_keys[0]))

static bool is_leading(const char *key)
{
    for (size_t i = 0; i < LEADING_COUNT; i++) {
        if (strcmp(key, leading_keys[i]) == 0)
            return true;
    }
    return false;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A copy of @p object with its keys in byte order. New. */
static json_t *sorted(json_t *object)
{
    size_t count = json_object_size(object), i = 0;
    const char **keys = calloc(count + 1, sizeof(*keys));
    json_t *copy = json_object(), *value;
    const char *key;

    if (!keys || !copy)
        goto fail;
    json_object_foreach (object, key, value)
        keys[i++] = key;
    qsort(keys, count, sizeof(*keys), by_key);
    for (i = 0; i < count; i++) {
        if (json_object_set(copy, keys[i], json_object_get(object, keys[i])) != 0)
            goto fail;
    }
    free(keys);
    return copy;
fail:
    free(keys);
    json_decref(copy);
    return NULL;
}

/* Texts from engines are valid UTF-8, names from elsewhere may not be. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value ? value : "");

    return string ? string : json_string("");
}

/* The actor with the four node.* attributes. New. */
static json_t *shape_actor(const json_t *actor, const struct event_origin *origin)
{
    const json_t *given = json_object_get(actor, "Attributes");
    json_t *attributes = json_is_object(given) ? json_copy((json_t *)(uintptr_t)given) : json_object();
    const char *id = json_string_value(json_object_get(actor, "ID"));
    json_t *shaped = NULL;

    if (json_object_set_new(attributes, "node.addr", text(origin->address)) == 0 &&
        json_object_set_new(attributes, "node.id", text(origin->id)) == 0 &&
        json_object_set_new(attributes, "node.ip", text(origin->ip)) == 0 &&
        json_object_set_new(attributes, "node.name", text(origin->name)) == 0)
        shaped = json_pack("{so,so}", "ID", text(id), "Attributes", sorted(attributes));
    json_decref(attributes);
    return shaped;
}

/* "busybox" to "busybox node:n1"; no image at all to " node:n1". New. */
static json_t *shape_from(const json_t *event, const struct event_origin *origin)
{
    const char *from = json_string_value(json_object_get(event, "from"));

    return json_sprintf("%s node:%s", from ? from : "", origin->name ? origin->name : "");
}

static json_t *shape_node(const struct event_origin *origin)
{
    return json_pack("{so,so,so,so}", "Name", text(origin->name), "Id", text(origin->id), "Addr", text(origin->address),
                     "Ip", text(origin->ip));
}

/* The value of a leading key; *ret_value NULL (new otherwise) where the key is left out. */
static int shape_value(const json_t *event, const char *key, const struct event_origin *origin, json_t **ret_value)
{
    json_t *value = json_object_get(event, key);

    *ret_value = NULL;
    if (strcmp(key, "from") == 0)
        *ret_value = shape_from(event, origin);
    else if (strcmp(key, "Actor") == 0)
        *ret_value = shape_actor(value, origin);
    else if (!value || (json_is_string(value) && json_string_length(value) == 0))
        return 0;
    else
        *ret_value = json_incref(value);
    return *ret_value ? 0 : -1;
}

json_t *event_shape(const json_t *event, const struct event_origin *origin)
{
    json_t *shaped = json_object(), *value;
    const char *key;

    for (size_t i = 0; i < LEADING_COUNT; i++) {
        if (shape_value(event, leading_keys[i], origin, &value) != 0)
            goto fail;
        if (value && json_object_set_new(shaped, leading_keys[i], value) != 0)
            goto fail;
    }
    json_object_foreach ((json_t *)(uintptr_t)event, key, value) {
        if (!is_leading(key) && strcmp(key, "node") != 0 && json_object_set(shaped, key, value) != 0)
            goto fail;
    }
    if (json_object_set_new(shaped, "node", shape_node(origin)) != 0)
        goto fail;
    return shaped;
fail:
    json_decref(shaped);
    return NULL;
}

json_t *event_shape_swarm(const char *action, int64_t time_ns, const struct event_origin *origin)
{
    json_t *event =
        json_pack("{ss,ss,ss,ss,s{ss},sI,sI}", "status", action, "from", "swarm", "Type", "swarm", "Action", action,
                  "Actor", "ID", "", "time", (json_int_t)(time_ns / NS_PER_S), "timeNano", (json_int_t)time_ns);
    json_t *shaped = event ? event_shape(event, origin) : NULL;

    json_decref(event);
    return shaped;
}

int64_t event_time_ns(const json_t *event)
{
    const json_t *nano = json_object_get(event, "timeNano"), *seconds = json_object_get(event, "time");
    int64_t value = json_is_integer(nano) ? json_integer_value(nano) : 0;

    if (value <= 0 && json_is_integer(seconds) && json_integer_value(seconds) > 0 &&
        json_integer_value(seconds) <= INT64_MAX / NS_PER_S)
        value = json_integer_value(seconds) * NS_PER_S;
    return value > 0 ? value : 0;
}
