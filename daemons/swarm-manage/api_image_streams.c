/* SPDX-License-Identifier: Apache-2.0 */
/* Images that come to the pool: pull and load on every node, import on one and from there to the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "broadcast.h"
#include "choose.h"
#include "fanout.h"
#include "http_server.h"
#include "image_stream.h"
#include "uri.h"

static const char *const passed_headers[] = {"X-Registry-Auth", "X-Registry-Config", "Content-Type", NULL};

/* "<path>?<the client's query>"; new text. */
static char *with_query(struct call *call, const char *path)
{
    const char *query = http_request_query_string(call->request);
    char *whole;

    return asprintf(&whole, "%s%s%s", path, query[0] == '\0' ? "" : "?", query) < 0 ? NULL : whole;
}

static int out_of_memory(struct call *call)
{
    return http_reply_error(call->reply, 500, "out of memory");
}

/* The order to all of the broadcast's engines, and what they say to the client. */
static int run(struct call *call, struct broadcast *broadcast, struct broadcast_order *order)
{
    struct image_stream stream;
    struct failure failure = {0};
    int r;

    if (broadcast_asked(broadcast) == 0) {
        broadcast_nobody(broadcast, &failure);
        return api_reply_failure(call, &failure);
    }
    if (image_stream_init(&stream, call, broadcast) < 0)
        return out_of_memory(call);
    order->object = image_stream_object;
    order->data = &stream;
    if (broadcast_run(broadcast, call, order, &failure) < 0)
        r = http_reply_begun(call->reply) ? -1 : api_reply_failure(call, &failure);
    else
        r = image_stream_end(&stream);
    failure_clear(&failure);
    image_stream_finish(&stream);
    return r;
}

static int to_all(struct call *call, const char *path, bool pass_body)
{
    struct broadcast *broadcast;
    char *whole = with_query(call, path);
    struct broadcast_order order = {
        .method = "POST", .path = whole, .version = call->version, .pass = passed_headers, .pass_body = pass_body};
    int r;

    if (whole == NULL || broadcast_new(&broadcast, call->manager, NULL, NULL) < 0) {
        free(whole);
        return out_of_memory(call);
    }
    r = run(call, broadcast, &order);
    broadcast_free(broadcast);
    free(whole);
    return r;
}

int api_image_load(struct call *call)
{
    return to_all(call, "/images/load", true);
}

/* --- import --- */

/* An import on each node would be another image on each, as its time is part of it: it is made on one, which then gives
 * it to the others. */
struct import {
    struct call *call;
    struct engine *engine; /* reference: where it is made */
    struct image_stream stream;
    char *id; /* what it became */
};

static bool is_the_one(void *data, const struct engine *engine)
{
    const struct import *import = data;

    return engine == import->engine;
}

static bool is_another(void *data, const struct engine *engine)
{
    return !is_the_one(data, engine);
}

/* The id comes last, as a status of its own. It is held back: clients may use the image once they know it. */
static int take_object(void *data, struct broadcast_answer *answer, const char *text, size_t length)
{
    struct import *import = data;
    json_t *object = api_load_json(text, length);
    const char *status = json_string_value(json_object_get(object, "status"));
    int r = BROADCAST_GO_ON;

    if (status != NULL && strncmp(status, "sha256:", 7) == 0) {
        free(import->id);
        import->id = strdup(status);
    } else {
        r = image_stream_object(&import->stream, answer, text, length);
    }
    json_decref(object);
    return r;
}

/* "/images/get?names=…": the new image with its name, or without one by its id. New text. */
static char *archive_path(const struct import *import)
{
    const char *repository = http_request_query(import->call->request, "repo");
    const char *tag = http_request_query(import->call->request, "tag");
    bool named = repository != NULL && repository[0] != '\0';
    char *name = NULL, *escaped, *path;

    if (named &&
        asprintf(&name, "%s%s%s", repository, tag == NULL || tag[0] == '\0' ? "" : ":", tag == NULL ? "" : tag) < 0)
        return NULL;
    escaped = uri_escape(named ? name : import->id);
    free(name);
    if (escaped == NULL || asprintf(&path, "/images/get?names=%s", escaped) < 0)
        path = NULL;
    free(escaped);
    return path;
}

/* Give it to the others, and tell the client how that ended. */
static int spread(struct import *import, struct broadcast *others)
{
    static const char *const headers[] = {"Content-Type: application/x-tar", NULL};
    struct image_stream stream;
    struct failure failure = {0};
    char *source = archive_path(import);
    struct broadcast_order order = {.method = "POST",
                                    .path = "/images/load?quiet=1",
                                    .headers = headers,
                                    .source = import->engine,
                                    .source_path = source,
                                    .object = image_stream_object,
                                    .data = &stream};
    int r = -1;

    if (source != NULL && image_stream_init(&stream, import->call, others) == 0) {
        stream.quiet = true;
        stream.elsewhere = 1;
        stream.last = json_pack("{s:s}", "status", import->id);
        r = broadcast_run(others, import->call, &order, &failure);
        if (r == 0)
            r = image_stream_end(&stream);
        image_stream_finish(&stream);
    }
    failure_clear(&failure);
    free(source);
    return r;
}

/* It was made, or not. */
static int import_made(struct import *import, struct broadcast *one)
{
    struct call *call = import->call;
    struct failure failure = {0};
    struct broadcast *others;
    int r;

    if (import->id == NULL || !broadcast_went_well(&one->answers[0]))
        return image_stream_end(&import->stream);
    if (pool_refresh_images(call->manager->pool, import->engine, &failure) < 0)
        failure_clear(&failure); /* its events will have it done */
    if (broadcast_new(&others, call->manager, is_another, import) < 0)
        return -1;
    r = spread(import, others);
    broadcast_free(others);
    return r;
}

static int import_on(struct import *import, struct broadcast *one)
{
    struct call *call = import->call;
    char *path = with_query(call, "/images/create");
    struct broadcast_order order = {
        .method = "POST",
        .path = path,
        .version = call->version,
        .pass = passed_headers,
        .pass_body = strcmp(http_request_query(call->request, "fromSrc"), "-") == 0,
        .object = take_object,
        .data = import,
    };
    struct failure failure = {0};
    int r;

    if (path == NULL || image_stream_init(&import->stream, call, one) < 0) {
        free(path);
        return out_of_memory(call);
    }
    r = broadcast_run(one, call, &order, &failure);
    if (r == 0)
        r = import_made(import, one);
    else if (!http_reply_begun(call->reply))
        r = api_reply_failure(call, &failure);
    failure_clear(&failure);
    image_stream_finish(&import->stream);
    free(import->id);
    free(path);
    return r;
}

static int import(struct call *call)
{
    struct import import = {.call = call};
    struct broadcast *one;
    size_t count = 0;
    struct engine **engines = pool_engines(call->manager->pool, true, &count);
    int r;

    import.engine = count == 0 ? NULL : engine_ref(choose_answering(engines, count));
    fanout_release(engines, count);
    if (import.engine == NULL)
        return http_reply_error(call->reply, 500, "No healthy node available in the cluster");
    if (broadcast_new(&one, call->manager, is_the_one, &import) == 0) {
        r = import_on(&import, one);
        broadcast_free(one);
    } else {
        r = out_of_memory(call);
    }
    engine_unref(import.engine);
    return r;
}

int api_image_create(struct call *call)
{
    const char *from = http_request_query(call->request, "fromSrc");

    return from != NULL && from[0] != '\0' ? import(call) : to_all(call, "/images/create", false);
}
