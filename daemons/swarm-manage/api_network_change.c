/* SPDX-License-Identifier: Apache-2.0 */
/* Making networks, and joining containers to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "api_build.h"
#include "by_container.h"
#include "bytes.h"
#include "choose.h"
#include "http_server.h"
#include "log.h"
#include "object_find.h"
#include "uri.h"
#include "volume_use.h"

#define NETWORK_TIMEOUT_MS 60000
#define PROJECT_LABEL "com.docker.compose.project"

static int read_body(struct call *call, json_t **ret, struct failure *failure)
{
    const char *text, *why;
    size_t length;
    int status = http_request_read_all(call->request, &text, &length, &why);

    if (status != 0)
        return failure_set(failure, status, "%s", why);
    *ret = api_load_json(text, length);
    if (json_is_object(*ret))
        return 0;
    json_decref(*ret);
    *ret = NULL;
    return failure_set(failure, 400, "invalid JSON: an object is expected as the request's body");
}

/* POST @p body to @p engine; its answer in @p result. */
static int post(struct call *call, struct engine *engine, const char *path, const json_t *body,
                struct http_result *result, struct failure *failure)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    struct engine_request request = {
        .wanted = call->version,
        .method = "POST",
        .path = path,
        .headers = headers,
        .body = text,
        .length = text == NULL ? 0 : strlen(text),
        .timeout_ms = NETWORK_TIMEOUT_MS,
    };
    int r =
        text == NULL ? failure_set(failure, 500, "out of memory") : engine_request(engine, &request, result, failure);

    free(text);
    return r;
}

static int reply_result(struct call *call, const struct http_result *result)
{
    return http_reply_send(call->reply, result->status, result->length > 0 ? "application/json" : NULL,
                           result->body == NULL ? "" : result->body, result->length);
}

/* --- create --- */

/* A network to be made. */
struct order {
    json_t *body;
    char *node; /* the one that was asked for, NULL: any */
    char *name; /* without the node */
    /* As "n1|n2", NULL: any. */
    char *nodes;        /* that can make it */
    char *config_nodes; /* that have the network which it takes its settings from */
    char *wish;         /* a whitelist for where its project is already, NULL: none */
};

static void order_clear(struct order *order)
{
    json_decref(order->body);
    free(order->node);
    free(order->name);
    free(order->nodes);
    free(order->config_nodes);
    free(order->wish);
}

static int take_name(struct pool *pool, struct order *order, struct failure *failure)
{
    const char *name = json_string_value(json_object_get(order->body, "Name"));
    const char *slash = name == NULL ? NULL : strchr(name, '/');
    struct engine *engine = NULL;

    if (slash != NULL) {
        order->node = strndup(name, (size_t)(slash - name));
        engine = order->node == NULL ? NULL : pool_find_engine_by_name(pool, order->node);
        if (engine != NULL) {
            name = slash + 1;
        } else {
            free(order->node);
            order->node = NULL;
        }
        engine_unref(engine);
    }
    order->name = strdup(name == NULL ? "" : name);
    if (order->name == NULL || json_object_set_new(order->body, "Name", json_string(order->name)) < 0)
        return failure_set(failure, 500, "out of memory");
    return 0;
}

/* It can make networks that span nodes: it has a store to share, or is a manager of Docker's Swarm mode. */
static bool has_overlay(const struct engine *engine)
{
    const json_t *swarm = json_object_get(engine->info, "Swarm");
    const char *state = json_string_value(json_object_get(swarm, "LocalNodeState"));
    const char *store = json_string_value(json_object_get(engine->info, "ClusterStore"));

    return (store != NULL && store[0] != '\0') ||
           (state != NULL && strcmp(state, "active") == 0 && json_is_true(json_object_get(swarm, "ControlAvailable")));
}

static bool can_make(const struct engine *engine, const char *driver)
{
    const json_t *known = json_object_get(json_object_get(engine->info, "Plugins"), "Network");
    json_t *name;
    size_t i;

    if (strcmp(driver, "overlay") == 0)
        return has_overlay(engine);
    json_array_foreach (known, i, name) {
        if (json_is_string(name) && strcmp(json_string_value(name), driver) == 0)
            return true;
    }
    return false;
}

static int add_name(struct bytes *names, const char *name)
{
    return bytes_printf(names, "%s%s", bytes_length(names) > 0 ? "|" : "", name);
}

/* New text, NULL: none. */
static char *take_names(struct bytes *names)
{
    char *text = bytes_length(names) == 0 ? NULL : strndup(bytes_at(names), bytes_length(names));

    bytes_free(names);
    return text;
}

/* The names of the nodes that can, as "n1|n2"; NULL: none. */
static char *makers(struct pool *pool, const char *driver, const char *node)
{
    struct bytes names = {0};

    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        const struct engine *engine = pool->engines[i];

        if (engine->node != NULL && engine->state == ENGINE_HEALTHY && can_make(engine, driver) &&
            (node == NULL || strcmp(node, engine->name) == 0))
            add_name(&names, engine->name);
    }
    pool_unlock(pool);
    return take_names(&names);
}

/* Without a driver: overlay where some node can make one, else a bridge. */
static int take_driver(struct pool *pool, struct order *order, struct failure *failure)
{
    const char *driver = json_string_value(json_object_get(order->body, "Driver"));
    bool given = driver != NULL && driver[0] != '\0';
    int r = 0;

    order->nodes = makers(pool, given ? driver : "overlay", order->node);
    if (!given)
        r = json_object_set_new(order->body, "Driver", json_string(order->nodes == NULL ? "bridge" : "overlay"));
    if (r == 0 && !given && order->nodes != NULL) /* else Swarm mode lets no container of ours in */
        r = json_object_set_new(order->body, "Attachable", json_true());
    return r == 0 ? 0 : failure_set(failure, 500, "out of memory");
}

/* Networks that others take their settings from are known to their own nodes only. */
static int take_config(struct pool *pool, struct order *order, struct failure *failure)
{
    json_t *from = json_object_get(order->body, "ConfigFrom");
    const char *name = json_string_value(json_object_get(from, "Network"));
    struct object_holders holders;
    struct bytes names = {0};
    int r = 0;

    if (name == NULL || name[0] == '\0')
        return 0;
    if (network_find(pool, name, &holders, failure) < 0)
        return -1;
    for (size_t i = 0; r == 0 && i < holders.count; i++)
        r = add_name(&names, holders.list[i].node);
    if (r == 0 && holders.count > 0) /* the engine does not know the "node/" of "node/name" */
        r = json_object_set_new(from, "Network", json_string(holders.list[0].name));
    order->config_nodes = take_names(&names);
    object_holders_clear(&holders);
    return r == 0 ? 0 : failure_set(failure, 500, "out of memory");
}

/* The volumes of a project, by the label that compose gives to all that is of one: an array of names. With the pool
 * locked. */
static json_t *project_volumes(const struct pool *pool, const char *project)
{
    json_t *names = json_array();

    for (size_t i = 0; i < pool->engine_count; i++) {
        const struct object_table *volumes = &pool->engines[i]->volumes;

        for (size_t k = 0; k < volumes->count; k++) {
            const char *label = json_string_value(json_object_get(volumes->at[k].labels, PROJECT_LABEL));

            if (label != NULL && strcmp(label, project) == 0)
                json_array_append_new(names, json_string(volumes->at[k].name));
        }
    }
    return names;
}

/* Containers can join the network on its node only, so that it is best where their volumes have their data. */
static int take_project(struct pool *pool, struct order *order, struct failure *failure)
{
    const char *project = json_string_value(json_object_get(json_object_get(order->body, "Labels"), PROJECT_LABEL));
    json_t *names;
    int r;

    if (project == NULL || order->node != NULL)
        return 0;
    pool_read_lock(pool);
    names = project_volumes(pool, project);
    pool_unlock(pool);
    r = volume_use_prefer(pool, names, &order->wish);
    json_decref(names);
    return r == 0 ? 0 : failure_set(failure, 500, "out of memory");
}

static int choose_for(struct call *call, const struct order *order, struct engine **ret, struct failure *failure)
{
    const char *const allowed[] = {order->node != NULL ? order->node : order->nodes, order->config_nodes};
    json_t *whitelists = json_array();
    int r = whitelists == NULL ? -1 : 0;

    for (size_t i = 0; r == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (allowed[i] != NULL)
            r = json_array_append_new(whitelists, json_sprintf("node==%s", allowed[i]));
    }
    if (r == 0 && order->wish != NULL)
        r = json_array_append_new(whitelists, json_string(order->wish));
    r = r < 0 ? failure_set(failure, 500, "out of memory") : choose_engine(call->manager, whitelists, ret, failure);
    json_decref(whitelists);
    return r;
}

static int create_on_one(struct call *call, const struct order *order, struct http_result *result,
                         struct failure *failure)
{
    struct failure trouble = {0};
    struct engine *engine;
    int r = choose_for(call, order, &engine, failure);

    if (r < 0)
        return -1;
    r = post(call, engine, "/networks/create", order->body, result, failure);
    if (r == 0) /* what is built next will be run there */
        build_remember_client(call, engine);
    if (r == 0 && pool_refresh_networks(call->manager->pool, engine, &trouble) < 0)
        log_debug("Networks could not be refreshed: %s", trouble.message == NULL ? "out of memory" : trouble.message);
    failure_clear(&trouble);
    engine_unref(engine);
    return r;
}

/* Who names no node gets the only one of that name; who does has it there in any case. */
static int create_network(struct call *call, const struct order *order, struct http_result *result,
                          struct failure *failure)
{
    struct pool *pool = call->manager->pool;
    int r;

    if (order->node != NULL)
        return create_on_one(call, order, result, failure);
    if (pool_hold_network_name(pool, order->name, failure) < 0)
        return -1;
    r = create_on_one(call, order, result, failure);
    pool_release_network_name(pool, order->name);
    return r;
}

int api_network_create(struct call *call)
{
    struct order order = {0};
    struct http_result result = {0};
    struct failure failure = {0};
    int r = read_body(call, &order.body, &failure);

    if (r == 0)
        r = take_name(call->manager->pool, &order, &failure);
    if (r == 0)
        r = take_driver(call->manager->pool, &order, &failure);
    if (r == 0)
        r = take_config(call->manager->pool, &order, &failure);
    if (r == 0)
        r = take_project(call->manager->pool, &order, &failure);
    if (r == 0)
        r = create_network(call, &order, &result, &failure);
    r = r == 0 ? reply_result(call, &result) : api_reply_failure(call, &failure);
    http_result_clear(&result);
    if (order.body != NULL)
        order_clear(&order);
    return r;
}

/* --- connect, disconnect --- */

/* Change the container's part of a network: "/networks/<network><rest>" on @p engine. */
static int change(struct call *call, struct engine *engine, const char *network, const char *container, json_t *body)
{
    struct http_result result = {0};
    struct failure failure = {0};
    char *escaped = uri_escape(network), *path = NULL;
    int r = -1;

    if (escaped == NULL || asprintf(&path, "/networks/%s%s", escaped, call->rest) < 0) {
        path = NULL;
        failure_set(&failure, 500, "out of memory");
    } else {
        r = post(call, engine, path, body, &result, &failure);
    }
    if (r == 0 && container != NULL)
        pool_refresh_container(call->manager->pool, engine, container);
    r = r == 0 ? reply_result(call, &result) : api_reply_failure(call, &failure);
    http_result_clear(&result);
    free(path);
    free(escaped);
    return r;
}

/* What the container's own node has goes first: a name that several nodes have is not ambiguous there. */
static const struct object_holder *holder_on(const struct object_holders *holders, const struct engine *engine)
{
    for (size_t i = 0; i < holders->count; i++) {
        if (holders->list[i].engine == engine)
            return &holders->list[i];
    }
    return NULL;
}

static int change_for(struct call *call, const struct target *target, const struct object_holders *holders,
                      json_t *body)
{
    const struct object_holder *holder = holder_on(holders, target->engine);
    const char *network = holder == NULL ? call->name : holder->id;

    if (holders->count == 0)
        return http_reply_error(call->reply, 404, "No such network: %s", call->name);
    /* A node of Docker's Swarm mode gets to know a network of it when the first container joins. */
    if (holder == NULL && holders->list[0].local)
        return http_reply_error(call->reply, 409, "network %s is on node %s, container %s is on node %s", call->name,
                                holders->list[0].node, target->name, target->node_name);
    if (json_object_set_new(body, "Container", json_string(target->id)) < 0)
        return http_reply_error(call->reply, 500, "out of memory");
    return change(call, target->engine, network, target->id, body);
}

/* An endpoint whose container is gone is removed by the network's own node. */
static bool is_forced(const struct call *call, const json_t *body)
{
    return strcmp(call->rest, "/disconnect") == 0 && json_is_true(json_object_get(body, "Force"));
}

static int change_membership(struct call *call, json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "Container"));
    struct object_holders holders;
    struct failure failure = {0};
    struct target target = {0};
    int r;

    if (network_find(call->manager->pool, call->name, &holders, &failure) < 0)
        return api_reply_failure(call, &failure);
    if (by_container_find(call, name, 0, &target, &failure) == 0)
        r = change_for(call, &target, &holders, body);
    else if (failure.status == 404 && is_forced(call, body) && holders.healthy > 0)
        r = change(call, holders.list[0].engine, holders.list[0].id, NULL, body);
    else
        r = api_reply_failure(call, &failure);
    failure_clear(&failure);
    target_clear(&target);
    object_holders_clear(&holders);
    return r;
}

int api_network_change(struct call *call)
{
    struct failure failure = {0};
    json_t *body = NULL;
    int r;

    if (read_body(call, &body, &failure) < 0) {
        if (failure.status != 400)
            return api_reply_failure(call, &failure);
        failure_clear(&failure);
    }
    if (json_string_length(json_object_get(body, "Container")) == 0)
        r = http_reply_error(call->reply, 404, "Container is not specified");
    else
        r = change_membership(call, body);
    json_decref(body);
    return r;
}
