/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, on command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

#define CHURN_TICK_MS 50
#define CHURN_REST_MS 300 /* that a container is down */

/* --- answers --- */

static bool strikes(struct fake_connection *connection)
{
    struct fake_faults *faults = &connection->engine->faults;

    if (faults->answer == FAKE_ANSWER_FINE && faults->delay_ms == 0)
        return false;
    return faults->path == NULL || strncmp(connection->request.path, faults->path, strlen(faults->path)) == 0;
}

static void struck(struct fake_faults *faults)
{
    if (faults->count > 0 && --faults->count == 0) {
        faults->answer = FAKE_ANSWER_FINE;
        faults->delay_ms = 0;
    }
}

bool fake_faults_instead(struct fake_connection *connection)
{
    static const char garbage[] = "\x16\x03\x01 no HTTP at all \0\xff\xfe{]";
    struct fake_faults *faults = &connection->engine->faults;

    if (!strikes(connection))
        return false;
    if (faults->answer == FAKE_ANSWER_GARBAGE) {
        fake_write(connection, garbage, sizeof(garbage) - 1);
        fake_finish(connection);
    } else if (faults->answer == FAKE_ANSWER_STATUS) {
        fake_answer_error(connection, faults->status, "told to answer %d", faults->status);
    } else {
        return false;
    }
    struck(faults);
    return true;
}

static void let_go(void *data)
{
    struct fake_connection *connection = data;

    connection->held = false;
    fake_loop_dirty(connection->listener->loop, connection);
    fake_connection_process(connection);
}

void fake_faults_spoil(struct fake_connection *connection)
{
    struct fake_faults *faults = &connection->engine->faults;
    size_t length = bytes_length(&connection->out) - connection->answer_begin;

    if (!strikes(connection) || connection->stage != FAKE_READING || length == 0)
        return;
    if (faults->delay_ms > 0) {
        connection->held = true;
        fake_timer_set(connection->listener->loop, &connection->timer, faults->delay_ms, let_go, connection);
    }
    if (faults->answer == FAKE_ANSWER_CUT) {
        const char *answer = bytes_at(&connection->out) + connection->answer_begin;
        const char *body = memmem(answer, length, "\r\n\r\n", 4);
        size_t head = body == NULL ? 0 : (size_t)(body + 4 - answer);

        connection->out.end -= (length - head + 1) / 2;
        connection->cut = true;
        fake_finish(connection);
    }
    struck(faults);
}

/* --- orders --- */

static void stop(struct fake_engine *engine)
{
    engine->faults.stopped = true;
    fake_listener_close(&engine->listener);
    fake_listener_reset(&engine->listener);
}

/* Its host loses power: containers have ended, and nobody was told. */
static void halt(struct fake_engine *engine)
{
    stop(engine);
    for (size_t i = engine->container_count; i-- > 0;)
        fake_die(engine->containers[i], 137, 0);
    engine->event_count = 0;
}

static void refuse(struct fake_engine *engine)
{
    engine->faults.stopped = true;
    fake_listener_close(&engine->listener);
}

static int recover(struct fake_engine *engine, char **reterr)
{
    struct fake_faults *faults = &engine->faults;
    int error = engine->listener.source.fd < 0 ? fake_listener_open(&engine->listener) : 0;

    if (error != 0) {
        *reterr = fake_format("cannot listen on %s: %s", engine->address, strerror(error));
        return -1;
    }
    free(faults->path);
    memset(faults, 0, sizeof(*faults));
    engine->clock_ns = 0;
    fake_listener_silence(&engine->listener, false);
    return 0;
}

static void set_answer(struct fake_engine *engine, const json_t *order, enum fake_answer_fault answer)
{
    struct fake_faults *faults = &engine->faults;
    const char *path = json_string_value(json_object_get(order, "path"));
    json_t *ms = json_object_get(order, "ms"), *status = json_object_get(order, "status");

    faults->answer = answer;
    faults->delay_ms = answer == FAKE_ANSWER_FINE ? json_is_integer(ms) ? (int)json_integer_value(ms) : 1000 : 0;
    faults->status = json_is_integer(status) ? (int)json_integer_value(status) : 500;
    faults->count = (unsigned)json_integer_value(json_object_get(order, "count"));
    free(faults->path);
    faults->path = path == NULL ? NULL : fake_strdup(path);
}

/* Events of the first container, or of none where there is none: many at once, or one of any kind. */
static void burst(struct fake_engine *engine, const json_t *order)
{
    json_int_t count = json_integer_value(json_object_get(order, "count"));
    const char *action = json_string_value(json_object_get(order, "action"));
    char id[FAKE_ID_SIZE];

    fake_hex(id, 64, engine->number, 9, 9);
    for (json_int_t i = 0; i < (count > 0 ? count : 1); i++) {
        if (engine->container_count > 0)
            fake_emit_container(engine->containers[(size_t)i % engine->container_count], action ? action : "top", "");
        else
            fake_emit(engine, "container", action ? action : "top", id, "busybox", "\"image\":\"busybox\"");
    }
}

static int duplicate(struct fake_engine *engine, const json_t *order, char **reterr)
{
    json_int_t twin = json_integer_value(json_object_get(order, "of"));
    const struct fake_options *options = &engine->world->options;

    if (twin < options->first || twin >= (json_int_t)options->first + options->engines) {
        *reterr = fake_format("there is no engine %lld", (long long)twin);
        return -1;
    }
    engine->faults.twin = &engine->world->engines[twin - options->first];
    return 0;
}

int fake_faults_order(struct fake_engine *engine, const json_t *order, char **reterr)
{
    const char *fault = json_string_value(json_object_get(order, "fault"));

    fault = fault == NULL ? "" : fault;
    if (strcmp(fault, "none") == 0)
        return recover(engine, reterr);
    if (strcmp(fault, "duplicate") == 0)
        return duplicate(engine, order, reterr);
    if (strcmp(fault, "stop") == 0)
        stop(engine);
    else if (strcmp(fault, "halt") == 0)
        halt(engine);
    else if (strcmp(fault, "refuse") == 0)
        refuse(engine);
    else if (strcmp(fault, "silent") == 0) {
        engine->faults.silent = true;
        fake_listener_silence(&engine->listener, true);
    } else if (strcmp(fault, "slow") == 0)
        set_answer(engine, order, FAKE_ANSWER_FINE);
    else if (strcmp(fault, "cut") == 0)
        set_answer(engine, order, FAKE_ANSWER_CUT);
    else if (strcmp(fault, "garbage") == 0)
        set_answer(engine, order, FAKE_ANSWER_GARBAGE);
    else if (strcmp(fault, "status") == 0)
        set_answer(engine, order, FAKE_ANSWER_STATUS);
    else if (strcmp(fault, "clock") == 0)
        engine->clock_ns = json_integer_value(json_object_get(order, "ms")) * 1000000;
    else if (strcmp(fault, "cut-events") == 0)
        fake_events_cut(engine);
    else if (strcmp(fault, "burst") == 0)
        burst(engine, order);
    else if (strcmp(fault, "churn") == 0)
        fake_churn(engine, json_number_value(json_object_get(order, "rate")));
    else {
        *reterr = fake_format("unknown fault \"%s\"", fault);
        return -1;
    }
    return 0;
}

const char *fake_faults_text(const struct fake_engine *engine)
{
    static const char *const answers[] = {"none", "cut", "garbage", "status"};
    const struct fake_faults *faults = &engine->faults;

    if (faults->silent)
        return "silent";
    if (faults->stopped)
        return engine->listener.connection_count > 0 ? "refuse" : "stop";
    if (faults->twin != NULL)
        return "duplicate";
    return faults->delay_ms > 0 ? "slow" : answers[faults->answer];
}

/* --- churn --- */

/* Those that died of churn are those that are down: one of them starts, or one that runs dies. */
static void churn_one(struct fake_engine *engine)
{
    uint64_t at = fake_random(&engine->world->random);
    struct fake_container *container = engine->containers[at % engine->container_count];

    if (container->state == FAKE_RUNNING)
        fake_die(container, 1, 0);
    else if (container->state == FAKE_EXITED && fake_now(engine) - container->finished_ns > CHURN_REST_MS * 1000000ll)
        fake_start(container, NULL);
}

static void churn_tick(void *data)
{
    struct fake_engine *engine = data;

    engine->churn_due += engine->churn_rate * CHURN_TICK_MS / 1000;
    while (engine->churn_due >= 1) {
        engine->churn_due--;
        if (engine->container_count > 0 && !engine->faults.stopped && !engine->faults.silent)
            churn_one(engine);
    }
    fake_timer_set(engine->world->loop, &engine->churn, CHURN_TICK_MS, churn_tick, engine);
}

void fake_churn(struct fake_engine *engine, double rate)
{
    engine->churn_rate = rate;
    engine->churn_due = 0;
    if (rate > 0)
        fake_timer_set(engine->world->loop, &engine->churn, CHURN_TICK_MS, churn_tick, engine);
    else
        fake_timer_clear(engine->world->loop, &engine->churn);
}
