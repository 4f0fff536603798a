/* SPDX-License-Identifier: Apache-2.0 */
/* What engines list as their networks and volumes, and what containers use of them: whatever JSON it is, an entry that
 * is taken is written again as the same JSON, but for its name and what is put into it. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_uses.h"
#include "json_read.h"
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

static void check_uses(const json_t *entry)
{
    struct container_uses uses;

    if (container_uses_read(&uses, entry, "name") < 0)
        return;
    for (size_t i = 0; i < uses.network_count; i++) {
        const char *endpoint = container_uses_endpoint(&uses, uses.networks[i].network);
        char *text = NULL;
        json_t *json;

        if (endpoint == NULL)
            continue;
        if (asprintf(&text, "{%s}", endpoint) < 0)
            abort();
        json = json_loads(text, 0, NULL);
        if (json_object_size(json) != 1)
            abort();
        json_decref(json);
        free(text);
    }
    container_uses_clear(&uses);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *list = json_read((const char *)data, size, JSON_ALLOW_NUL, NULL), *entry;
    size_t i;

    json_array_foreach (list, i, entry) {
        check_entry(entry, object_record_from_network);
        check_entry(entry, object_record_from_volume);
        check_uses(entry);
    }
    check_table(list);
    json_decref(list);
    return 0;
}
