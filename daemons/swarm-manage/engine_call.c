/* SPDX-License-Identifier: Apache-2.0 */
/* The manager's own calls to an engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "manager.h"
#include "metrics.h"
#include "monitor.h"

#define ANSWERS_TIMEOUT_MS 3000

char *engine_url(struct engine *engine, const char *wanted, const char *path)
{
    char prefix[24];
    char *url;

    engine_version_prefix(engine, wanted, prefix, sizeof(prefix));
    if (asprintf(&url, "%s%s%s%s", engine->base, *prefix ? "/" : "", prefix, path) < 0) {
        return NULL;
    }
    return url;
}

/* A call under way, and why it was given up. */
struct waiting {
    struct engine *engine;
    int64_t since_ms, doubted_ms;
    char *why; /* new text; NULL: it was not, or there was no memory for it */
};

static bool give_up(void *data)
{
    struct waiting *waiting = data;
    int64_t end_ms = atomic_load(&waiting->engine->manager->calls_end_ms);

    if (end_ms && monotonic_ms() >= end_ms) {
        waiting->why = strdup("the manager is being stopped");
        return true;
    }
    engine_doubt(waiting->engine, waiting->since_ms, &waiting->doubted_ms);
    waiting->why = engine_why_give_up(waiting->engine, waiting->since_ms);
    return waiting->why;
}

int engine_request(struct engine *engine, const struct engine_request *request, struct http_result *result,
                   struct failure *failure)
{
    char *url = engine_url(engine, request->wanted, request->path);
    struct waiting waiting = {.engine = engine, .since_ms = monotonic_ms()};
    struct http_call call = {
        .method = request->method,
        .url = url,
        .unix_path = engine->dial.is_unix ? engine->dial.path : NULL,
        .headers = request->headers,
        .body = request->body,
        .body_length = request->length,
        .tls = engine->tls,
        .timeout_ms = request->silence_ms ? 0 : request->timeout_ms,
        .silence_timeout_ms = request->silence_ms,
        .give_up = give_up,
        .give_up_data = &waiting,
    };
    int64_t begun_ns;

    memset(result, 0, sizeof(*result));
    if (!url) {
        result->failure = HTTP_CANCELLED;
        return failure_set(failure, 500, "out of memory");
    }
    begun_ns = metrics_now_ns();
    http_client_call(engine->client, &call, result);
    metrics_call(METRIC_CALLER_REQUEST, result->failure, metrics_now_ns() - begun_ns);
    free(url);
    if (engine->manager->monitor) {
        monitor_report(engine->manager->monitor, engine, result->failure);
    }
    if (result->failure == HTTP_CANCELLED) {
        failure_set(failure, 500, "%s", waiting.why ? waiting.why : "out of memory");
        free(waiting.why);
        return -1;
    }
    if (result->failure != HTTP_OK || result->status >= 400) {
        return failure_from_engine(failure, engine, result);
    }
    return 0;
}

int engine_call(struct engine *engine, const char *method, const char *path, const char *const *headers,
                const void *body, size_t length, int timeout_ms, struct http_result *result, struct failure *failure)
{
    struct engine_request request = {
        .method = method,
        .path = path,
        .headers = headers,
        .body = body,
        .length = length,
        .timeout_ms = timeout_ms,
    };

    return engine_request(engine, &request, result, failure);
}

bool engine_is_answering(struct engine *engine)
{
    struct http_result result = {0};
    struct failure failure = {0};
    bool answers;

    engine_call(engine, "GET", "/_ping", NULL, NULL, 0, ANSWERS_TIMEOUT_MS, &result, &failure);
    answers = result.failure == HTTP_OK;
    http_result_clear(&result);
    failure_clear(&failure);
    return answers;
}
