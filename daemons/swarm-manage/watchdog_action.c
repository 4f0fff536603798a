/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog_action.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "create.h"
#include "endpoints.h"
#include "leader.h"
#include "log.h"
#include "metrics.h"
#include "office.h"
#include "pool_private.h"
#include "remember.h"
#include "text.h"
#include "watchdog.h"

#define START_TIMEOUT_MS 60000
#define REMOVE_TIMEOUT_MS 60000
#define RENAME_TIMEOUT_MS 10000

static int copy_inspect(struct watchdog_action *action, const struct container_record *record)
{
    if (!record || !record->inspect) {
        return 0;
    }
    action->inspect = malloc(record->inspect_length);
    if (!action->inspect) {
        return -1;
    }
    memcpy(action->inspect, record->inspect, record->inspect_length);
    action->inspect_length = record->inspect_length;
    return 0;
}

static int copy_kept(struct watchdog_action *action, const struct swarm_container *kept)
{
    struct swarm_node *node;

    if (!kept) {
        return 0;
    }
    node = swarm_container_node(kept);
    action->kept_engine = engine_ref(swarm_node_data(node));
    action->kept_id = strdup(swarm_container_id(kept));
    action->kept_node_name = strdup(swarm_node_name(node));
    return action->kept_id && action->kept_node_name ? 0 : -1;
}

void watchdog_action_step(const char *step)
{
    const char *fatal = getenv("SWARM_TEST_KILL_AT");

    if (fatal && !strcmp(fatal, step)) {
        kill(getpid(), SIGKILL);
    }
}

struct watchdog_action *watchdog_action_new(struct manager *manager, const struct swarm_action *from)
{
    struct watchdog_action *action = calloc(1, sizeof(*action));
    struct swarm_node *node = swarm_container_node(from->container);

    if (!action) {
        return NULL;
    }
    action->manager = manager;
    action->id = from->id;
    action->kind = from->kind;
    action->start = from->start;
    action->stopped = swarm_container_stopped(from->container);
    action->restart = from->kind == SWARM_ACTION_START && from->kept == from->container;
    action->term = from->term;
    action->reservation = from->reservation;
    action->engine = engine_ref(swarm_node_data(node));
    action->cpus = action->engine->cpus;
    action->container_id = strdup(swarm_container_id(from->container));
    action->swarm_id = strdup(swarm_container_swarm_id(from->container));
    action->name = strdup(swarm_container_name(from->container));
    action->node_id = strdup(swarm_node_id(node));
    action->node_name = strdup(swarm_node_name(node));
    action->to_id = strdup(from->reservation ? swarm_node_id(swarm_reservation_node(from->reservation)) : "");
    if (!action->container_id || !action->swarm_id || !action->name || !action->node_id || !action->node_name ||
        !action->to_id || copy_kept(action, from->kept) ||
        (from->kind == SWARM_ACTION_MOVE && copy_inspect(action, container_record(from->container)))) {
        watchdog_action_free(action);
        return NULL;
    }
    return action;
}

void watchdog_action_free(struct watchdog_action *action)
{
    if (action) {
        engine_unref(action->engine);
        engine_unref(action->kept_engine);
        free(action->container_id);
        free(action->swarm_id);
        free(action->name);
        free(action->node_id);
        free(action->node_name);
        free(action->to_id);
        free(action->kept_id);
        free(action->kept_node_name);
        free(action->inspect);
        free(action);
    }
}

/* --- reports, with the pool locked for writing --- */

static void report_failed(struct watchdog_action *action, struct swarm_rescheduler *rescheduler, const char *reason)
{
    swarm_rescheduler_failed(rescheduler, monotonic_ms(), action->id, reason, NULL);
}

/* The container has been taken out of the cluster by the rescheduler, unless it is on a node that lives. */
static void remember_removal(struct watchdog_action *action)
{
    struct pool *pool = action->manager->pool;

    if (!action->engine->node ||
        !swarm_cluster_find_container(pool->cluster, action->engine->node, action->container_id)) {
        pool_remember_removal(pool, action->engine, action->container_id);
        action->engine->moved_ticket = atomic_load(&pool->tickets);
    }
}

/* With one action less the node that is back may have all again that ran there. */
static void settle_node(const struct watchdog_action *action)
{
    if (action->engine->node && !action->engine->lost) {
        remember_node(action->manager->pool, action->engine);
    }
}

static void report_unanswered(struct watchdog_action *action, struct swarm_rescheduler *rescheduler, const char *reason)
{
    swarm_rescheduler_unanswered(rescheduler, monotonic_ms(), action->id, reason, NULL);
}

static void count(const struct watchdog_action *action, bool done)
{
    if (action->restart) {
        return;
    }
    if (action->kind == SWARM_ACTION_REMOVE) {
        metrics_count(done ? METRIC_REMOVALS_DONE : METRIC_REMOVALS_FAILED);
    } else {
        metrics_count(done ? METRIC_MOVES_DONE : METRIC_MOVES_FAILED);
    }
}

static void report_moved(struct watchdog_action *action, struct swarm_rescheduler *rescheduler,
                         const struct engine *engine, const char *id)
{
    struct pool *pool = action->manager->pool;
    struct swarm_container *stand_in = NULL;

    watchdog_note_back(action->watchdog, action->engine);
    if (engine->node) {
        stand_in = swarm_cluster_find_container(pool->cluster, engine->node, id);
    }
    if (!stand_in) {
        count(action, false);
        report_unanswered(action, rescheduler, "the container made for it is gone again");
    } else if (swarm_rescheduler_moved(rescheduler, monotonic_ms(), action->id, stand_in, NULL)) {
        count(action, false);
        report_unanswered(action, rescheduler, "out of memory");
    } else {
        action->engine->moved += !action->restart;
        count(action, true);
        remember_removal(action);
    }
    settle_node(action);
}

static void report_removed(struct watchdog_action *action, struct swarm_rescheduler *rescheduler)
{
    if (swarm_rescheduler_removed(rescheduler, monotonic_ms(), action->id, NULL)) {
        count(action, false);
        report_unanswered(action, rescheduler, "out of memory");
    } else {
        count(action, true);
        remember_removal(action);
    }
}

/* @p asked: the engine was, so that it may have done it all the same, or may do it yet. */
static void fail_action(struct watchdog_action *action, struct swarm_rescheduler *rescheduler, const char *reason,
                        bool asked)
{
    struct pool *pool = action->manager->pool;

    pool_write_lock(pool);
    swarm_reservation_abort(action->reservation);
    action->reservation = NULL;
    if (asked) {
        report_unanswered(action, rescheduler, reason);
    } else {
        report_failed(action, rescheduler, reason);
    }
    settle_node(action);
    pool_unlock(pool);
}

/* Whether this manager still acts: asked right before each request that changes something on an engine goes out. */
static bool may_act(void *data)
{
    const struct watchdog_action *action = data;

    return office_is_of(action->manager, action->term);
}

/* And for how long: a request that a broken network held up must not arrive when another manager acts. */
static int may_act_ms(void *data)
{
    const struct watchdog_action *action = data;

    return leader_left_ms(action->manager->leader);
}

/* Whether there is still a reason for it; where there is not, it has been reported. */
static bool is_wanted(struct watchdog_action *action, struct swarm_rescheduler *rescheduler)
{
    bool wanted;

    pool_read_lock(action->manager->pool);
    wanted = swarm_rescheduler_wanted(rescheduler, action->id) != 0;
    pool_unlock(action->manager->pool);
    wanted = wanted && may_act(action);
    if (!wanted) {
        fail_action(action, rescheduler, "not wanted any more", false);
    }
    return wanted;
}

/* --- MOVE and START --- */

/* Whether it runs yet or not: should its node be lost next, it is one that is to be started. With the pool locked for
 * writing. */
static void count_as_running(struct pool *pool, const struct engine *engine, const char *id)
{
    struct swarm_container *container =
        engine->node ? swarm_cluster_find_container(pool->cluster, engine->node, id) : NULL;

    if (container) {
        swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL);
        remember_wanted(container);
    }
}

/* -1 with the failure; *ret_answered: the engine said so itself. */
static int start_stand_in(struct watchdog_action *action, struct engine *engine, const char *id, bool *ret_answered,
                          struct failure *failure)
{
    struct pool *pool = action->manager->pool;
    struct http_result result;
    char *path;
    int status;

    *ret_answered = false;
    log_info("Container %s was running, starting container %s", action->container_id, id);
    if (asprintf(&path, "/containers/%s/start", id) < 0) {
        return failure_set(failure, 500, "out of memory");
    }
    status = engine_request(engine,
                            &(struct engine_request){
                                .method = "POST", .path = path, .timeout_ms = START_TIMEOUT_MS, .guard = action->guard},
                            &result, failure);
    *ret_answered = result.failure == HTTP_OK;
    if (*ret_answered) {
        pool_refresh_container(pool, engine, id);
    } else {
        pool_write_lock(pool);
        count_as_running(pool, engine, id);
        pool_unlock(pool);
    }
    http_result_clear(&result);
    free(path);
    if (status) {
        log_error("Failed to start rescheduled container %s: %s", id,
                  failure->message ? failure->message : "out of memory");
    }
    return status;
}

/* The name of the engine as it is now; new text, NULL for lack of memory. */
static char *engine_name(struct pool *pool, const struct engine *engine)
{
    char *name;

    pool_read_lock(pool);
    name = strdup(engine->name ? engine->name : engine->address);
    pool_unlock(pool);
    return name;
}

static void log_moved(struct watchdog_action *action, const struct engine *engine, const char *id)
{
    char *to = engine_name(action->manager->pool, engine);

    log_info("Rescheduled container %s from %s to %s as %s", action->container_id, action->node_name,
             to ? to : engine->address, id);
    free(to);
}

static void finish_move(struct watchdog_action *action, struct swarm_rescheduler *rescheduler, struct engine *engine,
                        const char *id, const struct endpoint *endpoints)
{
    struct pool *pool = action->manager->pool;
    struct failure failure = {0};
    bool answered, in_term;

    endpoints_connect(engine, id, action->name, endpoints, action->guard);
    log_moved(action, engine, id);
    /* Before the start, which may take a while: as long as the pool has both, their name is ambiguous. */
    pool_write_lock(pool);
    if (action->start) {
        count_as_running(pool, engine, id);
    }
    report_moved(action, rescheduler, engine, id);
    pool_unlock(pool);
    if (action->stopped) { /* so is its stand-in, which never ran */
        pool_note_stop(pool, engine, id);
    }
    watchdog_action_step("moved");
    in_term = may_act(action);
    if (action->start && in_term) { /* one that cannot be started has been moved all the same */
        start_stand_in(action, engine, id, &answered, &failure);
    }
    watchdog_action_step("started");
    if (in_term) {
        remember_claim_end(action->manager, action->swarm_id);
    }
    failure_clear(&failure);
}

/* The create body of the stand-in; networks that it is to be connected to afterwards are taken out of it. */
static int make_body(const struct watchdog_action *action, struct swarm_create_body **ret_body,
                     struct endpoint **ret_endpoints, struct failure *failure)
{
    struct swarm_error *error = NULL;

    if (!action->inspect) {
        return failure_set(failure, 500, "its configuration is not known");
    }
    if (swarm_create_body_from_inspect_as(ret_body, action->inspect, action->inspect_length, action->cpus,
                                          action->manager->options.cpu_shares, &error)) {
        failure_set(failure, 500, "%s", swarm_error_message(error));
        swarm_error_free(error);
        return -1;
    }
    if (endpoints_take(*ret_body, ret_endpoints)) {
        return failure_set(failure, 500, "out of memory");
    }
    return 0;
}

/* In the record before anything is done about it. False where it is not wanted any more by then, or cannot be recorded
 * where others would have to know of it: it is tried again, then. */
static bool claim(struct watchdog_action *action, struct swarm_rescheduler *rescheduler)
{
    const struct move_claim claim = {
        .id = action->container_id,
        .swarm_id = action->swarm_id,
        .name = action->name,
        .node_id = action->node_id,
        .to_id = action->to_id,
        .start = action->start,
        .term = action->term,
    };

    if (!is_wanted(action, rescheduler)) {
        return false;
    }
    if (!remember_claim(action->manager, &claim)) {
        count(action, false);
        fail_action(action, rescheduler, "it cannot be recorded", false);
        return false;
    }
    watchdog_action_step("claimed");
    if (is_wanted(action, rescheduler)) {
        return true;
    }
    remember_claim_end(action->manager, action->swarm_id);
    return false;
}

static void move(struct watchdog_action *action, struct swarm_rescheduler *rescheduler)
{
    struct create_order order = {.name = action->name, .guard = action->guard};
    struct swarm_reservation *reservation = action->reservation;
    struct endpoint *endpoints = NULL;
    struct failure failure = {0};
    struct engine *engine = NULL;
    json_t *answer = NULL;
    bool asked = false;
    int result = make_body(action, &order.body, &endpoints, &failure);

    if (!result && claim(action, rescheduler)) {
        action->reservation = NULL; /* create_reserved() ends it in any case */
        asked = true;
        result = create_reserved(action->manager, reservation, &order, &answer, &engine, &failure);
        watchdog_action_step("created");
    }
    if (result) {
        count(action, false);
        fail_action(action, rescheduler, failure.message ? failure.message : "out of memory",
                    asked); /* logged by the watchdog */
    } else if (asked) {
        finish_move(action, rescheduler, engine, json_string_value(json_object_get(answer, "Id")), endpoints);
    }
    json_decref(answer);
    engine_unref(engine);
    failure_clear(&failure);
    endpoints_free(endpoints);
    swarm_create_body_free(order.body);
}

/* POST /containers/<the copy that stays>/@p what, which is released; then what has become of it is known. */
static int change_kept(struct watchdog_action *action, char *what, int timeout_ms, struct failure *failure)
{
    struct engine_request request = {.method = "POST", .timeout_ms = timeout_ms, .guard = action->guard};
    struct http_result result;
    char *path = NULL;
    int status;

    if (!what || asprintf(&path, "/containers/%s/%s", action->kept_id, what) < 0) {
        free(what);
        return failure_set(failure, 500, "out of memory");
    }
    free(what);
    request.path = path;
    status = engine_request(action->kept_engine, &request, &result, failure);
    if (result.failure == HTTP_OK) {
        pool_refresh_container(action->manager->pool, action->kept_engine, action->kept_id);
    }
    http_result_clear(&result);
    free(path);
    return status;
}

/* The copy gets the name that its user gave to the other one since, and is stopped where that one was. */
static int adopt_kept(struct watchdog_action *action, struct failure *failure)
{
    struct pool *pool = action->manager->pool;
    const struct swarm_container *kept;
    bool is_named, runs;

    pool_read_lock(pool);
    kept = action->kept_engine->node
               ? swarm_cluster_find_container(pool->cluster, action->kept_engine->node, action->kept_id)
               : NULL;
    is_named = kept && !strcmp(swarm_container_name(kept), action->name);
    runs = kept && container_record(kept)->running;
    pool_unlock(pool);
    if (!kept) { /* its node has come to another address meanwhile, or it has been removed: to be decided anew */
        return failure_set(failure, 500, "the copy that is to stay is not known there any more");
    }
    if (!is_named && change_kept(action, text_format("rename?name=%s", action->name), RENAME_TIMEOUT_MS, failure)) {
        return -1;
    }
    if (action->start || !runs) {
        return 0;
    }
    pool_note_stop(pool, action->kept_engine, action->kept_id);
    return change_kept(action, strdup("stop"), START_TIMEOUT_MS, failure);
}

static void start_copy(struct watchdog_action *action, struct swarm_rescheduler *rescheduler)
{
    struct pool *pool = action->manager->pool;
    struct failure failure = {0};
    bool answered = false;

    if (!is_wanted(action, rescheduler)) {
        return;
    }
    if (action->restart) {
        log_info("Container %s is back with node %s and does not run", action->container_id, action->node_name);
    } else {
        log_moved(action, action->kept_engine, action->kept_id);
    }
    if ((action->kind == SWARM_ACTION_ADOPT && adopt_kept(action, &failure)) ||
        (action->start && start_stand_in(action, action->kept_engine, action->kept_id, &answered, &failure) &&
         !answered)) {
        count(action, false);
        fail_action(action, rescheduler, failure.message ? failure.message : "out of memory", true);
    } else {
        pool_write_lock(pool);
        report_moved(action, rescheduler, action->kept_engine, action->kept_id);
        pool_unlock(pool);
        remember_claim_end(action->manager, action->swarm_id);
    }
    failure_clear(&failure);
}

/* --- REMOVE --- */

/* By force, and never with its volumes. That it is gone already is as good. */
static int remove_copy(struct watchdog_action *action, struct failure *failure)
{
    struct http_result result;
    char *path;
    int status;

    if (asprintf(&path, "/containers/%s?force=1", action->container_id) < 0) {
        return failure_set(failure, 500, "out of memory");
    }
    status =
        engine_request(action->engine,
                       &(struct engine_request){
                           .method = "DELETE", .path = path, .timeout_ms = REMOVE_TIMEOUT_MS, .guard = action->guard},
                       &result, failure);
    if (status && result.failure == HTTP_OK && result.status == 404) {
        status = 0;
    }
    http_result_clear(&result);
    free(path);
    return status;
}

static bool is_running(struct pool *pool, const struct engine *engine, const char *id)
{
    const struct swarm_container *container =
        engine->node ? swarm_cluster_find_container(pool->cluster, engine->node, id) : NULL;

    return container && container_record(container)->running;
}

/* It runs, or its user has stopped it. */
static bool stays_as_it_is(struct pool *pool, const struct engine *engine, const char *id)
{
    const struct swarm_container *container =
        engine->node ? swarm_cluster_find_container(pool->cluster, engine->node, id) : NULL;

    return container && (container_record(container)->running || swarm_container_stopped(container));
}

/* Ask the engine of the copy that stays whether that one runs, where the other does: what is known of it may be what
 * was hoped for. */
static int confirm_kept(struct watchdog_action *action, struct failure *failure)
{
    struct pool *pool = action->manager->pool;
    bool confirmed;

    if (!action->kept_id) {
        return 0;
    }
    if (pool_refresh_container(pool, action->kept_engine, action->kept_id)) {
        return failure_set(failure, 500, "node %s does not tell whether the copy there runs", action->kept_node_name);
    }
    pool_read_lock(pool);
    confirmed = stays_as_it_is(pool, action->kept_engine, action->kept_id) ||
                !is_running(pool, action->engine, action->container_id);
    pool_unlock(pool);
    return confirmed ? 0 : failure_set(failure, 500, "the copy on node %s does not run", action->kept_node_name);
}

static void remove_duplicate(struct watchdog_action *action, struct swarm_rescheduler *rescheduler)
{
    struct failure failure = {0};
    struct pool *pool = action->manager->pool;

    if (!is_wanted(action, rescheduler)) {
        return;
    }
    if (confirm_kept(action, &failure)) {
        count(action, false);
        fail_action(action, rescheduler, failure.message ? failure.message : "out of memory", false);
        failure_clear(&failure);
        return;
    }
    if (action->kept_id) {
        log_debug("container %s was rescheduled on node %s, removing it", action->container_id, action->kept_node_name);
    } else {
        log_info("Container %s, back with node %s, was removed while that was away: it is removed there, too",
                 action->container_id, action->node_name);
    }
    watchdog_action_step("removing");
    if (remove_copy(action, &failure)) {
        const char *reason = failure.message ? failure.message : "out of memory";

        log_error("Failed to remove duplicate container %s on node %s: %s", action->container_id, action->node_name,
                  reason);
        count(action, false);
        fail_action(action, rescheduler, reason, true);
    } else {
        pool_write_lock(pool);
        report_removed(action, rescheduler);
        pool_unlock(pool);
        remember_claim_end(action->manager, action->swarm_id);
        watchdog_action_step("removed");
    }
    failure_clear(&failure);
}

void watchdog_action_run(struct watchdog_action *action, struct swarm_rescheduler *rescheduler)
{
    struct engine_guard guard = {may_act, action, may_act_ms};

    action->guard = &guard;
    switch (action->kind) {
    case SWARM_ACTION_MOVE:
        move(action, rescheduler);
        break;
    case SWARM_ACTION_START:
    case SWARM_ACTION_ADOPT:
        start_copy(action, rescheduler);
        break;
    default:
        remove_duplicate(action, rescheduler);
    }
}
