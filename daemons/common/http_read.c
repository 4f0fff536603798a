/* SPDX-License-Identifier: Apache-2.0 */
/* Reading requests off a connection: head and body, within their times. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

#define READ_SIZE 4096
#define BODY_READ_SIZE (32 * 1024)
#define DRAIN_BYTES (256 * 1024)
#define DRAIN_TIME_MS 5000
#define END_OF_CONNECTION (-1)

/* Wait until the client sends something. 1, 0 at the deadline, -1 on trouble, or when the server stops and @p idle. */
static int wait_for_client(struct http_connection *connection, bool idle, struct deadline deadline)
{
    struct pollfd fds[2] = {
        {.fd = stream_fd(connection->stream), .events = stream_recv_events(connection->stream)},
        {.fd = idle ? connection->server->stop_fd : -1, .events = POLLIN},
    };
    for (;;) {
        int ready = poll(fds, 2, deadline_left(deadline));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ready;
        return fds[0].revents ? 1 : -1;
    }
}

/* Read what there is behind what is already there: bytes, 0 at the end, negative errno. */
static ssize_t fill(struct http_connection *connection, size_t size)
{
    struct bytes *in = &connection->in;
    if (bytes_reserve(in, size) < 0)
        return -ENOMEM;
    ssize_t got = stream_recv(connection->stream, in->data + in->end, in->size - in->end);
    if (got > 0)
        in->end += (size_t)got;
    return got;
}

bool http_head_worth_parsing(const struct bytes *in, size_t *seen)
{
    size_t length = bytes_length(in);
    bool line = length > *seen && memchr(bytes_at(in) + *seen, '\n', length - *seen);
    *seen = length;
    return line || length >= HTTP_HEAD_MAX;
}

/* "prior knowledge" (RFC 9113, 3.3 and 3.4) */
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE_LENGTH (sizeof preface - 1)
enum is_preface { NO_PREFACE, PART_OF_PREFACE, WHOLE_PREFACE };

static enum is_preface find_preface(const struct http_connection *connection)
{
    size_t length = bytes_length(&connection->in);
    bool whole = length >= PREFACE_LENGTH;
    if (!connection->server->options.http2 || length == 0 ||
        memcmp(bytes_at(&connection->in), preface, whole ? PREFACE_LENGTH : length) != 0)
        return NO_PREFACE;
    return whole ? WHOLE_PREFACE : PART_OF_PREFACE;
}

static int refusal_of(int result)
{
    return result < 0 ? -result : 0;
}

/* Until the buffer begins with a whole head of *ret_consumed bytes (0: with HTTP/2's preface); statuses as
 * http_request_read_head(). */
static int await_head(struct http_request *request, size_t *ret_consumed, const char **ret_why)
{
    struct http_connection *connection = request->connection;
    const struct http_server_options *options = &connection->server->options;
    struct bytes *in = &connection->in;
    bool idle = bytes_length(in) == 0;
    struct deadline deadline = deadline_after(idle ? options->idle_timeout_ms : options->head_timeout_ms);
    if (connection->refused)
        deadline = deadline_after(HTTP_REFUSAL_TIME_MS);
    size_t seen = 0;
    bool waited = false;
    for (;;) {
        enum is_preface found = find_preface(connection);
        if (found == WHOLE_PREFACE) {
            *ret_consumed = 0;
            return 0;
        }
        if (found == NO_PREFACE && http_head_worth_parsing(in, &seen)) {
            int result = http_head_parse_request(&request->head, bytes_at(in), bytes_length(in), ret_consumed, ret_why);
            if (result != HTTP_HEAD_MORE)
                return refusal_of(result);
        }
        /* After a reply the next request is seldom there already. */
        ssize_t got =
            idle && !waited && !stream_pending(connection->stream) ? STREAM_AGAIN : fill(connection, READ_SIZE);
        if (got > 0 && idle) {
            idle = false;
            deadline = deadline_after(options->head_timeout_ms);
        }
        if (got > 0)
            continue;
        if (got != STREAM_AGAIN)
            return END_OF_CONNECTION;
        int ready = wait_for_client(connection, idle, deadline);
        waited = true;
        if (ready == 0 && !idle) {
            *ret_why = "the request's head took too long";
            return 408;
        }
        if (ready <= 0)
            return END_OF_CONNECTION;
    }
}

/* From the connection's buffer to its copy, but for the constant one of an empty path, and NUL-ended there. */
static void rebase(struct slice *slice, const char *from, size_t size, char *to)
{
    if (slice->at < from || slice->at >= from + size)
        return;
    size_t offset = (size_t)(slice->at - from);
    slice->at = to + offset;
    to[offset + slice->length] = '\0';
}

/* Move the head out of the connection's buffer, which goes on to hold the body. */
static int keep_head(struct http_request *request, size_t consumed, const char **ret_why)
{
    struct bytes *in = &request->connection->in;
    struct http_head *head = &request->head;
    const char *from = bytes_at(in);
    request->text = malloc(consumed + head->target.length + 2);
    if (!request->text) {
        *ret_why = "out of memory";
        return 500;
    }
    memcpy(request->text, from, consumed);
    rebase(&head->method, from, consumed, request->text);
    rebase(&head->target, from, consumed, request->text);
    rebase(&head->upgrade, from, consumed, request->text);
    for (size_t i = 0; i < head->header_count; i++) {
        rebase(&head->headers[i].name, from, consumed, request->text);
        rebase(&head->headers[i].value, from, consumed, request->text);
    }
    bytes_consume(in, consumed);

    char *path = request->text + consumed;
    memcpy(path, head->target.at, head->target.length);
    path[head->target.length] = '\0';
    char *mark = strchr(path, '?');
    if (mark)
        *mark = '\0';
    request->path = path;
    request->query = mark ? mark + 1 : "";
    request->method = head->method.at;
    return 0;
}

/* It stays in the buffer, in front of what it begins. */
static void make_preface_request(struct http_request *request)
{
    request->head = (struct http_head){.method = {"PRI", 3},
                                       .target = {"*", 1},
                                       .reason = {"", 0},
                                       .minor = 1,
                                       .content_length = -1,
                                       .upgrade = {"", 0}};
    request->method = "PRI";
    request->path = "*";
    request->query = "";
}

int http_request_read_head(struct http_request *request, const char **ret_why)
{
    size_t consumed = 0;
    int status = await_head(request, &consumed, ret_why);
    if (status == 0 && consumed == 0)
        make_preface_request(request);
    else if (status == 0)
        status = keep_head(request, consumed, ret_why);
    if (status != 0)
        return status;
    http_body_init_request(&request->body, &request->head);
    request->continue_due = request->head.expect_continue && !request->body.done;
    if (http_head_find(&request->head, "Expect") && !request->head.expect_continue && request->head.minor == 1) {
        *ret_why = "Expect is understood with 100-continue only";
        return 417;
    }
    return 0;
}

static int send_continue(struct http_request *request)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    request->continue_due = false;
    return stream_send_all(request->connection->stream, text, sizeof text - 1,
                           request->connection->server->options.body_timeout_ms);
}

static ssize_t fail_body(struct http_request *request, int status, const char *why, const char **ret_why)
{
    request->body_failed = true;
    *ret_why = why;
    return -status;
}

/* Nothing has come for too long, as far as that was looked at. */
static bool is_late(struct http_request *request)
{
    int64_t now_ms = deadline_now_ms();
    if (request->body_until_ms == 0)
        request->body_until_ms = now_ms + request->connection->server->options.body_timeout_ms;
    return now_ms >= request->body_until_ms;
}

/* More bytes of the body into the connection's buffer. 0, or minus a status; where @p deadline is NULL -EAGAIN instead
 * of waiting. */
static ssize_t await_body(struct http_request *request, const struct deadline *deadline, const char **ret_why)
{
    struct http_connection *connection = request->connection;
    if (request->continue_due && send_continue(request) < 0)
        return fail_body(request, 400, "the client is gone", ret_why);
    for (;;) {
        ssize_t got = fill(connection, BODY_READ_SIZE);
        if (got > 0) {
            request->body_until_ms = 0;
            return 0;
        }
        if (got == -ENOMEM)
            return fail_body(request, 500, "out of memory", ret_why);
        if (got != STREAM_AGAIN)
            return fail_body(request, 400, "the request's body ended too early", ret_why);
        if (!deadline)
            return is_late(request) ? fail_body(request, 408, "the request's body took too long", ret_why) : -EAGAIN;
        int ready = wait_for_client(connection, false, *deadline);
        if (ready < 0)
            return fail_body(request, 400, "the client is gone", ret_why);
        if (ready == 0)
            return fail_body(request, 408, "the request's body took too long", ret_why);
    }
}

static ssize_t read_piece(struct http_request *request, const struct deadline *deadline, const char **ret_data,
                          const char **ret_why)
{
    struct bytes *in = &request->connection->in;
    for (;;) {
        size_t consumed, length;
        if (request->body.done)
            return 0;
        if (http_body_next(&request->body, bytes_at(in), bytes_length(in), &consumed, ret_data, &length) < 0)
            return fail_body(request, 400, "the request's body is not framed properly", ret_why);
        bytes_consume(in, consumed);
        if (length > 0) {
            request->body_touched = true;
            return (ssize_t)length;
        }
        if (consumed > 0)
            continue;
        ssize_t result = await_body(request, deadline, ret_why);
        if (result < 0)
            return result;
    }
}

ssize_t http_request_read(struct http_request *request, int timeout_ms, const char **ret_data, const char **ret_why)
{
    struct deadline deadline = deadline_after(timeout_ms);
    return read_piece(request, &deadline, ret_data, ret_why);
}

ssize_t http_request_read_now(struct http_request *request, const char **ret_data, const char **ret_why)
{
    return read_piece(request, NULL, ret_data, ret_why);
}

int64_t http_request_left(const struct http_request *request)
{
    if (request->body.done)
        return 0;
    return request->body.framing == HTTP_BODY_LENGTH ? (int64_t)request->body.left : -1;
}

bool http_request_may_drain(const struct http_request *request)
{
    const struct http_body *body = &request->body;
    if (body->done)
        return true;
    if (request->body_failed || request->continue_due)
        return false;
    return body->framing == HTTP_BODY_CHUNKED || body->left <= DRAIN_BYTES;
}

bool http_request_drain(struct http_request *request)
{
    struct deadline deadline = deadline_after(DRAIN_TIME_MS);
    const char *data, *why;
    size_t drained = 0;
    if (!http_request_may_drain(request))
        return false;
    while (!request->body.done) {
        ssize_t got = http_request_read(request, deadline_left(deadline), &data, &why);
        if (got < 0)
            return false;
        drained += (size_t)got;
        if (drained > DRAIN_BYTES)
            return false;
    }
    return true;
}

void http_request_finish(struct http_request *request)
{
    while (request->parameters) {
        struct http_parameter *parameter = request->parameters;
        request->parameters = parameter->next;
        free(parameter->key);
        free(parameter->value);
        free(parameter);
    }
    bytes_free(&request->whole);
    free(request->text);
    request->text = NULL;
}
