/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: one of a name is made on every node, so that a container finds it wherever it goes, and is one to clients.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_engine.h"
#include "api.h"
#include "broadcast.h"
#include "choose.h"
#include "fanout.h"
#include "filters.h"
#include "http_server.h"
#include "log.h"
#include "object_find.h"
#include "object_list.h"
#include "random.h"
#include "uri.h"

#define VOLUME_TIMEOUT_MS 60000
#define WHITELISTS_LABEL "com.docker.swarm.whitelists"

int api_volumes_list(struct call *call)
{
    struct failure failure = {0};
    json_t *filters = NULL;
    char *text;
    size_t length;
    int r = filters_parse(&filters, http_request_query(call->request, "filters"), &failure);

    if (r == 0)
        r = volume_list(call->manager->pool, filters, &text, &length, &failure);
    json_decref(filters);
    if (r < 0)
        return api_reply_failure(call, &failure);
    r = http_reply_send(call->reply, 200, "application/json", text, length);
    free(text);
    return r;
}

int api_volume_inspect(struct call *call)
{
    char *text = volume_text(call->manager->pool, call->name);
    int r;

    if (text == NULL)
        return http_reply_error(call->reply, 404, "No such volume: %s", call->name);
    r = http_reply_send(call->reply, 200, "application/json", text, strlen(text));
    free(text);
    return r;
}

/* --- create --- */

/* A volume to be made. */
struct order {
    json_t *body;
    char *node;              /* the one that was asked for, NULL: none */
    struct engine **engines; /* those that are allowed; NULL: all */
    size_t count;
};

static void order_clear(struct order *order)
{
    json_decref(order->body);
    free(order->node);
    if (order->engines != NULL)
        fanout_release(order->engines, order->count);
}

static int read_order(struct call *call, struct order *order, struct failure *failure)
{
    const char *text, *why;
    size_t length;
    int status = http_request_read_all(call->request, &text, &length, &why);

    if (status != 0)
        return failure_set(failure, status, "%s", why);
    order->body = length == 0 ? json_object() : api_load_json(text, length);
    if (json_is_object(order->body))
        return 0;
    return failure_set(failure, 400, "invalid JSON: an object is expected as the request's body");
}

/* "node/name" is made there alone; one without a name gets the same on all nodes. */
static int take_name(struct pool *pool, struct order *order, struct failure *failure)
{
    const char *name = json_string_value(json_object_get(order->body, "Name"));
    const char *slash = name == NULL ? NULL : strchr(name, '/');
    char *node = slash == NULL ? NULL : strndup(name, (size_t)(slash - name));
    struct engine *engine = node == NULL ? NULL : pool_find_engine_by_name(pool, node);
    char id[RANDOM_ID_SIZE];
    json_t *bare = NULL;

    if (engine != NULL) {
        order->node = node;
        bare = json_string(slash + 1);
        engine_unref(engine);
    } else {
        free(node);
        if (name != NULL && name[0] != '\0')
            return 0;
        bare = random_id(id) < 0 ? NULL : json_string(id);
    }
    return json_object_set_new(order->body, "Name", bare) < 0 ? failure_set(failure, 500, "out of memory") : 0;
}

/* The label says on which nodes it is to be. */
static int take_whitelists(struct call *call, struct order *order, struct failure *failure)
{
    const json_t *label = json_object_get(json_object_get(order->body, "Labels"), WHITELISTS_LABEL);
    json_t *list = json_is_string(label) ? api_load_json(json_string_value(label), json_string_length(label)) : NULL;
    int r = 0;

    if (json_array_size(list) > 0)
        r = choose_engines(call->manager, list, &order->engines, &order->count, failure);
    json_decref(list);
    return r;
}

static bool is_allowed(void *data, const struct engine *engine)
{
    const struct order *order = data;

    if (order->node != NULL && strcmp(order->node, engine->name) != 0)
        return false;
    for (size_t i = 0; i < order->count; i++) {
        if (order->engines[i] == engine)
            return true;
    }
    return order->engines == NULL;
}

static void take_made(void *data, const struct broadcast_answer *answer, json_t *volume)
{
    json_t **first = data;

    pool_put_volume(answer->engine->manager->pool, answer->engine, volume);
    if (*first == NULL)
        *first = json_incref(volume);
}

static void log_failures(const struct broadcast *broadcast)
{
    for (size_t i = 0; i < broadcast->count; i++) {
        const struct broadcast_answer *answer = &broadcast->answers[i];

        if (!answer->skipped && !broadcast_went_well(answer))
            log_warn_with(LOG_FIELDS({"name", answer->node}), "The volume was not made on the node: %s",
                          answer->failure.message == NULL ? "out of memory" : answer->failure.message);
    }
}

/* 0 with the volume as the first node made it; that others could not is logged. */
static int create_there(struct call *call, struct broadcast *broadcast, const char *body, json_t **ret,
                        struct failure *failure)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct broadcast_order order = {
        .method = "POST",
        .path = "/volumes/create",
        .version = call->version,
        .headers = headers,
        .body = body,
        .length = strlen(body),
        .timeout_ms = VOLUME_TIMEOUT_MS,
    };

    if (broadcast_asked(broadcast) == 0)
        return broadcast_nobody(broadcast, failure);
    if (broadcast_run(broadcast, call, &order, failure) < 0)
        return -1;
    broadcast_each_json(broadcast, take_made, ret);
    if (*ret == NULL)
        return broadcast_failure(broadcast, true, failure) < 0 ? -1 : failure_set(failure, 500, "no node made it");
    log_failures(broadcast);
    return 0;
}

static int create_volume(struct call *call, struct order *order, json_t **ret, struct failure *failure)
{
    char *body = json_dumps(order->body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    struct broadcast *broadcast = NULL;
    int r;

    if (body == NULL || broadcast_new(&broadcast, call->manager, is_allowed, order) < 0)
        r = failure_set(failure, 500, "out of memory");
    else
        r = create_there(call, broadcast, body, ret, failure);
    broadcast_free(broadcast);
    free(body);
    return r;
}

int api_volume_create(struct call *call)
{
    struct order order = {0};
    struct failure failure = {0};
    json_t *volume = NULL;
    int r = read_order(call, &order, &failure);

    if (r == 0)
        r = take_name(call->manager->pool, &order, &failure);
    if (r == 0)
        r = take_whitelists(call, &order, &failure);
    if (r == 0)
        r = create_volume(call, &order, &volume, &failure);
    order_clear(&order);
    return r == 0 ? api_reply_json(call, 201, volume) : api_reply_failure(call, &failure);
}

/* --- remove --- */

/* "/volumes/<name>"; new text. */
static char *volume_path(const char *name)
{
    char *escaped = uri_escape(name), *path = NULL;

    if (escaped != NULL && asprintf(&path, "/volumes/%s", escaped) < 0)
        path = NULL;
    free(escaped);
    return path;
}

/* Where some node had it, those that did not have it any more have done what was asked for. */
static void forget(struct broadcast *broadcast, const char *name)
{
    size_t successes = broadcast_successes(broadcast);

    for (size_t i = 0; i < broadcast->count; i++) {
        struct broadcast_answer *answer = &broadcast->answers[i];
        bool missing = !answer->skipped && answer->failure.status == 404;

        if (missing || broadcast_went_well(answer))
            pool_drop_volume(broadcast->manager->pool, answer->engine, name);
        if (missing && successes > 0)
            failure_clear(&answer->failure);
    }
}

static int remove_there(struct call *call, struct broadcast *broadcast, const char *name, const char *path,
                        struct failure *failure)
{
    struct broadcast_order order = {
        .method = "DELETE", .path = path, .version = call->version, .timeout_ms = VOLUME_TIMEOUT_MS};

    if (broadcast_asked(broadcast) == 0)
        return broadcast_nobody(broadcast, failure);
    if (broadcast_run(broadcast, call, &order, failure) < 0)
        return -1;
    forget(broadcast, name);
    broadcast_log_left_out(broadcast);
    if (broadcast_failure(broadcast, broadcast_successes(broadcast) == 0, failure) == 0)
        return 0;
    if (failure->status == 404)
        failure_set(failure, 404, "No such volume %s", call->name);
    return -1;
}

int api_volume_delete(struct call *call)
{
    const char *query = http_request_query_string(call->request);
    struct object_holders holders;
    struct failure failure = {0};
    struct broadcast *broadcast = NULL;
    char *path = NULL, *whole = NULL;
    const char *name;
    int r = volume_find(call->manager->pool, call->name, &holders, &failure);

    if (r < 0)
        return api_reply_failure(call, &failure);
    /* What nobody is known to have everybody is asked for: it may have been made a moment ago. */
    name = holders.count > 0 ? holders.list[0].name : call->name;
    path = volume_path(name);
    if (path == NULL || asprintf(&whole, "%s%s%s", path, query[0] == '\0' ? "" : "?", query) < 0 ||
        broadcast_new(&broadcast, call->manager, holders.count > 0 ? object_is_held_by : NULL, &holders) < 0)
        r = failure_set(&failure, 500, "out of memory");
    else
        r = remove_there(call, broadcast, name, whole, &failure);
    broadcast_free(broadcast);
    free(whole);
    free(path);
    object_holders_clear(&holders);
    return r == 0 ? http_reply_send(call->reply, 204, NULL, "", 0) : api_reply_failure(call, &failure);
}

/* --- update --- */

/* Only volumes of Docker's Swarm mode can be changed: an engine that has it says what it thinks of that. */
int api_volume_update(struct call *call)
{
    struct object_holders holders;
    struct failure failure = {0};
    char *path;
    int r;

    if (volume_find(call->manager->pool, call->name, &holders, &failure) < 0)
        return api_reply_failure(call, &failure);
    if (holders.count == 0)
        return http_reply_error(call->reply, 404, "No such volume: %s", call->name);
    path = volume_path(holders.list[0].name);
    if (path == NULL)
        r = http_reply_error(call->reply, 500, "out of memory");
    else
        r = any_engine_of(call, &holders.list[0].engine, 1, path);
    free(path);
    object_holders_clear(&holders);
    return r;
}
