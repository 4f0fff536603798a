/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_idle.h"
#include "info_cache.h"
#include "manager.h"
#include "metrics.h"
#include "monitor.h"
#include "pool.h"
#include "ssh_address.h"
#include "ssh_bridge.h"

/* At most: no longer than an engine may be silent (detection.h). */
#define DIAL_TIMEOUT_MS 10000
#define NO_SOCKET_TIME_MS 3000 /* for a descriptor to become free */
#define NO_SOCKET_PAUSE_MS 100
#define LOST_TIMEOUT_MS 10000 /* likewise, for an answer of an engine that counted as lost when it was asked */
#define DOUBT_MS 1000         /* likewise, without an answer until the monitor is to look … */
#define DOUBT_AGAIN_MS 5000   /* … and to look again */

const char *engine_state_text(enum engine_state state)
{
    switch (state) {
    case ENGINE_PENDING:
        return "Pending";
    case ENGINE_HEALTHY:
        return "Healthy";
    case ENGINE_UNHEALTHY:
        return "Unhealthy";
    case ENGINE_DISCONNECTED:
        break;
    }
    return "Disconnected";
}

const char *engine_status_text(enum engine_state state, bool unannounced)
{
    return state == ENGINE_HEALTHY && unannounced ? "Unannounced" : engine_state_text(state);
}

/* One to four digits at *@p at, which moves behind them. */
static bool take_number(const char **at, int *ret)
{
    size_t length = strspn(*at, "0123456789");

    *ret = 0;
    for (size_t i = 0; i < length && length <= 4; i++) {
        *ret = *ret * 10 + ((*at)[i] - '0');
    }
    *at += length;
    return length >= 1 && length <= 4;
}

int api_version_parse(struct api_version *ret, const char *text)
{
    struct api_version version;

    if (!text || !take_number(&text, &version.major) || *text++ != '.' || !take_number(&text, &version.minor) ||
        *text) {
        return -1;
    }
    *ret = version;
    return 0;
}

int api_version_compare(struct api_version a, struct api_version b)
{
    if (a.major != b.major) {
        return a.major < b.major ? -1 : 1;
    }
    return a.minor < b.minor ? -1 : a.minor > b.minor;
}

struct api_version api_version_clamp(struct api_version wanted, struct api_version min, struct api_version max)
{
    if (api_version_compare(wanted, max) > 0) {
        return max;
    }
    return api_version_compare(wanted, min) < 0 ? min : wanted;
}

/* An address that is a number is what is shown as the engine's; where a name leads shows when it answers. */
static void take_literal_ip(struct engine *engine)
{
    unsigned char binary[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, engine->dial.host, binary) == 1 || inet_pton(AF_INET6, engine->dial.host, binary) == 1) {
        snprintf(engine->ip, sizeof(engine->ip), "%.63s", engine->dial.host);
    }
}

/* Where to connect to, and for ssh what leads on from there. */
static int find_way(struct engine *engine, const char *address, char **reterr)
{
    struct ssh_address to;

    if (!ssh_address_is(address)) {
        return address_parse(&engine->dial, address, reterr);
    }
    if (ssh_bridge_open(&engine->bridge, engine->manager->bridges, address, reterr)) {
        return -1;
    }
    engine->dial.is_unix = true;
    snprintf(engine->dial.path, sizeof(engine->dial.path), "%s", ssh_bridge_socket(engine->bridge));
    if (!ssh_address_parse(&to, address)) { /* for take_literal_ip() */
        snprintf(engine->dial.host, sizeof(engine->dial.host), "%s", to.host);
    }
    return 0;
}

/* The texts made of the address. */
static int take_address(struct engine *engine, const char *address)
{
    bool is_socket = engine->dial.is_unix;

    engine->tls = is_socket || !engine->manager ? NULL : engine->manager->tls;
    engine->address = strdup(address);
    if (!engine->address || asprintf(&engine->shown, "%s%s", is_socket ? "" : "tcp://", address) < 0) {
        engine->shown = NULL;
        return -1;
    }
    engine->host = is_socket ? "localhost" : engine->address;
    if (asprintf(&engine->base, "%s://%s", engine->tls ? "https" : "http", engine->host) < 0) {
        engine->base = NULL;
        return -1;
    }
    return 0;
}

static void free_address(struct engine *engine)
{
    ssh_bridge_close(engine->bridge);
    free(engine->base);
    free(engine->shown);
    free(engine->address);
}

int engine_new(struct engine **ret, struct manager *manager, const char *address, char **reterr)
{
    struct engine *engine = calloc(1, sizeof(*engine));

    if (!engine) {
        goto fail;
    }
    atomic_init(&engine->references, 1);
    engine->manager = manager;
    engine->state = ENGINE_PENDING;
    engine->updated_at = time(NULL);
    if (find_way(engine, address, reterr) || take_address(engine, address)) {
        goto fail_engine;
    }
    take_literal_ip(engine);
    *ret = engine;
    return 0;

fail_engine:
    free_address(engine);
    free(engine);
fail:
    if (!*reterr) {
        *reterr = strdup("out of memory");
    }
    return -1;
}

struct engine *engine_ref(struct engine *engine)
{
    atomic_fetch_add(&engine->references, 1);
    return engine;
}

void engine_unref(struct engine *engine)
{
    if (!engine || atomic_fetch_sub(&engine->references, 1) != 1) {
        return;
    }
    engine_close_idle(engine);
    info_block_free(engine->info_block);
    json_decref(engine->info);
    json_decref(engine->images);
    object_table_clear(&engine->networks);
    object_table_clear(&engine->volumes);
    free(engine->server_version);
    free(engine->error);
    free(engine->name);
    free(engine->id);
    free_address(engine);
    free(engine);
}

bool engine_explain(const struct engine *engine, struct http_result *result)
{
    char words[sizeof(result->error)];
    enum ssh_trouble trouble;

    if (!engine->bridge || (result->failure != HTTP_BROKEN && result->failure != HTTP_REFUSED)) {
        return false;
    }
    trouble = ssh_bridge_trouble(engine->bridge, words, sizeof(words));
    if (trouble == SSH_NO_TROUBLE) {
        return false;
    }
    result->failure = trouble == SSH_ENGINE_DOWN ? HTTP_REFUSED : HTTP_BROKEN;
    result->os_error = trouble == SSH_ENGINE_DOWN ? ECONNREFUSED : 0;
    snprintf(result->error, sizeof(result->error), "%s", words);
    return true;
}

/* stream_dial() tells by its text only. */
static enum http_failure dial_failure(const char *error)
{
    static const char *const none_here[] = {"too many open files", "cannot allocate memory", "no buffer space"};
    static const char *const refused[] = {"refused",      "no route",     "unreachable", "not known",
                                          "no such host", "no such file", "reset"};

    if (strcasestr(error, "timed out") || strcasestr(error, "timeout")) {
        return HTTP_TIMEOUT;
    }
    for (size_t i = 0; i < sizeof(none_here) / sizeof(*none_here); i++) {
        if (strcasestr(error, none_here[i])) {
            return HTTP_NO_SOCKET;
        }
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        if (strcasestr(error, refused[i])) {
            return HTTP_REFUSED;
        }
    }
    return HTTP_BROKEN;
}

static int at_most_silence(const struct engine *engine, int ms)
{
    int silence_ms = engine->manager->options.detection.silence_ms;

    return silence_ms > 0 && silence_ms < ms ? silence_ms : ms;
}

/* A new connection. Descriptors come and go: where there is none it is tried again for a while. */
static int dial(struct engine *engine, struct stream **ret, struct http_result *result)
{
    int64_t end_ms = monotonic_ms() + NO_SOCKET_TIME_MS;
    char *error = NULL;

    for (;;) {
        if (!stream_dial(ret, &engine->dial, engine->tls, at_most_silence(engine, DIAL_TIMEOUT_MS), &error)) {
            return 0;
        }
        snprintf(result->error, sizeof(result->error), "%s", error ? error : "out of memory");
        free(error);
        result->failure = dial_failure(result->error);
        if (result->failure != HTTP_NO_SOCKET || monotonic_ms() >= end_ms) {
            return -1;
        }
        poll(NULL, 0, NO_SOCKET_PAUSE_MS);
    }
}

int engine_connect(struct engine *engine, struct stream **ret, bool *ret_reused, struct http_result *result)
{
    struct stream *stream;

    while ((stream = engine_take_idle(engine))) {
        if (stream_is_idle_open(stream)) {
            *ret = stream;
            *ret_reused = true;
            return 0;
        }
        stream_close(stream);
    }
    *ret_reused = false;
    return dial(engine, ret, result);
}

int engine_dial(struct engine *engine, struct stream **ret, bool *ret_reused, struct failure *failure)
{
    struct http_result result = {0};

    if (!engine_connect(engine, ret, ret_reused, &result)) {
        return 0;
    }
    metrics_proxy_failed(result.failure);
    if (engine->manager->monitor) {
        monitor_report(engine->manager->monitor, engine, result.failure);
    }
    if (result.failure == HTTP_TIMEOUT) { /* nobody was reached, which users know by these words */
        result.failure = HTTP_REFUSED;
    }
    return failure_from_engine(failure, engine, &result);
}

static bool is_lost(const struct engine *engine)
{
    return engine->state == ENGINE_UNHEALTHY || (engine->state == ENGINE_DISCONNECTED && engine->lost);
}

/* With the pool locked. */
static char *why_lost(const struct engine *engine)
{
    char *why;

    return asprintf(&why, "node %s does not answer: %s", engine->name ? engine->name : engine->address,
                    engine->error ? engine->error : "connection lost") < 0
               ? NULL
               : why;
}

char *engine_why_give_up(struct engine *engine, int64_t asked_ms)
{
    struct pool *pool = engine->manager->pool;
    char *why = NULL;

    pool_read_lock(pool);
    if (is_lost(engine) &&
        (engine->lost_ms > asked_ms || monotonic_ms() - asked_ms >= at_most_silence(engine, LOST_TIMEOUT_MS))) {
        why = why_lost(engine);
    }
    pool_unlock(pool);
    return why;
}

void engine_doubt(struct engine *engine, int64_t asked_ms, int64_t *doubted_ms)
{
    int64_t now_ms = monotonic_ms();
    int64_t late_ms = *doubted_ms == 0 ? asked_ms + at_most_silence(engine, DOUBT_MS) : *doubted_ms + DOUBT_AGAIN_MS;

    if (!engine->manager->monitor || now_ms < late_ms) {
        return;
    }
    *doubted_ms = now_ms;
    monitor_report(engine->manager->monitor, engine, HTTP_TIMEOUT);
}

char *engine_why_cut(struct engine *engine)
{
    struct manager *manager = engine->manager;
    char *why = NULL;

    pool_read_lock(manager->pool);
    if (is_lost(engine) && monotonic_ms() - engine->lost_ms >= manager->options.reschedule.grace_ms) {
        why = why_lost(engine);
    }
    pool_unlock(manager->pool);
    return why;
}

void engine_version_prefix(struct engine *engine, const char *wanted, char *buffer, size_t size)
{
    struct pool *pool = engine->manager->pool;
    struct api_version version, min, max;

    pool_read_lock(pool);
    min = engine->api_min;
    max = engine->api_max;
    pool_unlock(pool);
    if (!max.major) { /* no contact yet: the engine's default is what it speaks best */
        snprintf(buffer, size, "%s", "");
        return;
    }
    if (!wanted || !*wanted || api_version_parse(&version, wanted)) {
        api_version_parse(&version, API_VERSION_MAX);
    }
    version = api_version_clamp(version, min, max);
    snprintf(buffer, size, "v%d.%d", version.major, version.minor);
}
