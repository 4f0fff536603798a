/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "monitor_private.h"

#define WORKERS_MAX 16
#define SYNC_CONNECTIONS 128 /* a worker keeps beside one to each engine whose is kept */
#define REPORT_PAUSE_MS 500  /* one engine is not put in doubt more often */

static void worker_drain(void *data);

/* --- orders to workers --- */

/* Any thread. */
static void worker_order(struct watched *w, enum watch_order order)
{
    struct worker *worker = w->worker;

    pthread_mutex_lock(&worker->lock);
    w->orders |= order;
    if (!w->in_inbox) {
        w->in_inbox = true;
        w->next_in_inbox = NULL;
        *worker->inbox_end = w;
        worker->inbox_end = &w->next_in_inbox;
    }
    /* Where that fails the order is seen with the next one. */
    if (!worker->posted)
        worker->posted = http_loop_post(worker->loop, worker_drain, worker) == 0;
    pthread_mutex_unlock(&worker->lock);
}

/* The next engine with orders; NULL where there is none, and the loop has to be told again of later ones. */
static struct watched *worker_take(struct worker *worker, unsigned *ret_orders)
{
    struct watched *w;

    pthread_mutex_lock(&worker->lock);
    w = worker->inbox;
    if (w) {
        worker->inbox = w->next_in_inbox;
        if (!worker->inbox)
            worker->inbox_end = &worker->inbox;
        *ret_orders = w->orders;
        w->orders = 0;
        w->in_inbox = false;
    } else {
        worker->posted = false;
    }
    pthread_mutex_unlock(&worker->lock);
    return w;
}

static void watched_free(struct watched *w);

static void count_kept(struct watched *w, int by)
{
    if (!w->kept)
        return;
    w->worker->kept += (size_t)by;
    http_loop_keep(w->worker->loop, w->worker->kept + SYNC_CONNECTIONS);
}

static void obey(struct watched *w, unsigned orders)
{
    if (orders & ORDER_FREE) {
        count_kept(w, -1);
        watched_free(w);
        return;
    }
    if (w->forgotten)
        return;
    if ((orders & ORDER_ABSENT) && w->state == ENGINE_PENDING && !w->connected_once)
        w->absent = true;
    if (orders & ORDER_START) {
        count_kept(w, 1);
        sync_start(w);
    }
    if (orders & ORDER_REPORT)
        probe_start(w, NULL);
    if (orders & ORDER_REVIEW)
        leave_review(w);
}

static void worker_drain(void *data)
{
    struct worker *worker = data;
    struct watched *w;
    unsigned orders;

    while ((w = worker_take(worker, &orders)))
        obey(w, orders);
}

/* --- engines --- */

static void watched_free(struct watched *w)
{
    events_discard(w);
    jobs_cancel(w);
    listing_cancel(w);
    specs_fetch_cancel(w);
    json_objects_finish(&w->objects);
    engine_unref(w->engine);
    free(w->told_pending);
    free(w);
}

/* NULL for lack of memory. */
static struct watched *watched_new(struct monitor *monitor, struct engine *engine)
{
    struct watched *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->monitor = monitor;
    w->worker = &monitor->workers[monitor->next_worker++ % monitor->worker_count];
    w->engine = engine_ref(engine);
    w->state = ENGINE_PENDING;
    w->events_end = &w->events;
    w->job_queue_end = &w->job_queue;
    for (int kind = 0; kind < OBJECT_KINDS; kind++)
        w->object_jobs[kind].kind = JOB_OBJECTS;
    w->specs_job.kind = JOB_SPECS;
    w->looking_at = OBJECT_KINDS;
    json_objects_init(&w->objects, EVENT_MAX);
    return w;
}

/* With the monitor locked. NULL for lack of memory. */
static struct watched *watch(struct monitor *monitor, struct engine *engine)
{
    struct watched *w = watched_new(monitor, engine);

    if (!w)
        return NULL;
    if (swarm_member_new(&w->member, monitor->membership, monotonic_ms(), NULL) != 0) {
        watched_free(w);
        return NULL;
    }
    w->kept = monitor->kept < monitor->manager->options.kept_connections;
    monitor->kept += w->kept;
    w->next = monitor->watched;
    w->link = &monitor->watched;
    if (w->next)
        w->next->link = &w->next;
    monitor->watched = w;
    engine->monitored = w;
    return w;
}

/* The same. */
static void add(struct monitor *monitor, const char *address)
{
    struct failure failure = {0};
    struct engine *engine = pool_add_engine(monitor->manager->pool, address, &failure);
    struct watched *w = engine ? watch(monitor, engine) : NULL;

    if (!w) {
        log_warn("engine %s is not added: %s", address, failure.message ? failure.message : "out of memory");
        failure_clear(&failure);
        if (engine)
            pool_remove_engine(monitor->manager->pool, engine);
        return;
    }
    w->listed = true;
    worker_order(w, ORDER_START);
}

int monitor_watch_absent(struct monitor *monitor, struct engine *engine)
{
    struct watched *w;

    pthread_mutex_lock(&monitor->lock);
    w = watch(monitor, engine);
    if (w) {
        w->absent = true; /* its worker does not know it yet */
        w->awaits_list = !monitor->has_list;
    }
    if (w && monitor->has_list) { /* it has been said that it is not in it */
        swarm_member_set_lapsed(w->member, monotonic_ms());
        worker_order(w, ORDER_START);
    }
    pthread_mutex_unlock(&monitor->lock);
    return w ? 0 : -1;
}

void monitor_mark_absent(struct monitor *monitor, struct engine *engine)
{
    pthread_mutex_lock(&monitor->lock);
    if (engine->monitored)
        worker_order(engine->monitored, ORDER_ABSENT);
    pthread_mutex_unlock(&monitor->lock);
}

void watch_forget(struct watched *w)
{
    struct monitor *monitor = w->monitor;

    watch_quiesce(w);
    w->forgotten = true;
    pthread_mutex_lock(&monitor->lock);
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    w->engine->monitored = NULL;
    monitor->kept -= w->kept;
    swarm_member_free(w->member, monotonic_ms());
    w->member = NULL;
    if (w->listed) /* named again while it went */
        add(monitor, w->engine->address);
    worker_order(w, ORDER_FREE);
    pthread_mutex_unlock(&monitor->lock);
}

int watch_standing(struct watched *w, bool answers, int64_t *ret_again_ms)
{
    int64_t now_ms = monotonic_ms();
    int standing;

    pthread_mutex_lock(&w->monitor->lock);
    swarm_member_set_answers(w->member, now_ms, answers);
    standing = swarm_member_standing(w->member, now_ms, ret_again_ms);
    pthread_mutex_unlock(&w->monitor->lock);
    return standing;
}

static bool has_id(struct watched *w, const char *id)
{
    struct pool *pool = w->monitor->manager->pool;
    bool has;

    pool_read_lock(pool);
    has = w->engine->node && strcmp(swarm_node_id(w->engine->node), id) == 0;
    pool_unlock(pool);
    return has;
}

void watch_supersede(struct watched *w, const char *id)
{
    struct monitor *monitor = w->monitor;

    pthread_mutex_lock(&monitor->lock);
    for (struct watched *other = w->listed ? monitor->watched : NULL; other; other = other->next) {
        if (!other->listed && has_id(other, id)) {
            swarm_member_set_left(other->member, monotonic_ms());
            worker_order(other, ORDER_REVIEW);
        }
    }
    pthread_mutex_unlock(&monitor->lock);
}

bool watch_is_in_pool(struct watched *w)
{
    struct pool *pool = w->monitor->manager->pool;
    bool is;

    pool_read_lock(pool);
    is = w->engine->state != ENGINE_DISCONNECTED;
    pool_unlock(pool);
    return is;
}

/* --- what discovery and requests say --- */

static int by_address(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Addresses in order, each once; borrowed texts. */
struct sorted {
    const char **addresses;
    bool *known; /* engines of these are watched */
    size_t count;
};

static int sort(struct sorted *ret, const char *const *addresses, size_t count)
{
    const char **sorted = calloc(count + 1, sizeof(*sorted));
    bool *known = calloc(count + 1, sizeof(*known));
    size_t distinct = 0;

    *ret = (struct sorted){sorted, known, 0};
    if (!sorted || !known)
        return -1;
    if (count)
        memcpy(sorted, addresses, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_address);
    for (size_t i = 0; i < count; i++) {
        if (!distinct || strcmp(sorted[i], sorted[distinct - 1]) != 0)
            sorted[distinct++] = sorted[i];
    }
    ret->count = distinct;
    return 0;
}

static void sorted_free(struct sorted *sorted)
{
    free(sorted->addresses);
    free(sorted->known);
}

static bool find(struct sorted *in, const char *address)
{
    const char **found =
        in->count ? bsearch(&address, in->addresses, in->count, sizeof(*in->addresses), by_address) : NULL;

    if (found)
        in->known[found - in->addresses] = true;
    return found;
}

/* What the list says of one that is watched. With the monitor locked. */
static void note_membership(struct watched *w, struct sorted *listed, struct sorted *left)
{
    int64_t now_ms = monotonic_ms();
    bool was_listed = w->listed;

    w->listed = find(listed, w->engine->address);
    if (w->listed)
        swarm_member_set_announced(w->member, now_ms);
    else if (find(left, w->engine->address))
        swarm_member_set_left(w->member, now_ms);
    else
        swarm_member_set_lapsed(w->member, now_ms);
    if (w->awaits_list)
        worker_order(w, ORDER_START);
    if (!w->listed ||
        (!was_listed && !w->awaits_list)) /* what becomes of one that is not listed depends on the others, too */
        worker_order(w, ORDER_REVIEW);
    w->awaits_list = false;
}

void monitor_set_list(struct monitor *monitor, const struct discovery_list *list)
{
    struct sorted listed, left = {0};

    if (sort(&listed, list->addresses, list->count) != 0 || sort(&left, list->left, list->left_count) != 0) {
        log_error("out of memory: discovery's list of %zu engines is not applied", list->count);
    } else {
        pthread_mutex_lock(&monitor->lock);
        monitor->has_list = true;
        for (struct watched *w = monitor->watched; w; w = w->next)
            note_membership(w, &listed, &left);
        for (size_t i = 0; i < listed.count; i++) {
            if (!listed.known[i])
                add(monitor, listed.addresses[i]);
        }
        pthread_mutex_unlock(&monitor->lock);
    }
    sorted_free(&listed);
    sorted_free(&left);
}

void monitor_report(struct monitor *monitor, struct engine *engine, enum http_failure failure)
{
    struct watched *w;
    int64_t now_ms;

    if (failure == HTTP_OK || failure == HTTP_CANCELLED || failure == HTTP_NO_SOCKET)
        return;
    now_ms = monotonic_ms();
    pthread_mutex_lock(&monitor->lock);
    w = engine->monitored;
    if (w && now_ms - w->reported_ms >= REPORT_PAUSE_MS) {
        w->reported_ms = now_ms;
        worker_order(w, ORDER_REPORT);
    }
    pthread_mutex_unlock(&monitor->lock);
}

/* --- threads --- */

static void *worker_main(void *data)
{
    struct worker *worker = data;

    http_loop_run(worker->loop);
    return NULL;
}

static int worker_start(struct monitor *monitor, struct worker *worker, unsigned seed)
{
    worker->monitor = monitor;
    worker->random = seed;
    worker->inbox_end = &worker->inbox;
    worker->waiting_end = &worker->waiting;
    if (http_loop_new(&worker->loop) != 0)
        return -1;
    pthread_mutex_init(&worker->lock, NULL);
    worker->running = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
    return worker->running ? 0 : -1;
}

void monitor_stop(struct monitor *monitor)
{
    for (size_t i = 0; i < monitor->worker_count; i++) {
        if (monitor->workers[i].running)
            http_loop_stop(monitor->workers[i].loop);
    }
    for (size_t i = 0; i < monitor->worker_count; i++) {
        if (monitor->workers[i].running)
            pthread_join(monitor->workers[i].thread, NULL);
        monitor->workers[i].running = false;
    }
}

static void workers_free(struct monitor *monitor)
{
    for (size_t i = 0; i < monitor->worker_count; i++) {
        struct worker *worker = &monitor->workers[i];

        if (!worker->loop)
            continue;
        http_loop_free(worker->loop);
        pthread_mutex_destroy(&worker->lock);
    }
    free(monitor->workers);
}

int monitor_new(struct monitor **ret, struct manager *manager)
{
    struct swarm_membership_options membership = SWARM_MEMBERSHIP_OPTIONS_INIT;
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t)cores;

    if (!monitor)
        return -1;
    monitor->manager = manager;
    pthread_mutex_init(&monitor->lock, NULL);
    membership.keep_ms = manager->options.detection.unannounced_ms;
    if (swarm_membership_new(&monitor->membership, &membership, NULL) == 0)
        monitor->workers = calloc(count, sizeof(*monitor->workers));
    while (monitor->workers && monitor->worker_count < count) {
        struct worker *worker = &monitor->workers[monitor->worker_count++];

        if (worker_start(monitor, worker, (unsigned)monotonic_ms() * 31 + (unsigned)monitor->worker_count) != 0)
            break;
    }
    if (!monitor->workers || monitor->worker_count < count || !monitor->workers[count - 1].running) {
        monitor_free(monitor);
        return -1;
    }
    *ret = monitor;
    return 0;
}

void monitor_free(struct monitor *monitor)
{
    if (!monitor)
        return;
    monitor_stop(monitor);
    for (size_t i = 0; i < monitor->worker_count; i++) { /* let go of, but not freed yet */
        struct worker *worker = &monitor->workers[i];
        struct watched *w;
        unsigned orders;

        while (worker->loop && (w = worker_take(worker, &orders))) {
            if (orders & ORDER_FREE) {
                watch_abandon(w);
                watched_free(w);
            }
        }
    }
    while (monitor->watched) {
        struct watched *w = monitor->watched;

        monitor->watched = w->next;
        w->engine->monitored = NULL;
        swarm_member_free(w->member, 0);
        watch_abandon(w);
        watched_free(w);
    }
    workers_free(monitor);
    swarm_membership_free(monitor->membership);
    pthread_mutex_destroy(&monitor->lock);
    free(monitor);
}
