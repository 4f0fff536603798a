/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and timers that belong to an engine and end with it. */
#include "monitor_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "metrics.h"

struct monitor_call {
    struct watched *watched;
    struct monitor_call *next, **link;
    struct http_exchange *exchange;
    int64_t begun_ns;
    call_done done;
    void *data;
};

static void call_free(struct monitor_call *call)
{
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    free(call);
}

static void call_ended(void *data, struct http_result *result)
{
    struct monitor_call *call = data;
    struct watched *w = call->watched;
    call_done done = call->done;
    void *done_data = call->data;

    w->took_ns = metrics_now_ns() - call->begun_ns;
    metrics_call(METRIC_CALLER_MONITOR, result->failure, w->took_ns);
    call_free(call);
    engine_explain(w->engine, result);
    if (result->failure == HTTP_OK)
        w->heard_ms = monotonic_ms();
    done(w, done_data, result);
}

int watch_call(struct watched *w, const struct call_order *order, call_done done, void *data)
{
    const struct address *dial = &w->engine->dial;
    struct monitor_call *call = calloc(1, sizeof(*call));
    struct http_call http = {.tls = w->engine->tls,
                             .unix_path = dial->is_unix ? dial->path : NULL,
                             .once = order->once,
                             .fresh = order->fresh,
                             .connect_timeout_ms = order->connect_ms,
                             .timeout_ms = order->timeout_ms};
    char url[1024];

    if (!call)
        return -1;
    snprintf(url, sizeof(url), "%s%s%s", w->engine->base, order->versioned ? w->prefix : "", order->path);
    http.url = url;
    call->watched = w;
    call->done = done;
    call->begun_ns = metrics_now_ns();
    call->data = data;
    call->next = w->calls;
    call->link = &w->calls;
    if (call->next)
        call->next->link = &call->next;
    w->calls = call;
    call->exchange = http_loop_start(w->worker->loop, &http, NULL, call_ended, call);
    if (!call->exchange) {
        call_free(call);
        return -1;
    }
    return 0;
}

void watch_cancel_calls(struct watched *w)
{
    while (w->calls) {
        http_exchange_cancel(w->calls->exchange);
        call_free(w->calls);
    }
}

static void timer_fired(void *data)
{
    struct watch_slot *slot = data;

    slot->timer = NULL;
    slot->fn(slot->watched);
}

void watch_timer_set(struct watched *w, enum watch_timer which, int64_t after_ms, void (*fn)(struct watched *w))
{
    struct watch_slot *slot = &w->timers[which];

    watch_timer_clear(w, which);
    slot->watched = w;
    slot->fn = fn;
    slot->timer = http_loop_timer(w->worker->loop, after_ms, timer_fired, slot);
    if (!slot->timer)
        log_error("out of memory: engine %s is not watched until discovery names it anew", w->engine->address);
}

void watch_timer_clear(struct watched *w, enum watch_timer which)
{
    struct watch_slot *slot = &w->timers[which];

    if (slot->timer)
        http_timer_cancel(slot->timer);
    slot->timer = NULL;
}

void watch_abandon(struct watched *w)
{
    while (w->calls)
        call_free(w->calls);
    for (int i = 0; i < TIMER_COUNT; i++)
        w->timers[i].timer = NULL;
    w->stream = NULL;
}

int64_t watch_random(struct watched *w, int64_t range)
{
    return range > 0 ? (int64_t)((double)rand_r(&w->worker->random) / ((double)RAND_MAX + 1) * (double)range) : 0;
}

int64_t watch_backoff(struct watched *w, int64_t limit_ms)
{
    w->backoff_ms = w->backoff_ms ? w->backoff_ms * 2 : 1000;
    if (w->backoff_ms > limit_ms)
        w->backoff_ms = limit_ms;
    return w->backoff_ms + watch_random(w, w->backoff_ms / 8);
}

void trouble_set(struct trouble *trouble, const char *format, ...)
{
    va_list arguments;

    memset(trouble, 0, sizeof(*trouble));
    va_start(arguments, format);
    vsnprintf(trouble->text, sizeof(trouble->text), format, arguments);
    va_end(arguments);
}

bool trouble_from_result(struct trouble *trouble, struct watched *w, const struct http_result *result)
{
    struct failure failure = {0};

    if (result->failure == HTTP_OK && result->status < 400)
        return false;
    failure_from_engine(&failure, w->engine, result);
    trouble_set(trouble, "%s", failure.message ? failure.message : "out of memory");
    trouble->failure = result->failure;
    /* Anything else that keeps a connection from being made (no route, no name) does not tell whether it runs. */
    trouble->refused = result->failure == HTTP_REFUSED &&
                       (result->os_error == ECONNREFUSED || (w->engine->dial.is_unix && result->os_error == ENOENT));
    failure_clear(&failure);
    return true;
}

bool trouble_is_connection(const struct trouble *trouble)
{
    return trouble->failure != HTTP_OK && trouble->failure != HTTP_NO_SOCKET;
}
