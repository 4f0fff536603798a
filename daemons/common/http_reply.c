/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: heads with exactly one value of each header, bodies at once or streamed. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http_grammar.h"
#include "http_internal.h"
#include "log.h"

#define COALESCE 16384 /* up to here head and body, or a chunk and its frame, leave in one piece */

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static struct slice reason_of(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return slice_of(reasons[i].reason);
    return slice_of("Status");
}

bool http_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

void http_reply_init(struct http_reply *reply, struct http_request *request)
{
    memset(reply, 0, sizeof *reply);
    reply->request = request;
    reply->connection = request->connection;
}

void http_reply_finish(struct http_reply *reply)
{
    bytes_free(&reply->headers);
}

int http_reply_status(const struct http_reply *reply)
{
    return reply->status;
}

bool http_reply_begun(const struct http_reply *reply)
{
    return reply->state != HTTP_REPLY_NONE;
}

static bool is_head_request(const struct http_reply *reply)
{
    return slice_is(reply->request->head.method, "HEAD");
}

/* The handler's line of that name with its CRLF; length 0 where there is none. */
static struct slice find_line(const struct http_reply *reply, struct slice name)
{
    const char *at = bytes_at(&reply->headers);
    const char *end = at ? at + bytes_length(&reply->headers) : NULL;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (!feed || !colon)
            break;
        size_t length = (size_t)(colon - at);
        if (length == name.length && strncasecmp(at, name.at, length) == 0)
            return (struct slice){at, (size_t)(feed + 1 - at)};
        at = feed + 1;
    }
    return (struct slice){NULL, 0};
}

static void remove_line(struct http_reply *reply, struct slice line)
{
    struct bytes *headers = &reply->headers;
    if (line.length == 0)
        return;
    size_t offset = (size_t)(line.at - headers->data);
    memmove(headers->data + offset, headers->data + offset + line.length, headers->end - offset - line.length);
    headers->end -= line.length;
}

int http_append_header(struct bytes *out, struct slice name, struct slice value)
{
    if (bytes_reserve(out, name.length + value.length + 4) < 0)
        return -1;
    char *at = out->data + out->end;
    memcpy(at, name.at, name.length);
    at += name.length;
    memcpy(at, ": ", 2);
    if (value.length > 0)
        memcpy(at + 2, value.at, value.length);
    memcpy(at + 2 + value.length, "\r\n", 2);
    out->end += name.length + value.length + 4;
    return 0;
}

/* Framing and date are made here, whatever a handler says. */
static bool is_ours(struct slice name)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding", "Connection", "Date"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is_nocase(name, names[i]))
            return true;
    return false;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
    struct slice name_slice = slice_of(name);
    if (!http_is_token(name_slice) || !http_is_field_text(slice_of(value))) {
        log_warn("HTTP reply: header \"%s\" has a value that no header can have, left out", name);
        return;
    }
    if (is_ours(name_slice)) {
        if (slice_is_nocase(name_slice, "Connection") && slice_is_nocase(slice_of(value), "close"))
            reply->close = true;
        return;
    }
    remove_line(reply, find_line(reply, name_slice));
    if (http_append_header(&reply->headers, name_slice, slice_of(value)) < 0)
        reply->out_of_memory = true;
}

static bool is_server_header(const struct http_server_options *options, struct slice name)
{
    for (size_t i = 0; i < 8 && options->headers[i][0]; i++)
        if (slice_is_nocase(name, options->headers[i][0]))
            return true;
    return false;
}

bool http_reply_has_header(const struct http_reply *reply, struct slice name)
{
    return slice_is_nocase(name, "Date") || is_server_header(&reply->connection->server->options, name) ||
           find_line(reply, name).length > 0;
}

/* RFC 9110, 5.6.7; strftime() would follow the locale. Made once a second. */
static int append_date(struct http_connection *connection, struct bytes *out)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm tm;
    if (now != connection->date_of || connection->date[0] == '\0') {
        if (!gmtime_r(&now, &tm))
            return 0;
        snprintf(connection->date, sizeof connection->date, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday],
                 tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
        connection->date_of = now;
    }
    return http_append_header(out, slice_of("Date"), slice_of(connection->date));
}

int http_reply_head_begin(struct http_reply *reply, struct bytes *out, int status, struct slice reason)
{
    const struct http_server_options *options = &reply->connection->server->options;
    reply->status = status;
    if (reason.length == 0)
        reason = reason_of(status);
    if (reply->out_of_memory || bytes_printf(out, "HTTP/1.1 %d %.*s\r\n", status, (int)reason.length, reason.at) < 0 ||
        append_date(reply->connection, out) < 0)
        return -1;
    for (size_t i = 0; i < 8 && options->headers[i][0]; i++) {
        const char *const *header = options->headers[i];
        if (find_line(reply, slice_of(header[0])).length > 0)
            continue;
        if (http_append_header(out, slice_of(header[0]), slice_of(header[1])) < 0)
            return -1;
    }
    return bytes_append(out, bytes_at(&reply->headers), bytes_length(&reply->headers));
}

static int append_connection(const struct http_reply *reply, struct bytes *out)
{
    if (reply->close)
        return bytes_append_text(out, "Connection: close\r\n");
    if (reply->request->head.minor == 0)
        return bytes_append_text(out, "Connection: keep-alive\r\n");
    return 0;
}

int http_reply_head_end(struct http_reply *reply, struct bytes *out, enum http_framing framing, uint64_t length)
{
    const struct http_request *request = reply->request;
    int result = 0;
    if (!request->head.keep_alive || framing == HTTP_BODY_UNTIL_CLOSE || !http_request_may_drain(request) ||
        http_request_stopping(request))
        reply->close = true;
    if (framing == HTTP_BODY_LENGTH)
        result = bytes_printf(out, "Content-Length: %llu\r\n", (unsigned long long)length);
    else if (framing == HTTP_BODY_CHUNKED)
        result = bytes_append_text(out, "Transfer-Encoding: chunked\r\n");
    if (result < 0 || append_connection(reply, out) < 0 || bytes_append_text(out, "\r\n") < 0)
        return -1;
    reply->framing = framing;
    reply->state = HTTP_REPLY_BEGUN;
    return 0;
}

enum http_framing http_reply_stream_framing(const struct http_reply *reply)
{
    return reply->request->head.minor == 0 ? HTTP_BODY_UNTIL_CLOSE : HTTP_BODY_CHUNKED;
}

/* What the client does not take in time ends the connection. */
static int send_out(struct http_reply *reply, const void *data, size_t length)
{
    struct http_connection *connection = reply->connection;
    if (connection->cut)
        return -1;
    if (stream_send_all(connection->stream, data, length, connection->server->options.body_timeout_ms) == 0)
        return 0;
    connection->cut = true;
    return -1;
}

static int append_head(struct http_reply *reply, struct bytes *out, int status, const char *content_type,
                       enum http_framing framing, size_t length)
{
    if (http_reply_head_begin(reply, out, status, (struct slice){NULL, 0}) < 0)
        return -1;
    if (content_type && find_line(reply, slice_of("Content-Type")).length == 0 &&
        bytes_printf(out, "Content-Type: %s\r\n", content_type) < 0)
        return -1;
    return http_reply_head_end(reply, out, framing, length);
}

int http_reply_send(struct http_reply *reply, int status, const char *content_type, const void *body, size_t length)
{
    struct bytes out = {0};
    bool has_body = http_status_has_body(status);
    bool with_body = has_body && length > 0 && !is_head_request(reply);
    if (reply->state != HTTP_REPLY_NONE)
        return -1;
    int result = append_head(reply, &out, status, content_type, has_body ? HTTP_BODY_LENGTH : HTTP_BODY_NONE, length);
    if (result == 0 && with_body && length <= COALESCE) {
        result = bytes_append(&out, body, length);
        with_body = false;
    }
    if (result == 0)
        result = send_out(reply, bytes_at(&out), bytes_length(&out));
    else
        reply->connection->cut = true;
    if (result == 0 && with_body)
        result = send_out(reply, body, length);
    bytes_free(&out);
    if (result == 0)
        reply->state = HTTP_REPLY_ENDED;
    return result;
}

int http_reply_begin(struct http_reply *reply, int status, const char *content_type)
{
    struct bytes out = {0};
    if (reply->state != HTTP_REPLY_NONE)
        return -1;
    int result = append_head(reply, &out, status, content_type, http_reply_stream_framing(reply), 0);
    if (result == 0)
        result = send_out(reply, bytes_at(&out), bytes_length(&out));
    else
        reply->connection->cut = true;
    bytes_free(&out);
    return result;
}

static int send_chunk(struct http_reply *reply, const void *data, size_t length)
{
    char buffer[COALESCE + 32];
    size_t at = (size_t)snprintf(buffer, 32, "%zx\r\n", length);
    if (length > COALESCE) {
        if (send_out(reply, buffer, at) < 0 || send_out(reply, data, length) < 0)
            return -1;
        return send_out(reply, "\r\n", 2);
    }
    memcpy(buffer + at, data, length);
    memcpy(buffer + at + length, "\r\n", 2);
    return send_out(reply, buffer, at + length + 2);
}

int http_reply_write(struct http_reply *reply, const void *data, size_t length)
{
    if (reply->state != HTTP_REPLY_BEGUN)
        return -1;
    /* A chunk of no length would be the last one. */
    if (length == 0 || is_head_request(reply))
        return reply->connection->cut ? -1 : 0;
    return reply->framing == HTTP_BODY_CHUNKED ? send_chunk(reply, data, length) : send_out(reply, data, length);
}

int http_reply_end(struct http_reply *reply)
{
    if (reply->state != HTTP_REPLY_BEGUN)
        return -1;
    bool last_chunk = reply->framing == HTTP_BODY_CHUNKED && !is_head_request(reply);
    if (last_chunk ? send_out(reply, "0\r\n\r\n", 5) < 0 : reply->connection->cut)
        return -1;
    reply->state = HTTP_REPLY_ENDED;
    return 0;
}

int http_reply_switch(struct http_reply *reply, const char *protocol)
{
    struct bytes out = {0};
    int result = -1;
    if (reply->state != HTTP_REPLY_NONE)
        return -1;
    if (http_reply_head_begin(reply, &out, 101, (struct slice){NULL, 0}) == 0 &&
        bytes_printf(&out, "Connection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol) == 0) {
        reply->state = HTTP_REPLY_BEGUN;
        reply->framing = HTTP_BODY_UNTIL_CLOSE;
        reply->close = true;
        result = send_out(reply, bytes_at(&out), bytes_length(&out));
    }
    bytes_free(&out);
    return result;
}

int http_reply_wait(struct http_reply *reply, int fd, int timeout_ms)
{
    struct http_connection *connection = reply->connection;
    struct deadline deadline = deadline_after(timeout_ms);
    /* A unix socket's POLLHUP tells a client that is gone from one that has only ended its requests; TCP's FIN does
     * not, and is taken for the former. Bytes to read are the next request: not waited for. */
    struct pollfd fds[3] = {
        {.fd = stream_fd(connection->stream), .events = connection->stream->is_unix ? 0 : POLLRDHUP},
        {.fd = connection->server->stop_fd, .events = POLLIN},
        {.fd = fd, .events = POLLIN},
    };
    for (;;) {
        if (connection->cut)
            return -1;
        int ready = poll(fds, 3, deadline_left(deadline));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ready;
        return fds[0].revents || fds[1].revents ? -1 : 1;
    }
}

static int events_of(const struct pollfd fds[3], bool is_unix, bool want_body)
{
    int events = fds[2].revents ? HTTP_WAIT_FD : 0;
    short client = fds[0].revents;
    if (fds[1].revents || (client & (POLLERR | POLLHUP | POLLNVAL)))
        events |= HTTP_WAIT_GONE;
    else if (!is_unix && (client & POLLRDHUP) && !want_body)
        events |= HTTP_WAIT_FIN;
    else if (client && want_body)
        events |= HTTP_WAIT_BODY;
    return events;
}

int http_reply_wait_any(struct http_reply *reply, int fd, int events, int timeout_ms)
{
    struct http_connection *connection = reply->connection;
    struct stream *client = connection->stream;
    struct deadline deadline = deadline_after(timeout_ms);
    bool want_body = (events & HTTP_WAIT_BODY) != 0;
    struct pollfd fds[3] = {
        {.fd = stream_fd(client), .events = want_body ? stream_recv_events(client) : 0},
        {.fd = connection->server->cut_fd, .events = POLLIN},
        {.fd = events & HTTP_WAIT_FD ? fd : -1, .events = POLLIN},
    };
    if ((events & HTTP_WAIT_FIN) && !client->is_unix)
        fds[0].events |= POLLRDHUP;
    for (;;) {
        if (connection->cut)
            return HTTP_WAIT_GONE;
        int ready = poll(fds, 3, deadline_left(deadline));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ready == 0 ? 0 : HTTP_WAIT_GONE;
        int came = events_of(fds, client->is_unix, want_body);
        /* Over TLS a half-close is close_notify; a FIN is the end. */
        return client->ssl && (came & HTTP_WAIT_FIN) ? came | HTTP_WAIT_GONE : came;
    }
}
