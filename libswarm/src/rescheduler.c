/* SPDX-License-Identifier: Apache-2.0 */
#include "rescheduler.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "abi.h"
#include "error.h"
#include "mem.h"
#include "node.h"
#include "request.h"

/* As it was published first; what came later is read where the caller has it. */
#define OPTIONS_FIRST (offsetof(struct swarm_rescheduler_options, mass_window_ms) + sizeof(int64_t))
_Static_assert(OPTIONS_FIRST == sizeof(size_t) + 4 * sizeof(int64_t) + 6 * sizeof(int) + sizeof(uint64_t),
               "published layout");

/* ---- life ---- */

static int check_options(const struct swarm_rescheduler_options *options, struct swarm_error **reterr)
{
    const struct {
        const char *name;
        int64_t value, least, greatest;
    } ranges[] = {
        {"grace_ms", options->grace_ms, 0, INT64_MAX},
        {"retry_initial_ms", options->retry_initial_ms, 1, INT64_MAX},
        {"retry_max_ms", options->retry_max_ms, 1, INT64_MAX},
        {"parallel", options->parallel, 1, INT_MAX},
        {"parallel_per_node", options->parallel_per_node, 1, INT_MAX},
        {"retry_limit", options->retry_limit, 0, INT_MAX},
        {"reconcile", options->reconcile, SWARM_RECONCILE_KEEP_NEW, SWARM_RECONCILE_LONGEST_RUNNING},
        {"mass_share_percent", options->mass_share_percent, 1, 100},
        {"mass_min_nodes", options->mass_min_nodes, 1, INT_MAX},
        {"mass_window_ms", options->mass_window_ms, 0, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].greatest)
            return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                    "rescheduler: %s %" PRId64 ": %" PRId64 " to %" PRId64 " is expected",
                                    ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].greatest);
    return 0;
}

int swarm_rescheduler_new(struct swarm_rescheduler **ret_rescheduler, struct swarm_cluster *cluster,
                          const struct swarm_scheduler *scheduler, const struct swarm_rescheduler_options *options,
                          struct swarm_error **reterr)
{
    struct swarm_rescheduler_options read = SWARM_RESCHEDULER_OPTIONS_INIT;
    if (ret_rescheduler == NULL || cluster == NULL || scheduler == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler: no cluster or no scheduler");
    if (options != NULL && swarm__abi_read(&read, sizeof(read), OPTIONS_FIRST, options) < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "rescheduler options: size %zu: start with SWARM_RESCHEDULER_OPTIONS_INIT",
                                options->size);
    int rc = check_options(&read, reterr);
    if (rc < 0)
        return rc;
    struct swarm_rescheduler *r = swarm__calloc(1, sizeof(*r));
    if (r == NULL)
        return swarm__error_nomem(reterr);
    r->cluster = cluster;
    r->scheduler = scheduler;
    r->options = read;
    r->now_ms = INT64_MIN;
    r->guard.settle_ms = INT64_MAX;
    *ret_rescheduler = r;
    return 0;
}

void swarm__site_free(struct swarm_rescheduler *r, struct swarm__site *site)
{
    swarm__map_remove(&r->sites, &site->by_id);
    swarm__free(site);
}

void swarm_rescheduler_free(struct swarm_rescheduler *r)
{
    if (r == NULL)
        return;
    struct swarm__map_item *item;
    size_t at = 0;
    r->memory = NULL; /* what was told holds */
    while ((item = swarm__map_next(&r->sites, &at)) != NULL) {
        struct swarm__site *site = (struct swarm__site *)item;
        while (site->moves.first != NULL) {
            struct swarm_reservation *reservation = site->moves.first->reservation;
            swarm__task_drop(r, site->moves.first);
            swarm_reservation_abort(reservation);
        }
    }
    while (r->removals.first != NULL)
        swarm__task_drop(r, r->removals.first);
    for (at = 0; (item = swarm__map_next(&r->sites, &at)) != NULL; at = 0)
        swarm__site_free(r, (struct swarm__site *)item);
    for (at = 0; (item = swarm__map_next(&r->replaced, &at)) != NULL; at = 0)
        swarm__replaced_forget(r, item->key);
    swarm__map_finish(&r->sites);
    swarm__map_finish(&r->replaced);
    swarm__map_finish(&r->replacers);
    swarm__attempt_finish(r);
    swarm__free(r->index.slots);
    swarm__free(r->move_queue.heap);
    swarm__free(r->removal_queue.heap);
    swarm__free(r);
}

/* ---- common steps ---- */

void swarm__set_clock(struct swarm_rescheduler *r, int64_t now_ms)
{
    if (now_ms <= r->now_ms)
        return;
    r->now_ms = now_ms;
    swarm__guard_expire(r);
    swarm__attempt_expire(r);
}

static struct swarm__site *site_new(struct swarm_rescheduler *r, struct swarm_node *node)
{
    size_t size = strlen(swarm_node_id(node)) + 1;
    struct swarm__site *site = swarm__calloc(1, sizeof(*site) + size);
    if (site == NULL)
        return NULL;
    memcpy(site->id, swarm_node_id(node), size);
    site->by_id.key = site->id;
    site->node = node;
    if (swarm__map_add(&r->sites, &site->by_id) < 0) {
        swarm__free(site);
        return NULL;
    }
    return site;
}

struct swarm__site *swarm__site_get(struct swarm_rescheduler *r, struct swarm_node *node)
{
    struct swarm__site *site = swarm__site_find(r, node);
    return site != NULL ? site : site_new(r, node);
}

void swarm__site_tidy(struct swarm_rescheduler *r, struct swarm__site *site)
{
    if (site != NULL && !site->lost && site->moves.count == 0)
        swarm__site_free(r, site);
}

void swarm__task_set_reason(struct swarm__task *task, const char *reason)
{
    char *copy = reason != NULL ? swarm__strdup(reason) : NULL;
    swarm__free(task->reason);
    task->reason = copy;
}

bool swarm__container_runs(const struct swarm_container *container)
{
    int state = swarm_container_state(container);
    return state == SWARM_CONTAINER_RUNNING || state == SWARM_CONTAINER_PAUSED || state == SWARM_CONTAINER_RESTARTING;
}

bool swarm__to_be_moved(const struct swarm_container *container)
{
    return swarm_request_reschedule_policy(swarm_container_request(container)) == SWARM_RESCHEDULE_ON_NODE_FAILURE;
}

struct swarm__task *swarm__move_new(struct swarm_rescheduler *r, struct swarm_container *container)
{
    struct swarm__task *task = swarm__task_new(r, SWARM_ACTION_MOVE, container);
    if (task != NULL)
        task->start = swarm__container_runs(container);
    return task;
}

void swarm__start_removals(struct swarm_rescheduler *r, struct swarm__task *tasks)
{
    while (tasks != NULL) {
        struct swarm__task *next = tasks->next;
        swarm__task_start(r, tasks, NULL, r->now_ms);
        tasks = next;
    }
}

/** What is under way ends by itself, of a container that is not there any more. */
static void let_task_go(struct swarm_rescheduler *r, struct swarm__task *task)
{
    if (task != NULL && task->state == SWARM__TASK_UNDER_WAY)
        swarm__task_set_container(r, task, NULL);
    else if (task != NULL)
        swarm__task_drop(r, task);
}

void swarm__let_go(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    let_task_go(r, swarm__move_of(r, container));
    let_task_go(r, swarm__removal_of(r, container));
    for (struct swarm__task *task = r->under_way; task != NULL; task = task->next_active)
        if (task->kept == container)
            task->kept = NULL;
}

static bool waits_for_others(const struct swarm__task *task)
{
    struct swarm__dependency dependency;
    const struct swarm_request *request = swarm_container_request(task->container);
    return swarm__request_dependency(request, 0, &dependency) || request->extras->affinities.count != 0;
}

static void retry(struct swarm_rescheduler *r, struct swarm__task *task)
{
    if (task->state == SWARM__TASK_GIVEN_UP)
        swarm__task_revive(r, task);
    else if (task->state == SWARM__TASK_WAITING && task->attempts != 0 && task->due_ms > r->now_ms)
        swarm__task_reschedule(r, task, r->now_ms);
}

void swarm__retry_failed(struct swarm_rescheduler *r, bool only_tied)
{
    struct swarm__map_item *item;
    size_t at = 0;
    while (r->failed_moves != 0 && (item = swarm__map_next(&r->sites, &at)) != NULL)
        for (struct swarm__task *task = ((struct swarm__site *)item)->moves.first; task != NULL; task = task->next)
            if (task->container != NULL && (!only_tied || waits_for_others(task)))
                retry(r, task);
}

/* ---- events about nodes ---- */

static int check_node(const struct swarm_rescheduler *r, const struct swarm_node *node, struct swarm_error **reterr)
{
    if (r == NULL || node == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler or node is NULL");
    if (node->cluster != r->cluster)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s is of another cluster", node->id);
    return 0;
}

/** Make tasks for what is to be moved and has none yet. @return 0 or SWARM_ERR_NOMEM. */
static int moves_for(struct swarm_rescheduler *r, const struct swarm_node *node, struct swarm__task **ret_first)
{
    struct swarm__task *first = NULL, **end = &first;
    struct swarm_container *container = NULL;
    while ((container = swarm_node_next_container(node, container)) != NULL) {
        if (!swarm__to_be_moved(container) || swarm__move_of(r, container) != NULL)
            continue;
        if ((*end = swarm__move_new(r, container)) == NULL) {
            swarm__task_free_chain(r, first);
            return SWARM_ERR_NOMEM;
        }
        end = &(*end)->next;
    }
    *ret_first = first;
    return 0;
}

/** The site of a node that is in the cluster, lost or not any more. */
static void set_lost(struct swarm_rescheduler *r, struct swarm__site *site, bool lost)
{
    if (site->lost && site->node != NULL)
        r->lost_nodes--;
    site->lost = lost;
    r->lost_nodes += lost;
}

/** Begin with the moves of a node that is lost, or let them wait no longer. */
static void start_moves(struct swarm_rescheduler *r, struct swarm__site *site, struct swarm__task *made)
{
    for (struct swarm__task *task = site->moves.first; task != NULL; task = task->next) {
        task->called_off = false;
        task->restart = false;
        if (task->state == SWARM__TASK_WAITING && task->attempts == 0 && site->due_ms < task->due_ms)
            swarm__task_reschedule(r, task, site->due_ms);
    }
    while (made != NULL) {
        struct swarm__task *next = made->next;
        /* An old copy is not moved but only taken off the list. */
        swarm__task_start(r, made, site, swarm__is_replaced(r, made->container) ? r->now_ms : site->due_ms);
        made = next;
    }
}

int swarm_rescheduler_node_lost(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_node *node, int loss,
                                struct swarm_error **reterr)
{
    int rc = check_node(r, node, reterr);
    if (rc < 0)
        return rc;
    if (loss != SWARM_NODE_STOPPED && loss != SWARM_NODE_SILENT)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: unknown loss %d: 0 or 1 is expected", node->id,
                                loss);
    swarm__set_clock(r, now_ms); /* first: it may forget a site */
    struct swarm__site *site = swarm__site_get(r, node);
    if (site == NULL)
        return swarm__error_nomem(reterr);
    struct swarm__task *made;
    if (moves_for(r, node, &made) < 0) {
        swarm__site_tidy(r, site);
        return swarm__error_nomem(reterr);
    }
    int64_t grace = loss == SWARM_NODE_SILENT ? r->options.grace_ms : 0;
    int64_t due = r->now_ms > INT64_MAX - grace ? INT64_MAX : r->now_ms + grace;
    if (!site->lost || due < site->due_ms)
        site->due_ms = due;
    set_lost(r, site, true);
    site->node = node; /* it may have been taken out and added again since */
    swarm__guard_lost(r, site);
    start_moves(r, site, made);
    return 0;
}

/** Whether a container that is back is to be started where it is. */
static bool to_be_restarted(const struct swarm_rescheduler *r, const struct swarm__task *task)
{
    int state = swarm_container_state(task->container);
    return r->options.restart_returned != 0 && task->start && !swarm__is_replaced(r, task->container) &&
           (state == SWARM_CONTAINER_EXITED || state == SWARM_CONTAINER_CREATED);
}

static void restart(struct swarm_rescheduler *r, struct swarm__task *task)
{
    task->restart = true;
    if (task->state == SWARM__TASK_GIVEN_UP)
        swarm__task_revive(r, task);
    else if (task->state == SWARM__TASK_WAITING)
        swarm__task_reschedule(r, task, r->now_ms);
}

/** Its containers are back: moves that have not begun are not needed. */
static void call_off_moves(struct swarm_rescheduler *r, struct swarm__site *site)
{
    struct swarm__task *next;
    for (struct swarm__task *task = site->moves.first; task != NULL; task = next) {
        next = task->next;
        if (task->state == SWARM__TASK_UNDER_WAY) {
            task->called_off = !task->restart;
        } else if (to_be_restarted(r, task)) {
            restart(r, task);
        } else {
            swarm__task_drop(r, task);
        }
    }
}

int swarm_rescheduler_node_back(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_node *node,
                                struct swarm_error **reterr)
{
    int rc = check_node(r, node, reterr);
    if (rc < 0)
        return rc;
    swarm__set_clock(r, now_ms); /* first: it may forget a site */
    struct swarm__site *site = swarm__site_find(r, node);
    struct swarm__task *removals;
    bool was_lost = site != NULL && site->lost;
    if (was_lost)
        site->lost = false;
    rc = swarm__find_old_copies(r, node, was_lost, &removals);
    if (was_lost)
        site->lost = true;
    if (rc < 0)
        return swarm__error_nomem(reterr);
    if (site != NULL) {
        set_lost(r, site, false);
        site->node = node;
        site->due_ms = r->now_ms;
        call_off_moves(r, site);
    }
    swarm__guard_back(r, site);
    swarm__site_tidy(r, site);
    (void)swarm__continue_moves(r, node);
    swarm__replaced_settle(r, node);
    swarm__start_removals(r, removals);
    swarm__note_living_copies(r, node);
    swarm__retry_failed(r, false);
    swarm__task_release_held(r);
    return 0;
}

int swarm_rescheduler_node_removed(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_node *node,
                                   struct swarm_error **reterr)
{
    int rc = check_node(r, node, reterr);
    if (rc < 0)
        return rc;
    swarm__set_clock(r, now_ms);
    struct swarm__site *site = swarm__site_find(r, node);
    if (site != NULL && site->moves.count != 0)
        return swarm__error_set(reterr, SWARM_ERR_STATE, "%zu containers of node %s are still to be moved",
                                site->moves.count, swarm_node_name(node));
    const struct swarm_container *container = NULL;
    while ((container = swarm_node_next_container(node, container)) != NULL)
        swarm__let_go(r, container);
    for (struct swarm__task *task = r->under_way; task != NULL; task = task->next_active)
        if (task->target == node)
            task->target = NULL;
    if (site == NULL)
        return 0;
    r->lost_nodes -= site->lost && site->node != NULL;
    site->node = NULL;
    if (!site->counted)
        swarm__site_free(r, site);
    return 0;
}

int swarm_rescheduler_container_changed(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_container *container,
                                        struct swarm_error **reterr)
{
    if (r == NULL || container == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler or container is NULL");
    int rc = check_node(r, swarm_container_node(container), reterr);
    if (rc < 0)
        return rc;
    struct swarm__task *removals = NULL;
    if (!swarm__node_live(r, swarm_container_node(container))) {
        swarm__set_clock(r, now_ms);
        return 0;
    }
    if (swarm__find_late_copy(r, container, &removals) < 0)
        return swarm__error_nomem(reterr);
    swarm__set_clock(r, now_ms);
    swarm__start_removals(r, removals);
    swarm__hasten_removals(r, container);
    struct swarm_container *lost = r->failed_moves != 0 ? swarm__lost_copy(r, container) : NULL;
    if (lost != NULL && swarm__move_of(r, lost) != NULL)
        retry(r, swarm__move_of(r, lost));
    return 0;
}

void swarm_rescheduler_container_removed(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    if (r == NULL || container == NULL)
        return;
    struct swarm__site *site = swarm__site_find(r, swarm_container_node(container));
    swarm__let_go(r, container);
    /* Only an engine that answers can tell that a container is gone for good. */
    if (swarm__node_live(r, swarm_container_node(container)))
        swarm__replaced_gone(r, swarm_container_id(container));
    swarm__site_tidy(r, site);
}

int swarm_rescheduler_advance(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_error **reterr)
{
    if (r == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler is NULL");
    swarm__set_clock(r, now_ms);
    return 0;
}
