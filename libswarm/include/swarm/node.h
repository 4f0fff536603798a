/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_NODE_H
#define SWARM_NODE_H

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
};

/** Unique in the cluster. */
SWARM_EXPORT const char *swarm_node_id(const struct swarm_node *node);
/** What users call it; key "node" of constraints and whitelists mean it. */
SWARM_EXPORT const char *swarm_node_name(const struct swarm_node *node);
/** Where it is; the library only keeps it. */
SWARM_EXPORT const char *swarm_node_address(const struct swarm_node *node);
/** Set the name. Several nodes may have one name. @param name  Not NULL. */
SWARM_EXPORT int swarm_node_set_name(struct swarm_node *node, const char *name, struct swarm_error **reterr);
/** Set the address. @param address  Not NULL. */
SWARM_EXPORT int swarm_node_set_address(struct swarm_node *node, const char *address, struct swarm_error **reterr);

/** Set the capacity: CPU in milli-CPU (2 CPUs are 2000) and memory in bytes, as the machine has them; 0 or more each.
 */
SWARM_EXPORT int swarm_node_set_capacity(struct swarm_node *node, int64_t cpus_milli, int64_t memory_bytes,
                                         struct swarm_error **reterr);
/** Set the share of the capacity that is added to it for placing, rounded to the nearest milli-CPU and byte: 0.05 makes
 *  105 of 100. @param ratio  Above -1, below 1,000,000; default 0. */
SWARM_EXPORT int swarm_node_set_overcommit(struct swarm_node *node, double ratio, struct swarm_error **reterr);
/**
 * Set how much of a named resource it has, such as 4 of "gpu"; requests ask for it with swarm_request_set_resource().
 * A node is no candidate for more than it has free. Overcommit does not apply: there is no part of a GPU to promise.
 *
 * @param name   1 to 255 bytes; names are told apart byte by byte.
 * @param total  0 (the default: none of it) or more, in any unit; may be less than what is used already.
 */
SWARM_EXPORT int swarm_node_set_resource(struct swarm_node *node, const char *name, int64_t total,
                                         struct swarm_error **reterr);
/** Set the health. @param indicator  0 (unhealthy) to 100; default 100. */
SWARM_EXPORT int swarm_node_set_health(struct swarm_node *node, int indicator, struct swarm_error **reterr);
/** Say whether it takes new containers. @param availability  One of enum swarm_availability; default active. */
SWARM_EXPORT int swarm_node_set_availability(struct swarm_node *node, int availability, struct swarm_error **reterr);
/** Replace all labels; "containerslots" with a whole number limits the node's containers.
 *  @param keys  @p count texts, no two equal, with as many @p values; both may be NULL where @p count is 0. */
SWARM_EXPORT int swarm_node_set_labels(struct swarm_node *node, const char *const *keys, const char *const *values,
                                       size_t count, struct swarm_error **reterr);
/** Replace the images known to be on the node. Copies. */
SWARM_EXPORT int swarm_node_set_images(struct swarm_node *node, const struct swarm_image *const *images, size_t count,
                                       struct swarm_error **reterr);

/** CPU capacity as the machine has it, in milli-CPU: what swarm_node_set_capacity() was given. */
SWARM_EXPORT int64_t swarm_node_capacity_cpus_milli(const struct swarm_node *node);
/** Memory capacity as the machine has it, in bytes. */
SWARM_EXPORT int64_t swarm_node_capacity_memory(const struct swarm_node *node);
/** The share of the capacity that is added to it for placing. */
SWARM_EXPORT double swarm_node_overcommit(const struct swarm_node *node);
/** CPU capacity with overcommit, in milli-CPU. */
SWARM_EXPORT int64_t swarm_node_total_cpus_milli(const struct swarm_node *node);
/** Memory capacity with overcommit, in bytes. */
SWARM_EXPORT int64_t swarm_node_total_memory(const struct swarm_node *node);
/** CPU that containers (stopped ones too, where swarm_cluster_set_stopped_counts() does not except them) and
 *  reservations on the node ask for in sum, in milli-CPU. */
SWARM_EXPORT int64_t swarm_node_used_cpus_milli(const struct swarm_node *node);
/** Memory that they ask for in sum, in bytes. */
SWARM_EXPORT int64_t swarm_node_used_memory(const struct swarm_node *node);
/** How much of a named resource it has; 0 where it has none. */
SWARM_EXPORT int64_t swarm_node_resource_total(const struct swarm_node *node, const char *name);
/** How much of it containers and reservations on the node ask for in sum (as with CPUs). */
SWARM_EXPORT int64_t swarm_node_resource_used(const struct swarm_node *node, const char *name);
/** The named resource at @p index, in order of names, of those that the node has or that are asked for on it; each out
 *  parameter may be NULL. @return 1, or 0 past the end (nothing is written). */
SWARM_EXPORT int swarm_node_resource_at(const struct swarm_node *node, size_t index, const char **ret_name,
                                        int64_t *ret_total, int64_t *ret_used);
/** The health, 0 (unhealthy) to 100. */
SWARM_EXPORT int swarm_node_health(const struct swarm_node *node);
/** One of enum swarm_availability. */
SWARM_EXPORT int swarm_node_availability(const struct swarm_node *node);
/** Containers and reservations on the node that count for its slots, as "containerslots", spread and binpack see it:
 *  stopped containers where swarm_cluster_set_stopped_counts() does not except them. */
SWARM_EXPORT int64_t swarm_node_slots_used(const struct swarm_node *node);
/** How many may: label "containerslots" where it is a whole number, else INT64_MAX. */
SWARM_EXPORT int64_t swarm_node_slots_limit(const struct swarm_node *node);
/** Containers on the node, stopped ones too; reservations not counted. */
SWARM_EXPORT size_t swarm_node_container_count(const struct swarm_node *node);
/** Value of a label, NULL where the node has none of that key. */
SWARM_EXPORT const char *swarm_node_label(const struct swarm_node *node, const char *key);
/** The label at @p index in key order; each out parameter may be NULL.
 *  @return 1, or 0 past the end (nothing is written). */
SWARM_EXPORT int swarm_node_label_at(const struct swarm_node *node, size_t index, const char **ret_key,
                                     const char **ret_value);
/** Whether it has an image of that id, reference ("app:1") or repository ("app"), compared as text: 1, else 0. */
SWARM_EXPORT int swarm_node_has_image(const struct swarm_node *node, const char *image);
/** Walk the node's containers: start with NULL, ends with NULL. The one returned may be removed before the next call
 *  only if the next was fetched first. */
SWARM_EXPORT struct swarm_container *swarm_node_next_container(const struct swarm_node *node,
                                                               const struct swarm_container *previous);
/** Keep a pointer of the caller's with the node; the library never looks at it, nor releases it.
 *  @param data  Borrowed; NULL: none (the default). */
SWARM_EXPORT void swarm_node_set_data(struct swarm_node *node, void *data);
/** The pointer set last, NULL where none was. */
SWARM_EXPORT void *swarm_node_data(const struct swarm_node *node);

#ifdef __cplusplus
}
#endif
#endif
