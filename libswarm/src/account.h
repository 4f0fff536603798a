/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_ACCOUNT_H
#define SWARM_SRC_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.h"

/*
 * What a request on a node adds to the cluster's sums and indexes: resources, labels, host ports, exposed ports in host
 * network mode. Adding may fail and then changes nothing; removing cannot fail.
 */

/** @p pending: of a reservation. @return 0, SWARM_ERR_NOMEM, SWARM_ERR_INVALID (a sum would overflow). */
int swarm__account_add(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request, bool pending,
                       struct swarm_error **reterr);
/** Undo swarm__account_add() of the same arguments. */
void swarm__account_remove(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request,
                           bool pending);
/** What was pending came to be: only here what is accounted differs. @return 0, or SWARM_ERR_NOMEM. */
int swarm__account_realize(struct swarm_cluster *cluster, uint32_t slot, const struct swarm_request *request);

/** The form in which host IPs are compared: "" for one that stands for all interfaces. Borrows @p ip; NULL is "". */
const char *swarm__host_ip(const char *ip);
/** Whether a host port is a certain one: neither empty nor "0". */
bool swarm__host_port_fixed(const char *port);

#endif
