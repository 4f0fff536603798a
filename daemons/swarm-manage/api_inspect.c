/* SPDX-License-Identifier: Apache-2.0 */
/* /containers/{name}/json: the engine's own answer, with the node in it. Everything else stays: fields that nobody here
 * knows, their order, numbers of 64 bits. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "by_container.h"
#include "container_entry.h"
#include "http_server.h"

static json_t *node_labels(const struct swarm_node *node)
{
    json_t *labels = json_object();
    const char *key, *value;

    for (size_t i = 0; node != NULL && swarm_node_label_at(node, i, &key, &value); i++)
        json_object_set_new(labels, key, json_string(value));
    return labels;
}

static json_t *node_object(struct pool *pool, const struct engine *engine)
{
    json_t *object;

    pool_read_lock(pool);
    object = json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:o}", "ID", engine->id == NULL ? "" : engine->id, "IP",
                       engine->ip, "Addr", engine->address, "Name", engine->name == NULL ? "" : engine->name, "Cpus",
                       engine->cpus, "Memory", (json_int_t)engine->memory, "Labels", node_labels(engine->node));
    pool_unlock(pool);
    return object;
}

static void set_host_ips(json_t *root, const char *engine_ip)
{
    json_t *ports = json_object_get(json_object_get(root, "NetworkSettings"), "Ports");
    const char *port;
    json_t *bindings, *binding;
    size_t i;

    json_object_foreach (ports, port, bindings) {
        json_array_foreach (bindings, i, binding) {
            const char *ip = json_string_value(json_object_get(binding, "HostIp"));

            if (ip != NULL && (*ip == '\0' || ip_is_unspecified(ip)))
                json_object_set_new(binding, "HostIp", json_string(engine_ip));
        }
    }
}

/* The same object with Node in front of Name, where classic Swarm has it. */
static json_t *with_node(json_t *root, json_t *node)
{
    json_t *result = json_object();
    const char *key;
    json_t *value;

    json_object_foreach (root, key, value) {
        if (strcmp(key, "Name") == 0)
            json_object_set(result, "Node", node);
        if (strcmp(key, "Node") != 0)
            json_object_set(result, key, value);
    }
    if (json_object_get(result, "Node") == NULL)
        json_object_set(result, "Node", node);
    return result;
}

static json_t *edit_inspect(struct pool *pool, const struct engine *engine, const char *body, size_t length)
{
    json_t *root = api_load_json(body, length);
    json_t *node, *result = NULL;

    if (json_is_object(root)) {
        node = node_object(pool, engine);
        set_host_ips(root, json_string_value(json_object_get(node, "IP")));
        result = with_node(root, node);
        json_decref(node);
    }
    json_decref(root);
    return result;
}

static int reply_inspect(struct call *call, const struct engine *engine, int status, const char *body, size_t length)
{
    json_t *answer;

    if (status != 200)
        return http_reply_send(call->reply, status, "application/json", body == NULL ? "" : body, length);
    answer = edit_inspect(call->manager->pool, engine, body, length);
    if (answer == NULL)
        return http_reply_error(call->reply, 500,
                                "The engine at %s answered an inspect with something that is "
                                "no JSON object",
                                engine->shown);
    return api_reply_json(call, 200, answer);
}

int api_container_inspect(struct call *call)
{
    struct failure failure = {0};
    struct target target = {0};
    char *path, *body = NULL;
    size_t length = 0;
    int status = 0, r;

    if (by_container_find(call, call->name, 0, &target, &failure) < 0)
        return api_reply_failure(call, &failure);
    path = by_container_path(&target, call->rest);
    r = by_container_capture(call, target.engine, "GET", path, &body, &length, &status, &failure);
    free(path);
    r = r == 0 ? reply_inspect(call, target.engine, status, body, length) : api_reply_failure(call, &failure);
    free(body);
    target_clear(&target);
    return r;
}
