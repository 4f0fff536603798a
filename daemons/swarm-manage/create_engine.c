/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a create that talks to the chosen engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "create_bind.h"
#include "create_private.h"
#include "image_copy.h"
#include "json_read.h"
#include "log.h"
#include "pool.h"
#include "pull.h"
#include "uri.h"

#define CREATE_TIMEOUT_MS 120000

/* Where a reservation leads, copied out of the pool. */
struct place {
    struct engine *engine; /* reference */
    char *node_id;
    char *node_name;
    int cpus;
};

static void place_clear(struct place *place)
{
    engine_unref(place->engine);
    free(place->node_id);
    free(place->node_name);
}

static int place_of(struct pool *pool, const struct swarm_reservation *reservation, struct place *place,
                    struct failure *failure)
{
    const struct swarm_node *node;

    pool_read_lock(pool);
    node = swarm_reservation_node(reservation);
    if (node) {
        place->engine = engine_ref(swarm_node_data(node));
        place->cpus = place->engine->cpus;
        place->node_id = strdup(swarm_node_id(node));
        place->node_name = strdup(swarm_node_name(node));
    }
    pool_unlock(pool);
    if (!place->engine) {
        return failure_set(failure, 500, "the node chosen for the container has left the pool");
    }
    return place->node_id && place->node_name ? 0 : failure_set(failure, 500, "out of memory");
}

/* "/containers/create?name=…&platform=…"; new text. */
static char *create_path(const struct create_order *order)
{
    const char *given = order->name ? order->name : "";
    char *name = uri_escape(given + (*given == '/'));
    char *platform = uri_escape(order->platform ? order->platform : "");
    char *path = NULL;

    if (name && platform &&
        asprintf(&path, "/containers/create%s%s%s%s%s", *name || *platform ? "?" : "", *name ? "name=" : "", name,
                 *platform ? (*name ? "&platform=" : "platform=") : "", platform) < 0) {
        path = NULL;
    }
    free(name);
    free(platform);
    return path;
}

/* {"Id", "Warnings"}; new reference, NULL with failure. */
static json_t *read_answer(const struct engine *engine, const struct http_result *result, struct failure *failure)
{
    json_t *answer = json_read(result->body, result->length, JSON_ALLOW_NUL, NULL);
    const char *id = json_string_value(json_object_get(answer, "Id"));

    if (!id || !*id) {
        json_decref(answer);
        failure_set(failure, 500, "engine %s answered a create without an Id", engine->address);
        return NULL;
    }
    if (!json_is_array(json_object_get(answer, "Warnings"))) {
        json_object_set_new(answer, "Warnings", json_array());
    }
    return answer;
}

/* One POST. *ret_image_missing: it failed because the engine lacks the image. */
static json_t *post_create(const struct place *place, const struct create_order *order, const char *path,
                           const char *body, size_t length, bool *ret_image_missing, struct failure *failure)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct engine_request request = {
        .wanted = order->version,
        .method = "POST",
        .path = path,
        .headers = headers,
        .body = body,
        .length = length,
        .timeout_ms = CREATE_TIMEOUT_MS,
        .guard = order->guard,
    };
    struct http_result result;
    json_t *answer = NULL;

    *ret_image_missing = false;
    if (!engine_request(place->engine, &request, &result, failure)) {
        answer = read_answer(place->engine, &result, failure);
    } else {
        *ret_image_missing = result.failure == HTTP_OK && result.status == 404 && failure->message &&
                             strcasestr(failure->message, "no such image");
    }
    http_result_clear(&result);
    return answer;
}

static int pull(const struct place *place, const struct create_order *order, const char *image, struct failure *failure)
{
    char *missing = failure->message ? strdup(failure->message) : NULL;
    struct pull_order pull = {
        .image = image,
        .platform = order->platform,
        .auth = order->auth,
        .version = order->version,
        .missing = missing,
        .guard = order->guard,
    };
    int result = missing ? pull_image(place->engine, &pull, failure) : failure_set(failure, 500, "out of memory");

    free(missing);
    return result;
}

/* The body for the image of that id, as it has no name here; new text, NULL for lack of memory. */
static char *with_image(const char *body, size_t length, const char *id)
{
    json_t *root = json_read(body, length, JSON_ALLOW_NUL, NULL);
    char *text = NULL;

    if (json_object_set_new(root, "Image", json_string(id)) == 0)
        text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    return text;
}

/* The image is on another node only, and the container cannot go there: that one gives it. */
static json_t *create_given(const struct place *place, const struct create_order *order, const char *path,
                            const char *body, size_t length, struct engine *giver, const char *id,
                            bool *ret_image_missing, struct failure *failure)
{
    char *changed = with_image(body, length, id);
    json_t *answer = NULL;

    log_debug_with(LOG_FIELDS({"NodeName", place->node_name}, {"from", giver->address}), "Taking over image %s", id);
    if (!changed) {
        failure_set(failure, 500, "out of memory");
    } else if (order->guard && !order->guard->allows(order->guard->data)) {
        failure_set(failure, 500, "this manager is not the primary any more");
    } else if (!image_copy(giver, place->engine, id, failure)) {
        answer = post_create(place, order, path, changed, strlen(changed), ret_image_missing, failure);
    }
    free(changed);
    return answer;
}

/* Create, getting the image where it is missing. */
static json_t *create_getting(const struct place *place, const struct create_order *order, const char *path,
                              const char *body, size_t length, bool *ret_image_missing, struct failure *failure)
{
    const char *image = swarm_request_image(swarm_create_body_request(order->body));
    json_t *answer = post_create(place, order, path, body, length, ret_image_missing, failure);
    struct engine *giver;
    char *id;

    if (answer || !*ret_image_missing || !image) {
        return answer;
    }
    if (create_find_giver(place->engine->manager->pool, image, place->engine, &giver, &id)) {
        failure_set(failure, 500, "out of memory");
    } else if (giver) {
        answer = create_given(place, order, path, body, length, giver, id, ret_image_missing, failure);
    } else if (pull_is_possible(image) && !pull(place, order, image, failure)) {
        answer = post_create(place, order, path, body, length, ret_image_missing, failure);
    }
    engine_unref(giver);
    free(id);
    return answer;
}

static json_t *create_there(const struct place *place, const struct create_order *order, bool *ret_image_missing,
                            struct failure *failure)
{
    struct swarm_error *error = NULL;
    char *path, *body = NULL;
    json_t *answer = NULL;
    size_t length;

    if (swarm_create_body_write(order->body, place->cpus, &body, &length, &error)) {
        failure_set(failure, 500, "%s", swarm_error_message(error));
        swarm_error_free(error);
        return NULL;
    }
    path = create_path(order);
    if (path) {
        answer = create_getting(place, order, path, body, length, ret_image_missing, failure);
    } else {
        failure_set(failure, 500, "out of memory");
    }
    free(path);
    swarm_free(body);
    return answer;
}

/* A volume that the engine made for it is there for who asks next. */
static void refresh_made_volumes(struct pool *pool, struct engine *engine, const char *id)
{
    struct failure failure = {0};

    if (create_made_volumes(pool, engine, id) && pool_refresh_volumes(pool, engine, &failure)) {
        log_debug("Volumes could not be refreshed: %s", failure.message ? failure.message : "out of memory");
    }
    failure_clear(&failure);
}

/* Known by the engine's report, the container takes the place of its reservation. */
static int commit(struct pool *pool, const struct place *place, struct swarm_reservation *reservation, const char *id,
                  struct failure *failure)
{
    struct swarm_container *container = NULL;
    int result = -1;

    if (pool_refresh_container(pool, place->engine, id)) {
        pool_refresh_container(pool, place->engine, id); /* once more: it exists, so it is worth it */
    }
    refresh_made_volumes(pool, place->engine, id);
    pool_write_lock(pool);
    if (place->engine->node) {
        container = swarm_cluster_find_container(pool->cluster, place->engine->node, id);
    }
    if (container) {
        result = swarm_reservation_commit(reservation, id, &container, NULL);
    } else {
        swarm_reservation_abort(reservation);
    }
    pool_unlock(pool);
    return result ? failure_set(failure, 500, "Container created but refresh didn't report it back") : 0;
}

static void abort_reservation(struct pool *pool, struct swarm_reservation *reservation)
{
    pool_write_lock(pool);
    swarm_reservation_abort(reservation);
    pool_unlock(pool);
}

static void log_failed(const struct place *place, const struct failure *failure)
{
    const char *message = failure->message ? failure->message : "out of memory";

    log_error_with(LOG_FIELDS({"NodeName", place->node_name}, {"NodeID", place->node_id}, {"error", message}),
                   "Failed to create container");
}

/* {"Id", "Warnings"}; NULL with failure. The reservation is gone in any case. */
static json_t *create_and_commit(struct manager *manager, const struct place *place,
                                 struct swarm_reservation *reservation, const struct create_order *order,
                                 bool *ret_image_missing, struct failure *failure)
{
    json_t *answer = create_there(place, order, ret_image_missing, failure);

    if (!answer) {
        log_failed(place, failure);
        abort_reservation(manager->pool, reservation);
    } else if (commit(manager->pool, place, reservation, json_string_value(json_object_get(answer, "Id")), failure)) {
        json_decref(answer);
        answer = NULL;
    }
    return answer;
}

int create_on_engine(struct manager *manager, struct swarm_reservation *reservation, const struct create_order *order,
                     json_t **ret_answer, struct engine **ret_engine, bool *ret_image_missing, struct failure *failure)
{
    struct place place = {0};
    json_t *answer = NULL;

    *ret_image_missing = false;
    if (place_of(manager->pool, reservation, &place, failure)) {
        abort_reservation(manager->pool, reservation);
    } else {
        log_debug_with(LOG_FIELDS({"NodeName", place.node_name}, {"NodeID", place.node_id}),
                       "Scheduling container %s to ", order->name ? order->name : "");
        atomic_fetch_add(&place.engine->changes, 1);
        answer = create_and_commit(manager, &place, reservation, order, ret_image_missing, failure);
        atomic_fetch_sub(&place.engine->changes, 1);
    }
    if (answer) {
        *ret_answer = answer;
        *ret_engine = engine_ref(place.engine);
    }
    place_clear(&place);
    return answer ? 0 : -1;
}

int create_reserved(struct manager *manager, struct swarm_reservation *reservation, const struct create_order *order,
                    json_t **ret_answer, struct engine **ret_engine, struct failure *failure)
{
    bool image_missing;

    return create_on_engine(manager, reservation, order, ret_answer, ret_engine, &image_missing, failure);
}
