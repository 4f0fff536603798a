/* SPDX-License-Identifier: Apache-2.0 */
#include "object_record.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

/* --- rendering --- */

/* The three pieces, and which of them is being written. */
struct rendering {
    struct bytes pieces[3];
    int at;
    bool failed;
};

static int append(const char *text, size_t length, void *data)
{
    struct rendering *rendering = data;

    rendering->failed = rendering->failed || bytes_append(&rendering->pieces[rendering->at], text, length) < 0;
    return rendering->failed ? -1 : 0;
}

static void append_text(struct rendering *rendering, const char *text)
{
    append(text, strlen(text), rendering);
}

static void append_json(struct rendering *rendering, const json_t *value)
{
    if (json_dump_callback(value, append, rendering, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) != 0)
        rendering->failed = true;
}

/* A cut: @p before ends this piece, @p after begins the next. */
static void cut(struct rendering *rendering, const char *before, const char *after)
{
    append_text(rendering, before);
    rendering->at++;
    append_text(rendering, after);
}

/* @p containers: the member of that name is the second cut, in place of what it has. */
static void render(struct rendering *rendering, json_t *entry, bool containers)
{
    const char *key, *separator = "{";
    json_t *value;

    json_object_foreach (entry, key, value) {
        json_t *name;

        if (containers && strcmp(key, "Containers") == 0 && rendering->at != 1)
            continue; /* engines put the name first; else it comes at the end */
        name = json_string(key);
        append_text(rendering, separator);
        append_json(rendering, name);
        append_text(rendering, ":");
        json_decref(name);
        separator = ",";
        if (strcmp(key, "Name") == 0)
            cut(rendering, "\"", "\"");
        else if (containers && strcmp(key, "Containers") == 0)
            cut(rendering, "{", "}");
        else
            append_json(rendering, value);
    }
    if (rendering->at == 1)
        cut(rendering, containers ? ",\"Containers\":{" : "", containers ? "}" : "");
    append_text(rendering, "}");
}

/* As text of its own, cut to its length as it stays for long. */
static char *take_piece(struct bytes *piece)
{
    char *text;

    if (bytes_append(piece, "", 1) < 0)
        return NULL;
    text = strdup(bytes_at(piece));
    return text;
}

static int render_record(struct object_record *record, json_t *entry, bool containers)
{
    struct rendering rendering = {0};
    char **pieces[] = {&record->head, &record->middle, &record->tail};
    int r = 0;

    render(&rendering, entry, containers);
    for (int i = 0; i < 3; i++) {
        *pieces[i] = rendering.failed ? NULL : take_piece(&rendering.pieces[i]);
        if (*pieces[i] == NULL)
            r = -1;
        bytes_free(&rendering.pieces[i]);
    }
    return r;
}

void object_record_write(FILE *out, const struct object_record *record, const char *name, const char *more)
{
    json_t *text = json_string(name);
    char *quoted = text == NULL ? NULL : json_dumps(text, JSON_ENCODE_ANY);

    json_decref(text);
    fputs(record->head, out);
    if (quoted != NULL) /* without its quotes; a name that is no UTF-8 is left out */
        fwrite(quoted + 1, 1, strlen(quoted) - 2, out);
    free(quoted);
    fputs(record->middle, out);
    fputs(more, out);
    fputs(record->tail, out);
}

/* --- records --- */

static const char *string_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text == NULL ? "" : text;
}

static int take_common(struct object_record *record, json_t *entry)
{
    json_t *labels = json_object_get(entry, "Labels");

    memset(record, 0, sizeof(*record));
    if (string_of(entry, "Name")[0] == '\0')
        return -1;
    record->name = strdup(string_of(entry, "Name"));
    record->driver = strdup(string_of(entry, "Driver"));
    record->scope = strdup(string_of(entry, "Scope"));
    record->mountpoint = strdup(string_of(entry, "Mountpoint"));
    record->labels = json_is_object(labels) ? json_incref(labels) : NULL;
    return record->name == NULL || record->driver == NULL || record->scope == NULL || record->mountpoint == NULL ? -1
                                                                                                                 : 0;
}

int object_record_from_network(struct object_record *record, json_t *entry)
{
    const char *id = string_of(entry, "Id");
    int r = take_common(record, entry);

    if (r == 0 && id[0] != '\0') {
        record->id = strdup(id);
        record->local = strcmp(record->scope, "local") == 0;
        r = record->id == NULL ? -1 : render_record(record, entry, true);
    } else {
        r = -1;
    }
    if (r < 0)
        object_record_clear(record);
    return r;
}

int object_record_from_volume(struct object_record *record, json_t *entry)
{
    int r = take_common(record, entry);

    if (r == 0) {
        record->local = strcmp(record->driver, "local") == 0;
        r = render_record(record, entry, false);
    }
    if (r < 0)
        object_record_clear(record);
    return r;
}

void object_record_clear(struct object_record *record)
{
    free(record->id);
    free(record->name);
    free(record->driver);
    free(record->scope);
    free(record->mountpoint);
    free(record->head);
    free(record->middle);
    free(record->tail);
    json_decref(record->labels);
    memset(record, 0, sizeof(*record));
}

bool network_is_predefined(const char *name)
{
    return strcmp(name, "none") == 0 || strcmp(name, "host") == 0 || strcmp(name, "bridge") == 0 ||
           strcmp(name, "nat") == 0;
}

/* --- tables --- */

static int compare(const void *a, const void *b)
{
    const struct object_record *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 || x->id == NULL || y->id == NULL ? order : strcmp(x->id, y->id);
}

int object_table_read(struct object_table *table, json_t *list,
                      int (*read)(struct object_record *record, json_t *entry))
{
    json_t *entry;
    size_t i;

    memset(table, 0, sizeof(*table));
    table->at = calloc(json_array_size(list) + 1, sizeof(table->at[0]));
    if (table->at == NULL)
        return -1;
    json_array_foreach (list, i, entry) {
        if (read(&table->at[table->count], entry) == 0)
            table->count++;
    }
    qsort(table->at, table->count, sizeof(table->at[0]), compare);
    return 0;
}

void object_table_clear(struct object_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        object_record_clear(&table->at[i]);
    free(table->at);
    table->at = NULL;
    table->count = 0;
}

/* Where the first that is not before that name is, or would be. */
static size_t place_of(const struct object_table *table, const char *name)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(table->at[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct object_record *object_table_find(const struct object_table *table, const char *name)
{
    size_t at = place_of(table, name);

    return at < table->count && strcmp(table->at[at].name, name) == 0 ? &table->at[at] : NULL;
}

int object_table_put(struct object_table *table, struct object_record *record)
{
    size_t at = place_of(table, record->name);
    struct object_record *more;

    while (at < table->count && compare(&table->at[at], record) < 0)
        at++;
    if (at < table->count && compare(&table->at[at], record) == 0) {
        object_record_clear(&table->at[at]);
    } else {
        more = realloc(table->at, (table->count + 1) * sizeof(table->at[0]));
        if (more == NULL)
            return -1;
        table->at = more;
        memmove(&more[at + 1], &more[at], (table->count - at) * sizeof(more[0]));
        table->count++;
    }
    table->at[at] = *record;
    memset(record, 0, sizeof(*record));
    return 0;
}

void object_table_drop(struct object_table *table, const char *reference)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->count; i++) {
        struct object_record *record = &table->at[i];

        if (strcmp(record->name, reference) == 0 || (record->id != NULL && strcmp(record->id, reference) == 0))
            object_record_clear(record);
        else
            table->at[kept++] = *record;
    }
    table->count = kept;
}
