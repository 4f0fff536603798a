/* SPDX-License-Identifier: Apache-2.0 */
/* What this manager has no part in: Docker's own Swarm mode, and plugins, which each engine has of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "broadcast.h"
#include "http_server.h"

#define PLUGINS_TIMEOUT_MS 30000

static const char swarm_mode[] =
    "This is a classic Swarm cluster manager, not a Swarm-mode manager: services, tasks, secrets, configs and nodes of "
    "Swarm mode are not available here. Use \"docker info\" to list the nodes of this cluster.";

/* 503 is what an engine outside Swarm mode says, which clients know. */
int api_swarm_mode(struct call *call)
{
    return http_reply_error(call->reply, 503, "%s", swarm_mode);
}

/* To enter it, leave it, or change it: never possible. */
int api_swarm_mode_change(struct call *call)
{
    return http_reply_error(call->reply, 501, "%s", swarm_mode);
}

/* --- plugins --- */

static bool is_known(const json_t *plugins, const char *name)
{
    json_t *plugin;
    size_t i;

    json_array_foreach (plugins, i, plugin) {
        const char *known = json_string_value(json_object_get(plugin, "Name"));

        if (known != NULL && name != NULL && strcmp(known, name) == 0)
            return true;
    }
    return false;
}

static void take_plugins(void *data, const struct broadcast_answer *answer, json_t *json)
{
    json_t *plugin;
    size_t i;

    json_array_foreach (json, i, plugin) {
        if (!is_known(data, json_string_value(json_object_get(plugin, "Name"))))
            json_array_append(data, plugin);
    }
}

static int ask(struct call *call, struct broadcast *broadcast, const char *path, json_t *plugins,
               struct failure *failure)
{
    struct broadcast_order order = {
        .method = "GET", .path = path, .version = call->version, .timeout_ms = PLUGINS_TIMEOUT_MS};

    if (broadcast_asked(broadcast) == 0)
        return broadcast_nobody(broadcast, failure);
    if (broadcast_run(broadcast, call, &order, failure) < 0)
        return -1;
    broadcast_each_json(broadcast, take_plugins, plugins);
    broadcast_log_left_out(broadcast);
    return broadcast_successes(broadcast) > 0 ? 0 : broadcast_failure(broadcast, true, failure);
}

/* Those of all nodes, each once; to be freed by the caller. @return NULL and @p failure. */
static json_t *collect(struct call *call, const char *query, struct failure *failure)
{
    json_t *plugins = json_array();
    struct broadcast *broadcast = NULL;
    char *path = NULL;
    int r;

    if (plugins == NULL || asprintf(&path, "/plugins%s%s", query[0] == '\0' ? "" : "?", query) < 0 ||
        broadcast_new(&broadcast, call->manager, NULL, NULL) < 0)
        r = failure_set(failure, 500, "out of memory");
    else
        r = ask(call, broadcast, path, plugins, failure);
    broadcast_free(broadcast);
    free(path);
    if (r == 0)
        return plugins;
    json_decref(plugins);
    return NULL;
}

int api_plugins_list(struct call *call)
{
    struct failure failure = {0};
    json_t *plugins = collect(call, http_request_query_string(call->request), &failure);

    return plugins != NULL ? api_reply_json(call, 200, plugins) : api_reply_failure(call, &failure);
}

/* By its name, with or without the tag, or the beginning of its id. */
static bool is_called(const json_t *plugin, const char *name)
{
    const char *known = json_string_value(json_object_get(plugin, "Name"));
    const char *id = json_string_value(json_object_get(plugin, "Id"));
    size_t length = strlen(name);

    if (known != NULL && strncmp(known, name, length) == 0 &&
        (known[length] == '\0' || strcmp(known + length, ":latest") == 0))
        return true;
    return id != NULL && length > 0 && strncmp(id, name, length) == 0;
}

/* `docker inspect` asks for a plugin when nothing else has that name. */
int api_plugin_inspect(struct call *call)
{
    struct failure failure = {0};
    json_t *plugins = collect(call, "", &failure), *plugin;
    size_t i;
    int r;

    if (plugins == NULL)
        return api_reply_failure(call, &failure);
    json_array_foreach (plugins, i, plugin) {
        if (is_called(plugin, call->name)) {
            r = api_reply_json(call, 200, json_incref(plugin));
            json_decref(plugins);
            return r;
        }
    }
    json_decref(plugins);
    return http_reply_error(call->reply, 404, "plugin \"%s\" not found", call->name);
}

int api_plugins(struct call *call)
{
    return http_reply_error(call->reply, 501, "plugins are managed per engine; talk to the engine directly");
}
