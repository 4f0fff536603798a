/* SPDX-License-Identifier: Apache-2.0 */
#include "by_container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_server.h"
#include "proxy.h"

int by_container_find(struct call *call, const char *name, int flags, struct target *ret, struct failure *failure)
{
    if (pool_find_container(call->manager->pool, name, ret, failure) < 0)
        return -1;
    if (ret->healthy || (flags & BY_CONTAINER_ANY_HEALTH) != 0)
        return 0;
    failure_set(failure, 500, "Container %s running on unhealthy node %s", name, ret->node_name);
    target_clear(ret);
    return -1;
}

char *by_container_path(const struct target *target, const char *rest)
{
    char *path;

    return asprintf(&path, "/containers/%s%s", target->id, rest) < 0 ? NULL : path;
}

int by_container_pass(struct call *call, const struct target *target, const char *rest, int flags, int *ret_status)
{
    char *path = by_container_path(target, rest);
    struct proxy_order order = {
        .engine = target->engine,
        .version = call->version,
        .path = path,
        .query = http_request_query_string(call->request),
        .may_hijack = (flags & BY_CONTAINER_HIJACK) != 0,
        .without_body = (flags & BY_CONTAINER_HIJACK) != 0,
        .refresh = (flags & BY_CONTAINER_REFRESH) != 0 ? target->id : NULL,
        .refresh_volumes = (flags & BY_CONTAINER_VOLUMES) != 0,
    };
    struct failure failure = {0};
    int status = 0;
    int r = path == NULL ? failure_set(&failure, 500, "out of memory")
                         : proxy_request(call->manager, call->request, call->reply, &order, &status, &failure);

    free(path);
    if (ret_status != NULL)
        *ret_status = r == 0 ? status : 0;
    return r == 0 ? 0 : api_reply_failure(call, &failure);
}

int by_container(struct call *call, int flags)
{
    struct failure failure = {0};
    struct target target = {0};
    bool starts;
    int r;

    if (by_container_find(call, call->name, flags, &target, &failure) < 0)
        return api_reply_failure(call, &failure);
    if (strcmp(call->rest, "/stop") == 0 || strcmp(call->rest, "/kill") == 0)
        pool_note_stop(call->manager->pool, target.engine, target.id);
    starts = strcmp(call->rest, "/start") == 0;
    if (starts)
        atomic_fetch_add(&target.engine->changes, 1);
    r = by_container_pass(call, &target, call->rest, flags, NULL);
    if (starts)
        atomic_fetch_sub(&target.engine->changes, 1);
    target_clear(&target);
    return r;
}

int by_container_capture(struct call *call, struct engine *engine, const char *method, const char *path,
                         char **ret_body, size_t *ret_length, int *ret_status, struct failure *failure)
{
    struct proxy_order order = {
        .engine = engine,
        .method = method,
        .version = call->version,
        .path = path,
        .query = http_request_query_string(call->request),
        .capture = ret_body,
        .capture_length = ret_length,
    };

    *ret_body = NULL;
    *ret_length = 0;
    if (path == NULL)
        return failure_set(failure, 500, "out of memory");
    if (proxy_request(call->manager, call->request, call->reply, &order, ret_status, failure) < 0) {
        free(*ret_body);
        *ret_body = NULL;
        return -1;
    }
    return 0;
}
