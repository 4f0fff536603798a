/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "oracle_expr.h"

bool is_sound(const char *expression, bool whitelist)
{
    struct oracle_expr expr;
    oracle_expr_parse(&expr, expression);
    bool sound = !expr.bad && (whitelist || (!expr.never && !expr.plain));
    oracle_expr_finish(&expr);
    return sound;
}

/* ---- as a create body ---- */

static json_t *list_of(const struct oracle_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static void put_text(json_t *object, const char *key, const char *value)
{
    if (*value)
        json_object_set_new(object, key, json_string(value));
}

/* As a label or as entries of Env. */
static void put_expressions(struct world *world, const struct oracle_list *list, const char *label, const char *prefix,
                            json_t *labels, json_t *env)
{
    if (list->count == 0)
        return;
    if (world_draw(world, 2)) {
        json_t *items = list_of(list);
        char *text = json_dumps(items, JSON_COMPACT);
        json_object_set_new(labels, label, json_string(text));
        free(text);
        json_decref(items);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(env, json_sprintf("%s:%s", prefix, list->items[i]));
}

static json_t *ports_of(const struct oracle_ports *ports)
{
    json_t *object = json_object();
    for (size_t i = 0; i < ports->count; i++) {
        const struct oracle_port *port = &ports->items[i];
        json_t *list = json_object_get(object, port->container_port);
        if (!list) {
            list = json_array();
            json_object_set_new(object, port->container_port, list);
        }
        json_array_append_new(list, json_pack("{ss ss}", "HostIp", port->host_ip, "HostPort", port->host_port));
    }
    return object;
}

/* Memory alone is reserved whole; where both are said, it is only the limit. */
static void put_memory(struct world *world, json_t *config, int64_t memory)
{
    bool apart = memory > 0 && world_draw(world, 3) == 0;
    int64_t limit = !apart ? memory : world_draw(world, 2) ? memory + world_draw(world, 1000) : 0;
    json_object_set_new(config, "Memory", json_integer(limit));
    if (apart)
        json_object_set_new(config, "MemoryReservation", json_integer(memory));
}

static json_t *host_config_of(struct world *world, const struct oracle_request *request)
{
    json_t *config = json_object();
    put_text(config, "NetworkMode", request->network_mode);
    put_text(config, "PidMode", request->pid_mode);
    put_text(config, "IpcMode", request->ipc_mode);
    put_memory(world, config, request->memory);
    if (request->cpus_milli % 1000 == 0)
        json_object_set_new(config, "CpuShares", json_integer(request->cpus_milli / 1000));
    else
        json_object_set_new(config, "NanoCpus", json_integer(request->cpus_milli * 1000000));
    json_object_set_new(config, "PortBindings", ports_of(&request->ports));
    json_object_set_new(config, "VolumesFrom", list_of(&request->volumes_from));
    json_object_set_new(config, "Links", list_of(&request->links));
    return config;
}

static json_t *body_of(struct world *world, const struct oracle_request *request)
{
    json_t *body = json_object(), *labels = json_object(), *env = json_array(), *exposed = json_object();
    put_text(body, "Image", request->image);
    for (size_t i = 0; i < request->labels.count; i++)
        json_object_set_new(labels, request->labels.items[i].key, json_string(request->labels.items[i].value));
    put_text(labels, "com.docker.swarm.id", request->swarm_id);
    json_array_append_new(env, json_string("PATH=/bin"));
    put_expressions(world, &request->constraints, "com.docker.swarm.constraints", "constraint", labels, env);
    put_expressions(world, &request->affinities, "com.docker.swarm.affinities", "affinity", labels, env);
    put_expressions(world, &request->whitelists, "com.docker.swarm.whitelists", "whitelist", labels, env);
    for (size_t i = 0; i < request->exposed.count; i++)
        json_object_set_new(exposed, request->exposed.items[i], json_object());
    json_object_set_new(body, "Env", env);
    json_object_set_new(body, "Labels", labels);
    json_object_set_new(body, "ExposedPorts", exposed);
    json_object_set_new(body, "HostConfig", host_config_of(world, request));
    return body;
}

static struct swarm_request *from_body(struct world *world, const struct oracle_request *from)
{
    struct swarm_request *request = NULL;
    json_t *body = body_of(world, from);
    char *text = json_dumps(body, JSON_COMPACT);
    int code;
    kit_check(text != NULL);
    WORLD_CALL(world, code, swarm_request_from_create(&request, text, strlen(text), &world->error));
    world_expect(world, "request from a body", code, 0);
    if (code == 0)
        WORLD_CALL(world, code, swarm_request_set_name(request, from->name, &world->error));
    free(text);
    json_decref(body);
    return request;
}

/* ---- through setters ---- */

typedef int (*add_fn)(struct swarm_request *, const char *, struct swarm_error **);

static void set(struct world *world, struct swarm_request *request, const char *text, add_fn add)
{
    int code;
    WORLD_CALL(world, code, add(request, text, &world->error));
    world_expect(world, "setter", code, 0);
}

static void add_all(struct world *world, struct swarm_request *request, const struct oracle_list *list, add_fn add)
{
    for (size_t i = 0; i < list->count; i++)
        set(world, request, list->items[i], add);
}

static void set_amounts(struct world *world, struct swarm_request *request, const struct oracle_request *from)
{
    int code;
    WORLD_CALL(world, code, swarm_request_set_cpus_milli(request, from->cpus_milli, &world->error));
    world_expect(world, "CPUs", code, 0);
    WORLD_CALL(world, code, swarm_request_set_memory(request, from->memory, &world->error));
    world_expect(world, "memory", code, 0);
    if (world_draw(world, 4) > 0)
        return;
    WORLD_CALL(world, code, swarm_request_set_memory_limit(request, from->memory, &world->error));
    world_expect(world, "memory limit", code, 0);
    WORLD_CALL(world, code, swarm_request_set_cpus_limit_milli(request, from->cpus_milli, &world->error));
    world_expect(world, "CPU limit", code, 0);
}

/* Bodies have no word for these. */
static void set_resources(struct world *world, struct swarm_request *request, const struct oracle_request *from)
{
    int code;
    for (size_t i = 0; i < from->resources.count; i++) {
        WORLD_CALL(world, code,
                   swarm_request_set_resource(request, from->resources.items[i].name, from->resources.items[i].amount,
                                              &world->error));
        world_expect(world, "resource", code, 0);
    }
}

static void set_lists(struct world *world, struct swarm_request *request, const struct oracle_request *from)
{
    int code;
    add_all(world, request, &from->constraints, swarm_request_add_constraint);
    add_all(world, request, &from->affinities, swarm_request_add_affinity);
    add_all(world, request, &from->whitelists, swarm_request_add_whitelist);
    add_all(world, request, &from->exposed, swarm_request_add_exposed_port);
    add_all(world, request, &from->volumes_from, swarm_request_add_volumes_from);
    add_all(world, request, &from->links, swarm_request_add_link);
    for (size_t i = 0; i < from->labels.count; i++) {
        WORLD_CALL(
            world, code,
            swarm_request_set_label(request, from->labels.items[i].key, from->labels.items[i].value, &world->error));
        world_expect(world, "label", code, 0);
    }
    for (size_t i = 0; i < from->ports.count; i++) {
        const struct oracle_port *port = &from->ports.items[i];
        WORLD_CALL(
            world, code,
            swarm_request_add_port(request, port->container_port, port->host_ip, port->host_port, &world->error));
        world_expect(world, "port", code, 0);
    }
}

static struct swarm_request *from_setters(struct world *world, const struct oracle_request *from)
{
    struct swarm_request *request = NULL;
    int code;
    WORLD_CALL(world, code, swarm_request_new(&request, &world->error));
    world_expect(world, "new request", code, 0);
    if (code != 0)
        return NULL;
    set(world, request, from->name, swarm_request_set_name);
    set(world, request, from->image, swarm_request_set_image);
    set(world, request, from->swarm_id, swarm_request_set_swarm_id);
    set(world, request, from->network_mode, swarm_request_set_network_mode);
    set(world, request, from->pid_mode, swarm_request_set_pid_mode);
    set(world, request, from->ipc_mode, swarm_request_set_ipc_mode);
    set_amounts(world, request, from);
    set_lists(world, request, from);
    return request;
}

/* Whether all are sound; of those that are not, the library says so itself. */
static bool all_sound(struct world *world, const struct oracle_list *list, bool whitelist, struct swarm_request *scrap,
                      add_fn add)
{
    bool all = true;
    for (size_t i = 0; i < list->count; i++) {
        bool sound = is_sound(list->items[i], whitelist);
        int code;
        if (sound)
            continue;
        WORLD_CALL(world, code, add(scrap, list->items[i], &world->error));
        if (code != SWARM_ERR_PARSE)
            world_differ(world, "expression '%s' is unsound, but taken: %d", list->items[i], code);
        all = false;
    }
    return all;
}

/* Whether all name a container; those that do not can be in a body only, and the library says so itself. */
static bool all_named(struct world *world, const struct oracle_list *list, struct swarm_request *scrap, add_fn add)
{
    bool all = true;
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i] + (list->items[i][0] == '/');
        int code;
        if (*name != '\0' && *name != ':')
            continue;
        WORLD_CALL(world, code, add(scrap, list->items[i], &world->error));
        world_expect(world, "reference without a name", code, SWARM_ERR_INVALID);
        all = false;
    }
    return all;
}

struct swarm_request *request_for(struct world *world, const struct oracle_request *from)
{
    struct swarm_request *scrap = NULL, *request = NULL, *copy = NULL;
    int code;
    WORLD_CALL(world, code, swarm_request_new(&scrap, &world->error));
    bool sound = all_sound(world, &from->constraints, false, scrap, swarm_request_add_constraint);
    sound = all_sound(world, &from->affinities, false, scrap, swarm_request_add_affinity) && sound;
    sound = all_sound(world, &from->whitelists, true, scrap, swarm_request_add_whitelist) && sound;
    bool named = all_named(world, &from->volumes_from, scrap, swarm_request_add_volumes_from);
    named = all_named(world, &from->links, scrap, swarm_request_add_link) && named;
    swarm_request_unref(scrap);
    bool by_setters = sound && named && world_draw(world, 2);
    request = by_setters ? from_setters(world, from) : from_body(world, from);
    if (request)
        set_resources(world, request, from);
    if (request && world_draw(world, 8) == 0) {
        WORLD_CALL(world, code, swarm_request_copy(&copy, request, &world->error));
        world_expect(world, "copy", code, 0);
        swarm_request_unref(request);
        request = copy;
    }
    if (request && (swarm_request_check(request, NULL) == 0) != sound)
        world_differ(world, "the request is %s, but its check says otherwise", sound ? "sound" : "unsound");
    if (world->differs) {
        swarm_request_unref(request);
        return NULL;
    }
    return request;
}
