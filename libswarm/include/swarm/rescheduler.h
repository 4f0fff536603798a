/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_RESCHEDULER_H
#define SWARM_RESCHEDULER_H

#include <stddef.h>
#include <stdint.h>

#include <swarm/cluster.h>
#include <swarm/error.h>
#include <swarm/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Brings containers of lost nodes back elsewhere: events in, actions out. It reads no clock (every event carries
 * now_ms, milliseconds of one monotonic clock of the caller's) and acts on nothing but the cluster: it takes places,
 * and takes containers out that were replaced (within swarm_rescheduler_next(), _moved() and _removed(), never one that
 * an action under way is about).
 *
 * The caller reports events, then takes actions with swarm_rescheduler_next() until there is none, carries each out and
 * reports its result, and calls swarm_rescheduler_advance() when swarm_rescheduler_timeout() has passed.
 *
 * What was replaced is known by its docker id from then on. A container is removed only where it is such an old copy
 * and its stand-in exists on another, healthy engine: never for a label that it shares with another, never where both
 * are one container or one engine seen twice. Copies that were not made here (by another manager) count as such only
 * where name, image, swarm id and policy agree and the one on the node that comes back did not run or was out of reach.
 *
 * Every function that returns int answers 0 unless said otherwise, or SWARM_ERR_INVALID (an argument is NULL or
 * unknown) or SWARM_ERR_NOMEM; then nothing has changed, and the same event can be reported again. @c reterr is
 * optional: a new error, release with swarm_error_free(), untouched on success.
 *
 * Thread safety: one thread at a time, which also has the cluster to itself. Since: 1.3
 */
struct swarm_rescheduler;

/** What a rescheduler is made of. Times are milliseconds. */
struct swarm_rescheduler_options {
    size_t size;              /**< Set by SWARM_RESCHEDULER_OPTIONS_INIT. */
    int64_t grace_ms;         /**< Wait before the containers of a *silent* node are moved. Default 10,000. */
    int64_t retry_initial_ms; /**< First pause after a failed move; doubles up to retry_max_ms. Default 1,000. */
    int64_t retry_max_ms;     /**< Default 60,000. */
    int parallel;             /**< Moves under way at once, in all. Default 16. */
    int parallel_per_node;    /**< Moves under way at once onto one node. Default 4. */
    uint64_t seed;            /**< For the placements it asks for. */
};
#define SWARM_RESCHEDULER_OPTIONS_INIT                                                                                 \
    {                                                                                                                  \
        sizeof(struct swarm_rescheduler_options), 10000, 1000, 60000, 16, 4, 0                                         \
    }

/** How a node was lost. */
enum swarm_node_loss {
    SWARM_NODE_STOPPED = 0, /**< It refuses connections: acted on at once. */
    SWARM_NODE_SILENT = 1,  /**< It may still run: acted on after grace_ms. */
};

/** What the caller is to do. */
enum swarm_action_kind {
    /** Create a stand-in for `container` on the node of `reservation`, then start it where `start` is set. Report with
     *  swarm_rescheduler_moved(), or with swarm_rescheduler_failed() when nothing of it is left; the reservation is the
     *  caller's to commit or abort before that. The reservation's request says in whose namespaces it is to run
     *  ("container:<id>" in its network mode may name another id than the lost container's inspect does). */
    SWARM_ACTION_MOVE = 1,
    /** Remove `container`, the old copy of one that was moved and runs elsewhere; never with its volumes. Report with
     *  swarm_rescheduler_removed() or swarm_rescheduler_failed(). */
    SWARM_ACTION_REMOVE = 2,
    /** Start `kept`: a copy of `container` that is on another node already (a move whose end nobody saw, say) but does
     *  not run. Report with swarm_rescheduler_moved(), `kept` as the stand-in, or swarm_rescheduler_failed(). */
    SWARM_ACTION_START = 3,
};

/** What to do. The objects are borrowed until the action is reported, unless the caller itself takes them out of the
 *  cluster (see swarm_rescheduler_container_removed()). */
struct swarm_action {
    size_t size;                           /**< Set by SWARM_ACTION_INIT. */
    uint64_t id;                           /**< To report the result with. */
    int kind;                              /**< enum swarm_action_kind. */
    int start;                             /**< MOVE: it ran when its node was lost. */
    struct swarm_container *container;     /**< MOVE, START: the lost one. REMOVE: the copy to remove. */
    struct swarm_reservation *reservation; /**< MOVE: the place. */
    struct swarm_container *kept;          /**< REMOVE, START: the copy that stays. */
};
#define SWARM_ACTION_INIT                                                                                              \
    {                                                                                                                  \
        sizeof(struct swarm_action), 0, 0, 0, NULL, NULL, NULL                                                         \
    }

/**
 * Make a rescheduler.
 *
 * @param ret_rescheduler  New, release with swarm_rescheduler_free(). Untouched on failure.
 * @param cluster          Borrowed, like @p scheduler: both must outlive it.
 * @param options          NULL: all defaults. Times of 0 or more, pauses and limits of 1 or more.
 */
SWARM_EXPORT int swarm_rescheduler_new(struct swarm_rescheduler **ret_rescheduler, struct swarm_cluster *cluster,
                                       const struct swarm_scheduler *scheduler,
                                       const struct swarm_rescheduler_options *options, struct swarm_error **reterr);
/** Release it. Reservations of actions that were not reported are aborted: report those that were committed first. NULL
 *  is allowed. */
SWARM_EXPORT void swarm_rescheduler_free(struct swarm_rescheduler *rescheduler);

/**
 * A node was lost: those of its containers that have a policy are to be moved.
 *
 * Reporting it again is allowed: containers that have become known since are added, and the earlier of two times
 * counts.
 *
 * @param loss  enum swarm_node_loss.
 */
SWARM_EXPORT int swarm_rescheduler_node_lost(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                             struct swarm_node *node, int loss, struct swarm_error **reterr);
/**
 * A node answers (again, or for the first time) and its containers are known: its waiting moves are called off, those
 * under way end first; old copies of what was moved are to be removed; moves of others that failed are tried at once.
 */
SWARM_EXPORT int swarm_rescheduler_node_back(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                             struct swarm_node *node, struct swarm_error **reterr);
/**
 * To be called before swarm_cluster_remove_node().
 *
 * @return 0: nothing points to the node any more, take it out. SWARM_ERR_STATE while moves of its containers are
 * waiting or under way: keep the node until it answers 0.
 */
SWARM_EXPORT int swarm_rescheduler_node_removed(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                                struct swarm_node *node, struct swarm_error **reterr);
/** To be called before swarm_cluster_remove_container() by anyone but the rescheduler itself. What waits for the
 *  container is dropped; an action under way is to be reported still. */
SWARM_EXPORT void swarm_rescheduler_container_removed(struct swarm_rescheduler *rescheduler,
                                                      const struct swarm_container *container);

/**
 * The stand-in exists (and runs, where asked for): the lost container is taken out of the cluster. Where its node has
 * come back meanwhile it stays, as an old copy to be removed.
 *
 * @param stand_in  The container that the reservation became.
 */
SWARM_EXPORT int swarm_rescheduler_moved(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t action_id,
                                         struct swarm_container *stand_in, struct swarm_error **reterr);
/** The old copy is gone: it is taken out of the cluster. */
SWARM_EXPORT int swarm_rescheduler_removed(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t action_id,
                                           struct swarm_error **reterr);
/** The action failed; it is tried again after a pause, for ever, unless it is not wanted any more.
 *  @param reason  Copied; NULL: none. */
SWARM_EXPORT int swarm_rescheduler_failed(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t action_id,
                                          const char *reason, struct swarm_error **reterr);

/** Time has passed. A time before the last one reported counts as that. */
SWARM_EXPORT int swarm_rescheduler_advance(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                           struct swarm_error **reterr);
/** When swarm_rescheduler_advance() is due, on the caller's clock; -1 for never. */
SWARM_EXPORT int64_t swarm_rescheduler_timeout(const struct swarm_rescheduler *rescheduler);
/**
 * Take the next action. One call does a bounded amount of work: there may be more to do at once although it answers 0,
 * which swarm_rescheduler_timeout() then says.
 *
 * @param action  Its size is the caller's, from SWARM_ACTION_INIT.
 *
 * @return 1 with @p action filled, 0 where there is none now, or an error.
 */
SWARM_EXPORT int swarm_rescheduler_next(struct swarm_rescheduler *rescheduler, struct swarm_action *action,
                                        struct swarm_error **reterr);

/** What waits for a node: how many moves there are to do, and why the last try of the first of them that failed did
 *  (NULL: none failed). Borrowed. */
SWARM_EXPORT size_t swarm_rescheduler_waiting(const struct swarm_rescheduler *rescheduler,
                                              const struct swarm_node *node, const char **ret_reason);

/** Told of a container that is to be moved; @p reason says why its last try failed, NULL: none has. Both borrowed until
 *  it returns; it must not call the rescheduler or change the cluster. */
typedef void (*swarm_waiting_fn)(void *data, struct swarm_container *container, const char *reason);
/** Walk the containers of a node that are waiting to be moved or being moved. */
SWARM_EXPORT void swarm_rescheduler_each_waiting(const struct swarm_rescheduler *rescheduler,
                                                 const struct swarm_node *node, swarm_waiting_fn fn, void *data);

#ifdef __cplusplus
}
#endif
#endif
