/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_NODE_H
#define SWARM_NODE_H

/** @file
 * Nodes: the machines that containers are placed on. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>
#include <swarm/image.h>

#ifdef __cplusplus
extern "C" {
#endif

struct swarm_container;

/**
 * A machine that containers are placed on. Owned by its cluster: made by swarm_cluster_add_node(), gone with
 * swarm_cluster_remove_node(). Every setter keeps the cluster's indexes up to date and raises its generation.
 *
 * Texts that getters give are borrowed until the node changes or goes; for a NULL node they give NULL or 0. Setters
 * copy what they are given and answer 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it) or
 * SWARM_ERR_NOMEM, and change nothing on failure. @c reterr is optional: a new error, release with swarm_error_free(),
 * untouched on success.
 *
 * Thread safety of everything here: as of the node's cluster (cluster.h). Since: 1.3
 */
struct swarm_node;

/** Whether a node takes new containers. */
enum swarm_availability {
    SWARM_AVAILABILITY_ACTIVE = 0,   /**< Takes new containers. */
    SWARM_AVAILABILITY_PAUSED = 1,   /**< Takes none, keeps what it has. */
    SWARM_AVAILABILITY_DRAINING = 2, /**< Takes none; what it has should go elsewhere. */
    /** Its membership lapsed (membership.h): takes none, keeps what it has. Since: 1.4 */
    SWARM_AVAILABILITY_UNANNOUNCED = 3,
};

/**
 * Get the id, which is unique in the cluster.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed until the node is removed.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_node_id(const struct swarm_node *node);

/**
 * Get the name: what users call it, and what key "node" of constraints and whitelists means.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed until the name is set.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_node_name(const struct swarm_node *node);

/**
 * Get the address: where it is. The library only keeps it.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed until the address is set.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_node_address(const struct swarm_node *node);

/**
 * Set the name. Several nodes may have one name.
 *
 * @param node    Not NULL.
 * @param name    Not NULL.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_name(struct swarm_node *node, const char *name, struct swarm_error **reterr);

/**
 * Set the address.
 *
 * @param node     Not NULL.
 * @param address  Not NULL.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_address(struct swarm_node *node, const char *address, struct swarm_error **reterr);

/**
 * Set the capacity, as the machine has it.
 *
 * @param node          Not NULL.
 * @param cpus_milli    CPU in milli-CPU (2 CPUs are 2000), 0 or more; default 0.
 * @param memory_bytes  Memory in bytes, 0 or more; default 0.
 * @param reterr        Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_capacity(struct swarm_node *node, int64_t cpus_milli, int64_t memory_bytes,
                                         struct swarm_error **reterr);

/**
 * Set the share of the capacity that is added to it for placing, rounded to the nearest milli-CPU and byte: 0.05 makes
 * 105 of 100.
 *
 * @param node    Not NULL.
 * @param ratio   Above -1, below 1,000,000; default 0.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_overcommit(struct swarm_node *node, double ratio, struct swarm_error **reterr);

/**
 * Set how much of a named resource it has, such as 4 of "gpu"; requests ask for it with swarm_request_set_resource().
 *
 * A node is no candidate for more than it has free. Overcommit does not apply: there is no part of a GPU to promise.
 *
 * @param node    Not NULL.
 * @param name    1 to 255 bytes; names are told apart byte by byte.
 * @param total   0 (the default: none of it) or more, in any unit; may be less than what is used already.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_resource(struct swarm_node *node, const char *name, int64_t total,
                                         struct swarm_error **reterr);

/**
 * Set the health.
 *
 * @param node       Not NULL.
 * @param indicator  0 (unhealthy) to 100; default 100.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_health(struct swarm_node *node, int indicator, struct swarm_error **reterr);

/**
 * Say whether it takes new containers.
 *
 * @param node          Not NULL.
 * @param availability  One of enum swarm_availability; default active.
 * @param reterr        Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_availability(struct swarm_node *node, int availability, struct swarm_error **reterr);

/**
 * Replace all labels; "containerslots" with a whole number limits the node's containers.
 *
 * @param node    Not NULL.
 * @param keys    @p count texts, no two equal, with as many @p values; both may be NULL where @p count is 0.
 * @param values  @p count texts, copied.
 * @param count   0: it has no labels.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_labels(struct swarm_node *node, const char *const *keys, const char *const *values,
                                       size_t count, struct swarm_error **reterr);

/**
 * Replace the images known to be on the node. Copies.
 *
 * @param node    Not NULL.
 * @param images  @p count images, copied; may be NULL where @p count is 0.
 * @param count   0: none are known.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a value out of its range: the message names it), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_set_images(struct swarm_node *node, const struct swarm_image *const *images, size_t count,
                                       struct swarm_error **reterr);

/**
 * Get the CPU capacity as the machine has it: what swarm_node_set_capacity() was given.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return In milli-CPU.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_capacity_cpus_milli(const struct swarm_node *node);

/**
 * Get the memory capacity as the machine has it.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return In bytes.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_capacity_memory(const struct swarm_node *node);

/**
 * Get the share of the capacity that is added to it for placing.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return As swarm_node_set_overcommit() was given it.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT double swarm_node_overcommit(const struct swarm_node *node);

/**
 * Get the CPU capacity, with overcommit.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return In milli-CPU.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_total_cpus_milli(const struct swarm_node *node);

/**
 * Get the memory capacity, with overcommit.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return In bytes.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_total_memory(const struct swarm_node *node);

/**
 * Get the CPU that containers (stopped ones too, where swarm_cluster_set_stopped_counts() does not except them) and
 * reservations on the node ask for in sum.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return In milli-CPU.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_used_cpus_milli(const struct swarm_node *node);

/**
 * Get the memory that containers and reservations on the node ask for in sum, as with CPUs.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return In bytes.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_used_memory(const struct swarm_node *node);

/**
 * Get how much of a named resource it has.
 *
 * @param node  NULL is allowed.
 * @param name  NULL is allowed.
 *
 * @return 0 where it has none.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_resource_total(const struct swarm_node *node, const char *name);

/**
 * Get how much of a named resource containers and reservations on the node ask for in sum, as with CPUs.
 *
 * @param node  NULL is allowed.
 * @param name  NULL is allowed.
 *
 * @return 0 where they ask for none.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_resource_used(const struct swarm_node *node, const char *name);

/**
 * The named resource at @p index, in order of names, of those that the node has or that are asked for on it; each out
 * parameter may be NULL.
 *
 * @param node       NULL is allowed.
 * @param index      From 0.
 * @param ret_name   Its name, borrowed.
 * @param ret_total  How much the node has.
 * @param ret_used   How much of it is asked for.
 *
 * @return 1, or 0 past the end (nothing is written).
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_resource_at(const struct swarm_node *node, size_t index, const char **ret_name,
                                        int64_t *ret_total, int64_t *ret_used);

/**
 * Get the health.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return 0 (unhealthy) to 100.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_health(const struct swarm_node *node);

/**
 * Get whether it takes new containers.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return One of enum swarm_availability.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_availability(const struct swarm_node *node);

/**
 * Count what counts for the node's slots, as "containerslots", spread and binpack see it: containers and reservations,
 * stopped containers where swarm_cluster_set_stopped_counts() does not except them.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return How many there are.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_slots_used(const struct swarm_node *node);

/**
 * Get how many may count for its slots.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return The label "containerslots" where it is a whole number, else INT64_MAX.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_node_slots_limit(const struct swarm_node *node);

/**
 * Count the containers on the node, stopped ones too; reservations are not counted.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return How many there are.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT size_t swarm_node_container_count(const struct swarm_node *node);

/**
 * Get a label.
 *
 * @param node  NULL is allowed.
 * @param key   NULL is allowed.
 *
 * @return Its value, borrowed until the labels are set; NULL where the node has none of that key.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT const char *swarm_node_label(const struct swarm_node *node, const char *key);

/**
 * The label at @p index in key order; each out parameter may be NULL.
 *
 * @param node       NULL is allowed.
 * @param index      From 0.
 * @param ret_key    Borrowed.
 * @param ret_value  Borrowed.
 *
 * @return 1, or 0 past the end (nothing is written).
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_label_at(const struct swarm_node *node, size_t index, const char **ret_key,
                                     const char **ret_value);

/**
 * Say whether an image is on the node.
 *
 * @param node   NULL is allowed.
 * @param image  NULL is allowed.
 *
 * @return 1 where it has one of that id, reference ("app:1") or repository ("app"), compared as text, else 0.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_node_has_image(const struct swarm_node *node, const char *image);

/**
 * Walk the node's containers.
 *
 * The one returned may be removed before the next call only if the next was fetched first.
 *
 * @param node      NULL is allowed: then the answer is NULL or 0.
 * @param previous  The one before; NULL: start.
 *
 * @return Borrowed until the container is removed; NULL: there are no more.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_container *swarm_node_next_container(const struct swarm_node *node,
                                                               const struct swarm_container *previous);

/**
 * Keep a pointer of the caller's with the node; the library never looks at it, nor releases it.
 *
 * @param node  NULL is allowed.
 * @param data  Borrowed; NULL: none (the default).
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_node_set_data(struct swarm_node *node, void *data);

/**
 * Get the pointer of the caller's.
 *
 * @param node  NULL is allowed: then the answer is NULL or 0.
 *
 * @return The one set last; NULL where none was.
 *
 * Thread safety: as of the node's cluster. Since: 1.3
 */
SWARM_EXPORT void *swarm_node_data(const struct swarm_node *node);

#ifdef __cplusplus
}
#endif
#endif
