/* SPDX-License-Identifier: Apache-2.0 */
/* Asking an engine about its containers and applying the answers, blocking. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "json_scan.h"
#include "log.h"
#include "pool_private.h"
#include "remember.h"
#include "uri.h"

#define REFRESH_TIMEOUT_MS 30000

/* GET @p path, which is answered with JSON of that type. New reference, NULL with failure. */
static json_t *get_json(struct engine *engine, const char *path, json_type type, struct failure *failure)
{
    struct http_result result;
    json_t *root = NULL;

    if (!engine_call(engine, "GET", path, NULL, NULL, 0, REFRESH_TIMEOUT_MS, &result, failure)) {
        json_error_t error;

        root = json_read(result.body, result.length, JSON_ALLOW_NUL, &error);
        if (!root || json_typeof(root) != type) { /* an empty list is one; anything else says nothing */
            failure_set(failure, 500, "engine %s: malformed answer to %s: %s", engine->address, path,
                        !root                ? error.text
                        : type == JSON_ARRAY ? "it is no list"
                                             : "it is no object");
            json_decref(root);
            root = NULL;
        }
    }
    http_result_clear(&result);
    return root;
}

static json_t *get_list(struct engine *engine, const char *path, struct failure *failure)
{
    return get_json(engine, path, JSON_ARRAY, failure);
}

/* The same where the answer is looked at as it lies: *ret is the engine's, to be cleared in any case. */
static int get_entries(struct engine *engine, const char *path, struct http_result *ret, struct failure *failure)
{
    if (engine_call(engine, "GET", path, NULL, NULL, 0, REFRESH_TIMEOUT_MS, ret, failure)) {
        return -1;
    }
    if (!json_valid(ret->body, ret->length)) {
        return failure_set(failure, 500, "engine %s: malformed answer to %s: it is no JSON", engine->address, path);
    }
    if (!json_span_is_array(json_span_of(ret->body, ret->length))) {
        return failure_set(failure, 500, "engine %s: malformed answer to %s: it is no list", engine->address, path);
    }
    return 0;
}

/* Inspect one and apply it with its entry. 404 is a removal. */
static int inspect(struct pool *pool, struct engine *engine, uint64_t ticket, const char *id, struct json_span entry,
                   struct failure *failure)
{
    struct http_result result;
    char *path;
    int status = -1;

    if (asprintf(&path, "/containers/%s/json", id) < 0) {
        return failure_set(failure, 500, "out of memory");
    }
    if (!engine_call(engine, "GET", path, NULL, NULL, 0, REFRESH_TIMEOUT_MS, &result, failure)) {
        status = pool_apply_answers(pool, engine, ticket, entry, result.body, result.length);
        if (status) {
            failure_set(failure, 500, "the answer of engine %s about container %s could not be used", engine->address,
                        id);
        }
    } else if (result.status == 404) {
        pool_apply_removal(pool, engine, ticket, id);
        failure_clear(failure);
        status = 0;
    }
    http_result_clear(&result);
    free(path);
    return status;
}

static int refresh_container(struct pool *pool, struct engine *engine, const char *id, struct failure *failure)
{
    uint64_t ticket = pool_ticket(pool);
    char *escaped = uri_escape(id), *path = NULL;
    struct http_result list = {0};
    struct json_span entry;
    int status = -1;

    /* {"id":{"<id>":true}} */
    if (!escaped ||
        asprintf(&path, "/containers/json?all=1&limit=0&filters=%%7B%%22id%%22%%3A%%7B%%22%s%%22%%3Atrue%%7D%%7D",
                 escaped) < 0) {
        free(escaped);
        return failure_set(failure, 500, "out of memory");
    }
    if (!get_entries(engine, path, &list, failure)) {
        entry = container_entry_find(json_span_of(list.body, list.length), id);
        if (entry.length) {
            status = inspect(pool, engine, ticket, id, entry, failure);
        } else {
            pool_apply_removal(pool, engine, ticket, id);
            status = 0;
        }
    }
    http_result_clear(&list);
    free(path);
    free(escaped);
    return status;
}

int pool_refresh_container(struct pool *pool, struct engine *engine, const char *id)
{
    struct failure failure = {0};
    int status = refresh_container(pool, engine, id, &failure);

    remember_settle(pool, engine, id);

    if (status) {
        log_debug("Unable to update state of container \"%s\": %s", id,
                  failure.message ? failure.message : "out of memory");
    }
    failure_clear(&failure);
    return status;
}

int pool_refresh_images(struct pool *pool, struct engine *engine, struct failure *failure)
{
    uint64_t ticket = pool_ticket(pool);
    json_t *images = get_list(engine, "/images/json?all=1", failure);

    if (!images) {
        return -1;
    }
    pool_apply_images(pool, engine, ticket, images);
    json_decref(images);
    return 0;
}

int pool_refresh_networks(struct pool *pool, struct engine *engine, struct failure *failure)
{
    uint64_t ticket = pool_ticket(pool);
    json_t *networks = get_list(engine, "/networks", failure);

    if (!networks) {
        return -1;
    }
    pool_apply_networks(pool, engine, ticket, networks);
    json_decref(networks);
    return 0;
}

int pool_refresh_volumes(struct pool *pool, struct engine *engine, struct failure *failure)
{
    uint64_t ticket = pool_ticket(pool);
    json_t *volumes = get_json(engine, "/volumes", JSON_OBJECT, failure);

    if (!volumes) {
        return -1;
    }
    pool_apply_volumes(pool, engine, ticket, volumes);
    json_decref(volumes);
    return 0;
}

static void inspect_all(struct pool *pool, struct engine *engine, uint64_t ticket,
                        const struct listed_container *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct failure failure = {0};

        if (inspect(pool, engine, ticket, wanted[i].id, wanted[i].entry, &failure)) {
            log_error("Unable to update state of container \"%s\": %s", wanted[i].id,
                      failure.message ? failure.message : "out of memory");
        }
        failure_clear(&failure);
    }
}

int pool_refresh_engine(struct pool *pool, struct engine *engine, bool full, struct failure *failure)
{
    uint64_t ticket = pool_ticket(pool);
    struct listed_container *wanted = NULL;
    struct http_result list = {0};
    size_t count = 0;
    int status = get_entries(engine, "/containers/json?all=1&limit=0", &list, failure);

    if (!status &&
        pool_apply_listed(pool, engine, ticket, json_span_of(list.body, list.length), full, &wanted, &count)) {
        status = failure_set(failure, 500, "out of memory");
    }
    if (!status) {
        inspect_all(pool, engine, ticket, wanted, count);
    }
    for (size_t i = 0; i < count; i++) {
        free(wanted[i].id);
    }
    free(wanted);
    http_result_clear(&list);
    return status;
}
