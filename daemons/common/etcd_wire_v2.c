/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_kv.h"
#include "etcd_wire.h"

char *etcd_v2_path(const char *key)
{
    return kv_path_escape("/v2/keys/", key);
}

/* The key of a node without its leading slash, NULL where there is none. */
static const char *node_key(const json_t *node)
{
    const char *key = json_string_value(json_object_get(node, "key"));
    return key && *key == '/' ? key + 1 : key;
}

int etcd_parse_v2_list(const char *text, struct kv_table *table)
{
    json_t *root = text ? json_loads(text, 0, NULL) : NULL, *node;
    const json_t *directory = json_object_get(root, "node");
    int status = json_is_true(json_object_get(directory, "dir")) ? 0 : -1;
    size_t i;
    json_array_foreach (json_object_get(directory, "nodes"), i, node) {
        const char *key = node_key(node), *value = json_string_value(json_object_get(node, "value"));
        if (status == 0)
            status = key ? kv_table_put(table, key, value ? value : "") : -1;
    }
    json_decref(root);
    return status;
}

int etcd_parse_v2_key(const char *text, struct etcd_v2_key *ret)
{
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *node = json_object_get(root, "node");
    const char *value = json_string_value(json_object_get(node, "value"));
    *ret = (struct etcd_v2_key){.created = json_integer_value(json_object_get(node, "createdIndex")),
                                .modified = json_integer_value(json_object_get(node, "modifiedIndex"))};
    if (ret->created > 0 && ret->modified > 0)
        ret->value = strdup(value ? value : "");
    json_decref(root);
    return ret->value ? 0 : -1;
}

static bool is_removal(const char *action)
{
    return strcmp(action, "delete") == 0 || strcmp(action, "expire") == 0 || strcmp(action, "compareAndDelete") == 0;
}

static enum etcd_event apply(const json_t *node, const char *action, const char *directory, struct kv_table *table)
{
    const char *key = node_key(node), *value = json_string_value(json_object_get(node, "value"));
    size_t length = strlen(directory);
    if (!key)
        return ETCD_BROKEN;
    if (strncmp(key, directory, length) != 0 || key[length] != '/') /* the directory itself, or one above it */
        return is_removal(action) ? ETCD_LIST : ETCD_NOTHING;
    if (strchr(key + length + 1, '/'))
        return ETCD_NOTHING;
    if (is_removal(action)) {
        kv_table_remove(table, key);
        return ETCD_CHANGED;
    }
    return kv_table_put(table, key, value ? value : "") == 0 ? ETCD_CHANGED : ETCD_BROKEN;
}

enum etcd_event etcd_apply_v2_event(const char *text, const char *directory, struct kv_table *table, int64_t *ret_index)
{
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *node = json_object_get(root, "node");
    const char *action = json_string_value(json_object_get(root, "action"));
    int64_t index = json_integer_value(json_object_get(node, "modifiedIndex"));
    enum etcd_event event = action && index > 0 ? apply(node, action, directory, table) : ETCD_BROKEN;
    if (event != ETCD_BROKEN)
        *ret_index = index;
    json_decref(root);
    return event;
}
