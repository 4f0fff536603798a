/* SPDX-License-Identifier: Apache-2.0 */
/* Who is asked, and what the answers amount to. broadcast_run.c asks. */
#include "broadcast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "json_read.h"
#include "log.h"
#include "pool.h"

#define IMAGES_TIMEOUT_MS 30000

/* With the pool locked for reading. */
static int add_answer(struct broadcast *broadcast, struct engine *engine)
{
    struct broadcast_answer *answer = &broadcast->answers[broadcast->count++];

    answer->engine = engine_ref(engine);
    answer->node = strdup(engine->name == NULL ? engine->address : engine->name);
    if (answer->node == NULL)
        return -1;
    if (engine->state == ENGINE_HEALTHY)
        return 0;
    answer->skipped = true;
    failure_set(&answer->failure, 500, "node %s is not healthy: %s", answer->node,
                engine->error == NULL ? engine_state_text(engine->state) : engine->error);
    return answer->failure.message == NULL ? -1 : 0;
}

int broadcast_new(struct broadcast **ret, struct manager *manager,
                  bool (*chosen)(void *data, const struct engine *engine), void *data)
{
    struct broadcast *broadcast = calloc(1, sizeof(*broadcast));
    struct pool *pool = manager->pool;
    int r = 0;

    if (broadcast == NULL)
        return -1;
    broadcast->manager = manager;
    pool_read_lock(pool);
    broadcast->answers = calloc(pool->engine_count + 1, sizeof(broadcast->answers[0]));
    for (size_t i = 0; broadcast->answers != NULL && r == 0 && i < pool->engine_count; i++) {
        struct engine *engine = pool->engines[i];

        if (engine->node != NULL && (chosen == NULL || chosen(data, engine)))
            r = add_answer(broadcast, engine);
    }
    pool_unlock(pool);
    if (broadcast->answers == NULL || r < 0) {
        broadcast_free(broadcast);
        return -1;
    }
    *ret = broadcast;
    return 0;
}

void broadcast_free(struct broadcast *broadcast)
{
    if (broadcast == NULL)
        return;
    for (size_t i = 0; i < broadcast->count; i++) {
        struct broadcast_answer *answer = &broadcast->answers[i];

        engine_unref(answer->engine);
        free(answer->node);
        free(answer->body);
        failure_clear(&answer->failure);
    }
    free(broadcast->answers);
    free(broadcast);
}

/* --- results --- */

bool broadcast_went_well(const struct broadcast_answer *answer)
{
    return !answer->skipped && answer->failure.status == 0;
}

size_t broadcast_asked(const struct broadcast *broadcast)
{
    size_t asked = 0;

    for (size_t i = 0; i < broadcast->count; i++)
        asked += !broadcast->answers[i].skipped;
    return asked;
}

size_t broadcast_successes(const struct broadcast *broadcast)
{
    size_t successes = 0;

    for (size_t i = 0; i < broadcast->count; i++)
        successes += broadcast_went_well(&broadcast->answers[i]);
    return successes;
}

static bool counts(const struct broadcast_answer *answer, bool lost_too)
{
    return !answer->skipped && answer->failure.status != 0 && (lost_too || !answer->lost);
}

static const char *words(const struct broadcast_answer *answer)
{
    return answer->failure.message == NULL ? "out of memory" : answer->failure.message;
}

/* All of those asked failed, and with the same words. */
static bool all_say_the_same(const struct broadcast *broadcast, bool lost_too)
{
    const char *first = NULL;

    for (size_t i = 0; i < broadcast->count; i++) {
        const struct broadcast_answer *answer = &broadcast->answers[i];

        if (answer->skipped)
            continue;
        if (!counts(answer, lost_too) || (first != NULL && strcmp(first, words(answer)) != 0))
            return false;
        first = words(answer);
    }
    return true;
}

static int common_status(const struct broadcast *broadcast, bool lost_too)
{
    int status = 0;

    for (size_t i = 0; i < broadcast->count; i++) {
        const struct broadcast_answer *answer = &broadcast->answers[i];

        if (!counts(answer, lost_too))
            continue;
        if (status != 0 && status != answer->failure.status)
            return 500;
        status = answer->failure.status;
    }
    return status;
}

int broadcast_failure(const struct broadcast *broadcast, bool lost_too, struct failure *ret)
{
    int status = common_status(broadcast, lost_too), r = 0;
    bool same = all_say_the_same(broadcast, lost_too);
    struct bytes text = {0};

    if (status == 0)
        return 0;
    for (size_t i = 0; i < broadcast->count && r == 0; i++) {
        const struct broadcast_answer *answer = &broadcast->answers[i];

        if (!counts(answer, lost_too))
            continue;
        if (same) {
            r = bytes_append_text(&text, words(answer));
            break;
        }
        r = bytes_printf(&text, "%s%s: %s", bytes_length(&text) > 0 ? "\n" : "", answer->node, words(answer));
    }
    if (r == 0)
        failure_set(ret, status, "%.*s", (int)bytes_length(&text), bytes_at(&text));
    else
        failure_set(ret, 500, "out of memory");
    bytes_free(&text);
    return -1;
}

void broadcast_log_left_out(const struct broadcast *broadcast)
{
    for (size_t i = 0; i < broadcast->count; i++) {
        const struct broadcast_answer *answer = &broadcast->answers[i];

        if (answer->skipped || answer->lost) /* that a node is down has been logged when it went */
            log_line(answer->skipped ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, LOG_FIELDS({"name", answer->node}),
                     "The node was left out: %s", words(answer));
    }
}

int broadcast_nobody(const struct broadcast *broadcast, struct failure *ret)
{
    struct bytes text = {0};
    int r = 0;

    if (broadcast->count == 0)
        return failure_set(ret, 500, "No nodes available in the cluster");
    for (size_t i = 0; i < broadcast->count && r == 0; i++)
        r = bytes_printf(&text, "%s%s", i > 0 ? "\n" : "", words(&broadcast->answers[i]));
    if (r == 0)
        failure_set(ret, 500, "%.*s", (int)bytes_length(&text), bytes_at(&text));
    else
        failure_set(ret, 500, "out of memory");
    bytes_free(&text);
    return -1;
}

void broadcast_each_json(struct broadcast *broadcast,
                         void (*take)(void *data, const struct broadcast_answer *answer, json_t *json), void *data)
{
    for (size_t i = 0; i < broadcast->count; i++) {
        struct broadcast_answer *answer = &broadcast->answers[i];
        json_error_t error;
        json_t *json;

        if (!broadcast_went_well(answer) || answer->length == 0)
            continue;
        json = json_read(answer->body, answer->length, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
        if (json == NULL)
            failure_set(&answer->failure, 500, "the node answered with something that is no JSON: %s", error.text);
        else
            take(data, answer, json);
        json_decref(json);
    }
}

/* --- images --- */

static bool is_one_that_went_well(void *data, const struct engine *engine)
{
    const struct broadcast *broadcast = data;

    for (size_t i = 0; i < broadcast->count; i++) {
        if (broadcast->answers[i].engine == engine)
            return broadcast_went_well(&broadcast->answers[i]);
    }
    return false;
}

static void take_images(void *data, const struct broadcast_answer *answer, json_t *json)
{
    const uint64_t *ticket = data;

    if (json_is_array(json))
        pool_apply_images(answer->engine->manager->pool, answer->engine, *ticket, json);
}

void broadcast_refresh_images(const struct broadcast *done, struct call *call)
{
    static const struct broadcast_order order = {
        .method = "GET", .path = "/images/json?all=1", .timeout_ms = IMAGES_TIMEOUT_MS};
    uint64_t ticket = pool_ticket(done->manager->pool);
    struct failure failure = {0};
    struct broadcast *broadcast;
    union {
        const struct broadcast *in;
        void *out;
    } data = {.in = done};

    if (broadcast_new(&broadcast, done->manager, is_one_that_went_well, data.out) < 0)
        return;
    if (broadcast_run(broadcast, call, &order, &failure) == 0)
        broadcast_each_json(broadcast, take_images, &ticket);
    if (broadcast_failure(broadcast, true, &failure) < 0)
        log_debug("Images could not be refreshed: %s", failure.message == NULL ? "out of memory" : failure.message);
    failure_clear(&failure);
    broadcast_free(broadcast);
}
