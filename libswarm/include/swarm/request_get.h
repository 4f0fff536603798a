/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_REQUEST_GET_H
#define SWARM_REQUEST_GET_H

/** @file
 * What a request asks for. Texts are borrowed, valid while the request lives and is not changed; NULL where not set.
 * For a NULL request getters give NULL or 0. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct swarm_request;

/**
 * Get the name.
 *
 * @param request  NULL is allowed.
 *
 * @return Borrowed, without a slash in front; NULL where it has none.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_name(const struct swarm_request *request);

/**
 * Get the image.
 *
 * @param request  NULL is allowed.
 *
 * @return Borrowed, as the user named it; NULL where it has none.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_image(const struct swarm_request *request);

/**
 * Get the identity that survives moves.
 *
 * @param request  NULL is allowed.
 *
 * @return Borrowed; NULL where it has none, or an empty one.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_swarm_id(const struct swarm_request *request);

/**
 * Get the network mode.
 *
 * @param request  NULL is allowed.
 *
 * @return Borrowed; NULL where it is not set.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_network_mode(const struct swarm_request *request);

/**
 * Get the PID mode.
 *
 * @param request  NULL is allowed.
 *
 * @return Borrowed where it is "container:<name>", else NULL.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_pid_mode(const struct swarm_request *request);

/**
 * Get the IPC mode.
 *
 * @param request  NULL is allowed.
 *
 * @return Borrowed where it is "container:<name>", else NULL.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_ipc_mode(const struct swarm_request *request);

/**
 * Get a label.
 *
 * @param request  NULL is allowed.
 * @param key      NULL is allowed.
 *
 * @return Its value, borrowed; NULL where there is none of that key.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_label(const struct swarm_request *request, const char *key);

/**
 * The label at @p index, in the order in which they were first set; each out parameter may be NULL.
 *
 * Counts them up to there. For the label of a known key there is swarm_request_label().
 *
 * @param request    NULL is allowed.
 * @param index      From 0.
 * @param ret_key    Its key, borrowed.
 * @param ret_value  Its value, borrowed.
 *
 * @return 1, or 0 past the end (nothing is written).
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_request_label_at(const struct swarm_request *request, size_t index, const char **ret_key,
                                        const char **ret_value);

/**
 * The host port to bind at @p index, in the order in which they were added.
 *
 * @param request             NULL is allowed.
 * @param index               From 0.
 * @param ret_container_port  As it was added, like the others: "80/tcp". Each out parameter may be NULL.
 * @param ret_host_ip         Empty: all interfaces.
 * @param ret_host_port       Empty or "0": any.
 *
 * @return 1, or 0 past the end (nothing is written).
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_request_port_at(const struct swarm_request *request, size_t index,
                                       const char **ret_container_port, const char **ret_host_ip,
                                       const char **ret_host_port);

/**
 * Get one of the exposed ports; like all below, in the order in which they were added.
 *
 * @param request  NULL is allowed.
 * @param index    From 0.
 *
 * @return Borrowed, as it was added ("80/tcp"); NULL past the end.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_exposed_port_at(const struct swarm_request *request, size_t index);

/**
 * Get one of the containers whose volumes it uses.
 *
 * @param request  NULL is allowed.
 * @param index    From 0.
 *
 * @return Borrowed, as it was added ("data:ro"); NULL past the end.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_volumes_from_at(const struct swarm_request *request, size_t index);

/**
 * Get one of the links.
 *
 * @param request  NULL is allowed.
 * @param index    From 0.
 *
 * @return Borrowed, as it was added ("db:alias"); NULL past the end.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_link_at(const struct swarm_request *request, size_t index);

/**
 * Get one of the constraints. One read from a container may be malformed.
 *
 * @param request  NULL is allowed.
 * @param index    From 0.
 *
 * @return Borrowed, as text ("zone==~eu*"); NULL past the end.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_constraint_at(const struct swarm_request *request, size_t index);

/**
 * Get one of the affinities, as with swarm_request_constraint_at().
 *
 * @param request  NULL is allowed.
 * @param index    From 0.
 *
 * @return Borrowed; NULL past the end.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_affinity_at(const struct swarm_request *request, size_t index);

/**
 * Get one of the whitelists, as with swarm_request_constraint_at().
 *
 * @param request  NULL is allowed.
 * @param index    From 0.
 *
 * @return Borrowed; NULL past the end.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT const char *swarm_request_whitelist_at(const struct swarm_request *request, size_t index);

/**
 * Get the CPU to reserve.
 *
 * @param request  NULL is allowed.
 *
 * @return In thousandths of a CPU.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_request_cpus_milli(const struct swarm_request *request);

/**
 * Get the memory to reserve.
 *
 * @param request  NULL is allowed.
 *
 * @return In bytes.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_request_memory(const struct swarm_request *request);

/**
 * Get the CPU that it may use at most.
 *
 * @param request  NULL is allowed.
 *
 * @return In thousandths of a CPU; 0: no limit.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_request_cpus_limit_milli(const struct swarm_request *request);

/**
 * Get the memory that it may use at most.
 *
 * @param request  NULL is allowed.
 *
 * @return In bytes; 0: no limit.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_request_memory_limit(const struct swarm_request *request);

/**
 * Get how much of a named resource to reserve.
 *
 * @param request  NULL is allowed.
 * @param name     NULL is allowed.
 *
 * @return 0 where it asks for none.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_request_resource(const struct swarm_request *request, const char *name);

/**
 * The named resource at @p index, in the order in which they were first set; each out parameter may be NULL.
 *
 * @param request     NULL is allowed.
 * @param index       From 0.
 * @param ret_name    Its name, borrowed.
 * @param ret_amount  How much of it is asked for.
 *
 * @return 1, or 0 past the end (nothing is written).
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_request_resource_at(const struct swarm_request *request, size_t index, const char **ret_name,
                                           int64_t *ret_amount);

/**
 * Get what is to be done when its node is lost.
 *
 * @param request  NULL is allowed.
 *
 * @return One of enum swarm_reschedule_policy.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_request_reschedule_policy(const struct swarm_request *request);

/**
 * Say whether it is tied to certain nodes.
 *
 * @param request  NULL is allowed.
 *
 * @return 1 when some constraint is a hard "node==…", else 0.
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_request_has_node_constraint(const struct swarm_request *request);

#ifdef __cplusplus
}
#endif
#endif
