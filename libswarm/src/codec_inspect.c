/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "codec.h"
#include "error.h"
#include "mem.h"

#define SHORT_ID 12

/** An inspect answer taken apart; everything borrowed from @c root but that. */
struct inspect {
    json_t *root; /* owned */
    json_t *config;
    json_t *host_config;
    json_t *networks; /* may be NULL */
    const char *id;   /* may be empty, like the rest */
    const char *name;
    const char *network_mode;
};

static int open_inspect(struct inspect *ret, const char *json, size_t length, const struct swarm__json_wanted *wanted,
                        struct swarm_error **reterr)
{
    struct inspect made = {NULL};
    json_t *settings = NULL;
    int rc = swarm__json_parse_some(json, length, wanted, &made.root, reterr);
    if (rc < 0)
        return rc;
    rc = swarm__json_member(made.root, "", "Config", JSON_OBJECT, &made.config, reterr);
    if (rc == 0)
        rc = swarm__json_member(made.root, "", "HostConfig", JSON_OBJECT, &made.host_config, reterr);
    if (rc == 0 && (made.config == NULL || made.host_config == NULL))
        rc = swarm__error_set(reterr, SWARM_ERR_PARSE, "%s: an object is expected",
                              made.config == NULL ? "Config" : "HostConfig");
    if (rc == 0)
        rc = swarm__json_member(made.root, "", "NetworkSettings", JSON_OBJECT, &settings, reterr);
    if (rc == 0)
        rc = swarm__json_member(settings, "NetworkSettings.", "Networks", JSON_OBJECT, &made.networks, reterr);
    if (rc < 0) {
        json_decref(made.root);
        return rc;
    }
    made.id = swarm__json_text(made.root, "Id");
    made.name = swarm__json_text(made.root, "Name");
    made.network_mode = swarm__json_text(made.host_config, "NetworkMode");
    *ret = made;
    return 0;
}

static bool is_short_id(const struct inspect *inspect, const char *text)
{
    return strlen(inspect->id) >= SHORT_ID && strlen(text) == SHORT_ID && strncmp(inspect->id, text, SHORT_ID) == 0;
}

/* ---- accounting ---- */

/* What swarm__codec_read_request() and open_inspect() look at. An answer has some hundred members else, and a manager
 * that starts reads one of each container. */
static const struct swarm__json_wanted no_members[] = {{NULL, NULL}};
static const struct swarm__json_wanted config_members[] = {
    {"Image", NULL}, {"Env", NULL}, {"Labels", NULL}, {"ExposedPorts", NULL}, {NULL, NULL}};
static const struct swarm__json_wanted host_config_members[] = {
    {"CpuShares", NULL},    {"NanoCpus", NULL},    {"Memory", NULL}, {"MemoryReservation", NULL},
    {"PortBindings", NULL}, {"VolumesFrom", NULL}, {"Links", NULL},  {"NetworkMode", NULL},
    {"PidMode", NULL},      {"IpcMode", NULL},     {NULL, NULL}};
static const struct swarm__json_wanted settings_members[] = {{"Networks", no_members}, {NULL, NULL}};
static const struct swarm__json_wanted request_members[] = {{"Id", NULL},
                                                            {"Name", NULL},
                                                            {"Config", config_members},
                                                            {"HostConfig", host_config_members},
                                                            {"NetworkSettings", settings_members},
                                                            {NULL, NULL}};

/** What CpuShares mean in an inspect answer where no label says it. */
static enum swarm_cpu_shares unsaid_meaning(enum swarm_cpu_shares policy)
{
    return policy == SWARM_CPU_SHARES_WEIGHT ? SWARM_CPU_SHARES_WEIGHT : SWARM_CPU_SHARES_CPUS;
}

int swarm_request_from_inspect_as(struct swarm_request **ret_request, const char *json, size_t length, int engine_cpus,
                                  enum swarm_cpu_shares policy, struct swarm_error **reterr)
{
    struct swarm__shares shares = {engine_cpus, unsaid_meaning(policy)};
    struct inspect inspect;
    struct swarm_request *request;
    if (ret_request == NULL || (json == NULL && length != 0) || engine_cpus < 1)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no inspect answer, or no CPUs of an engine");
    int rc = open_inspect(&inspect, json, length, request_members, reterr);
    if (rc < 0)
        return rc;
    rc = swarm__codec_read_request(inspect.config, inspect.host_config, shares, false, &request, reterr);
    if (rc == 0 && (rc = swarm_request_set_name(request, inspect.name, reterr)) < 0)
        swarm_request_unref(request);
    if (rc == 0)
        *ret_request = request;
    json_decref(inspect.root);
    return rc;
}

int swarm_request_from_inspect(struct swarm_request **ret_request, const char *json, size_t length, int engine_cpus,
                               struct swarm_error **reterr)
{
    return swarm_request_from_inspect_as(ret_request, json, length, engine_cpus, SWARM_CPU_SHARES_CPUS, reterr);
}

/* ---- making it again ---- */

/** Drop what the engine filled into Config by itself and would refuse, or what would be wrong elsewhere. */
static void clean_config(const struct inspect *inspect)
{
    json_t *config = inspect->config;
    bool in_others_network = strncmp(inspect->network_mode, "container:", 10) == 0;
    bool host_name_is_hosts = strcmp(inspect->network_mode, "host") == 0 ||
                              strcmp(swarm__json_text(inspect->host_config, "UTSMode"), "host") == 0;
    if (in_others_network || host_name_is_hosts || is_short_id(inspect, swarm__json_text(config, "Hostname")))
        (void)json_object_del(config, "Hostname");
    if (in_others_network) {
        /* Taken over from the other container and from the image. */
        (void)json_object_del(config, "Domainname");
        (void)json_object_del(config, "ExposedPorts");
    }
}

/** "/db:/web/alias", as engines report links, into "db:alias", as they are asked for. @return New, or NULL. */
static json_t *asked_link(json_t *reported)
{
    const char *text = json_string_value(reported), *colon = text != NULL ? strchr(text, ':') : NULL;
    if (colon == NULL || text[0] != '/')
        return json_incref(reported);
    const char *alias = strrchr(colon, '/');
    return json_sprintf("%.*s:%s", (int)(colon - text - 1), text + 1, alias != NULL ? alias + 1 : colon + 1);
}

/**
 * Turn an engine's CpuShares back into whole CPUs.
 *
 * @param ret_kept  Whether they stay as they are: a weight, or what no number of CPUs gives, which was set elsewhere.
 */
static int clean_shares(const struct inspect *inspect, struct swarm__shares how, bool *ret_kept,
                        struct swarm_error **reterr)
{
    json_t *shares;
    int rc = swarm__json_member(inspect->host_config, "HostConfig.", "CpuShares", JSON_INTEGER, &shares, reterr);
    if (rc < 0)
        return rc;
    int64_t value = json_integer_value(shares), cpus = swarm__cpus_from_shares(value, how.engine_cpus);
    *ret_kept = value > 0 && (swarm__cpu_shares_said(inspect->config, how.unsaid) == SWARM_CPU_SHARES_WEIGHT ||
                              swarm__shares_from_cpus(cpus, how.engine_cpus) != value);
    if (shares != NULL && !*ret_kept)
        (void)json_integer_set(shares, cpus);
    return 0;
}

static int clean_links(const struct inspect *inspect, struct swarm_error **reterr)
{
    json_t *links, *link;
    size_t i;
    int rc = swarm__json_strings(inspect->host_config, "HostConfig.", "Links", &links, reterr);
    if (rc < 0)
        return rc;
    json_array_foreach (links, i, link)
        if (json_array_set_new(links, i, asked_link(link)) < 0)
            return swarm__error_nomem(reterr);
    return 0;
}

/** Drop from an endpoint what its engine assigned; what was asked for (IPAMConfig, Links, DriverOpts, …) stays. */
static int clean_endpoint(const struct inspect *inspect, const char *network, json_t *settings,
                          struct swarm_error **reterr)
{
    static const char *const assigned[] = {"NetworkID",   "EndpointID",  "Gateway",           "IPAddress",
                                           "IPPrefixLen", "IPv6Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen",
                                           "MacAddress",  "DNSNames"};
    json_t *aliases;
    for (size_t i = 0; i < sizeof(assigned) / sizeof(assigned[0]); i++)
        (void)json_object_del(settings, assigned[i]);
    if (swarm__json_strings(settings, "", "Aliases", &aliases, NULL) < 0)
        return swarm__error_set(reterr, SWARM_ERR_PARSE,
                                "NetworkSettings.Networks.%s.Aliases: a list of strings is expected", network);
    for (size_t i = json_array_size(aliases); i-- > 0;)
        if (is_short_id(inspect, json_string_value(json_array_get(aliases, i))))
            (void)json_array_remove(aliases, i);
    if (aliases != NULL && json_array_size(aliases) == 0)
        (void)json_object_del(settings, "Aliases");
    return 0;
}

static bool says_something(const json_t *settings)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)settings, key, value) {
        bool empty = json_is_null(value) || (json_is_integer(value) && json_integer_value(value) == 0) ||
                     (json_is_string(value) && json_string_length(value) == 0) ||
                     (json_is_object(value) && json_object_size(value) == 0) ||
                     (json_is_array(value) && json_array_size(value) == 0);
        if (!empty)
            return true;
    }
    return false;
}

static bool is_default_mode(const char *mode)
{
    return *mode == '\0' || strcmp(mode, "default") == 0;
}

/** Whether the network mode means that network: the one that the container is created with. */
static bool is_own(const struct inspect *inspect, const char *network, const json_t *settings)
{
    const char *mode = is_default_mode(inspect->network_mode) ? "bridge" : inspect->network_mode;
    return strcmp(mode, network) == 0 || strcmp(mode, swarm__json_text(settings, "NetworkID")) == 0;
}

/** Whether the network mode alone brings the network about. */
static bool needs_no_endpoint(const struct inspect *inspect, const char *network, const json_t *settings)
{
    return json_object_size(inspect->networks) == 1 && is_own(inspect, network, settings) &&
           !says_something(settings) &&
           (strcmp(network, "bridge") == 0 || strcmp(network, "host") == 0 || strcmp(network, "none") == 0);
}

/** Add the endpoints of one class: the container's own network, or the others. */
static int add_endpoints(const struct inspect *inspect, json_t *endpoints, bool own, struct swarm_error **reterr)
{
    const char *network;
    json_t *settings;
    json_object_foreach (inspect->networks, network, settings) {
        int rc =
            swarm__json_member(inspect->networks, "NetworkSettings.Networks.", network, JSON_OBJECT, &settings, reterr);
        if (rc < 0)
            return rc;
        if (json_object_get(endpoints, network) != NULL || (own && !is_own(inspect, network, settings)))
            continue;
        if (settings != NULL && (rc = clean_endpoint(inspect, network, settings, reterr)) < 0)
            return rc;
        if (needs_no_endpoint(inspect, network, settings))
            return 0;
        if (json_object_set_new(endpoints, network, settings != NULL ? json_incref(settings) : json_null()) < 0)
            return swarm__error_nomem(reterr);
    }
    return 0;
}

/** Turn Config into a create body. @param ret_kept  As clean_shares() has it. */
static int assemble(const struct inspect *inspect, struct swarm__shares shares, bool *ret_kept,
                    struct swarm_error **reterr)
{
    clean_config(inspect);
    int rc = clean_shares(inspect, shares, ret_kept, reterr);
    if (rc == 0)
        rc = clean_links(inspect, reterr);
    json_t *endpoints = rc == 0 ? json_object() : NULL;
    if (rc == 0)
        rc = add_endpoints(inspect, endpoints, true, reterr);
    if (rc == 0)
        rc = add_endpoints(inspect, endpoints, false, reterr);
    if (rc == 0 &&
        (json_object_set(inspect->config, "HostConfig", inspect->host_config) < 0 ||
         swarm__json_put(inspect->config, "NetworkingConfig", "EndpointsConfig", json_incref(endpoints)) < 0))
        rc = swarm__error_nomem(reterr);
    json_decref(endpoints);
    return rc;
}

int swarm_create_body_from_inspect_as(struct swarm_create_body **ret_body, const char *json, size_t length,
                                      int engine_cpus, enum swarm_cpu_shares policy, struct swarm_error **reterr)
{
    struct swarm__shares shares = {engine_cpus, unsaid_meaning(policy)};
    struct inspect inspect;
    struct swarm_create_body *body;
    if (ret_body == NULL || (json == NULL && length != 0) || engine_cpus < 1)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no inspect answer, or no CPUs of an engine");
    int rc = open_inspect(&inspect, json, length, NULL, reterr);
    if (rc < 0)
        return rc;
    bool kept;
    rc = assemble(&inspect, shares, &kept, reterr);
    if (rc == 0 && !kept)
        shares.engine_cpus = 0; /* they are whole CPUs by now */
    if (rc == 0)
        rc = swarm__create_body_new(&body, inspect.config, false, shares, reterr);
    if (rc == 0 && (rc = swarm_request_set_name(body->request, inspect.name, reterr)) < 0)
        swarm_create_body_free(body);
    if (rc == 0)
        *ret_body = body;
    json_decref(inspect.root);
    return rc;
}

int swarm_create_body_from_inspect(struct swarm_create_body **ret_body, const char *json, size_t length,
                                   int engine_cpus, struct swarm_error **reterr)
{
    return swarm_create_body_from_inspect_as(ret_body, json, length, engine_cpus, SWARM_CPU_SHARES_CPUS, reterr);
}
