/* SPDX-License-Identifier: Apache-2.0 */
#include "object_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filters.h"
#include "manager.h"
#include "object_find.h"
#include "pool.h"

struct item {
    const struct engine *engine;
    const struct object_record *record;
    char *shown; /* the name in the list; owned */
    bool merged; /* stands for the volumes of that name on all nodes */
    bool exact;  /* the filter asked for its name */
};

struct list {
    const struct pool *pool;
    const json_t *filters;
    struct filter name;
    bool networks;
    int dangling; /* -1: not asked */
    enum node_prefix prefix;
    struct item *at;
    size_t count, capacity;
};

/* --- filters --- */

static const char *const network_keys[] = {"dangling", "driver", "id", "label", "name", "node", "scope", "type", NULL};
static const char *const volume_keys[] = {"dangling", "driver", "label", "name", "node", NULL};

static int read_bool(const json_t *filters, const char *key, int *ret, struct failure *failure)
{
    json_t *value;
    size_t i;

    *ret = -1;
    json_array_foreach (filters_values(filters, key), i, value) {
        const char *text = json_string_value(value);

        if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
            *ret = 1;
        else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
            *ret = 0;
        else
            return failure_set(failure, 400, "invalid filter '%s=%s'", key, text);
    }
    return json_array_size(filters_values(filters, key)) > 1 ? failure_set(failure, 400, "invalid filter '%s'", key)
                                                             : 0;
}

static int check_type(const json_t *filters, struct failure *failure)
{
    json_t *value;
    size_t i;

    json_array_foreach (filters_values(filters, "type"), i, value) {
        const char *text = json_string_value(value);

        if (strcmp(text, "custom") != 0 && strcmp(text, "builtin") != 0)
            return failure_set(failure, 400, "Invalid filter: 'type'='%s'", text);
    }
    return 0;
}

static const char *label_of(const void *data, const char *key)
{
    return json_string_value(json_object_get(data, key));
}

/* One of the values is the beginning of the id. */
static bool id_passes(const json_t *filters, const char *id)
{
    const json_t *values = filters_values(filters, "id");
    json_t *value;
    size_t i;

    json_array_foreach (values, i, value) {
        if (strncmp(json_string_value(value), id, strlen(json_string_value(value))) == 0)
            return true;
    }
    return values == NULL;
}

/* "node/name" may be asked for, too. */
static bool name_passes(const struct list *list, const struct engine *engine, const struct object_record *record)
{
    json_t *value;
    size_t i;

    if (list->name.values == NULL || filter_match(&list->name, record->name))
        return true;
    json_array_foreach (list->name.values, i, value) {
        const char *rest = without_node(engine, json_string_value(value));

        if (rest != NULL && strcmp(rest, record->name) == 0)
            return true;
    }
    return false;
}

static const struct container_record *next_record(const struct engine *engine, const struct swarm_container **container)
{
    do {
        *container = swarm_node_next_container(engine->node, *container);
    } while (*container != NULL && container_record(*container) == NULL);
    return *container == NULL ? NULL : container_record(*container);
}

/* Some container on that node has it; of networks, one that runs. */
static bool is_used_on(const struct engine *engine, const struct object_record *record)
{
    const struct swarm_container *container = NULL;
    const struct container_record *found;

    while ((found = next_record(engine, &container)) != NULL) {
        if (record->id == NULL ? container_uses_volume(&found->uses, record->name)
                               : container_uses_network(&found->uses, record->id))
            return true;
    }
    return false;
}

static bool is_used(const struct list *list, const struct item *item)
{
    if (item->record->local && !item->merged)
        return is_used_on(item->engine, item->record);
    for (size_t i = 0; i < list->pool->engine_count; i++) {
        if (list->pool->engines[i]->node != NULL && is_used_on(list->pool->engines[i], item->record))
            return true;
    }
    return false;
}

static bool dangling_passes(const struct list *list, const struct item *item)
{
    bool dangles;

    if (list->dangling < 0)
        return true;
    dangles = !is_used(list, item) && (!list->networks || !network_is_predefined(item->record->name));
    return dangles == (list->dangling == 1);
}

static bool passes(const struct list *list, const struct engine *engine, const struct object_record *record)
{
    const json_t *filters = list->filters;
    const char *type = network_is_predefined(record->name) ? "builtin" : "custom";

    return filters_exact(filters, "node", engine->name == NULL ? "" : engine->name) &&
           filters_exact(filters, "driver", record->driver) && filters_exact(filters, "scope", record->scope) &&
           filters_labels(filters, "label", label_of, record->labels) &&
           (!list->networks || (filters_exact(filters, "type", type) && id_passes(filters, record->id))) &&
           name_passes(list, engine, record);
}

/* --- collecting --- */

/* What is one thing on several nodes has one entry. */
static bool is_the_same(const struct list *list, const struct item *item, const struct object_record *record)
{
    if (list->networks)
        return !record->local && strcmp(item->record->id, record->id) == 0;
    return strcmp(item->record->name, record->name) == 0 && strcmp(item->record->driver, record->driver) == 0 &&
           (!record->local || item->merged);
}

static int add_item(struct list *list, const struct engine *engine, const struct object_record *record)
{
    struct item item = {.engine = engine, .record = record};

    item.exact = list->name.values != NULL && filters_exact(list->filters, "name", record->name);
    item.merged =
        !list->networks && (list->prefix == NODE_PREFIX_NEVER || (list->prefix == NODE_PREFIX_AUTO && item.exact));
    for (size_t i = 0; i < list->count && (!record->local || item.merged); i++) {
        if (!is_the_same(list, &list->at[i], record))
            continue;
        if (list->at[i].engine->state != ENGINE_HEALTHY && engine->state == ENGINE_HEALTHY) {
            list->at[i].engine = engine; /* what a node that is well says of it goes first */
            list->at[i].record = record;
        }
        return 0;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 32 : list->capacity * 2;
        struct item *more = realloc(list->at, capacity * sizeof(more[0]));

        if (more == NULL)
            return -1;
        list->at = more;
        list->capacity = capacity;
    }
    list->at[list->count++] = item;
    return 0;
}

static int collect(struct list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->pool->engine_count; i++) {
        const struct engine *engine = list->pool->engines[i];
        const struct object_table *table = list->networks ? &engine->networks : &engine->volumes;

        for (size_t k = 0; engine->node != NULL && k < table->count; k++) {
            if (passes(list, engine, &table->at[k]) && add_item(list, engine, &table->at[k]) < 0)
                return -1;
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        if (dangling_passes(list, &list->at[i]))
            list->at[kept++] = list->at[i];
    }
    list->count = kept;
    return 0;
}

/* --- names and order --- */

static bool is_only_one(const struct list *list, const struct item *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (&list->at[i] != item && strcmp(list->at[i].record->name, item->record->name) == 0)
            return false;
    }
    return true;
}

static int name_item(const struct list *list, struct item *item)
{
    const struct object_record *record = item->record;
    bool bare = !record->local || item->merged || list->prefix == NODE_PREFIX_NEVER ||
                (list->prefix == NODE_PREFIX_AUTO && item->exact && is_only_one(list, item));

    if (bare)
        item->shown = strdup(record->name);
    else if (asprintf(&item->shown, "%s/%s", item->engine->name == NULL ? "" : item->engine->name, record->name) < 0)
        item->shown = NULL;
    return item->shown == NULL ? -1 : 0;
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = strcmp(x->shown, y->shown);

    return order != 0 || x->record->id == NULL ? order : strcmp(x->record->id, y->record->id);
}

static int name_and_sort(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (name_item(list, &list->at[i]) < 0)
            return -1;
    }
    if (list->count > 0)
        qsort(list->at, list->count, sizeof(list->at[0]), compare_items);
    return 0;
}

/* --- writing --- */

static void add_endpoints(FILE *out, const struct engine *engine, const char *network, const char **separator)
{
    const struct swarm_container *container = NULL;
    const struct container_record *found;

    while ((found = next_record(engine, &container)) != NULL) {
        char *endpoint = container_uses_endpoint(&found->uses, network, swarm_container_id(container),
                                                 swarm_container_name(container));

        if (endpoint == NULL)
            continue;
        fprintf(out, "%s%s", *separator, endpoint);
        free(endpoint);
        *separator = ",";
    }
}

/* The members of a network's Containers. */
static void write_endpoints(FILE *out, const struct pool *pool, const struct engine *engine,
                            const struct object_record *record)
{
    const char *separator = "";

    if (record->local)
        add_endpoints(out, engine, record->id, &separator);
    for (size_t i = 0; !record->local && i < pool->engine_count; i++) {
        if (pool->engines[i]->node != NULL)
            add_endpoints(out, pool->engines[i], record->id, &separator);
    }
}

/* `,"Nodes":[…]` where several have a volume of that name. */
static void write_nodes(FILE *out, const struct pool *pool, const char *volume)
{
    json_t *nodes = json_array();

    for (size_t i = 0; i < pool->engine_count; i++) {
        const struct engine *engine = pool->engines[i];
        const struct object_record *record = engine->node == NULL ? NULL : object_table_find(&engine->volumes, volume);

        if (record != NULL)
            json_array_append_new(nodes, json_pack("{s:s, s:s}", "Name", engine->name == NULL ? "" : engine->name,
                                                   "Mountpoint", record->mountpoint));
    }
    if (json_array_size(nodes) > 1) {
        fputs(",\"Nodes\":", out);
        json_dumpf(nodes, out, JSON_COMPACT);
    }
    json_decref(nodes);
}

/* What goes into the second cut. New text, NULL for lack of memory. */
static char *more_of(const struct pool *pool, const struct engine *engine, const struct object_record *record,
                     bool nodes)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    if (record->id != NULL)
        write_endpoints(out, pool, engine, record);
    else if (nodes)
        write_nodes(out, pool, record->name);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static int write_record(FILE *out, const struct pool *pool, const struct engine *engine,
                        const struct object_record *record, const char *name, bool nodes)
{
    char *more = more_of(pool, engine, record, nodes);

    if (more != NULL)
        object_record_write(out, record, name, more);
    free(more);
    return more == NULL ? -1 : 0;
}

static int write_list(FILE *out, const struct list *list)
{
    int r = 0;

    fputs(list->networks ? "[" : "{\"Volumes\":[", out);
    for (size_t i = 0; i < list->count && r == 0; i++) {
        const struct item *item = &list->at[i];

        if (i > 0)
            fputc(',', out);
        r = write_record(out, list->pool, item->engine, item->record, item->shown, item->merged);
    }
    fputs(list->networks ? "]\n" : "],\"Warnings\":null}\n", out);
    return r;
}

/* --- lists --- */

static int list_objects(struct list *list, struct pool *pool, char **ret, size_t *ret_length, struct failure *failure)
{
    FILE *out;
    int r;

    if (filter_open(&list->name, list->filters, "name") < 0)
        return failure_set(failure, 500, "out of memory");
    out = open_memstream(ret, ret_length);
    r = out == NULL ? -1 : 0;
    if (r == 0) {
        pool_read_lock(pool);
        list->pool = pool;
        list->prefix = pool->manager->options.node_prefix;
        r = collect(list) < 0 || name_and_sort(list) < 0 || write_list(out, list) < 0 ? -1 : 0;
        pool_unlock(pool);
        if (fclose(out) != 0)
            r = -1;
        if (r < 0)
            free(*ret);
    }
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i].shown);
    free(list->at);
    filter_close(&list->name);
    return r == 0 ? 0 : failure_set(failure, 500, "out of memory");
}

int network_list(struct pool *pool, const json_t *filters, char **ret, size_t *ret_length, struct failure *failure)
{
    struct list list = {.networks = true, .filters = filters};

    if (filters_check(filters, network_keys, failure) < 0 || check_type(filters, failure) < 0 ||
        read_bool(filters, "dangling", &list.dangling, failure) < 0)
        return -1;
    return list_objects(&list, pool, ret, ret_length, failure);
}

int volume_list(struct pool *pool, const json_t *filters, char **ret, size_t *ret_length, struct failure *failure)
{
    struct list list = {.filters = filters};

    if (filters_check(filters, volume_keys, failure) < 0 || read_bool(filters, "dangling", &list.dangling, failure) < 0)
        return -1;
    return list_objects(&list, pool, ret, ret_length, failure);
}

/* --- one --- */

/* With the pool locked; by its own name. */
static char *text_of(const struct pool *pool, const struct engine *engine, const struct object_record *record,
                     bool nodes)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    int r;

    if (out == NULL)
        return NULL;
    r = write_record(out, pool, engine, record, record->name, nodes);
    if (fclose(out) == 0 && r == 0)
        return text;
    free(text);
    return NULL;
}

char *network_text(struct pool *pool, const struct engine *engine, const char *id)
{
    char *text = NULL;

    pool_read_lock(pool);
    for (size_t i = 0; engine->node != NULL && i < engine->networks.count && text == NULL; i++) {
        if (strcmp(engine->networks.at[i].id, id) == 0)
            text = text_of(pool, engine, &engine->networks.at[i], false);
    }
    pool_unlock(pool);
    return text;
}

json_t *network_endpoints(struct pool *pool, const char *id)
{
    struct object_record everywhere = {.local = false};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    json_t *endpoints;

    everywhere.id = strdup(id);
    if (out == NULL || everywhere.id == NULL) {
        if (out != NULL)
            fclose(out);
        free(text);
        free(everywhere.id);
        return NULL;
    }
    fputc('{', out);
    pool_read_lock(pool);
    write_endpoints(out, pool, NULL, &everywhere);
    pool_unlock(pool);
    fputc('}', out);
    endpoints = fclose(out) == 0 ? json_loadb(text, length, 0, NULL) : NULL;
    free(everywhere.id);
    free(text);
    return endpoints;
}

char *volume_text(struct pool *pool, const char *reference)
{
    struct object_holders holders;
    struct failure failure = {0};
    char *text = NULL;

    if (volume_find(pool, reference, &holders, &failure) < 0) {
        failure_clear(&failure);
        return NULL;
    }
    pool_read_lock(pool);
    if (holders.count > 0 && holders.list[0].engine->node != NULL) {
        const struct engine *engine = holders.list[0].engine;
        const struct object_record *record = object_table_find(&engine->volumes, holders.list[0].name);

        if (record != NULL)
            text = text_of(pool, engine, record, holders.count > 1);
    }
    pool_unlock(pool);
    object_holders_clear(&holders);
    return text;
}
