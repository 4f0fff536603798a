/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "account.h"
#include "container.h"
#include "error.h"
#include "explain.h"
#include "filter.h"

static void drop_posting(const struct swarm__posting *nodes, struct swarm__nodeset *set)
{
    if (nodes)
        swarm__posting_unmark(nodes, set);
}

/* Nodes where some container in host network mode exposes the same port. */
static void drop_exposed(const struct swarm_cluster *cluster, const char *port, struct swarm__nodeset *set)
{
    const struct swarm__index_key *taken = swarm__index_find(&cluster->host_exposed, port);
    drop_posting(taken ? &taken->nodes : NULL, set);
}

/* Nodes where the host port is bound on the same address, or on all, or on any if all are asked for. */
static void drop_bound(const struct swarm_cluster *cluster, const struct swarm__port *port, struct swarm__nodeset *set)
{
    if (!swarm__host_port_fixed(port->host_port))
        return;
    const struct swarm__index_key *taken = swarm__index_find(&cluster->ports, port->host_port);
    const char *ip = swarm__host_ip(port->host_ip);
    if (!taken)
        return;
    if (*ip == '\0') {
        drop_posting(&taken->nodes, set);
        return;
    }
    drop_posting(swarm__index_value(taken, ""), set);
    drop_posting(swarm__index_value(taken, ip), set);
}

/* Whether a container that binds @p port and @p ip is in the way of what is asked for. */
static bool conflicts(const struct swarm__port *asked, const char *port, const char *ip)
{
    const char *wanted = swarm__host_ip(asked->host_ip), *taken = swarm__host_ip(ip);
    return strcmp(asked->host_port, port) == 0 && (*wanted == '\0' || *taken == '\0' || strcmp(wanted, taken) == 0);
}

static bool binds(const struct swarm_container *container, const void *asked)
{
    const struct swarm_request *request = container->request;
    if (!(container->counted & SWARM_COUNT_PORTS))
        return false;
    for (uint32_t i = 0; i < request->port_count; i++)
        if (conflicts(asked, request->ports[i].host_port, request->ports[i].host_ip))
            return true;
    for (uint32_t i = 0; i < container->bound_count; i++)
        if (conflicts(asked, container->bound[i].host_port, container->bound[i].host_ip))
            return true;
    return false;
}

static bool exposes(const struct swarm_container *container, const void *port)
{
    const struct swarm_request *request = container->request;
    if (!(container->counted & SWARM__PART_EXPOSED) || !swarm__request_host_network(request))
        return false;
    for (uint32_t i = 0; i < request->exposed_count; i++)
        if (strcmp(request->exposed[i], port) == 0)
            return true;
    return false;
}

/* Say which container on the first of the cause's nodes has the port. */
static void find_blocker(struct swarm_cause *cause, bool (*has)(const struct swarm_container *, const void *),
                         const void *port)
{
    if (!cause || cause->blocker)
        return;
    const struct swarm_node *node = cause->cluster->slots[swarm__nodeset_next(&cause->nodes, 0)].node;
    const struct swarm_container *at = node->containers.first;
    while (at && !has(at, port))
        at = at->next;
    if (!at)
        for (at = node->pending.first; at && !has(at, port);)
            at = at->next;
    cause->blocker = at;
}

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    bool host = swarm__request_host_network(request);
    for (uint32_t i = 0; host && i < request->exposed_count; i++) {
        const char *port = request->exposed[i];
        drop_exposed(cluster, port, &candidates->set);
        find_blocker(swarm__candidates_refuse(candidates, SWARM_REASON_PORT, port, NULL, NULL), exposes, port);
    }
    for (uint32_t i = 0; !host && i < request->port_count; i++) {
        const struct swarm__port *port = &request->ports[i];
        const char *ip = swarm__host_ip(port->host_ip);
        drop_bound(cluster, port, &candidates->set);
        find_blocker(swarm__candidates_refuse(candidates, SWARM_REASON_PORT, ip, *ip ? ":" : "", port->host_port),
                     binds, port);
    }
    return 0;
}

static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    bool host = swarm__request_host_network(request);
    uint32_t count = host ? request->exposed_count : request->port_count;
    for (uint32_t i = 0; i < count; i++) {
        const char *port = host ? request->exposed[i] : request->ports[i].host_port;
        int code = swarm__filter_condition(conditions, "port ", port, host ? " (Host mode)" : " (Bridge mode)", reterr);
        if (code != 0)
            return code;
    }
    return 0;
}

const struct swarm_filter_ops swarm__filter_port = {
    sizeof(struct swarm_filter_ops), "port", filter, list_conditions, NULL, NULL};
