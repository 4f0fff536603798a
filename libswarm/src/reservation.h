/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_RESERVATION_H
#define SWARM_SRC_RESERVATION_H

#include <swarm/scheduler.h>

#include "container.h"

/** A place taken on a node: a pending container, or the container that has come to take its place. */
struct swarm_reservation {
    struct swarm_cluster *cluster;
    struct swarm_reservation *previous; /**< In the cluster's list. */
    struct swarm_reservation *next;
    struct swarm_node *node;           /**< NULL: it was removed; the reservation is void. */
    struct swarm_container *container; /**< NULL: void, or the container that took the place is gone already. */
    struct swarm_request *request;
};

/** The node goes: its reservations turn void. */
void swarm__reservation_void_node(struct swarm_cluster *cluster, const struct swarm_node *node);
/** A reservation on the node that waits for the container of that swarm id; NULL where there is none. */
struct swarm_reservation *swarm__reservation_find(const struct swarm_node *node, const char *swarm_id);
/** @p container takes the place that the reservation kept. */
void swarm__reservation_adopt(struct swarm_reservation *reservation, struct swarm_container *container);
/** Release it; what it holds of the cluster must be gone already. */
void swarm__reservation_free(struct swarm_reservation *reservation);

#endif
