/* SPDX-License-Identifier: Apache-2.0 */
#include "pull.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "uri.h"

/* A pull sends progress all the time; one that says nothing for so long is stuck. */
#define PULL_SILENCE_MS 300000

bool pull_is_possible(const char *image)
{
    size_t length = strlen(image);

    return length && strncmp(image, "sha256:", 7) && !(length == 64 && strspn(image, "0123456789abcdef") == 64);
}

int pull_split_reference(const char *image, char **ret_repository, char **ret_tag)
{
    const char *split = strchr(image, '@');
    char *repository, *tag;

    if (!split) {
        split = strrchr(image, ':');
        if (split && strchr(split, '/')) { /* the port of a registry */
            split = NULL;
        }
    }
    repository = split ? strndup(image, (size_t)(split - image)) : strdup(image);
    tag = strdup(split ? split + 1 : "latest");
    if (!repository || !tag) {
        free(repository);
        free(tag);
        return -1;
    }
    *ret_repository = repository;
    *ret_tag = tag;
    return 0;
}

/* "/images/create?fromImage=…&tag=…[&platform=…]"; new text. */
static char *pull_path(const struct pull_order *order)
{
    char *repository = NULL, *tag = NULL, *parts[3] = {NULL}, *path = NULL;
    const char *platform = order->platform ? order->platform : "";

    if (!pull_split_reference(order->image, &repository, &tag)) {
        parts[0] = uri_escape(repository);
        parts[1] = uri_escape(tag);
        parts[2] = uri_escape(platform);
        if (parts[0] && parts[1] && parts[2] &&
            asprintf(&path, "/images/create?fromImage=%s&tag=%s%s%s", parts[0], parts[1], *platform ? "&platform=" : "",
                     parts[2]) < 0) {
            path = NULL;
        }
    }
    for (int i = 0; i < 3; i++) {
        free(parts[i]);
    }
    free(repository);
    free(tag);
    return path;
}

char *pull_stream_error(const char *stream, size_t length)
{
    char *message = NULL;
    json_error_t error;
    json_t *object;

    while (!message && length && (object = json_read(stream, length, JSON_DISABLE_EOF_CHECK, &error))) {
        const char *text = json_string_value(json_object_get(json_object_get(object, "errorDetail"), "message"));

        text = text ? text : json_string_value(json_object_get(object, "error"));
        message = text ? strdup(text) : NULL;
        json_decref(object);
        stream += error.position;
        length -= (size_t)error.position;
    }
    return message;
}

static bool says_one_of(const char *message, const char *const *signs)
{
    for (; *signs != NULL; signs++) {
        if (strcasestr(message, *signs)) {
            return true;
        }
    }
    return false;
}

/* The registry did not say no to the image but to whoever asked. */
static bool wants_credentials(const char *message)
{
    static const char *const signs[] = {
        "pull access denied",
        "unauthorized",
        "authentication required",
        "no basic auth credentials",
        "requested access to the resource is denied",
        "docker login",
        NULL,
    };

    return says_one_of(message, signs);
}

static bool is_in_no_registry(const char *message)
{
    static const char *const signs[] = {"manifest unknown", "repository does not exist", "name unknown", NULL};

    return says_one_of(message, signs);
}

/* @p status: the engine's, 200 where the pull had begun. One that could not even begin left the engine without the
 * image, for which clients expect 404: they may have another way to get it. Why is told, too, unless the registry has
 * no such image, or none for who shows no credentials: an engine says no more then. */
static int refuse(struct failure *failure, const struct pull_order *order, int status, const char *message)
{
    bool anonymous = !order->auth || !*order->auth;
    char *copy;

    if (status == 404 || is_in_no_registry(message) || wants_credentials(message)) {
        if (anonymous || !wants_credentials(message)) {
            return failure_set(failure, 404, "%s", order->missing);
        }
        status = 404;
    }
    copy = strdup(message); /* it may be the failure's own */
    if (!copy) {
        return failure_set(failure, 500, "out of memory");
    }
    if (status >= 400) {
        failure_set(failure, 404, "%s: %s", order->missing, copy);
    } else {
        failure_set(failure, 500, "%s", copy);
    }
    free(copy);
    return -1;
}

static int run_pull(struct engine *engine, const struct pull_order *order, const char *path, const char *auth_header,
                    struct failure *failure)
{
    const char *headers[] = {auth_header, NULL};
    struct engine_request request = {
        .wanted = order->version,
        .method = "POST",
        .path = path,
        .headers = auth_header ? headers : NULL,
        .silence_ms = PULL_SILENCE_MS,
        .guard = order->guard,
    };
    struct http_result result;
    char *error;
    int status = engine_request(engine, &request, &result, failure);

    if (status) {
        if (result.failure == HTTP_OK && failure->message) {
            refuse(failure, order, result.status, failure->message);
        }
    } else if ((error = pull_stream_error(result.body, result.length))) {
        status = refuse(failure, order, result.status, error);
        free(error);
    }
    http_result_clear(&result);
    return status;
}

int pull_image(struct engine *engine, const struct pull_order *order, struct failure *failure)
{
    char *path = pull_path(order), *auth_header = NULL;
    int status = -1;

    if (!path || (order->auth && *order->auth && asprintf(&auth_header, "X-Registry-Auth: %s", order->auth) < 0)) {
        failure_set(failure, 500, "out of memory");
    } else {
        status = run_pull(engine, order, path, auth_header, failure);
    }
    free(auth_header);
    free(path);
    return status;
}
