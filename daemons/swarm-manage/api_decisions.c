/* SPDX-License-Identifier: Apache-2.0 */
/* What the manager knows and decides, for programs: GET /swarm/nodes and GET /swarm/decisions. */
#include "api.h"

#include <ctype.h>
#include <stdio.h>

#include "decisions.h"
#include "http_server.h"
#include "watchdog.h"

/* A member that may be missing altogether. */
static json_t *text_or_null(const char *text)
{
    return text != NULL && *text != '\0' ? json_string(text) : json_null();
}

/* "healthy" */
static json_t *state_json(const struct engine *engine)
{
    char text[32];

    snprintf(text, sizeof(text), "%s", engine_status_text(engine->state, engine->unannounced));
    for (char *at = text; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return json_string(text);
}

static json_t *availability_json(const struct swarm_node *node)
{
    switch (swarm_node_availability(node)) {
    case SWARM_AVAILABILITY_PAUSED:
        return json_string("paused");
    case SWARM_AVAILABILITY_DRAINING:
        return json_string("draining");
    case SWARM_AVAILABILITY_UNANNOUNCED:
        return json_string("unannounced");
    default:
        return json_string("active");
    }
}

/* What the node has, or what of it is reserved. */
static json_t *amounts_json(const struct swarm_node *node, bool reserved)
{
    json_t *resources = json_object();
    int64_t total, used, cpus, memory;
    const char *name;

    for (size_t i = 0; swarm_node_resource_at(node, i, &name, &total, &used); i++)
        json_object_set_new(resources, name, json_integer(reserved ? used : total));
    cpus = reserved ? swarm_node_used_cpus_milli(node) : swarm_node_total_cpus_milli(node);
    memory = reserved ? swarm_node_used_memory(node) : swarm_node_total_memory(node);
    return json_pack("{s:I, s:I, s:o}", "cpus_milli", (json_int_t)cpus, "memory", (json_int_t)memory, "resources",
                     resources);
}

static json_t *containers_json(const struct swarm_node *node)
{
    const struct swarm_container *container = NULL;
    json_int_t running = 0, paused = 0, stopped = 0;

    while ((container = swarm_node_next_container(node, container)) != NULL) {
        const struct container_record *record = container_record(container);

        if (record == NULL)
            continue;
        if (record->paused)
            paused++;
        else if (record->running)
            running++;
        else
            stopped++;
    }
    return json_pack("{s:I, s:I, s:I}", "running", running, "paused", paused, "stopped", stopped);
}

static json_t *labels_json(const struct swarm_node *node)
{
    json_t *labels = json_object();
    const char *key, *value;

    for (size_t i = 0; swarm_node_label_at(node, i, &key, &value); i++)
        json_object_set_new(labels, key, json_string(value));
    return labels;
}

static json_t *versions_json(const struct engine *engine)
{
    if (engine->server_version == NULL)
        return json_pack("{s:n, s:n, s:n}", "engine", "api", "api_min");
    return json_pack("{s:s, s:o, s:o}", "engine", engine->server_version, "api",
                     json_sprintf("%d.%d", engine->api_max.major, engine->api_max.minor), "api_min",
                     json_sprintf("%d.%d", engine->api_min.major, engine->api_min.minor));
}

static void add_move(void *data, const struct swarm_waiting *waiting)
{
    json_array_append_new(data, api_waiting_json(waiting));
}

/* What only a node that has been validated has. */
static void set_node(json_t *json, struct manager *manager, const struct engine *engine)
{
    const struct swarm_node *node = engine->node;
    json_t *moves = json_array();

    if (node != NULL && manager->watchdog != NULL)
        swarm_rescheduler_each_waiting(watchdog_rescheduler(manager->watchdog), node, add_move, moves);
    json_object_set_new(json, "availability", node == NULL ? json_null() : availability_json(node));
    json_object_set_new(json, "health", node == NULL ? json_null() : json_integer(swarm_node_health(node)));
    json_object_set_new(json, "capacity", node == NULL ? json_null() : amounts_json(node, false));
    json_object_set_new(json, "reserved", node == NULL ? json_null() : amounts_json(node, true));
    json_object_set_new(json, "containers", node == NULL ? json_null() : containers_json(node));
    json_object_set_new(json, "labels", node == NULL ? json_object() : labels_json(node));
    json_object_set_new(json, "waiting_moves", moves);
    json_object_set_new(json, "moved", json_integer(engine->lost ? (json_int_t)engine->moved : 0));
}

static json_t *engine_json(struct manager *manager, const struct engine *engine)
{
    json_t *json = json_object();

    json_object_set_new(json, "id", text_or_null(engine->id));
    json_object_set_new(json, "name", text_or_null(engine->name));
    json_object_set_new(json, "address", json_string(engine->address));
    json_object_set_new(json, "state", state_json(engine));
    json_object_set_new(json, "error", text_or_null(engine->error));
    set_node(json, manager, engine);
    json_object_set_new(json, "versions", versions_json(engine));
    return json;
}

int api_swarm_nodes(struct call *call)
{
    struct pool *pool = call->manager->pool;
    json_t *list = json_array();

    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++)
        json_array_append_new(list, engine_json(call->manager, pool->engines[i]));
    pool_unlock(pool);
    return api_reply_json(call, 200, list);
}

int api_swarm_decisions(struct call *call)
{
    return api_reply_json(call, 200, decisions_json(call->manager->decisions));
}
