/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <string.h>

#include "account.h"
#include "container.h"
#include "error.h"
#include "mem.h"
#include "node.h"
#include "reservation.h"

int swarm_cluster_new(struct swarm_cluster **ret_cluster, struct swarm_error **reterr)
{
    if (!ret_cluster)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "ret_cluster is NULL");
    struct swarm_cluster *cluster = swarm__calloc(1, sizeof(*cluster));
    if (!cluster)
        return swarm__error_nomem(reterr);
    cluster->stopped_counts = SWARM_COUNT_ALL;
    *ret_cluster = cluster;
    return 0;
}

static void free_holds(struct swarm_cluster *cluster)
{
    size_t position = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&cluster->container_names, &position));)
        for (struct swarm__name *name = (struct swarm__name *)item, *same; name; name = same) {
            same = name->same;
            swarm__free(name);
        }
    swarm__map_finish(&cluster->container_names);
}

void swarm_cluster_free(struct swarm_cluster *cluster)
{
    if (!cluster)
        return;
    while (cluster->first_node)
        swarm_cluster_remove_node(cluster, cluster->first_node);
    while (cluster->first_reservation)
        swarm__reservation_free(cluster->first_reservation);
    free_holds(cluster);
    swarm__memo_sleep(&cluster->container_memo);
    swarm__memo_sleep(&cluster->node_memo);
    swarm__map_finish(&cluster->node_ids);
    swarm__map_finish(&cluster->node_names);
    swarm__posting_finish(&cluster->with_swarm_id);
    swarm__index_finish(&cluster->node_labels);
    swarm__index_finish(&cluster->container_labels);
    swarm__index_finish(&cluster->images);
    swarm__index_finish(&cluster->ports);
    swarm__index_finish(&cluster->host_exposed);
    swarm__resources_finish(&cluster->resources);
    swarm__nodeset_finish(&cluster->nodes);
    swarm__nodeset_finish(&cluster->healthy);
    swarm__nodeset_finish(&cluster->active);
    swarm__nodeset_finish(&cluster->limited);
    swarm__free(cluster->slots);
    swarm__free(cluster->occupants);
    swarm__free(cluster->scans);
    swarm__free(cluster);
}

void swarm_cluster_set_container_destroy(struct swarm_cluster *cluster, void (*destroy)(void *data))
{
    if (cluster)
        cluster->container_destroy = destroy;
}

uint64_t swarm_cluster_generation(const struct swarm_cluster *cluster)
{
    return cluster ? cluster->generation : 0;
}

/* Blocks are large, so small clusters have no more of them than they need. */
static int make_scan_room(struct swarm_cluster *cluster, size_t slot)
{
    size_t old = cluster->scan_capacity, needed = slot / SWARM__SCAN_SLOTS + 1;
    if (needed <= old)
        return 0;
    size_t wanted = old + old / 2 > needed ? old + old / 2 : needed;
    struct swarm__scan *scans = swarm__realloc(cluster->scans, wanted * sizeof(*scans));
    if (!scans)
        return -1;
    memset(scans + old, 0, (wanted - old) * sizeof(*scans));
    cluster->scans = scans;
    cluster->scan_capacity = wanted;
    return 0;
}

/* The lowest free slot, with room for it everywhere. Room that is made stays; it is no change that anyone can see. */
static int claim_slot(struct swarm_cluster *cluster, uint32_t *ret_slot)
{
    size_t slot = 0;
    if (cluster->free_slots == 0)
        slot = cluster->slot_count;
    else
        while (swarm__nodeset_has(&cluster->nodes, slot))
            slot++;
    if (slot > UINT32_MAX - SWARM__NODESET_WORD)
        return -1;
    if (swarm__grow(&cluster->slots, &cluster->slot_capacity, slot + 1, sizeof(*cluster->slots)) != 0 ||
        swarm__grow(&cluster->occupants, &cluster->occupants_capacity, slot + 1, sizeof(*cluster->occupants)) != 0 ||
        make_scan_room(cluster, slot) != 0 || swarm__nodeset_resize(&cluster->nodes, cluster->slot_capacity) != 0 ||
        swarm__nodeset_resize(&cluster->healthy, cluster->slot_capacity) != 0 ||
        swarm__nodeset_resize(&cluster->active, cluster->slot_capacity) != 0 ||
        swarm__nodeset_resize(&cluster->limited, cluster->slot_capacity) != 0 ||
        swarm__resources_resize(&cluster->resources, cluster->slot_capacity) != 0)
        return -1;
    *ret_slot = (uint32_t)slot;
    return 0;
}

static void occupy_slot(struct swarm_cluster *cluster, struct swarm_node *node)
{
    uint32_t slot = node->slot;
    cluster->occupants[slot] = 0;
    cluster->slots[slot] = (struct swarm__slot){.open_limit = INT64_MAX,
                                                .hash = swarm__hash(node->id, strlen(node->id)),
                                                .node = node,
                                                .health = 100,
                                                .availability = SWARM_AVAILABILITY_ACTIVE};
    if (slot == cluster->slot_count)
        cluster->slot_count++;
    else
        cluster->free_slots--;
    swarm__nodeset_add(&cluster->nodes, slot);
    swarm__nodeset_add(&cluster->healthy, slot);
    swarm__nodeset_add(&cluster->active, slot);
    swarm__scan_put(cluster, slot);
}

static void vacate_slot(struct swarm_cluster *cluster, uint32_t slot)
{
    swarm__resources_vacate(&cluster->resources, slot);
    cluster->slots[slot].node = NULL;
    cluster->free_slots++;
    swarm__nodeset_remove(&cluster->nodes, slot);
    swarm__nodeset_remove(&cluster->healthy, slot);
    swarm__nodeset_remove(&cluster->active, slot);
    swarm__nodeset_remove(&cluster->limited, slot);
}

int swarm_cluster_add_node(struct swarm_cluster *cluster, const char *id, const char *name, const char *address,
                           struct swarm_node **ret_node, struct swarm_error **reterr)
{
    if (!cluster || !id || !*id)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node: a cluster and an id are needed");
    if (swarm__map_find(&cluster->node_ids, id))
        return swarm__error_set(reterr, SWARM_ERR_EXISTS, "node %s exists already", id);
    uint32_t slot = 0;
    struct swarm_node *node = NULL;
    if (claim_slot(cluster, &slot) != 0 ||
        swarm__node_new(&node, cluster, slot, id, name ? name : "", address ? address : "") != 0)
        return swarm__error_nomem(reterr);
    occupy_slot(cluster, node);
    node->previous = cluster->last_node;
    *(cluster->last_node ? &cluster->last_node->next : &cluster->first_node) = node;
    cluster->last_node = node;
    cluster->node_count++;
    swarm__cluster_touch(cluster);
    if (ret_node)
        *ret_node = node;
    return 0;
}

void swarm_cluster_remove_node(struct swarm_cluster *cluster, struct swarm_node *node)
{
    if (!cluster || !node || node->cluster != cluster)
        return;
    uint32_t slot = node->slot;
    swarm__reservation_void_node(cluster, node);
    *(node->previous ? &node->previous->next : &cluster->first_node) = node->next;
    *(node->next ? &node->next->previous : &cluster->last_node) = node->previous;
    cluster->node_count--;
    swarm__node_free(node);
    vacate_slot(cluster, slot);
    swarm__cluster_touch(cluster);
}

struct swarm_node *swarm_cluster_find_node(const struct swarm_cluster *cluster, const char *id)
{
    return cluster && id ? (struct swarm_node *)swarm__map_find(&cluster->node_ids, id) : NULL;
}

size_t swarm_cluster_node_count(const struct swarm_cluster *cluster)
{
    return cluster ? cluster->node_count : 0;
}

struct swarm_node *swarm_cluster_next_node(const struct swarm_cluster *cluster, const struct swarm_node *previous)
{
    return previous ? previous->next : cluster ? cluster->first_node : NULL;
}

int swarm_cluster_add_container(struct swarm_cluster *cluster, struct swarm_node *node, const char *id,
                                struct swarm_request *request, struct swarm_container **ret_container,
                                struct swarm_error **reterr)
{
    if (!cluster || !node || node->cluster != cluster || !id || !*id || !request)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "container: a node of this cluster, an id and a request are needed");
    if (swarm__container_find(cluster, node, id))
        return swarm__error_set(reterr, SWARM_ERR_EXISTS, "node %s has a container %s already", node->id, id);
    struct swarm_reservation *reservation = swarm__reservation_find(node, swarm_request_swarm_id(request));
    struct swarm_container *container = NULL;
    int code = swarm__container_new(&container, node, id, request, reterr);
    if (code != 0)
        return code;
    if (reservation)
        swarm__reservation_adopt(reservation, container);
    if (ret_container)
        *ret_container = container;
    return 0;
}

void swarm_cluster_remove_container(struct swarm_cluster *cluster, struct swarm_container *container)
{
    if (cluster && container && container->node->cluster == cluster)
        swarm__container_free(container);
}

size_t swarm_cluster_container_count(const struct swarm_cluster *cluster)
{
    return cluster ? cluster->container_count : 0;
}

struct swarm_container *swarm_cluster_find_container(const struct swarm_cluster *cluster, const struct swarm_node *node,
                                                     const char *id)
{
    return cluster && node && id ? swarm__container_find(cluster, node, id) : NULL;
}

static struct swarm_container *next_container(const struct swarm_cluster *cluster,
                                              const struct swarm_container *previous)
{
    struct swarm_node *node = previous ? previous->node : cluster->first_node;
    struct swarm_container *at = previous ? previous->next : node ? node->containers.first : NULL;
    while (!at && node && (node = node->next))
        at = node->containers.first;
    return at;
}

/* Count parts of all stopped containers. All or none. */
static int count_stopped(struct swarm_cluster *cluster, unsigned parts, struct swarm_error **reterr)
{
    struct swarm_container *at = NULL, *done = NULL;
    int code = 0;
    while (code == 0 && (at = next_container(cluster, at)))
        if (swarm__account_stopped(at->state))
            code = swarm__account_count(at, parts, reterr);
    if (code != 0)
        while ((done = next_container(cluster, done)) != at)
            if (swarm__account_stopped(done->state))
                swarm__account_uncount(done, parts);
    return code;
}

int swarm_cluster_set_stopped_counts(struct swarm_cluster *cluster, int flags, struct swarm_error **reterr)
{
    if (!cluster)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "cluster: NULL");
    if (flags < 0 || flags > SWARM_COUNT_ALL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "stopped containers: %d: flags of enum swarm_count are expected", flags);
    unsigned before = swarm__account_parts(cluster->stopped_counts, false, SWARM_CONTAINER_EXITED);
    unsigned after = swarm__account_parts((unsigned)flags, false, SWARM_CONTAINER_EXITED);
    int code = count_stopped(cluster, after & ~before, reterr); /* first: it may fail, the rest cannot */
    if (code != 0)
        return code;
    for (struct swarm_container *at = NULL; (at = next_container(cluster, at));)
        if (swarm__account_stopped(at->state))
            swarm__account_uncount(at, before & ~after);
    cluster->stopped_counts = (unsigned)flags;
    swarm__cluster_touch(cluster);
    return 0;
}

int swarm_cluster_stopped_counts(const struct swarm_cluster *cluster)
{
    return cluster ? (int)cluster->stopped_counts : 0;
}

static const char *without_slash(const char *name)
{
    return name + (*name == '/');
}

const struct swarm__name *swarm__cluster_name_taken(const struct swarm_cluster *cluster, const char *name,
                                                    const struct swarm_container *except)
{
    const struct swarm__name *taken = NULL;
    for (const struct swarm__name *at = swarm__names_find(&cluster->container_names, name); at; at = at->same)
        if ((!except || at->owner != except) && (!taken || !taken->owner))
            taken = at;
    return taken;
}

int swarm__cluster_check_name(const struct swarm_cluster *cluster, const char *name,
                              const struct swarm_container *except, struct swarm_error **reterr)
{
    if (!swarm__cluster_name_taken(cluster, name, except))
        return 0;
    return swarm__error_set(reterr, SWARM_ERR_NAME_TAKEN,
                            "Conflict: The name %s is already assigned. You have to delete (or rename) that container "
                            "to be able to assign %s to a container again.",
                            name, name);
}

int swarm_cluster_hold_name(struct swarm_cluster *cluster, const char *name, struct swarm_error **reterr)
{
    if (!cluster || !name || !*without_slash(name))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "hold: a cluster and a name are needed");
    int code = swarm__cluster_check_name(cluster, without_slash(name), NULL, reterr);
    if (code != 0)
        return code;
    if (!swarm__names_add(&cluster->container_names, without_slash(name), NULL))
        return swarm__error_nomem(reterr);
    swarm__cluster_touch(cluster);
    return 0;
}

void swarm_cluster_release_name(struct swarm_cluster *cluster, const char *name)
{
    if (!cluster || !name)
        return;
    struct swarm__name *held = swarm__names_find(&cluster->container_names, without_slash(name));
    while (held && held->owner)
        held = held->same;
    if (!held)
        return;
    swarm__names_remove(&cluster->container_names, held);
    swarm__cluster_touch(cluster);
}
