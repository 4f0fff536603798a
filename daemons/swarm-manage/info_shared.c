/* SPDX-License-Identifier: Apache-2.0 */
#include "info_shared.h"

#include <stdlib.h>
#include <string.h>

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

/* The same, from what is told of all engines. */
static const char *const others[] = {"Plugins", "RegistryConfig", "Warnings"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *info_shared_key(size_t index)
{
    if (index < COUNT(features))
        return features[index];
    index -= COUNT(features);
    if (index < COUNT(common_members))
        return common_members[index].key;
    index -= COUNT(common_members);
    return index < COUNT(others) ? others[index] : NULL;
}

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

void info_shared_set(json_t *answer, const struct info_node *nodes, size_t count)
{
    for (size_t i = 0; i < COUNT(features); i++)
        json_object_set_new(answer, features[i], every(nodes, count, features[i]));
    for (size_t i = 0; i < COUNT(common_members); i++)
        json_object_set_new(answer, common_members[i].key,
                            common_value(nodes, count, common_members[i].key, common_members[i].otherwise));
    json_object_set_new(answer, "Plugins",
                        json_pack("{s:o, s:o, s:n, s:o}", "Volume", plugin_union(nodes, count, "Volume"), "Network",
                                  plugin_union(nodes, count, "Network"), "Authorization", "Log",
                                  plugin_union(nodes, count, "Log")));
    json_object_set_new(answer, "RegistryConfig", registry_config(nodes, count));
    json_object_set_new(answer, "Warnings", warnings(nodes, count));
}

/* --- whether it is still the same --- */

#define HASH_BEGIN UINT64_C(14695981039346656037)

static uint64_t hash_on(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static int add_to_hash(const char *bytes, size_t length, void *data)
{
    uint64_t *hash = data;

    *hash = hash_on(*hash, bytes, length);
    return 0;
}

uint64_t info_shared_hash(const struct info_node *node)
{
    uint64_t hash = hash_on(HASH_BEGIN, node->name, strlen(node->name) + 1);

    for (size_t i = 0; i < COUNT(features); i++)
        hash = hash_on(hash, json_is_true(json_object_get(node->info, features[i])) ? "1" : "0", 1);
    for (size_t i = 0; i < COUNT(common_members); i++) {
        (void)json_dump_callback(json_object_get(node->info, common_members[i].key), add_to_hash, &hash,
                                 JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
        hash = hash_on(hash, "", 1);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        (void)json_dump_callback(json_object_get(node->info, others[i]), add_to_hash, &hash,
                                 JSON_COMPACT | JSON_ENCODE_ANY);
        hash = hash_on(hash, "", 1);
    }
    return hash;
}

uint64_t info_shared_join(uint64_t hash, uint64_t of_node, bool healthy)
{
    hash = hash_on(hash, (const char *)&of_node, sizeof(of_node));
    return hash_on(hash, healthy ? "1" : "0", 1);
}
