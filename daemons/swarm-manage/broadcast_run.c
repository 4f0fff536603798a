/* SPDX-License-Identifier: Apache-2.0 */
/* A broadcast under way: an exchange an engine on a loop of its own, which takes turns with the client's connection.
 * The client's body is read as far as the slowest engine that is still asked leaves room for it; who takes nothing
 * while others wait is looked at closely, and left out in the end. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broadcast.h"
#include "deadline.h"
#include "fan_queue.h"
#include "http_server.h"
#include "json_objects.h"
#include "manager.h"
#include "monitor.h"

#define QUEUE_SIZE ((size_t)1 << 20)  /* bytes of the body that are held for those that lag behind */
#define OBJECT_MAX ((size_t)16 << 20) /* bytes of one object of a stream */
#define LOOK_MS 250                   /* between looks at whether engines are still worth waiting for */
#define DOUBT_MS 1000                 /* of silence after which the monitor is to look, too … */
#define HELD_DOUBT_MS 300             /* … or where it holds others up */
#define DOUBT_AGAIN_MS 5000
#define STALL_MS 30000   /* without taking a byte, while the others wait for it */
#define FIN_TIME_MS 3000 /* for a client that sent a FIN: without a byte from an engine */

struct member {
    struct run *run;
    size_t index;
    struct broadcast_answer *answer;
    struct http_exchange *exchange; /* NULL: it has ended */
    struct json_objects objects;
    bool starved;     /* wants more of the body than there is */
    bool stopped;     /* by the function for objects or pieces */
    int64_t moved_ms; /* when it last gave or took something */
    int64_t doubted_ms;
};

struct run {
    const struct broadcast_order *order;
    struct broadcast *broadcast;
    struct call *call; /* NULL: nobody waits for the end */
    struct failure *failure;
    struct http_loop *loop;
    struct member *members;
    size_t running;
    int64_t asked_ms, looked_ms;
    int stall_ms;
    bool ended; /* nothing more is wanted: failure says why */

    bool has_body;
    struct fan_queue queue;
    const char *piece; /* of the client's body, read and not queued yet */
    size_t piece_length;
    bool body_waits; /* for the client to send more */
    struct http_exchange *source;
    bool source_waits; /* for room */

    bool client_fin;
    struct deadline client_until;
};

static void end_run(struct run *run)
{
    run->ended = true;
}

static void heard(struct member *member)
{
    member->moved_ms = monotonic_ms();
    member->run->client_until = deadline_after(FIN_TIME_MS);
}

/* It is no longer asked. */
static void end_member(struct member *member)
{
    if (member->exchange == NULL)
        return;
    member->exchange = NULL;
    member->run->running--;
    if (member->run->has_body)
        fan_queue_leave(&member->run->queue, member->index);
}

static void drop_member(struct member *member)
{
    http_exchange_cancel(member->exchange);
    end_member(member);
}

/* --- answers --- */

static int taken(struct member *member, int r)
{
    if (r == BROADCAST_STOP)
        end_run(member->run);
    member->stopped = r != BROADCAST_GO_ON;
    return r;
}

static int on_object(void *data, const char *text, size_t length)
{
    struct member *member = data;
    const struct broadcast_order *order = member->run->order;

    return taken(member, order->object(order->data, member->answer, text, length));
}

static int on_piece(void *data, const char *bytes, size_t length)
{
    struct member *member = data;
    const struct broadcast_order *order = member->run->order;
    int r;

    heard(member);
    r = taken(member, order->piece(order->data, member->answer, bytes, length));
    heard(member); /* it was the client who was slow */
    return r == BROADCAST_GO_ON ? 0 : 1;
}

static int on_data(void *data, const char *bytes, size_t length)
{
    struct member *member = data;

    heard(member);
    if (json_objects_feed(&member->objects, bytes, length, on_object, member) == 0)
        return 0;
    if (!member->stopped)
        failure_set(&member->answer->failure, 500, "the node's answer is no stream of JSON objects");
    member->stopped = true;
    return 1;
}

static void on_done(void *data, struct http_result *result)
{
    struct member *member = data;
    struct broadcast_answer *answer = member->answer;
    struct manager *manager = member->run->broadcast->manager;

    heard(member);
    engine_explain(answer->engine, result);
    if (!member->stopped && (result->failure != HTTP_OK || result->status >= 400)) {
        if (manager->monitor != NULL)
            monitor_report(manager->monitor, answer->engine, result->failure);
        answer->lost = result->failure != HTTP_OK && result->failure != HTTP_NO_SOCKET;
        if (answer->failure.status == 0)
            failure_from_engine(&answer->failure, answer->engine, result);
    }
    if (result->failure == HTTP_OK && answer->failure.status == 0 && member->objects.depth > 0)
        failure_set(&answer->failure, 500, "the node's answer ended in the middle of an object");
    if (result->failure == HTTP_OK) {
        answer->status = result->status;
        if (result->status < 400) {
            answer->body = result->body;
            answer->length = result->length;
            result->body = NULL;
        }
    }
    end_member(member);
}

/* --- the body --- */

static ssize_t on_wanted(void *data, char *buffer, size_t size)
{
    struct member *member = data;
    struct run *run = member->run;
    size_t taken = fan_queue_take(&run->queue, member->index, buffer, size);

    if (taken > 0) {
        heard(member);
        return (ssize_t)taken;
    }
    member->moved_ms = monotonic_ms();
    if (run->queue.ended)
        return 0;
    member->starved = true;
    return -HTTP_LATER;
}

/* The client's body as far as there is room for it. */
static void fill_from_client(struct run *run)
{
    struct http_request *request = run->call->request;
    const char *why = "";
    ssize_t got;

    run->body_waits = false;
    while (!run->queue.ended && fan_queue_room(&run->queue) > 0) {
        if (run->piece_length == 0) {
            got = http_request_read_now(request, &run->piece, &why);
            if (got == -EAGAIN) {
                run->body_waits = true;
                return;
            }
            if (got == 0)
                fan_queue_end(&run->queue);
            if (got < 0) {
                failure_set(run->failure, (int)-got, "%s", why);
                end_run(run);
            }
            if (got <= 0)
                return;
            run->piece_length = (size_t)got;
        }
        size_t put = fan_queue_put(&run->queue, run->piece, run->piece_length);
        run->piece += put;
        run->piece_length -= put;
    }
}

/* There will be no more of what the source has. */
static void fail_all(struct run *run, const char *why)
{
    for (size_t i = 0; i < run->broadcast->count; i++) {
        struct member *member = &run->members[i];

        if (member->exchange == NULL)
            continue;
        failure_set(&member->answer->failure, 500, "%s", why == NULL ? "out of memory" : why);
        drop_member(member);
    }
}

static int on_source_data(void *data, const char *bytes, size_t length)
{
    struct run *run = data;

    if (fan_queue_room(&run->queue) < length) {
        run->source_waits = true;
        return HTTP_LATER;
    }
    fan_queue_put(&run->queue, bytes, length);
    return 0;
}

static void on_source_done(void *data, struct http_result *result)
{
    struct run *run = data;

    run->source = NULL;
    if (result->failure == HTTP_OK && result->status < 300) {
        fan_queue_end(&run->queue);
        return;
    }
    struct failure failure = {0};

    engine_explain(run->order->source, result);
    failure_from_engine(&failure, run->order->source, result);
    fail_all(run, failure.message);
    failure_clear(&failure);
}

static void feed(struct run *run)
{
    if (!run->has_body)
        return;
    if (run->order->pass_body)
        fill_from_client(run);
    if (run->source_waits && fan_queue_room(&run->queue) >= run->queue.size / 2) {
        run->source_waits = false;
        http_exchange_resume(run->source);
    }
    for (size_t i = 0; i < run->broadcast->count; i++) {
        struct member *member = &run->members[i];

        if (member->exchange == NULL || !member->starved)
            continue;
        if (fan_queue_waiting(&run->queue, i) > 0 || run->queue.ended) {
            member->starved = false;
            member->moved_ms = monotonic_ms();
            http_exchange_resume(member->exchange);
        }
    }
}

/* --- beginning --- */

/* The order's headers and those of the client's that it names, as lines in one block. NULL for lack of memory. */
static char **make_headers(struct run *run)
{
    const struct broadcast_order *order = run->order;
    size_t count = 0, used = 0;
    char **lines;

    for (const char *const *at = order->headers; at != NULL && *at != NULL; at++)
        count++;
    for (const char *const *at = order->pass; at != NULL && *at != NULL; at++)
        count++;
    lines = calloc(count + 1, sizeof(lines[0]));
    for (const char *const *at = order->headers; lines != NULL && at != NULL && *at != NULL; at++)
        lines[used++] = strdup(*at);
    for (const char *const *at = order->pass; lines != NULL && at != NULL && *at != NULL; at++) {
        const char *value = http_request_header(run->call->request, *at);

        if (value != NULL && value[0] != '\0' && asprintf(&lines[used++], "%s: %s", *at, value) < 0)
            lines[used - 1] = NULL;
    }
    for (size_t i = 0; lines != NULL && i < used; i++) {
        if (lines[i] == NULL) { /* the rest would be lost behind it */
            while (used > 0)
                free(lines[--used]);
            free(lines);
            return NULL;
        }
    }
    return lines;
}

static void free_headers(char **lines)
{
    for (size_t i = 0; lines != NULL && lines[i] != NULL; i++)
        free(lines[i]);
    free(lines);
}

static struct http_call call_to(const struct engine *engine, const struct broadcast_order *order)
{
    return (struct http_call){
        .unix_path = engine->dial.is_unix ? engine->dial.path : NULL,
        .tls = engine->tls,
        .timeout_ms = order->timeout_ms,
    };
}

static int start_member(struct member *member, char *const *headers)
{
    struct run *run = member->run;
    const struct broadcast_order *order = run->order;
    struct engine *engine = member->answer->engine;
    struct http_call call = call_to(engine, order);
    char *url = engine_url(engine, order->version, order->path);
    int (*on_bytes)(void *data, const char *bytes, size_t length) = order->piece != NULL    ? on_piece
                                                                    : order->object != NULL ? on_data
                                                                                            : NULL;

    call.method = order->method;
    call.url = url;
    call.headers = (const char *const *)headers;
    call.body = order->body;
    call.body_length = order->length;
    if (run->has_body) {
        call.read = on_wanted;
        call.read_length = order->pass_body ? http_request_left(run->call->request) : -1;
    }
    json_objects_init(&member->objects, OBJECT_MAX);
    member->moved_ms = run->asked_ms;
    call.bulk = order->piece != NULL;
    if (url != NULL)
        member->exchange = http_loop_start(run->loop, &call, on_bytes, on_done, member);
    free(url);
    if (member->exchange == NULL)
        return -1;
    run->running++;
    return 0;
}

static int start_source(struct run *run)
{
    const struct broadcast_order *order = run->order;
    struct http_call call = call_to(order->source, order);
    char *url = engine_url(order->source, order->version, order->source_path);

    call.url = url;
    call.bulk = true;
    if (url != NULL)
        run->source = http_loop_start(run->loop, &call, on_source_data, on_source_done, run);
    free(url);
    return run->source == NULL ? -1 : 0;
}

static int start(struct run *run)
{
    char **headers = make_headers(run);
    int r = headers == NULL ? -1 : 0;

    if (r == 0 && run->has_body)
        r = fan_queue_init(&run->queue, QUEUE_SIZE, run->broadcast->count);
    for (size_t i = 0; r == 0 && i < run->broadcast->count; i++) {
        struct member *member = &run->members[i];

        *member = (struct member){.run = run, .index = i, .answer = &run->broadcast->answers[i]};
        if (!member->answer->skipped)
            r = start_member(member, headers);
        else if (run->has_body)
            fan_queue_leave(&run->queue, i);
    }
    if (r == 0 && run->order->source != NULL)
        r = start_source(run);
    free_headers(headers);
    return r;
}

/* --- time --- */

static void give_up(struct member *member, char *why)
{
    struct broadcast_answer *answer = member->answer;

    answer->lost = true;
    if (answer->failure.status == 0)
        failure_set(&answer->failure, 500, "%s", why == NULL ? "out of memory" : why);
    free(why);
    drop_member(member);
}

static void look_at(struct member *member, int64_t now_ms)
{
    struct run *run = member->run;
    struct engine *engine = member->answer->engine;
    int64_t still_ms = now_ms - member->moved_ms;
    bool holds = run->has_body && fan_queue_held_by(&run->queue, member->index);
    char *why = engine_why_give_up(engine, run->asked_ms);

    if (why == NULL && holds && still_ms >= run->stall_ms &&
        asprintf(&why, "node %s has taken nothing for %d s while others waited for it", member->answer->node,
                 run->stall_ms / 1000) < 0)
        why = NULL;
    if (why != NULL) {
        give_up(member, why);
        return;
    }
    if (run->broadcast->manager->monitor != NULL && !member->starved &&
        still_ms >= (holds ? HELD_DOUBT_MS : DOUBT_MS) && now_ms - member->doubted_ms >= DOUBT_AGAIN_MS) {
        member->doubted_ms = now_ms;
        monitor_report(run->broadcast->manager->monitor, engine, HTTP_TIMEOUT);
    }
}

static void look(struct run *run)
{
    int64_t now_ms = monotonic_ms();

    if (now_ms - run->looked_ms < LOOK_MS)
        return;
    run->looked_ms = now_ms;
    if (run->source != NULL) {
        char *why = engine_why_give_up(run->order->source, run->asked_ms);

        if (why != NULL)
            fail_all(run, why);
        free(why);
    }
    for (size_t i = 0; i < run->broadcast->count; i++) {
        if (run->members[i].exchange != NULL)
            look_at(&run->members[i], now_ms);
    }
}

static int time_left(const struct run *run)
{
    int left = http_loop_wait_ms(run->loop);
    int look = (int)(run->looked_ms + LOOK_MS - monotonic_ms());

    if (left < 0 || left > look)
        left = look > 0 ? look : 0;
    if (run->client_fin && left > deadline_left(run->client_until))
        left = deadline_left(run->client_until);
    return left;
}

/* Until something happens to an engine, or to the client. */
static void wait(struct run *run)
{
    int events = HTTP_WAIT_FD;
    int came;

    if (run->call == NULL) {
        struct pollfd turn = {.fd = http_loop_fd(run->loop), .events = POLLIN};

        poll(&turn, 1, time_left(run));
        return;
    }
    if (run->body_waits)
        events |= HTTP_WAIT_BODY;
    else if (!run->client_fin && (!run->order->pass_body || run->queue.ended))
        events |= HTTP_WAIT_FIN;
    came = http_reply_wait_any(run->call->reply, http_loop_fd(run->loop), events, time_left(run));
    if ((came & HTTP_WAIT_FIN) != 0) {
        run->client_fin = true;
        run->client_until = deadline_after(FIN_TIME_MS);
    }
    if ((came & HTTP_WAIT_GONE) != 0 || (run->client_fin && deadline_left(run->client_until) == 0)) {
        failure_clear(run->failure);
        end_run(run);
    }
}

static int finish(struct run *run, int r)
{
    for (size_t i = 0; run->members != NULL && i < run->broadcast->count; i++)
        json_objects_finish(&run->members[i].objects);
    http_loop_free(run->loop);
    fan_queue_finish(&run->queue);
    free(run->members);
    return r;
}

int broadcast_run(struct broadcast *broadcast, struct call *call, const struct broadcast_order *order,
                  struct failure *failure)
{
    struct run run = {.order = order,
                      .broadcast = broadcast,
                      .call = call,
                      .failure = failure,
                      .asked_ms = monotonic_ms(),
                      .looked_ms = monotonic_ms(),
                      .stall_ms = order->stall_ms > 0 ? order->stall_ms : STALL_MS,
                      .has_body = order->pass_body || order->source != NULL};

    if (broadcast_asked(broadcast) == 0)
        return 0;
    run.members = calloc(broadcast->count, sizeof(run.members[0]));
    if (run.members == NULL || http_loop_new(&run.loop) != 0 || start(&run) < 0) {
        failure_set(failure, 500, "out of memory");
        return finish(&run, -1);
    }
    while (!run.ended && run.running > 0) {
        feed(&run);
        http_loop_step(run.loop);
        look(&run);
        if (!run.ended && run.running > 0)
            wait(&run);
    }
    return finish(&run, run.ended ? -1 : 0);
}
