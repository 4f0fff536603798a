/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_STATE_H
#define SWARM_STATE_H

#include <stddef.h>

#include <swarm/cluster.h>
#include <swarm/error.h>
#include <swarm/memory.h>
#include <swarm/request.h>
#include <swarm/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * Recorded states: a whole cluster as JSON, to look at a decision again later, elsewhere, as often as needed.
 *
 * All that decisions depend on is in it: nodes with their facts, containers with what they asked for, names, state and
 * bound ports, reservations that are neither committed nor aborted, held names. What is the caller's own (the data of
 * nodes and containers) is not. On a cluster that was read, each request gets the answer that it gets on the one that
 * was written, with the same scheduler and seed; and it is written as the same text again.
 *
 * The text is one JSON object:
 *
 *     {"swarm_state": 1,
 *      "stopped_counts": ["ports", "slots", "resources"], (those that stopped containers count for; left out: all)
 *      "held_names": [name, …],
 *      "nodes": [{"id", "name", "address", "cpus_milli", "memory", "overcommit",
 *                 "resources": {name: total, …}, "health", "availability": "active" | "paused" | "draining" |
 * "unannounced", "labels": {key: value, …}, "images": [what image affinities see: ids, references and repositories, …],
 *                 "containers": [{"id", "state": "created" | "running" | "paused" | "restarting" | "exited" | "dead",
 *                                 "running_since_ms", "names": [name, …], "bound_ports": [{"host_ip", "host_port"}, …],
 *                                 "request": {…}}, …],
 *                 "reservations": [{"request": {…}}, …]}, …]}
 *
 * and a request is
 *
 *     {"name", "image", "cpus_milli", "memory", "cpus_limit_milli", "memory_limit", "resources": {name: amount, …},
 *      "labels": {key: value, …}, "constraints": [expression, …], "affinities": […], "whitelists": […],
 *      "ports": [{"container_port", "host_ip", "host_port"}, …], "exposed_ports": [port, …], "network_mode",
 * "pid_mode", "ipc_mode", "volumes_from": […], "links": […], "reschedule": "off" | "on-node-failure"}
 *
 * Only "swarm_state" and ids are needed; what is left out is as in a fresh object. Members that are not known, and such
 * that are there twice, are errors: nothing is passed over.
 */

/** Version of the text that swarm_cluster_write() writes. */
#define SWARM_STATE_VERSION 1

/**
 * Write a cluster down.
 *
 * @param cluster     Not changed.
 * @param ret_json    New, compact JSON in UTF-8, NUL-ended; release with swarm_free(). Untouched on failure.
 * @param ret_length  Its length without the NUL. May be NULL.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_INVALID (NULL; a text in it is not UTF-8: the message names it); SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the cluster; it is only read. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_write(const struct swarm_cluster *cluster, char **ret_json, size_t *ret_length,
                                     struct swarm_error **reterr);

/**
 * Make a cluster as it was written down.
 *
 * @param ret_cluster  New, release with swarm_cluster_free(). Untouched on failure.
 * @param json         Needs no NUL at its end.
 * @param length       Bytes of @p json.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_PARSE (not JSON, an unknown version, an unknown member, a value that cannot be: the message
 *         names it, as in "state: nodes[3].containers[0].state: …"); SWARM_ERR_INVALID (NULL); SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_read(struct swarm_cluster **ret_cluster, const char *json, size_t length,
                                    struct swarm_error **reterr);

/**
 * Write a request down, as it stands in a state.
 *
 * @param request     Not changed.
 * @param ret_json    New, compact JSON in UTF-8, NUL-ended; release with swarm_free(). Untouched on failure.
 * @param ret_length  Its length without the NUL. May be NULL.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As swarm_cluster_write().
 *
 * Thread safety: as of the request; it is only read. Since: 1.3
 */
SWARM_EXPORT int swarm_request_write(const struct swarm_request *request, char **ret_json, size_t *ret_length,
                                     struct swarm_error **reterr);

/**
 * Make a request as it was written down. Expressions that are malformed are kept, as a container may carry them:
 * swarm_request_check() tells.
 *
 * @param ret_request  New reference, release with swarm_request_unref(). Untouched on failure.
 * @param json         Needs no NUL at its end.
 * @param length       Bytes of @p json.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As swarm_cluster_read(); messages begin with "request: ".
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_request_read(struct swarm_request **ret_request, const char *json, size_t length,
                                    struct swarm_error **reterr);

/**
 * Walk the reservations that are neither committed nor aborted: of a state that was read there is no other way to them.
 *
 * @param cluster   Not changed.
 * @param previous  The one before; NULL: start.
 *
 * @return Borrowed until it is committed or aborted; NULL: there are no more. In no particular order. Fetch the next
 *         one before you commit or abort one.
 *
 * Thread safety: as of the cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_reservation *swarm_cluster_next_reservation(const struct swarm_cluster *cluster,
                                                                      const struct swarm_reservation *previous);

#ifdef __cplusplus
}
#endif
#endif
