/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "codec.h"
#include "error.h"
#include "mem.h"

#define SHARES_PER_CPU_SCALE 1024
#define NANO_PER_MILLI 1000000
#define HOST_CONFIG "HostConfig."

static int64_t times(int64_t a, int64_t b)
{
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

int64_t swarm__cpus_from_shares(int64_t shares, int engine_cpus)
{
    return shares > 0 ? times(shares, engine_cpus) / SHARES_PER_CPU_SCALE : 0;
}

int64_t swarm__shares_from_cpus(int64_t cpus, int engine_cpus)
{
    int64_t scaled = cpus > 0 ? times(cpus, SHARES_PER_CPU_SCALE) : 0;
    return scaled / engine_cpus + (scaled % engine_cpus != 0);
}

/** Read an integer: absent or negative counts as 0 (-1 means "no limit" to engines). */
static int amount(const json_t *host_config, const char *name, int64_t *ret, struct swarm_error **reterr)
{
    json_t *value;
    int rc = swarm__json_member(host_config, HOST_CONFIG, name, JSON_INTEGER, &value, reterr);
    if (rc == 0)
        *ret = json_integer_value(value) > 0 ? json_integer_value(value) : 0;
    return rc;
}

int swarm__codec_read_cpus(struct swarm_request *request, const json_t *host_config, int engine_cpus, bool weight,
                           struct swarm_error **reterr)
{
    int64_t shares = 0, nano = 0;
    int rc = amount(host_config, "CpuShares", &shares, reterr);
    if (rc == 0)
        rc = amount(host_config, "NanoCpus", &nano, reterr);
    if (rc < 0)
        return rc;
    int64_t whole = engine_cpus != 0 ? swarm__cpus_from_shares(shares, engine_cpus) : shares;
    if (weight)
        whole = 0;
    int64_t reserved = times(whole, 1000), limit = nano / NANO_PER_MILLI;
    request->cpus_milli = reserved > limit ? reserved : limit;
    request->cpus_limit = reserved > limit ? 0 : limit; /* a request's limit is never below its reservation */
    return 0;
}

/**
 * MemoryReservation is what is reserved, and Memory the limit; a limit alone is reserved whole, as classic Swarm has
 * it. Engines refuse a reservation above the limit; where one is reported all the same, no more than the limit counts.
 */
static int read_memory(struct swarm_request *request, const json_t *host_config, bool strict,
                       struct swarm_error **reterr)
{
    int64_t limit = 0, reserved = 0;
    int rc = amount(host_config, "Memory", &limit, reterr);
    if (rc == 0)
        rc = amount(host_config, "MemoryReservation", &reserved, reterr);
    if (rc < 0)
        return rc;
    bool above = limit > 0 && reserved > limit;
    if (above && strict)
        return swarm__error_set(reterr, SWARM_ERR_PARSE,
                                HOST_CONFIG "MemoryReservation: %lld is more than " HOST_CONFIG "Memory, which is %lld",
                                (long long)reserved, (long long)limit);
    request->memory = reserved > 0 && !above ? reserved : limit;
    request->memory_limit = limit;
    return 0;
}

static int read_binding(struct swarm_request *request, const char *port, const json_t *binding,
                        struct swarm_error **reterr)
{
    json_t *ip, *host_port;
    if (!json_is_object(binding))
        return swarm__error_set(reterr, SWARM_ERR_PARSE, HOST_CONFIG "PortBindings[\"%s\"]: an object is expected",
                                port);
    int rc = swarm__json_member(binding, HOST_CONFIG "PortBindings.", "HostIp", JSON_STRING, &ip, reterr);
    if (rc == 0)
        rc = swarm__json_member(binding, HOST_CONFIG "PortBindings.", "HostPort", JSON_STRING, &host_port, reterr);
    if (rc < 0)
        return rc;
    return swarm__request_keep_port(request, port, json_string_value(ip), json_string_value(host_port), reterr);
}

static int read_ports(struct swarm_request *request, json_t *config, const json_t *host_config,
                      struct swarm_error **reterr)
{
    json_t *exposed, *ports, *bindings, *binding;
    const char *port;
    size_t i;
    int rc = swarm__json_member(config, "", "ExposedPorts", JSON_OBJECT, &exposed, reterr);
    if (rc == 0)
        rc = swarm__json_member(host_config, HOST_CONFIG, "PortBindings", JSON_OBJECT, &ports, reterr);
    if (rc < 0)
        return rc;
    json_object_foreach (exposed, port, bindings)
        if (rc == 0)
            rc = swarm__request_keep_exposed_port(request, port, reterr);
    json_object_foreach (ports, port, bindings) {
        json_t *list;
        if (rc == 0)
            rc = swarm__json_member(ports, HOST_CONFIG "PortBindings.", port, JSON_ARRAY, &list, reterr);
        if (rc < 0)
            break;
        json_array_foreach (list, i, binding)
            if (rc == 0)
                rc = read_binding(request, port, binding, reterr);
    }
    return rc;
}

/** Give each string of a list to @p add. */
static int read_list(struct swarm_request *request, const json_t *host_config, const char *name,
                     int (*add)(struct swarm_request *, const char *, struct swarm_error **),
                     struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int rc = swarm__json_strings(host_config, HOST_CONFIG, name, &list, reterr);
    if (rc < 0)
        return rc;
    json_array_foreach (list, i, item)
        if (rc == 0)
            rc = add(request, json_string_value(item), reterr);
    return rc;
}

static int read_text(struct swarm_request *request, const json_t *object, const char *path, const char *name,
                     int (*set)(struct swarm_request *, const char *, struct swarm_error **),
                     struct swarm_error **reterr)
{
    json_t *text;
    int rc = swarm__json_member(object, path, name, JSON_STRING, &text, reterr);
    return rc < 0 || text == NULL ? rc : set(request, json_string_value(text), reterr);
}

static int read_dependencies(struct swarm_request *request, const json_t *host_config, struct swarm_error **reterr)
{
    int rc = read_list(request, host_config, "VolumesFrom", swarm__request_keep_volumes_from, reterr);
    if (rc == 0)
        rc = read_list(request, host_config, "Links", swarm__request_keep_link, reterr);
    if (rc == 0)
        rc = read_text(request, host_config, HOST_CONFIG, "NetworkMode", swarm_request_set_network_mode, reterr);
    if (rc == 0)
        rc = read_text(request, host_config, HOST_CONFIG, "PidMode", swarm_request_set_pid_mode, reterr);
    if (rc == 0)
        rc = read_text(request, host_config, HOST_CONFIG, "IpcMode", swarm_request_set_ipc_mode, reterr);
    return rc;
}

static int read_labels(struct swarm_request *request, const json_t *config, bool strict, struct swarm_error **reterr)
{
    json_t *labels, *value;
    const char *key;
    int rc = swarm__json_string_map(config, "Labels", &labels, reterr);
    if (rc < 0)
        return rc;
    json_object_foreach (labels, key, value) {
        rc = swarm_request_set_label(request, key, json_string_value(value), reterr);
        if (rc < 0)
            return rc;
    }
    return swarm__codec_read_lists(request, labels, strict, reterr);
}

int swarm__codec_read_request(json_t *config, const json_t *host_config, struct swarm__shares shares, bool strict,
                              struct swarm_request **ret_request, struct swarm_error **reterr)
{
    bool weight = swarm__cpu_shares_said(config, shares.unsaid) == SWARM_CPU_SHARES_WEIGHT;
    struct swarm_request *request;
    int rc = swarm_request_new(&request, reterr);
    if (rc < 0)
        return rc;
    rc = swarm__codec_move_expressions(config, strict, reterr);
    if (rc == 0)
        rc = read_text(request, config, "", "Image", swarm_request_set_image, reterr);
    if (rc == 0)
        rc = read_labels(request, config, strict, reterr);
    if (rc == 0)
        rc = swarm__codec_read_cpus(request, host_config, shares.engine_cpus, weight, reterr);
    if (rc == 0)
        rc = read_memory(request, host_config, strict, reterr);
    if (rc == 0)
        rc = read_ports(request, config, host_config, reterr);
    if (rc == 0)
        rc = read_dependencies(request, host_config, reterr);
    if (rc < 0) {
        swarm_request_unref(request);
        return rc;
    }
    *ret_request = request;
    return 0;
}

/** Move the resources that old clients name at the top level to HostConfig, where they win. */
static int move_legacy(json_t *root, struct swarm_error **reterr)
{
    static const struct {
        const char *from, *to;
        json_type type;
    } fields[] = {{"Memory", "Memory", JSON_INTEGER},
                  {"MemorySwap", "MemorySwap", JSON_INTEGER},
                  {"CpuShares", "CpuShares", JSON_INTEGER},
                  {"Cpuset", "CpusetCpus", JSON_STRING}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        json_t *value;
        int rc = swarm__json_member(root, "", fields[i].from, fields[i].type, &value, reterr);
        if (rc < 0)
            return rc;
        if (value == NULL || (json_is_integer(value) ? json_integer_value(value) == 0 : json_string_length(value) == 0))
            continue;
        if (swarm__json_put(root, "HostConfig", fields[i].to, json_incref(value)) < 0)
            return swarm__error_nomem(reterr);
        (void)json_object_del(root, fields[i].from);
    }
    return 0;
}

int swarm__codec_read_create(json_t *root, bool strict, struct swarm__shares shares, struct swarm_request **ret_request,
                             struct swarm_error **reterr)
{
    json_t *host_config;
    struct swarm_request *request;
    int rc = swarm__json_member(root, "", "HostConfig", JSON_OBJECT, &host_config, reterr);
    if (rc == 0)
        rc = move_legacy(root, reterr);
    if (rc == 0)
        rc = swarm__codec_read_request(root, json_object_get(root, "HostConfig"), shares, strict, &request, reterr);
    if (rc < 0)
        return rc;
    if (strict && (rc = swarm_request_check(request, reterr)) < 0) {
        swarm_request_unref(request);
        return rc;
    }
    *ret_request = request;
    return 0;
}

int swarm_request_from_create(struct swarm_request **ret_request, const char *json, size_t length,
                              struct swarm_error **reterr)
{
    json_t *root;
    if (ret_request == NULL || (json == NULL && length != 0))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "ret_request or json is NULL");
    int rc = swarm__json_parse(json, length, &root, reterr);
    if (rc < 0)
        return rc;
    rc = swarm__codec_read_create(root, false, swarm__whole_cpus, ret_request, reterr);
    json_decref(root);
    return rc;
}
