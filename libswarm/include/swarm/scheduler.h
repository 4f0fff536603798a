/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SCHEDULER_H
#define SWARM_SCHEDULER_H

/** @file
 * Schedulers: filters and a strategy; places, taken or planned. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/cluster.h>
#include <swarm/decision.h>
#include <swarm/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Filters in order, then a strategy. Holds no state of a cluster and may serve several.
 *
 * A decision looks at the nodes that are active; a node that is paused, draining or unannounced, and the node of the
 * container that is to be replaced, is no candidate. Where no node is left, and the request has soft ('~') expressions,
 * it is made once more without those. A refusal then adds to classic Swarm's lines a last one where there were such
 * nodes:
 * "[nodes not considered: 1 paused, 2 draining, 1 unannounced, 1 to be replaced]".
 *
 * Thread safety: a scheduler does not change; any number of threads may plan with one at the same time. Placing needs
 * the cluster to itself (cluster.h). Since: 1.3
 */
struct swarm_scheduler;

/** Filters and strategies other than the built-in ones (ops.h). */
struct swarm_registry;

/** A place that is taken: it counts for every later decision, name included, until it is committed or aborted. */
struct swarm_reservation;

/** What a scheduler is made of. */
struct swarm_scheduler_options {
    size_t size;                /**< Set by SWARM_SCHEDULER_OPTIONS_INIT. */
    const char *strategy;       /**< "spread" (default), "binpack", "binpacking", "random", or a registered one. */
    const char *const *filters; /**< Names in the order they run; NULL: all built-in ones in their default order. */
    size_t filter_count;        /**< How many names; means nothing where @c filters is NULL. */
    const struct swarm_registry *registry; /**< Where names that are not built in are found; NULL: nowhere. */
};
/** What a struct swarm_scheduler_options begins as: its size, and its defaults. */
#define SWARM_SCHEDULER_OPTIONS_INIT                                                                                   \
    {                                                                                                                  \
        sizeof(struct swarm_scheduler_options), NULL, NULL, 0, NULL                                                    \
    }

/**
 * Make a scheduler.
 *
 * @param ret_scheduler  New, release with swarm_scheduler_free(). Untouched on failure.
 * @param options        NULL: all defaults. Not needed afterwards, nor is the registry.
 * @param reterr         Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_INVALID ("strategy not supported: 'x'", "filter not supported: 'x'"); SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread; a scheduler does not change. Since: 1.3
 */
SWARM_EXPORT int swarm_scheduler_new(struct swarm_scheduler **ret_scheduler,
                                     const struct swarm_scheduler_options *options, struct swarm_error **reterr);

/**
 * Release a scheduler; what it holds of registered filters and strategies goes with it. NULL is allowed.
 *
 * @param scheduler  NULL is allowed.
 *
 * Thread safety: any thread, the last to use it. Since: 1.3
 */
SWARM_EXPORT void swarm_scheduler_free(struct swarm_scheduler *scheduler);

/**
 * Name the strategy of a scheduler.
 *
 * @param scheduler  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed until the scheduler goes; "binpack" for "binpacking" too.
 *
 * Thread safety: any thread; a scheduler does not change. Since: 1.3
 */
SWARM_EXPORT const char *swarm_scheduler_strategy(const struct swarm_scheduler *scheduler);

/**
 * Name a filter of a scheduler, in running order.
 *
 * @param scheduler  NULL is allowed: then the answer is NULL or 0.
 * @param index      From 0.
 *
 * @return Borrowed until the scheduler goes; NULL past the end.
 *
 * Thread safety: any thread; a scheduler does not change. Since: 1.3
 */
SWARM_EXPORT const char *swarm_scheduler_filter(const struct swarm_scheduler *scheduler, size_t index);

/** How a placement is to be made. */
struct swarm_place_options {
    size_t size;                            /**< Set by SWARM_PLACE_OPTIONS_INIT. */
    uint64_t seed;                          /**< Breaks ties and drives "random": same state, same seed, same answer. */
    const struct swarm_container *replaces; /**< The container that this one stands in for, since its node is lost or
                                                 drained: its name is no conflict and its node is no candidate.
                                                 NULL: none. */
    const char *extra_affinity;             /**< One more affinity expression, for this decision only. NULL: none. */
    size_t ranked; /**< Explaining: of how many nodes that would come first the scores are told; default 5, and 1,000
                        stands for more. */
};
/** What a struct swarm_place_options begins as: its size, and its defaults. */
#define SWARM_PLACE_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        sizeof(struct swarm_place_options), 0, NULL, NULL, 5                                                           \
    }

/**
 * Choose a node and reserve it.
 *
 * The cluster remembers the patterns in the request (32 of one label, of images, containers and nodes each, 256 in all,
 * the last ones used) with the nodes where they match, and keeps that up to date: a pattern costs one match a distinct
 * value when it is seen first, and then no more than any other expression.
 *
 * @param scheduler        Not NULL.
 * @param cluster          Not NULL.
 * @param request          A reference is taken; shared from now on.
 * @param options          NULL: all defaults.
 * @param ret_reservation  New: give it to swarm_reservation_commit() or swarm_reservation_abort(). Untouched on
 *                         failure.
 * @param reterr           Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_NO_NODE (the message begins with classic Swarm's refusal); SWARM_ERR_NAME_TAKEN ("Conflict: The
 *         name … is already assigned. …"); SWARM_ERR_PARSE (an expression is malformed); SWARM_ERR_INVALID (NULL, a
 *         container of another cluster, a size of options that this library cannot read); SWARM_ERR_NOMEM; what a
 *         registered filter or strategy answers.
 *
 * Thread safety: as of the cluster. Not callable from a filter or strategy. Since: 1.3
 */
SWARM_EXPORT int swarm_scheduler_place(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster,
                                       struct swarm_request *request, const struct swarm_place_options *options,
                                       struct swarm_reservation **ret_reservation, struct swarm_error **reterr);

/**
 * The same decision without effect.
 *
 * It makes use of the patterns that the cluster remembers from places, but remembers none: others are matched each
 * time.
 *
 * @param scheduler     Not NULL.
 * @param cluster       Not NULL.
 * @param request       Not changed, nor shared by this.
 * @param options       NULL: all defaults.
 * @param ret_decision  New, release with swarm_decision_free(). Untouched on failure.
 * @param reterr        Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As swarm_scheduler_place().
 *
 * Thread safety: several threads may plan on one cluster at once, as long as it is not changed. Since: 1.3
 */
SWARM_EXPORT int swarm_scheduler_plan(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                                      const struct swarm_request *request, const struct swarm_place_options *options,
                                      struct swarm_decision **ret_decision, struct swarm_error **reterr);

/** How a batch is to be placed. */
struct swarm_batch_options {
    size_t size;     /**< Set by SWARM_BATCH_OPTIONS_INIT. */
    uint64_t seed;   /**< The request at index i is decided with seed + i. */
    int all_or_none; /**< Not 0: all are placed, or none is. */
};
/** What a struct swarm_batch_options begins as: its size, and its defaults. */
#define SWARM_BATCH_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        sizeof(struct swarm_batch_options), 0, 0                                                                       \
    }

/**
 * Place several requests in their order, each counting for those after it: what as many calls of
 * swarm_scheduler_place() would do.
 *
 * Unless all are to be placed or none, a refusal is no failure: the requests after it are placed all the same.
 *
 * @param scheduler         Not NULL.
 * @param cluster           Not NULL.
 * @param requests          @p count of them, none NULL; one may be there more than once. A reference is taken of those
 *                          that are placed; shared from now on.
 * @param count             How many requests.
 * @param options           NULL: all defaults.
 * @param ret_reservations  @p count new ones, each to be given to swarm_reservation_commit() or
 *                          swarm_reservation_abort(); NULL for a request that was refused. Untouched on failure, and
 *                          may be NULL where @p count is 0.
 * @param ret_errors        Optional, @p count elements: why a request was refused, a new error, release each with
 *                          swarm_error_free(); NULL for one that was placed. Untouched on failure.
 * @param reterr            Optional. New error, release with swarm_error_free(). Untouched on success. Begins with
 *                          "request 3: " where that request, counted from 0, is the reason.
 *
 * @return 0; where all are to be placed or none, the first refusal: what swarm_scheduler_place() answers;
 *         SWARM_ERR_INVALID (NULL, a size of options that this library cannot read); SWARM_ERR_NOMEM. On failure none
 *         is placed and no request has become shared; only the cluster's generation may have been raised.
 *
 * Thread safety: as of the cluster. Not callable from a filter or strategy. Since: 1.3
 */
SWARM_EXPORT int swarm_scheduler_place_batch(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster,
                                             struct swarm_request *const *requests, size_t count,
                                             const struct swarm_batch_options *options,
                                             struct swarm_reservation **ret_reservations,
                                             struct swarm_error **ret_errors, struct swarm_error **reterr);

/**
 * The same decisions without effect: where the requests would go if they were placed now, in this order.
 *
 * They are placed and taken back, so unlike swarm_scheduler_plan() this needs the cluster to itself and raises its
 * generation; everything else is as it was, requests that were not shared included.
 *
 * Everything else as with swarm_scheduler_place_batch().
 *
 * @param scheduler   Not NULL.
 * @param cluster     Not NULL.
 * @param requests    @p count of them, none NULL; one may be there more than once.
 * @param count       How many requests.
 * @param options     NULL: all defaults.
 * @param ret_nodes   @p count nodes, borrowed from the cluster; NULL for a request that would be refused. Untouched on
 *                    failure, and may be NULL where @p count is 0.
 * @param ret_errors  As for swarm_scheduler_place_batch().
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, or an error as said above.
 *
 * Thread safety: as of the cluster. Not callable from a filter or strategy. Since: 1.3
 */
SWARM_EXPORT int swarm_scheduler_plan_batch(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster,
                                            struct swarm_request *const *requests, size_t count,
                                            const struct swarm_batch_options *options, struct swarm_node **ret_nodes,
                                            struct swarm_error **ret_errors, struct swarm_error **reterr);

/**
 * The same decision without effect, granted or refused, and why: for each node what stood in its way, and the scores of
 * those that would come first.
 *
 * An explained refusal costs up to three times a plain one.
 *
 * @param scheduler     Not NULL.
 * @param cluster       Not NULL.
 * @param request       Not changed, nor shared by this.
 * @param options       NULL: all defaults.
 * @param ret_decision  New, release with swarm_decision_free(). Untouched on failure.
 * @param reterr        Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0 where there is a decision, also one that refuses (SWARM_ERR_NO_NODE, SWARM_ERR_NAME_TAKEN, and
 *         SWARM_ERR_PARSE for an expression that the request carries: swarm_decision_code() says which). Failures that
 *         are no decision: as swarm_scheduler_place(), SWARM_ERR_PARSE meaning options->extra_affinity.
 *
 * Thread safety: as swarm_scheduler_plan(). Since: 1.3
 */
SWARM_EXPORT int swarm_scheduler_explain(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                                         const struct swarm_request *request, const struct swarm_place_options *options,
                                         struct swarm_decision **ret_decision, struct swarm_error **reterr);

/**
 * Say whether a request could ever be granted: as if every node were empty, healthy and active.
 *
 * Only what lasts stands in the way: labels and names of nodes, their capacity and named resources, a containerslots of
 * 0, and what a registered filter says of itself (ops.h). Soft expressions do not count, nor does whether the name is
 * free.
 *
 * @param scheduler     Not NULL.
 * @param cluster       Not NULL.
 * @param request       Not changed, nor shared by this.
 * @param ret_decision  New, release with swarm_decision_free(): its code is 0 or SWARM_ERR_NO_NODE (SWARM_ERR_PARSE for
 *                      a flawed expression), it counts nodes and causes, and chooses no node. Untouched on failure.
 * @param reterr        Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0 where there is a decision; SWARM_ERR_INVALID (NULL); SWARM_ERR_NOMEM; what a registered filter answers.
 *
 * Thread safety: as swarm_scheduler_plan(). Since: 1.3
 */
SWARM_EXPORT int swarm_scheduler_would_fit(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                                           const struct swarm_request *request, struct swarm_decision **ret_decision,
                                           struct swarm_error **reterr);

/**
 * Take a place on a certain node without asking filters, strategy or names: to rebuild a state that was recorded.
 *
 * @param cluster          Not NULL.
 * @param node             One of the cluster's.
 * @param request          A reference is taken; shared from now on.
 * @param ret_reservation  New: give it to swarm_reservation_commit() or swarm_reservation_abort().
 * @param reterr           Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_INVALID (NULL, a node of another cluster, a sum that passes the greatest number);
 *         SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_cluster_reserve(struct swarm_cluster *cluster, struct swarm_node *node,
                                       struct swarm_request *request, struct swarm_reservation **ret_reservation,
                                       struct swarm_error **reterr);

/**
 * Get where the place is.
 *
 * @param reservation  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed from the cluster; NULL once the node has been removed.
 *
 * Thread safety: as of the cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_reservation_node(const struct swarm_reservation *reservation);

/**
 * Get what the place was taken for.
 *
 * @param reservation  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed until the reservation is committed or aborted.
 *
 * Thread safety: as of the cluster. Since: 1.3
 */
SWARM_EXPORT struct swarm_request *swarm_reservation_request(const struct swarm_reservation *reservation);

/**
 * The container came to be: it takes the reservation's place.
 *
 * The reservation is gone, whatever is answered, and on failure its place is given back. Where its node has a container
 * of that id already, that is the one (an engine reported it before), and the place is given back, too.
 *
 * @param reservation    Not NULL.
 * @param container_id   The container's id, not empty, copied.
 * @param ret_container  Borrowed from the cluster. May be NULL.
 * @param reterr         Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_STATE (its node, or the container itself after an engine reported it, has been removed
 *         meanwhile, or another container of the same swarm id has come to take the place); SWARM_ERR_INVALID;
 *         SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the cluster. Since: 1.3
 */
SWARM_EXPORT int swarm_reservation_commit(struct swarm_reservation *reservation, const char *container_id,
                                          struct swarm_container **ret_container, struct swarm_error **reterr);

/**
 * It did not: give everything back. NULL is allowed.
 *
 * @param reservation  NULL is allowed.
 *
 * Thread safety: as of the cluster. Since: 1.3
 */
SWARM_EXPORT void swarm_reservation_abort(struct swarm_reservation *reservation);

#ifdef __cplusplus
}
#endif
#endif
