/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: requests in, answers out. */
#include "fake_http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fake_text.h"
#include "http_head.h"

#define IN_MAX (4u << 20)       /* bytes that wait while an answer is under way */
#define UNSENT_MAX (256u << 20) /* bytes that a reader of a stream may be behind */
#define SHORT_MAX 2048          /* bytes of an answer that goes with its length */
#define API_VERSION "1.41"
#define SERVER "Docker/20.10.24+dfsg1 (linux)"

/* --- life --- */

static void request_clear(struct fake_request *request)
{
    free(request->method);
    free(request->path);
    free(request->query);
    bytes_free(&request->body);
    memset(request, 0, sizeof(*request));
}

struct fake_connection *fake_connection_new(struct fake_listener *listener, int fd)
{
    struct fake_connection *connection = fake_alloc(sizeof(*connection));

    connection->source.fd = fd;
    connection->source.ready = fake_connection_ready;
    connection->listener = listener;
    connection->engine = listener->engine;
    connection->timer.position = TIMER_IDLE;
    connection->next = listener->connections;
    connection->link = &listener->connections;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    listener->connections = connection;
    listener->connection_count++;
    fake_loop_watch(listener->loop, &connection->source, EPOLLIN, true);
    return connection;
}

void fake_connection_destroy(struct fake_connection *connection)
{
    void (*on_close)(struct fake_connection *) = connection->on_close;

    if (connection->source.fd < 0)
        return;
    connection->on_close = NULL;
    if (on_close != NULL)
        on_close(connection);
    fake_timer_clear(connection->listener->loop, &connection->timer);
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    connection->listener->connection_count--;
    close(connection->source.fd);
    connection->source.fd = -1;
    bytes_free(&connection->in);
    bytes_free(&connection->out);
    request_clear(&connection->request);
    fake_loop_bury(connection->listener->loop, connection);
}

void fake_reset(struct fake_connection *connection)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (connection->source.fd >= 0)
        setsockopt(connection->source.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    fake_connection_destroy(connection);
}

static void watch(struct fake_connection *connection)
{
    if (!connection->listener->silent)
        fake_loop_watch(connection->listener->loop, &connection->source,
                        (connection->ended_input ? 0 : EPOLLIN) | (connection->wants_out ? EPOLLOUT : 0), false);
}

/* --- out --- */

static void all_sent(struct fake_connection *connection)
{
    bytes_free(&connection->out);
    if (connection->wants_out) {
        connection->wants_out = false;
        watch(connection);
    }
    if (connection->closing && connection->cut)
        fake_reset(connection);
    else if (connection->closing)
        fake_connection_destroy(connection);
}

void fake_connection_flush(struct fake_connection *connection)
{
    if (connection->held || connection->listener->silent)
        return;
    while (bytes_length(&connection->out) > 0) {
        ssize_t sent =
            send(connection->source.fd, bytes_at(&connection->out), bytes_length(&connection->out), MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN && bytes_length(&connection->out) < UNSENT_MAX) {
            if (!connection->wants_out) {
                connection->wants_out = true;
                watch(connection);
            }
            return;
        }
        if (sent < 0) {
            fake_reset(connection);
            return;
        }
        bytes_consume(&connection->out, (size_t)sent);
    }
    all_sent(connection);
}

void fake_write(struct fake_connection *connection, const void *data, size_t length)
{
    if (length == 0 || connection->closing || connection->source.fd < 0)
        return;
    say_bytes(&connection->out, data, length);
    fake_loop_dirty(connection->listener->loop, connection);
}

void fake_finish(struct fake_connection *connection)
{
    connection->closing = true;
    fake_loop_dirty(connection->listener->loop, connection);
}

/* --- answers --- */

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},          {201, "Created"},        {204, "No Content"},      {304, "Not Modified"},
        {400, "Bad Request"}, {403, "Forbidden"},      {404, "Not Found"},       {409, "Conflict"},
        {101, "UPGRADED"},    {406, "Not Acceptable"}, {501, "Not Implemented"}, {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Internal Server Error";
}

static void say_date(struct bytes *out)
{
    time_t now = time(NULL);
    char text[64];
    struct tm tm;

    strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&now, &tm));
    say_text(out, text);
}

static void head_begin(struct fake_connection *connection, int status, const char *type, const char *extra)
{
    struct bytes *out = &connection->out;

    say(out, "HTTP/1.1 %d %s\r\nApi-Version: " API_VERSION "\r\n", status, reason(status));
    if (type != NULL)
        say(out, "Content-Type: %s\r\n", type);
    say_text(out, "Docker-Experimental: false\r\nOstype: linux\r\nServer: " SERVER "\r\n");
    if (extra != NULL)
        say_text(out, extra);
    say_date(out);
    if (!connection->keep_alive)
        say_text(out, "Connection: close\r\n");
}

static void answered(struct fake_connection *connection)
{
    connection->stage = FAKE_READING;
    if (!connection->keep_alive)
        connection->closing = true;
    fake_loop_dirty(connection->listener->loop, connection);
}

void fake_answer_with(struct fake_connection *connection, int status, const char *extra, const char *type,
                      const void *body, size_t length)
{
    struct bytes *out = &connection->out;
    bool parked = connection->stage == FAKE_PARKED;

    head_begin(connection, status, type, extra);
    if (status == 204 || status == 304)
        say_text(out, "\r\n");
    else if (length <= SHORT_MAX || connection->to_head)
        say(out, "Content-Length: %zu\r\n\r\n", length);
    else
        say(out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", length);
    if (status != 204 && status != 304 && !connection->to_head) {
        if (length > 0)
            say_bytes(out, body, length);
        if (length > SHORT_MAX)
            say_text(out, "\r\n0\r\n\r\n");
    }
    answered(connection);
    if (parked) /* the next request may have come meanwhile */
        fake_connection_process(connection);
}

void fake_answer(struct fake_connection *connection, int status, const char *type, const void *body, size_t length)
{
    fake_answer_with(connection, status, NULL, type, body, length);
}

void fake_answer_json(struct fake_connection *connection, int status, const struct bytes *body)
{
    fake_answer(connection, status, "application/json", bytes_at(body), bytes_length(body));
}

void fake_answer_error(struct fake_connection *connection, int status, const char *format, ...)
{
    struct bytes body = {0}, text = {0};
    va_list arguments;

    va_start(arguments, format);
    say_list(&text, format, arguments);
    va_end(arguments);
    say_bytes(&text, "", 1);
    say_text(&body, "{\"message\":");
    say_json(&body, bytes_at(&text));
    say_text(&body, "}\n");
    fake_answer_json(connection, status, &body);
    bytes_free(&body);
    bytes_free(&text);
}

void fake_park(struct fake_connection *connection)
{
    connection->stage = FAKE_PARKED;
}

void fake_stream_begin(struct fake_connection *connection, const char *type)
{
    head_begin(connection, 200, type, NULL);
    say_text(&connection->out, "Transfer-Encoding: chunked\r\n\r\n");
    connection->stage = FAKE_STREAMING;
    fake_loop_dirty(connection->listener->loop, connection);
}

void fake_stream_write(struct fake_connection *connection, const void *data, size_t length)
{
    char size[32];

    if (length == 0 || connection->to_head)
        return;
    fake_write(connection, size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", length));
    fake_write(connection, data, length);
    fake_write(connection, "\r\n", 2);
}

void fake_stream_end(struct fake_connection *connection)
{
    connection->on_close = NULL;
    fake_write(connection, "0\r\n\r\n", 5);
    answered(connection);
    fake_connection_process(connection);
}

void fake_hijack(struct fake_connection *connection, bool headers_of_api)
{
    struct bytes *out = &connection->out;

    say(out, "HTTP/1.1 %s\r\nContent-Type: application/vnd.docker.raw-stream\r\n",
        connection->request.upgrade ? "101 UPGRADED" : "200 OK");
    if (connection->request.upgrade)
        say_text(out, "Connection: Upgrade\r\nUpgrade: tcp\r\n");
    if (headers_of_api)
        say_text(out, "Api-Version: " API_VERSION "\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: " SERVER
                      "\r\n");
    say_text(out, "\r\n");
    connection->stage = FAKE_HIJACKED;
    fake_loop_dirty(connection->listener->loop, connection);
}

/* --- in --- */

static void take_target(struct fake_request *request, struct slice target)
{
    const char *query = memchr(target.at, '?', target.length);
    size_t length = query == NULL ? target.length : (size_t)(query - target.at), version = 0;
    const char *path = target.at;

    request->query = query == NULL ? fake_strdup("") : strndup(query + 1, target.length - length - 1);
    kit_check(request->query != NULL);
    if (length > 2 && path[0] == '/' && path[1] == 'v' && path[2] >= '0' && path[2] <= '9') {
        while (2 + version < length && strchr("0123456789.", path[2 + version]) != NULL)
            version++;
        if (2 + version < length && path[2 + version] == '/' && version < sizeof(request->version)) {
            memcpy(request->version, path + 2, version);
            path += 2 + version;
            length -= 2 + version;
        }
    }
    request->path = fake_decode(path, length, 0);
}

static void take_head(struct fake_connection *connection, const struct http_head *head)
{
    struct fake_request *request = &connection->request;
    const struct http_header *type = http_head_find(head, "Content-Type");

    request_clear(request);
    request->method = strndup(head->method.at, head->method.length);
    kit_check(request->method != NULL);
    take_target(request, head->target);
    request->upgrade = slice_is_nocase(head->upgrade, "tcp");
    request->has_type = type != NULL && type->value.length > 0;
    request->json =
        request->has_type && type->value.length >= 16 && strncasecmp(type->value.at, "application/json", 16) == 0;
    connection->keep_alive = head->keep_alive;
    connection->to_head = strcmp(request->method, "HEAD") == 0;
    http_body_init_request(&connection->body, head);
    connection->in_body = true;
    if (head->expect_continue && !connection->body.done)
        fake_write(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

/* False where there is no whole head yet, or there never will be. */
static bool read_head(struct fake_connection *connection)
{
    struct http_head head;
    size_t consumed;
    const char *why;
    int r =
        bytes_length(&connection->in) == 0
            ? HTTP_HEAD_MORE
            : http_head_parse_request(&head, bytes_at(&connection->in), bytes_length(&connection->in), &consumed, &why);

    if (r == HTTP_HEAD_MORE)
        return false;
    if (r != 0) {
        static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                     "Connection: close\r\n\r\n400 Bad Request";

        fake_write(connection, answer, sizeof(answer) - 1);
        fake_finish(connection);
        return false;
    }
    take_head(connection, &head);
    bytes_consume(&connection->in, consumed);
    return true;
}

/* False where the body is not complete. */
static bool read_body(struct fake_connection *connection)
{
    struct fake_request *request = &connection->request;

    while (!connection->body.done) {
        const char *data;
        size_t consumed, length;

        if (bytes_length(&connection->in) == 0)
            return false;
        if (http_body_next(&connection->body, bytes_at(&connection->in), bytes_length(&connection->in), &consumed,
                           &data, &length) != 0) {
            fake_answer(connection, 400, "text/plain; charset=utf-8", "bad framing", 11);
            fake_finish(connection);
            return false;
        }
        if (data != NULL && request->body_length + length <= FAKE_BODY_MAX)
            say_bytes(&request->body, data, length);
        request->body_length += length;
        if (consumed == 0)
            return false;
        bytes_consume(&connection->in, consumed);
    }
    return true;
}

void fake_connection_process(struct fake_connection *connection)
{
    while (connection->stage == FAKE_READING && !connection->closing && !connection->held) {
        if (!connection->in_body && !read_head(connection))
            break;
        if (!read_body(connection))
            break;
        connection->in_body = false;
        say_bytes(&connection->request.body, "", 1);
        connection->listener->requests++;
        connection->answer_begin = bytes_length(&connection->out);
        connection->listener->handler(connection);
    }
    if (bytes_length(&connection->in) == 0)
        bytes_free(&connection->in);
    if (connection->stage == FAKE_HIJACKED && bytes_length(&connection->in) > 0) {
        if (connection->on_input != NULL)
            connection->on_input(connection, bytes_at(&connection->in), bytes_length(&connection->in));
        bytes_free(&connection->in);
    }
}

static void input_ended(struct fake_connection *connection)
{
    if (connection->stage == FAKE_HIJACKED && !connection->ended_input) {
        connection->ended_input = true;
        watch(connection);
        if (connection->on_input != NULL)
            connection->on_input(connection, NULL, 0);
        return;
    }
    fake_connection_destroy(connection);
}

static void take_input(struct fake_connection *connection, const char *data, size_t length)
{
    if (connection->stage == FAKE_HIJACKED) {
        if (connection->on_input != NULL)
            connection->on_input(connection, data, length);
        return;
    }
    if (connection->stage == FAKE_STREAMING)
        return;
    say_bytes(&connection->in, data, length);
    fake_connection_process(connection);
    if (bytes_length(&connection->in) > IN_MAX)
        fake_reset(connection);
}

void fake_connection_ready(struct fake_source *source, unsigned events)
{
    static char buffer[65536];
    struct fake_connection *connection = (struct fake_connection *)source;
    ssize_t length;

    if (connection->listener->silent)
        return;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        length = recv(source->fd, buffer, sizeof(buffer), 0);
        if (length > 0)
            take_input(connection, buffer, (size_t)length);
        else if (length == 0)
            input_ended(connection);
        else if (errno != EAGAIN && errno != EINTR)
            fake_connection_destroy(connection);
    }
    if (source->fd >= 0 && (events & EPOLLOUT))
        fake_connection_flush(connection);
}
