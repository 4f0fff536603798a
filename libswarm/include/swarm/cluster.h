/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_CLUSTER_H
#define SWARM_CLUSTER_H

/** @file
 * The cluster: nodes, containers, reservations and held names, and what is found in it. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/container.h>
#include <swarm/error.h>
#include <swarm/node.h>
#include <swarm/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Owns nodes, containers, reservations and the indexes over them.
 *
 * Thread safety: functions that take a `const struct swarm_cluster *` (or a const node or container of it) may run
 * at the same time as one another; any other function needs the cluster to itself. Distinct clusters are independent.
 *
 * Every function that answers a code gives 0 on success. On failure nothing has changed, out parameters are untouched,
 * and where @p reterr is not NULL it gets a new error, to be released with swarm_error_free(). Besides what each says,
 * it may be SWARM_ERR_INVALID (NULL, an object of another cluster, a value out of its range) and SWARM_ERR_NOMEM.
 * Out parameters other than those of constructors may be NULL. Functions that answer no code take NULL for any argument
 * and give NULL or 0 then. Since: 1.3
 */
struct swarm_cluster;

/**
 * Make an empty cluster.
 *
 * @param ret_cluster  New, release with swarm_cluster_free(). Untouched on failure.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL), SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_new(struct swarm_cluster **ret_cluster, struct swarm_error **reterr);

/**
 * Release the cluster with its nodes, containers and reservations, committed and aborted or not.
 *
 * NULL is allowed.
 *
 * @param cluster  NULL is allowed.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_cluster_free(struct swarm_cluster *cluster);

/**
 * Have something done with the data of containers (swarm_container_set_data()) that leave the cluster, in whatever way:
 * removed by the caller, with their node, by a rescheduler, or with the cluster itself.
 *
 * @param cluster  NULL is allowed.
 * @param destroy  Called once a container whose data is not NULL; must not call back into the library. NULL: nothing
 *                 (the default).
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_cluster_set_container_destroy(struct swarm_cluster *cluster, void (*destroy)(void *data));

/** What a stopped container (exited or dead) may go on counting for. */
enum swarm_count {
    SWARM_COUNT_PORTS = 1,     /**< The host ports that it binds or, in host network mode, exposes. */
    SWARM_COUNT_SLOTS = 2,     /**< One more container: for "containerslots", and for spread and binpack. */
    SWARM_COUNT_RESOURCES = 4, /**< The CPUs, memory and other resources that it reserves. */
    SWARM_COUNT_ALL = 7,       /**< All of them. */
};

/**
 * Say what stopped containers count for.
 *
 * Names, labels and ids of theirs always count. One that is started again counts in full from then on, whether there is
 * room or not: engines are the truth.
 *
 * @param cluster  Not NULL.
 * @param flags    Of enum swarm_count, added up; 0: nothing. Default: SWARM_COUNT_ALL, as classic Swarm has it.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_INVALID also where a node's used amounts would pass the greatest number.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_set_stopped_counts(struct swarm_cluster *cluster, int flags,
                                                  struct swarm_error **reterr);

/**
 * Say what stopped containers count for.
 *
 * @param cluster  NULL is allowed.
 *
 * @return Flags of enum swarm_count; 0 for NULL.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_stopped_counts(const struct swarm_cluster *cluster);

/**
 * Tell whether anything has changed.
 *
 * @param cluster  NULL is allowed: then the answer is NULL or 0.
 *
 * @return A number that every change raises; two equal ones of one cluster mean the same state.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT uint64_t swarm_cluster_generation(const struct swarm_cluster *cluster);

/**
 * Add a node: active, healthy (100), without labels, images and capacity until these are set.
 *
 * @param cluster   Not NULL.
 * @param id        Not empty, copied.
 * @param name      Copied; NULL is "". Several nodes may have one name.
 * @param address   Copied; NULL is "". Only kept.
 * @param ret_node  Borrowed from the cluster until swarm_cluster_remove_node().
 * @param reterr    Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_EXISTS (a node has that id).
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_add_node(struct swarm_cluster *cluster, const char *id, const char *name,
                                        const char *address, struct swarm_node **ret_node, struct swarm_error **reterr);

/**
 * Remove a node with its containers; reservations on it turn void (commit answers SWARM_ERR_STATE).
 *
 * Cannot fail; nothing happens where the node is NULL or of another cluster.
 *
 * @param cluster  NULL is allowed.
 * @param node     NULL is allowed.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_cluster_remove_node(struct swarm_cluster *cluster, struct swarm_node *node);

/**
 * Find a node by its id.
 *
 * @param cluster  NULL is allowed.
 * @param id       NULL is allowed.
 *
 * @return Borrowed until the node is removed; NULL where there is none.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_cluster_find_node(const struct swarm_cluster *cluster, const char *id);

/**
 * Count the nodes.
 *
 * @param cluster  NULL is allowed: then the answer is NULL or 0.
 *
 * @return How many nodes are in the cluster.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT size_t swarm_cluster_node_count(const struct swarm_cluster *cluster);

/**
 * Walk the nodes, in the order they were added.
 *
 * @param cluster   NULL is allowed: then the answer is NULL or 0.
 * @param previous  The one before; NULL: start.
 *
 * @return Borrowed until the node is removed; NULL: there are no more.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_cluster_next_node(const struct swarm_cluster *cluster,
                                                        const struct swarm_node *previous);

/**
 * Add a container that an engine reports.
 *
 * Where a reservation on the same node has the same swarm id, the container takes its place (nothing counts twice) and
 * committing that reservation later gives this container. The same id on two nodes is allowed: it is the same engine
 * seen twice.
 *
 * The container has the request's name until swarm_container_set_names(), and is SWARM_CONTAINER_CREATED.
 *
 * @param cluster        Not NULL.
 * @param node           Not NULL.
 * @param id             The engine's container id, not empty, copied.
 * @param request        A reference is taken; shared from now on.
 * @param ret_container  Borrowed from the cluster until it or its node is removed.
 * @param reterr         Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_EXISTS (that node has a container of that id); SWARM_ERR_INVALID also where the node's used
 *         amounts would pass the greatest number.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_add_container(struct swarm_cluster *cluster, struct swarm_node *node, const char *id,
                                             struct swarm_request *request, struct swarm_container **ret_container,
                                             struct swarm_error **reterr);

/**
 * Remove a container and give back what it used.
 *
 * Cannot fail; nothing happens where it is NULL or of another cluster.
 *
 * @param cluster    NULL is allowed.
 * @param container  NULL is allowed.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_cluster_remove_container(struct swarm_cluster *cluster, struct swarm_container *container);

/**
 * Count the containers.
 *
 * @param cluster  NULL is allowed: then the answer is NULL or 0.
 *
 * @return How many containers are in the cluster, reservations not counted.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT size_t swarm_cluster_container_count(const struct swarm_cluster *cluster);

/**
 * Find a container by its id and its node.
 *
 * @param cluster  NULL is allowed.
 * @param node     NULL is allowed.
 * @param id       NULL is allowed.
 *
 * @return Borrowed until the container is removed; NULL where there is none.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_container *swarm_cluster_find_container(const struct swarm_cluster *cluster,
                                                                  const struct swarm_node *node, const char *id);

/**
 * Find a container as a user refers to it; first rule that hits wins: full or 12-digit id, full or 12-digit swarm id,
 * name ("web", "node-1/web", "<node id>/web"), unique prefix of id or swarm id.
 *
 * Containers with one id are one (the same engine seen twice), and so are, under their swarm id, those that share it (a
 * moved container and its old copy): the one given is on a healthy node, or running, if one of them is. Reservations
 * are not found.
 *
 * @param cluster        Not NULL.
 * @param reference      As the user wrote it.
 * @param ret_container  Borrowed.
 * @param reterr         Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_NOT_FOUND ("No such container: web"); SWARM_ERR_AMBIGUOUS (several *distinct* containers; the
 *         message lists their nodes: "Container name web is ambiguous: it exists on nodes a, b; use a/web", or, where a
 *         node in front would not help, "…; use the container's id").
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_look_up(const struct swarm_cluster *cluster, const char *reference,
                                       struct swarm_container **ret_container, struct swarm_error **reterr);

/**
 * Take a name for a while (a rename in flight) so that no other placement gets it, until swarm_cluster_release_name().
 *
 * @param cluster  Not NULL.
 * @param name     Copied; a slash in front is cut off.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_NAME_TAKEN (a container, a reservation or a hold has it).
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_hold_name(struct swarm_cluster *cluster, const char *name, struct swarm_error **reterr);

/**
 * End a hold; nothing happens where there is none.
 *
 * @param cluster  NULL is allowed.
 * @param name     As it was held; a slash in front is cut off. NULL is allowed.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_cluster_release_name(struct swarm_cluster *cluster, const char *name);

#ifdef __cplusplus
}
#endif
#endif
