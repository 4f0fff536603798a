/* SPDX-License-Identifier: Apache-2.0 */
/* The manager's side: one blocking question after the other for all keys below the directory, each answered when
 * something there changed, or after a while. Renewed sessions change nothing there. Whatever goes wrong ends in a new
 * question without waiting; the last list stays in force meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_consul.h"
#include "discovery_kv_report.h"
#include "log.h"
#include "text.h"

enum {
    WAIT_S = 15,
    ANSWER_TIMEOUT_MS = WAIT_S * 1000 * 17 / 16 + 10000, /* Consul adds up to a sixteenth */
    PAUSE_MS = 200,                                      /* before asking again: a burst of changes makes few lists */
};

struct watch {
    struct consul *consul;
    struct kv_report report;
    int failures;
    int64_t index; /* that the last list stands for; 0: ask without waiting */
    struct http_timer *timer;
};

static void ask(void *data);

static void after(struct watch *watch, int64_t after_ms)
{
    watch->timer = http_loop_timer(watch->consul->loop, after_ms, ask, watch);
    if (!watch->timer) { /* without a timer nothing would ever happen again */
        watch->report.events->error(watch->report.data, "consul: out of memory, discovery ends");
        http_loop_stop(watch->consul->loop);
    }
}

/* Takes @p text. */
static void trouble(struct watch *watch, char *text)
{
    watch->index = 0;
    if (text)
        kv_report_error(&watch->report, text);
    after(watch, kv_back_off_ms(&watch->failures));
}

static void listed(struct watch *watch, const struct kv_table *table, int64_t index)
{
    if (watch->report.error)
        log_info("Discovery: consul %s answers again", watch->consul->place.endpoints[0]);
    kv_report_error(&watch->report, NULL);
    watch->failures = 0;
    /* One that goes back is another Consul's, or one that lost its memory. */
    watch->index = index < watch->index ? 0 : index;
    kv_report_entries(&watch->report, watch->consul->place.directory, table);
    after(watch, PAUSE_MS);
}

static void answered(void *data, struct http_result *result)
{
    struct watch *watch = data;
    struct kv_table table = {0};
    int64_t index = consul_index(result);
    /* 404 with an index: nothing below the directory. */
    bool empty = result->failure == HTTP_OK && result->status == 404 && index > 0;
    bool good = empty || (result->failure == HTTP_OK && result->status == 200 && index > 0 &&
                          consul_parse_list(result->body, &table) == 0);
    if (good)
        listed(watch, &table, index);
    else
        trouble(watch, consul_failure_text(watch->consul, result));
    kv_table_clear(&table);
}

/* Timer's callback: everything begins here. */
static void ask(void *data)
{
    struct watch *watch = data;
    struct consul *consul = watch->consul;
    watch->timer = NULL;
    char *query = watch->index > 0 ? text_format("/?recurse&index=%" PRId64 "&wait=%ds", watch->index, WAIT_S)
                                   : text_format("/?recurse");
    char *url = query ? consul_url(consul, "/v1/kv/", consul->place.directory, query) : NULL;
    struct http_call call = {.url = url,
                             .headers = consul->headers,
                             .tls = consul->place.tls,
                             .connect_timeout_ms = CONSUL_CONNECT_TIMEOUT_MS,
                             .timeout_ms = ANSWER_TIMEOUT_MS};
    if (!url || !http_loop_start(consul->loop, &call, NULL, answered, watch))
        trouble(watch, strdup("consul: out of memory"));
    free(query);
    free(url);
}

void consul_watch(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    struct watch watch = {.consul = discovery->state,
                          .report = {.discovery = discovery, .events = events, .data = data}};
    after(&watch, 0);
    http_loop_run(watch.consul->loop);
    kv_report_finish(&watch.report);
}
