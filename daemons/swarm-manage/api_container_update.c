/* SPDX-License-Identifier: Apache-2.0 */
/* /containers/{name}/update: CpuShares mean what they do at creation; all else is the engine's. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "by_container.h"
#include "http_server.h"

#define UPDATE_TIMEOUT_MS 60000

/* What the container's engine is to be told instead of @p shares. */
static json_int_t engine_shares(struct manager *manager, const struct target *target, json_int_t shares)
{
    const struct swarm_container *container = NULL;
    struct pool *pool = manager->pool;

    pool_read_lock(pool);
    if (target->engine->node != NULL)
        container = swarm_cluster_find_container(pool->cluster, target->engine->node, target->id);
    shares =
        swarm_container_cpu_shares(container, pool->cluster, manager->options.cpu_shares, shares, target->engine->cpus);
    pool_unlock(pool);
    return shares;
}

/* The body with other CpuShares, new text in *ret; NULL where it is passed on as it came, to be judged by the engine.
 */
static int convert(struct call *call, const struct target *target, const char *text, size_t length, char **ret)
{
    json_t *body = api_load_json(text, length);
    json_t *shares = json_object_get(body, "CpuShares");
    json_int_t given = json_integer_value(shares), wanted = given;
    int r = 0;

    *ret = NULL;
    if (given > 0)
        wanted = engine_shares(call->manager, target, given);
    if (wanted != given) {
        (void)json_integer_set(shares, wanted);
        *ret = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
        r = *ret == NULL ? -1 : 0;
    }
    json_decref(body);
    return r;
}

static int update(struct call *call, const struct target *target, struct failure *failure)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct engine_request request = {
        .wanted = call->version,
        .method = "POST",
        .headers = headers,
        .timeout_ms = UPDATE_TIMEOUT_MS,
    };
    struct http_result result = {0};
    const char *text, *why;
    char *path, *converted;
    int r = http_request_read_all(call->request, &text, &request.length, &why);

    if (r != 0)
        return failure_set(failure, r, "%s", why);
    if (convert(call, target, text, request.length, &converted) < 0)
        return failure_set(failure, 500, "out of memory");
    if (converted != NULL)
        request.length = strlen(converted);
    request.body = converted != NULL ? converted : text;
    request.path = path = by_container_path(target, call->rest);
    r = path == NULL ? failure_set(failure, 500, "out of memory")
                     : engine_request(target->engine, &request, &result, failure);
    if (r == 0) {
        pool_refresh_container(call->manager->pool, target->engine, target->id);
        r = http_reply_send(call->reply, result.status, "application/json", result.body == NULL ? "" : result.body,
                            result.length);
    }
    http_result_clear(&result);
    free(path);
    free(converted);
    return r;
}

int api_container_update(struct call *call)
{
    struct failure failure = {0};
    struct target target = {0};
    int r;

    if (by_container_find(call, call->name, 0, &target, &failure) < 0)
        return api_reply_failure(call, &failure);
    r = update(call, &target, &failure);
    target_clear(&target);
    return failure.status == 0 ? r : api_reply_failure(call, &failure);
}
