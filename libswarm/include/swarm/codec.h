/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_CODEC_H
#define SWARM_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>
#include <swarm/memory.h>
#include <swarm/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * Docker's JSON in and out. A body that came in keeps the fields that this library does not know, in their order.
 *
 * Texts need no NUL at their end. Every function that returns int answers 0, or SWARM_ERR_INVALID (an argument is NULL
 * or out of range), SWARM_ERR_NOMEM, or what is said at the function; then nothing has changed. @c reterr is optional:
 * a new error, release with swarm_error_free(), untouched on success.
 *
 * Thread safety: one thread at a time for one object. Since: 1.3
 */

struct swarm_cluster;
struct swarm_container;

/**
 * What CpuShares mean: as a policy, and of one container. The label com.docker.swarm.cpushares of a container, "cpus"
 * or "weight", goes before every policy, so that what was decided at its creation holds wherever it is counted later.
 *
 * Since: 1.4
 */
enum swarm_cpu_shares {
    SWARM_CPU_SHARES_CPUS,   /**< Whole CPUs, as classic Swarm has it: they are reserved. */
    SWARM_CPU_SHARES_WEIGHT, /**< A weight among the containers of an engine: nothing is reserved. */
    SWARM_CPU_SHARES_AUTO, /**< By their number, see swarm_cpu_shares_meaning(). Existing ones without the label: CPUs.
                            */
};

/**
 * What a number of CpuShares that somebody asks for means.
 *
 * @param cluster  NULL counts as one without nodes.
 * @param policy   SWARM_CPU_SHARES_AUTO: 128 or more, where no node has so many CPUs (with overcommit), are a weight.
 * @param shares   As asked for.
 *
 * @return SWARM_CPU_SHARES_CPUS or SWARM_CPU_SHARES_WEIGHT.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.4
 */
SWARM_EXPORT enum swarm_cpu_shares swarm_cpu_shares_meaning(const struct swarm_cluster *cluster,
                                                            enum swarm_cpu_shares policy, int64_t shares);

/**
 * The CpuShares to give to a container's engine where somebody wants to change them to @p shares: CPUs in that engine's
 * measure, a weight as it is.
 *
 * @param container    Its label goes before the policy. NULL: one without.
 * @param cluster      As for swarm_cpu_shares_meaning().
 * @param policy       As for swarm_cpu_shares_meaning().
 * @param shares       As asked for; 0 or less stays.
 * @param engine_cpus  Whole CPUs of the container's engine; less than 1: @p shares stay.
 *
 * @return The engine's CpuShares.
 *
 * Thread safety: as said at struct swarm_cluster. Since: 1.4
 */
SWARM_EXPORT int64_t swarm_container_cpu_shares(const struct swarm_container *container,
                                                const struct swarm_cluster *cluster, enum swarm_cpu_shares policy,
                                                int64_t shares, int engine_cpus);

/** A container create body (the Docker Engine API's POST /containers/create), taken apart for scheduling. */
struct swarm_create_body;

/**
 * Read a create body.
 *
 * Expressions are moved from Env ("constraint:", "affinity:", "whitelist:", "reschedule:") into their
 * com.docker.swarm.* labels; both com.docker.swarm.reschedule-policies and .reschedule-policy are read.
 *
 * CpuShares count whole CPUs (but see swarm_create_body_settle_cpu_shares()), NanoCpus as themselves; the larger of
 * both is reserved, and NanoCpus are the limit where that is not less. MemoryReservation is the memory reserved, and
 * Memory the limit; Memory alone is both. Resources that old clients name at the top level move to HostConfig.
 *
 * @param ret_body  New, release with swarm_create_body_free(). Untouched on failure.
 * @param json      Needs no NUL at its end.
 * @param length    Bytes of @p json.
 * @param reterr    Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As above, or SWARM_ERR_PARSE (not JSON, a field of the wrong type, a bad expression or policy, a
 *         MemoryReservation above Memory: the message names it).
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_parse(struct swarm_create_body **ret_body, const char *json, size_t length,
                                         struct swarm_error **reterr);

/**
 * Make the create body that a container's inspect answer amounts to, to create it again elsewhere: Config, HostConfig
 * and the endpoints of its networks, less what belonged to that engine alone (addresses, ids, MACs that it assigned, a
 * host name that is just its id).
 *
 * The request carries the container's name.
 *
 * A bad expression or policy that the container carries is no error here: it matters when it is placed.
 *
 * @param ret_body     New, release with swarm_create_body_free(). Untouched on failure.
 * @param json         Needs no NUL at its end.
 * @param length       Bytes of @p json.
 * @param engine_cpus  Whole CPUs of the container's engine, 1 or more: see swarm_request_from_inspect().
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_PARSE (not JSON, a field of the wrong type); SWARM_ERR_INVALID; SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_from_inspect(struct swarm_create_body **ret_body, const char *json, size_t length,
                                                int engine_cpus, struct swarm_error **reterr);

/**
 * swarm_create_body_from_inspect(), where CpuShares without a label may be a weight.
 *
 * @param ret_body     As there.
 * @param json         As there.
 * @param length       As there.
 * @param engine_cpus  As there.
 * @param policy       What CpuShares mean where no label says it; SWARM_CPU_SHARES_AUTO: CPUs. A weight stays as it is.
 * @param reterr       As there.
 *
 * @return As swarm_create_body_from_inspect().
 *
 * Thread safety: any thread. Since: 1.4
 */
SWARM_EXPORT int swarm_create_body_from_inspect_as(struct swarm_create_body **ret_body, const char *json, size_t length,
                                                   int engine_cpus, enum swarm_cpu_shares policy,
                                                   struct swarm_error **reterr);

/**
 * Release a body; its request lives on where somebody holds a reference. NULL is allowed.
 *
 * @param body  NULL is allowed.
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT void swarm_create_body_free(struct swarm_create_body *body);

/**
 * Get the request in a body.
 *
 * @param body  NULL is allowed.
 *
 * @return Borrowed until the next edit below (which, where a placement shares the request, goes to a copy of it).
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT struct swarm_request *swarm_create_body_request(const struct swarm_create_body *body);

/**
 * Set the identity that survives moves, in body and request.
 *
 * @param body    Not NULL.
 * @param id      Copied.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As at the top of this file.
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_set_swarm_id(struct swarm_create_body *body, const char *id,
                                                struct swarm_error **reterr);

/**
 * Decide what a body's CpuShares mean, once, before it is placed. A weight is reserved no longer, is written for every
 * engine as it is, and gets the label that says so; a body with that label, and one of an inspect answer that has a
 * weight already, stay.
 *
 * @param body     Not NULL.
 * @param cluster  As for swarm_cpu_shares_meaning().
 * @param policy   As for swarm_cpu_shares_meaning().
 * @param reterr   Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As at the top of this file.
 *
 * Thread safety: one thread at a time per body or request, and as said at struct swarm_cluster. Since: 1.4
 */
SWARM_EXPORT int swarm_create_body_settle_cpu_shares(struct swarm_create_body *body,
                                                     const struct swarm_cluster *cluster, enum swarm_cpu_shares policy,
                                                     struct swarm_error **reterr);

/**
 * Add a constraint to body and request.
 *
 * @param body        Not NULL.
 * @param expression  Copied.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As above, or SWARM_ERR_PARSE (the message names the expression).
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_add_constraint(struct swarm_create_body *body, const char *expression,
                                                  struct swarm_error **reterr);

/**
 * Set the network mode in body and request.
 *
 * @param body    Not NULL.
 * @param mode    Copied.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As at the top of this file.
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_set_network_mode(struct swarm_create_body *body, const char *mode,
                                                    struct swarm_error **reterr);

/**
 * Name a network endpoint (NetworkingConfig.EndpointsConfig).
 *
 * @param body   NULL is allowed.
 * @param index  From 0.
 *
 * @return Borrowed until the body changes; NULL past the end.
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT const char *swarm_create_body_endpoint(const struct swarm_create_body *body, size_t index);

/**
 * Give an endpoint another network's name; the order stays.
 *
 * @param body    Not NULL.
 * @param from    Its name now.
 * @param to      Its new name, copied.
 * @param reterr  Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As above, or SWARM_ERR_NOT_FOUND (no endpoint @p from); SWARM_ERR_EXISTS (there is one of the name @p to).
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_rename_endpoint(struct swarm_create_body *body, const char *from, const char *to,
                                                   struct swarm_error **reterr);

/**
 * Take an endpoint out of the body: engines before API 1.44 create with one network only, the others are connected
 * afterwards.
 *
 * @param body          Not NULL.
 * @param name          Of the network.
 * @param ret_settings  New: the endpoint's settings as a JSON object ("{}" where it has none), release with
 *                      swarm_free().
 * @param reterr        Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_NOT_FOUND; SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_take_endpoint(struct swarm_create_body *body, const char *name, char **ret_settings,
                                                 struct swarm_error **reterr);

/**
 * The JSON to send to an engine with @p engine_cpus whole CPUs: CpuShares, which mean whole CPUs here unless they are a
 * weight, become ceil(n * 1024 / engine_cpus).
 *
 * @param body         Not NULL.
 * @param engine_cpus  1 or more.
 * @param ret_json     New, NUL-ended, release with swarm_free(). Untouched on failure.
 * @param ret_length   Its length without the NUL. May be NULL.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_INVALID (NULL, no CPUs); SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time per body or request. Since: 1.3
 */
SWARM_EXPORT int swarm_create_body_write(const struct swarm_create_body *body, int engine_cpus, char **ret_json,
                                         size_t *ret_length, struct swarm_error **reterr);

/**
 * The request in a create body, without keeping the body.
 *
 * Unlike swarm_create_body_parse() it takes a malformed expression as classic Swarm does: the placement fails then,
 * with "error from constraint filter: …" among its lines.
 *
 * @param ret_request  New reference, release with swarm_request_unref(). Untouched on failure.
 * @param json         Needs no NUL at its end.
 * @param length       Bytes of @p json.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_PARSE (not JSON, a field of the wrong type); SWARM_ERR_INVALID; SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_request_from_create(struct swarm_request **ret_request, const char *json, size_t length,
                                           struct swarm_error **reterr);

/**
 * The request that a container's inspect answer amounts to (Config and HostConfig), for accounting and filters.
 *
 * A bad expression or policy that the container carries is no error here: it matters when it is placed.
 *
 * Resources are read as swarm_create_body_parse() does, but a MemoryReservation above Memory counts as Memory.
 *
 * @param ret_request  New reference, release with swarm_request_unref(). It carries the container's name. Untouched on
 *                     failure.
 * @param json         Needs no NUL at its end.
 * @param length       Bytes of @p json.
 * @param engine_cpus  Whole CPUs of its engine, 1 or more: its CpuShares are turned back into CPUs (shares * cpus /
 *                     1024).
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_PARSE (not JSON, a field of the wrong type); SWARM_ERR_INVALID; SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_request_from_inspect(struct swarm_request **ret_request, const char *json, size_t length,
                                            int engine_cpus, struct swarm_error **reterr);

/**
 * swarm_request_from_inspect(), where CpuShares without a label may be a weight, which reserves nothing.
 *
 * @param ret_request  As there.
 * @param json         As there.
 * @param length       As there.
 * @param engine_cpus  As there.
 * @param policy       What CpuShares mean where no label says it; SWARM_CPU_SHARES_AUTO: CPUs.
 * @param reterr       As there.
 *
 * @return As swarm_request_from_inspect().
 *
 * Thread safety: any thread. Since: 1.4
 */
SWARM_EXPORT int swarm_request_from_inspect_as(struct swarm_request **ret_request, const char *json, size_t length,
                                               int engine_cpus, enum swarm_cpu_shares policy,
                                               struct swarm_error **reterr);

#ifdef __cplusplus
}
#endif
#endif
