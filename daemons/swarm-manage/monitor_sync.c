/* SPDX-License-Identifier: Apache-2.0 */
/* Getting to know all of an engine, one step after the other: ping, specs, event stream, containers, then images,
 * networks and volumes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "metrics.h"
#include "monitor_private.h"
#include "watchdog.h"

#define PENDING_BACKOFF_MS 30000
#define BACKOFF_MS 10000
#define STREAM_LIVED_MS 5000 /* a stream that ends sooner is not opened again at once */

/* --- what is under way stops --- */

static void refreshes_cancel(struct watched *w)
{
    specs_fetch_cancel(w);
    listing_cancel(w);
    jobs_cancel(w);
    probe_cancel(w);
    objects_fetch_cancel(w);
}

void watch_quiesce(struct watched *w)
{
    w->syncing = false;
    watch_cancel_calls(w);
    refreshes_cancel(w);
    stream_shut(w);
    for (int i = 0; i < TIMER_COUNT; i++)
        watch_timer_clear(w, i);
    events_flush(w);
}

/* --- outcome --- */

static int64_t retry_limit(const struct watched *w)
{
    int64_t limit = w->monitor->manager->options.refresh_max_ms;

    if (w->state == ENGINE_PENDING)
        return PENDING_BACKOFF_MS;
    return limit < 1000 ? 1000 : limit < BACKOFF_MS ? limit : BACKOFF_MS;
}

static void retry_later(struct watched *w)
{
    watch_timer_set(w, TIMER_RETRY, watch_backoff(w, retry_limit(w)), sync_start);
}

void sync_soon(struct watched *w)
{
    if (w->stream_opened_ms && monotonic_ms() - w->stream_opened_ms >= STREAM_LIVED_MS) {
        w->backoff_ms = 0;
        sync_start(w);
    } else {
        retry_later(w);
    }
}

/* Why an engine is not in the pool yet: to be seen at once, and not again for as long as it is the same. */
static void tell_pending(struct watched *w, const char *why)
{
    bool told = w->told_pending && strcmp(w->told_pending, why) == 0;

    if (!told) {
        free(w->told_pending);
        w->told_pending = strdup(why);
    }
    log_line(told ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, LOG_FIELDS({"Addr", w->engine->address}),
             "Failed to validate pending node: %s", why);
}

/* There is no way to it, or it is not what it was: keep trying. */
static void sync_failed(struct watched *w, const struct trouble *trouble)
{
    bool stopped_now = w->state == ENGINE_UNHEALTHY && w->loss == SWARM_NODE_SILENT && trouble->refused;
    bool was_healthy = w->state == ENGINE_HEALTHY;
    bool stays_away = w->absent && (trouble->changed_id || trouble_is_connection(trouble));

    watch_quiesce(w);
    if (stays_away) { /* whatever it was refused for, it may only be starting: it has its grace */
        w->absent = false;
        w->state = ENGINE_UNHEALTHY;
        w->loss = SWARM_NODE_SILENT;
    }
    if (trouble->changed_id) /* nothing that is known of it holds any more */
        w->state = ENGINE_PENDING;
    w->failures++;
    flap_note_failure(w);
    if (w->state == ENGINE_PENDING)
        tell_pending(w, trouble->text);
    pool_set_state(w->monitor->manager->pool, w->engine, w->state, w->failures, trouble->text);
    if (was_healthy) { /* what was there is gone, or runs at an address that nobody knows */
        flap_note_loss(w);
        metrics_count(METRIC_ENGINES_LOST);
        events_publish_swarm(w->monitor->manager->events, w->engine, "engine_disconnect");
        watchdog_engine_lost(w->monitor->manager->watchdog, w->engine, SWARM_NODE_SILENT);
    }
    if (stays_away) {
        log_warn_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}),
                      "Node is recorded, and does not answer: %s", trouble->text);
        watchdog_engine_lost(w->monitor->manager->watchdog, w->engine, SWARM_NODE_SILENT);
    }
    if (stopped_now) { /* it was silent and is down for certain now */
        w->loss = SWARM_NODE_STOPPED;
        watchdog_engine_lost(w->monitor->manager->watchdog, w->engine, w->loss);
    }
    retry_later(w);
    leave_review(w);
}

/* The same for one that counts as healthy: only a probe may take that away. */
static void resync_failed(struct watched *w, const struct trouble *trouble)
{
    log_debug_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Engine refresh failed: %s",
                   trouble->text);
    watch_cancel_calls(w);
    refreshes_cancel(w);
    stream_shut(w);
    w->stream_opened_ms = 0;
    heartbeat_schedule(w);
    if (trouble_is_connection(trouble))
        probe_start(w, trouble);
    else
        retry_later(w);
}

/* It counts as healthy from now on, as the pool knows already. */
static void announce(struct watched *w)
{
    struct manager *manager = w->monitor->manager;
    enum engine_state was = w->state;
    int retries = w->failures;

    w->state = ENGINE_HEALTHY;
    w->failures = 0;
    if (was == ENGINE_HEALTHY)
        return;
    w->backoff_ms = 0;
    free(w->told_pending);
    w->told_pending = NULL;
    if (was == ENGINE_UNHEALTHY) {
        metrics_count(METRIC_ENGINES_BACK);
        log_info_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}),
                      "Engine came back to life after %d retries. Hooray!", retries);
    } else {
        log_info("Registered Engine %s at %s", w->engine->name, w->engine->address);
    }
    events_publish_swarm(manager->events, w->engine, w->connected_once ? "engine_reconnect" : "engine_connect");
    w->connected_once = true;
    w->absent = false;
    watchdog_engine_back(manager->watchdog, w->engine);
}

static void sync_succeeded(struct watched *w)
{
    w->syncing = false;
    announce(w);
    w->stale = false;
    heartbeat_schedule(w);
    refresh_schedule(w);
    events_react(w);
    if (!w->stream)
        retry_later(w);
    leave_review(w);
}

static void sync_ended(struct watched *w, const struct trouble *trouble)
{
    w->syncing = false;
    if (w->state == ENGINE_HEALTHY && !trouble->changed_id)
        resync_failed(w, trouble);
    else
        sync_failed(w, trouble);
}

static void out_of_memory(struct watched *w)
{
    struct trouble trouble;

    trouble_set(&trouble, "out of memory");
    sync_ended(w, &trouble);
}

/* --- steps --- */

static void containers_known(struct watched *w, const struct trouble *trouble);

/* Without its images an engine is of no use. With networks only a lost connection counts, with volumes not even that:
 * they are as slow as the slowest driver. What is missing comes with the next periodic look. */
static bool is_fatal(enum object_kind kind, const struct trouble *trouble)
{
    return trouble && (kind == OBJECT_IMAGES || (kind == OBJECT_NETWORKS && trouble_is_connection(trouble)));
}

static void objects_known(struct watched *w, enum object_kind kind, const struct trouble *trouble)
{
    if (is_fatal(kind, trouble)) {
        sync_ended(w, trouble);
        return;
    }
    if (trouble)
        log_warn_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Unable to list what it has: %s",
                      trouble->text);
    if (kind + 1 < OBJECT_KINDS)
        objects_fetch(w, kind + 1, objects_known);
    else if (pool_set_back(w->monitor->manager->pool, w->engine))
        sync_succeeded(w);
    else /* until nothing was moved off it meanwhile */
        listing_start(w, true, containers_known);
}

static void containers_known(struct watched *w, const struct trouble *trouble)
{
    if (trouble)
        sync_ended(w, trouble);
    else
        objects_fetch(w, OBJECT_IMAGES, objects_known);
}

static void specs_known(struct watched *w, const struct trouble *trouble)
{
    if (trouble && (w->state != ENGINE_HEALTHY || trouble->changed_id || trouble_is_connection(trouble))) {
        sync_ended(w, trouble);
        return;
    }
    if (trouble)
        log_error_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Update engine specs failed: %s",
                       trouble->text);
    if (stream_open(w) != 0) {
        out_of_memory(w);
        return;
    }
    /* Every one is inspected: what happened while nobody listened shows nowhere else. */
    listing_start(w, true, containers_known);
}

/* Where a host name led: what is shown as the engine's IP. */
static void learn_ip(struct watched *w, const char *ip)
{
    if (!*ip || strlen(ip) >= sizeof(w->engine->ip) || strcmp(w->engine->ip, ip) == 0)
        return;
    pool_write_lock(w->monitor->manager->pool);
    strcpy(w->engine->ip, ip);
    pool_unlock(w->monitor->manager->pool);
}

static void pinged(struct watched *w, void *data, struct http_result *result)
{
    struct trouble trouble;

    if (trouble_from_result(&trouble, w, result)) {
        sync_ended(w, &trouble);
        return;
    }
    if (flap_holds_back(w)) {
        w->syncing = false;
        return;
    }
    learn_ip(w, result->peer_ip);
    snprintf(w->builder, sizeof(w->builder), "%s", result->builder_version);
    specs_fetch(w, specs_known);
}

void sync_start(struct watched *w)
{
    static const struct call_order ping = {"/_ping", false, CONNECT_MS, SMALL_CALL_MS};

    if (!watch_is_in_pool(w)) {
        watch_forget(w);
        return;
    }
    watch_timer_clear(w, TIMER_RETRY);
    watch_timer_clear(w, TIMER_REFRESH);
    watch_cancel_calls(w);
    refreshes_cancel(w);
    stream_shut(w);
    w->syncing = true;
    if (w->state == ENGINE_HEALTHY)
        heartbeat_schedule(w);
    if (watch_call(w, &ping, pinged, NULL) != 0)
        out_of_memory(w);
}
