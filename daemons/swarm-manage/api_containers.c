/* SPDX-License-Identifier: Apache-2.0 */
/* What changes or reads one container. Creating is create.c's, inspecting api_inspect.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "by_container.h"
#include "create.h"
#include "create_bind.h"
#include "http_server.h"
#include "proxy.h"
#include "uri.h"

static void set_swarm_failure(struct failure *failure, struct swarm_error *error)
{
    int code = swarm_error_code(error);

    failure_set(failure, code == SWARM_ERR_PARSE || code == SWARM_ERR_INVALID ? 400 : 500, "%s",
                swarm_error_message(error));
    swarm_error_free(error);
}

static int read_create_body(struct call *call, struct swarm_create_body **ret, json_t **ret_volumes,
                            struct failure *failure)
{
    struct swarm_error *error = NULL;
    const char *text, *why;
    size_t length;
    int status = http_request_read_all(call->request, &text, &length, &why);

    if (status != 0)
        return failure_set(failure, status, "%s", why);
    if (length == 0)
        return failure_set(failure, 400, "invalid JSON: got EOF while reading request body");
    if (swarm_create_body_parse(ret, text, length, &error) == 0) {
        *ret_volumes = create_volume_names(text, length);
        return 0;
    }
    set_swarm_failure(failure, error);
    return -1;
}

/* Some clients cannot add to the query. */
static bool is_dry_run(struct call *call)
{
    const char *header = http_request_header(call->request, "X-Swarm-Dry-Run");

    return http_request_query_bool(call->request, "dryrun") ||
           (header != NULL && strcmp(header, "0") != 0 && strcmp(header, "false") != 0);
}

static int reply_dry_run(struct call *call, const struct create_order *order)
{
    struct failure failure = {0};
    char *json = NULL;
    size_t length = 0;
    int r = create_dry_run(call->manager, order, &json, &length, &failure);

    if (r < 0)
        return api_reply_failure(call, &failure);
    r = http_reply_send(call->reply, 200, "application/json", json, length);
    swarm_free(json);
    return r;
}

int api_container_create(struct call *call)
{
    struct create_order order = {
        .name = http_request_query(call->request, "name"),
        .platform = http_request_query(call->request, "platform"),
        .auth = http_request_header(call->request, "X-Registry-Auth"),
        .version = call->version,
    };
    struct failure failure = {0};
    json_t *answer = NULL, *volumes = NULL;
    int r = read_create_body(call, &order.body, &volumes, &failure);

    if (r < 0)
        return api_reply_failure(call, &failure);
    order.volumes = volumes;
    if (is_dry_run(call)) {
        r = reply_dry_run(call, &order);
    } else {
        r = create_container(call->manager, &order, &answer, &failure);
        r = r == 0 ? api_reply_json(call, 201, answer) : api_reply_failure(call, &failure);
    }
    swarm_create_body_free(order.body);
    json_decref(volumes);
    return r;
}

int api_container_start(struct call *call)
{
    return by_container(call, BY_CONTAINER_ANY_HEALTH | BY_CONTAINER_REFRESH);
}

int api_container_change(struct call *call)
{
    return by_container(call, BY_CONTAINER_REFRESH);
}

int api_container_attach(struct call *call)
{
    return by_container(call, BY_CONTAINER_HIJACK);
}

/* The new name without a slash in front; NULL with the failure where it is none. */
static const char *new_name(struct call *call, struct failure *failure)
{
    const char *name = http_request_query(call->request, "name");

    if (name != NULL && name[0] == '/')
        name++;
    if (name == NULL || name[0] == '\0') {
        failure_set(failure, 400, "the parameter name is missing: the container's new name");
        return NULL;
    }
    if (strchr(name, '/') != NULL) {
        failure_set(failure, 400, "invalid container name (%s): a name has no slash; the container stays on its node",
                    name);
        return NULL;
    }
    return name;
}

static int hold_name(struct pool *pool, const char *name, struct failure *failure)
{
    struct swarm_error *error = NULL;
    int r;

    pool_write_lock(pool);
    r = swarm_cluster_hold_name(pool->cluster, name, &error);
    pool_unlock(pool);
    if (r == 0)
        return 0;
    if (r == SWARM_ERR_NAME_TAKEN)
        failure_set(failure, 409,
                    "Conflict: The name %s is already assigned. You have to delete (or rename) that container to be "
                    "able to assign %s to a container again.",
                    name, name);
    else
        failure_set(failure, 500, "%s", swarm_error_message(error));
    swarm_error_free(error);
    return -1;
}

static void release_name(struct pool *pool, const char *name)
{
    pool_write_lock(pool);
    swarm_cluster_release_name(pool->cluster, name);
    pool_unlock(pool);
}

int api_container_rename(struct call *call)
{
    struct failure failure = {0};
    struct target target = {0};
    const char *name = new_name(call, &failure);
    bool same;
    int r;

    if (name == NULL || by_container_find(call, call->name, 0, &target, &failure) < 0)
        return api_reply_failure(call, &failure);
    same = strcmp(target.name, name) == 0; /* the engine has its own words for that */
    if (!same && hold_name(call->manager->pool, name, &failure) < 0) {
        target_clear(&target);
        return api_reply_failure(call, &failure);
    }
    r = by_container_pass(call, &target, call->rest, BY_CONTAINER_REFRESH, NULL);
    if (!same)
        release_name(call->manager->pool, name);
    target_clear(&target);
    return r;
}

/* DELETE of "web/db" with link=1 takes the link "db" off web, and must never reach a container "db" on a node "web".
 * Engines know the parent by its own name only. */
static int delete_link(struct call *call)
{
    struct failure failure = {0};
    struct target target = {0};
    char *alias = strrchr(call->name, '/');
    char *parent, *escaped, *path = NULL;
    struct proxy_order order = {.version = call->version, .query = http_request_query_string(call->request)};
    int status, r = -1;

    parent = alias == NULL ? NULL : strndup(call->name, (size_t)(alias - call->name));
    if (parent == NULL)
        return http_reply_error(call->reply, 400, "a link is removed as container/alias: %s names no link", call->name);
    if (by_container_find(call, parent, 0, &target, &failure) == 0) {
        escaped = uri_escape(alias + 1);
        if (escaped == NULL || asprintf(&path, "/containers/%s/%s", target.name, escaped) < 0)
            path = NULL;
        free(escaped);
        order.engine = target.engine;
        order.path = path;
        order.refresh = target.id;
        r = path == NULL ? failure_set(&failure, 500, "out of memory")
                         : proxy_request(call->manager, call->request, call->reply, &order, &status, &failure);
        free(path);
        target_clear(&target);
    }
    free(parent);
    return r == 0 ? 0 : api_reply_failure(call, &failure);
}

int api_container_delete(struct call *call)
{
    if (http_request_query_bool(call->request, "link"))
        return delete_link(call);
    /* The refresh finds it gone and drops it before the client has its answer; its volumes likewise. */
    return by_container(call, BY_CONTAINER_ANY_HEALTH | BY_CONTAINER_REFRESH |
                                  (http_request_query_bool(call->request, "v") ? BY_CONTAINER_VOLUMES : 0));
}

/* "/containers/..." of any other kind: the container is the first segment, or "node/name", the first two. */
static int pass_unknown(struct call *call)
{
    const char *begin = call->rest + 1;
    const char *end = strchr(begin, '/');
    struct failure failure = {0};
    struct target target = {0};
    int r;

    for (int segments = 1; segments <= 2 && end != NULL && end[1] != '\0'; segments++) {
        char *name = http_decode(begin, (size_t)(end - begin));

        failure_clear(&failure);
        r = name == NULL ? failure_set(&failure, 400, "bad percent escape in the path")
                         : by_container_find(call, name, 0, &target, &failure);
        free(name);
        if (r == 0) {
            r = by_container_pass(call, &target, end, BY_CONTAINER_HIJACK, NULL);
            target_clear(&target);
            return r;
        }
        if (failure.status != 404)
            break;
        end = strchr(end + 1, '/');
    }
    if (failure.status != 0)
        return api_reply_failure(call, &failure);
    return http_reply_error(call->reply, 404, "page not found: this manager does not serve %s %s",
                            http_request_method(call->request), http_request_path(call->request));
}

int api_container_pass(struct call *call)
{
    return call->name[0] == '\0' ? pass_unknown(call) : by_container(call, 0);
}
