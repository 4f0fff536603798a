/* SPDX-License-Identifier: Apache-2.0 */
#include "event_shape.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json_write.h"
#include "timestamp.h"

/* What a client sees first, in the order in which dockerd writes it. */
static const char *const leading_keys[] = {"status", "id",    "from", "Type",    "Action",
                                           "Actor",  "scope", "time", "timeNano"};
#define LEADING_COUNT (sizeof(leading_keys) / sizeof(leading_keys[0]))

/* Its index among them; LEADING_COUNT for another one. */
static size_t leading_index(struct json_span key)
{
    size_t i = 0;

    while (i < LEADING_COUNT && !json_key_is(key, leading_keys[i]))
        i++;
    return i;
}

/* A value that is kept; without the blanks that an engine may write. */
static int put_value(struct bytes *out, struct json_span value)
{
    const char *end = value.at + value.length, *run = value.at;
    bool in_string = false;
    int r = 0;

    for (const char *at = value.at; at < end && r == 0; at++) {
        if (in_string && *at == '\\') {
            at++;
        } else if (*at == '"') {
            in_string = !in_string;
        } else if (!in_string && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) {
            r = bytes_append(out, run, (size_t)(at - run));
            run = at + 1;
        }
    }
    return r == 0 ? bytes_append(out, run, (size_t)(end - run)) : -1;
}

/* `,"key":`, without a comma for the first one. */
static int put_key(struct bytes *out, struct json_span key, bool first)
{
    if (bytes_append(out, ",\"", 2) != 0 || bytes_append(out, key.at, key.length) != 0 ||
        bytes_append(out, "\":", 2) != 0)
        return -1;
    if (first) /* the comma is where the opening brace comes */
        *(out->data + out->end - key.length - 4) = '{';
    return 0;
}

static struct json_span key_of(const char *name)
{
    return (struct json_span){name, strlen(name)};
}

/* --- the actor --- */

struct attribute {
    struct json_span key, value;
    const char *text; /* instead of a value */
};

static int by_key(const void *a, const void *b)
{
    const struct attribute *x = a, *y = b;
    size_t shorter = x->key.length < y->key.length ? x->key.length : y->key.length;
    int order = memcmp(x->key.at, y->key.at, shorter);

    return order != 0 ? order : (x->key.length > y->key.length) - (x->key.length < y->key.length);
}

static bool is_ours(struct json_span key)
{
    return json_key_is(key, "node.addr") || json_key_is(key, "node.id") || json_key_is(key, "node.ip") ||
           json_key_is(key, "node.name");
}

/* Those given, and the four node.* ones, which are ours to say, by key. NULL for lack of memory. */
static struct attribute *gather(struct json_span given, const struct event_origin *origin, size_t *ret_count)
{
    const struct attribute ours[] = {{.key = key_of("node.addr"), .text = origin->address},
                                     {.key = key_of("node.id"), .text = origin->id},
                                     {.key = key_of("node.ip"), .text = origin->ip},
                                     {.key = key_of("node.name"), .text = origin->name}};
    const size_t own = sizeof(ours) / sizeof(ours[0]);
    struct json_walk walk = json_walk(given), again = walk;
    struct json_span key, value;
    struct attribute *all;
    size_t count = 0;

    while (json_walk_member(&walk, &key, &value))
        count++;
    all = malloc((count + own) * sizeof(*all));
    if (!all)
        return NULL;
    memcpy(all, ours, sizeof(ours));
    count = own;
    while (json_walk_member(&again, &key, &value)) {
        if (!is_ours(key))
            all[count++] = (struct attribute){key, value, NULL};
    }
    qsort(all, count, sizeof(*all), by_key);
    *ret_count = count;
    return all;
}

static int put_attributes(struct bytes *out, struct json_span given, const struct event_origin *origin)
{
    size_t count = 0;
    struct attribute *all = gather(json_span_is_object(given) ? given : (struct json_span){"{}", 2}, origin, &count);
    int r = all ? 0 : -1;

    for (size_t i = 0; i < count && r == 0; i++) {
        r = put_key(out, all[i].key, i == 0);
        if (r == 0 && all[i].value.length)
            r = put_value(out, all[i].value);
        else if (r == 0)
            r = json_write_string(out, all[i].text);
    }
    free(all);
    return r == 0 ? bytes_append(out, "}", 1) : -1;
}

static int put_actor(struct bytes *out, struct json_span actor, const struct event_origin *origin)
{
    struct json_span id = json_span_get(actor, "ID");

    if (bytes_append_text(out, "{\"ID\":") != 0 ||
        (json_span_is_string(id) ? put_value(out, id) : bytes_append(out, "\"\"", 2)) != 0 ||
        bytes_append_text(out, ",\"Attributes\":") != 0 ||
        put_attributes(out, json_span_get(actor, "Attributes"), origin) != 0)
        return -1;
    return bytes_append(out, "}", 1);
}

/* --- the event --- */

/* "busybox" to "busybox node:n1"; no image at all to " node:n1". */
static int put_from(struct bytes *out, struct json_span from, const struct event_origin *origin)
{
    bool has = json_span_is_string(from);

    if (bytes_append(out, has ? from.at : "\"", has ? from.length - 1 : 1) != 0 ||
        bytes_append_text(out, " node:") != 0 || json_write_inside(out, origin->name) != 0)
        return -1;
    return bytes_append(out, "\"", 1);
}

static int put_node(struct bytes *out, const struct event_origin *origin)
{
    const char *const members[][2] = {{",\"node\":{\"Name\":", origin->name},
                                      {",\"Id\":", origin->id},
                                      {",\"Addr\":", origin->address},
                                      {",\"Ip\":", origin->ip}};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (bytes_append_text(out, members[i][0]) != 0 || json_write_string(out, members[i][1]) != 0)
            return -1;
    }
    return bytes_append(out, "}}\n", 3);
}

/* The member of that leading key; left out where it says nothing. */
static int put_leading(struct bytes *out, const char *key, struct json_span value, const struct event_origin *origin,
                       bool first)
{
    bool is_from = strcmp(key, "from") == 0, is_actor = strcmp(key, "Actor") == 0;

    if (!is_from && !is_actor && (value.length == 0 || json_span_equals(value, "")))
        return 0;
    if (put_key(out, key_of(key), first) != 0)
        return -1;
    return is_from ? put_from(out, value, origin) : is_actor ? put_actor(out, value, origin) : put_value(out, value);
}

int event_shape(struct bytes *out, struct json_span event, const struct event_origin *origin)
{
    struct json_span leading[LEADING_COUNT] = {{0}}, key, value;
    struct json_walk walk = json_walk(event), again = walk;
    size_t begin = bytes_length(out);
    int r = 0;

    while (json_walk_member(&walk, &key, &value)) {
        size_t i = leading_index(key);

        if (i < LEADING_COUNT)
            leading[i] = value;
    }
    for (size_t i = 0; i < LEADING_COUNT && r == 0; i++)
        r = put_leading(out, leading_keys[i], leading[i], origin, bytes_length(out) == begin);
    while (r == 0 && json_walk_member(&again, &key, &value)) {
        if (leading_index(key) == LEADING_COUNT && !json_key_is(key, "node") &&
            (put_key(out, key, false) != 0 || put_value(out, value) != 0))
            r = -1;
    }
    return r == 0 ? put_node(out, origin) : -1;
}

int event_shape_swarm(struct bytes *out, const char *action, int64_t time_ns, const struct event_origin *origin)
{
    struct bytes event = {0};
    int r = bytes_printf(&event,
                         "{\"status\":\"%s\",\"from\":\"swarm\",\"Type\":\"swarm\",\"Action\":\"%s\",\"time\":%" PRId64
                         ",\"timeNano\":%" PRId64 "}",
                         action, action, time_ns / NS_PER_S, time_ns);

    if (r == 0)
        r = event_shape(out, json_span_of(bytes_at(&event), bytes_length(&event)), origin);
    bytes_free(&event);
    return r;
}

int64_t event_time_ns(struct json_span event)
{
    int64_t value = json_span_integer(json_span_get(event, "timeNano")), seconds;

    if (value <= 0) {
        seconds = json_span_integer(json_span_get(event, "time"));
        value = seconds > 0 && seconds <= INT64_MAX / NS_PER_S ? seconds * NS_PER_S : 0;
    }
    return value > 0 && value < INT64_MAX ? value : 0;
}
