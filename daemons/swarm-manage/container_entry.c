/* SPDX-License-Identifier: Apache-2.0 */
#include "container_entry.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "container_record.h"
#include "saturate.h"

/* The two pieces being written. */
struct writer {
    struct bytes head, tail;
    struct bytes *part; /* one of them */
    const struct entry_context *context;
    const struct entry_changes *changes;
    bool failed;
};

static void put(struct writer *writer, const char *bytes, size_t length)
{
    if (bytes_append(writer->part, bytes, length) < 0)
        writer->failed = true;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_span(struct writer *writer, struct json_span span)
{
    put(writer, span.at, span.length);
}

/* As the inside of a string. */
static void put_escaped(struct writer *writer, const char *text)
{
    char escape[8];

    for (; *text; text++) {
        if (*text != '"' && *text != '\\' && (unsigned char)*text >= ' ') {
            put(writer, text, 1);
            continue;
        }
        snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(unsigned char)*text);
        put_text(writer, escape);
    }
}

static void put_names(struct writer *writer, struct json_span names)
{
    struct json_walk walk = json_walk(names);
    struct json_span name;
    const char *before = "[\"/";

    while (json_walk_item(&walk, &name)) {
        if (!json_span_is_string(name))
            continue;
        put_text(writer, before);
        put_escaped(writer, writer->context->node_name);
        if (name.at[1] != '/' && strncmp(name.at, "\"\\/", 3) != 0)
            put_text(writer, "/");
        put(writer, name.at + 1, name.length - 1);
        before = ",\"/";
    }
    put_text(writer, *before == '[' ? "[]" : "]");
}

bool ip_is_unspecified(const char *ip)
{
    static const unsigned char zero[sizeof(struct in6_addr)];
    unsigned char binary[sizeof(struct in6_addr)] = {0};

    return (inet_pton(AF_INET, ip, binary) == 1 || inet_pton(AF_INET6, ip, binary) == 1) &&
           !memcmp(binary, zero, sizeof(zero));
}

static bool array_has(const json_t *array, const json_t *value)
{
    size_t index;
    json_t *item;

    json_array_foreach (array, index, item) {
        if (json_equal(item, value)) {
            return true;
        }
    }
    return false;
}

static json_t *shown_ports(json_t *ports, const char *engine_ip)
{
    json_t *shown = json_array(), *port;
    size_t index;

    json_array_foreach (ports, index, port) {
        json_t *copy = json_copy(port);
        const char *ip = json_string_value(json_object_get(copy, "IP"));

        if (ip && *engine_ip && ip_is_unspecified(ip)) {
            json_object_set_new(copy, "IP", json_string(engine_ip));
        }
        if (!array_has(shown, copy)) {
            json_array_append(shown, copy);
        }
        json_decref(copy);
    }
    return shown;
}

/* Few containers publish any: these are worth a tree. */
static void put_ports(struct writer *writer, struct json_span value)
{
    json_t *ports = value.length > 2 ? json_read(value.at, value.length, JSON_ALLOW_NUL, NULL) : NULL;
    json_t *shown = ports ? shown_ports(ports, writer->context->ip) : NULL;
    char *text = shown ? json_dumps(shown, JSON_COMPACT) : NULL;

    if (text)
        put_text(writer, text);
    else
        put_span(writer, value);
    free(text);
    json_decref(shown);
    json_decref(ports);
}

/* Numbers from elsewhere may be of any size. */
static void put_created(struct writer *writer, struct json_span value)
{
    char number[24];

    snprintf(number, sizeof(number), "%lld",
             (long long)saturating_add(json_span_integer(value), writer->context->clock_delta_ms / 1000));
    put_text(writer, number);
}

static void put_value(struct writer *writer, struct json_span key, struct json_span value)
{
    if (json_key_is(key, "Names") && json_span_is_array(value) && !writer->context->plain_names)
        put_names(writer, value);
    else if (json_key_is(key, "Ports") && json_span_is_array(value))
        put_ports(writer, value);
    else if (json_key_is(key, "Labels") && writer->changes->labels.length)
        put_span(writer, writer->changes->labels);
    else if (json_key_is(key, "State") && writer->changes->state.length)
        put_span(writer, writer->changes->state);
    else if (json_key_is(key, "Created") && json_span_is_integer(value))
        put_created(writer, value);
    else
        put_span(writer, value);
}

static void put_members(struct writer *writer, struct json_span entry)
{
    struct json_walk walk = json_walk(entry);
    struct json_span key, value;
    const char *before = "{\"";

    while (json_walk_member(&walk, &key, &value)) {
        bool is_status = json_key_is(key, "Status");

        if (is_status && writer->part == &writer->tail) /* it is there twice */
            continue;
        put_text(writer, before);
        put_span(writer, key);
        put_text(writer, "\":");
        before = ",\"";
        if (!is_status) {
            put_value(writer, key, value);
            continue;
        }
        put_text(writer, "\"");
        writer->part = &writer->tail;
        put_text(writer, "\"");
    }
    if (writer->part == &writer->head) { /* an engine that sends none */
        put_text(writer, before);
        put_text(writer, "Status\":\"");
        writer->part = &writer->tail;
        put_text(writer, "\"");
    }
    put_text(writer, "}");
}

struct container_entry *container_entry_render(struct json_span entry, const struct entry_changes *changes,
                                               const struct entry_context *context)
{
    struct writer writer = {.part = &writer.head, .context = context, .changes = changes};
    struct container_entry *made = NULL;
    size_t head, tail;

    put_members(&writer, entry);
    head = bytes_length(&writer.head);
    tail = bytes_length(&writer.tail);
    if (!writer.failed && head < INT_MAX && tail < INT_MAX)
        made = malloc(sizeof(*made) + head + tail + 1);
    if (made) {
        made->head_length = (unsigned)head;
        made->tail_length = (unsigned)tail;
        memcpy(made->text, bytes_at(&writer.head), head);
        memcpy(made->text + head, bytes_at(&writer.tail), tail);
        made->text[head + tail] = '\0';
    }
    bytes_free(&writer.head);
    bytes_free(&writer.tail);
    return made;
}

/* Fields of list entries that came later than API 1.24; the newest first. */
static const struct {
    int minor;
    const char *object; /* that it is in, NULL: the entry itself */
    const char *key;
} newer_fields[] = {
    {48, NULL, "ImageManifestDescriptor"},
    {46, "HostConfig", "Annotations"},
};

/* Of the member @p key of @p object (NULL: the entry), 0: of any. */
static int minor_of(const char *object, struct json_span key)
{
    for (size_t i = 0; i < sizeof(newer_fields) / sizeof(*newer_fields); i++) {
        const char *holder = newer_fields[i].object;

        if ((holder ? object && !strcmp(object, holder) : !object) && json_key_is(key, newer_fields[i].key)) {
            return newer_fields[i].minor;
        }
    }
    return 0;
}

static int minor_inside(const char *object, struct json_span value)
{
    struct json_walk walk = json_walk(value);
    struct json_span key, member;
    int newest = 0;

    while (json_span_is_object(value) && json_walk_member(&walk, &key, &member)) {
        int minor = minor_of(object, key);

        newest = minor > newest ? minor : newest;
    }
    return newest;
}

struct entry_parts container_entry_parts(struct json_span entry)
{
    struct entry_parts parts = {{"", 0}, {"", 0}, {"", 0}, {"", 0}, 0};
    struct json_walk walk = json_walk(entry);
    struct json_span key, value;
    int inside = 0;

    while (json_span_is_object(entry) && json_walk_member(&walk, &key, &value)) {
        int minor = minor_of(NULL, key);

        parts.minor = minor > parts.minor ? minor : parts.minor;
        if (json_key_is(key, "Id")) {
            parts.id = value;
        } else if (json_key_is(key, "Names")) {
            parts.names = value;
        } else if (json_key_is(key, "State")) {
            parts.state = value;
        } else if (json_key_is(key, "Mounts")) {
            parts.mounts = value;
        } else if (json_key_is(key, "HostConfig")) {
            inside = minor_inside("HostConfig", value);
        }
    }
    parts.minor = inside > parts.minor ? inside : parts.minor;
    return parts;
}

struct json_span container_entry_find(struct json_span list, const char *id)
{
    struct json_walk walk = json_walk(list);
    struct json_span entry;

    while (json_span_is_array(list) && json_walk_item(&walk, &entry)) {
        if (json_span_equals(json_span_get(entry, "Id"), id))
            return entry;
    }
    return (struct json_span){"", 0};
}

void container_entry_shape(json_t *entry, int minor)
{
    for (size_t i = 0; i < sizeof(newer_fields) / sizeof(*newer_fields); i++) {
        if (minor < newer_fields[i].minor) {
            (void)json_object_del(newer_fields[i].object ? json_object_get(entry, newer_fields[i].object) : entry,
                                  newer_fields[i].key);
        }
    }
}
