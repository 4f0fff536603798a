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
 *   rescheduler.c            events
 *   rescheduler_result.c     results of actions, and terms
 *   rescheduler_next.c       the next action, and when to ask for it
 *   rescheduler_task.c       what is to be done, and when
 *   rescheduler_index.c      which task is about a container
 *   rescheduler_copies.c     which containers are copies of one another
 *   rescheduler_replaced.c   what was replaced by what
 *   rescheduler_attempt.c    moves without an answer, which may have made something all the same
 *   rescheduler_reconcile.c  which of two copies is to go
 *   rescheduler_guard.c      the mass-failure guard
 *   rescheduler_memory.c     what outlives it: told to the caller, and remembered from an earlier one
 *   rescheduler_state.c      what there is to tell of it
 *
 * Whatever may fail for lack of memory is made ready first; then the state changes in steps that cannot fail.
 */

/** An engine that has not begun by then what it was asked for never will. */
#define SWARM__LATE_MS (10 * INT64_C(60000))

/** What stands in for a container that its user removed. */
#define SWARM__DELETED ""

struct swarm__site;

enum swarm__task_state {
    SWARM__TASK_WAITING,   /**< In its queue until it is due. */
    SWARM__TASK_HELD,      /**< Due, but its turn comes only after something under way has ended. */
    SWARM__TASK_UNDER_WAY, /**< Given out as an action. */
    SWARM__TASK_GIVEN_UP,  /**< Tried as often as allowed: in no queue until something changes. */
};

struct swarm__task {
    struct swarm__task *previous; /**< In its list: of a site (moves), or of the rescheduler (removals). */
    struct swarm__task *next;
    struct swarm__task *next_active; /**< Held or under way: in the rescheduler's list of those. */
    uint64_t id;                     /**< Rises: of two due at the same time, the older one goes first. */
    uint64_t term;                   /**< Under way: the term it was given out in. */
    int64_t due_ms;
    size_t position; /**< In its queue. */
    unsigned attempts;
    char *reason;  /**< Why the last attempt failed; NULL: none has, or no memory for it. */
    uint8_t kind;  /**< enum swarm_action_kind */
    uint8_t state; /**< enum swarm__task_state */
    bool start;
    bool copy_seen;                        /**< Move: a copy is on a live node, found while the guard held. */
    bool adopt;                            /**< Under way as the adoption of @c kept. */
    bool restart;                          /**< Move: its node is back, and it is to be started where it is. */
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

/** Tasks by their container: open addressing, at most half full. */
struct swarm__task_index {
    struct swarm__task **slots;
    size_t capacity; /**< A power of two, or 0. */
};

/** A node that is lost, or whose moves are still under way. */
struct swarm__site {
    struct swarm__map_item by_id; /**< Its key is the node's id, in @c id. */
    struct swarm_node *node;      /**< NULL: taken out of the cluster, and kept for the guard only. */
    struct swarm__site *previous; /**< Of those that count for the guard, in the order they were lost. */
    struct swarm__site *following;
    int64_t lost_ms;
    int64_t due_ms; /**< Its grace is over. */
    bool lost;
    bool counted; /**< For the guard. */
    struct swarm__task_list moves;
    char id[];
};

/** The docker id of a container that was replaced: should it show up again, it is the old copy. */
struct swarm__replaced {
    struct swarm__map_item by_id; /**< Its key is @c texts. */
    const char *by;      /**< Docker id of its stand-in, which may have been replaced since; SWARM__DELETED: it was
                              removed for good. Behind the key, as is @c node_id. */
    const char *node_id; /**< Where it is or was; empty: not known. */
    struct swarm__replaced *following; /**< The next one that was replaced by the same. */
    int64_t doomed_ms;                 /**< Until then it may be removed by what was not answered. */
    bool judged;                       /**< For good: not to be reconciled. */
    bool gone;                         /**< It was removed: kept only for others, whose stand-in it was. */
    bool hidden;                       /**< Taken out of the cluster here: its engine may have listed it just before. */
    bool needed;                       /**< Scratch for swarm__replaced_gone(). */
    char texts[];
};

/** All that one container was put in the place of. */
struct swarm__replacer {
    struct swarm__map_item by_id;
    struct swarm__replaced *first;
    char id[];
};

/** A move that was not answered: what it was to make may show up there later. */
struct swarm__attempt {
    struct swarm__map_item by_key; /**< Its key is @c key: swarm id and node id. */
    struct swarm__attempt *following;
    int64_t made_ms;
    int64_t due_ms; /**< To be forgotten. */
    bool again;     /**< Made once more since. */
    bool start;     /**< Known from an earlier rescheduler: what it made is to be started. */
    bool deleted;   /**< Its user has removed the container since: what it made is to go. */
    char key[];
};

struct swarm__guard {
    bool on;
    int64_t since_ms;
    int64_t settle_ms;         /**< While it is on: when to look at moves with @c copy_seen; INT64_MAX: never. */
    struct swarm__site *first; /**< Counted ones, the one that was lost first in front. */
    struct swarm__site *last;
    size_t counted;
};

struct swarm_rescheduler {
    struct swarm_cluster *cluster;
    const struct swarm_scheduler *scheduler;
    struct swarm_rescheduler_options options;
    swarm_report_fn report;
    void *report_data;
    swarm_memory_fn memory;
    void *memory_data;
    int64_t now_ms;
    uint64_t term;
    uint64_t last_id;
    struct swarm__map sites;
    size_t lost_nodes; /**< Sites that are lost and in the cluster. */
    struct swarm__guard guard;
    struct swarm__map replaced;
    struct swarm__map replacers;
    size_t replaced_gone;
    struct swarm__map attempts;
    struct swarm__attempt *first_attempt; /**< Oldest first. */
    struct swarm__attempt *last_attempt;
    struct swarm__task_list removals;
    struct swarm__queue move_queue;
    struct swarm__queue removal_queue;
    struct swarm__task_index index;
    size_t moves_made; /**< Tasks there are, whatever they are doing. */
    size_t removals_made;
    size_t failed_moves; /**< Those that failed before. */
    size_t given_up;
    struct swarm__task *held;      /**< Moves. */
    struct swarm__task *under_way; /**< Both kinds. */
    int moves_under_way;
    int removals_under_way;
    bool blocked; /**< Enough are held: no more tries until something changes. */
};

/* ---- rescheduler.c ---- */

/** The clock never runs backwards here. */
void swarm__set_clock(struct swarm_rescheduler *r, int64_t now_ms);
/** The container is about to leave the cluster: nothing may point to it any more. */
void swarm__let_go(struct swarm_rescheduler *r, const struct swarm_container *container);
/** Start what swarm__find_old_copies() found. */
void swarm__start_removals(struct swarm_rescheduler *r, struct swarm__task *tasks);
/** Make a task that moves a container. @return NULL where there is no memory. */
struct swarm__task *swarm__move_new(struct swarm_rescheduler *r, struct swarm_container *container);
/** Whether it has a policy that says so. */
bool swarm__to_be_moved(const struct swarm_container *container);
/** Running, paused or restarting. */
bool swarm__container_runs(const struct swarm_container *container);
/** @param reason  Copied; NULL: none. */
void swarm__task_set_reason(struct swarm__task *task, const char *reason);
/** Forget about a node that is neither lost nor moved from. @p site  May be NULL. */
void swarm__site_tidy(struct swarm_rescheduler *r, struct swarm__site *site);
/** The one there is, or a new one of a node that is not lost. @return NULL where there is no memory. */
struct swarm__site *swarm__site_get(struct swarm_rescheduler *r, struct swarm_node *node);
void swarm__site_free(struct swarm_rescheduler *r, struct swarm__site *site);
/**
 * Try at once what failed before or was given up: the cluster has changed.
 *
 * @param only_tied  Only what depends on other containers.
 */
void swarm__retry_failed(struct swarm_rescheduler *r, bool only_tied);

/* ---- rescheduler_result.c ---- */

/** Whether a task is (still) to be done. */
bool swarm__still_wanted(const struct swarm_rescheduler *r, const struct swarm__task *task);

/* ---- rescheduler_next.c ---- */

/** Whether a container, which its engine tells of already, is what a move under way is making. */
bool swarm__in_the_making(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** Whether an action under way is about that container: it must stay until that is reported. */
bool swarm__involved(const struct swarm_rescheduler *r, const struct swarm_container *container);

/* ---- rescheduler_guard.c ---- */

/** A node was lost, or came back or is new (then there may be no site): count it, or not any more, and see what follows
 *  from that. */
void swarm__guard_lost(struct swarm_rescheduler *r, struct swarm__site *site);
void swarm__guard_back(struct swarm_rescheduler *r, struct swarm__site *site);
/** Time has passed. */
void swarm__guard_expire(struct swarm_rescheduler *r);
/** How many nodes there were when the first of those that count was lost. */
size_t swarm__guard_total(const struct swarm_rescheduler *r);
/** Tell of a container. */
void swarm__report_given_up(const struct swarm_rescheduler *r, const struct swarm__task *task);

/* ---- rescheduler_index.c ---- */

/** Make room for so many tasks. @return 0, or SWARM_ERR_NOMEM. */
int swarm__task_index_reserve(struct swarm__task_index *index, size_t tasks);
/** Cannot fail: there is room. The task's container must not change while it is in. */
void swarm__task_index_add(struct swarm__task_index *index, struct swarm__task *task);
/** Nothing happens where the task has no container any more. */
void swarm__task_index_remove(struct swarm__task_index *index, const struct swarm__task *task);
struct swarm__task *swarm__task_index_find(const struct swarm__task_index *index,
                                           const struct swarm_container *container, int kind);
/** The task that moves a container, or removes it; NULL for none. */
struct swarm__task *swarm__move_of(const struct swarm_rescheduler *r, const struct swarm_container *container);
struct swarm__task *swarm__removal_of(const struct swarm_rescheduler *r, const struct swarm_container *container);

/* ---- rescheduler_task.c ---- */

/** Make a task and room for it in its queue; it is nowhere yet. @return NULL where there is no memory. */
struct swarm__task *swarm__task_new(struct swarm_rescheduler *r, int kind, struct swarm_container *container);
/** Put it into its list and its queue. @p site  Of a move, NULL for a removal. */
void swarm__task_start(struct swarm_rescheduler *r, struct swarm__task *task, struct swarm__site *site, int64_t due_ms);
/** Take it out of everything it is in, and release it. */
void swarm__task_drop(struct swarm_rescheduler *r, struct swarm__task *task);
/** Release tasks that were not started, chained by @c next. */
void swarm__task_free_chain(struct swarm_rescheduler *r, struct swarm__task *first);
/** Change the container that a task is about. @param container  NULL: none any more. */
void swarm__task_set_container(struct swarm_rescheduler *r, struct swarm__task *task,
                               struct swarm_container *container);
/** Change when a waiting task is due. */
void swarm__task_reschedule(struct swarm_rescheduler *r, struct swarm__task *task, int64_t due_ms);
/** From its queue into the list of those held, or under way. */
void swarm__task_hold(struct swarm_rescheduler *r, struct swarm__task *task);
void swarm__task_give(struct swarm_rescheduler *r, struct swarm__task *task);
/** Put a task that failed just now back into its queue, for after a pause; one that has failed as often as allowed is
 *  given up. */
void swarm__task_retry(struct swarm_rescheduler *r, struct swarm__task *task);
/** Put a task that is under way back into its queue, to be given out again at once. */
void swarm__task_requeue(struct swarm_rescheduler *r, struct swarm__task *task);
/** Begin anew with one that was given up. */
void swarm__task_revive(struct swarm_rescheduler *r, struct swarm__task *task);
/** Put all held ones back into their queue. */
void swarm__task_release_held(struct swarm_rescheduler *r);
struct swarm__task *swarm__task_under_way(const struct swarm_rescheduler *r, uint64_t id);
/** The next one, NULL for none. */
struct swarm__task *swarm__queue_first(const struct swarm__queue *queue);

/* ---- rescheduler_replaced.c ---- */

/** Note that @p by stands in for a container. @return 0, or SWARM_ERR_NOMEM. */
int swarm__replaced_add(struct swarm_rescheduler *r, const char *container_id, const char *by, bool judged);
/** The same, known from before. @param node_id  Empty: not known. */
int swarm__replaced_restore(struct swarm_rescheduler *r, const struct swarm_memory *memory);
/** It was not replaced (any more). */
void swarm__replaced_forget(struct swarm_rescheduler *r, const char *container_id);
/** It counts again: what stood in for it last is an old copy of it from now on. @return 0, or SWARM_ERR_NOMEM. */
int swarm__replaced_take_over(struct swarm_rescheduler *r, const char *container_id);
/** It was replaced, and will not be seen again. */
void swarm__replaced_gone(struct swarm_rescheduler *r, const char *container_id);
/** Its removal may take effect yet, for a while: not to be relied on. */
void swarm__replaced_doom(struct swarm_rescheduler *r, const char *container_id);
/** Take a container whose node is lost out of the cluster. */
void swarm__replaced_hide(struct swarm_rescheduler *r, struct swarm_container *container);
/** Those that were on a node which is back and does not have them any more are gone. */
void swarm__replaced_settle(struct swarm_rescheduler *r, const struct swarm_node *node);
bool swarm__is_doomed(const struct swarm_rescheduler *r, const struct swarm_container *container);
struct swarm__replaced *swarm__replaced_find(const struct swarm_rescheduler *r, const char *container_id);
bool swarm__is_replaced(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** Whether what stood in for it was removed by its user: it is to go, too. */
bool swarm__is_deleted(const struct swarm_rescheduler *r, const char *container_id);
/** The id of what stands in for a container now, after all its moves; its own where it was never replaced;
 * SWARM__DELETED where swarm__is_deleted(). */
const char *swarm__replaced_end(const struct swarm_rescheduler *r, const char *container_id);
/** Walk all that a container stands in for, through all their moves: start with NULL; NULL at the end. */
struct swarm__replaced *swarm__replaced_next(const struct swarm_rescheduler *r, const char *stand_in_id,
                                             const struct swarm__replaced *previous);

/* ---- rescheduler_memory.c ---- */

/** Start what moves made that nobody saw the end of, on a node that is back. @return 0, or SWARM_ERR_NOMEM. */
int swarm__continue_moves(struct swarm_rescheduler *r, struct swarm_node *node);
/** Tell the caller of a container that was replaced. @param forgotten  It is not, any more. */
void swarm__tell_memory(const struct swarm_rescheduler *r, const struct swarm__replaced *replaced, bool forgotten);

/* ---- rescheduler_attempt.c ---- */

/** Remember that a move onto a node was not answered; not, where there is no memory. */
void swarm__attempt_add(struct swarm_rescheduler *r, const struct swarm_container *container,
                        const struct swarm_node *node);
/** The same by ids. @return 0, SWARM_ERR_INVALID (no swarm id, or all of it is too long), SWARM_ERR_NOMEM. */
int swarm__attempt_add_ids(struct swarm_rescheduler *r, const char *swarm_id, const char *node_id, bool start);
/** Whether it made a container that is to be started, which has not been asked before. */
bool swarm__attempt_take_start(struct swarm_rescheduler *r, const struct swarm_container *container);
/** The container was removed by its user, wherever it was then. */
void swarm__attempt_delete(struct swarm_rescheduler *r, const char *swarm_id);
/** Whether a container is what such a move of one made that was removed by its user: it never ran. */
bool swarm__attempt_is_deleted(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** Whether a container may be what such a move made. */
bool swarm__attempt_made(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** Forget those that are too old. */
void swarm__attempt_expire(struct swarm_rescheduler *r);
void swarm__attempt_finish(struct swarm_rescheduler *r);

/* ---- rescheduler_reconcile.c ---- */

enum swarm__verdict {
    SWARM__REMOVE_OLD, /**< The one that was replaced is to go. */
    SWARM__REMOVE_NEW, /**< The one that stands in for it is. */
    SWARM__REMOVE_NONE /**< Neither, for now. */
};
/** What a word such as "keep-old" stands for. @return enum swarm_reconcile, -1: nothing. */
int swarm__reconcile_of(const char *word);
/** Which one is to go of a container and what stands in for it now. */
enum swarm__verdict swarm__judge(const struct swarm_rescheduler *r, const struct swarm_container *old,
                                 const struct swarm_container *stand_in);
/** The old one stays, and what stood in for it is the one that was replaced. @return 0, or SWARM_ERR_NOMEM. */
int swarm__trade_places(struct swarm_rescheduler *r, const struct swarm_container *old,
                        const struct swarm_container *stand_in);

/* ---- rescheduler_copies.c ---- */

struct swarm__site *swarm__site_find(const struct swarm_rescheduler *r, const struct swarm_node *node);
/** Whether what runs there can be relied on. */
bool swarm__node_live(const struct swarm_rescheduler *r, const struct swarm_node *node);

/**
 * What stands in now, on a live node, for a container that was replaced: the reason why that one can be removed.
 *
 * @return NULL: it was not replaced, its stand-in is gone or out of reach, or both are on one engine.
 */
struct swarm_container *swarm__stand_in_of(const struct swarm_rescheduler *r, const struct swarm_container *old);

/** The container of that docker id. @param not_on  May be NULL. @param live  Only on a live node. @return NULL: none.
 */
struct swarm_container *swarm__find_id(const struct swarm_rescheduler *r, const char *id,
                                       const struct swarm_node *not_on, bool live);
/** The very same container on any other node, NULL for none. */
struct swarm_container *swarm__alias(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** Take the very same container, as its engine's other addresses list it, out of the cluster; but none that an action
 *  under way is about. */
void swarm__forget_aliases(struct swarm_rescheduler *r, const struct swarm_container *container);
/** The very same container on another live node: one engine under two addresses. */
bool swarm__seen_elsewhere(const struct swarm_rescheduler *r, const struct swarm_container *container);
/** A copy of a lost container that lives on another node already and is not being removed, NULL for none. */
struct swarm_container *swarm__living_copy(struct swarm_rescheduler *r, struct swarm_container *lost);
/** The same that was never replaced, for a container whose node lives; not @p except, which may be NULL. */
struct swarm_container *swarm__other_copy(struct swarm_rescheduler *r, struct swarm_container *container,
                                          const struct swarm_container *except);
/** Whether any node has another copy of it, or what may be one. */
bool swarm__has_copy(struct swarm_rescheduler *r, struct swarm_container *container);
/** A copy of a container on another node that is lost, NULL for none. */
struct swarm_container *swarm__lost_copy(struct swarm_rescheduler *r, struct swarm_container *container);

/** While the guard is on: mark the moves of lost ones that a node now back has copies of. They need not be moved. */
void swarm__note_living_copies(struct swarm_rescheduler *r, const struct swarm_node *node);

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
/** The same for a container that may be the late product of a move, or that one may be a copy of. */
int swarm__find_late_copy(struct swarm_rescheduler *r, struct swarm_container *container,
                          struct swarm__task **ret_tasks);

/** Another old copy that runs, of those that one that does not run stands in for, and which is to be kept rather than
 *  @p old: the one that was started last. NULL: @p old is that one. */
struct swarm_container *swarm__better_old_copy(const struct swarm_rescheduler *r, const struct swarm_container *old,
                                               const struct swarm_container *stand_in);
/** Look again at removals that a container has to do with: its state has changed. */
void swarm__hasten_removals(struct swarm_rescheduler *r, const struct swarm_container *container);

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
