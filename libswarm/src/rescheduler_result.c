/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "error.h"
#include "node.h"
#include "rescheduler.h"

/* ---- terms ---- */

int swarm_rescheduler_set_term(struct swarm_rescheduler *r, int64_t now_ms, uint64_t term, struct swarm_error **reterr)
{
    if (r == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler is NULL");
    if (term < r->term)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "term %" PRIu64 " is older than the present term %" PRIu64,
                                term, r->term);
    swarm__set_clock(r, now_ms);
    r->term = term;
    return 0;
}

uint64_t swarm_rescheduler_term(const struct swarm_rescheduler *r)
{
    return r != NULL ? r->term : 0;
}

int swarm_rescheduler_wanted(const struct swarm_rescheduler *r, uint64_t action_id)
{
    const struct swarm__task *task = r != NULL ? swarm__task_under_way(r, action_id) : NULL;
    return task != NULL && task->term == r->term && swarm__still_wanted(r, task) &&
           !(task->kind == SWARM_ACTION_MOVE && r->guard.on);
}

/* ---- whose result it is ---- */

/** Nobody knows whether it was done. */
static void expect_late_effect(struct swarm_rescheduler *r, const struct swarm__task *task)
{
    if (task->container == NULL)
        return;
    if (task->kind == SWARM_ACTION_REMOVE)
        swarm__replaced_doom(r, swarm_container_id(task->container));
    else if (task->target != NULL && task->kept == NULL)
        swarm__attempt_add(r, task->container, task->target);
}

/**
 * Over without a result: whether there is still something to do is seen when its turn comes. Where the container is
 * back what tries of a move have made all the same is looked for at once, as no later try would find it; for lack of
 * memory it is not found before its node or the other one is back.
 */
static void end_without_result(struct swarm_rescheduler *r, struct swarm__task *task)
{
    struct swarm__site *site = task->site;
    struct swarm_container *container = task->kind == SWARM_ACTION_MOVE ? task->container : NULL;
    struct swarm__task *removals = NULL;
    if (swarm__still_wanted(r, task))
        swarm__task_requeue(r, task);
    else
        swarm__task_drop(r, task);
    swarm__site_tidy(r, site);
    if (container != NULL && swarm__node_live(r, swarm_container_node(container)) &&
        swarm__find_late_copy(r, container, &removals) == 0)
        swarm__start_removals(r, removals);
    swarm__task_release_held(r);
}

/** The action that is reported on. @param kind  0: any. @return 0 or the error; one of an old term is over then. */
static int reported(struct swarm_rescheduler *r, int64_t now_ms, uint64_t id, int kind, struct swarm__task **ret_task,
                    struct swarm_error **reterr)
{
    struct swarm__task *task = r != NULL ? swarm__task_under_way(r, id) : NULL;
    if (task == NULL || (kind != 0 && task->kind != kind))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no action %" PRIu64 " of that kind is under way", id);
    if (task->term != r->term) {
        uint64_t term = task->term;
        swarm__set_clock(r, now_ms);
        expect_late_effect(r, task);
        end_without_result(r, task);
        return swarm__error_set(reterr, SWARM_ERR_STATE,
                                "action %" PRIu64 " is of term %" PRIu64 ", which ended: it is term %" PRIu64 " now",
                                id, term, r->term);
    }
    *ret_task = task;
    return 0;
}

/* ---- moves ---- */

/** What follows from a move. */
struct outcome {
    struct swarm__task *removals;
    struct swarm__task *move; /* the stand-in's own, where its node is lost by now */
};

/**
 * Another copy has become known on a live node meanwhile, that was not made here: that one counts, and the stand-in is
 * to go.
 */
static int yield_to_other(struct swarm_rescheduler *r, struct swarm_container *lost, struct swarm_container *stand_in,
                          struct outcome *outcome)
{
    const struct swarm_container *other = swarm__other_copy(r, stand_in, lost);
    struct swarm__task *removal = NULL;
    if (other == NULL)
        return 0;
    if (swarm__removal_of(r, stand_in) == NULL && (removal = swarm__task_new(r, SWARM_ACTION_REMOVE, stand_in)) == NULL)
        return SWARM_ERR_NOMEM;
    if (swarm__replaced_add(r, swarm_container_id(stand_in), swarm_container_id(other), true) < 0) {
        swarm__task_free_chain(r, removal);
        return SWARM_ERR_NOMEM;
    }
    if (removal == NULL)
        return 0;
    removal->next = outcome->removals;
    outcome->removals = removal;
    return 0;
}

static int prepare_moved(struct swarm_rescheduler *r, struct swarm_container *lost, struct swarm_container *stand_in,
                         struct outcome *outcome)
{
    const struct swarm__site *site = swarm__site_find(r, swarm_container_node(stand_in));
    if (site != NULL && site->lost) {
        if (swarm__to_be_moved(stand_in) && swarm__move_of(r, stand_in) == NULL)
            return (outcome->move = swarm__move_new(r, stand_in)) == NULL ? SWARM_ERR_NOMEM : 0;
        return 0;
    }
    if (swarm__find_old_copies_of(r, stand_in, lost, &outcome->removals) < 0)
        return SWARM_ERR_NOMEM;
    if (yield_to_other(r, lost, stand_in, outcome) < 0) {
        swarm__task_free_chain(r, outcome->removals);
        return SWARM_ERR_NOMEM;
    }
    return 0;
}

/** The lost container is not listed any more. Where its node is back it stays, to be removed there. */
static void finish_move(struct swarm_rescheduler *r, struct swarm__task *task)
{
    struct swarm_container *lost = task->container;
    struct swarm__site *site = task->site;
    swarm__task_drop(r, task);
    if (lost != NULL && site->lost)
        swarm__replaced_hide(r, lost);
    swarm__site_tidy(r, site);
}

/** It was started where it is, or could not be: nothing more is done about it. */
static void finish_restart(struct swarm_rescheduler *r, struct swarm__task *task)
{
    struct swarm__site *site = task->site;
    swarm__task_drop(r, task);
    swarm__site_tidy(r, site);
    swarm__task_release_held(r);
}

int swarm_rescheduler_moved(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id,
                            struct swarm_container *stand_in, struct swarm_error **reterr)
{
    struct outcome outcome = {NULL, NULL};
    struct swarm__task *task = NULL;
    if (stand_in == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "stand_in is NULL");
    int rc = reported(r, now_ms, action_id, SWARM_ACTION_MOVE, &task, reterr);
    if (rc < 0)
        return rc;
    struct swarm_container *lost = task->container;
    if (task->restart && stand_in == lost) {
        swarm__set_clock(r, now_ms);
        finish_restart(r, task);
        return 0;
    }
    if (stand_in == lost || swarm_container_node(stand_in)->cluster != r->cluster)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "stand_in %s is %s", swarm_container_id(stand_in),
                                stand_in == lost ? "the lost container itself" : "of another cluster");
    /* It may be an old copy that was started. */
    if (swarm__replaced_take_over(r, swarm_container_id(stand_in)) < 0 ||
        (lost != NULL && swarm__replaced_add(r, swarm_container_id(lost), swarm_container_id(stand_in), false) < 0))
        return swarm__error_nomem(reterr);
    if (prepare_moved(r, lost, stand_in, &outcome) < 0) {
        if (lost != NULL)
            swarm__replaced_forget(r, swarm_container_id(lost));
        return swarm__error_nomem(reterr);
    }
    swarm__set_clock(r, now_ms);
    finish_move(r, task);
    swarm__start_removals(r, outcome.removals);
    swarm__hasten_removals(r, stand_in);
    if (outcome.move != NULL) {
        struct swarm__site *site = swarm__site_find(r, swarm_container_node(stand_in));
        swarm__task_start(r, outcome.move, site, site->due_ms);
    }
    swarm__retry_failed(r, true);
    swarm__task_release_held(r);
    return 0;
}

/* ---- removals, failures ---- */

int swarm_rescheduler_removed(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id,
                              struct swarm_error **reterr)
{
    struct swarm__task *task = NULL;
    int rc = reported(r, now_ms, action_id, SWARM_ACTION_REMOVE, &task, reterr);
    if (rc < 0)
        return rc;
    swarm__set_clock(r, now_ms);
    struct swarm_container *container = task->container;
    swarm__task_drop(r, task);
    if (container != NULL) {
        swarm__replaced_gone(r, swarm_container_id(container));
        swarm__forget_aliases(r, container); /* where it is listed still, nothing may count on it any more */
        swarm__let_go(r, container);
        swarm_cluster_remove_container(r->cluster, container);
    }
    swarm__task_release_held(r);
    return 0;
}

bool swarm__still_wanted(const struct swarm_rescheduler *r, const struct swarm__task *task)
{
    if (task->container == NULL || task->called_off)
        return false;
    if (task->kind == SWARM_ACTION_MOVE)
        return true;
    if (!swarm__node_live(r, swarm_container_node(task->container)))
        return false;
    return swarm__is_deleted(r, swarm_container_id(task->container)) ? !swarm__seen_elsewhere(r, task->container)
                                                                     : swarm__stand_in_of(r, task->container) != NULL;
}

static int fail(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id, const char *reason, bool unanswered,
                struct swarm_error **reterr)
{
    struct swarm__task *task = NULL;
    int rc = reported(r, now_ms, action_id, 0, &task, reterr);
    if (rc < 0)
        return rc;
    swarm__set_clock(r, now_ms);
    if (task->restart) {
        finish_restart(r, task);
        return 0;
    }
    if (unanswered)
        expect_late_effect(r, task);
    if (!swarm__still_wanted(r, task) || (task->kind == SWARM_ACTION_MOVE && r->guard.on)) {
        end_without_result(r, task);
        return 0;
    }
    swarm__task_set_reason(task, reason);
    swarm__task_retry(r, task);
    swarm__site_tidy(r, task->site);
    swarm__task_release_held(r);
    return 0;
}

int swarm_rescheduler_failed(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id, const char *reason,
                             struct swarm_error **reterr)
{
    return fail(r, now_ms, action_id, reason, false, reterr);
}

int swarm_rescheduler_unanswered(struct swarm_rescheduler *r, int64_t now_ms, uint64_t action_id, const char *reason,
                                 struct swarm_error **reterr)
{
    return fail(r, now_ms, action_id, reason, true, reterr);
}
