/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_RESCHEDULER_H
#define SWARM_RESCHEDULER_H

/** @file
 * What is to be done when nodes are lost and come back. */

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
 * It asks the scheduler for places and does not change nodes: keeping lost ones out is the caller's part, by
 * swarm_node_set_health(node, 0) and the filter "health", which a scheduler with a list of filters needs in it. Nothing
 * is moved to a node that is lost: where one is chosen all the same, the try has failed.
 *
 * What was replaced is known by its docker id from then on. A container is removed only where a copy of it was made to
 * stand in for it and both are on live engines, and by the reconcile policy it is the one that goes: never for a label
 * that it shares with another, never where both are one container or one engine seen twice, and never one that runs
 * for one that does not. Copies that were not made here (by another manager) count as such only where name, image,
 * swarm id and policy agree and the one on the node that comes back did not run or was out of reach.
 *
 * Where more nodes are lost at once than the mass-failure guard allows, it is rather the caller's own network that
 * failed: all moves are held then, until enough nodes are back or swarm_rescheduler_release() is called.
 *
 * Where several callers take turns (leaders of a group), each term of one has a number that rises, which every action
 * carries: swarm_rescheduler_set_term() ends what older terms began.
 *
 * Every function that returns int answers 0 unless said otherwise, or SWARM_ERR_INVALID (an argument is NULL or
 * unknown) or SWARM_ERR_NOMEM; then nothing has changed, and the same event can be reported again. @c reterr is
 * optional: a new error, release with swarm_error_free(), untouched on success.
 *
 * Thread safety: one thread at a time, which also has the cluster to itself. Since: 1.3
 */
struct swarm_rescheduler;

/** Which copy stays where a node returns whose containers were moved meanwhile. A copy that does not run always loses
 * to one that does, unless its user has stopped it (swarm_container_set_stopped()), and but for
 * SWARM_RECONCILE_KEEP_NEW, where nothing is removed until it is seen which one runs: only a stand-in that was never
 * started loses at once. */
enum swarm_reconcile {
    SWARM_RECONCILE_KEEP_NEW = 0,        /**< The stand-in. */
    SWARM_RECONCILE_KEEP_OLD = 1,        /**< The one on the node that returned. */
    SWARM_RECONCILE_LONGEST_RUNNING = 2, /**< The one whose swarm_container_running_since() is earlier; where that is
                                              not known of both, the stand-in. */
};
/** The label by which a container chooses for itself: "keep-new", "keep-old" or "longest-running". */
#define SWARM_RECONCILE_LABEL "com.docker.swarm.reschedule-reconcile"

/** What a rescheduler is made of. Times are milliseconds. */
struct swarm_rescheduler_options {
    size_t size;              /**< Set by SWARM_RESCHEDULER_OPTIONS_INIT. */
    int64_t grace_ms;         /**< Wait before the containers of a *silent* node are moved. Default 10,000. */
    int64_t retry_initial_ms; /**< First pause after a failed move; doubles up to retry_max_ms. Default 1,000. */
    int64_t retry_max_ms;     /**< Default 60,000. */
    int parallel;             /**< Moves under way at once, in all. Default 16. */
    int parallel_per_node;    /**< Moves under way at once onto one node. Default 4. */
    uint64_t seed;            /**< For the placements it asks for. */
    int retry_limit;          /**< Tries after which a move is given up, until a node comes back or
                                   swarm_rescheduler_release(); 0, the default: never. Removals are never given up. */
    int reconcile;            /**< enum swarm_reconcile, for containers without SWARM_RECONCILE_LABEL. */
    int mass_share_percent;   /**< Mass-failure guard: moves are held while more than this share of the nodes is lost of
                                   those that were there when the first of them went. 1 to 100, 100: never. Default 50. */
    int mass_min_nodes;       /**< Not in pools of fewer nodes than this (1 or more). Default 4. */
    int64_t mass_window_ms;   /**< Nodes that were lost longer ago do not count, nor what they left. Default 60,000. */
    int restart_returned;     /**< 1: a container with a policy that ran when its node was lost, and is back with it
                                   stopped, is to be started there (once; SWARM_ACTION_START whose `kept` is its
                                   `container`). Default 0: only what is moved is started. Since: 1.4 */
};
/** What a struct swarm_rescheduler_options begins as: its size, and its defaults. */
#define SWARM_RESCHEDULER_OPTIONS_INIT                                                                                 \
    {                                                                                                                  \
        sizeof(struct swarm_rescheduler_options), 10000, 1000, 60000, 16, 4, 0, 0, SWARM_RECONCILE_KEEP_NEW, 50, 4,    \
            60000, 0                                                                                                   \
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
     *  caller's to commit or abort before that (one that is neither keeps its place for good). Its request says in
     *  whose namespaces it is to run ("container:<id>" in its network mode may name another id than the lost
     *  container's inspect does). */
    SWARM_ACTION_MOVE = 1,
    /** Remove `container`, the copy that is to go of one that was moved (see enum swarm_reconcile), or what is left of
     *  one that its user removed elsewhere (swarm_rescheduler_container_deleted(); `kept` is NULL then); never with its
     *  volumes. Report with swarm_rescheduler_removed() or swarm_rescheduler_failed(). */
    SWARM_ACTION_REMOVE = 2,
    /** Start `kept`: a copy of `container` that is on another node already (a move whose end nobody saw, say) but does
     *  not run; or `container` itself, see restart_returned. Report with swarm_rescheduler_moved(), `kept` as the
     *  stand-in, or swarm_rescheduler_failed(). */
    SWARM_ACTION_START = 3,
    /** Make `kept`, a copy of `container` that is on another node already, what `container` was when that was lost:
     * give it `container`'s name where it has another one, as an old copy of one that was renamed since; start it where
     *  `start` is set, else stop it if it runs, as its user had stopped `container`. Report as for
     *  SWARM_ACTION_START. Since: 1.4 */
    SWARM_ACTION_ADOPT = 4,
};

/** What to do. The objects are borrowed until the action is reported, unless the caller itself takes them out of the
 *  cluster (see swarm_rescheduler_container_removed()). */
struct swarm_action {
    size_t size;                           /**< Set by SWARM_ACTION_INIT. */
    uint64_t id;                           /**< To report the result with. */
    int kind;                              /**< enum swarm_action_kind. */
    int start;                             /**< MOVE, ADOPT: it ran when its node was lost. */
    struct swarm_container *container;     /**< MOVE, START, ADOPT: the lost one. REMOVE: the copy to remove. */
    struct swarm_reservation *reservation; /**< MOVE: the place. */
    struct swarm_container *kept;          /**< REMOVE, START, ADOPT: the copy that stays. */
    uint64_t term;                         /**< The term that it was given out in: of use with nothing older. */
};
/** What a struct swarm_action begins as: its size, and its defaults. */
#define SWARM_ACTION_INIT                                                                                              \
    {                                                                                                                  \
        sizeof(struct swarm_action), 0, 0, 0, NULL, NULL, NULL, 0                                                      \
    }

/**
 * Make a rescheduler.
 *
 * @param ret_rescheduler  New, release with swarm_rescheduler_free(). Untouched on failure.
 * @param cluster          Borrowed, like @p scheduler: both must outlive it.
 * @param scheduler        Borrowed.
 * @param options          NULL: all defaults. Times of 0 or more, pauses and limits of 1 or more.
 * @param reterr           Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, options out of their range: the message says which), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_new(struct swarm_rescheduler **ret_rescheduler, struct swarm_cluster *cluster,
                                       const struct swarm_scheduler *scheduler,
                                       const struct swarm_rescheduler_options *options, struct swarm_error **reterr);

/**
 * Release it.
 *
 * Reservations of actions that were not reported are aborted: report those that were committed first. NULL is allowed.
 *
 * @param rescheduler  NULL is allowed.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT void swarm_rescheduler_free(struct swarm_rescheduler *rescheduler);

/**
 * A node was lost: those of its containers that have a policy (swarm_request_set_reschedule_policy()) are to be moved.
 * Set its health to 0 first, so that none is placed on it.
 *
 * Reporting it again is allowed: containers that have become known since are added, and the earlier of two times
 * counts.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param node         Not NULL.
 * @param loss         enum swarm_node_loss.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_node_lost(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                             struct swarm_node *node, int loss, struct swarm_error **reterr);

/**
 * A node answers (again, or for the first time), its health is above 0 and its containers are known (those that were
 * moved meanwhile had been taken out: add them again where the engine still has them): its waiting moves are called
 * off, those under way end first; of the copies of what was moved one is to be removed, by the reconcile policy; moves
 * of others that failed are tried at once.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param node         Not NULL.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_node_back(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                             struct swarm_node *node, struct swarm_error **reterr);

/**
 * To be called before swarm_cluster_remove_node().
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param node         Not NULL.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0: nothing points to the node any more, take it out. SWARM_ERR_STATE while moves of its containers are
 *         waiting or under way: keep the node until it answers 0.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_node_removed(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                                struct swarm_node *node, struct swarm_error **reterr);

/**
 * A container has become known, or its state has changed, on a node that answers.
 *
 * What waits for that is looked at again; the late product of a move that was reported as failed is to be removed where
 * another copy lives. It may be left out for containers on a node that swarm_rescheduler_node_back() follows for.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param container    Not NULL.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_container_changed(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                                     struct swarm_container *container, struct swarm_error **reterr);

/**
 * To be called before swarm_cluster_remove_container() by anyone but the rescheduler itself.
 *
 * What waits for the container is dropped; an action under way is to be reported still.
 *
 * @param rescheduler  NULL is allowed.
 * @param container    NULL is allowed.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT void swarm_rescheduler_container_removed(struct swarm_rescheduler *rescheduler,
                                                      const struct swarm_container *container);

/**
 * The same where the container was removed on its engine for good, by its user or by itself: what it stands in for, on
 * nodes that are away, is removed there when they are back (SWARM_ACTION_REMOVE without a `kept`). Old copies that are
 * listed on nodes which answer stay, but for those that were about to be removed anyway: there nobody meant them.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param container    Not NULL; to be taken out of the cluster by the caller after this.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM: then only what
 *         swarm_rescheduler_container_removed() does has been done.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.4
 */
SWARM_EXPORT int swarm_rescheduler_container_deleted(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                                     const struct swarm_container *container,
                                                     struct swarm_error **reterr);

/*
 * Reports of an action of an older term are refused with SWARM_ERR_STATE, and the action is over all the same: what
 * there is to do is decided anew, from what engines say.
 */

/**
 * The stand-in exists (and runs, where asked for): the lost container is taken out of the cluster.
 *
 * Where its node has come back meanwhile it stays, as an old copy to be removed.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param action_id    Of the action, from swarm_rescheduler_next().
 * @param stand_in     The container that the reservation became; of a START: the kept one.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_moved(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t action_id,
                                         struct swarm_container *stand_in, struct swarm_error **reterr);

/**
 * The old copy is gone: it is taken out of the cluster.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param action_id    Of the action, from swarm_rescheduler_next().
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_removed(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t action_id,
                                           struct swarm_error **reterr);

/**
 * The action failed, and nothing of it is left or can come of it; it is tried again after a pause, up to retry_limit
 * times, unless it is not wanted any more.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param action_id    Of the action, from swarm_rescheduler_next().
 * @param reason       Copied; NULL: none.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_failed(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t action_id,
                                          const char *reason, struct swarm_error **reterr);

/**
 * The action failed as far as the caller can tell, but the engine may have done it, or may do it yet: no answer came,
 * or it was not understood.
 *
 * It is tried again as after swarm_rescheduler_failed(). What a move made all the same stands in once it is known, or
 * is to be removed where another one does (see swarm_rescheduler_container_changed()). A copy that may be removed yet
 * does not count as one that lives, for ten minutes from here.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param action_id    Of the action, from swarm_rescheduler_next().
 * @param reason       Copied; NULL: none.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_unanswered(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t action_id,
                                              const char *reason, struct swarm_error **reterr);

/**
 * Time has passed. A time before the last one reported counts as that.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_advance(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                           struct swarm_error **reterr);

/**
 * Say when swarm_rescheduler_advance() is due.
 *
 * @param rescheduler  NULL is allowed.
 *
 * @return A time on the caller's clock, in milliseconds; -1: never.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int64_t swarm_rescheduler_timeout(const struct swarm_rescheduler *rescheduler);

/**
 * Take the next action.
 *
 * One call does a bounded amount of work: there may be more to do at once although it answers 0, which
 * swarm_rescheduler_timeout() then says.
 *
 * @param rescheduler  Not NULL.
 * @param action       Its size is the caller's, from SWARM_ACTION_INIT.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 1 with @p action filled, 0 where there is none now, or an error.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_next(struct swarm_rescheduler *rescheduler, struct swarm_action *action,
                                        struct swarm_error **reterr);

/**
 * Whether an action under way is still wanted: to be asked right before it has an effect.
 *
 * @param rescheduler  NULL is allowed.
 * @param action_id    Of the action, from swarm_rescheduler_next().
 *
 * @return 1 or 0; where it is 0, report it with swarm_rescheduler_failed(): its node is back, its container is gone,
 *         its term has ended, or the mass-failure guard holds it.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_wanted(const struct swarm_rescheduler *rescheduler, uint64_t action_id);

/**
 * A new term begins: actions under way are of an old one from now on, and are not wanted any more (each is to be
 * reported still).
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param term         Greater than the one before, or the same (nothing changes then); the first one is 0.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, or SWARM_ERR_INVALID (the term is older than the present one).
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_set_term(struct swarm_rescheduler *rescheduler, int64_t now_ms, uint64_t term,
                                            struct swarm_error **reterr);

/**
 * Drop the moves that are not needed, as a copy of their container lives elsewhere: for a caller that follows events
 * but takes no actions while another one, which has a term of its own, does.
 *
 * As in swarm_rescheduler_next(), which does the same by itself, the lost container is taken out of the cluster then,
 * the copy is what it was replaced by, and neither happens within the grace of its node, or while the copy does not run
 * though the lost one did. The work grows with the number of moves there are to do.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL), SWARM_ERR_NOMEM (some may have been dropped; to be called again).
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.4
 */
SWARM_EXPORT int swarm_rescheduler_settle(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                          struct swarm_error **reterr);

/**
 * Get the present term.
 *
 * @param rescheduler  NULL is allowed.
 *
 * @return The term; 0 for NULL.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT uint64_t swarm_rescheduler_term(const struct swarm_rescheduler *rescheduler);

/**
 * Go on by hand: what the mass-failure guard holds is moved, and the nodes lost by now no longer count for it; what was
 * given up is tried again.
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The time of the event, in milliseconds of the caller's monotonic clock.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or unknown), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_release(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                           struct swarm_error **reterr);

/** A container that was moved, and of which an old copy may show up again: what a caller that wants to survive its own
 *  end keeps. Everything is borrowed until the function that is told returns. */
struct swarm_memory {
    size_t size;              /**< Set by SWARM_MEMORY_INIT; told: of what the library knows. */
    const char *container_id; /**< The one that was replaced. */
    const char *node_id;      /**< The node that it was on; empty where that is not known. */
    const char *by;           /**< What was put in its place; empty: that was removed by its user, and so is this one
                                   to be; NULL: there is nothing to remember of it any more. */
    int judged;               /**< 1: which of the two is to go is settled, whatever the policy. */
};
/** What a struct swarm_memory begins as: its size, and its defaults. */
#define SWARM_MEMORY_INIT                                                                                              \
    {                                                                                                                  \
        sizeof(struct swarm_memory), NULL, NULL, NULL, 0                                                               \
    }
/** Told within whatever call made it so; it must not call the rescheduler or change the cluster. */
typedef void (*swarm_memory_fn)(void *data, const struct swarm_memory *memory);

/**
 * Set who is told what is to be remembered.
 *
 * One container may be told of again and again: the last time counts.
 *
 * @param rescheduler  NULL is allowed.
 * @param fn           NULL: nobody, the default.
 * @param data         Handed to it.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.4
 */
SWARM_EXPORT void swarm_rescheduler_set_memory(struct swarm_rescheduler *rescheduler, swarm_memory_fn fn, void *data);

/**
 * Remember what an earlier rescheduler had told of: before nodes are reported lost or back.
 *
 * @param rescheduler  Not NULL.
 * @param memory       Copied; its size from SWARM_MEMORY_INIT, `container_id` and `by` not NULL.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a size that this library cannot read, a container that stands in for itself),
 *         SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.4
 */
SWARM_EXPORT int swarm_rescheduler_remember(struct swarm_rescheduler *rescheduler, const struct swarm_memory *memory,
                                            struct swarm_error **reterr);

/**
 * Remember a move that an earlier rescheduler gave out and whose end nobody saw: what it made, if anything, stands in
 * once it is known and the lost container is still away, or is to be removed where that one lives (as after
 * swarm_rescheduler_unanswered()). Where it is known, was never started, and no other copy is, it is to be started
 * (SWARM_ACTION_START whose `kept` is its `container`).
 *
 * @param rescheduler  Not NULL.
 * @param now_ms       The present time, in milliseconds of the caller's monotonic clock.
 * @param swarm_id     Of the container, not empty.
 * @param node_id      Of the node that it was to be created on, not empty; it need not be in the cluster yet.
 * @param start        1: it was to be started there; 0: not.
 * @param reterr       Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or empty, or more than 500 characters), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.4
 */
SWARM_EXPORT int swarm_rescheduler_remember_move(struct swarm_rescheduler *rescheduler, int64_t now_ms,
                                                 const char *swarm_id, const char *node_id, int start,
                                                 struct swarm_error **reterr);

/** Something to tell people of. */
enum swarm_report_kind {
    SWARM_REPORT_GIVEN_UP = 1, /**< `container` is not moved any more, after retry_limit tries. */
    SWARM_REPORT_HELD = 2,     /**< The mass-failure guard holds all moves from now on. */
    SWARM_REPORT_RELEASED = 3, /**< It does not any more. */
};
/** What there is to tell. Everything is borrowed until the function that is told returns. */
struct swarm_report {
    size_t size;                       /**< Of what the library knows. */
    int kind;                          /**< enum swarm_report_kind */
    struct swarm_container *container; /**< GIVEN_UP */
    const char *reason;                /**< GIVEN_UP: why the last try failed; NULL: not known. */
    size_t nodes_lost;                 /**< HELD, RELEASED: nodes that count as lost at once … */
    size_t nodes_counted;              /**< … out of so many. */
};
/** Told within whatever call made it so; it must not call the rescheduler or change the cluster. */
typedef void (*swarm_report_fn)(void *data, const struct swarm_report *report);

/**
 * Set who is told.
 *
 * @param rescheduler  NULL is allowed.
 * @param fn           NULL: nobody, the default.
 * @param data         Handed to it.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT void swarm_rescheduler_set_report(struct swarm_rescheduler *rescheduler, swarm_report_fn fn, void *data);

/** How things stand, in numbers. */
struct swarm_rescheduler_status {
    size_t size;               /**< Set by SWARM_RESCHEDULER_STATUS_INIT. */
    int held;                  /**< 1 while the mass-failure guard holds all moves. */
    int64_t held_since_ms;     /**< Since when, on the caller's clock; -1: it does not. */
    size_t nodes_lost;         /**< Nodes that count as lost at once … */
    size_t nodes_counted;      /**< … out of so many. */
    size_t moves;              /**< Moves there are to do, those below included. */
    size_t moves_under_way;    /**< Given out as actions. */
    size_t moves_given_up;     /**< See retry_limit. */
    size_t removals;           /**< Removals there are to do. */
    size_t removals_under_way; /**< Given out as actions. */
    uint64_t term;             /**< See swarm_rescheduler_set_term(). */
};
/** What a struct swarm_rescheduler_status begins as: its size, and its defaults. */
#define SWARM_RESCHEDULER_STATUS_INIT                                                                                  \
    {                                                                                                                  \
        sizeof(struct swarm_rescheduler_status), 0, -1, 0, 0, 0, 0, 0, 0, 0, 0                                         \
    }

/**
 * Read how things stand.
 *
 * @param rescheduler  Not NULL.
 * @param ret_status   Its size is the caller's.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, a size that this library cannot read).
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT int swarm_rescheduler_status(const struct swarm_rescheduler *rescheduler,
                                          struct swarm_rescheduler_status *ret_status);

/**
 * Say what waits for a node.
 *
 * @param rescheduler  NULL is allowed.
 * @param node         One of the cluster's.
 * @param ret_reason   Why the last try of the first of them that failed did, borrowed; NULL: none failed. May be NULL.
 *
 * @return How many moves there are to do.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT size_t swarm_rescheduler_waiting(const struct swarm_rescheduler *rescheduler,
                                              const struct swarm_node *node, const char **ret_reason);

/** What a container of a lost node, or a copy that is to go, is waiting for. */
enum swarm_wait {
    SWARM_WAIT_TIME = 0,     /**< For next_ms: the grace of its node, or the pause after a failed try. */
    SWARM_WAIT_TURN = 1,     /**< For others, which are under way. */
    SWARM_WAIT_GUARD = 2,    /**< Held by the mass-failure guard. */
    SWARM_WAIT_GIVEN_UP = 3, /**< For a node to come back, or swarm_rescheduler_release(). */
    SWARM_WAIT_END = 4,      /**< For its action's end, which is under way. */
};
/** A container that waits. Everything is borrowed until the function that is told returns. */
struct swarm_waiting {
    size_t size;                       /**< Of what the library knows. */
    struct swarm_container *container; /**< Which one. */
    int kind;                          /**< SWARM_ACTION_MOVE: to be moved (or a copy started); SWARM_ACTION_REMOVE. */
    int wait;                          /**< enum swarm_wait */
    unsigned attempts;                 /**< Tries that failed. */
    int64_t next_ms;                   /**< When it is tried next, on the caller's clock; -1: that depends. */
    const char *reason;                /**< Why the last try failed; NULL: none has. */
};
/** Told of a container that waits; it must not call the rescheduler or change the cluster. */
typedef void (*swarm_waiting_fn)(void *data, const struct swarm_waiting *waiting);

/**
 * Walk the containers of a node that are waiting to be moved or being moved, and those to be removed.
 *
 * @param rescheduler  NULL is allowed.
 * @param node         One of the cluster's.
 * @param fn           Called for each.
 * @param data         Passed to @p fn.
 *
 * Thread safety: one thread at a time, which has the cluster to itself. Since: 1.3
 */
SWARM_EXPORT void swarm_rescheduler_each_waiting(const struct swarm_rescheduler *rescheduler,
                                                 const struct swarm_node *node, swarm_waiting_fn fn, void *data);

#ifdef __cplusplus
}
#endif
#endif
