/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_state.h"

#include <string.h>

#include "mem.h"
#include "node.h"
#include "node_facts.h"

const char *const swarm__state_words[] = {"created", "running", "paused", "restarting", "exited", "dead", NULL};
const char *const swarm__availability_words[] = {"active", "paused", "draining", "unannounced", NULL};
const char *const swarm__count_words[] = {"ports", "slots", "resources", NULL};
_Static_assert(SWARM_COUNT_PORTS == 1 && SWARM_COUNT_SLOTS == 2 && SWARM_COUNT_RESOURCES == 4, "words by bit");

static const char *const root_members[] = {SWARM__STATE_VERSION_MEMBER, "stopped_counts", "held_names", "nodes", NULL};
static const char *const node_members[] = {
    "id",     "name",         "address", "cpus_milli", "memory",     "overcommit",   "resources",
    "health", "availability", "labels",  "images",     "containers", "reservations", NULL};
static const char *const container_members[] = {"id",      "state", "running_since_ms", "names", "bound_ports",
                                                "request", NULL};
static const char *const reservation_members[] = {"request", NULL};
static const char *const binding_members[] = {"host_ip", "host_port", NULL};

/* ---- containers ---- */

/* An empty request where there is none. */
static int read_request(const json_t *object, const struct swarm__at *at, struct swarm_request **ret_request,
                        struct swarm_error **reterr)
{
    const json_t *request = json_object_get(object, "request");
    return request ? swarm__state_read_request(request, SWARM__AT_MEMBER(at, "request"), ret_request, reterr)
                   : swarm_request_new(ret_request, reterr);
}

/* The texts of a list, borrowed. @param ret_texts  Release with swarm__free(). */
static int list_texts(const json_t *list, const char ***ret_texts, struct swarm_error **reterr)
{
    const char **texts = swarm__calloc(json_array_size(list), sizeof(*texts));
    if (!texts)
        return swarm__error_nomem(reterr);
    for (size_t i = 0; i < json_array_size(list); i++)
        texts[i] = json_string_value(json_array_get(list, i));
    *ret_texts = texts;
    return 0;
}

/* Where they are left out, the container keeps its request's name. */
static int read_names(struct swarm_container *container, const json_t *object, const struct swarm__at *at,
                      struct swarm_error **reterr)
{
    json_t *list;
    const char **names = NULL;
    int code = swarm__state_texts(object, at, "names", &list, reterr);
    if (code != 0 || !list)
        return code;
    code = list_texts(list, &names, reterr);
    if (code != 0)
        return code;
    struct swarm_error *error = NULL;
    code = swarm_container_set_names(container, names, json_array_size(list), &error);
    swarm__free(names);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, "names"), error) : 0;
}

static int read_bindings(const json_t *list, const struct swarm__at *at, struct swarm_bound_port *ports,
                         struct swarm_error **reterr)
{
    int code = 0;
    for (size_t i = 0; i < json_array_size(list) && code == 0; i++) {
        const json_t *binding = json_array_get(list, i);
        code = swarm__state_object(binding, SWARM__AT_ELEMENT(at, i), binding_members, reterr);
        if (code == 0)
            code = swarm__state_text(binding, SWARM__AT_ELEMENT(at, i), "host_ip", &ports[i].host_ip, reterr);
        if (code == 0)
            code = swarm__state_text(binding, SWARM__AT_ELEMENT(at, i), "host_port", &ports[i].host_port, reterr);
    }
    return code;
}

static int read_bound(struct swarm_container *container, const json_t *object, const struct swarm__at *at,
                      struct swarm_error **reterr)
{
    json_t *list;
    int code = swarm__state_value(object, at, "bound_ports", JSON_ARRAY, &list, reterr);
    if (code != 0 || !list)
        return code;
    struct swarm_bound_port *ports = swarm__calloc(json_array_size(list), sizeof(*ports));
    if (!ports)
        return swarm__error_nomem(reterr);
    code = read_bindings(list, SWARM__AT_MEMBER(at, "bound_ports"), ports, reterr);
    struct swarm_error *error = NULL;
    int refused = code != 0 ? 0 : swarm_container_set_bound_ports(container, ports, json_array_size(list), &error);
    swarm__free(ports);
    return refused != 0 ? swarm__state_refused(reterr, refused, SWARM__AT_MEMBER(at, "bound_ports"), error) : code;
}

static int read_running_since(struct swarm_container *container, const json_t *object, const struct swarm__at *at,
                              struct swarm_error **reterr)
{
    int64_t since_ms = 0;
    int code = swarm__state_integer(object, at, "running_since_ms", &since_ms, reterr);
    if (code != 0)
        return code;
    struct swarm_error *error = NULL;
    code = swarm_container_set_running_since(container, since_ms, &error);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, "running_since_ms"), error) : 0;
}

static int read_facts_of(struct swarm_container *container, const json_t *object, const struct swarm__at *at,
                         struct swarm_error **reterr)
{
    int state = SWARM_CONTAINER_CREATED;
    int code = swarm__state_word(object, at, "state", swarm__state_words, &state, reterr);
    if (code == 0)
        code = read_running_since(container, object, at, reterr);
    if (code == 0)
        code = read_names(container, object, at, reterr);
    if (code == 0)
        code = read_bound(container, object, at, reterr);
    if (code != 0)
        return code;
    struct swarm_error *error = NULL;
    code = swarm_container_set_state(container, state, &error);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, "state"), error) : 0;
}

static int read_container(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                          struct swarm_error **reterr)
{
    const char *id = "";
    struct swarm_request *request = NULL;
    struct swarm_container *container = NULL;
    struct swarm_error *error = NULL;
    int code = swarm__state_object(object, at, container_members, reterr);
    if (code == 0)
        code = swarm__state_text(object, at, "id", &id, reterr);
    if (code == 0 && !*id)
        code = swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_MEMBER(at, "id"), "an id is needed");
    if (code == 0)
        code = read_request(object, at, &request, reterr);
    if (code != 0)
        return code;
    code = swarm_cluster_add_container(node->cluster, node, id, request, &container, &error);
    swarm_request_unref(request);
    return code != 0 ? swarm__state_refused(reterr, code, at, error) : read_facts_of(container, object, at, reterr);
}

static int read_reservation(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                            struct swarm_error **reterr)
{
    struct swarm_request *request = NULL;
    struct swarm_reservation *reservation; /* the cluster's */
    struct swarm_error *error = NULL;
    int code = swarm__state_object(object, at, reservation_members, reterr);
    if (code == 0)
        code = read_request(object, at, &request, reterr);
    if (code != 0)
        return code;
    code = swarm_cluster_reserve(node->cluster, node, request, &reservation, &error);
    swarm_request_unref(request);
    return code != 0 ? swarm__state_refused(reterr, code, at, error) : 0;
}

/* Containers come before reservations, or they would take the places of those with the same swarm id. */
static int read_contents(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                         struct swarm_error **reterr)
{
    static const struct {
        const char *key;
        int (*read)(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                    struct swarm_error **reterr);
    } lists[] = {{"containers", read_container}, {"reservations", read_reservation}};
    int code = 0;
    for (size_t n = 0; n < 2 && code == 0; n++) {
        json_t *list, *item;
        size_t i;
        code = swarm__state_value(object, at, lists[n].key, JSON_ARRAY, &list, reterr);
        if (code != 0)
            return code;
        json_array_foreach (list, i, item)
            if (code == 0)
                code = lists[n].read(node, item, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, lists[n].key), i), reterr);
    }
    return code;
}

/* ---- nodes ---- */

static int read_labels(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                       struct swarm_error **reterr)
{
    json_t *map, *value;
    const char *key;
    int code = swarm__state_map(object, at, "labels", &map, reterr);
    if (code != 0 || !map)
        return code;
    size_t count = json_object_size(map), i = 0;
    const char **texts = swarm__calloc(2 * count, sizeof(*texts)); /* keys, then values */
    if (!texts)
        return swarm__error_nomem(reterr);
    json_object_foreach (map, key, value) {
        texts[i] = key;
        texts[count + i++] = json_string_value(value);
    }
    struct swarm_error *error = NULL;
    code = swarm_node_set_labels(node, texts, texts + count, count, &error);
    swarm__free(texts);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, "labels"), error) : 0;
}

static int read_images(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                       struct swarm_error **reterr)
{
    json_t *list;
    const char **texts = NULL;
    int code = swarm__state_texts(object, at, "images", &list, reterr);
    if (code != 0 || !list)
        return code;
    code = list_texts(list, &texts, reterr);
    if (code != 0)
        return code;
    code = swarm__node_set_image_texts(node, texts, json_array_size(list));
    swarm__free(texts);
    return code != 0 ? swarm__error_nomem(reterr) : 0;
}

static int read_overcommit(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                           struct swarm_error **reterr)
{
    const json_t *ratio = json_object_get(object, "overcommit");
    if (!ratio)
        return 0;
    if (!json_is_number(ratio))
        return swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_MEMBER(at, "overcommit"), "a number is expected");
    struct swarm_error *error = NULL;
    int code = swarm_node_set_overcommit(node, json_number_value(ratio), &error);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, "overcommit"), error) : 0;
}

static int read_capacity(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                         struct swarm_error **reterr)
{
    int64_t cpus_milli = 0, memory = 0;
    int code = swarm__state_integer(object, at, "cpus_milli", &cpus_milli, reterr);
    if (code == 0)
        code = swarm__state_integer(object, at, "memory", &memory, reterr);
    if (code == 0)
        code = read_overcommit(node, object, at, reterr);
    if (code != 0)
        return code;
    struct swarm_error *error = NULL;
    code = swarm_node_set_capacity(node, cpus_milli, memory, &error);
    return code != 0 ? swarm__state_refused(reterr, code, at, error) : 0;
}

static int set_resource(void *of, const char *name, int64_t total, struct swarm_error **reterr)
{
    return swarm_node_set_resource(of, name, total, reterr);
}

static int read_health(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                       struct swarm_error **reterr)
{
    int64_t health = 100;
    int code = swarm__state_integer(object, at, "health", &health, reterr);
    if (code == 0 && (health < 0 || health > 100))
        code = swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_MEMBER(at, "health"), "%lld: 0 to 100 is expected",
                                  (long long)health);
    return code != 0 ? code : swarm_node_set_health(node, (int)health, reterr);
}

static int read_availability(struct swarm_node *node, const json_t *object, const struct swarm__at *at,
                             struct swarm_error **reterr)
{
    int availability = SWARM_AVAILABILITY_ACTIVE;
    int code = swarm__state_word(object, at, "availability", swarm__availability_words, &availability, reterr);
    return code != 0 ? code : swarm_node_set_availability(node, availability, reterr);
}

static int add_node(struct swarm_cluster *cluster, const json_t *object, const struct swarm__at *at,
                    struct swarm_node **ret_node, struct swarm_error **reterr)
{
    const char *id = "", *name = "", *address = "";
    int code = swarm__state_object(object, at, node_members, reterr);
    if (code == 0)
        code = swarm__state_text(object, at, "id", &id, reterr);
    if (code == 0 && !*id)
        code = swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_MEMBER(at, "id"), "an id is needed");
    if (code == 0)
        code = swarm__state_text(object, at, "name", &name, reterr);
    if (code == 0)
        code = swarm__state_text(object, at, "address", &address, reterr);
    if (code != 0)
        return code;
    struct swarm_error *error = NULL;
    code = swarm_cluster_add_node(cluster, id, name, address, ret_node, &error);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, "id"), error) : 0;
}

static int read_node(struct swarm_cluster *cluster, const json_t *object, const struct swarm__at *at,
                     struct swarm_error **reterr)
{
    struct swarm_node *node = NULL;
    int code = add_node(cluster, object, at, &node, reterr);
    if (code == 0)
        code = read_capacity(node, object, at, reterr);
    if (code == 0)
        code = swarm__state_amounts(object, at, "resources", set_resource, node, reterr);
    if (code == 0)
        code = read_health(node, object, at, reterr);
    if (code == 0)
        code = read_availability(node, object, at, reterr);
    if (code == 0)
        code = read_labels(node, object, at, reterr);
    if (code == 0)
        code = read_images(node, object, at, reterr);
    return code != 0 ? code : read_contents(node, object, at, reterr);
}

/* ---- the cluster ---- */

/* Before everything else: what another version says is nothing to judge by this one's rules. */
static int check_version(const json_t *root, const struct swarm__at *at, struct swarm_error **reterr)
{
    const json_t *version = json_object_get(root, SWARM__STATE_VERSION_MEMBER);
    if (!json_is_integer(version))
        return swarm__state_error(reterr, SWARM_ERR_PARSE, at,
                                  "a recorded state is expected: an object with \"%s\": %d",
                                  SWARM__STATE_VERSION_MEMBER, SWARM_STATE_VERSION);
    if (json_integer_value(version) != SWARM_STATE_VERSION)
        return swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_MEMBER(at, SWARM__STATE_VERSION_MEMBER),
                                  "version %lld is not known: this library reads version %d",
                                  (long long)json_integer_value(version), SWARM_STATE_VERSION);
    return 0;
}

/* Before the containers: those may have a name that is held. */
static int read_held(struct swarm_cluster *cluster, const json_t *root, const struct swarm__at *at,
                     struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int code = swarm__state_texts(root, at, "held_names", &list, reterr);
    if (code != 0)
        return code;
    json_array_foreach (list, i, item) {
        struct swarm_error *error = NULL;
        code = swarm_cluster_hold_name(cluster, json_string_value(item), &error);
        if (code != 0)
            return swarm__state_refused(reterr, code, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, "held_names"), i), error);
    }
    return 0;
}

/* Before the containers, which are counted for it as they come. */
static int read_stopped_counts(struct swarm_cluster *cluster, const json_t *root, const struct swarm__at *at,
                               struct swarm_error **reterr)
{
    int flags = SWARM_COUNT_ALL;
    int code = swarm__state_words_set(root, at, "stopped_counts", swarm__count_words, &flags, reterr);
    return code != 0 ? code : swarm_cluster_set_stopped_counts(cluster, flags, reterr);
}

static int read_root(struct swarm_cluster *cluster, const json_t *root, const struct swarm__at *at,
                     struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int code = check_version(root, at, reterr);
    if (code == 0)
        code = swarm__state_object(root, at, root_members, reterr);
    if (code == 0)
        code = read_stopped_counts(cluster, root, at, reterr);
    if (code == 0)
        code = read_held(cluster, root, at, reterr);
    if (code == 0)
        code = swarm__state_value(root, at, "nodes", JSON_ARRAY, &list, reterr);
    if (code != 0)
        return code;
    json_array_foreach (list, i, item)
        if (code == 0)
            code = read_node(cluster, item, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, "nodes"), i), reterr);
    return code;
}

int swarm_cluster_read(struct swarm_cluster **ret_cluster, const char *json, size_t length, struct swarm_error **reterr)
{
    static const struct swarm__at at = {NULL, "state", 0, false};
    json_t *root = NULL;
    struct swarm_cluster *cluster = NULL;
    if (!ret_cluster || !json)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "state: no text, or no place for what it says");
    int code = swarm__state_load(json, length, &at, &root, reterr);
    if (code == 0)
        code = swarm_cluster_new(&cluster, reterr);
    if (code == 0)
        code = read_root(cluster, root, &at, reterr);
    json_decref(root);
    if (code != 0)
        swarm_cluster_free(cluster);
    else
        *ret_cluster = cluster;
    return code;
}
