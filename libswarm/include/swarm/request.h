/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_REQUEST_H
#define SWARM_REQUEST_H

/** @file
 * Requests: what is asked for. Their getters are in <swarm/request_get.h>, which this includes. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>
#include <swarm/request_get.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What is asked for: resources, ports, expressions, dependencies, image, policy. Built by setters here or from a Docker
 * create body (codec.h). Reference counted; a request that a container or a reservation holds is shared and no longer
 * changes: setters answer SWARM_ERR_STATE from then on (copy it with swarm_request_copy() to change it).
 *
 * Every function that changes a request answers 0, or one of these and then has changed nothing: SWARM_ERR_INVALID (an
 * argument is NULL that may not be, or out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM, or what
 * is said at the function. Strings are copied. @c reterr is optional: a new error, release with swarm_error_free(),
 * untouched on success.
 *
 * Thread safety: one thread at a time while it is being built; any thread once it is shared. Since: 1.3
 */
struct swarm_request;

/** What is to be done with a container whose node is lost. */
enum swarm_reschedule_policy {
    SWARM_RESCHEDULE_OFF = 0,             /**< Nothing: it comes back with its node, or not at all. */
    SWARM_RESCHEDULE_ON_NODE_FAILURE = 1, /**< It is created again on another node. */
};

/**
 * Make a request that asks for nothing.
 *
 * @param ret_request  New reference, release with swarm_request_unref(). Untouched on failure.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID, SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_request_new(struct swarm_request **ret_request, struct swarm_error **reterr);

/**
 * Make a request that asks for the same and is not shared.
 *
 * @param ret_request  New reference, release with swarm_request_unref(). Untouched on failure.
 * @param from         Not NULL; may be shared.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID, SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread, as long as @p from is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_request_copy(struct swarm_request **ret_request, const struct swarm_request *from,
                                    struct swarm_error **reterr);

/**
 * Take a reference.
 *
 * @param request  NULL is allowed.
 *
 * @return @p request; NULL for NULL.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT struct swarm_request *swarm_request_ref(struct swarm_request *request);

/**
 * Give a reference back; with the last one the request goes. NULL is allowed.
 *
 * @param request  NULL is allowed.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT void swarm_request_unref(struct swarm_request *request);

/**
 * Set the name in the cluster, without a leading slash (one is cut off).
 *
 * @param request  Not NULL; not shared yet.
 * @param name     NULL or empty: none.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_name(struct swarm_request *request, const char *name, struct swarm_error **reterr);

/**
 * Set the image as the user names it.
 *
 * @param request  Not NULL; not shared yet.
 * @param image    NULL or empty: none.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_image(struct swarm_request *request, const char *image, struct swarm_error **reterr);

/**
 * Set the identity that survives moves; it is kept as label com.docker.swarm.id.
 *
 * @param request  Not NULL; not shared yet.
 * @param id       Not NULL, copied; empty: none.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_swarm_id(struct swarm_request *request, const char *id, struct swarm_error **reterr);

/**
 * Set the CPU to reserve: what a node must have free, and what is taken there.
 *
 * @param request     Not NULL; not shared yet.
 * @param cpus_milli  Thousandths of a CPU, 0 or more; default 0. SWARM_ERR_INVALID also where the limit is less.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_cpus_milli(struct swarm_request *request, int64_t cpus_milli,
                                              struct swarm_error **reterr);

/**
 * Set the memory to reserve.
 *
 * @param request  Not NULL; not shared yet.
 * @param bytes    0 or more; default 0. SWARM_ERR_INVALID also where the limit is less.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_memory(struct swarm_request *request, int64_t bytes, struct swarm_error **reterr);

/**
 * Set the CPU that it may use at most. Placing does not look at it: the limit alone reserves nothing.
 *
 * @param request     Not NULL; not shared yet.
 * @param cpus_milli  Thousandths of a CPU; 0 (the default): no limit. SWARM_ERR_INVALID also where more is reserved.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_cpus_limit_milli(struct swarm_request *request, int64_t cpus_milli,
                                                    struct swarm_error **reterr);

/**
 * Set the memory that it may use at most, as with swarm_request_set_cpus_limit_milli().
 *
 * @param request  Not NULL; not shared yet.
 * @param bytes    0: no limit.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_memory_limit(struct swarm_request *request, int64_t bytes,
                                                struct swarm_error **reterr);

/**
 * Set how much of a named resource to reserve, such as 2 of "gpu": nodes that do not have so much free are no
 * candidates, whatever the strategy (swarm_node_set_resource()).
 *
 * @param request  Not NULL; not shared yet.
 * @param name     1 to 255 bytes; names are told apart byte by byte.
 * @param amount   0 or more, in the unit that nodes count it in; 0 (the default): none.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_resource(struct swarm_request *request, const char *name, int64_t amount,
                                            struct swarm_error **reterr);

/**
 * Set a label, replacing one of that key.
 *
 * @param request  Not NULL; not shared yet.
 * @param key      Not NULL, copied.
 * @param value    NULL: empty.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_label(struct swarm_request *request, const char *key, const char *value,
                                         struct swarm_error **reterr);

/**
 * Ask for nodes by what they are: "<key><op><value>" such as "storage==ssd", "node!=~web*" or "node==/^eu-[0-9]+$/".
 *
 * The key is a node label, or "node" for its id or name. The operator is "==" or "!=". A value between slashes is a
 * regular expression (RE2's syntax, searched for anywhere); any other is matched as a whole, with '*' for any text and
 * other metacharacters as in regular expressions; a single slash is none. '~' before it makes it soft: dropped where no
 * node would be left. Groups may be nested 50 levels deep.
 *
 * @param request     Not NULL; not shared yet.
 * @param expression  Copied.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As above, or SWARM_ERR_PARSE (malformed, or a pattern that does not compile): the message names the
 *         expression and what was expected.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_add_constraint(struct swarm_request *request, const char *expression,
                                              struct swarm_error **reterr);

/**
 * Ask for nodes by what is on them: the key is "container" (id or name), "image" (id, reference or repository) or a
 * container label.
 *
 * Otherwise as swarm_request_add_constraint().
 *
 * @param request     Not NULL; not shared yet.
 * @param expression  Copied.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As swarm_request_add_constraint().
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_add_affinity(struct swarm_request *request, const char *expression,
                                            struct swarm_error **reterr);

/**
 * Ask for one of some nodes: the value lists their names with '|' between them; key and operator do not matter.
 *
 * Otherwise as swarm_request_add_constraint().
 *
 * @param request     Not NULL; not shared yet.
 * @param expression  Copied.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As swarm_request_add_constraint().
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_add_whitelist(struct swarm_request *request, const char *expression,
                                             struct swarm_error **reterr);

/**
 * Add a host port to bind.
 *
 * @param request         Not NULL; not shared yet.
 * @param container_port  "80/tcp"; a range such as "80-90/tcp" too, and the protocol may be missing.
 * @param host_ip         An address, compared as text and not checked; NULL, empty or unspecified ("0.0.0.0", "::"):
 * all interfaces.
 * @param host_port       NULL, empty or "0": any; else 1 to 65535 in decimal or a range such as "8000-8010" (compared
 *                        as text).
 * @param reterr          Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As above; SWARM_ERR_INVALID names the port that cannot be one.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_add_port(struct swarm_request *request, const char *container_port, const char *host_ip,
                                        const char *host_port, struct swarm_error **reterr);

/**
 * Add a port that the container exposes ("80/tcp", as above); it matters in host network mode.
 *
 * @param request         Not NULL; not shared yet.
 * @param container_port  Copied.
 * @param reterr          Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_add_exposed_port(struct swarm_request *request, const char *container_port,
                                                struct swarm_error **reterr);

/**
 * Set the network mode: "bridge", "host", "container:<name>" (which must then be on the same node), a network's name…
 * It is not checked.
 *
 * @param request  Not NULL; not shared yet.
 * @param mode     NULL or empty: the default.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_network_mode(struct swarm_request *request, const char *mode,
                                                struct swarm_error **reterr);

/**
 * Set the PID mode. Kept where it is "container:<name>": that container must be on the same node.
 *
 * @param request  Not NULL; not shared yet.
 * @param mode     NULL or empty: the default.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_pid_mode(struct swarm_request *request, const char *mode,
                                            struct swarm_error **reterr);

/**
 * Set the IPC mode. Kept where it is "container:<name>": that container must be on the same node.
 *
 * @param request  Not NULL; not shared yet.
 * @param mode     NULL or empty: the default.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_ipc_mode(struct swarm_request *request, const char *mode,
                                            struct swarm_error **reterr);

/**
 * Use another container's volumes: "name[:ro]"; it must be on the same node.
 *
 * @param request  Not NULL; not shared yet.
 * @param from     Copied.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_add_volumes_from(struct swarm_request *request, const char *from,
                                                struct swarm_error **reterr);

/**
 * Link to another container: "name[:alias]"; it must be on the same node.
 *
 * @param request  Not NULL; not shared yet.
 * @param link     Copied.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_add_link(struct swarm_request *request, const char *link, struct swarm_error **reterr);

/**
 * Set what is to be done when its node is lost.
 *
 * @param request  Not NULL; not shared yet.
 * @param policy   enum swarm_reschedule_policy; default off.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, out of range), SWARM_ERR_STATE (the request is shared), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time until it is shared. Since: 1.3
 */
SWARM_EXPORT int swarm_request_set_reschedule_policy(struct swarm_request *request, int policy,
                                                     struct swarm_error **reterr);

/**
 * Say whether all expressions in it are well formed.
 *
 * Those added here are; a request read from a container or with swarm_request_from_create() may hold others, which are
 * then reported when it is placed.
 *
 * @param request  Not NULL.
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, or SWARM_ERR_PARSE that names the first bad one ("constraint: 'node=x': one of operator ==, != is
 *         expected").
 *
 * Thread safety: any thread, as long as the request is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_request_check(const struct swarm_request *request, struct swarm_error **reterr);

#ifdef __cplusplus
}
#endif
#endif
