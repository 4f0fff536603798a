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

/*
 * The swarm id is a label as well, and another one on every container. Its values are in a tree already, from which
 * affinities are answered, so only containers that have one are counted here.
 */
static int add_label(struct swarm_cluster *cluster, uint32_t slot, const struct swarm__label *label)
{
    if (strcmp(label->key, SWARM__LABEL_ID) != 0)
        return swarm__index_add(&cluster->container_labels, label->key, label->value, slot);
    return *label->value ? swarm__posting_add(&cluster->with_swarm_id, slot) : 0;
}

static void remove_label(struct swarm_cluster *cluster, uint32_t slot, const struct swarm__label *label)
{
    if (strcmp(label->key, SWARM__LABEL_ID) != 0)
        swarm__index_remove(&cluster->container_labels, label->key, label->value, slot);
    else if (*label->value)
        swarm__posting_remove(&cluster->with_swarm_id, slot);
}

/* The first @p count of each; those that are not indexed are passed over alike when adding and when removing. */
static void remove_labels(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                          uint32_t count)
{
    struct swarm__label label = {NULL, NULL};
    while (count-- > 0 && swarm__request_next_label(request, &label))
        remove_label(cluster, slot, &label);
}

static int add_labels(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request)
{
    struct swarm__label label = {NULL, NULL};
    for (uint32_t count = 0; swarm__request_next_label(request, &label); count++)
        if (add_label(cluster, slot, &label) != 0) {
            remove_labels(cluster, slot, request, count);
            return -1;
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

bool swarm__account_stopped(int state)
{
    return state == SWARM_CONTAINER_EXITED || state == SWARM_CONTAINER_DEAD;
}

unsigned swarm__account_parts(unsigned stopped_counts, bool pending, int state)
{
    unsigned parts = SWARM__PART_LABELS | (swarm__account_stopped(state) ? stopped_counts : SWARM_COUNT_ALL);
    /* A place in host network mode takes its ports only once there is a container, as classic Swarm has it. */
    if (!pending && (parts & SWARM_COUNT_PORTS))
        parts |= SWARM__PART_EXPOSED;
    return parts;
}

static bool takes_exposed(const struct swarm_request *request, unsigned parts)
{
    return (parts & SWARM__PART_EXPOSED) && swarm__request_host_network(request);
}

static int add_indexed(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                       unsigned parts)
{
    if ((parts & SWARM__PART_LABELS) && add_labels(cluster, slot, request) != 0)
        return -1;
    if (!(parts & SWARM_COUNT_PORTS) || add_ports(cluster, slot, request) == 0) {
        if (!takes_exposed(request, parts) || add_exposed(cluster, slot, request) == 0)
            return 0;
        if (parts & SWARM_COUNT_PORTS)
            remove_ports(cluster, slot, request, request->port_count);
    }
    if (parts & SWARM__PART_LABELS)
        remove_labels(cluster, slot, request, request->label_count);
    return -1;
}

static int add_sums(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
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
    int code = swarm__resources_take(&cluster->resources, slot, record->node->id, request, reterr);
    if (code != 0)
        return code;
    record->used_cpus = cpus;
    record->used_memory = memory;
    return 0;
}

static void remove_sums(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request)
{
    struct swarm__slot *record = &cluster->slots[slot];
    record->used_cpus -= request->cpus_milli;
    record->used_memory -= request->memory;
    swarm__resources_give_back(&cluster->resources, slot, request);
}

int swarm__account_add(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                       unsigned parts, struct swarm_error **reterr)
{
    int code = parts & SWARM_COUNT_RESOURCES ? add_sums(cluster, slot, request, reterr) : 0;
    if (code != 0)
        return code;
    if (add_indexed(cluster, slot, request, parts) != 0) {
        if (parts & SWARM_COUNT_RESOURCES)
            remove_sums(cluster, slot, request);
        return swarm__error_nomem(reterr);
    }
    if (parts & SWARM_COUNT_SLOTS)
        cluster->slots[slot].containers++;
    swarm__scan_put(cluster, slot);
    return 0;
}

void swarm__account_remove(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                           unsigned parts)
{
    if (parts & SWARM_COUNT_RESOURCES)
        remove_sums(cluster, slot, request);
    if (parts & SWARM_COUNT_SLOTS)
        cluster->slots[slot].containers--;
    swarm__scan_put(cluster, slot);
    if (takes_exposed(request, parts))
        remove_exposed(cluster, slot, request, request->exposed_count);
    if (parts & SWARM_COUNT_PORTS)
        remove_ports(cluster, slot, request, request->port_count);
    if (parts & SWARM__PART_LABELS)
        remove_labels(cluster, slot, request, request->label_count);
}

int swarm__account_add_bound(struct swarm_cluster *cluster, uint32_t slot, const struct swarm__binding *bound,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (swarm__index_add(&cluster->ports, bound[i].host_port, bound[i].host_ip, slot) != 0) {
            swarm__account_remove_bound(cluster, slot, bound, i);
            return SWARM_ERR_NOMEM;
        }
    return 0;
}

void swarm__account_remove_bound(struct swarm_cluster *cluster, uint32_t slot, const struct swarm__binding *bound,
                                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        swarm__index_remove(&cluster->ports, bound[i].host_port, bound[i].host_ip, slot);
}

int swarm__account_count(struct swarm_container *container, unsigned parts, struct swarm_error **reterr)
{
    struct swarm_cluster *cluster = container->node->cluster;
    uint32_t slot = container->node->slot;
    int code = swarm__account_add(cluster, slot, container->request, parts, reterr);
    if (code != 0)
        return code;
    if ((parts & SWARM_COUNT_PORTS) &&
        swarm__account_add_bound(cluster, slot, container->bound, container->bound_count) != 0) {
        swarm__account_remove(cluster, slot, container->request, parts);
        return swarm__error_nomem(reterr);
    }
    container->counted |= (uint8_t)parts;
    return 0;
}

void swarm__account_uncount(struct swarm_container *container, unsigned parts)
{
    struct swarm_cluster *cluster = container->node->cluster;
    uint32_t slot = container->node->slot;
    if (parts & SWARM_COUNT_PORTS)
        swarm__account_remove_bound(cluster, slot, container->bound, container->bound_count);
    swarm__account_remove(cluster, slot, container->request, parts);
    container->counted &= (uint8_t)~parts;
}
