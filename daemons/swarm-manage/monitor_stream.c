/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's event stream: opened with a sync, probed when it ends. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "event_shape.h"
#include "json_scan.h"
#include "log.h"
#include "monitor_private.h"
#include "timestamp.h"

static int take_object(void *data, const char *text, size_t length)
{
    struct watched *w = data;
    int64_t time_ns;

    if (!json_valid(text, length))
        return -1;
    time_ns = event_time_ns(json_span_of(text, length));
    if (time_ns > w->last_event_ns)
        w->last_event_ns = time_ns;
    return events_append(w, text, length, time_ns);
}

/* Inside the transfer no other may be started: react from a timer. */
static int take_bytes(void *data, const char *bytes, size_t length)
{
    struct watched *w = data;
    int r = json_objects_feed(&w->objects, bytes, length, take_object, w);

    w->heard_ms = monotonic_ms();
    if (w->held && !w->timers[TIMER_EVENTS].timer)
        watch_timer_set(w, TIMER_EVENTS, 0, events_react);
    return r;
}

static void ended(void *data, struct http_result *result)
{
    struct watched *w = data;
    char error[sizeof(result->error) + 32];

    w->stream = NULL;
    engine_explain(w->engine, result);
    if (result->failure == HTTP_OK && result->status >= 400)
        snprintf(error, sizeof(error), "status %d", result->status);
    else
        snprintf(error, sizeof(error), "%s", result->failure == HTTP_OK ? "EOF" : result->error);
    log_error_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}, {"error", error}),
                   "error monitoring events, will restart");
    /* While a sync runs, its own calls tell whether the engine is gone; it sees the missing stream at its end. */
    if (w->state == ENGINE_HEALTHY && !w->syncing)
        probe_start(w, NULL);
}

/* Where the stream is to start: after the last event seen, else at the engine's time at first contact. */
static int64_t since_ns(struct watched *w)
{
    struct pool *pool = w->monitor->manager->pool;
    int64_t ns = 0;
    const char *text;

    if (w->last_event_ns > 0)
        return w->last_event_ns + 1;
    pool_read_lock(pool);
    text = json_string_value(json_object_get(w->engine->info, "SystemTime"));
    if (!text || timestamp_parse(text, &ns) != 0)
        ns = 0;
    pool_unlock(pool);
    if (ns > 0)
        w->last_event_ns = ns - 1;
    return ns;
}

int stream_open(struct watched *w)
{
    const struct address *dial = &w->engine->dial;
    struct http_call call = {.tls = w->engine->tls,
                             .unix_path = dial->is_unix ? dial->path : NULL,
                             .connect_timeout_ms = CONNECT_MS,
                             .max_response = SIZE_MAX};
    int64_t since = since_ns(w);
    char url[1024];

    stream_shut(w);
    if (since > 0)
        snprintf(url, sizeof(url), "%s%s/events?since=%" PRId64 ".%09" PRId64, w->engine->base, w->prefix,
                 since / NS_PER_S, since % NS_PER_S);
    else
        snprintf(url, sizeof(url), "%s%s/events", w->engine->base, w->prefix);
    call.url = url;
    w->stream = http_loop_start(w->worker->loop, &call, take_bytes, ended, w);
    w->stream_opened_ms = monotonic_ms();
    return w->stream ? 0 : -1;
}

void stream_shut(struct watched *w)
{
    if (w->stream)
        http_exchange_cancel(w->stream);
    w->stream = NULL;
    json_objects_reset(&w->objects);
}
