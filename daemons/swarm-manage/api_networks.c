/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that are there: list, inspect, remove. api_network_change.c makes and joins them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_engine.h"
#include "api.h"
#include "by_container.h"
#include "filters.h"
#include "http_server.h"
#include "object_find.h"
#include "object_list.h"
#include "uri.h"

#define NETWORK_TIMEOUT_MS 60000

int api_networks_list(struct call *call)
{
    struct failure failure = {0};
    json_t *filters = NULL;
    char *text;
    size_t length;
    int r = filters_parse(&filters, http_request_query(call->request, "filters"), &failure);

    if (r == 0)
        r = network_list(call->manager->pool, filters, &text, &length, &failure);
    json_decref(filters);
    if (r < 0)
        return api_reply_failure(call, &failure);
    r = http_reply_send(call->reply, 200, "application/json", text, length);
    free(text);
    return r;
}

/* The network that is meant: 404 where there is none ("No such network<colon> x"), 400 where several are. What every
 * engine has from the start may be meant on any node: the first that is well. */
static int find_one(struct call *call, const char *colon, struct object_holders *ret, struct failure *failure)
{
    if (network_find(call->manager->pool, call->name, ret, failure) < 0)
        return -1;
    if (ret->count == 0)
        return failure_set(failure, 404, "No such network%s %s", colon, call->name);
    if (network_is_predefined(call->name))
        return 0;
    if (network_is_one(ret, call->name, failure) == 0)
        return 0;
    object_holders_clear(ret);
    return -1;
}

static char *network_path(const struct object_holder *holder)
{
    char *escaped = uri_escape(holder->id), *path = NULL;

    if (escaped != NULL && asprintf(&path, "/networks/%s", escaped) < 0)
        path = NULL;
    free(escaped);
    return path;
}

/* --- inspect --- */

/* As the pool knows it: its node cannot be asked. */
static int reply_from_pool(struct call *call, const struct object_holder *holder)
{
    char *text = network_text(call->manager->pool, holder->engine, holder->id);
    int r;

    if (text == NULL)
        return http_reply_error(call->reply, 404, "No such network: %s", call->name);
    r = http_reply_send(call->reply, 200, "application/json", text, strlen(text));
    free(text);
    return r;
}

/* An engine knows the containers of its own node only. */
static void add_endpoints(struct pool *pool, json_t *network, const char *id)
{
    json_t *everywhere = network_endpoints(pool, id);
    json_t *here = json_object_get(network, "Containers");

    if (json_is_object(here))
        json_object_update_missing(here, everywhere);
    else
        json_object_set(network, "Containers", everywhere);
    json_decref(everywhere);
}

static int inspect_everywhere(struct call *call, const struct object_holder *holder, const char *path)
{
    struct failure failure = {0};
    char *body;
    size_t length;
    int status;
    json_t *network;

    if (by_container_capture(call, holder->engine, "GET", path, &body, &length, &status, &failure) < 0)
        return api_reply_failure(call, &failure);
    network = api_load_json(body, length);
    free(body);
    if (status == 200 && json_is_object(network))
        add_endpoints(call->manager->pool, network, holder->id);
    return api_reply_json(call, status, network == NULL ? json_object() : network);
}

/* What every engine has from the start may be looked at on any. */
static int inspect_predefined(struct call *call, const struct object_holders *holders)
{
    struct engine **engines = calloc(holders->healthy + 1, sizeof(engines[0]));
    char *path = NULL;
    int r;

    for (size_t i = 0; engines != NULL && i < holders->healthy; i++)
        engines[i] = holders->list[i].engine;
    if (engines == NULL || asprintf(&path, "/networks/%s", call->name) < 0)
        r = http_reply_error(call->reply, 500, "out of memory");
    else
        r = any_engine_of(call, engines, holders->healthy, path);
    free(path);
    free(engines);
    return r;
}

int api_network_inspect(struct call *call)
{
    struct object_holders holders;
    struct failure failure = {0};
    char *path;
    int r;

    if (find_one(call, ":", &holders, &failure) < 0)
        return api_reply_failure(call, &failure);
    path = network_path(&holders.list[0]);
    if (path == NULL)
        r = http_reply_error(call->reply, 500, "out of memory");
    else if (!holders.list[0].healthy)
        r = reply_from_pool(call, &holders.list[0]);
    else if (network_is_predefined(call->name))
        r = inspect_predefined(call, &holders);
    else if (!holders.list[0].local)
        r = inspect_everywhere(call, &holders.list[0], path);
    else
        r = any_engine_of(call, &holders.list[0].engine, 1, path);
    free(path);
    object_holders_clear(&holders);
    return r;
}

/* --- remove --- */

/* By the first of those that have it that can be reached. */
static int remove_network(struct call *call, const struct object_holders *holders, struct failure *failure)
{
    struct engine_request request = {.wanted = call->version, .method = "DELETE", .timeout_ms = NETWORK_TIMEOUT_MS};
    struct http_result result = {0};
    char *path = network_path(&holders->list[0]);
    int r = -1;

    if (holders->healthy == 0)
        failure_set(failure, 500, "Network %s is on node %s, which is not healthy", call->name, holders->list[0].node);
    request.path = path;
    for (size_t i = 0; path != NULL && r < 0 && i < holders->healthy; i++) {
        /* Others that have it have the same one; of networks that every node has the first alone is meant. */
        if (strcmp(holders->list[i].id, holders->list[0].id) != 0)
            continue;
        failure_clear(failure);
        http_result_clear(&result);
        r = engine_request(holders->list[i].engine, &request, &result, failure);
        if (result.failure == HTTP_OK)
            break;
    }
    if (r == 0 || result.status == 404) {
        for (size_t i = 0; i < holders->count; i++)
            pool_drop_network(call->manager->pool, holders->list[i].engine, holders->list[0].id);
    }
    http_result_clear(&result);
    free(path);
    return r;
}

int api_network_delete(struct call *call)
{
    struct object_holders holders;
    struct failure failure = {0};
    int r = find_one(call, "", &holders, &failure);

    if (r == 0) {
        r = remove_network(call, &holders, &failure);
        object_holders_clear(&holders);
    }
    return r == 0 ? http_reply_send(call->reply, 204, NULL, "", 0) : api_reply_failure(call, &failure);
}
