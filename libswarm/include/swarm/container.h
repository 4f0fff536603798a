/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_CONTAINER_H
#define SWARM_CONTAINER_H

/** @file
 * Containers: requests that are on a node. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>
#include <swarm/node.h>
#include <swarm/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A request placed on a node, with identity and state. Owned by its cluster: made by swarm_cluster_add_container() or
 * swarm_reservation_commit(), gone with swarm_cluster_remove_container() or its node.
 *
 * Texts that getters give are borrowed until the container changes or goes; for a NULL container they give NULL or 0.
 * Setters copy what they are given and answer 0, SWARM_ERR_INVALID (NULL, a value out of its range) or SWARM_ERR_NOMEM,
 * and change nothing on failure. @c reterr is optional: a new error, release with swarm_error_free(), untouched on
 * success.
 *
 * Thread safety of everything here: as of the container's cluster (cluster.h). Since: 1.3
 */
struct swarm_container;

/** What an engine says of a container. What the stopped ones (exited, dead) count for is up to
 *  swarm_cluster_set_stopped_counts(); all others count in full. */
enum swarm_container_state {
    SWARM_CONTAINER_CREATED = 0,
    SWARM_CONTAINER_RUNNING = 1,
    SWARM_CONTAINER_PAUSED = 2,
    SWARM_CONTAINER_RESTARTING = 3,
    SWARM_CONTAINER_EXITED = 4,
    SWARM_CONTAINER_DEAD = 5,
};

/**
 * Get the id that its engine gave it.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed; empty for what only a reservation keeps a place for.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_container_id(const struct swarm_container *container);

/**
 * Get the swarm id of its request, which survives moves.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed; empty where there is none.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_container_swarm_id(const struct swarm_container *container);

/**
 * Get its first name.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed, without a slash in front; empty where there is none.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_container_name(const struct swarm_container *container);

/**
 * Get one of its names, of which the first is its own, as swarm_container_set_names() has them.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 * @param index      From 0.
 *
 * @return Borrowed; NULL past the end.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_container_name_at(const struct swarm_container *container, size_t index);

/**
 * Get the node that it is on.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed until the node is removed.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_container_node(const struct swarm_container *container);

/**
 * Get the request that it was placed with, or that was set last.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed; take a reference to keep it.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_request *swarm_container_request(const struct swarm_container *container);

/**
 * Get what the engine said of it last.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return One of enum swarm_container_state.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_container_state(const struct swarm_container *container);

/**
 * Set what the engine says of it, and count it for what it counts for then.
 *
 * @param container  Not NULL.
 * @param state      One of enum swarm_container_state; created at first.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As above; SWARM_ERR_INVALID also where the node's used amounts would pass the greatest number.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_container_set_state(struct swarm_container *container, int state, struct swarm_error **reterr);

/**
 * Say that its user has stopped it, which the one copy that counts of a container that was moved may be: an old copy
 * that runs is removed then all the same, unlike where the other one has only ended (enum swarm_reconcile).
 *
 * @param container  Not NULL.
 * @param stopped    1: it has been stopped, and is to stay so; 0, the default: not, or it is not known.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, neither 0 nor 1).
 *
 * Thread safety: as of the container's cluster. Since: 1.4
 */
SWARM_EXPORT int swarm_container_set_stopped(struct swarm_container *container, int stopped,
                                             struct swarm_error **reterr);

/**
 * Tell whether its user has stopped it, as swarm_container_set_stopped() has it.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return 1 or 0.
 *
 * Thread safety: as of the container's cluster. Since: 1.4
 */
SWARM_EXPORT int swarm_container_stopped(const struct swarm_container *container);

/**
 * Get since when it runs.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Milliseconds since the Unix epoch; 0: not known, the default.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_container_running_since(const struct swarm_container *container);

/**
 * Set since when it runs: what decides between two copies of one (enum swarm_reconcile).
 *
 * @param container  Not NULL.
 * @param since_ms   Milliseconds since the Unix epoch, by one clock for all nodes; 0: not known. Not below 0.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_container_set_running_since(struct swarm_container *container, int64_t since_ms,
                                                   struct swarm_error **reterr);

/**
 * Replace all names, without a slash in front (one is cut off); the first is the container's own, others are link
 * aliases ("db/alias").
 *
 * Duplicates with other containers are allowed: engines are the truth, and look-ups tell them apart.
 *
 * @param container  Not NULL.
 * @param names      @p count texts, copied; may be NULL where @p count is 0.
 * @param count      0: it has no names.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_container_set_names(struct swarm_container *container, const char *const *names, size_t count,
                                           struct swarm_error **reterr);

/**
 * Replace the request: what an engine reports now, after an update.
 *
 * A reference is taken; shared from now on. Names stay as they are.
 *
 * @param container  Not NULL.
 * @param request    A reference is taken.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_container_set_request(struct swarm_container *container, struct swarm_request *request,
                                             struct swarm_error **reterr);

/** One host port that is really bound now. */
struct swarm_bound_port {
    const char *host_ip;   /**< NULL, empty or an unspecified address: all interfaces. */
    const char *host_port; /**< Decimal; NULL, empty and "0" are passed over. */
};

/**
 * Replace the host ports really bound now (NetworkSettings.Ports); only the requested ones count without it.
 *
 * @param container  Not NULL.
 * @param ports      @p count ports, copied.
 * @param count      0 (then @p ports may be NULL) to 1,000,000.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_container_set_bound_ports(struct swarm_container *container,
                                                 const struct swarm_bound_port *ports, size_t count,
                                                 struct swarm_error **reterr);

/**
 * The host port really bound at @p index, in the order in which swarm_container_set_bound_ports() had them.
 *
 * @param container      NULL is allowed: then the answer is NULL or 0.
 * @param index          From 0.
 * @param ret_host_ip    Empty: all interfaces. Each out parameter may be NULL.
 * @param ret_host_port  Decimal.
 *
 * @return 1, or 0 past the end (nothing is written).
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_container_bound_port_at(const struct swarm_container *container, size_t index,
                                               const char **ret_host_ip, const char **ret_host_port);

/**
 * Keep a pointer of the caller's with the container; swarm_cluster_set_container_destroy() says what becomes of it when
 * the container goes.
 *
 * One that was set before is only replaced.
 *
 * @param container  NULL is allowed.
 * @param data       Borrowed; NULL: none (the default).
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_container_set_data(struct swarm_container *container, void *data);

/**
 * Get the pointer of the caller's.
 *
 * @param container  NULL is allowed: then the answer is NULL or 0.
 *
 * @return The one set last; NULL where none was.
 *
 * Thread safety: as of the container's cluster. Since: 1.3
 */
SWARM_EXPORT void *swarm_container_data(const struct swarm_container *container);

#ifdef __cplusplus
}
#endif
#endif
