/* SPDX-License-Identifier: Apache-2.0 */
/* Images that go out of the pool: saved to an archive, or pushed with all of their tags. Where no node has all that is
 * asked for, several give their part one after another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_engine.h"
#include "api.h"
#include "api_image.h"
#include "archive_merge.h"
#include "broadcast.h"
#include "bytes.h"
#include "http_server.h"
#include "image_find.h"
#include "image_name.h"
#include "log.h"
#include "uri.h"

static bool is_the_one(void *data, const struct engine *engine)
{
    return data == engine;
}

/* One node's part of the answer. */
struct part {
    struct call *call;
    const char *method;
    const char *path; /* with query */
    const char *const *pass;
    int (*piece)(void *data, struct broadcast_answer *answer, const char *bytes, size_t length);
    void *data;
};

/* 0 where it came whole; -1 with the failure (status 0: the client is gone). */
static int ask_part(const struct part *part, struct engine *engine, struct failure *failure)
{
    struct broadcast_order order = {
        .method = part->method,
        .path = part->path,
        .version = part->call->version,
        .pass = part->pass,
        .piece = part->piece,
        .data = part->data,
    };
    struct broadcast *broadcast;
    int r;

    if (part->path == NULL || broadcast_new(&broadcast, part->call->manager, is_the_one, engine) < 0)
        return failure_set(failure, 500, "out of memory");
    if (broadcast_asked(broadcast) == 0)
        r = broadcast->count == 0 ? failure_set(failure, 500, "No healthy node available in the cluster")
                                  : broadcast_nobody(broadcast, failure);
    else
        r = broadcast_run(broadcast, part->call, &order, failure);
    if (r == 0)
        r = broadcast_failure(broadcast, true, failure);
    broadcast_free(broadcast);
    return r;
}

/* The path in @p text with what the client's query has but for the parameter @p but ("name="), as text of its own. NULL
 * where there was no memory, or where @p r says so already. */
static char *end_path(struct bytes *text, int r, const char *query, const char *but)
{
    for (const char *at = query; r == 0 && *at != '\0';) {
        size_t length = strcspn(at, "&");

        if (length > 0 && strncmp(at, but, strlen(but)) != 0)
            r = bytes_printf(text, "&%.*s", (int)length, at);
        at += length + (at[length] == '&');
    }
    if (r == 0)
        r = bytes_append(text, "", 1);
    if (r < 0)
        bytes_free(text);
    return text->data; /* begin is 0: nothing was consumed */
}

/* --- save --- */

struct saving {
    struct call *call;
    struct archive_merge *merge;
};

static int write_archive(void *data, const void *bytes, size_t length)
{
    const struct saving *saving = data;
    struct http_reply *reply = saving->call->reply;

    if (!http_reply_begun(reply) && http_reply_begin(reply, 200, "application/x-tar") < 0)
        return -1;
    return http_reply_write(reply, bytes, length);
}

static int take_archive(void *data, struct broadcast_answer *answer, const char *bytes, size_t length)
{
    struct saving *saving = data;
    const char *why;

    if (archive_merge_feed(saving->merge, bytes, length) == 0)
        return BROADCAST_GO_ON;
    why = archive_merge_error(saving->merge);
    if (why == NULL)
        return BROADCAST_STOP;
    failure_set(&answer->failure, 500, "the archive of the engine at %s: %s", answer->engine->address, why);
    return BROADCAST_ENOUGH;
}

/* "/images/get?names=…&names=…" and what else the client asked for; new text, NULL for lack of memory. */
static char *archive_path(const char *query, const json_t *references)
{
    struct bytes text = {0};
    json_t *reference;
    size_t i;
    int r = bytes_append_text(&text, "/images/get");

    json_array_foreach (references, i, reference) {
        char *escaped = uri_escape(json_string_value(reference));

        r = r < 0 || escaped == NULL ? -1 : bytes_printf(&text, "%snames=%s", i == 0 ? "?" : "&", escaped);
        free(escaped);
    }
    return end_path(&text, r, query, "names=");
}

static int save_part(struct saving *saving, const struct image_part *from, struct failure *failure)
{
    char *path = archive_path(http_request_query_string(saving->call->request), from->references);
    struct part part = {.call = saving->call, .method = "GET", .path = path, .piece = take_archive, .data = saving};
    int r = ask_part(&part, from->engine, failure);

    free(path);
    if (r == 0 && archive_merge_next(saving->merge) < 0)
        r = failure_set(failure, 500, "the archive of the engine at %s: %s", from->engine->address,
                        archive_merge_error(saving->merge));
    return r;
}

/* What has begun cannot be told as a failure any more: it is cut. */
static int cut_or_refuse(struct call *call, struct failure *failure)
{
    if (!http_reply_begun(call->reply))
        return api_reply_failure(call, failure);
    if (failure->status != 0)
        log_warn("An answer of several nodes was cut short: %s",
                 failure->message == NULL ? "out of memory" : failure->message);
    failure_clear(failure);
    return -1;
}

static int save_parts(struct call *call, const struct image_parts *parts)
{
    struct saving saving = {.call = call};
    struct failure failure = {0};
    int r = 0;

    saving.merge = archive_merge_new(write_archive, &saving);
    if (saving.merge == NULL)
        return http_reply_error(call->reply, 500, "out of memory");
    for (size_t i = 0; r == 0 && i < parts->count; i++)
        r = save_part(&saving, &parts->list[i], &failure);
    if (r == 0 && archive_merge_end(saving.merge) < 0)
        r = archive_merge_error(saving.merge) == NULL ? -1 : failure_set(&failure, 500, "out of memory");
    archive_merge_free(saving.merge);
    return r == 0 ? http_reply_end(call->reply) : cut_or_refuse(call, &failure);
}

static size_t count_names(struct call *call)
{
    size_t count = 0;

    while (http_request_query_at(call->request, "names", count) != NULL)
        count++;
    return count;
}

static int nobody_has_all(struct call *call, const char *const *names, size_t count)
{
    struct bytes text = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = bytes_printf(&text, "%s%s", i > 0 ? " " : "", names[i]);
    r = http_reply_error(call->reply, 404, "Unable to find a healthy engine containing all images: [%.*s]",
                         (int)bytes_length(&text), bytes_length(&text) == 0 ? "" : bytes_at(&text));
    bytes_free(&text);
    return r;
}

static int save(struct call *call, const char *const *names, size_t count)
{
    struct image_parts parts = {0};
    struct failure failure = {0};
    int r;

    if (image_find_parts(call->manager->pool, names, count, &parts, &failure) < 0)
        return api_reply_failure(call, &failure);
    if (parts.whole_count > 0)
        r = any_engine_of(call, parts.whole, parts.whole_count, "/images/get");
    else if (parts.count > 0)
        r = save_parts(call, &parts);
    else
        r = nobody_has_all(call, names, count);
    image_parts_clear(&parts);
    return r;
}

int api_images_get(struct call *call)
{
    size_t count = count_names(call);
    const char **names = calloc(count + 1, sizeof(names[0]));
    int r;

    if (names == NULL)
        return http_reply_error(call->reply, 500, "out of memory");
    for (size_t i = 0; i < count; i++)
        names[i] = http_request_query_at(call->request, "names", i);
    r = count == 0 ? http_reply_error(call->reply, 400, "no image is named: the parameter names is missing")
                   : save(call, names, count);
    free(names);
    return r;
}

/* One image, by a name that stands for all of its tags where it has none: from a node that has them all, in parts, or
 * refused as it is for one tag. */
static int pass_all_tags(struct call *call, int (*in_parts)(struct call *call, const struct image_parts *parts))
{
    struct image_parts parts = {0};
    struct failure failure = {0};
    const char *name = call->name;
    char *path = image_path(name, call->rest);
    int r;

    if (path == NULL)
        return http_reply_error(call->reply, 500, "out of memory");
    if (image_find_parts(call->manager->pool, &name, 1, &parts, &failure) < 0)
        r = api_reply_failure(call, &failure);
    else if (parts.whole_count > 0)
        r = any_engine_of(call, parts.whole, parts.whole_count, path);
    else
        r = parts.count > 0 ? in_parts(call, &parts) : image_pass(call, call->name);
    image_parts_clear(&parts);
    free(path);
    return r;
}

int api_image_get(struct call *call)
{
    return pass_all_tags(call, save_parts);
}

/* --- push --- */

static int take_progress(void *data, struct broadcast_answer *answer, const char *bytes, size_t length)
{
    struct call *call = data;

    if (!http_reply_begun(call->reply) && http_reply_begin(call->reply, 200, "application/json") < 0)
        return BROADCAST_STOP;
    return http_reply_write(call->reply, bytes, length) < 0 ? BROADCAST_STOP : BROADCAST_GO_ON;
}

/* @p reference: the tag that is pushed; NULL: all that the node has. */
static int push_from(struct call *call, struct engine *engine, const char *reference, struct failure *failure)
{
    static const char *const passed[] = {"X-Registry-Auth", NULL};
    const char *tag = reference == NULL ? "" : reference + image_name_repository(reference) + 1;
    char *begin = image_path(call->name, call->rest);
    struct bytes text = {0};
    int r = begin == NULL ? -1 : bytes_printf(&text, "%s?tag=%s", begin, tag);
    char *path = end_path(&text, r, http_request_query_string(call->request), "tag=");
    struct part part = {
        .call = call, .method = "POST", .path = path, .pass = passed, .piece = take_progress, .data = call};

    r = ask_part(&part, engine, failure);
    free(path);
    free(begin);
    return r;
}

/* As engines end a stream of progress. */
static int say_failure(struct call *call, struct failure *failure)
{
    const char *why = failure->message == NULL ? "out of memory" : failure->message;
    json_t *object = json_pack("{s:{s:s}, s:s}", "errorDetail", "message", why, "error", why);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    int r = text == NULL ? -1 : http_reply_write(call->reply, text, strlen(text));

    free(text);
    json_decref(object);
    failure_clear(failure);
    return r < 0 ? -1 : http_reply_end(call->reply);
}

/* All tags that the first node has, and then those that it has not. */
static int push_parts(struct call *call, const struct image_parts *parts)
{
    struct failure failure = {0};
    int r = push_from(call, parts->list[0].engine, NULL, &failure);

    for (size_t i = 1; r == 0 && i < parts->count; i++) {
        json_t *reference;
        size_t k;

        json_array_foreach (parts->list[i].references, k, reference)
            r = r < 0 ? r : push_from(call, parts->list[i].engine, json_string_value(reference), &failure);
    }
    if (r < 0 && failure.status != 0 && http_reply_begun(call->reply))
        return say_failure(call, &failure);
    return r == 0 ? http_reply_end(call->reply) : api_reply_failure(call, &failure);
}

int api_image_push(struct call *call)
{
    const char *tag = http_request_query(call->request, "tag");
    char *reference;
    int r;

    if (tag == NULL || tag[0] == '\0')
        return pass_all_tags(call, push_parts);
    if (asprintf(&reference, "%s:%s", call->name, tag) < 0)
        return http_reply_error(call->reply, 500, "out of memory");
    r = image_pass(call, reference);
    free(reference);
    return r;
}
