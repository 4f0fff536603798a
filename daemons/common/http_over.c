/* SPDX-License-Identifier: Apache-2.0 */
#include "http_over.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

#define READ_SIZE ((size_t)16 * 1024)
#define INTERIM_MAX 16
#define ASK_MS 1000 /* between two questions whether to go on */
#define MAX_RESPONSE ((size_t)256 << 20)

struct over {
    struct stream *stream;
    const struct http_call *call;
    struct http_result *result;
    struct http_over_end *end;
    struct bytes in;
    size_t capacity, max; /* of the result's body */
    struct deadline until;
    int64_t heard_ms, asked_ms;
    struct http_body body;
    bool keep_alive;
    int interim;
};

static int fail(struct over *over, enum http_failure failure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct over *over, enum http_failure failure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(over->result->error, sizeof over->result->error, format, arguments);
    va_end(arguments);
    over->result->failure = failure;
    return -1;
}

static int fail_stream(struct over *over, const char *doing, ssize_t error)
{
    char *text = stream_error_text(over->stream, error);
    fail(over, HTTP_BROKEN, "%s: %s", doing, text ? text : "failed");
    free(text);
    return -1;
}

static int out_of_memory(struct over *over)
{
    return fail(over, HTTP_BROKEN, "out of memory");
}

/* --- waiting --- */

/* Milliseconds until something is to be looked at, -1: never. */
static int time_left(const struct over *over, int64_t now_ms)
{
    int64_t left = over->until.at_ms < 0 ? INT64_MAX : over->until.at_ms - now_ms;
    int64_t silence = over->call->silence_timeout_ms;
    if (silence > 0 && over->heard_ms + silence - now_ms < left)
        left = over->heard_ms + silence - now_ms;
    if (over->call->give_up && over->asked_ms + ASK_MS - now_ms < left)
        left = over->asked_ms + ASK_MS - now_ms;
    if (left == INT64_MAX)
        return -1;
    return left < 0 ? 0 : (int)left;
}

/* What the time that has passed amounts to. */
static int note_time(struct over *over)
{
    const struct http_call *call = over->call;
    int64_t now_ms = deadline_now_ms();
    if (over->until.at_ms >= 0 && now_ms >= over->until.at_ms)
        return fail(over, HTTP_TIMEOUT, "no answer within %d ms", call->timeout_ms);
    if (call->silence_timeout_ms > 0 && now_ms - over->heard_ms >= call->silence_timeout_ms)
        return fail(over, HTTP_TIMEOUT, "nothing came for %d ms", call->silence_timeout_ms);
    if (call->give_up && now_ms - over->asked_ms >= ASK_MS) {
        over->asked_ms = now_ms;
        if (call->give_up(call->give_up_data))
            return fail(over, HTTP_CANCELLED, "ended by its reader");
    }
    return 0;
}

static int wait_for(struct over *over, short events)
{
    struct pollfd fd = {.fd = stream_fd(over->stream), .events = events};
    for (;;) {
        int ready = poll(&fd, 1, time_left(over, deadline_now_ms()));
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return fail(over, HTTP_NO_SOCKET, "poll: %s", strerror(errno));
        if (note_time(over) < 0)
            return -1;
    }
}

/* --- the request --- */

static bool has_body(const struct http_call *call, const char *method)
{
    return call->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
}

static int write_request(const struct http_call *call, const char *host, const char *target, struct bytes *out)
{
    const char *method = call->method ? call->method : "GET";
    if (bytes_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host) < 0)
        return -1;
    for (const char *const *line = call->headers; line && *line; line++)
        if (bytes_printf(out, "%s\r\n", *line) < 0)
            return -1;
    if (has_body(call, method) && bytes_printf(out, "Content-Length: %zu\r\n", call->body_length) < 0)
        return -1;
    if (bytes_append_text(out, "\r\n") < 0)
        return -1;
    return call->body ? bytes_append(out, call->body, call->body_length) : 0;
}

/* 1: all is sent; 0: the peer takes no more, but may have answered; -1: failed. */
static int send_request(struct over *over, struct bytes *out)
{
    while (bytes_length(out) > 0) {
        ssize_t sent = stream_send(over->stream, bytes_at(out), bytes_length(out));
        if (sent == STREAM_AGAIN) {
            if (wait_for(over, stream_send_events(over->stream)) < 0)
                return -1;
        } else if (sent <= 0) {
            return 0;
        } else {
            bytes_consume(out, (size_t)sent);
            over->heard_ms = deadline_now_ms();
        }
    }
    return 1;
}

/* --- the answer --- */

/* More bytes behind those of over->in: 1, 0 at the end, -1 with the failure. The answer to a request is not there at
 * once. */
static int receive(struct over *over)
{
    struct bytes *in = &over->in;
    if (bytes_reserve(in, READ_SIZE) < 0)
        return out_of_memory(over);
    if (!stream_pending(over->stream) && wait_for(over, stream_recv_events(over->stream)) < 0)
        return -1;
    for (;;) {
        ssize_t got = stream_recv(over->stream, in->data + in->end, in->size - in->end);
        if (got == STREAM_AGAIN) {
            if (wait_for(over, stream_recv_events(over->stream)) < 0)
                return -1;
            continue;
        }
        if (got <= 0)
            return got == 0 ? 0 : fail_stream(over, "read", got);
        in->end += (size_t)got;
        over->end->unanswered = false;
        over->heard_ms = deadline_now_ms();
        return 1;
    }
}

static void take_header(const struct http_head *head, const char *name, char *value, size_t size)
{
    const struct http_header *header = http_head_find(head, name);
    if (header && header->value.length < size) {
        memcpy(value, header->value.at, header->value.length);
        value[header->value.length] = '\0';
    }
}

/* Room for @p length bytes of content and a NUL. */
static int reserve(struct over *over, size_t length)
{
    struct http_result *result = over->result;
    if (length > over->max - result->length)
        return fail(over, HTTP_BROKEN, "the answer is longer than %zu bytes", over->max);
    if (result->length + length + 1 <= over->capacity)
        return 0;
    size_t capacity = over->capacity ? (result->length + length) * 3 / 2 + 512 : length + 1;
    char *longer = realloc(result->body, capacity);
    if (!longer)
        return out_of_memory(over);
    result->body = longer;
    over->capacity = capacity;
    return 0;
}

static int take_head(struct over *over, const struct http_head *head)
{
    bool to_head = over->call->method && strcmp(over->call->method, "HEAD") == 0;
    over->result->status = head->status;
    over->keep_alive = head->keep_alive;
    take_header(head, "Api-Version", over->result->api_version, sizeof over->result->api_version);
    take_header(head, "Builder-Version", over->result->builder_version, sizeof over->result->builder_version);
    http_body_init_response(&over->body, head, to_head);
    /* A length that is not kept to is no reason to take that much memory. */
    size_t expected =
        over->body.framing == HTTP_BODY_LENGTH && over->body.left < READ_SIZE * 64 ? (size_t)over->body.left : 0;
    if (reserve(over, expected) < 0)
        return -1;
    over->result->body[0] = '\0';
    return 1;
}

/* 1: the head has been taken, 0: more bytes are needed, -1: failed. */
static int read_head(struct over *over, size_t *seen)
{
    struct http_head head;
    const char *why = "";
    size_t consumed;
    while (http_head_worth_parsing(&over->in, seen)) {
        int result = http_head_parse_response(&head, bytes_at(&over->in), bytes_length(&over->in), &consumed, &why);
        if (result == HTTP_HEAD_MORE)
            return 0;
        if (result < 0)
            return fail(over, HTTP_BROKEN, "malformed answer: %s", why);
        if (head.status == 101)
            return fail(over, HTTP_BROKEN, "protocols were switched without being asked to");
        result = head.status >= 200 ? take_head(over, &head) : 0;
        bytes_consume(&over->in, consumed);
        *seen = 0;
        if (result != 0)
            return result;
        if (++over->interim > INTERIM_MAX)
            return fail(over, HTTP_BROKEN, "malformed answer: too many interim answers");
    }
    return 0;
}

/* All content that has come. */
static int take_body(struct over *over)
{
    struct http_result *result = over->result;
    while (!over->body.done) {
        const char *data;
        size_t consumed, length;
        if (http_body_next(&over->body, bytes_at(&over->in), bytes_length(&over->in), &consumed, &data, &length) < 0)
            return fail(over, HTTP_BROKEN, "malformed answer: its chunks are not framed properly");
        if (length > 0) {
            if (reserve(over, length) < 0)
                return -1;
            memcpy(result->body + result->length, data, length);
            result->length += length;
            result->body[result->length] = '\0';
        }
        bytes_consume(&over->in, consumed);
        if (consumed == 0)
            break;
    }
    return 0;
}

static int read_answer(struct over *over)
{
    size_t seen = 0;
    bool headed = false;
    for (;;) {
        int got = receive(over);
        if (got < 0)
            return -1;
        if (got == 0 && !headed)
            return fail(over, HTTP_BROKEN, "the connection was closed before an answer came");
        if (got == 0)
            return http_body_closed(&over->body) < 0
                       ? fail(over, HTTP_BROKEN, "the connection was closed in the middle of the answer")
                       : 0;
        int head = headed ? 1 : read_head(over, &seen);
        headed = head > 0;
        if (head < 0 || (headed && take_body(over) < 0))
            return -1;
        if (headed && over->body.done)
            return 0;
    }
}

int http_over(struct stream *stream, const char *host, const char *target, const struct http_call *call,
              struct http_result *result, struct http_over_end *end)
{
    struct over over = {.stream = stream,
                        .call = call,
                        .result = result,
                        .end = end,
                        .max = call->max_response ? call->max_response : MAX_RESPONSE,
                        .until = deadline_after(call->timeout_ms > 0 ? call->timeout_ms : -1)};
    struct bytes out = {0};
    memset(result, 0, sizeof *result);
    *end = (struct http_over_end){.unanswered = true};
    over.heard_ms = over.asked_ms = deadline_now_ms();
    int sent = write_request(call, host, target, &out) < 0 ? out_of_memory(&over) : send_request(&over, &out);
    int answered = sent < 0 ? -1 : read_answer(&over);
    end->unanswered = end->unanswered && result->failure == HTTP_BROKEN;
    end->reusable = sent > 0 && answered == 0 && over.keep_alive && over.body.done &&
                    over.body.framing != HTTP_BODY_UNTIL_CLOSE && bytes_length(&over.in) == 0;
    if (answered < 0) {
        free(result->body);
        result->body = NULL;
        result->length = 0;
        result->status = 0;
    }
    bytes_free(&out);
    bytes_free(&over.in);
    return answered;
}
