/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_CONTAINER_H
#define SWARM_SRC_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swarm/container.h>

#include "node.h"

/** A host port really bound; the host IP is empty for all interfaces. */
struct swarm__binding {
    const char *host_ip;
    const char *host_port;
};

/** A container, or (pending) the place that a reservation keeps for one. */
struct swarm_container {
    union {
        struct swarm__prefix_entry by_id; /**< Not in use while pending. First member. */
        const char *id;                   /**< Its key; NULL while pending. */
    };
    struct swarm__prefix_entry by_swarm_id; /**< Its key belongs to the request; NULL where there is none. */
    struct swarm_node *node;
    struct swarm_container *previous; /**< In the node's list. */
    struct swarm_container *next;
    struct swarm_request *request;
    struct swarm_reservation *reservation; /**< The one that it came from, until that is committed or aborted. */
    struct swarm__name *names;             /**< In order. */
    struct swarm__name request_name;       /**< The only one while that is the request's, whose text it is. */
    struct swarm__subject subject;         /**< Of the cluster's container_memo. */
    struct swarm__binding *bound;          /**< One allocation with its texts. */
    int64_t running_since_ms;              /**< 0: not known. */
    void *data;
    uint32_t bound_count;
    uint8_t state;   /**< enum swarm_container_state */
    uint8_t stopped; /**< By its user. */
    uint8_t counted; /**< Which of its parts count now (account.h). */
    char id_room[];  /**< Where its id is, unless it is longer than engines make them. */
};

static inline bool swarm__container_pending(const struct swarm_container *container)
{
    return container->id == NULL;
}

static inline struct swarm_container *swarm__container_by_id(struct swarm__prefix_entry *entry)
{
    return (struct swarm_container *)entry;
}

static inline struct swarm_container *swarm__container_by_swarm_id(struct swarm__prefix_entry *entry)
{
    return (struct swarm_container *)((char *)entry - offsetof(struct swarm_container, by_swarm_id));
}

/**
 * Make a container and put it into its node's list and all indexes.
 *
 * @param id  NULL: pending.
 */
int swarm__container_new(struct swarm_container **ret_container, struct swarm_node *node, const char *id,
                         struct swarm_request *request, struct swarm_error **reterr);
/** Take it out of all indexes and its node's list, and release it. Its reservation loses its place. */
void swarm__container_free(struct swarm_container *container);
/** A pending one came to be. @return 0, or SWARM_ERR_NOMEM (it is pending still). */
int swarm__container_realize(struct swarm_container *container, const char *id);
/** The container of that id on that node. */
struct swarm_container *swarm__container_find(const struct swarm_cluster *cluster, const struct swarm_node *node,
                                              const char *id);

#endif
