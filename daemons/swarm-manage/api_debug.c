/* SPDX-License-Identifier: Apache-2.0 */
/* /debug/vars, with --debug: what the process uses and holds. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "events.h"
#include "http_server.h"
#include "timestamp.h"

/* The number behind @p key in /proc/self/status; 0 where it is not there. */
static json_int_t status_number(const char *key)
{
    FILE *file = fopen("/proc/self/status", "re");
    size_t length = strlen(key);
    char line[256];
    json_int_t number = 0;

    while (file != NULL && number == 0 && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            number = strtoll(line + length + 1, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return number;
}

static json_int_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    json_int_t count = -3; /* ".", "..", and the folder itself */

    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count < 0 ? 0 : count;
}

static json_t *engines(struct pool *pool, json_int_t *ret_containers)
{
    static const enum engine_state states[] = {ENGINE_PENDING, ENGINE_HEALTHY, ENGINE_UNHEALTHY, ENGINE_DISCONNECTED};
    json_t *object = json_object();
    json_int_t counts[sizeof(states) / sizeof(states[0])] = {0};

    pool_read_lock(pool);
    *ret_containers = (json_int_t)swarm_cluster_container_count(pool->cluster);
    for (size_t i = 0; i < pool->engine_count; i++) {
        for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++)
            counts[k] += pool->engines[i]->state == states[k];
    }
    pool_unlock(pool);
    for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++)
        json_object_set_new(object, engine_state_text(states[k]), json_integer(counts[k]));
    return object;
}

int api_debug_vars(struct call *call)
{
    struct manager *manager = call->manager;
    json_int_t containers;
    json_t *states;

    if (!manager->options.debug)
        return http_reply_error(call->reply, 404, "page not found: /debug/vars is served with --debug only");
    states = engines(manager->pool, &containers);
    return api_reply_json(call, 200,
                          json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I}", "UptimeSeconds",
                                    (json_int_t)(timestamp_now_ns() / 1000000 - manager->started_ms) / 1000, "Requests",
                                    (json_int_t)atomic_load(&manager->requests), "Threads", status_number("Threads"),
                                    "MemoryKiB", status_number("VmRSS"), "OpenFiles", open_files(), "Engines", states,
                                    "Containers", containers, "EventListeners",
                                    (json_int_t)event_hub_listeners(manager->events)));
}
