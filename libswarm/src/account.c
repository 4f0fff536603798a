/* SPDX-License-Identifier: Apache-2.0 */
#include "account.h"

#include <arpa/inet.h>
#include <string.h>

#include "error.h"
#include "node.h"
#include "request.h"

const char *swarm__host_ip(const char *ip)
{
    if (!ip)
        return "";
    unsigned char bytes[16];
    static const unsigned char any_v6[16];
    static const unsigned char any_mapped[16] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, ip, bytes) == 1)
        return memcmp(bytes, any_v6, 4) == 0 ? "" : ip;
    if (inet_pton(AF_INET6, ip, bytes) == 1)
        return memcmp(bytes, any_v6, 16) == 0 || memcmp(bytes, any_mapped, 16) == 0 ? "" : ip;
    return ip;
}

bool swarm__host_port_fixed(const char *port)
{
    return port && *port && strcmp(port, "0") != 0;
}

/* The first @p count of each; those that are not indexed are passed over alike when adding and when removing. */
static void remove_labels(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        swarm__index_remove(&cluster->container_labels, request->labels[i].key, request->labels[i].value, slot);
}

static int add_labels(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request)
{
    for (uint32_t i = 0; i < request->label_count; i++) {
        const struct swarm__label *label = &request->labels[i];
        if (swarm__index_add(&cluster->container_labels, label->key, label->value, slot) != 0) {
            remove_labels(cluster, slot, request, i);
            return -1;
        }
    }
    return 0;
}

static void remove_ports(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct swarm__port *port = &request->ports[i];
        if (swarm__host_port_fixed(port->host_port))
            swarm__index_remove(&cluster->ports, port->host_port, swarm__host_ip(port->host_ip), slot);
    }
}

static int add_ports(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request)
{
    for (uint32_t i = 0; i < request->port_count; i++) {
        const struct swarm__port *port = &request->ports[i];
        if (!swarm__host_port_fixed(port->host_port))
            continue;
        if (swarm__index_add(&cluster->ports, port->host_port, swarm__host_ip(port->host_ip), slot) != 0) {
            remove_ports(cluster, slot, request, i);
            return -1;
        }
    }
    return 0;
}

static void remove_exposed(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        swarm__index_remove(&cluster->host_exposed, request->exposed[i], "", slot);
}

static int add_exposed(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request)
{
    for (uint32_t i = 0; i < request->exposed_count; i++)
        if (swarm__index_add(&cluster->host_exposed, request->exposed[i], "", slot) != 0) {
            remove_exposed(cluster, slot, request, i);
            return -1;
        }
    return 0;
}

/* A place in host network mode takes its ports only once there is a container, as classic Swarm has it. */
static bool takes_exposed(const struct swarm_request *request, bool pending)
{
    return !pending && swarm__request_host_network(request);
}

int swarm__account_realize(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request)
{
    return takes_exposed(request, false) && add_exposed(cluster, slot, request) != 0 ? SWARM_ERR_NOMEM : 0;
}

static int add_indexed(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request, bool pending)
{
    if (add_labels(cluster, slot, request) != 0)
        return -1;
    if (add_ports(cluster, slot, request) == 0) {
        if (!takes_exposed(request, pending) || add_exposed(cluster, slot, request) == 0)
            return 0;
        remove_ports(cluster, slot, request, request->port_count);
    }
    remove_labels(cluster, slot, request, request->label_count);
    return -1;
}

int swarm__account_add(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request, bool pending,
                       struct swarm_error **reterr)
{
    struct swarm__slot *record = &cluster->slots[slot];
    int64_t cpus, memory;
    if (__builtin_add_overflow(record->used_cpus, request->cpus_milli, &cpus))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "CPUs used on node %s would pass the greatest number",
                                record->node->id);
    if (__builtin_add_overflow(record->used_memory, request->memory, &memory))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "memory used on node %s would pass the greatest number",
                                record->node->id);
    if (add_indexed(cluster, slot, request, pending) != 0)
        return swarm__error_nomem(reterr);
    record->used_cpus = cpus;
    record->used_memory = memory;
    record->containers++;
    return 0;
}

void swarm__account_remove(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                           bool pending)
{
    struct swarm__slot *record = &cluster->slots[slot];
    record->used_cpus -= request->cpus_milli;
    record->used_memory -= request->memory;
    record->containers--;
    if (takes_exposed(request, pending))
        remove_exposed(cluster, slot, request, request->exposed_count);
    remove_ports(cluster, slot, request, request->port_count);
    remove_labels(cluster, slot, request, request->label_count);
}
