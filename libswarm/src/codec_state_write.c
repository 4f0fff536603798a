/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_state.h"

#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "mem.h"
#include "node.h"

/* ---- containers ---- */

static int write_names(json_t *object, const struct swarm__at *at, const struct swarm_container *container,
                       struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    for (const struct swarm__name *name = container->names; name && code == 0; name = name->next)
        code = swarm__state_append_name(list, SWARM__AT_MEMBER(at, "names"), name->text, reterr);
    if (code == 0)
        return swarm__state_put(object, "names", list, reterr);
    json_decref(list);
    return code;
}

static int write_binding(json_t *list, const struct swarm__at *at, const struct swarm__binding *binding,
                         struct swarm_error **reterr)
{
    json_t *object = json_object();
    int code = swarm__state_put_text(object, at, "host_ip", binding->host_ip, reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "host_port", binding->host_port, reterr);
    if (code == 0)
        return swarm__state_append(list, object, reterr);
    json_decref(object);
    return code;
}

static int write_bound(json_t *object, const struct swarm__at *at, const struct swarm_container *container,
                       struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    for (uint32_t i = 0; i < container->bound_count && code == 0; i++)
        code = write_binding(list, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, "bound_ports"), i), &container->bound[i],
                             reterr);
    return swarm__state_put_filled(object, "bound_ports", list, code, reterr);
}

static int write_request(json_t *object, const struct swarm__at *at, const struct swarm_container *container,
                         struct swarm_error **reterr)
{
    json_t *request = NULL;
    int code = swarm__state_write_request(container->request, SWARM__AT_MEMBER(at, "request"), &request, reterr);
    return code != 0 ? code : swarm__state_put(object, "request", request, reterr);
}

static int write_container(json_t *object, const struct swarm__at *at, const struct swarm_container *container,
                           struct swarm_error **reterr)
{
    if (swarm__container_pending(container))
        return write_request(object, at, container, reterr);
    int code = swarm__state_put_text(object, at, "id", container->id, reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "state", swarm__state_words[container->state], reterr);
    if (code == 0 && container->running_since_ms != 0)
        code = swarm__state_put(object, "running_since_ms", json_integer(container->running_since_ms), reterr);
    if (code == 0)
        code = write_names(object, at, container, reterr);
    if (code == 0)
        code = write_bound(object, at, container, reterr);
    return code != 0 ? code : write_request(object, at, container, reterr);
}

static int write_containers(json_t *object, const struct swarm__at *at, const char *key,
                            const struct swarm__container_list *containers, struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    size_t i = 0;
    for (const struct swarm_container *next = containers->first; next && code == 0; next = next->next) {
        json_t *value = json_object();
        code = value ? write_container(value, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, key), i++), next, reterr)
                     : swarm__error_nomem(reterr);
        if (code == 0)
            code = swarm__state_append(list, value, reterr);
        else
            json_decref(value);
    }
    return swarm__state_put_filled(object, key, list, code, reterr);
}

/* ---- nodes ---- */

static int write_labels(json_t *object, const struct swarm__at *at, const struct swarm_node *node,
                        struct swarm_error **reterr)
{
    json_t *map = json_object();
    int code = 0;
    for (size_t i = 0; i < node->label_count && code == 0; i++)
        code = swarm__state_put_entry(map, SWARM__AT_MEMBER(at, "labels"), node->labels[i].key, node->labels[i].value,
                                      reterr);
    return swarm__state_put_filled(object, "labels", map, code, reterr);
}

/* Those that the node has; what is only asked for comes with the containers. */
static int write_resources(json_t *object, const struct swarm__at *at, const struct swarm_node *node,
                           struct swarm_error **reterr)
{
    json_t *map = json_object();
    const char *name;
    int64_t total;
    int code = 0;
    for (size_t i = 0; code == 0 && swarm_node_resource_at(node, i, &name, &total, NULL); i++)
        if (total != 0)
            code = swarm__state_put_amount(map, SWARM__AT_MEMBER(at, "resources"), name, total, reterr);
    return swarm__state_put_filled(object, "resources", map, code, reterr);
}

static int write_images(json_t *object, const struct swarm__at *at, const struct swarm_node *node,
                        struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    for (size_t i = 0; i < node->image_count && code == 0; i++)
        code = swarm__state_append_text(list, SWARM__AT_MEMBER(at, "images"), node->images[i], reterr);
    return swarm__state_put_filled(object, "images", list, code, reterr);
}

static int write_identity(json_t *object, const struct swarm__at *at, const struct swarm_node *node,
                          struct swarm_error **reterr)
{
    int code = swarm__state_put_text(object, at, "id", node->id, reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "name", node->name->text, reterr);
    return code != 0 ? code : swarm__state_put_text(object, at, "address", node->address, reterr);
}

static int write_amounts(json_t *object, const struct swarm__at *at, const struct swarm_node *node,
                         struct swarm_error **reterr)
{
    int code = swarm__state_put(object, "cpus_milli", json_integer(node->cpus_milli), reterr);
    if (code == 0)
        code = swarm__state_put(object, "memory", json_integer(node->memory_bytes), reterr);
    if (code == 0)
        code = swarm__state_put(object, "overcommit", json_real(node->overcommit), reterr);
    if (code == 0)
        code = swarm__state_put(object, "health", json_integer(swarm_node_health(node)), reterr);
    return code != 0 ? code
                     : swarm__state_put_text(object, at, "availability",
                                             swarm__availability_words[swarm_node_availability(node)], reterr);
}

static int write_node(json_t *object, const struct swarm__at *at, const struct swarm_node *node,
                      struct swarm_error **reterr)
{
    int code = write_identity(object, at, node, reterr);
    if (code == 0)
        code = write_amounts(object, at, node, reterr);
    if (code == 0)
        code = write_resources(object, at, node, reterr);
    if (code == 0)
        code = write_labels(object, at, node, reterr);
    if (code == 0)
        code = write_images(object, at, node, reterr);
    if (code == 0)
        code = write_containers(object, at, "containers", &node->containers, reterr);
    return code != 0 ? code : write_containers(object, at, "reservations", &node->pending, reterr);
}

static int write_nodes(json_t *root, const struct swarm__at *at, const struct swarm_cluster *cluster,
                       struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    size_t i = 0;
    for (const struct swarm_node *node = cluster->first_node; node && code == 0; node = node->next) {
        json_t *value = json_object();
        code = value ? write_node(value, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, "nodes"), i++), node, reterr)
                     : swarm__error_nomem(reterr);
        if (code == 0)
            code = swarm__state_append(list, value, reterr);
        else
            json_decref(value);
    }
    if (code == 0)
        return swarm__state_put(root, "nodes", list, reterr);
    json_decref(list);
    return code;
}

/* ---- the cluster ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names that are held: those without an owner. Sorted, since a map walks in an order of its own. */
static int held_names(const struct swarm_cluster *cluster, const char ***ret_names, size_t *ret_count)
{
    const char **names = NULL;
    size_t count = 0, capacity = 0, position = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&cluster->container_names, &position));)
        for (const struct swarm__name *name = (struct swarm__name *)item; name; name = name->same) {
            if (name->owner)
                continue;
            if (swarm__grow(&names, &capacity, count + 1, sizeof(*names)) != 0) {
                swarm__free(names);
                return SWARM_ERR_NOMEM;
            }
            names[count++] = name->text;
        }
    if (count > 1)
        qsort(names, count, sizeof(*names), by_text);
    *ret_names = names;
    *ret_count = count;
    return 0;
}

static int write_held(json_t *root, const struct swarm__at *at, const struct swarm_cluster *cluster,
                      struct swarm_error **reterr)
{
    const char **names = NULL;
    size_t count;
    if (held_names(cluster, &names, &count) != 0)
        return swarm__error_nomem(reterr);
    json_t *list = json_array();
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = swarm__state_append_name(list, SWARM__AT_MEMBER(at, "held_names"), names[i], reterr);
    swarm__free(names);
    return swarm__state_put_filled(root, "held_names", list, code, reterr);
}

/* Left out where they count for everything. */
static int write_stopped_counts(json_t *root, const struct swarm__at *at, const struct swarm_cluster *cluster,
                                struct swarm_error **reterr)
{
    int flags = swarm_cluster_stopped_counts(cluster);
    if (flags == SWARM_COUNT_ALL)
        return 0;
    json_t *list = json_array();
    int code = 0;
    for (int i = 0; swarm__count_words[i] && code == 0; i++)
        if (flags & 1 << i)
            code =
                swarm__state_append_text(list, SWARM__AT_MEMBER(at, "stopped_counts"), swarm__count_words[i], reterr);
    if (code == 0)
        return swarm__state_put(root, "stopped_counts", list, reterr);
    json_decref(list);
    return code;
}

int swarm_cluster_write(const struct swarm_cluster *cluster, char **ret_json, size_t *ret_length,
                        struct swarm_error **reterr)
{
    static const struct swarm__at at = {NULL, "state", 0, false};
    if (!cluster || !ret_json)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "state: no cluster to write, or no place for the text");
    json_t *root = json_object();
    int code = swarm__state_put(root, SWARM__STATE_VERSION_MEMBER, json_integer(SWARM_STATE_VERSION), reterr);
    if (code == 0)
        code = write_stopped_counts(root, &at, cluster, reterr);
    if (code == 0)
        code = write_held(root, &at, cluster, reterr);
    if (code == 0)
        code = write_nodes(root, &at, cluster, reterr);
    if (code == 0)
        return swarm__state_dump(root, ret_json, ret_length, reterr);
    json_decref(root);
    return code;
}
