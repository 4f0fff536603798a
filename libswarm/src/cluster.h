/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_CLUSTER_H
#define SWARM_SRC_CLUSTER_H

#include <swarm/cluster.h>
#include <swarm/scheduler.h>

#include "index.h"
#include "map.h"
#include "names.h"
#include "nodeset.h"
#include "prefix.h"
#include "resource.h"
#include "scan.h"

/*
 * What decisions look at, one record a node. A slot belongs to one node for that node's life and is used again
 * afterwards. After each change of a record that ranking reads: swarm__scan_put().
 */
struct swarm__slot {
    int64_t total_cpus;   /**< Milli-CPU, with overcommit. */
    int64_t total_memory; /**< Bytes, with overcommit. */
    int64_t used_cpus;    /**< What containers and reservations ask for, kept up to date with each change. */
    int64_t used_memory;
    int64_t open_limit;      /**< Label containerslots; INT64_MAX where there is none that is a number. */
    uint64_t hash;           /**< Of the node's id: breaks ties, independently of slots. */
    struct swarm_node *node; /**< NULL: the slot is free. */
    uint32_t containers;     /**< With reservations. */
    uint16_t health;
    uint16_t availability;
};
_Static_assert(sizeof(struct swarm__slot) <= 64, "a slot is one cache line");

/** Key of the only list in the image index. */
#define SWARM__IMAGE_KEY "image"

struct swarm_cluster {
    uint64_t generation;
    struct swarm__slot *slots;
    size_t slot_count; /**< Slots ever used. */
    size_t slot_capacity;
    size_t free_slots;   /**< How many of them are free. */
    uint32_t *occupants; /**< Of each slot: containers and reservations, also those that count for nothing. */
    size_t occupants_capacity;
    struct swarm__scan *scans; /**< What ranking reads of the slots, a block for each word of a nodeset. */
    size_t scan_capacity;
    struct swarm__scan_shapes shapes;
    struct swarm__nodeset nodes;
    struct swarm__nodeset healthy; /**< Health above 0. */
    struct swarm__nodeset active;  /**< Availability SWARM_AVAILABILITY_ACTIVE. */
    struct swarm__nodeset limited; /**< With an open_limit. */
    struct swarm_node *first_node;
    struct swarm_node *last_node;
    size_t node_count;
    size_t container_count; /**< Without reservations. */
    struct swarm__map node_ids;
    struct swarm__map node_names;         /**< swarm__name, owned by nodes. */
    struct swarm__map container_names;    /**< swarm__name, owned by containers and reservations; by NULL: a hold. */
    struct swarm__prefix container_ids;   /**< by_id; reservations have none. */
    struct swarm__prefix swarm_ids;       /**< by_swarm_id; with reservations. */
    struct swarm__posting with_swarm_id;  /**< Of how many containers that is; with reservations. */
    struct swarm__index node_labels;      /**< Label → value. */
    struct swarm__index container_labels; /**< Label → value, but for the swarm id; with reservations. */
    struct swarm__index images;           /**< SWARM__IMAGE_KEY → id, references, repositories. */
    struct swarm__index ports;            /**< Host port → host IP ("" for all); with reservations. */
    struct swarm__index host_exposed;     /**< Port exposed in host network mode ("80/tcp") → "". */
    struct swarm__resources resources;
    struct swarm__memo container_memo; /**< Of containers and places: see identity.h, as the next one. */
    struct swarm__memo node_memo;
    struct swarm__memo_pool memo_pool; /**< Of these two and of the indexes. */
    struct swarm_reservation *first_reservation;
    void (*container_destroy)(void *data); /**< Of containers' data; may be NULL. */
    unsigned stopped_counts;               /**< enum swarm_count: what stopped containers count for. */
};

/** Note a change. */
static inline void swarm__cluster_touch(struct swarm_cluster *cluster)
{
    cluster->generation++;
}

/** Who has the name, a hold (without owner) last; NULL: nobody but @p except. */
const struct swarm__name *swarm__cluster_name_taken(const struct swarm_cluster *cluster, const char *name,
                                                    const struct swarm_container *except);
/** SWARM_ERR_NAME_TAKEN where a container other than @p except, a reservation or a hold has the name. */
int swarm__cluster_check_name(const struct swarm_cluster *cluster, const char *name,
                              const struct swarm_container *except, struct swarm_error **reterr);

#endif
