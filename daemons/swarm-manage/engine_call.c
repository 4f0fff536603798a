/* SPDX-License-Identifier: Apache-2.0 */
/* The manager's own calls to an engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "engine_idle.h"
#include "http_over.h"
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
    const struct engine_guard *guard;
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

/* "/v1.41/info"; new text, NULL for lack of memory. */
static char *target_of(struct engine *engine, const struct engine_request *request)
{
    char prefix[24];
    char *target;

    engine_version_prefix(engine, request->wanted, prefix, sizeof(prefix));
    return asprintf(&target, "%s%s%s", *prefix ? "/" : "", prefix, request->path) < 0 ? NULL : target;
}

/* Asked when the connection stands, right before the request goes out. */
static bool may_send(struct waiting *waiting, struct stream *stream)
{
    const struct engine_guard *guard = waiting->guard;

    if (guard && guard->left_ms) {
        stream_limit_delivery(stream, guard->left_ms(guard->data)); /* first: it only gets less until it is asked */
    }
    if (!guard || guard->allows(guard->data)) {
        return true;
    }
    waiting->why = strdup("this manager is not the primary any more");
    return false;
}

/* To the next request. */
static void leave(struct engine *engine, struct stream *stream)
{
    stream_limit_delivery(stream, 0);
    engine_put_back(engine, stream);
}

/* Every kept connection may turn out to have been closed; after those comes a fresh one. */
static void exchange(struct engine *engine, const char *target, const struct http_call *call,
                     struct http_result *result)
{
    struct http_over_end end;
    struct stream *stream;
    bool reused;

    do {
        http_result_clear(result);
        if (engine_connect(engine, &stream, &reused, result)) {
            return;
        }
        if (!may_send(call->give_up_data, stream)) {
            leave(engine, stream);
            result->failure = HTTP_CANCELLED;
            return;
        }
        http_over(stream, engine->host, target, call, result, &end);
        if (end.reusable) {
            leave(engine, stream);
        } else if (result->failure == HTTP_OK) {
            stream_close(stream);
        } else {
            stream_abort(stream);
        }
    } while (reused && end.unanswered);
}

int engine_request(struct engine *engine, const struct engine_request *request, struct http_result *result,
                   struct failure *failure)
{
    char *target = target_of(engine, request);
    struct waiting waiting = {.engine = engine, .since_ms = monotonic_ms(), .guard = request->guard};
    struct http_call call = {
        .method = request->method,
        .headers = request->headers,
        .body = request->body,
        .body_length = request->length,
        .timeout_ms = request->silence_ms ? 0 : request->timeout_ms,
        .silence_timeout_ms = request->silence_ms,
        .give_up = give_up,
        .give_up_data = &waiting,
    };
    int64_t begun_ns;

    memset(result, 0, sizeof(*result));
    if (!target) {
        result->failure = HTTP_CANCELLED;
        return failure_set(failure, 500, "out of memory");
    }
    begun_ns = metrics_now_ns();
    exchange(engine, target, &call, result);
    engine_explain(engine, result);
    metrics_call(METRIC_CALLER_REQUEST, result->failure, metrics_now_ns() - begun_ns);
    free(target);
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
