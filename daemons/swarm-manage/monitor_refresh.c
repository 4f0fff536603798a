/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine is, and the periodic look at everything. */
#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "log.h"
#include "monitor_private.h"
#include "timestamp.h"

static json_t *parse(const struct http_result *result)
{
    return result->body ? json_read(result->body, result->length, JSON_ALLOW_NUL, NULL) : NULL;
}

/* --- specs --- */

void specs_fetch_cancel(struct watched *w)
{
    json_decref(w->specs.info);
    json_decref(w->specs.version);
    memset(&w->specs, 0, sizeof(w->specs));
}

/* As it has just said; NULL: it has not. */
static const char *own_id(const struct watched *w)
{
    return json_string_value(json_object_get(w->specs.info, "ID"));
}

/* The engine's id was another one when it was validated. */
static bool is_other_engine(struct watched *w)
{
    const char *id = own_id(w);

    return id && w->engine->id && strcmp(id, w->engine->id) != 0;
}

static void specs_apply(struct watched *w)
{
    struct failure failure = {0};
    bool other = is_other_engine(w);
    char prefix[sizeof(w->prefix) - 1];

    if (pool_apply_specs(w->monitor->manager->pool, w->engine, w->specs.info, w->specs.version, w->builder, &failure) !=
        0) {
        if (!w->engine->node && !w->engine->stranger && own_id(w))
            watch_supersede(w, own_id(w));
        trouble_set(&w->specs.trouble, "%s", failure.message ? failure.message : "out of memory");
        w->specs.trouble.changed_id = other;
        w->specs.failed = true;
        failure_clear(&failure);
        return;
    }
    w->specs_ms = monotonic_ms();
    w->listed_hash = 0; /* entries show its name, address and clock */
    engine_version_prefix(w->engine, NULL, prefix, sizeof(prefix));
    w->prefix[0] = '/';
    memcpy(w->prefix + 1, prefix, sizeof(prefix));
}

static void specs_end(struct watched *w)
{
    struct specs_fetch ended;

    if (!w->specs.failed)
        specs_apply(w);
    ended = w->specs;
    ended.info = ended.version = NULL;
    specs_fetch_cancel(w);
    ended.done(w, ended.failed ? &ended.trouble : NULL);
}

static void twin_answered(struct watched *w, void *data, struct http_result *result)
{
    json_t *list = NULL;

    w->specs.failed = trouble_from_result(&w->specs.trouble, w, result);
    if (!w->specs.failed) {
        list = parse(result);
        pool_compare_twin(w->monitor->manager->pool, w->engine, own_id(w), list);
        json_decref(list);
    }
    specs_end(w);
}

/* Where it says that it is what another one is: look at its containers first. */
static bool compares(struct watched *w)
{
    static const struct call_order list = {"/containers/json?all=1", false, CONNECT_MS, LIST_CALL_MS};

    if (w->specs.failed || !own_id(w) || !pool_has_twin(w->monitor->manager->pool, w->engine, own_id(w)))
        return false;
    if (watch_call(w, &list, twin_answered, NULL) == 0)
        return true;
    trouble_set(&w->specs.trouble, "out of memory");
    w->specs.failed = true;
    return false;
}

static void specs_answered(struct watched *w, json_t **ret_object, const char *path, struct http_result *result)
{
    struct specs_fetch *specs = &w->specs;

    if (!specs->failed) {
        specs->failed = trouble_from_result(&specs->trouble, w, result);
        if (!specs->failed) {
            *ret_object = parse(result);
            if (!json_is_object(*ret_object)) {
                trouble_set(&specs->trouble, "engine %s answered GET %s with something else than a JSON object",
                            w->engine->address, path);
                specs->failed = true;
            }
        }
    }
    if (--specs->missing == 0 && !compares(w))
        specs_end(w);
}

static void info_answered(struct watched *w, void *data, struct http_result *result)
{
    specs_answered(w, &w->specs.info, "/info", result);
}

static void version_answered(struct watched *w, void *data, struct http_result *result)
{
    specs_answered(w, &w->specs.version, "/version", result);
}

void specs_fetch(struct watched *w, void (*done)(struct watched *w, const struct trouble *trouble))
{
    static const struct call_order info = {"/info", false, CONNECT_MS, SMALL_CALL_MS};
    static const struct call_order version = {"/version", false, CONNECT_MS, SMALL_CALL_MS};
    struct trouble trouble;

    specs_fetch_cancel(w);
    w->specs.active = true;
    w->specs.done = done;
    atomic_store(&w->engine->specs_asked_ns, timestamp_now_ns());
    if (watch_call(w, &info, info_answered, NULL) == 0) {
        w->specs.missing++;
        if (watch_call(w, &version, version_answered, NULL) == 0) {
            w->specs.missing++;
            return;
        }
        /* The first one's answer ends it. */
        trouble_set(&w->specs.trouble, "out of memory");
        w->specs.failed = true;
        return;
    }
    specs_fetch_cancel(w);
    trouble_set(&trouble, "out of memory");
    done(w, &trouble);
}

/* --- the periodic look: one thing after the other, over one connection --- */

void refresh_go_on(struct watched *w, int kind)
{
    if (kind < OBJECT_KINDS)
        job_want(w, &w->object_jobs[kind]);
    w->looking_at = kind;
}

static void refreshed(struct watched *w, const struct trouble *trouble)
{
    refresh_schedule(w);
    if (trouble) {
        log_debug_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Engine refresh failed: %s",
                       trouble->text);
        if (trouble_is_connection(trouble))
            probe_start(w, trouble);
        return;
    }
    log_debug_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Engine update succeeded");
    if (!w->probe.active)
        pool_set_state(w->monitor->manager->pool, w->engine, ENGINE_HEALTHY, 0, NULL);
    refresh_go_on(w, OBJECT_IMAGES);
}

static void refresh(struct watched *w)
{
    bool full = w->stale;

    if (w->state != ENGINE_HEALTHY || w->syncing || w->listing.active) {
        refresh_schedule(w);
        return;
    }
    w->stale = false;
    if (monotonic_ms() - w->specs_ms >= SPECS_MS)
        job_want(w, &w->specs_job);
    listing_start(w, full, refreshed);
}

void refresh_schedule(struct watched *w)
{
    const struct manager_options *options = &w->monitor->manager->options;
    int64_t after = options->refresh_min_ms + watch_random(w, options->refresh_max_ms - options->refresh_min_ms);

    watch_timer_set(w, TIMER_REFRESH, w->stale ? 1000 : after, refresh);
}
