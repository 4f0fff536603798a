/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of images that nodes have: one of them answers, or all of them do it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_engine.h"
#include "api.h"
#include "broadcast.h"
#include "http_server.h"
#include "image_find.h"
#include "image_name.h"
#include "uri.h"

/* "/images/<name><rest>"; new text. */
static char *image_path(const char *name, const char *rest)
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

static int pass_image(struct call *call, const char *reference, bool any_tag)
{
    struct image_holders holders = {0};
    struct failure failure = {0};
    char *path = image_path(call->name, call->rest);
    int r;

    if (path == NULL)
        return out_of_memory(call);
    if (image_find(call->manager->pool, &reference, 1, any_tag, &holders, &failure) < 0)
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
    return pass_image(call, call->name, false);
}

/* A repository without a tag stands for all of its tags. */
int api_image_get(struct call *call)
{
    return pass_image(call, call->name, true);
}

int api_image_push(struct call *call)
{
    const char *tag = http_request_query(call->request, "tag");
    char *reference = NULL;
    int r;

    if (tag == NULL || tag[0] == '\0')
        return pass_image(call, call->name, true);
    if (asprintf(&reference, "%s:%s", call->name, tag) < 0)
        return out_of_memory(call);
    r = pass_image(call, reference, false);
    free(reference);
    return r;
}

/* --- several in one archive --- */

static size_t count_names(struct call *call)
{
    size_t count = 0;

    while (http_request_query_at(call->request, "names", count) != NULL)
        count++;
    return count;
}

/* "[a b]"; new text. */
static char *list_names(const char *const *names, size_t count)
{
    size_t length = 3;
    char *text, *at;

    for (size_t i = 0; i < count; i++)
        length += strlen(names[i]) + 1;
    text = at = malloc(length);
    if (text == NULL)
        return NULL;
    *at++ = '[';
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i > 0 ? " " : "", names[i]);
    memcpy(at, "]", 2);
    return text;
}

static int nobody_has_all(struct call *call, const char *const *names, size_t count)
{
    char *text = list_names(names, count);
    int r = http_reply_error(call->reply, 404, "Unable to find a healthy engine containing all images: %s",
                             text == NULL ? "" : text);

    free(text);
    return r;
}

int api_images_get(struct call *call)
{
    size_t count = count_names(call);
    const char **names = calloc(count + 1, sizeof(names[0]));
    struct image_holders holders = {0};
    struct failure failure = {0};
    int r;

    if (names == NULL)
        return out_of_memory(call);
    for (size_t i = 0; i < count; i++)
        names[i] = http_request_query_at(call->request, "names", i);
    if (count == 0)
        r = http_reply_error(call->reply, 400, "no image is named: the parameter names is missing");
    else if (image_find(call->manager->pool, names, count, true, &holders, &failure) < 0)
        r = api_reply_failure(call, &failure);
    else if (holders.healthy == 0)
        r = nobody_has_all(call, names, count);
    else
        r = pass_to_holder(call, names[0], &holders, "/images/get");
    image_holders_clear(&holders);
    free(names);
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
    const char *name = call->name;
    const char *query = http_request_query_string(call->request);
    struct image_holders holders = {0};
    struct broadcast *broadcast = NULL;
    char *path = image_path(call->name, call->rest), *whole = NULL;
    int r = image_find(call->manager->pool, &name, 1, false, &holders, failure);

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
