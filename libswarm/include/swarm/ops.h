/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_OPS_H
#define SWARM_OPS_H

#include <stddef.h>
#include <stdint.h>

#include <swarm/cluster.h>
#include <swarm/decision.h>
#include <swarm/error.h>
#include <swarm/node.h>
#include <swarm/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * For those who write filters and strategies: fill an ops struct, put it into a registry, and name it in the options of
 * a scheduler made with that registry. The built-in ones are made of the same structs.
 *
 * Callbacks must not change the cluster and may run on several threads at once where the caller plans on several
 * threads (cluster.h). They make errors with swarm_error_new(). A code that this library does not know counts as
 * SWARM_ERR_INVALID.
 *
 * plugin.h says how a program gets them from a shared object.
 */

/** The nodes that are still in the running; valid during the callback, on the thread that it runs on. */
struct swarm_candidates;

/**
 * Count the candidates.
 *
 * @param candidates  As the callback got them.
 *
 * @return How many there are now.
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT size_t swarm_candidates_count(const struct swarm_candidates *candidates);

/**
 * Walk the candidates. The one returned may be removed before the next call.
 *
 * @param candidates  As the callback got them.
 * @param previous    The one before; NULL: start.
 *
 * @return Borrowed from the cluster; NULL: there are no more.
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT struct swarm_node *swarm_candidates_next(const struct swarm_candidates *candidates,
                                                      const struct swarm_node *previous);

/**
 * Take a node out; nothing happens where it is out already.
 *
 * @param candidates  As the callback got them.
 * @param node        NULL is allowed.
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT void swarm_candidates_remove(struct swarm_candidates *candidates, const struct swarm_node *node);

/**
 * Say why: all that were taken out since the last such call, or since the filter began, went for this reason.
 *
 * Nodes of which nothing is said go under SWARM_REASON_OTHER with the filter's name. Costs next to nothing, and has no
 * effect, where the decision is not an explained one.
 *
 * @param candidates  As the callback got them.
 * @param reason      One of enum swarm_reason (decision.h); any other number counts as SWARM_REASON_OTHER.
 * @param detail      One line, copied; NULL: none. A filter may give a few dozen different ones; what comes after those
 *                    is told without its detail.
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT void swarm_candidates_refuse(struct swarm_candidates *candidates, int reason, const char *detail);

/** What a filter had to look for, for the text of a refusal; valid during the callback, on the thread that it runs on.
 */
struct swarm_conditions;

/**
 * Add one condition, such as "rack==7".
 *
 * @param conditions  As the callback got them.
 * @param text        One line, copied.
 *
 * @return 0, SWARM_ERR_NOMEM, SWARM_ERR_INVALID (NULL).
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT int swarm_conditions_add(struct swarm_conditions *conditions, const char *text);

/** A filter. New members go to the end; NULL in those is the behaviour before them. */
struct swarm_filter_ops {
    size_t size;      /**< Set by SWARM_FILTER_OPS_INIT. */
    const char *name; /**< Copied on registration. */
    /**
     * Take the nodes out that do not fit.
     *
     * @param soft  1 in the first pass. 0 in the second, in which soft conditions do not count; there is one only where
     *              the first found no node and the request has soft expressions.
     * @return 0, also where no node is left: the refusal then lists the conditions. SWARM_ERR_NO_NODE with an error:
     *         that text is the refusal. SWARM_ERR_PARSE: the request is flawed, the refusal says where. Anything else
     *         ends the decision with that error.
     */
    int (*filter)(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                  struct swarm_candidates *candidates, int soft, struct swarm_error **reterr);
    /**
     * List what the filter looks for in this request. May be NULL: nothing is listed.
     *
     * @return 0, or SWARM_ERR_PARSE with an error, which is listed instead.
     */
    int (*conditions)(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                      struct swarm_error **reterr);
    /** Runs once, when the registry and all schedulers made from it are gone. May be NULL. */
    void (*destroy)(void *data);
    /**
     * Take the nodes out that could never fit, as if each were empty, healthy and active: only for what lasts, such as
     * labels and names. For swarm_scheduler_would_fit(). May be NULL: nothing that the filter refuses lasts.
     *
     * @return As @c filter.
     */
    int (*lasting)(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                   struct swarm_candidates *candidates, struct swarm_error **reterr);
};
/** What a struct swarm_filter_ops begins as: its size, and its defaults. */
#define SWARM_FILTER_OPS_INIT                                                                                          \
    {                                                                                                                  \
        sizeof(struct swarm_filter_ops), NULL, NULL, NULL, NULL, NULL                                                  \
    }

/** Nodes that a strategy offers, in any order; valid during the callback, on the thread that it runs on. */
struct swarm_ranking;

/**
 * Offer a node; the greatest score wins, ties are told apart as strategy.h says.
 *
 * Offer each at most once. Nothing happens where it is NULL or no candidate.
 *
 * @param ranking  As the callback got it.
 * @param node     NULL is allowed.
 * @param score    The greatest wins; any number.
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT void swarm_ranking_offer(struct swarm_ranking *ranking, const struct swarm_node *node, int64_t score);

/**
 * Say why a candidate is not offered; everything else as swarm_candidates_refuse().
 *
 * Candidates that were neither offered nor refused go under SWARM_REASON_OTHER with the strategy's name.
 *
 * @param ranking  As the callback got it.
 * @param node     NULL is allowed.
 * @param reason   One of enum swarm_reason (decision.h).
 * @param detail   One line, copied; NULL: none.
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT void swarm_ranking_refuse(struct swarm_ranking *ranking, const struct swarm_node *node, int reason,
                                       const char *detail);

/** What a score is made of, by name; valid during the callback, on the thread that it runs on. */
struct swarm_parts;

/**
 * Add a number, such as "cpu" 40.
 *
 * @param parts  As the callback got them.
 * @param name   Copied.
 * @param value  Any number.
 *
 * @return 0, SWARM_ERR_NOMEM, SWARM_ERR_INVALID (NULL).
 *
 * Thread safety: within the callback, on its thread. Since: 1.3
 */
SWARM_EXPORT int swarm_parts_add(struct swarm_parts *parts, const char *name, int64_t value);

/** A strategy. New members go to the end; NULL in those is the behaviour before them. */
struct swarm_strategy_ops {
    size_t size;      /**< Set by SWARM_STRATEGY_OPS_INIT. */
    const char *name; /**< Copied on registration. */
    /**
     * Offer those of the candidates that have room.
     *
     * An explained decision calls it again, each time without the nodes that came first before, until it has as many
     * as it is to tell the scores of.
     *
     * @return 0 (nothing offered: there is no room anywhere, and the decision is SWARM_ERR_NO_NODE), or an error, which
     *         ends the decision.
     */
    int (*rank)(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr);
    /** Runs once, when the registry and all schedulers made from it are gone. May be NULL. */
    void (*destroy)(void *data);
    /**
     * Say what the score of a node that it has offered is made of. May be NULL: nothing is told.
     *
     * @return 0, or an error, which ends the decision.
     */
    int (*parts)(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                 const struct swarm_node *node, struct swarm_parts *parts, struct swarm_error **reterr);
    /** 1: it offers no node without room for the CPUs and memory asked for, by the rule that strategy.h has for
     *  "spread" and "binpack"; where it offers such a node not, that is the reason told. 0: it says so itself. */
    int needs_room;
};
/** What a struct swarm_strategy_ops begins as: its size, and its defaults. */
#define SWARM_STRATEGY_OPS_INIT                                                                                        \
    {                                                                                                                  \
        sizeof(struct swarm_strategy_ops), NULL, NULL, NULL, NULL, 0                                                   \
    }

/** Filters and strategies by name, beside the built-in ones. */
struct swarm_registry;

/**
 * Make an empty registry.
 *
 * @param ret_registry  New, release with swarm_registry_free().
 * @param reterr        Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_NOMEM, SWARM_ERR_INVALID (NULL).
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_registry_new(struct swarm_registry **ret_registry, struct swarm_error **reterr);

/**
 * Release a registry; schedulers made from it keep what they use. NULL is allowed.
 *
 * @param registry  NULL is allowed.
 *
 * Thread safety: one thread at a time per registry. Since: 1.3
 */
SWARM_EXPORT void swarm_registry_free(struct swarm_registry *registry);

/**
 * Register a filter.
 *
 * @param registry  Not NULL.
 * @param ops       Copied.
 * @param data      Passed to the callbacks; taken on success only.
 * @param reterr    Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_INVALID (no name, no filter function, a size that this library cannot read); SWARM_ERR_EXISTS (a
 *         filter, or a built-in one, has that name); SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time per registry. Since: 1.3
 */
SWARM_EXPORT int swarm_registry_add_filter(struct swarm_registry *registry, const struct swarm_filter_ops *ops,
                                           void *data, struct swarm_error **reterr);

/**
 * Register a strategy.
 *
 * @param registry  Not NULL.
 * @param ops       Copied.
 * @param data      Passed to the callbacks; taken on success only.
 * @param reterr    Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return As swarm_registry_add_filter(), of strategies.
 *
 * Thread safety: one thread at a time per registry. Since: 1.3
 */
SWARM_EXPORT int swarm_registry_add_strategy(struct swarm_registry *registry, const struct swarm_strategy_ops *ops,
                                             void *data, struct swarm_error **reterr);

#ifdef __cplusplus
}
#endif
#endif
