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
#include "image_list.h"
#include "info_node.h"
#include "leader.h"
#include "records.h"
#include "saturate.h"
#include "timestamp.h"
#include "traits.h"
#include "watchdog.h"

/* Members that the pool has where every healthy engine says the same, and what stands in for them otherwise. */
static const struct {
    const char *key;
    const char *otherwise; /* JSON */
} common_members[] = {
    {"LoggingDriver", "\"\""},
    {"CgroupDriver", "\"\""},
    {"CgroupVersion", "\"\""},
    {"DefaultRuntime", "\"\""},
    {"DockerRootDir", "\"\""},
    {"InitBinary", "\"\""},
    {"Isolation", "\"\""},
    {"Runtimes", "null"},
    {"SecurityOptions", "null"},
    {"ContainerdCommit", "{\"ID\":\"\",\"Expected\":\"\"}"},
    {"RuncCommit", "{\"ID\":\"\",\"Expected\":\"\"}"},
    {"InitCommit", "{\"ID\":\"\",\"Expected\":\"\"}"},
    {"LiveRestoreEnabled", "false"},
    {"ClusterStore", "\"\""},
    {"ClusterAdvertise", "\"\""},
};

/* What the pool can do only where every healthy engine can. */
static const char *const features[] = {
    "MemoryLimit", "SwapLimit", "KernelMemory",   "CpuCfsPeriod",     "CpuCfsQuota",       "CPUShares",
    "CPUSet",      "PidsLimit", "IPv4Forwarding", "BridgeNfIptables", "BridgeNfIp6tables", "OomKillDisable",
};

static json_t *common_value(const struct info_node *nodes, size_t count, const char *key, const char *otherwise)
{
    const json_t *common = NULL;

    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(nodes[i].info, key);

        if (nodes[i].state != ENGINE_HEALTHY)
            continue;
        if (value == NULL || (common != NULL && !json_equal(common, value)))
            return json_loads(otherwise, JSON_DECODE_ANY, NULL);
        common = value;
    }
    return common == NULL ? json_loads(otherwise, JSON_DECODE_ANY, NULL) : json_deep_copy(common);
}

static json_t *every(const struct info_node *nodes, size_t count, const char *feature)
{
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].state == ENGINE_HEALTHY && !json_is_true(json_object_get(nodes[i].info, feature)))
            return json_false();
    }
    return json_true();
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The strings of all healthy engines' arrays Plugins.<key>, sorted, each once. New; NULL for lack of memory. */
static json_t *plugin_union(const struct info_node *nodes, size_t count, const char *key)
{
    const char **texts = NULL;
    size_t used = 0, k;
    json_t *result = json_array();
    json_t *value;

    for (size_t i = 0; i < count; i++) {
        const json_t *list = json_object_get(json_object_get(nodes[i].info, "Plugins"), key);
        const char **more;

        if (nodes[i].state != ENGINE_HEALTHY || json_array_size(list) == 0)
            continue;
        more = realloc(texts, (used + json_array_size(list)) * sizeof(texts[0]));
        if (more == NULL)
            break;
        texts = more;
        json_array_foreach (list, k, value) {
            if (json_is_string(value))
                texts[used++] = json_string_value(value);
        }
    }
    if (used > 0)
        qsort(texts, used, sizeof(texts[0]), compare_texts);
    for (size_t i = 0; i < used; i++) {
        if (i == 0 || strcmp(texts[i], texts[i - 1]) != 0)
            json_array_append_new(result, json_string(texts[i]));
    }
    free(texts);
    return result;
}

/* Every engine's warnings, each with its node in front. */
static json_t *warnings(const struct info_node *nodes, size_t count)
{
    json_t *result = json_array();
    json_t *value;
    size_t k;

    for (size_t i = 0; i < count; i++) {
        json_array_foreach (json_object_get(nodes[i].info, "Warnings"), k, value) {
            if (json_is_string(value))
                json_array_append_new(result, json_sprintf("%s: %s", nodes[i].name, json_string_value(value)));
        }
    }
    if (json_array_size(result) > 0)
        return result;
    json_decref(result);
    return json_null();
}

static void set_totals(json_t *answer, const struct info_node *nodes, size_t count)
{
    json_int_t running = 0, paused = 0, stopped = 0, images = 0, cpus_milli = 0, memory = 0;

    for (size_t i = 0; i < count; i++) {
        running += (json_int_t)nodes[i].running;
        paused += (json_int_t)nodes[i].paused;
        stopped += (json_int_t)nodes[i].stopped;
        images += (json_int_t)image_list_count(nodes[i].images);
        cpus_milli += nodes[i].total_cpus_milli / 1000 * 1000;
        memory = saturating_add(memory, nodes[i].total_memory);
    }
    json_object_set_new(answer, "Containers", json_integer(running + paused + stopped));
    json_object_set_new(answer, "ContainersRunning", json_integer(running));
    json_object_set_new(answer, "ContainersPaused", json_integer(paused));
    json_object_set_new(answer, "ContainersStopped", json_integer(stopped));
    json_object_set_new(answer, "Images", json_integer(images));
    json_object_set_new(answer, "NCPU", json_integer(cpus_milli / 1000));
    json_object_set_new(answer, "MemTotal", json_integer(memory));
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

/* Of one healthy engine: clients do not take null here. */
static json_t *registry_config(const struct info_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(nodes[i].info, "RegistryConfig");

        if (nodes[i].state == ENGINE_HEALTHY && json_is_object(value))
            return json_deep_copy(value);
    }
    return json_pack("{s:[], s:{}, s:[]}", "InsecureRegistryCIDRs", "IndexConfigs", "Mirrors");
}

static void set_from_engines(json_t *answer, const struct info_node *nodes, size_t count)
{
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        json_object_set_new(answer, features[i], every(nodes, count, features[i]));
    for (size_t i = 0; i < sizeof(common_members) / sizeof(common_members[0]); i++)
        json_object_set_new(answer, common_members[i].key,
                            common_value(nodes, count, common_members[i].key, common_members[i].otherwise));
    json_object_set_new(answer, "Plugins",
                        json_pack("{s:o, s:o, s:n, s:o}", "Volume", plugin_union(nodes, count, "Volume"), "Network",
                                  plugin_union(nodes, count, "Network"), "Authorization", "Log",
                                  plugin_union(nodes, count, "Log")));
    json_object_set_new(answer, "RegistryConfig", registry_config(nodes, count));
    json_object_set_new(answer, "Warnings", warnings(nodes, count));
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
    for (size_t i = 0; text != NULL && i < json_array_size(lines); i++) {
        const char *key = json_string_value(json_array_get(json_array_get(lines, i), 0));

        if (strcmp(key, "Nodes") == 0) {
            json_array_insert_new(lines, i, json_pack("[s, s]", name, text));
            break;
        }
    }
}

/* What there is to say of all nodes comes before them. */
static json_t *status_lines(struct manager *manager, const struct info_node *nodes, size_t count)
{
    json_t *lines = info_status_lines(manager->scheduler, nodes, count);
    char *trouble = records_trouble(manager->records), *held;

    add_role(lines, manager->leader);

    pool_read_lock(manager->pool);
    held = watchdog_held_text(manager->watchdog);
    pool_unlock(manager->pool);
    add_status_line(lines, "Rescheduling", held);
    add_status_line(lines, "Record not written", trouble);
    free(held);
    free(trouble);
    return lines;
}

int api_info(struct call *call)
{
    struct manager *manager = call->manager;
    struct info_node *nodes = NULL;
    size_t count = 0;
    json_t *answer = json_object();

    if (answer == NULL || info_nodes_take(manager->pool, &nodes, &count) < 0) {
        json_decref(answer);
        return http_reply_error(call->reply, 500, "out of memory");
    }
    json_object_set_new(answer, "ID", json_string(manager->id));
    set_totals(answer, nodes, count);
    json_object_set_new(answer, "Driver", json_string(""));
    json_object_set_new(answer, "DriverStatus", json_null());
    json_object_set_new(answer, "SystemStatus", status_lines(manager, nodes, count));
    set_from_engines(answer, nodes, count);
    set_own(answer, manager);
    shape(answer, api_client_version(call));
    info_nodes_free(nodes, count);
    return api_reply_json(call, 200, answer);
}
