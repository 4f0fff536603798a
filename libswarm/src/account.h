/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_ACCOUNT_H
#define SWARM_SRC_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "container.h"

/*
 * What a request on a node adds to the cluster's sums and indexes. It has parts, and which of them count depends on
 * whether there is a container yet, on its state, and on swarm_cluster_set_stopped_counts(); each container knows which
 * count now. Adding may fail and then changes nothing; removing cannot fail.
 */

/** The parts: those of enum swarm_count, and these. */
#define SWARM__PART_LABELS 8u
/** Ports exposed in host network mode. */
#define SWARM__PART_EXPOSED 16u

/**
 * The parts that count for a container (or, @p pending, a reservation) in that state.
 *
 * @param stopped_counts  enum swarm_count: what stopped ones count for.
 */
unsigned swarm__account_parts(unsigned stopped_counts, bool pending, int state);
/** Whether it is one of the states in which a container counts for less where the user says so. */
bool swarm__account_stopped(int state);

/** @return 0, SWARM_ERR_NOMEM, SWARM_ERR_INVALID (a sum would overflow). */
int swarm__account_add(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                       unsigned parts, struct swarm_error **reterr);
/** Undo swarm__account_add() of the same arguments. */
void swarm__account_remove(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                           unsigned parts);

/** Ports really bound, which belong to part SWARM_COUNT_PORTS. @return 0, or SWARM_ERR_NOMEM. */
int swarm__account_add_bound(struct swarm_cluster *cluster, uint32_t slot, const struct swarm__binding *bound,
                             uint32_t count);
/** Undo swarm__account_add_bound() of the same arguments. */
void swarm__account_remove_bound(struct swarm_cluster *cluster, uint32_t slot, const struct swarm__binding *bound,
                                 uint32_t count);

/** Count parts of a container that do not count now, its request's and its bound ports'. As swarm__account_add(). */
int swarm__account_count(struct swarm_container *container, unsigned parts, struct swarm_error **reterr);
/** Count parts that count now no more. */
void swarm__account_uncount(struct swarm_container *container, unsigned parts);

/** The form in which host IPs are compared: "" for one that stands for all interfaces. Borrows @p ip; NULL is "". */
const char *swarm__host_ip(const char *ip);
/** Whether a host port is a certain one: neither empty nor "0". */
bool swarm__host_port_fixed(const char *port);

#endif
