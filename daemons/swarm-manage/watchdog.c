/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decisions.h"
#include "events.h"
#include "log.h"
#include "office.h"
#include "pool_private.h"
#include "random.h"
#include "remember.h"
#include "watchdog_action.h"
#include "watchdog_log.h"

#define WORKERS_MAX 16
#define WORKER_STACK (256 * 1024)
#define LONGEST_WAIT_MS 60000
#define RETRY_MS 1000   /* after a lack of memory */
#define REPLICA_MS 2000 /* what waits to leave may have been seen to by the primary */

enum note_kind { NOTE_LOST, NOTE_BACK, NOTE_LEAVING };

/* Something that another thread has to say of an engine. */
struct note {
    struct note *next;
    enum note_kind kind;
    struct engine *engine; /* reference */
    int loss;
    bool failed; /* out of memory: to be told again */
};

/* An engine that is to go once nothing pends for it. */
struct leaver {
    struct leaver *next;
    struct engine *engine; /* reference */
    bool gone, was_healthy;
};

struct watchdog {
    struct manager *manager;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct note *notes, **notes_end; /* oldest first */
    bool kicked, stopping;
    int working;
    bool has_last;
    pthread_t last; /* of the workers that have ended, not joined yet */

    /* guarded by the pool's lock */
    struct swarm_rescheduler *rescheduler;
    struct watchdog_log log;

    struct leaver *leavers; /* the thread's own */
};

/* --- what other threads say --- */

static void enqueue(struct watchdog *watchdog, struct note *note)
{
    pthread_mutex_lock(&watchdog->lock);
    note->next = NULL;
    *watchdog->notes_end = note;
    watchdog->notes_end = &note->next;
    pthread_mutex_unlock(&watchdog->lock);
}

static void kick(struct watchdog *watchdog)
{
    pthread_mutex_lock(&watchdog->lock);
    watchdog->kicked = true;
    pthread_cond_broadcast(&watchdog->changed);
    pthread_mutex_unlock(&watchdog->lock);
}

static void post(struct watchdog *watchdog, enum note_kind kind, struct engine *engine, int loss)
{
    struct note *note;

    if (!watchdog) {
        return;
    }
    note = calloc(1, sizeof(*note));
    if (!note) {
        log_error("Watchdog: out of memory, engine %s is not followed", engine->address);
        return;
    }
    note->kind = kind;
    note->engine = engine_ref(engine);
    note->loss = loss;
    enqueue(watchdog, note);
    kick(watchdog);
}

void watchdog_look(struct watchdog *watchdog)
{
    if (watchdog) {
        kick(watchdog);
    }
}

void watchdog_engine_lost(struct watchdog *watchdog, struct engine *engine, int loss)
{
    post(watchdog, NOTE_LOST, engine, loss);
}

void watchdog_engine_back(struct watchdog *watchdog, struct engine *engine)
{
    post(watchdog, NOTE_BACK, engine, 0);
}

void watchdog_engine_leaving(struct watchdog *watchdog, struct engine *engine)
{
    post(watchdog, NOTE_LEAVING, engine, 0);
}

void watchdog_container_removed(struct watchdog *watchdog, const struct swarm_container *container)
{
    swarm_rescheduler_container_removed(watchdog->rescheduler, container);
}

void watchdog_container_deleted(struct watchdog *watchdog, const struct swarm_container *container)
{
    swarm_rescheduler_container_deleted(watchdog->rescheduler, monotonic_ms(), container, NULL);
}

int watchdog_remember(struct watchdog *watchdog, const struct swarm_memory *memory, struct swarm_error **reterr)
{
    return swarm_rescheduler_remember(watchdog->rescheduler, memory, reterr);
}

int watchdog_remember_move(struct watchdog *watchdog, const char *swarm_id, const char *node_id, bool start,
                           struct swarm_error **reterr)
{
    return swarm_rescheduler_remember_move(watchdog->rescheduler, monotonic_ms(), swarm_id, node_id, start, reterr);
}

void watchdog_keep_memory(struct watchdog *watchdog)
{
    swarm_rescheduler_set_memory(watchdog->rescheduler, remember_copy, watchdog->manager);
}

void watchdog_container_changed(struct watchdog *watchdog, struct swarm_container *container)
{
    int64_t due_ms = swarm_rescheduler_timeout(watchdog->rescheduler);

    swarm_rescheduler_container_changed(watchdog->rescheduler, monotonic_ms(), container, NULL);
    if (swarm_rescheduler_timeout(watchdog->rescheduler) != due_ms) {
        kick(watchdog);
    }
}

void watchdog_node_removed(struct watchdog *watchdog, struct swarm_node *node)
{
    swarm_rescheduler_node_removed(watchdog->rescheduler, monotonic_ms(), node, NULL);
}

const struct swarm_rescheduler *watchdog_rescheduler(const struct watchdog *watchdog)
{
    return watchdog->rescheduler;
}

void watchdog_release(struct watchdog *watchdog)
{
    pool_write_lock(watchdog->manager->pool);
    swarm_rescheduler_release(watchdog->rescheduler, monotonic_ms(), NULL);
    pool_unlock(watchdog->manager->pool);
    kick(watchdog);
}

/* --- what is told to the rescheduler: with the pool locked for writing --- */

static int tell_lost(struct watchdog *watchdog, struct engine *engine, int loss)
{
    if (!engine->lost) {
        engine->moved = 0;
        pool_restore_running(engine);
    }
    engine->lost = true;
    remember_node(watchdog->manager->pool, engine);
    return swarm_rescheduler_node_lost(watchdog->rescheduler, monotonic_ms(), engine->node, loss, NULL);
}

static int tell_back(struct watchdog *watchdog, struct engine *engine)
{
    int result;

    engine->lost = false;
    result = swarm_rescheduler_node_back(watchdog->rescheduler, monotonic_ms(), engine->node, NULL);
    remember_node(watchdog->manager->pool, engine);
    return result;
}

void watchdog_note_back(struct watchdog *watchdog, struct engine *engine)
{
    if (engine->lost && engine->node && engine->state == ENGINE_HEALTHY) {
        tell_back(watchdog, engine); /* that fails for lack of memory only, and comes again */
    }
}

int watchdog_remember_lost(struct watchdog *watchdog, struct engine *engine)
{
    return tell_lost(watchdog, engine, SWARM_NODE_SILENT);
}

void watchdog_review(struct watchdog *watchdog)
{
    struct pool *pool = watchdog->manager->pool;

    for (size_t i = 0; i < pool->engine_count; i++) {
        struct engine *engine = pool->engines[i];

        if (engine->node && engine->lost) {
            tell_lost(watchdog, engine, SWARM_NODE_SILENT);
        } else if (engine->node && engine->state == ENGINE_HEALTHY) {
            tell_back(watchdog, engine);
        }
    }
    kick(watchdog);
}

static int add_leaver(struct watchdog *watchdog, struct engine *engine)
{
    struct leaver *leaver;

    if (!engine->leaving) { /* discovery has listed it again meanwhile */
        return 0;
    }
    for (leaver = watchdog->leavers; leaver; leaver = leaver->next) {
        if (leaver->engine == engine) {
            return 0;
        }
    }
    leaver = calloc(1, sizeof(*leaver));
    if (!leaver) {
        return -1;
    }
    leaver->engine = engine_ref(engine);
    leaver->next = watchdog->leavers;
    watchdog->leavers = leaver;
    return 0;
}

static int take_note(struct watchdog *watchdog, const struct note *note)
{
    struct engine *engine = note->engine;

    if (note->kind == NOTE_LEAVING) {
        return add_leaver(watchdog, engine);
    }
    if (!engine->node) { /* it left the pool meanwhile, or never was in it */
        return 0;
    }
    return note->kind == NOTE_LOST ? tell_lost(watchdog, engine, note->loss) : tell_back(watchdog, engine);
}

/* Those that nothing pends for leave the pool. */
static void part(struct watchdog *watchdog, struct leaver *leaver)
{
    struct engine *engine = leaver->engine;

    if (engine->node && !engine->lost && tell_lost(watchdog, engine, SWARM_NODE_SILENT)) {
        return;
    }
    if (engine->node && swarm_rescheduler_node_removed(watchdog->rescheduler, monotonic_ms(), engine->node, NULL)) {
        return;
    }
    leaver->was_healthy = engine->state == ENGINE_HEALTHY;
    leaver->gone = true;
    pool_remove_engine_locked(watchdog->manager->pool, engine);
}

static void note_action(struct watchdog *watchdog, const struct swarm_action *action)
{
    const char *to = swarm_node_name(swarm_reservation_node(action->reservation));
    char *text;

    if (asprintf(&text, "%s is chosen, to stand in for %s", to,
                 swarm_node_name(swarm_container_node(action->container))) >= 0) {
        decisions_add_move(watchdog->manager->decisions, action->container, to, text);
        free(text);
    }
}

static struct watchdog_action *take_action(struct watchdog *watchdog, const struct swarm_action *from)
{
    struct watchdog_action *action = watchdog_action_new(watchdog->manager, from);

    if (!action) {
        swarm_reservation_abort(from->kind == SWARM_ACTION_MOVE ? from->reservation : NULL);
        swarm_rescheduler_failed(watchdog->rescheduler, monotonic_ms(), from->id, "out of memory", NULL);
        return NULL;
    }
    action->watchdog = watchdog;
    if (from->kind == SWARM_ACTION_MOVE) {
        note_action(watchdog, from);
    }
    return action;
}

/* --- workers --- */

/* What an action comes to; @p worker: on a thread of its own, which then ends. Each such joins the one that ended before
 * it, so that with the last one all are gone: as a thread ends OpenSSL frees what it has for it, and the process must not
 * end meanwhile. */
static void act(struct watchdog_action *action, bool worker)
{
    struct watchdog *watchdog = action->watchdog;
    pthread_t previous = 0;
    bool has_previous;

    watchdog_action_run(action, watchdog->rescheduler);
    watchdog_action_free(action);
    pthread_mutex_lock(&watchdog->lock);
    has_previous = worker && watchdog->has_last;
    if (worker) {
        previous = watchdog->last;
        watchdog->last = pthread_self();
        watchdog->has_last = true;
    }
    watchdog->working--;
    watchdog->kicked = true;
    pthread_cond_broadcast(&watchdog->changed);
    pthread_mutex_unlock(&watchdog->lock);
    if (has_previous) {
        pthread_join(previous, NULL);
    }
}

static void *work(void *data)
{
    act(data, true);
    return NULL;
}

static void start_worker(struct watchdog *watchdog, struct watchdog_action *action)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int result;

    pthread_mutex_lock(&watchdog->lock);
    watchdog->working++;
    pthread_mutex_unlock(&watchdog->lock);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK);
    result = pthread_create(&thread, &attributes, work, action);
    pthread_attr_destroy(&attributes);
    if (result) { /* no thread to be had: this one does it, slower */
        act(action, false);
    }
}

/* --- the thread --- */

/* What one turn of the thread came to. */
struct turn {
    struct watchdog_action *actions[WORKERS_MAX];
    size_t count;
    int64_t due_ms; /* when to come back, -1: never */
};

static void take_actions(struct watchdog *watchdog, struct turn *turn, size_t room)
{
    struct swarm_action next = SWARM_ACTION_INIT;
    int result = 0;

    while (turn->count < room && (result = swarm_rescheduler_next(watchdog->rescheduler, &next, NULL)) == 1) {
        struct watchdog_action *action = take_action(watchdog, &next);

        if (action) {
            turn->actions[turn->count++] = action;
        }
    }
    turn->due_ms = swarm_rescheduler_timeout(watchdog->rescheduler);
    if (turn->count == room) {
        turn->due_ms = -1; /* a worker that ends will wake us */
    } else if (result < 0) {
        turn->due_ms = monotonic_ms() + RETRY_MS;
    }
}

/* Whether this manager acts; then what it does is of its present term. */
static bool take_office(struct watchdog *watchdog)
{
    uint64_t term;

    if (!office_is_held(watchdog->manager, &term)) {
        return false;
    }
    swarm_rescheduler_set_term(watchdog->rescheduler, monotonic_ms(), term, NULL);
    return true;
}

/* One that does not act: the primary moves what is to be moved, and once that is seen it waits for nothing here. */
static void follow(struct watchdog *watchdog, struct turn *turn)
{
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;

    swarm_rescheduler_settle(watchdog->rescheduler, monotonic_ms(), NULL);
    swarm_rescheduler_status(watchdog->rescheduler, &status);
    turn->due_ms = watchdog->leavers || status.moves ? monotonic_ms() + REPLICA_MS : -1;
}

/* Tell the rescheduler all that is new and take what it wants done, for up to @p room workers. */
static void step(struct watchdog *watchdog, struct note *notes, size_t room, struct turn *turn)
{
    bool failed = false;

    turn->count = 0;
    pool_write_lock(watchdog->manager->pool);
    for (; notes; notes = notes->next) {
        notes->failed = take_note(watchdog, notes);
        failed |= notes->failed;
    }
    swarm_rescheduler_advance(watchdog->rescheduler, monotonic_ms(), NULL);
    if (take_office(watchdog)) {
        take_actions(watchdog, turn, room);
    } else {
        follow(watchdog, turn);
    }
    for (struct leaver *leaver = watchdog->leavers; leaver; leaver = leaver->next) {
        if (leaver->engine->leaving) {
            part(watchdog, leaver);
        }
    }
    if (failed) {
        turn->due_ms = monotonic_ms() + RETRY_MS;
    }
    pool_unlock(watchdog->manager->pool);
}

static void announce_removal(struct watchdog *watchdog, const struct leaver *leaver)
{
    struct engine *engine = leaver->engine;

    /* It is out of the pool: nothing changes it any more. */
    log_info("Removed Engine %s", engine->name ? engine->name : engine->address);
    if (leaver->was_healthy && watchdog->manager->events) {
        events_publish_swarm(watchdog->manager->events, engine, "engine_disconnect");
    }
}

/* Forget those that left, and those that discovery has listed again. */
static void review_leavers(struct watchdog *watchdog)
{
    for (struct leaver **at = &watchdog->leavers; *at;) {
        struct leaver *leaver = *at;
        bool stays;

        pool_read_lock(watchdog->manager->pool);
        stays = leaver->engine->leaving;
        pool_unlock(watchdog->manager->pool);
        if (leaver->gone) {
            announce_removal(watchdog, leaver);
        } else if (stays) {
            at = &leaver->next;
            continue;
        }
        *at = leaver->next;
        engine_unref(leaver->engine);
        free(leaver);
    }
}

static void free_note(struct note *note)
{
    engine_unref(note->engine);
    free(note);
}

static void log_note(struct watchdog *watchdog, const struct note *note)
{
    char id[128];

    pool_read_lock(watchdog->manager->pool);
    snprintf(id, sizeof(id), "%s", note->engine->id ? note->engine->id : note->engine->address);
    pool_unlock(watchdog->manager->pool);
    if (note->kind == NOTE_LOST) {
        log_debug("Node %s failed - rescheduling containers", id);
    } else if (note->kind == NOTE_BACK) {
        log_debug("removing duplicate containers from Node %s", id);
    }
    if (note->failed) {
        log_error("Watchdog: out of memory, node %s is looked at again", id);
    }
}

/* Log what was told; what failed is queued again, for the next turn. */
static void settle_notes(struct watchdog *watchdog, struct note *notes)
{
    while (notes) {
        struct note *next = notes->next;

        log_note(watchdog, notes);
        if (notes->failed) {
            enqueue(watchdog, notes);
        } else {
            free_note(notes);
        }
        notes = next;
    }
}

static void free_notes(struct note *notes)
{
    while (notes) {
        struct note *next = notes->next;

        free_note(notes);
        notes = next;
    }
}

static struct timespec deadline_of(int64_t due_ms)
{
    int64_t limit = monotonic_ms() + LONGEST_WAIT_MS;
    int64_t at = due_ms >= 0 && due_ms < limit ? due_ms : limit;

    return (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
}

/* Wait for something to do. The notes that have come, and how many more workers there may be; false at the end. */
static bool wait_for_work(struct watchdog *watchdog, int64_t due_ms, struct note **ret_notes, size_t *ret_room)
{
    struct timespec deadline = deadline_of(due_ms);
    bool go_on;

    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stopping && !watchdog->kicked) {
        if (pthread_cond_timedwait(&watchdog->changed, &watchdog->lock, &deadline) == ETIMEDOUT) {
            break;
        }
    }
    watchdog->kicked = false;
    go_on = !watchdog->stopping;
    *ret_notes = watchdog->notes;
    watchdog->notes = NULL;
    watchdog->notes_end = &watchdog->notes;
    *ret_room = (size_t)(WORKERS_MAX - watchdog->working);
    pthread_mutex_unlock(&watchdog->lock);
    return go_on;
}

static void *watch(void *data)
{
    struct watchdog *watchdog = data;
    struct turn turn = {.due_ms = -1};
    struct note *notes;
    size_t room;

    while (wait_for_work(watchdog, turn.due_ms, &notes, &room)) {
        step(watchdog, notes, room, &turn);
        settle_notes(watchdog, notes);
        for (size_t i = 0; i < turn.count; i++) {
            start_worker(watchdog, turn.actions[i]);
        }
        review_leavers(watchdog);
        watchdog_log_write(&watchdog->log, watchdog->manager->pool, watchdog->rescheduler);
    }
    free_notes(notes);
    return NULL;
}

/* --- life --- */

static int init_sync(struct watchdog *watchdog)
{
    pthread_condattr_t attributes;
    int result;

    if (pthread_mutex_init(&watchdog->lock, NULL)) {
        return -1;
    }
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    result = pthread_cond_init(&watchdog->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (result) {
        pthread_mutex_destroy(&watchdog->lock);
    }
    return result ? -1 : 0;
}

int watchdog_new(struct watchdog **ret, struct manager *manager)
{
    struct swarm_rescheduler_options options = manager->options.reschedule;
    struct watchdog *watchdog = calloc(1, sizeof(*watchdog));

    if (!watchdog) {
        return -1;
    }
    if (init_sync(watchdog)) {
        free(watchdog);
        return -1;
    }
    options.seed = random_seed();
    options.parallel = WORKERS_MAX;
    options.restart_returned = 1;
    if (swarm_rescheduler_new(&watchdog->rescheduler, manager->pool->cluster, manager->scheduler, &options, NULL)) {
        pthread_cond_destroy(&watchdog->changed);
        pthread_mutex_destroy(&watchdog->lock);
        free(watchdog);
        return -1;
    }
    watchdog_log_init(&watchdog->log);
    swarm_rescheduler_set_report(watchdog->rescheduler, watchdog_log_report, &watchdog->log);
    watchdog->manager = manager;
    watchdog->notes_end = &watchdog->notes;
    *ret = watchdog;
    return 0;
}

int watchdog_start(struct watchdog *watchdog)
{
    if (pthread_create(&watchdog->thread, NULL, watch, watchdog)) {
        return -1;
    }
    watchdog->started = true;
    log_debug("Watchdog enabled");
    return 0;
}

void watchdog_await_rest(struct watchdog *watchdog, int timeout_ms)
{
    int64_t until_ms = monotonic_ms() + timeout_ms;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

    pthread_mutex_lock(&watchdog->lock);
    while (watchdog->working && pthread_cond_timedwait(&watchdog->changed, &watchdog->lock, &until) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&watchdog->lock);
}

static void stop(struct watchdog *watchdog)
{
    pthread_mutex_lock(&watchdog->lock);
    watchdog->stopping = true;
    pthread_cond_broadcast(&watchdog->changed);
    pthread_mutex_unlock(&watchdog->lock);
    if (watchdog->started) {
        pthread_join(watchdog->thread, NULL);
    }
    pthread_mutex_lock(&watchdog->lock);
    while (watchdog->working) {
        pthread_cond_wait(&watchdog->changed, &watchdog->lock);
    }
    pthread_mutex_unlock(&watchdog->lock);
    if (watchdog->has_last) {
        pthread_join(watchdog->last, NULL);
    }
}

void watchdog_free(struct watchdog *watchdog)
{
    if (!watchdog) {
        return;
    }
    stop(watchdog);
    pool_write_lock(watchdog->manager->pool);
    if (watchdog->manager->watchdog == watchdog) {
        watchdog->manager->watchdog = NULL;
    }
    swarm_rescheduler_free(watchdog->rescheduler);
    watchdog_log_finish(&watchdog->log);
    pool_unlock(watchdog->manager->pool);
    free_notes(watchdog->notes);
    while (watchdog->leavers) {
        struct leaver *next = watchdog->leavers->next;

        engine_unref(watchdog->leavers->engine);
        free(watchdog->leavers);
        watchdog->leavers = next;
    }
    pthread_cond_destroy(&watchdog->changed);
    pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}
