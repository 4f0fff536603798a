/* SPDX-License-Identifier: Apache-2.0 */
#include "container_entry.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "container_record.h"
#include "saturate.h"

/* Text that grows; failed once memory ran out. */
struct text {
    char *at;
    size_t length, capacity;
    bool failed;
};

static int append(const char *bytes, size_t length, void *data)
{
    struct text *text = data;

    if (text->length + length + 1 > text->capacity) {
        size_t capacity = (text->length + length + 1) * 3 / 2 + 256;
        char *at = realloc(text->at, capacity);

        if (!at) {
            text->failed = true;
            return -1;
        }
        text->at = at;
        text->capacity = capacity;
    }
    memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = '\0';
    return 0;
}

static void append_text(struct text *text, const char *bytes)
{
    append(bytes, strlen(bytes), text);
}

static void append_json(struct text *text, const json_t *value)
{
    if (json_dump_callback(value, append, text, JSON_COMPACT | JSON_ENCODE_ANY)) {
        text->failed = true;
    }
}

/* Cut to its length, as it stays for as long as the container does. NULL where memory ran out. */
static char *finish(struct text *text)
{
    char *fitted;

    if (text->failed) {
        free(text->at);
        return NULL;
    }
    fitted = realloc(text->at, text->length + 1);
    return fitted ? fitted : text->at;
}

static json_t *prefixed_names(json_t *names, const char *node)
{
    json_t *prefixed = json_array(), *item;
    size_t index;

    json_array_foreach (names, index, item) {
        const char *name = json_string_value(item);

        if (name) {
            json_array_append_new(prefixed, json_sprintf("/%s%s%s", node, *name == '/' ? "" : "/", name));
        }
    }
    return prefixed;
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

/* The value to show under @p key: new reference. */
static json_t *shown_value(const char *key, json_t *value, json_t *labels, const struct entry_context *context)
{
    if (!strcmp(key, "Names") && json_is_array(value) && !context->plain_names) {
        return prefixed_names(value, context->node_name);
    }
    if (!strcmp(key, "Ports") && json_is_array(value)) {
        return shown_ports(value, context->ip);
    }
    if (!strcmp(key, "Labels") && labels) {
        return json_incref(labels);
    }
    if (!strcmp(key, "Created") && json_is_integer(value)) {
        return json_integer(saturating_add(json_integer_value(value), context->clock_delta_ms / 1000));
    }
    return json_incref(value);
}

int container_entry_render(json_t *entry, json_t *labels, const struct entry_context *context, char **ret_head,
                           char **ret_tail)
{
    struct text head = {0}, tail = {0}, *part = &head;
    const char *key, *separator = "{";
    char *head_text, *tail_text;
    json_t *value;

    json_object_foreach (entry, key, value) {
        json_t *name = json_string(key), *shown;

        append_text(part, separator);
        append_json(part, name);
        append_text(part, ":");
        json_decref(name);
        separator = ",";
        if (!strcmp(key, "Status")) {
            append_text(part, "\"");
            part = &tail;
            append_text(part, "\"");
            continue;
        }
        shown = shown_value(key, value, labels, context);
        append_json(part, shown);
        json_decref(shown);
    }
    if (part == &head) { /* an engine that sends none */
        append_text(&head, *separator == '{' ? "{\"Status\":\"" : ",\"Status\":\"");
        append_text(&tail, "\"");
    }
    append_text(&tail, "}");
    head_text = finish(&head);
    tail_text = finish(&tail);
    if (!head_text || !tail_text) {
        free(head_text);
        free(tail_text);
        return -1;
    }
    *ret_head = head_text;
    *ret_tail = tail_text;
    return 0;
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

static json_t *holder_of(const json_t *entry, size_t field)
{
    const char *object = newer_fields[field].object;

    return object ? json_object_get(entry, object) : (json_t *)(uintptr_t)entry;
}

int container_entry_minor(const json_t *entry)
{
    for (size_t i = 0; i < sizeof(newer_fields) / sizeof(*newer_fields); i++) {
        if (json_object_get(holder_of(entry, i), newer_fields[i].key)) {
            return newer_fields[i].minor;
        }
    }
    return 0;
}

void container_entry_shape(json_t *entry, int minor)
{
    for (size_t i = 0; i < sizeof(newer_fields) / sizeof(*newer_fields); i++) {
        if (minor < newer_fields[i].minor) {
            (void)json_object_del(holder_of(entry, i), newer_fields[i].key);
        }
    }
}
