/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_RESCHEDULER_H
#define SWARM_SRC_RESCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swarm/rescheduler.h>

#include "map.h"

/*
 * The rescheduler's parts:
 *   rescheduler.c         events and results
 *   rescheduler_next.c    the next action, and when to ask for it
 *   rescheduler_task.c    what is to be done, and when
 *   rescheduler_copies.c  which containers are copies of one another, and which of them is the old one
 *
 * Whatever may fail for lack of memory is made ready first; then the state changes in steps that cannot fail.
 */

struct swarm__site;

enum swarm__task_state {
    SWARM__TASK_WAITING,   /**< In its queue until it is due. */
    SWARM__TASK_HELD,      /**< Due, but its turn comes only after something under way has ended. */
    SWARM__TASK_UNDER_WAY, /**< Given out as an action. */
};

struct swarm__task {
    struct swarm__task *previous; /**< In its list: of a site (moves), or of the rescheduler (removals). */
    struct swarm__task *next;
    struct swarm__task *next_active; /**< Held or under way: in the rescheduler's list of those. */
    uint64_t id;                     /**< Rises: of two due at the same time, the older one goes first. */
    int64_t due_ms;
    size_t position; /**< In its queue. */
    unsigned attempts;
    char *reason;  /**< Why the last attempt failed; NULL: none has, or no memory for it. */
    uint8_t kind;  /**< enum swarm_action_kind */
    uint8_t state; /**< enum swarm__task_state */
    bool start;
    bool called_off;                       /**< Under way while it is not wanted any more: not to be tried again. */
    struct swarm__site *site;              /**< Of the lost node, for a move. */
    struct swarm_container *container;     /**< NULL: removed while the task was under way. */
    struct swarm_container *kept;          /**< Removal, or start of a copy, under way; NULL: as above. */
    struct swarm_reservation *reservation; /**< Move under way; the caller's, kept for an end without report. */
    const struct swarm_node *target;       /**< Move under way: where to; NULL: removed. */
};

struct swarm__task_list {
    struct swarm__task *first;
    struct swarm__task *last;
    size_t count;
};

/** Tasks by the time when they are due. */
struct swarm__queue {
    struct swarm__task **heap;
    size_t count;
    size_t capacity;
};

/** A node that is lost, or whose moves are still under way. */
struct swarm__site {
    struct swarm__map_item by_id; /**< Its key is the node's id, in @c id. */
    struct swarm_node *node;
    bool lost;
    struct swarm__task_list moves;
    char id[];
};

/** The docker id of a container that was replaced: should it show up again, it is the old copy. */
struct swarm__replaced {
    struct swarm__map_item by_id; /**< Its key is @c texts. */
    const char *by;               /**< Docker id of its stand-in, which may have been replaced since. Behind the key. */
    bool gone;                    /**< It was removed: kept only for others, whose stand-in it was. */
    bool needed;                  /**< Scratch for swarm__replaced_gone(). */
    char texts[];
};

struct swarm_rescheduler {
    struct swarm_cluster *cluster;
    const struct swarm_scheduler *scheduler;
    struct swarm_rescheduler_options options;
    int64_t now_ms;
    uint64_t last_id;
    struct swarm__map sites;
    struct swarm__map replaced;
    size_t replaced_gone;
    struct swarm__task_list removals;
    struct swarm__queue move_queue;
    struct swarm__queue removal_queue;
    size_t moves_made; /**< Tasks there are, whatever they are doing. */
    size_t removals_made;
    size_t failed_moves;           /**< Those that failed before. */
    struct swarm__task *held;      /**< Moves. */
    struct swarm__task *under_way; /**< Both kinds. */
    int moves_under_way;
    int removals_under_way;
    bool blocked; /**< Enough are held: no more tries until something changes. */
};

/* ---- rescheduler.c ---- */

/** The container is about to leave the cluster: nothing may point to it any more. */
void swarm__let_go(struct swarm_rescheduler *r, const struct swarm_container *container);
/** Start what swarm__find_old_copies() found. */
void swarm__start_removals(struct swarm_rescheduler *r, struct swarm__task *tasks);
/** The task that moves a container, NULL for none. @param site  May be NULL. */
struct swarm__task *swarm__move_of(const struct swarm__site *site, const struct swarm_container *container);
/** Running, paused or restarting. */
bool swarm__container_runs(const struct swarm_container *container);
/** Whether a task is (still) to be done. */
bool swarm__still_wanted(const struct swarm_rescheduler *r, const struct swarm__task *task);
/** @param reason  Copied; NULL: none. */
void swarm__task_set_reason(struct swarm__task *task, const char *reason);
/** Forget about a node that is neither lost nor moved from. @p site  May be NULL. */
void swarm__site_tidy(struct swarm_rescheduler *r, struct swarm__site *site);

/* ---- rescheduler_task.c ---- */

/** Make a task and room for it in its queue; it is nowhere yet. @return NULL where there is no memory. */
struct swarm__task *swarm__task_new(struct swarm_rescheduler *r, int kind, struct swarm_container *container);
/** Put it into its list and its queue. @p site  Of a move, NULL for a removal. */
void swarm__task_start(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm__site *site, int64_t due_ms);
/** Take it out of everything it is in, and release it. */
void swarm__task_drop(struct swarm_rescheduler *r, struct swarm__task *task);
/** Release tasks that were not started, chained by @c next. */
void swarm__task_free_chain(struct swarm_rescheduler *r, struct swarm__task *first);
/** Change when a waiting task is due. */
void swarm__task_reschedule(struct swarm_rescheduler *r, struct swarm__task *task, int64_t due_ms);
/** From its queue into the list of those held, or under way. */
void swarm__task_hold(struct swarm_rescheduler *r, struct swarm__task *task);
void swarm__task_give(struct swarm_rescheduler *r, struct swarm__task *task);
/** Put a task that failed just now back into its queue, for after a pause. */
void swarm__task_retry(struct swarm_rescheduler *r, struct swarm__task *task);
/** Put all held ones back into their queue. */
void swarm__task_release_held(struct swarm_rescheduler *r);
struct swarm__task *swarm__task_under_way(const struct swarm_rescheduler *r, uint64_t id);
/** The next one, NULL for none. */
struct swarm__task *swarm__queue_first(const struct swarm__queue *queue);

/* ---- rescheduler_copies.c ---- */

struct swarm__site *swarm__site_find(const struct swarm_rescheduler *r, const struct swarm_node *node);
/** Whether what runs there can be relied on. */
bool swarm__node_live(const struct swarm_rescheduler *r, const struct swarm_node *node);

/** Note that @p by stands in for a container. @return 0, or SWARM_ERR_NOMEM. */
int swarm__replaced_add(struct swarm_rescheduler *r, const char *container_id, const char *by);
/** It was not replaced (any more). */
void swarm__replaced_forget(struct swarm_rescheduler *r, const char *container_id);
/** It was replaced, and will not be seen again. */
void swarm__replaced_gone(struct swarm_rescheduler *r, const char *container_id);
bool swarm__is_replaced(const struct swarm_rescheduler *r, const struct swarm_container *container);
/**
 * What stands in now, on a live node, for a container that was replaced: the reason why that one can be removed.
 *
 * @return NULL: it was not replaced, its stand-in is gone or out of reach, or both are on one engine.
 */
struct swarm_container *swarm__stand_in_of(const struct swarm_rescheduler *r, const struct swarm_container *old);

/** The very same container on any other node, NULL for none. */
struct swarm_container *swarm__alias(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** The very same container on another live node: one engine under two addresses. */
bool swarm__seen_elsewhere(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** A copy of a lost container that lives on another node already and is not being removed, NULL for none. */
struct swarm_container *swarm__living_copy(struct swarm_rescheduler *r, struct swarm_container *lost);
/** A copy of a lost container on another node that is lost too, NULL for none. */
struct swarm_container *swarm__lost_copy(struct swarm_rescheduler *r, struct swarm_container *lost);

/**
 * Make removals for all old copies that can be removed now that a node is back.
 *
 * @param was_lost   It was known to be lost until now.
 * @param ret_tasks  Chained by @c next, not started.
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__find_old_copies(struct swarm_rescheduler *r, const struct swarm_node *node, bool was_lost,
                           struct swarm__task **ret_tasks);
/** The same for those that a container stands in for. @param lost  The last one of them; may be NULL. */
int swarm__find_old_copies_of(struct swarm_rescheduler *r, struct swarm_container *stand_in,
                              struct swarm_container *lost, struct swarm__task **ret_tasks);

/**
 * The request with stand-ins in the place of replaced containers in whose namespaces it is to run. (Engines turn the
 * names in "container:<name>" into ids when they create, and those change with a move.)
 *
 * @param ret_request  New reference, to @p request itself where nothing changes.
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__follow_replaced(const struct swarm_rescheduler *r, struct swarm_request *request,
                           struct swarm_request **ret_request);

#endif
