/* SPDX-License-Identifier: Apache-2.0 */
/* The manager's side: list the directory, then follow its changes from the list's revision on. v3: one stream; as an
 * idle one says nothing, a cheap question is asked after each time of silence. v2: one wait after the other, each
 * bounded. Whatever goes wrong ends in a new list, from the next endpoint; the last list stays in force meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_etcd.h"
#include "discovery_kv_report.h"
#include "log.h"

enum {
    LIST_TIMEOUT_MS = 15000,
    SILENCE_MAX_MS = 10000,
    WAIT_MS = 20000,  /* of a v2 wait */
    STEADY_MS = 5000, /* a watch that lived so long starts the back-off anew */
    LINE_MAX_BYTES = 64 << 20,
};

struct watch {
    struct etcd *etcd;
    struct kv_report report;
    size_t endpoint, tried; /* how many failed since the last success */
    int failures;           /* rounds of all endpoints */
    int api;                /* that the last list used */
    int64_t index;          /* revision (v3) or index (v2) that the table stands for */
    struct kv_table table;
    struct http_exchange *stream; /* the watch */
    struct http_exchange *call;   /* list, probe, mkdir */
    struct http_timer *timer;     /* next list, or next probe */
    int64_t watching_since_ms;    /* 0: not */
    int64_t heard_ms;
    unsigned messages, messages_at_probe;
    char *line; /* of the stream, as far as it came */
    size_t line_length, line_capacity;
};

static void list(void *data);
static void follow(struct watch *watch);

/* Start the call to the present endpoint; takes @p path and @p body. NULL for lack of memory. */
static struct http_exchange *start(struct watch *watch, const char *method, char *path, char *body, int timeout_ms,
                                   int (*on_data)(void *data, const char *bytes, size_t length),
                                   void (*on_done)(void *data, struct http_result *result))
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    bool post = strcmp(method, "POST") == 0;
    char *url = path && (body || !post) ? etcd_url(watch->etcd, watch->endpoint, path) : NULL;
    struct http_exchange *exchange = NULL;
    if (url) {
        struct http_call call = {.method = method,
                                 .url = url,
                                 .headers = headers,
                                 .body = body,
                                 .body_length = body ? strlen(body) : 0,
                                 .tls = watch->etcd->place.tls,
                                 .connect_timeout_ms = ETCD_CONNECT_TIMEOUT_MS,
                                 .timeout_ms = timeout_ms};
        exchange = http_loop_start(watch->etcd->loop, &call, on_data, on_done, watch);
    }
    free(url);
    free(path);
    free(body);
    return exchange;
}

static void after(struct watch *watch, int64_t after_ms, void (*fn)(void *data))
{
    http_timer_cancel(watch->timer);
    watch->timer = http_loop_timer(watch->etcd->loop, after_ms, fn, watch);
    if (!watch->timer) { /* without a timer nothing would ever happen again */
        watch->report.events->error(watch->report.data, "etcd: out of memory, discovery ends");
        http_loop_stop(watch->etcd->loop);
    }
}

static void drop_calls(struct watch *watch)
{
    http_exchange_cancel(watch->stream);
    http_exchange_cancel(watch->call);
    watch->stream = watch->call = NULL;
    watch->line_length = 0;
}

/* Whether the watch had been steady; then its end is no part of an earlier trouble. */
static bool end_watch(struct watch *watch)
{
    bool steady = watch->watching_since_ms > 0 && monotonic_ms() - watch->watching_since_ms >= STEADY_MS;
    drop_calls(watch);
    watch->watching_since_ms = 0;
    if (steady)
        watch->failures = 0;
    return steady;
}

/* The present endpoint failed: try the next at once; when all failed, say so (@p text, taken) and wait. */
static void trouble(struct watch *watch, char *text)
{
    end_watch(watch);
    watch->endpoint = (watch->endpoint + 1) % watch->etcd->place.count;
    if (++watch->tried < watch->etcd->place.count) {
        log_debug("%s", text ? text : "etcd: out of memory");
        free(text);
        after(watch, 0, list);
        return;
    }
    watch->tried = 0;
    if (text)
        kv_report_error(&watch->report, text);
    after(watch, kv_back_off_ms(&watch->failures), list);
}

static void trouble_with(struct watch *watch, const struct http_result *result)
{
    if (etcd_switch_api(watch->etcd, result) && atomic_load(&watch->etcd->api) == 2) {
        drop_calls(watch);
        after(watch, 0, list);
        return;
    }
    trouble(watch, etcd_failure_text(watch->etcd, watch->endpoint, result));
}

static void no_memory(struct watch *watch)
{
    trouble(watch, strdup("etcd: out of memory"));
}

static void report(struct watch *watch)
{
    kv_report_entries(&watch->report, watch->etcd->place.directory, &watch->table);
}

/* A list came: it counts, whatever was before. */
static void listed(struct watch *watch, struct kv_table *table, int64_t index)
{
    if (watch->report.error)
        log_info("Discovery: etcd %s answers again", watch->etcd->place.endpoints[watch->endpoint]);
    kv_report_error(&watch->report, NULL);
    kv_table_clear(&watch->table);
    watch->table = *table;
    watch->index = index;
    watch->tried = 0;
    watch->watching_since_ms = monotonic_ms();
    report(watch);
    follow(watch);
}

static void made_directory(void *data, struct http_result *result)
{
    struct watch *watch = data;
    struct kv_table empty = {0};
    watch->call = NULL;
    /* Somebody else may have made it just now. */
    if (result->failure != HTTP_OK || (result->status / 100 != 2 && etcd_v2_error(result) == 0))
        trouble_with(watch, result);
    else
        listed(watch, &empty, watch->index);
}

/* v2: a directory that is not there cannot hold nodes; those who announce themselves need not care. */
static void make_directory(struct watch *watch)
{
    char *path = etcd_v2_path(watch->etcd->place.directory), *query = NULL;
    if (path && asprintf(&query, "%s?dir=true&prevExist=false", path) < 0)
        query = NULL;
    free(path);
    watch->call = start(watch, "PUT", query, NULL, ETCD_CALL_TIMEOUT_MS, NULL, made_directory);
    if (!watch->call)
        no_memory(watch);
}

static void list_v2_done(void *data, struct http_result *result)
{
    enum { KEY_NOT_FOUND = 100 };
    struct watch *watch = data;
    struct kv_table table = {0};
    watch->call = NULL;
    int64_t index = strtoll(result->index, NULL, 10);
    if (result->failure == HTTP_OK && result->status == 200 && etcd_parse_v2_list(result->body, &table) == 0) {
        listed(watch, &table, index);
        return;
    }
    kv_table_clear(&table);
    if (etcd_v2_error(result) == KEY_NOT_FOUND) {
        watch->index = index;
        make_directory(watch);
        return;
    }
    trouble_with(watch, result);
}

static void list_v3_done(void *data, struct http_result *result)
{
    struct watch *watch = data;
    struct kv_table table = {0};
    int64_t revision;
    watch->call = NULL;
    if (result->failure == HTTP_OK && result->status == 200 && etcd_parse_range(result->body, &table, &revision) == 0) {
        listed(watch, &table, revision);
        return;
    }
    kv_table_clear(&table);
    trouble_with(watch, result);
}

/* Timer's callback: everything begins here. */
static void list(void *data)
{
    struct watch *watch = data;
    watch->timer = NULL;
    drop_calls(watch);
    watch->api = atomic_load(&watch->etcd->api);
    if (watch->api == 3) {
        watch->call =
            start(watch, "POST", strdup("/v3/kv/range"), etcd_range_request(watch->etcd->place.directory, false),
                  LIST_TIMEOUT_MS, NULL, list_v3_done);
    } else {
        char *path = etcd_v2_path(watch->etcd->place.directory), *query = NULL;
        if (path && asprintf(&query, "%s?quorum=true&recursive=true&sorted=true", path) < 0)
            query = NULL;
        free(path);
        watch->call = start(watch, "GET", query, NULL, LIST_TIMEOUT_MS, NULL, list_v2_done);
    }
    if (!watch->call)
        no_memory(watch);
}

/* The watch ended though the endpoint may be well: list again, at once where the watch had been steady. */
static void watch_ended(struct watch *watch)
{
    after(watch, end_watch(watch) ? 0 : kv_back_off_ms(&watch->failures), list);
}

/* Act on one line or answer of a watch. Whether to go on reading. */
static bool act(struct watch *watch, enum etcd_event event)
{
    watch->heard_ms = monotonic_ms();
    watch->messages++;
    if (event == ETCD_CHANGED)
        report(watch);
    return event == ETCD_NOTHING || event == ETCD_CHANGED;
}

static int append_line(struct watch *watch, const char *bytes, size_t length)
{
    size_t needed = watch->line_length + length + 1;
    if (needed > LINE_MAX_BYTES)
        return -1;
    if (needed > watch->line_capacity) {
        char *longer = realloc(watch->line, needed * 2);
        if (!longer)
            return -1;
        watch->line = longer;
        watch->line_capacity = needed * 2;
    }
    memcpy(watch->line + watch->line_length, bytes, length);
    watch->line_length += length;
    watch->line[watch->line_length] = '\0';
    return 0;
}

/* Whole lines are etcd's messages; the rest is kept. */
static int on_stream(void *data, const char *bytes, size_t length)
{
    struct watch *watch = data;
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end ? (size_t)(end - bytes) : length;
        if (append_line(watch, bytes, part) != 0)
            return -1;
        if (end) {
            bool blank = watch->line_length == 0;
            watch->line_length = 0;
            if (!blank && !act(watch, etcd_apply_watch(watch->line, &watch->table)))
                return -1;
            part++;
        }
        bytes += part;
        length -= part;
    }
    return 0;
}

static void stream_done(void *data, struct http_result *result)
{
    struct watch *watch = data;
    watch->stream = NULL;
    if (result->failure == HTTP_OK && result->status != 200)
        trouble_with(watch, result);
    else
        watch_ended(watch);
}

static int silence_ms(const struct watch *watch)
{
    int heartbeat_ms = watch->etcd->discovery->heartbeat_ms;
    return heartbeat_ms < 1000 ? 1000 : heartbeat_ms < SILENCE_MAX_MS ? heartbeat_ms : SILENCE_MAX_MS;
}

static void probe(void *data);

static void probe_done(void *data, struct http_result *result)
{
    struct watch *watch = data;
    int64_t count;
    watch->call = NULL;
    if (result->failure != HTTP_OK || result->status != 200 || etcd_parse_count(result->body, &count) != 0) {
        trouble_with(watch, result);
        return;
    }
    watch->heard_ms = monotonic_ms();
    if (count != (int64_t)watch->table.count &&
        watch->messages == watch->messages_at_probe) { /* the stream kept something from us */
        log_debug("etcd counts %" PRId64 " keys, the watch %zu: listing again", count, watch->table.count);
        watch_ended(watch);
        return;
    }
    after(watch, silence_ms(watch), probe);
}

/* Timer's callback: has the endpoint still a quorum, and the stream told us all? */
static void probe(void *data)
{
    struct watch *watch = data;
    int64_t left_ms = watch->heard_ms + silence_ms(watch) - monotonic_ms();
    watch->timer = NULL;
    if (left_ms > 0) {
        after(watch, left_ms, probe);
        return;
    }
    watch->messages_at_probe = watch->messages;
    watch->call = start(watch, "POST", strdup("/v3/kv/range"), etcd_range_request(watch->etcd->place.directory, true),
                        ETCD_CALL_TIMEOUT_MS, NULL, probe_done);
    if (!watch->call)
        no_memory(watch);
}

static void wait_done(void *data, struct http_result *result)
{
    enum { EVENT_INDEX_CLEARED = 401 };
    struct watch *watch = data;
    watch->stream = NULL;
    if (result->failure == HTTP_TIMEOUT || etcd_v2_error(result) == EVENT_INDEX_CLEARED) {
        after(watch, 0, list); /* nothing in that time, or too much */
        return;
    }
    if (result->failure != HTTP_OK || result->status != 200) {
        trouble_with(watch, result);
        return;
    }
    if (result->length == 0) /* the server's own time-out */
        follow(watch);
    else if (act(watch, etcd_apply_v2_event(result->body, watch->etcd->place.directory, &watch->table, &watch->index)))
        follow(watch);
    else
        watch_ended(watch);
}

static void follow(struct watch *watch)
{
    watch->heard_ms = monotonic_ms();
    if (watch->api == 3) {
        watch->stream =
            start(watch, "POST", strdup("/v3/watch"),
                  etcd_watch_request(watch->etcd->place.directory, watch->index + 1), 0, on_stream, stream_done);
        after(watch, silence_ms(watch), probe);
    } else {
        char *path = etcd_v2_path(watch->etcd->place.directory), *query = NULL;
        if (path && asprintf(&query, "%s?wait=true&recursive=true&waitIndex=%" PRId64, path, watch->index + 1) < 0)
            query = NULL;
        free(path);
        watch->stream = start(watch, "GET", query, NULL, WAIT_MS, NULL, wait_done);
    }
    if (!watch->stream)
        no_memory(watch);
}

void etcd_watch(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    struct watch watch = {.etcd = discovery->state, .report = {.discovery = discovery, .events = events, .data = data}};
    after(&watch, 0, list);
    http_loop_run(watch.etcd->loop);
    kv_table_clear(&watch.table);
    kv_report_finish(&watch.report);
    free(watch.line);
}
