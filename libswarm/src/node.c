/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <string.h>

#include "container.h"
#include "error.h"
#include "identity.h"
#include "mem.h"
#include "node_facts.h"

static struct swarm__name *add_name(struct swarm_node *node, const char *name)
{
    return swarm__names_add(&node->cluster->node_names, name, node);
}

int swarm__node_new(struct swarm_node **ret_node, struct swarm_cluster *cluster, uint32_t slot, const char *id,
                    const char *name, const char *address)
{
    struct swarm_node *node = swarm__calloc(1, sizeof(*node));
    if (!node)
        return SWARM_ERR_NOMEM;
    node->cluster = cluster;
    node->slot = slot;
    node->id = swarm__strdup(id);
    if (!node->id)
        goto free_node;
    node->address = swarm__strdup(address);
    if (!node->address)
        goto free_id;
    node->name = add_name(node, name);
    if (!node->name)
        goto free_address;
    node->by_id.key = node->id;
    if (swarm__map_add(&cluster->node_ids, &node->by_id) != 0)
        goto remove_name;
    swarm__identity_enter_node(node);
    *ret_node = node;
    return 0;

remove_name:
    swarm__names_remove(&cluster->node_names, node->name);
free_address:
    swarm__free(node->address);
free_id:
    swarm__free(node->id);
free_node:
    swarm__free(node);
    return SWARM_ERR_NOMEM;
}

static void free_containers(struct swarm__container_list *list)
{
    while (list->first)
        swarm__container_free(list->first);
}

void swarm__node_free(struct swarm_node *node)
{
    free_containers(&node->containers);
    free_containers(&node->pending);
    swarm__node_drop_facts(node);
    swarm__identity_leave_node(node);
    swarm__map_remove(&node->cluster->node_ids, &node->by_id);
    swarm__names_remove(&node->cluster->node_names, node->name);
    swarm__free(node->address);
    swarm__free(node->id);
    swarm__free(node);
}

const char *swarm_node_id(const struct swarm_node *node)
{
    return node ? node->id : NULL;
}

const char *swarm_node_name(const struct swarm_node *node)
{
    return node ? node->name->text : NULL;
}

const char *swarm_node_address(const struct swarm_node *node)
{
    return node ? node->address : NULL;
}

int swarm_node_set_name(struct swarm_node *node, const char *name, struct swarm_error **reterr)
{
    if (!node)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: NULL");
    if (!name)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: name is NULL", node->id);
    if (strcmp(name, node->name->text) == 0)
        return 0;
    struct swarm__name *fresh = add_name(node, name);
    if (!fresh)
        return swarm__error_nomem(reterr);
    swarm__names_remove(&node->cluster->node_names, node->name);
    node->name = fresh;
    swarm__identity_renew_node(node);
    swarm__cluster_touch(node->cluster);
    return 0;
}

int swarm_node_set_address(struct swarm_node *node, const char *address, struct swarm_error **reterr)
{
    if (!node)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: NULL");
    if (!address)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: address is NULL", node->id);
    if (strcmp(address, node->address) == 0)
        return 0;
    char *fresh = swarm__strdup(address);
    if (!fresh)
        return swarm__error_nomem(reterr);
    swarm__free(node->address);
    node->address = fresh;
    swarm__cluster_touch(node->cluster);
    return 0;
}

/* Round to the nearest; false where it does not fit. The ratio is above -1, so the result is not negative. */
static bool scale(int64_t amount, double ratio, int64_t *ret_total)
{
    double extra = (double)amount * ratio;
    if (!(extra > -9.2e18 && extra < 9.2e18))
        return false;
    int64_t whole = (int64_t)(extra < 0 ? extra - 0.5 : extra + 0.5);
    return !__builtin_add_overflow(amount, whole, ret_total);
}

static int set_totals(struct swarm_node *node, int64_t cpus_milli, int64_t memory_bytes, double ratio,
                      struct swarm_error **reterr)
{
    int64_t cpus, memory;
    if (!scale(cpus_milli, ratio, &cpus) || !scale(memory_bytes, ratio, &memory))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: capacity with overcommit %g is too great",
                                node->id, ratio);
    struct swarm__slot *slot = swarm__node_slot(node);
    slot->total_cpus = cpus;
    slot->total_memory = memory;
    swarm__scan_put(node->cluster, node->slot);
    node->cpus_milli = cpus_milli;
    node->memory_bytes = memory_bytes;
    node->overcommit = ratio;
    swarm__cluster_touch(node->cluster);
    return 0;
}

int swarm_node_set_capacity(struct swarm_node *node, int64_t cpus_milli, int64_t memory_bytes,
                            struct swarm_error **reterr)
{
    if (!node)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: NULL");
    if (cpus_milli < 0 || memory_bytes < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "node %s: capacity of %lld milli-CPU and %lld bytes: 0 or more is expected", node->id,
                                (long long)cpus_milli, (long long)memory_bytes);
    return set_totals(node, cpus_milli, memory_bytes, node->overcommit, reterr);
}

int swarm_node_set_overcommit(struct swarm_node *node, double ratio, struct swarm_error **reterr)
{
    if (!node)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: NULL");
    if (!(ratio > -1.0 && ratio < 1e6))
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "node %s: overcommit %g: more than -1 and less than 1000000 is expected", node->id,
                                ratio);
    return set_totals(node, node->cpus_milli, node->memory_bytes, ratio, reterr);
}

int swarm_node_set_resource(struct swarm_node *node, const char *name, int64_t total, struct swarm_error **reterr)
{
    if (!node)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: NULL");
    int code = swarm__resource_check_name(name, reterr);
    if (code != 0)
        return code;
    if (total < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: %lld of %s: 0 or more is expected", node->id,
                                (long long)total, name);
    if (swarm__resources_set_total(&node->cluster->resources, node->slot, name, total) != 0)
        return swarm__error_nomem(reterr);
    swarm__cluster_touch(node->cluster);
    return 0;
}

int swarm_node_set_health(struct swarm_node *node, int indicator, struct swarm_error **reterr)
{
    if (!node)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: NULL");
    if (indicator < 0 || indicator > 100)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: health %d: 0 to 100 is expected", node->id,
                                indicator);
    swarm__node_slot(node)->health = (uint16_t)indicator;
    swarm__scan_put(node->cluster, node->slot);
    swarm__nodeset_put(&node->cluster->healthy, node->slot, indicator > 0);
    swarm__cluster_touch(node->cluster);
    return 0;
}

int swarm_node_set_availability(struct swarm_node *node, int availability, struct swarm_error **reterr)
{
    if (!node)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: NULL");
    if (availability < SWARM_AVAILABILITY_ACTIVE || availability > SWARM_AVAILABILITY_UNANNOUNCED)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: unknown availability %d: 0 to %d is expected",
                                node->id, availability, SWARM_AVAILABILITY_UNANNOUNCED);
    swarm__node_slot(node)->availability = (uint16_t)availability;
    swarm__nodeset_put(&node->cluster->active, node->slot, availability == SWARM_AVAILABILITY_ACTIVE);
    swarm__scan_put(node->cluster, node->slot);
    swarm__cluster_touch(node->cluster);
    return 0;
}

int64_t swarm_node_total_cpus_milli(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->total_cpus : 0;
}

int64_t swarm_node_total_memory(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->total_memory : 0;
}

int64_t swarm_node_capacity_cpus_milli(const struct swarm_node *node)
{
    return node ? node->cpus_milli : 0;
}

int64_t swarm_node_capacity_memory(const struct swarm_node *node)
{
    return node ? node->memory_bytes : 0;
}

double swarm_node_overcommit(const struct swarm_node *node)
{
    return node ? node->overcommit : 0;
}

int64_t swarm_node_used_cpus_milli(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->used_cpus : 0;
}

int64_t swarm_node_used_memory(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->used_memory : 0;
}

/* NULL where nothing of the name is there. */
static const struct swarm__resource *find_resource(const struct swarm_node *node, const char *name)
{
    return node && name ? swarm__resources_find(&node->cluster->resources, name) : NULL;
}

int64_t swarm_node_resource_total(const struct swarm_node *node, const char *name)
{
    const struct swarm__resource *resource = find_resource(node, name);
    return resource ? resource->totals[node->slot] : 0;
}

int64_t swarm_node_resource_used(const struct swarm_node *node, const char *name)
{
    const struct swarm__resource *resource = find_resource(node, name);
    return resource ? swarm__resource_used(resource, node->slot) : 0;
}

int swarm_node_resource_at(const struct swarm_node *node, size_t index, const char **ret_name, int64_t *ret_total,
                           int64_t *ret_used)
{
    const struct swarm__resources *resources = node ? &node->cluster->resources : NULL;
    for (size_t i = 0; resources && i < resources->count; i++) {
        int64_t total = resources->list[i]->totals[node->slot];
        int64_t used = swarm__resource_used(resources->list[i], node->slot);
        if ((total == 0 && used == 0) || index-- > 0)
            continue;
        if (ret_name)
            *ret_name = resources->list[i]->name;
        if (ret_total)
            *ret_total = total;
        if (ret_used)
            *ret_used = used;
        return 1;
    }
    return 0;
}

int swarm_node_health(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->health : 0;
}

int swarm_node_availability(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->availability : 0;
}

int64_t swarm_node_slots_used(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->containers : 0;
}

int64_t swarm_node_slots_limit(const struct swarm_node *node)
{
    return node ? swarm__node_slot(node)->open_limit : 0;
}

size_t swarm_node_container_count(const struct swarm_node *node)
{
    return node ? node->containers.count : 0;
}

struct swarm_container *swarm_node_next_container(const struct swarm_node *node, const struct swarm_container *previous)
{
    return previous ? previous->next : node ? node->containers.first : NULL;
}

void swarm_node_set_data(struct swarm_node *node, void *data)
{
    if (node)
        node->data = data;
}

void *swarm_node_data(const struct swarm_node *node)
{
    return node ? node->data : NULL;
}
