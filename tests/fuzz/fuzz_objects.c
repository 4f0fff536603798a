/* SPDX-License-Identifier: Apache-2.0 */
/* What engines list as their networks and volumes, and what containers use of them: whatever JSON it is, an entry that
 * is taken is written again as the same JSON, but for its name and what is put into it. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_entry.h"
#include "container_record.h"
#include "container_uses.h"
#include "json_read.h"
#include "json_scan.h"
#include "object_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The entry as a list shows it. */
static json_t *written(const struct object_record *record, const char *name, const char *more)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    json_t *json;

    if (out == NULL)
        abort();
    object_record_write(out, record, name, more);
    fclose(out);
    json = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
    free(text);
    if (json == NULL) /* it is no JSON any more */
        abort();
    return json;
}

static void check_record(const struct object_record *record, json_t *entry)
{
    const char *more = record->id == NULL ? ",\"Nodes\":[]" : "\"c\":{}";
    const char *added = record->id == NULL ? "Nodes" : "Containers";
    json_t *json = written(record, "n1/\"name\"", more), *same = json_copy(entry);

    if (strcmp(json_string_value(json_object_get(json, "Name")), "n1/\"name\"") != 0 ||
        json_object_get(json, added) == NULL)
        abort();
    json_object_set(same, "Name", json_object_get(json, "Name"));
    json_object_set(same, added, json_object_get(json, added));
    if (!json_equal(json, same))
        abort();
    json_decref(same);
    json_decref(json);
}

static void check_entry(json_t *entry, int (*read)(struct object_record *record, json_t *entry))
{
    struct object_record record;

    if (read(&record, entry) < 0)
        return;
    check_record(&record, entry);
    object_record_clear(&record);
}

/* As what the container shows of its endpoint on that network. */
static void check_endpoint(const struct container_uses *uses, const char *network)
{
    char *endpoint = container_uses_endpoint(uses, network, "abc", "name"), *text = NULL;
    json_t *json;

    if ((endpoint != NULL) != container_uses_network(uses, network))
        abort();
    if (endpoint == NULL)
        return;
    if (asprintf(&text, "{%s}", endpoint) < 0)
        abort();
    json = json_loads(text, JSON_ALLOW_NUL, NULL);
    if (json_object_size(json) != 1)
        abort();
    json_decref(json);
    free(text);
    free(endpoint);
}

/* An entry is written so that all that it is read for is found in it again. */
static void check_uses(struct json_span entry, json_t *tree)
{
    static const struct entry_changes none = {{"", 0}, {"", 0}};
    static char node[] = "node \"1\"";
    struct entry_context context = {.node_name = node, .ip = "192.0.2.1", .clock_delta_ms = 5000};
    struct container_entry *made;
    struct container_uses uses;
    char *text = NULL;
    const char *key;
    json_t *value, *shown;

    made = json_span_is_object(entry) ? container_entry_render(entry, &none, &context) : NULL;
    if (made == NULL)
        return;
    if (asprintf(&text, "%.*sUp%s", (int)made->head_length, made->text, made->text + made->head_length) < 0 ||
        container_uses_read(&uses, made, json_span_get(entry, "Mounts")) < 0)
        abort();
    shown = json_loads(text, JSON_ALLOW_NUL, NULL);
    if (shown == NULL)
        abort();
    json_object_foreach (json_object_get(json_object_get(tree, "NetworkSettings"), "Networks"), key, value) {
        const char *network = json_string_value(json_object_get(value, "NetworkID"));

        check_endpoint(&uses, network == NULL ? "" : network);
    }
    for (unsigned i = 0; i < uses.volume_count; i++) {
        if (!container_uses_volume(&uses, uses.volumes[i]))
            abort();
    }
    container_uses_clear(&uses);
    json_decref(shown);
    free(text);
    free(made);
}

/* The table has what it was given, in order, and gives it back. */
static void check_table(json_t *list)
{
    struct object_table table;
    char *name;

    if (object_table_read(&table, list, object_record_from_network) < 0)
        abort();
    for (size_t i = 0; i < table.count; i++) {
        if (object_table_find(&table, table.at[i].name) == NULL ||
            (i > 0 && strcmp(table.at[i - 1].name, table.at[i].name) > 0))
            abort();
    }
    if (table.count > 0) {
        name = strdup(table.at[table.count / 2].name);
        object_table_drop(&table, name);
        if (name == NULL || object_table_find(&table, name) != NULL)
            abort();
        free(name);
    }
    object_table_clear(&table);
}

static void check(bool right)
{
    if (!right)
        abort();
}

static void check_string(struct json_span span, const json_t *tree)
{
    const char *text = json_string_value(tree);
    char *copy = json_span_strdup(span), cut[4];

    check(json_span_is_string(span) && copy != NULL && strcmp(copy, text) == 0);
    json_span_text(span, cut, sizeof(cut));
    check(strlen(cut) < sizeof(cut) && strncmp(cut, text, strlen(cut)) == 0);
    check(!json_span_equals(span, text) || json_string_length(tree) == strlen(text));
    free(copy);
}

/* Of a name that comes twice the tree has the last value, and in place the first is seen. */
static bool has_one_member(struct json_span object)
{
    struct json_walk walk = json_walk(object);
    struct json_span key, value;

    return json_walk_member(&walk, &key, &value) && !json_walk_member(&walk, &key, &value);
}

/* What is seen in place is what the tree has. */
static void check_same(struct json_span span, json_t *tree)
{
    struct json_walk walk = json_walk(span);
    struct json_span item;
    const char *key;
    json_t *value;
    size_t count = 0;

    check(span.length > 0 && json_valid(span.at, span.length));
    check(json_span_is_object(span) == json_is_object(tree) && json_span_is_array(span) == json_is_array(tree));
    check(json_span_is_true(span) == json_is_true(tree) && json_span_is_integer(span) == json_is_integer(tree));
    check(json_span_integer(span) == json_integer_value(tree));
    if (json_is_string(tree))
        check_string(span, tree);
    while (json_is_array(tree) && json_walk_item(&walk, &item))
        check_same(item, json_array_get(tree, count++));
    check(count == json_array_size(tree));
    json_object_foreach (tree, key, value) {
        item = json_span_get(span, key);
        if (item.length > 0 && strchr(key, '"') == NULL && strchr(key, '\\') == NULL && has_one_member(span))
            check_same(item, value);
    }
}

static void check_entries(json_t *list, struct json_span text)
{
    struct json_walk walk = json_walk(text);
    struct json_span span;
    json_t *entry;
    size_t i;

    json_array_foreach (list, i, entry) {
        check_entry(entry, object_record_from_network);
        check_entry(entry, object_record_from_volume);
        check(json_walk_item(&walk, &span));
        check_uses(span, entry);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    json_t *list = json_read(text, size, JSON_ALLOW_NUL, NULL);
    bool valid = json_valid(text, size);

    /* jansson refuses numbers that are too large, and scalars alone; between values it passes over a NUL. */
    check(list == NULL || valid || memchr(text, '\0', size) != NULL);
    if (list != NULL && valid) {
        check_same(json_span_of(text, size), list);
        check_entries(list, json_span_of(text, size));
    }
    check_table(list);
    json_decref(list);
    return 0;
}
