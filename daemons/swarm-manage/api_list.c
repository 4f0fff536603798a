/* SPDX-License-Identifier: Apache-2.0 */
/* /containers/json: the entries are rendered already, the list is a filter, a sort and a concatenation. The bytes are
 * collected under the pool's lock and sent without it. */
#include "api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_entry.h"
#include "container_query.h"
#include "container_record.h"
#include "fanout.h"
#include "http_server.h"
#include "json_read.h"
#include "log.h"
#include "timestamp.h"

struct item {
    const struct swarm_container *container;
    int64_t created_ns;
};

struct items {
    struct item *at;
    size_t count, capacity;
};

/* Newest first; ids break ties, so that the order is the same each time. */
static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    if (left->created_ns != right->created_ns)
        return left->created_ns < right->created_ns ? 1 : -1;
    return strcmp(swarm_container_id(left->container), swarm_container_id(right->container));
}

static int add_item(struct items *items, const struct swarm_container *container)
{
    if (items->count == items->capacity) {
        size_t capacity = items->capacity == 0 ? 64 : items->capacity * 2;
        struct item *more = realloc(items->at, capacity * sizeof(*more));

        if (more == NULL)
            return -1;
        items->at = more;
        items->capacity = capacity;
    }
    items->at[items->count++] = (struct item){container, container_record(container)->created_ns};
    return 0;
}

static int select_items(const struct pool *pool, const struct container_query *query, struct items *ret)
{
    const struct swarm_node *node = NULL;

    while ((node = swarm_cluster_next_node(pool->cluster, node)) != NULL) {
        const struct swarm_container *container = NULL;

        while ((container = swarm_node_next_container(node, container)) != NULL) {
            if (container_query_passes(query, container) && add_item(ret, container) < 0)
                return -1;
        }
    }
    if (ret->count > 0)
        qsort(ret->at, ret->count, sizeof(ret->at[0]), compare_items);
    if (query->limit > 0 && ret->count > (size_t)query->limit)
        ret->count = (size_t)query->limit;
    return 0;
}

/* The entry's last brace makes way for the sizes that its engine told. */
static void write_tail(FILE *out, const struct container_query *query, const struct item *item)
{
    const char *tail = container_record(item->container)->tail;
    const json_t *live = json_object_get(query->live, swarm_container_id(item->container));
    size_t length = strlen(tail);

    if (!query->size || live == NULL || length == 0) {
        fwrite(tail, 1, length, out);
        return;
    }
    fwrite(tail, 1, length - 1, out);
    fprintf(out, ",\"SizeRw\":%" JSON_INTEGER_FORMAT ",\"SizeRootFs\":%" JSON_INTEGER_FORMAT "}",
            json_integer_value(json_object_get(live, "SizeRw")),
            json_integer_value(json_object_get(live, "SizeRootFs")));
}

/* The words come from an engine in part (a health state): nothing in them may end the JSON string. */
static void write_status(FILE *out, const char *status)
{
    for (; *status != '\0'; status++)
        fputc(*status == '"' || *status == '\\' || (unsigned char)*status < ' ' ? '?' : *status, out);
}

static void write_entry(FILE *out, const struct container_query *query, const struct item *item, int64_t now_ns)
{
    const struct container_record *record = container_record(item->container);
    char status[128];

    container_status_text(record, now_ns, record->engine->state == ENGINE_HEALTHY, status, sizeof(status));
    fputs(record->head, out);
    write_status(out, status);
    write_tail(out, query, item);
}

/* The entry as it is for clients that do not know all of its fields. */
static int write_shaped(FILE *out, const struct container_query *query, const struct item *item, int64_t now_ns)
{
    char *text = NULL;
    size_t length = 0;
    FILE *whole = open_memstream(&text, &length);
    json_t *entry;
    int r = -1;

    if (whole == NULL)
        return -1;
    write_entry(whole, query, item, now_ns);
    if (fclose(whole) == 0) {
        entry = json_read(text, length, JSON_ALLOW_NUL, NULL);
        container_entry_shape(entry, query->minor);
        if (entry != NULL)
            r = json_dumpf(entry, out, JSON_COMPACT);
        json_decref(entry);
    }
    free(text);
    return r;
}

static int write_items(FILE *out, const struct container_query *query, const struct items *items)
{
    int64_t now_ns = timestamp_now_ns();

    fputc('[', out);
    for (size_t i = 0; i < items->count; i++) {
        if (i > 0)
            fputc(',', out);
        if (query->minor >= container_record(items->at[i].container)->entry_minor)
            write_entry(out, query, &items->at[i], now_ns);
        else if (write_shaped(out, query, &items->at[i], now_ns) < 0)
            return -1;
    }
    fputs("]\n", out);
    return 0;
}

/* The whole list as text in *ret, new. */
static int render_list(struct pool *pool, const struct container_query *query, char **ret, size_t *ret_length)
{
    struct items items = {0};
    FILE *out = open_memstream(ret, ret_length);
    int r;

    if (out == NULL)
        return -1;
    pool_read_lock(pool);
    r = select_items(pool, query, &items);
    if (r == 0)
        r = write_items(out, query, &items);
    pool_unlock(pool);
    free(items.at);
    if (ferror(out))
        r = -1;
    if (fclose(out) != 0)
        r = -1;
    if (r < 0)
        free(*ret);
    return r;
}

static void refresh_engine(void *data, struct engine *engine, size_t index)
{
    struct failure failure = {0};

    if (pool_refresh_engine(data, engine, true, &failure) < 0)
        log_debug_with(LOG_FIELDS({"addr", engine->address}), "Could not refresh the engine before the list: %s",
                       failure.message == NULL ? "out of memory" : failure.message);
    failure_clear(&failure);
}

/* --refresh-on-node-filter and --container-name-refresh-filter: what is asked for is looked at afresh. */
static void refresh_as_configured(struct manager *manager, const json_t *filters)
{
    const char *name = manager->options.container_name_refresh_filter;
    const json_t *nodes = manager->options.refresh_on_node_filter ? filters_values(filters, "node") : NULL;
    struct engine **engines;
    json_t *value;
    size_t i, count = 0;

    json_array_foreach (nodes, i, value) {
        struct engine *engine = pool_find_engine_by_name(manager->pool, json_string_value(value));

        if (engine != NULL)
            refresh_engine(manager->pool, engine, 0);
        engine_unref(engine);
    }
    if (name == NULL || name[0] == '\0' || filters_values(filters, "name") == NULL ||
        !filters_exact(filters, "name", name))
        return;
    engines = pool_engines(manager->pool, true, &count);
    fanout(engines, count, refresh_engine, manager->pool);
    fanout_release(engines, count);
}

int api_containers_list(struct call *call)
{
    struct manager *manager = call->manager;
    struct container_query query;
    struct failure failure = {0};
    char *text = NULL;
    size_t length = 0;
    int r = container_query_read(&query, manager->pool, call->request, &failure);

    query.minor = api_client_version(call).minor;
    if (r == 0) {
        refresh_as_configured(manager, query.filters);
        r = container_query_ask_engines(&query, manager->pool, &failure);
    }
    if (r == 0 && render_list(manager->pool, &query, &text, &length) < 0)
        r = failure_set(&failure, 500, "out of memory");
    container_query_clear(&query);
    if (r < 0)
        return api_reply_failure(call, &failure);
    r = http_reply_send(call->reply, 200, "application/json", text, length);
    free(text);
    return r;
}
