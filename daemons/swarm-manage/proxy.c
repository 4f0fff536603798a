/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_idle.h"
#include "log.h"
#include "metrics.h"
#include "monitor.h"
#include "relay.h"

#define CAPTURE_LIMIT (64u << 20)
/* Answers that are taken are made from what the engine knows already: one that takes this long is not coming. */
#define CAPTURE_TIMEOUT_MS 60000

/* The manager's own values of these are on every reply already. */
static const char *const own_headers[] = {"Server", "Api-Version", "Ostype", "Docker-Experimental", "Date", NULL};

/* What the relay's questions are about. */
struct errand {
    struct pool *pool;
    struct engine *engine;
    const char *id; /* of the container to refresh, NULL: none */
    bool images, volumes;
    int64_t asked_ms, doubted_ms;
    bool given_up;
};

static void refresh(void *data, int status)
{
    const struct errand *errand = data;
    struct failure failure = {0};

    if (errand->images && status < 400 && pool_refresh_images(errand->pool, errand->engine, &failure) < 0)
        log_debug_with(LOG_FIELDS({"addr", errand->engine->address}),
                       "Could not refresh the images after the request: %s", failure.message);
    failure_clear(&failure);
    if (errand->volumes && status < 400 && pool_refresh_volumes(errand->pool, errand->engine, &failure) < 0)
        log_debug_with(LOG_FIELDS({"addr", errand->engine->address}),
                       "Could not refresh the volumes after the request: %s", failure.message);
    failure_clear(&failure);
    if (errand->id != NULL && (status < 400 || status == 404) &&
        pool_refresh_container(errand->pool, errand->engine, errand->id) < 0)
        log_debug_with(LOG_FIELDS({"id", errand->id}, {"addr", errand->engine->address}),
                       "Could not refresh the container after the request");
}

static char *give_up(void *data, bool begun)
{
    struct errand *errand = data;
    char *why;

    if (!begun)
        engine_doubt(errand->engine, errand->asked_ms, &errand->doubted_ms);
    why = begun ? engine_why_cut(errand->engine) : engine_why_give_up(errand->engine, errand->asked_ms);
    errand->given_up = why != NULL;
    return why;
}

static char *build_target(const struct proxy_order *order)
{
    char version[24];
    char *target = NULL;
    bool query = order->query != NULL && order->query[0] != '\0';

    engine_version_prefix(order->engine, order->version, version, sizeof(version));
    if (asprintf(&target, "%s%s%s%s%s", version[0] == '\0' ? "" : "/", version, order->path, query ? "?" : "",
                 query ? order->query : "") < 0)
        return NULL;
    return target;
}

/* What went wrong between us and the engine, told to the monitor and put into words for the client. */
static int engine_failed(struct manager *manager, const struct proxy_order *order, const struct relay_options *options,
                         const struct relay_outcome *outcome, struct failure *failure)
{
    const struct errand *errand = options->data;
    struct http_result explained = {.failure = HTTP_BROKEN};

    metrics_proxy_failed(errand->given_up ? HTTP_CANCELLED : HTTP_BROKEN);
    if (manager->monitor != NULL && !errand->given_up)
        monitor_report(manager->monitor, order->engine, HTTP_BROKEN);
    if (errand->given_up && !outcome->answered)
        return failure_set(failure, 500, "%s", outcome->error);
    if (outcome->answered) {
        log_warn_with(LOG_FIELDS({"addr", order->engine->address}, {"path", order->path}),
                      "The engine's answer was cut short: %s", outcome->error);
        failure_clear(failure);
        return -1;
    }
    if (engine_explain(order->engine, &explained))
        return failure_from_engine(failure, order->engine, &explained);
    return failure_set(failure, 500, "The engine at %s failed during the request: %s", order->engine->shown,
                       outcome->error);
}

/* One exchange over one connection. 0 done, -1 failed, 1 a kept connection turned out to be dead before it was used:
 * worth another. */
static int try_once(struct manager *manager, struct http_request *request, struct http_reply *reply,
                    const struct proxy_order *order, const struct relay_options *options, int *ret_status,
                    struct failure *failure)
{
    const struct errand *errand = options->data;
    struct relay_outcome outcome = {0};
    struct stream *stream = NULL;
    bool reused = false;
    int r;

    if (engine_dial(order->engine, &stream, &reused, failure) < 0)
        return -1;
    metrics_change(METRIC_RELAYS_ACTIVE, 1);
    r = relay_exchange(request, reply, stream, options, &outcome);
    metrics_change(METRIC_RELAYS_ACTIVE, -1);
    if (r == 0 && outcome.reusable)
        engine_put_back(order->engine, stream);
    else if (errand->given_up)
        stream_abort(stream);
    else
        stream_close(stream);
    if (r == 0) {
        *ret_status = outcome.status;
        return 0;
    }
    if (outcome.client_gone) {
        failure_clear(failure);
        return -1;
    }
    if (reused && !outcome.answered && outcome.status == 0 && !outcome.body_touched && !errand->given_up)
        return 1;
    return engine_failed(manager, order, options, &outcome, failure);
}

int proxy_request(struct manager *manager, struct http_request *request, struct http_reply *reply,
                  const struct proxy_order *order, int *ret_status, struct failure *failure)
{
    struct errand errand = {.pool = manager->pool,
                            .engine = order->engine,
                            .id = order->refresh,
                            .images = order->refresh_images,
                            .volumes = order->refresh_volumes,
                            .asked_ms = monotonic_ms()};
    struct relay_options options = {
        .method = order->method,
        .host = order->engine->host,
        .body = order->without_body ? "" : NULL,
        .may_hijack = order->may_hijack,
        .switched = order->switched,
        .drop_headers = own_headers,
        .give_up = give_up,
        .finishing = order->refresh == NULL && !order->refresh_images && !order->refresh_volumes ? NULL : refresh,
        .data = &errand,
        .answer_timeout_ms = order->capture == NULL ? 0 : CAPTURE_TIMEOUT_MS,
        .capture = order->capture,
        .capture_length = order->capture_length,
        .capture_limit = CAPTURE_LIMIT,
    };
    char *target = build_target(order);
    int r = 1;

    if (target == NULL)
        return failure_set(failure, 500, "out of memory");
    options.target = target;
    /* Every kept connection may be dead; after those engine_dial() makes a fresh one. */
    for (int left = ENGINE_IDLE_MAX + 1; r == 1 && left > 0; left--)
        r = try_once(manager, request, reply, order, &options, ret_status, failure);
    free(target);
    if (r == 1)
        return failure_set(failure, 500, "The engine at %s closed every connection before it answered",
                           order->engine->shown);
    return r;
}
