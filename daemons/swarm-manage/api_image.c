/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of images that nodes have: one of them answers, or all of them do it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_engine.h"
#include "api.h"
#include "api_image.h"
#include "broadcast.h"
#include "by_container.h"
#include "http_server.h"
#include "image_find.h"
#include "image_list.h"
#include "image_name.h"
#include "uri.h"

char *image_path(const char *name, const char *rest)
{
    char *escaped = uri_escape_name(name), *path = NULL;

    if (escaped != NULL && asprintf(&path, "/images/%s%s", escaped, rest) < 0)
        path = NULL;
    free(escaped);
    return path;
}

static int out_of_memory(struct call *call)
{
    return http_reply_error(call->reply, 500, "out of memory");
}

static int no_such_image(struct call *call, const char *name)
{
    char *shown = image_name_shown(name);
    int r = http_reply_error(call->reply, 404, "No such image: %s", shown == NULL ? name : shown);

    free(shown);
    return r;
}

/* --- one of those that have it --- */

static int holders_unwell(struct call *call, const char *name, const struct image_holders *holders)
{
    const struct engine *first = holders->list[0].engine;

    return http_reply_error(call->reply, 500, "Image %s is on node %s only, which is not healthy", name,
                            first->name == NULL ? first->address : first->name);
}

/* To the first of the holders that can be reached. */
static int pass_to_holder(struct call *call, const char *name, const struct image_holders *holders, const char *path)
{
    struct engine **engines;
    int r;

    if (holders->healthy == 0)
        return holders_unwell(call, name, holders);
    engines = calloc(holders->healthy, sizeof(engines[0]));
    if (engines == NULL)
        return out_of_memory(call);
    for (size_t i = 0; i < holders->healthy; i++)
        engines[i] = holders->list[i].engine;
    r = any_engine_of(call, engines, holders->healthy, path);
    free(engines);
    return r;
}

static bool has_healthy(struct pool *pool)
{
    bool has = false;

    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count && !has; i++)
        has = pool->engines[i]->node != NULL && pool->engines[i]->state == ENGINE_HEALTHY;
    pool_unlock(pool);
    return has;
}

/* What nobody has any engine may say no to: in its own words, and it is right where it got the image just now. */
static int pass_to_any(struct call *call, const char *name, const char *path)
{
    return has_healthy(call->manager->pool) ? any_engine(call, path) : no_such_image(call, name);
}

int image_pass(struct call *call, const char *reference)
{
    struct image_holders holders = {0};
    struct failure failure = {0};
    char *path = image_path(call->name, call->rest);
    int r;

    if (path == NULL)
        return out_of_memory(call);
    if (image_find(call->manager->pool, reference, &holders, &failure) < 0)
        r = api_reply_failure(call, &failure);
    else if (holders.count == 0)
        r = pass_to_any(call, reference, path);
    else
        r = pass_to_holder(call, reference, &holders, path);
    image_holders_clear(&holders);
    free(path);
    return r;
}

int api_image_pass(struct call *call)
{
    return image_pass(call, call->name);
}

/* --- inspect --- */

/* In the client's version, where the engine has given it in one of its own. */
static int reply_inspect(struct call *call, int status, const char *body, size_t length)
{
    json_t *image = status == 200 ? api_load_json(body, length) : NULL;

    if (!json_is_object(image)) {
        json_decref(image);
        return http_reply_send(call->reply, status, "application/json", body == NULL ? "" : body, length);
    }
    image_shape(image, api_client_version(call).minor);
    return api_reply_json(call, 200, image);
}

static int inspect_on(struct call *call, const struct image_holders *holders, const char *path)
{
    struct failure failure = {0};
    char *body = NULL;
    size_t length = 0;
    int status = 0, r = -1;

    for (size_t i = 0; i < holders->healthy; i++) {
        failure_clear(&failure);
        r = by_container_capture(call, holders->list[i].engine, "GET", path, &body, &length, &status, &failure);
        if (r == 0 || failure.status == 0)
            break;
    }
    r = r == 0 ? reply_inspect(call, status, body, length) : api_reply_failure(call, &failure);
    free(body);
    return r;
}

int api_image_inspect(struct call *call)
{
    struct image_holders holders = {0};
    struct failure failure = {0};
    char *path = image_path(call->name, call->rest);
    int r;

    if (path == NULL)
        return out_of_memory(call);
    if (image_find(call->manager->pool, call->name, &holders, &failure) < 0)
        r = api_reply_failure(call, &failure);
    else
        r = holders.healthy > 0 ? inspect_on(call, &holders, path) : image_pass(call, call->name);
    image_holders_clear(&holders);
    free(path);
    return r;
}

/* --- all of those that have it --- */

/* What went wrong where it did, or success: a node that is lost does not make it a failure where others have done it.
 */
static int judge(const struct broadcast *broadcast, struct failure *failure)
{
    size_t successes = broadcast_successes(broadcast);

    if (broadcast_asked(broadcast) == 0)
        return broadcast_nobody(broadcast, failure);
    broadcast_log_left_out(broadcast);
    return broadcast_failure(broadcast, successes == 0, failure);
}

/* Ask them all. 0 with their answers in *ret, NULL where nobody has it; -1 with the failure. */
static int ask_holders(struct call *call, const char *method, struct broadcast **ret, struct failure *failure)
{
    const char *query = http_request_query_string(call->request);
    struct image_holders holders = {0};
    struct broadcast *broadcast = NULL;
    char *path = image_path(call->name, call->rest), *whole = NULL;
    int r = image_find(call->manager->pool, call->name, &holders, failure);

    if (r == 0 && holders.count > 0) {
        if (path == NULL || asprintf(&whole, "%s%s%s", path, query[0] == '\0' ? "" : "?", query) < 0 ||
            broadcast_new(&broadcast, call->manager, image_is_held_by, &holders) < 0) {
            r = failure_set(failure, 500, "out of memory");
        } else {
            struct broadcast_order order = {.method = method, .path = whole, .version = call->version};

            r = broadcast_run(broadcast, call, &order, failure);
        }
    }
    if (r == 0 && broadcast != NULL)
        broadcast_refresh_images(broadcast, call);
    if (r < 0) {
        broadcast_free(broadcast);
        broadcast = NULL;
    }
    image_holders_clear(&holders);
    free(whole);
    free(path);
    *ret = broadcast;
    return r;
}

static int pass_unknown(struct call *call)
{
    char *path = image_path(call->name, call->rest);
    int r = path == NULL ? out_of_memory(call) : pass_to_any(call, call->name, path);

    free(path);
    return r;
}

int api_image_tag(struct call *call)
{
    struct failure failure = {0};
    struct broadcast *broadcast;
    int r;

    if (ask_holders(call, "POST", &broadcast, &failure) < 0)
        return api_reply_failure(call, &failure);
    if (broadcast == NULL)
        return pass_unknown(call);
    r = judge(broadcast, &failure);
    broadcast_free(broadcast);
    return r < 0 ? api_reply_failure(call, &failure) : http_reply_send(call->reply, 201, NULL, "", 0);
}

/* What several nodes have removed alike is told once, as one engine would. */
static void add_missing(json_t *list, json_t *more)
{
    json_t *value, *known;
    size_t i, k;

    json_array_foreach (more, i, value) {
        bool found = false;

        json_array_foreach (list, k, known)
            found = found || json_equal(known, value);
        if (!found)
            json_array_append(list, value);
    }
}

static void take_removed(void *data, const struct broadcast_answer *answer, json_t *json)
{
    add_missing(data, json);
}

int api_image_delete(struct call *call)
{
    struct failure failure = {0};
    struct broadcast *broadcast;
    json_t *removed = NULL;
    int r;

    if (ask_holders(call, "DELETE", &broadcast, &failure) < 0)
        return api_reply_failure(call, &failure);
    if (broadcast == NULL)
        return pass_unknown(call);
    removed = json_array();
    broadcast_each_json(broadcast, take_removed, removed);
    r = judge(broadcast, &failure);
    broadcast_free(broadcast);
    if (r == 0)
        return api_reply_json(call, 200, removed);
    json_decref(removed);
    return api_reply_failure(call, &failure);
}
