/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "by_container.h"
#include "exec_table.h"
#include "fanout.h"
#include "http_server.h"
#include "proxy.h"
#include "uri.h"

#define ENGINE_TIMEOUT_MS 10000

int api_exec_create(struct call *call)
{
    struct failure failure = {0};
    struct target target = {0};
    char *path, *body = NULL;
    size_t length = 0;
    int status = 0, r;

    if (by_container_find(call, call->name, BY_CONTAINER_ANY_HEALTH, &target, &failure) < 0)
        return api_reply_failure(call, &failure);
    path = by_container_path(&target, call->rest);
    r = by_container_capture(call, target.engine, NULL, path, &body, &length, &status, &failure);
    free(path);
    if (r == 0 && status == 201) {
        json_t *answer = api_load_json(body, length);
        const char *id = json_string_value(json_object_get(answer, "Id"));

        if (id != NULL)
            exec_table_add(call->manager->execs, id, target.id, target.engine);
        json_decref(answer);
    }
    r = r == 0 ? http_reply_send(call->reply, status, "application/json", body == NULL ? "" : body, length)
               : api_reply_failure(call, &failure);
    free(body);
    target_clear(&target);
    return r;
}

/* --- an exec that this manager did not make: whoever knows it answers --- */

struct search {
    char *path;
    pthread_mutex_t lock;  /* guards what follows */
    struct engine *engine; /* reference */
    char *container_id;
};

static void ask(void *data, struct engine *engine, size_t index)
{
    struct search *search = data;
    struct http_result result = {0};
    struct failure failure = {0};

    if (engine_call(engine, "GET", search->path, NULL, NULL, 0, ENGINE_TIMEOUT_MS, &result, &failure) == 0) {
        json_t *answer = api_load_json(result.body, result.length);
        const char *container = json_string_value(json_object_get(answer, "ContainerID"));

        pthread_mutex_lock(&search->lock);
        if (container != NULL && search->engine == NULL && (search->container_id = strdup(container)) != NULL)
            search->engine = engine_ref(engine);
        pthread_mutex_unlock(&search->lock);
        json_decref(answer);
    }
    http_result_clear(&result);
    failure_clear(&failure);
}

static struct engine *search_engines(struct manager *manager, const char *id, char **ret_container)
{
    struct search search = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char *escaped = uri_escape(id);
    struct engine **engines;
    size_t count = 0;

    if (escaped == NULL || asprintf(&search.path, "/exec/%s/json", escaped) < 0) {
        free(escaped);
        return NULL;
    }
    free(escaped);
    engines = pool_engines(manager->pool, true, &count);
    fanout(engines, count, ask, &search);
    fanout_release(engines, count);
    free(search.path);
    *ret_container = search.container_id;
    return search.engine;
}

/* The engine of call->name; NULL with the failure. Reference. */
static struct engine *find_exec(struct call *call, struct failure *failure)
{
    char *container = NULL;
    struct engine *engine = exec_table_find(call->manager->execs, call->name, &container);

    if (engine == NULL) {
        engine = search_engines(call->manager, call->name, &container);
        if (engine != NULL)
            exec_table_add(call->manager->execs, call->name, container, engine);
    }
    free(container);
    if (engine == NULL)
        failure_set(failure, 404, "No such exec instance: %s", call->name);
    return engine;
}

static int pass_exec(struct call *call, bool may_hijack)
{
    struct failure failure = {0};
    struct engine *engine = find_exec(call, &failure);
    char *path = NULL, *escaped = NULL;
    int status = 0, r = -1;

    if (engine == NULL)
        return api_reply_failure(call, &failure);
    escaped = uri_escape(call->name);
    if (escaped == NULL || asprintf(&path, "/exec/%s%s", escaped, call->rest) < 0) {
        failure_set(&failure, 500, "out of memory");
    } else {
        struct proxy_order order = {
            .engine = engine,
            .version = call->version,
            .path = path,
            .query = http_request_query_string(call->request),
            .may_hijack = may_hijack,
        };

        r = proxy_request(call->manager, call->request, call->reply, &order, &status, &failure);
        free(path);
    }
    free(escaped);
    if (r == 0 && status == 404)
        exec_table_remove(call->manager->execs, call->name);
    engine_unref(engine);
    return r == 0 ? 0 : api_reply_failure(call, &failure);
}

int api_exec_start(struct call *call)
{
    return pass_exec(call, true);
}

int api_exec_pass(struct call *call)
{
    return pass_exec(call, false);
}
