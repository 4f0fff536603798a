/* SPDX-License-Identifier: Apache-2.0 */
#include "account.h"
#include "error.h"
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

static int filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    if (swarm__request_host_network(request))
        for (uint32_t i = 0; i < request->exposed_count; i++)
            drop_exposed(cluster, request->exposed[i], &candidates->set);
    else
        for (uint32_t i = 0; i < request->port_count; i++)
            drop_bound(cluster, &request->ports[i], &candidates->set);
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

const struct swarm_filter_ops swarm__filter_port = {sizeof(struct swarm_filter_ops), "port", filter, list_conditions,
                                                    NULL};
