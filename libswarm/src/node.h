/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_NODE_H
#define SWARM_SRC_NODE_H

#include <swarm/node.h>

#include "cluster.h"

/** Both texts belong to the cluster's label index. */
struct swarm__node_label {
    const char *key;
    const char *value;
};

/** Containers or reservations of a node, in the order they came. */
struct swarm__container_list {
    struct swarm_container *first;
    struct swarm_container *last;
    size_t count;
};

struct swarm_node {
    struct swarm__map_item by_id; /**< Its key is @c id. First: the map gives nodes. */
    char *id;
    struct swarm__name *name;
    char *address;
    struct swarm_cluster *cluster;
    struct swarm_node *previous;
    struct swarm_node *next;
    uint32_t slot;
    struct swarm__subject subject;    /**< Of the cluster's node_memo. */
    struct swarm__node_label *labels; /**< In key order. */
    size_t label_count;
    const char **images; /**< Ids, references and repositories; the texts belong to the image index. */
    size_t image_count;
    int64_t cpus_milli;   /**< As the machine has them. */
    int64_t memory_bytes; /**< As the machine has it. */
    double overcommit;
    struct swarm__container_list containers;
    struct swarm__container_list pending; /**< Of reservations. */
    void *data;
};

static inline struct swarm__slot *swarm__node_slot(const struct swarm_node *node)
{
    return &node->cluster->slots[node->slot];
}

/** Make a node on a slot of its cluster; it is in the cluster's indexes but not in its list yet. */
int swarm__node_new(struct swarm_node **ret_node, struct swarm_cluster *cluster, uint32_t slot, const char *id,
                    const char *name, const char *address);
/** Take it and everything on it out of the indexes, and release it. */
void swarm__node_free(struct swarm_node *node);

#endif
