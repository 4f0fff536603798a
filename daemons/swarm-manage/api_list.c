/* SPDX-License-Identifier: Apache-2.0 */
/* /containers/json: the entries are rendered already, the list is a filter, a sort and a concatenation
 * (container_list.h). */
#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "container_list.h"
#include "container_query.h"
#include "fanout.h"
#include "http_server.h"
#include "log.h"

#define PIECE ((size_t)256 * 1024)
#define MANY 1000 /* so many containers take some time to be looked through */

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

/* A long list takes its time: its client hears at once that it comes. */
static bool is_long(struct pool *pool, const struct container_query *query)
{
    size_t count = 0;

    if (!query->all || !query->plain || query->limit > 0)
        return false;
    pool_read_lock(pool);
    for (size_t i = 0; i < POOL_CONTAINER_STATES; i++)
        count += pool->container_states[i];
    pool_unlock(pool);
    return count > MANY;
}

/* Without a length, piece by piece. */
static int stream_list(struct call *call, struct container_list *list, struct bytes *piece)
{
    int more = 1;

    while (more > 0) {
        more = container_list_write(list, piece, PIECE);
        if (more < 0 || http_reply_write(call->reply, bytes_at(piece), bytes_length(piece)) < 0)
            return -1;
        bytes_consume(piece, bytes_length(piece));
    }
    return http_reply_end(call->reply);
}

/* @p begun: the reply has. */
static int reply_list(struct call *call, const struct container_query *query, bool begun)
{
    struct container_list *list = NULL;
    struct bytes piece = {.pages = true};
    int r = container_list_new(&list, call->manager->pool, query), more = 0;

    if (r == 0 && !begun)
        more = container_list_write(list, &piece, PIECE);
    if (r < 0 || more < 0)
        r = begun ? -1 : http_reply_error(call->reply, 500, "out of memory");
    else if (!begun && more == 0)
        r = http_reply_send(call->reply, 200, "application/json", bytes_at(&piece), bytes_length(&piece));
    else if (!begun && http_reply_begin(call->reply, 200, "application/json") < 0)
        r = -1;
    else if (bytes_length(&piece) > 0 && http_reply_write(call->reply, bytes_at(&piece), bytes_length(&piece)) < 0)
        r = -1;
    else {
        bytes_consume(&piece, bytes_length(&piece));
        r = stream_list(call, list, &piece);
    }
    bytes_free(&piece);
    container_list_free(list);
    return r;
}

int api_containers_list(struct call *call)
{
    struct manager *manager = call->manager;
    struct container_query query;
    struct failure failure = {0};
    bool begun;
    int r = container_query_read(&query, manager->pool, call->request, &failure);

    query.minor = api_client_version(call).minor;
    if (r == 0) {
        refresh_as_configured(manager, query.filters);
        r = container_query_ask_engines(&query, manager->pool, &failure);
    }
    if (r < 0) {
        r = api_reply_failure(call, &failure);
    } else {
        begun = is_long(manager->pool, &query);
        r = begun ? http_reply_begin(call->reply, 200, "application/json") : 0;
        if (r == 0)
            r = reply_list(call, &query, begun);
    }
    container_query_clear(&query);
    return r;
}
