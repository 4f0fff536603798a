/* SPDX-License-Identifier: Apache-2.0 */
/* The exchanges of a loop: over the wire, or curl's where that does not do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_loop_internal.h"

enum { STREAM_BUFFER = 4096, BULK_BUFFER = 128 * 1024, CONNECT_TIMEOUT_MS = 10000 };

static void list_append(struct http_exchange *exchange, enum exchange_state state)
{
    struct exchange_list *list = &exchange->loop->lists[state];
    exchange->state = state;
    exchange->next = NULL;
    exchange->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = exchange;
    list->last = exchange;
}

static void list_remove(struct http_exchange *exchange)
{
    struct exchange_list *list = &exchange->loop->lists[exchange->state];
    *(exchange->previous ? &exchange->previous->next : &list->first) = exchange->next;
    *(exchange->next ? &exchange->next->previous : &list->last) = exchange->previous;
}

/* Off every list already. */
static void exchange_free(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    timer_heap_remove(&loop->timers, &exchange->silence);
    timer_heap_remove(&loop->timers, &exchange->deadline);
    wire_call_finish(&exchange->wire);
    if (exchange->added) {
        curl_multi_remove_handle(loop->multi, exchange->easy);
        loop_count_running(loop, -1);
    }
    if (exchange->easy)
        curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->answer.headers);
    http_answer_clear(&exchange->answer);
    free(exchange->body);
    free(exchange);
}

/* Its result is complete. */
static void exchange_end(struct http_exchange *exchange)
{
    list_remove(exchange);
    exchange->state = EXCHANGE_DONE;
    exchange->on_done(exchange->data, &exchange->answer.result);
    exchange_free(exchange);
}

/* The same, of curl's. */
void exchange_finish(struct http_exchange *exchange, CURLcode code)
{
    http_answer_finish(&exchange->answer, code);
    if (exchange->added) {
        curl_multi_remove_handle(exchange->loop->multi, exchange->easy);
        exchange->added = false;
        loop_count_running(exchange->loop, -1);
    }
    exchange_end(exchange);
}

static void exchange_time_out(struct http_exchange *exchange, const char *text)
{
    if (exchange->easy) {
        exchange_finish(exchange, CURLE_OPERATION_TIMEDOUT);
        return;
    }
    wire_call_finish(&exchange->wire);
    http_answer_fail(&exchange->answer, HTTP_TIMEOUT, 0, text);
    exchange_end(exchange);
}

static int on_piece(void *data, const char *bytes, size_t length)
{
    struct http_exchange *exchange = data;
    if (exchange->state != EXCHANGE_RUNNING)
        return 0;
    return exchange->on_data(exchange->data, bytes, length);
}

static ssize_t on_wanted(void *data, char *buffer, size_t size)
{
    struct http_exchange *exchange = data;
    if (exchange->state != EXCHANGE_RUNNING)
        return -1;
    return exchange->read(exchange->data, buffer, size);
}

static void timer_init(struct http_timer *timer, struct http_exchange *exchange, void (*fn)(void *data))
{
    *timer = (struct http_timer){
        .loop = exchange->loop, .position = TIMER_IDLE, .fn = fn, .data = exchange, .embedded = true};
}

/* It was just removed: there is room. */
static void timer_again(struct http_timer *timer, int64_t due_ms)
{
    timer->due_ms = due_ms;
    timer_heap_push(&timer->loop->timers, timer);
}

/* The timer is set once and moved on by what came meanwhile, not at each byte. */
static void on_silence(void *data)
{
    struct http_exchange *exchange = data;
    int64_t due_ms = exchange->answer.last_byte_ms + exchange->answer.silence_timeout_ms;
    if (monotonic_ms() < due_ms) {
        timer_again(&exchange->silence, due_ms);
        return;
    }
    exchange->answer.silent = true;
    exchange_time_out(exchange, "");
}

/* Likewise: it is set for the connection, and then for the rest. */
static void on_deadline(void *data)
{
    struct http_exchange *exchange = data;
    int64_t passed_ms = monotonic_ms() - exchange->started_ms;
    bool connecting = wire_call_is_connecting(&exchange->wire);
    char text[80];
    if (exchange->timeout_ms > 0 && passed_ms >= exchange->timeout_ms)
        snprintf(text, sizeof text, "no %s within %d ms", connecting ? "connection" : "whole answer",
                 exchange->timeout_ms);
    else if (connecting)
        snprintf(text, sizeof text, "no connection within %d ms", exchange->connect_timeout_ms);
    else
        *text = '\0';
    if (*text)
        exchange_time_out(exchange, text);
    else if (exchange->timeout_ms > 0)
        timer_again(&exchange->deadline, exchange->started_ms + exchange->timeout_ms);
}

static int set_timers(struct http_exchange *exchange, const struct http_call *call)
{
    int64_t now_ms = monotonic_ms();
    int first_ms = call->connect_timeout_ms > 0 ? call->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    exchange->started_ms = now_ms;
    exchange->connect_timeout_ms = first_ms;
    exchange->timeout_ms = call->timeout_ms;
    if (call->timeout_ms > 0 && call->timeout_ms < first_ms)
        first_ms = call->timeout_ms;
    exchange->deadline.due_ms = now_ms + first_ms;
    exchange->silence.due_ms = now_ms + call->silence_timeout_ms;
    if (!exchange->easy && timer_heap_push(&exchange->loop->timers, &exchange->deadline) != 0)
        return -1;
    return call->silence_timeout_ms > 0 ? timer_heap_push(&exchange->loop->timers, &exchange->silence) : 0;
}

static int prepare_curl(struct http_exchange *exchange, const struct http_call *call)
{
    struct http_call own = *call;
    if (call->body) {
        exchange->body = malloc(call->body_length + 1);
        if (!exchange->body)
            return -1;
        own.body = memcpy(exchange->body, call->body, call->body_length);
    }
    exchange->easy = curl_easy_init();
    if (!exchange->easy)
        return -1;
    if (http_answer_start(&exchange->answer, exchange->easy, &own) != 0) {
        exchange->malformed = true;
        return exchange->answer.no_memory ? -1 : 0;
    }
    CURLcode code = curl_easy_setopt(exchange->easy, CURLOPT_PRIVATE, exchange);
    /* There may be thousands of streams, and they carry little. */
    if (exchange->on_data && call->timeout_ms == 0 && !call->bulk)
        code |= curl_easy_setopt(exchange->easy, CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER);
    if (call->fresh)
        code |= curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, 1L);
    if (call->once)
        code |= curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 1L);
    if (call->bulk)
        code |= curl_easy_setopt(exchange->easy, CURLOPT_BUFFERSIZE, (long)BULK_BUFFER);
    return code == CURLE_OK ? 0 : -1;
}

static void on_wire_done(struct wire_call *call)
{
    struct http_exchange *exchange = call->answer->data;
    if (exchange->state == EXCHANGE_RUNNING)
        exchange_end(exchange);
}

static int exchange_prepare(struct http_exchange *exchange, const struct http_call *call)
{
    struct http_answer *answer = &exchange->answer;
    if (!wire_takes(call)) {
        if (prepare_curl(exchange, call) != 0)
            return -1;
    } else if (http_answer_init(answer, call) != 0 ||
               wire_call_prepare(&exchange->wire, exchange->loop->wire, call, answer, on_wire_done) != 0) {
        return -1;
    }
    answer->spare = &exchange->loop->spare;
    answer->data = exchange;
    answer->on_data = exchange->on_data ? on_piece : NULL;
    if (call->read) {
        exchange->read = call->read;
        answer->read = on_wanted;
    }
    return exchange->malformed ? 0 : set_timers(exchange, call);
}

struct http_exchange *http_loop_start(struct http_loop *loop, const struct http_call *call,
                                      int (*on_data)(void *data, const char *bytes, size_t length),
                                      void (*on_done)(void *data, struct http_result *result), void *data)
{
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->loop = loop;
    timer_init(&exchange->silence, exchange, on_silence);
    timer_init(&exchange->deadline, exchange, on_deadline);
    exchange->on_data = on_data;
    exchange->on_done = on_done;
    exchange->data = data;
    if (exchange_prepare(exchange, call) != 0) {
        exchange_free(exchange);
        return NULL;
    }
    list_append(exchange, EXCHANGE_STARTING);
    return exchange;
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    if (!exchange || exchange->state >= EXCHANGE_CANCELLED)
        return;
    timer_heap_remove(&exchange->loop->timers, &exchange->silence);
    timer_heap_remove(&exchange->loop->timers, &exchange->deadline);
    list_remove(exchange);
    list_append(exchange, EXCHANGE_CANCELLED);
}

void http_exchange_resume(struct http_exchange *exchange)
{
    if (!exchange || exchange->state != EXCHANGE_RUNNING)
        return;
    if (exchange->easy)
        curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
    else
        wire_call_resume(&exchange->wire);
}

void exchanges_start(struct http_loop *loop)
{
    struct http_exchange *exchange;
    while ((exchange = loop->lists[EXCHANGE_STARTING].first)) {
        if (exchange->malformed) {
            exchange_finish(exchange, CURLE_URL_MALFORMAT);
            continue;
        }
        if (exchange->easy && curl_multi_add_handle(loop->multi, exchange->easy) != CURLM_OK) {
            exchange_finish(exchange, CURLE_OUT_OF_MEMORY);
            continue;
        }
        list_remove(exchange);
        list_append(exchange, EXCHANGE_RUNNING);
        if (exchange->easy) {
            exchange->added = true;
            loop_count_running(loop, 1);
        } else {
            wire_call_start(&exchange->wire);
        }
    }
}

void exchanges_drop(struct http_loop *loop, enum exchange_state state)
{
    struct http_exchange *exchange;
    while ((exchange = loop->lists[state].first)) {
        list_remove(exchange);
        exchange_free(exchange);
    }
}
