/* SPDX-License-Identifier: Apache-2.0 */
#include "reservation.h"

#include <swarm/state.h>

#include "error.h"
#include "mem.h"

static void enter_list(struct swarm_reservation *reservation)
{
    struct swarm_cluster *cluster = reservation->cluster;
    reservation->next = cluster->first_reservation;
    if (reservation->next)
        reservation->next->previous = reservation;
    cluster->first_reservation = reservation;
}

void swarm__reservation_free(struct swarm_reservation *reservation)
{
    *(reservation->previous ? &reservation->previous->next : &reservation->cluster->first_reservation) =
        reservation->next;
    if (reservation->next)
        reservation->next->previous = reservation->previous;
    swarm_request_unref(reservation->request);
    swarm__free(reservation);
}

void swarm__reservation_void_node(struct swarm_cluster *cluster, const struct swarm_node *node)
{
    for (struct swarm_reservation *at = cluster->first_reservation; at; at = at->next)
        if (at->node == node)
            at->node = NULL;
}

struct swarm_reservation *swarm__reservation_find(const struct swarm_node *node, const char *swarm_id)
{
    if (!swarm_id || !*swarm_id)
        return NULL;
    struct swarm__prefix_entry *entry = swarm__prefix_find(&node->cluster->swarm_ids, swarm_id);
    for (; entry; entry = entry->same) {
        struct swarm_container *container = swarm__container_by_swarm_id(entry);
        if (container->node == node && swarm__container_pending(container))
            return container->reservation;
    }
    return NULL;
}

void swarm__reservation_adopt(struct swarm_reservation *reservation, struct swarm_container *container)
{
    swarm__container_free(reservation->container);
    reservation->container = container;
    container->reservation = reservation;
}

int swarm_cluster_reserve(struct swarm_cluster *cluster, struct swarm_node *node, struct swarm_request *request,
                          struct swarm_reservation **ret_reservation, struct swarm_error **reterr)
{
    if (!cluster || !node || !request || !ret_reservation || node->cluster != cluster)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "reservation: NULL, or a node of another cluster");
    struct swarm_reservation *reservation = swarm__calloc(1, sizeof(*reservation));
    if (!reservation)
        return swarm__error_nomem(reterr);
    struct swarm_container *container = NULL;
    int code = swarm__container_new(&container, node, NULL, request, reterr);
    if (code != 0) {
        swarm__free(reservation);
        return code;
    }
    container->reservation = reservation;
    reservation->cluster = cluster;
    reservation->node = node;
    reservation->container = container;
    reservation->request = swarm_request_ref(request);
    enter_list(reservation);
    *ret_reservation = reservation;
    return 0;
}

struct swarm_reservation *swarm_cluster_next_reservation(const struct swarm_cluster *cluster,
                                                         const struct swarm_reservation *previous)
{
    return previous ? previous->next : cluster ? cluster->first_reservation : NULL;
}

struct swarm_node *swarm_reservation_node(const struct swarm_reservation *reservation)
{
    return reservation ? reservation->node : NULL;
}

struct swarm_request *swarm_reservation_request(const struct swarm_reservation *reservation)
{
    return reservation ? reservation->request : NULL;
}

void swarm_reservation_abort(struct swarm_reservation *reservation)
{
    if (!reservation)
        return;
    struct swarm_container *container = reservation->container;
    if (container && swarm__container_pending(container))
        swarm__container_free(container);
    else if (container)
        container->reservation = NULL;
    swarm__reservation_free(reservation);
}

/* The container that the place is for now: the one that came by itself, or the pending one made real. */
static int settle(struct swarm_reservation *reservation, const char *id, struct swarm_container **ret_container,
                  struct swarm_error **reterr)
{
    if (!reservation->node)
        return swarm__error_set(reterr, SWARM_ERR_STATE, "container %s: its node has been removed meanwhile", id);
    struct swarm_container *known = swarm__container_find(reservation->cluster, reservation->node, id);
    if (known) {
        *ret_container = known;
        return 0;
    }
    if (!reservation->container)
        return swarm__error_set(reterr, SWARM_ERR_STATE, "container %s has been removed meanwhile", id);
    if (!swarm__container_pending(reservation->container))
        return swarm__error_set(reterr, SWARM_ERR_STATE, "the place of container %s was taken by container %s", id,
                                swarm_container_id(reservation->container));
    if (swarm__container_realize(reservation->container, id) != 0)
        return swarm__error_nomem(reterr);
    *ret_container = reservation->container;
    return 0;
}

int swarm_reservation_commit(struct swarm_reservation *reservation, const char *container_id,
                             struct swarm_container **ret_container, struct swarm_error **reterr)
{
    if (!reservation)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "reservation: NULL");
    struct swarm_container *container = NULL;
    int code = container_id && *container_id
                   ? settle(reservation, container_id, &container, reterr)
                   : swarm__error_set(reterr, SWARM_ERR_INVALID, "reservation: a container id is needed");
    swarm_reservation_abort(reservation); /* gives back what no container has taken over */
    if (code == 0 && ret_container)
        *ret_container = container;
    return code;
}
