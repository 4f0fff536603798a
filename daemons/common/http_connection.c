/* SPDX-License-Identifier: Apache-2.0 */
/* One connection from its first byte to its last: requests one after another, each answered before the next is read. */
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "log.h"

#define LINGER_TIME_MS 2000
#define LINGER_BYTES (1024 * 1024)
#define KEPT_BUFFER (16 * 1024) /* an idle connection keeps no larger one */

/* Closing a socket with unread bytes resets it, and the reset can overtake our reply. So end our side, and read on for
 * a while. */
static void linger(struct http_connection *connection)
{
    struct deadline deadline = deadline_after(LINGER_TIME_MS);
    char buffer[4096];
    size_t read = 0;
    if (stream_shutdown_write(connection->stream) < 0)
        return;
    while (read < LINGER_BYTES) {
        ssize_t got = stream_recv_wait(connection->stream, buffer, sizeof buffer, deadline_left(deadline));
        if (got <= 0)
            return;
        read += (size_t)got;
    }
}

/* Make good for a handler that gave up, or that did not answer. True where the connection can go on. */
static bool settle(struct http_reply *reply, int result)
{
    if (reply->connection->cut && reply->state == HTTP_REPLY_NONE)
        return false;
    if (reply->state == HTTP_REPLY_NONE) {
        reply->close = reply->close || result < 0;
        if (http_reply_error(reply, 500, "the request could not be answered") < 0)
            return false;
    }
    if (reply->state == HTTP_REPLY_BEGUN) {
        /* Chunks and lengths show that the end is missing; a body that ends with the connection does not. */
        reply->connection->cut = true;
        reply->connection->reset = reply->framing == HTTP_BODY_UNTIL_CLOSE;
    }
    return !reply->connection->cut && !reply->close;
}

static int answer(struct http_connection *connection, struct http_request *request, struct http_reply *reply)
{
    const struct http_server_options *options = &connection->server->options;
    if (connection->refused) {
        reply->close = true;
        return http_reply_error(reply, 503, "too many connections: %d are open", options->max_connections);
    }
    return options->handler(request, reply, options->data);
}

/* Somebody takes us for a server with TLS: who looks after this one is told, the client understands no answer. */
static void note_tls(const struct http_connection *connection)
{
    static const char record[] = {0x16, 0x03}; /* a handshake, of any version in use */
    const char *came = bytes_at(&connection->in);
    if (!connection->tls && bytes_length(&connection->in) >= sizeof record && memcmp(came, record, sizeof record) == 0)
        log_info_with(LOG_FIELDS({"peer", stream_peer(connection->stream)}),
                      "TLS handshake failed: this address serves HTTP without TLS");
}

/* The head could not be made out: neither can anything after it. */
static void refuse(struct http_request *request, struct http_reply *reply, int status, const char *why)
{
    memset(&request->head, 0, sizeof request->head);
    request->head.minor = 1;
    request->head.method = (struct slice){"", 0};
    request->method = request->path = NULL;
    request->body_failed = true;
    reply->close = true;
    http_reply_error(reply, status, "%s", why);
}

/* One request. False where the connection is to end. */
static bool serve_request(struct http_connection *connection)
{
    struct http_request request = {.connection = connection};
    struct http_reply reply;
    const char *why = "";
    http_reply_init(&reply, &request);
    int status = http_request_read_head(&request, &why);
    if (status < 0) {
        http_request_finish(&request);
        return false;
    }
    bool go_on = false;
    if (status > 0) {
        note_tls(connection);
        refuse(&request, &reply, status, why);
    } else {
        go_on = settle(&reply, answer(connection, &request, &reply));
    }
    if (go_on)
        go_on = http_request_drain(&request);
    if (!go_on && !connection->cut && (connection->talks || !request.body.done || bytes_length(&connection->in) > 0))
        linger(connection);
    http_reply_finish(&reply);
    http_request_finish(&request);
    if (bytes_length(&connection->in) == 0 && connection->in.size > KEPT_BUFFER)
        bytes_free(&connection->in);
    return go_on;
}

/* The handshake is the connection's own business: a slow one holds up nobody else. */
static int begin(struct http_connection *connection)
{
    const struct http_server_options *options = &connection->server->options;
    char *why = NULL;
    if (!connection->tls)
        return 0;
    int time_ms = connection->refused ? HTTP_REFUSAL_TIME_MS : options->head_timeout_ms;
    if (stream_start_tls(connection->stream, connection->tls, true, NULL, deadline_after(time_ms), &why) == 0)
        return 0;
    log_info_with(LOG_FIELDS({"peer", stream_peer(connection->stream)}), "TLS handshake failed: %s",
                  why ? why : "out of memory");
    free(why);
    return -1;
}

void http_connection_serve(struct http_connection *connection)
{
    if (begin(connection) < 0)
        return;
    while (serve_request(connection))
        continue;
}
