/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_state.h"

#include <string.h>

#include "request.h"

static const char *const members[] = {
    "name",         "image",      "cpus_milli", "memory", "cpus_limit_milli", "memory_limit", "resources", "labels",
    "constraints",  "affinities", "whitelists", "ports",  "exposed_ports",    "network_mode", "pid_mode",  "ipc_mode",
    "volumes_from", "links",      "reschedule", NULL};
static const char *const port_members[] = {"container_port", "host_ip", "host_port", NULL};
/** By enum swarm_reschedule_policy. */
static const char *const policies[] = {"off", "on-node-failure", NULL};

static const struct swarm__at request_at = {NULL, "request", 0, false};

typedef int (*set_text_fn)(struct swarm_request *request, const char *text, struct swarm_error **reterr);
typedef int (*set_integer_fn)(struct swarm_request *request, int64_t value, struct swarm_error **reterr);
typedef int (*keep_fn)(struct swarm_request *request, const char *text, size_t length);

/* ---- reading ---- */

static int read_text(struct swarm_request *request, const json_t *object, const struct swarm__at *at, const char *key,
                     set_text_fn set, struct swarm_error **reterr)
{
    const char *text = NULL;
    struct swarm_error *error = NULL;
    int code = swarm__state_text(object, at, key, &text, reterr);
    if (code != 0 || !text)
        return code;
    code = set(request, text, &error);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, key), error) : 0;
}

static int read_integer(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                        const char *key, set_integer_fn set, struct swarm_error **reterr)
{
    int64_t value = 0;
    struct swarm_error *error = NULL;
    int code = swarm__state_integer(object, at, key, &value, reterr);
    if (code != 0 || !json_object_get(object, key))
        return code;
    code = set(request, value, &error);
    return code != 0 ? swarm__state_refused(reterr, code, SWARM__AT_MEMBER(at, key), error) : 0;
}

static int read_list(struct swarm_request *request, const json_t *object, const struct swarm__at *at, const char *key,
                     set_text_fn add, struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int code = swarm__state_texts(object, at, key, &list, reterr);
    if (code != 0)
        return code;
    json_array_foreach (list, i, item) {
        struct swarm_error *error = NULL;
        code = add(request, json_string_value(item), &error);
        if (code != 0)
            return swarm__state_refused(reterr, code, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, key), i), error);
    }
    return 0;
}

/* Flawed ones too, as a container may carry them; ports and references below alike. */
static int read_expressions(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                            const char *key, keep_fn keep, struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int code = swarm__state_texts(object, at, key, &list, reterr);
    if (code != 0)
        return code;
    json_array_foreach (list, i, item)
        if (keep(request, json_string_value(item), json_string_length(item)) != 0)
            return swarm__error_nomem(reterr);
    return 0;
}

static int read_labels(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                       struct swarm_error **reterr)
{
    json_t *labels, *value;
    const char *key;
    int code = swarm__state_map(object, at, "labels", &labels, reterr);
    if (code != 0)
        return code;
    json_object_foreach (labels, key, value) {
        struct swarm_error *error = NULL;
        code = swarm_request_set_label(request, key, json_string_value(value), &error);
        if (code != 0)
            return swarm__state_refused(reterr, code, SWARM__AT_ENTRY(SWARM__AT_MEMBER(at, "labels"), key), error);
    }
    return 0;
}

static int read_port(struct swarm_request *request, const json_t *port, const struct swarm__at *at,
                     struct swarm_error **reterr)
{
    const char *container_port = "", *host_ip = "", *host_port = "";
    int code = swarm__state_object(port, at, port_members, reterr);
    if (code == 0)
        code = swarm__state_text(port, at, "container_port", &container_port, reterr);
    if (code == 0)
        code = swarm__state_text(port, at, "host_ip", &host_ip, reterr);
    if (code == 0)
        code = swarm__state_text(port, at, "host_port", &host_port, reterr);
    if (code != 0)
        return code;
    struct swarm_error *error = NULL;
    code = swarm__request_keep_port(request, container_port, host_ip, host_port, &error);
    return code != 0 ? swarm__state_refused(reterr, code, at, error) : 0;
}

static int read_ports(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                      struct swarm_error **reterr)
{
    json_t *list, *port;
    size_t i;
    int code = swarm__state_value(object, at, "ports", JSON_ARRAY, &list, reterr);
    if (code != 0)
        return code;
    json_array_foreach (list, i, port)
        if (code == 0)
            code = read_port(request, port, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, "ports"), i), reterr);
    return code;
}

static int set_resource(void *of, const char *name, int64_t amount, struct swarm_error **reterr)
{
    return swarm_request_set_resource(of, name, amount, reterr);
}

static int read_policy(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                       struct swarm_error **reterr)
{
    int policy = SWARM_RESCHEDULE_OFF;
    int code = swarm__state_word(object, at, "reschedule", policies, &policy, reterr);
    return code != 0 ? code : swarm_request_set_reschedule_policy(request, policy, reterr);
}

static int read_texts(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                      struct swarm_error **reterr)
{
    static const struct {
        const char *key;
        set_text_fn set;
    } texts[] = {{"name", swarm_request_set_name},
                 {"image", swarm_request_set_image},
                 {"network_mode", swarm_request_set_network_mode},
                 {"pid_mode", swarm_request_set_pid_mode},
                 {"ipc_mode", swarm_request_set_ipc_mode}},
      lists[] = {{"exposed_ports", swarm__request_keep_exposed_port},
                 {"volumes_from", swarm__request_keep_volumes_from},
                 {"links", swarm__request_keep_link}};
    int code = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && code == 0; i++)
        code = read_text(request, object, at, texts[i].key, texts[i].set, reterr);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && code == 0; i++)
        code = read_list(request, object, at, lists[i].key, lists[i].set, reterr);
    return code;
}

static int read_integers(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                         struct swarm_error **reterr)
{
    int code = read_integer(request, object, at, "cpus_milli", swarm_request_set_cpus_milli, reterr);
    if (code == 0)
        code = read_integer(request, object, at, "memory", swarm_request_set_memory, reterr);
    if (code == 0)
        code = read_integer(request, object, at, "cpus_limit_milli", swarm_request_set_cpus_limit_milli, reterr);
    return code != 0 ? code : read_integer(request, object, at, "memory_limit", swarm_request_set_memory_limit, reterr);
}

static int read_all(struct swarm_request *request, const json_t *object, const struct swarm__at *at,
                    struct swarm_error **reterr)
{
    int code = read_texts(request, object, at, reterr);
    if (code == 0)
        code = read_integers(request, object, at, reterr);
    if (code == 0)
        code = swarm__state_amounts(object, at, "resources", set_resource, request, reterr);
    if (code == 0)
        code = read_labels(request, object, at, reterr);
    if (code == 0)
        code = read_ports(request, object, at, reterr);
    if (code == 0)
        code = read_expressions(request, object, at, "constraints", swarm__request_keep_constraint, reterr);
    if (code == 0)
        code = read_expressions(request, object, at, "affinities", swarm__request_keep_affinity, reterr);
    if (code == 0)
        code = read_expressions(request, object, at, "whitelists", swarm__request_keep_whitelist, reterr);
    return code != 0 ? code : read_policy(request, object, at, reterr);
}

int swarm__state_read_request(const json_t *value, const struct swarm__at *at, struct swarm_request **ret_request,
                              struct swarm_error **reterr)
{
    struct swarm_request *request = NULL;
    int code = swarm__state_object(value, at, members, reterr);
    if (code == 0)
        code = swarm_request_new(&request, reterr);
    if (code == 0)
        code = read_all(request, value, at, reterr);
    if (code != 0)
        swarm_request_unref(request);
    else
        *ret_request = request;
    return code;
}

int swarm_request_read(struct swarm_request **ret_request, const char *json, size_t length, struct swarm_error **reterr)
{
    json_t *root = NULL;
    if (!ret_request || !json)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "request: no text, or no place for what it says");
    int code = swarm__state_load(json, length, &request_at, &root, reterr);
    if (code == 0)
        code = swarm__state_read_request(root, &request_at, ret_request, reterr);
    json_decref(root);
    return code;
}

/* ---- writing ---- */

static int write_labels(json_t *object, const struct swarm__at *at, const struct swarm_request *request,
                        struct swarm_error **reterr)
{
    json_t *map = json_object();
    int code = 0;
    struct swarm__label label = {NULL, NULL};
    while (code == 0 && swarm__request_next_label(request, &label))
        code = swarm__state_put_entry(map, SWARM__AT_MEMBER(at, "labels"), label.key, label.value, reterr);
    return swarm__state_put_filled(object, "labels", map, code, reterr);
}

static int write_resources(json_t *object, const struct swarm__at *at, const struct swarm_request *request,
                           struct swarm_error **reterr)
{
    json_t *map = json_object();
    int code = 0;
    for (uint32_t i = 0; i < request->extras->amount_count && code == 0; i++)
        code = swarm__state_put_amount(map, SWARM__AT_MEMBER(at, "resources"), request->extras->amounts[i].name,
                                       request->extras->amounts[i].amount, reterr);
    return swarm__state_put_filled(object, "resources", map, code, reterr);
}

static int write_expressions(json_t *object, const struct swarm__at *at, const char *key,
                             const struct swarm__exprs *exprs, struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    for (uint32_t i = 0; i < exprs->count && code == 0; i++)
        code = swarm__state_append_text(list, SWARM__AT_MEMBER(at, key), exprs->items[i].text, reterr);
    return swarm__state_put_filled(object, key, list, code, reterr);
}

static int write_references(json_t *object, const struct swarm__at *at, const char *key,
                            const struct swarm__reference *references, uint32_t count, struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    for (uint32_t i = 0; i < count && code == 0; i++)
        code = swarm__state_append_text(list, SWARM__AT_MEMBER(at, key), references[i].raw, reterr);
    return swarm__state_put_filled(object, key, list, code, reterr);
}

static int write_exposed(json_t *object, const struct swarm__at *at, const struct swarm_request *request,
                         struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    for (uint32_t i = 0; i < request->exposed_count && code == 0; i++)
        code = swarm__state_append_text(list, SWARM__AT_MEMBER(at, "exposed_ports"), request->exposed[i], reterr);
    return swarm__state_put_filled(object, "exposed_ports", list, code, reterr);
}

static int write_port(json_t *list, const struct swarm__at *at, const struct swarm__port *port,
                      struct swarm_error **reterr)
{
    json_t *object = json_object();
    int code = swarm__state_put_text(object, at, "container_port", port->container_port, reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "host_ip", port->host_ip, reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "host_port", port->host_port, reterr);
    if (code == 0)
        return swarm__state_append(list, object, reterr);
    json_decref(object);
    return code;
}

static int write_ports(json_t *object, const struct swarm__at *at, const struct swarm_request *request,
                       struct swarm_error **reterr)
{
    json_t *list = json_array();
    int code = 0;
    for (uint32_t i = 0; i < request->port_count && code == 0; i++)
        code = write_port(list, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, "ports"), i), &request->ports[i], reterr);
    return swarm__state_put_filled(object, "ports", list, code, reterr);
}

static int write_amount(json_t *object, const char *key, int64_t amount, struct swarm_error **reterr)
{
    return amount != 0 ? swarm__state_put(object, key, json_integer(amount), reterr) : 0;
}

static int write_amounts(json_t *object, const struct swarm_request *request, struct swarm_error **reterr)
{
    int code = write_amount(object, "cpus_milli", request->cpus_milli, reterr);
    if (code == 0)
        code = write_amount(object, "memory", request->memory, reterr);
    if (code == 0)
        code = write_amount(object, "cpus_limit_milli", request->cpus_limit, reterr);
    return code != 0 ? code : write_amount(object, "memory_limit", request->memory_limit, reterr);
}

static int write_lists(json_t *object, const struct swarm__at *at, const struct swarm_request *request,
                       struct swarm_error **reterr)
{
    int code = write_expressions(object, at, "constraints", &request->extras->constraints, reterr);
    if (code == 0)
        code = write_expressions(object, at, "affinities", &request->extras->affinities, reterr);
    if (code == 0)
        code = write_expressions(object, at, "whitelists", &request->extras->whitelists, reterr);
    if (code == 0)
        code = write_ports(object, at, request, reterr);
    if (code == 0)
        code = write_exposed(object, at, request, reterr);
    if (code == 0)
        code = write_references(object, at, "volumes_from", request->extras->volumes_from,
                                request->extras->volumes_from_count, reterr);
    return code != 0
               ? code
               : write_references(object, at, "links", request->extras->links, request->extras->link_count, reterr);
}

static int write_all(json_t *object, const struct swarm__at *at, const struct swarm_request *request,
                     struct swarm_error **reterr)
{
    int code = swarm__state_put_name(object, at, "name", swarm_request_name(request), reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "image", swarm_request_image(request), reterr);
    if (code == 0)
        code = write_amounts(object, request, reterr);
    if (code == 0)
        code = write_resources(object, at, request, reterr);
    if (code == 0)
        code = write_labels(object, at, request, reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "network_mode", swarm_request_network_mode(request), reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "pid_mode", request->extras->pid_mode, reterr);
    if (code == 0)
        code = swarm__state_put_text(object, at, "ipc_mode", request->extras->ipc_mode, reterr);
    if (code == 0 && request->policy != SWARM_RESCHEDULE_OFF)
        code = swarm__state_put_text(object, at, "reschedule", policies[request->policy], reterr);
    return code != 0 ? code : write_lists(object, at, request, reterr);
}

int swarm__state_write_request(const struct swarm_request *request, const struct swarm__at *at, json_t **ret_value,
                               struct swarm_error **reterr)
{
    json_t *object = json_object();
    int code = object ? write_all(object, at, request, reterr) : swarm__error_nomem(reterr);
    if (code != 0)
        json_decref(object);
    else
        *ret_value = object;
    return code;
}

int swarm_request_write(const struct swarm_request *request, char **ret_json, size_t *ret_length,
                        struct swarm_error **reterr)
{
    json_t *root = NULL;
    if (!request || !ret_json)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "request: none to write, or no place for the text");
    int code = swarm__state_write_request(request, &request_at, &root, reterr);
    return code != 0 ? code : swarm__state_dump(root, ret_json, ret_length, reterr);
}
