/* SPDX-License-Identifier: Apache-2.0 */
/* /info: the pool in the shape of one engine, with a block of lines a node in SystemStatus. */
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "events.h"
#include "host.h"
#include "http_server.h"
#include "info_cache.h"
#include "info_node.h"
#include "leader.h"
#include "records.h"
#include "timestamp.h"
#include "traits.h"
#include "watchdog.h"

static void set_totals(json_t *answer, const struct info_totals *totals)
{
    json_object_set_new(answer, "Containers",
                        json_integer((json_int_t)(totals->running + totals->paused + totals->stopped)));
    json_object_set_new(answer, "ContainersRunning", json_integer((json_int_t)totals->running));
    json_object_set_new(answer, "ContainersPaused", json_integer((json_int_t)totals->paused));
    json_object_set_new(answer, "ContainersStopped", json_integer((json_int_t)totals->stopped));
    json_object_set_new(answer, "Images", json_integer((json_int_t)totals->images));
    json_object_set_new(answer, "NCPU", json_integer(totals->cpus));
    json_object_set_new(answer, "MemTotal", json_integer(totals->memory));
}

/* RFC 3339 in the local zone, to the nanosecond. */
static json_t *system_time(void)
{
    char date[32], zone[8];
    struct timespec now;
    struct tm local;

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof(zone), "%z", &local);
    if (local.tm_gmtoff == 0)
        return json_sprintf("%s.%09ldZ", date, now.tv_nsec);
    return json_sprintf("%s.%09ld%.3s:%s", date, now.tv_nsec, zone, zone + 3);
}

static void set_own(json_t *answer, struct manager *manager)
{
    static const char *const proxies[][2] = {
        {"HttpProxy", "http_proxy"}, {"HttpsProxy", "https_proxy"}, {"NoProxy", "no_proxy"}};
    struct traits traits;
    struct host host;

    traits_get(manager, &traits);
    host_read(&host);
    json_object_set_new(answer, "Debug", json_boolean(manager->options.debug));
    json_object_set_new(answer, "NEventsListener", json_integer((json_int_t)event_hub_listeners(manager->events)));
    json_object_set_new(answer, "SystemTime", system_time());
    json_object_set_new(answer, "KernelVersion", json_string(host.kernel));
    json_object_set_new(answer, "OperatingSystem", json_string("linux"));
    json_object_set_new(answer, "OSVersion", json_string(""));
    json_object_set_new(answer, "OSType", json_string(traits.ostype));
    json_object_set_new(answer, "Architecture", json_string(host.arch));
    json_object_set_new(answer, "Name", json_string(host.name));
    json_object_set_new(answer, "ExperimentalBuild",
                        json_boolean(manager->options.experimental || traits.experimental));
    json_object_set_new(answer, "ServerVersion", json_string("swarm/" SWARM_VERSION));
    json_object_set_new(answer, "IndexServerAddress", json_string("https://index.docker.io/v1/"));
    json_object_set_new(answer, "Labels", json_null());
    json_object_set_new(answer, "GenericResources", json_null());
    for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++) {
        const char *value = getenv(proxies[i][1]);

        json_object_set_new(answer, proxies[i][0], json_string(value == NULL ? "" : value));
    }
    json_object_set_new(answer, "Swarm",
                        json_pack("{s:s, s:s, s:s, s:b, s:s, s:n}", "NodeID", "", "NodeAddr", "", "LocalNodeState",
                                  "inactive", "ControlAvailable", 0, "Error", "", "RemoteManagers"));
}

/* What changed in the API between the versions that clients speak. */
static void shape(json_t *answer, struct api_version version)
{
    static const char *const commits[] = {"ContainerdCommit", "RuncCommit", "InitCommit"};
    const char *name;
    json_t *runtime;

    if (version.minor < 44) {
        json_object_foreach (json_object_get(answer, "Runtimes"), name, runtime)
            json_object_del(runtime, "status");
    }
    for (size_t i = 0; version.minor >= 49 && i < sizeof(commits) / sizeof(commits[0]); i++)
        json_object_del(json_object_get(answer, commits[i]), "Expected");
    if (version.minor >= 50) {
        json_object_del(answer, "BridgeNfIptables");
        json_object_del(answer, "BridgeNfIp6tables");
    }
}

/* First of all lines. Where nobody is known to be the primary, or nobody but this manager, which is not, there is no
 * address. */
static void add_role(json_t *lines, struct leader *leader)
{
    bool primary = leader_is_primary(leader, NULL);
    char *address = primary ? NULL : leader_primary(leader);

    if (!primary)
        json_array_insert_new(
            lines, 0, json_pack("[s, s]", "Primary", address == NULL || leader_is_own(leader, address) ? "" : address));
    json_array_insert_new(lines, 0, json_pack("[s, s]", "Role", primary ? "primary" : "replica"));
    free(address);
}

/* Before the nodes; nothing where there is nothing to say. */
static void add_status_line(json_t *lines, const char *name, const char *text)
{
    if (text != NULL)
        json_array_insert_new(lines, json_array_size(lines) - 1, json_pack("[s, s]", name, text));
}

/* What there is to say of all nodes comes before them. */
static json_t *status_lines(struct manager *manager, size_t count)
{
    json_t *lines = info_status_lines(manager->scheduler, count);
    char *trouble = records_trouble(manager->records), *held;

    pool_read_lock(manager->pool);
    held = watchdog_held_text(manager->watchdog);
    pool_unlock(manager->pool);
    add_status_line(lines, "Rescheduling", held);
    add_status_line(lines, "Record not written", trouble);
    free(held);
    free(trouble);
    add_role(lines, manager->leader);
    return lines;
}

/* SystemStatus as JSON: the lines, then those of the nodes. */
static int write_status(struct bytes *out, struct manager *manager, const struct bytes *nodes, size_t count)
{
    json_t *lines = status_lines(manager, count);
    char *text = json_dumps(lines, JSON_COMPACT);
    int r = text == NULL ? -1 : bytes_append(out, text, strlen(text) - 1); /* the bracket follows the nodes */

    free(text);
    json_decref(lines);
    if (r == 0)
        r = bytes_append(out, bytes_at(nodes), bytes_length(nodes));
    return r == 0 ? bytes_append_text(out, "]") : -1;
}

/* The answer with SystemStatus in its place. */
static int write_answer(struct bytes *out, struct manager *manager, const json_t *answer, const struct bytes *nodes,
                        size_t count)
{
    static const char place[] = "\"SystemStatus\":null";
    char *text = json_dumps(answer, JSON_COMPACT);
    char *at = text == NULL ? NULL : strstr(text, place);
    size_t before = at == NULL ? 0 : (size_t)(at - text) + sizeof(place) - sizeof("null");
    int r = -1;

    if (at != NULL && bytes_append(out, text, before) == 0 && write_status(out, manager, nodes, count) == 0)
        r = bytes_append_text(out, text + before + sizeof("null") - 1);
    free(text);
    return r;
}

int api_info(struct call *call)
{
    struct manager *manager = call->manager;
    struct info_totals totals = {0};
    struct bytes nodes = {0}, text = {0};
    json_t *answer = json_object(), *shared = NULL;
    const struct info_waiting waiting = {watchdog_engine_text, manager->watchdog};
    int r = info_cache_write(manager->pool, &waiting, &nodes, &totals, &shared);

    if (r == 0) {
        json_object_set_new(answer, "ID", json_string(manager->id));
        set_totals(answer, &totals);
        json_object_set_new(answer, "Driver", json_string(""));
        json_object_set_new(answer, "DriverStatus", json_null());
        json_object_set_new(answer, "SystemStatus", json_null());
        json_object_update(answer, shared);
        set_own(answer, manager);
        shape(answer, api_client_version(call));
        r = write_answer(&text, manager, answer, &nodes, totals.nodes);
    }
    json_decref(answer);
    json_decref(shared);
    r = r == 0 ? http_reply_send(call->reply, 200, "application/json", bytes_at(&text), bytes_length(&text))
               : http_reply_error(call->reply, 500, "out of memory");
    bytes_free(&nodes);
    bytes_free(&text);
    return r;
}
