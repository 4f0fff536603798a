/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/1.1 server: an acceptor thread a listener, a thread a connection, keep-alive, limits, time-outs, graceful
 * stop. Handlers see requests and replies, never sockets. */
#ifndef COMMON_HTTP_SERVER_H
#define COMMON_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "http_head.h"
#include "tls.h"

struct http_server;
struct http_request;
struct http_reply;

/* Answer the request. 0 when a reply was made; negative: the connection is cut (500 first where nothing was sent). */
typedef int (*http_handler)(struct http_request *request, struct http_reply *reply, void *data);

struct http_server_options {
    http_handler handler;
    void *data;
    int max_connections;       /* 503 beyond; default 10,000 */
    int head_timeout_ms;       /* from the first byte of a head to its last; default 30,000 */
    int idle_timeout_ms;       /* between requests; default 300,000 */
    /* For a body that is read whole, without a byte of one that is passed on, and without a byte of a reply that is
     * written here being taken; default 300,000. */
    int body_timeout_ms;
    int max_body;              /* for http_request_read_all(); default 8 MiB */
    const char *headers[8][2]; /* set on every reply ("Server", …), NULL-ended */
    /* Take clients that begin with HTTP/2's preface: each is a request with method "PRI" and path "*", for a handler
     * that relays it with all that follows (relay.h, switched). Else they are answered 505. */
    bool http2;
};

int http_server_new(struct http_server **ret, const struct http_server_options *options, char **reterr);
/* Bind @p url ("tcp://host:port", "unix:///path"), then accept on a thread of its own. With port 0 the one
 * chosen is in @p ret_url (new text, may be NULL). A unix socket is 0660 from its first moment on. 0, or -1 with text.
 */
int http_server_listen(struct http_server *server, const char *url, const struct tls *tls, char **ret_url,
                       char **reterr);
/* Stop accepting, let requests under way end for grace_ms, then cut them; returns when all threads have ended. */
void http_server_stop(struct http_server *server, int grace_ms);
void http_server_free(struct http_server *server);
/* For handlers that stream: true once http_server_stop() was called. */
bool http_request_stopping(const struct http_request *request);

/* Connections open on all listeners, those that are only told 503 included. */
int http_request_connections(const struct http_request *request);

/* --- request: everything is borrowed until the handler returns --- */
const char *http_request_method(const struct http_request *request);
/* The path as it was sent, still percent-encoded, without the query. */
const char *http_request_path(const struct http_request *request);
/* What follows '?', "" where nothing does. */
const char *http_request_query_string(const struct http_request *request);
/* Decoded value of the first such parameter; NULL where it is missing. */
const char *http_request_query(struct http_request *request, const char *key);
/* The same for a key that may come several times: the value of its number @p index. */
const char *http_request_query_at(struct http_request *request, const char *key, size_t index);
/* Absent, empty, 0, no, false and none are false. */
bool http_request_query_bool(struct http_request *request, const char *key);
const char *http_request_header(struct http_request *request, const char *name);
const struct http_head *http_request_head(const struct http_request *request);
const char *http_request_peer(const struct http_request *request);
/* stream_peer_is_server() */
bool http_request_is_of_server(const struct http_request *request);
/* The whole body; *ret_body is NUL-ended. 0, or the status to answer with (400, 408, 413), *ret_why says why. */
int http_request_read_all(struct http_request *request, const char **ret_body, size_t *ret_length,
                          const char **ret_why);
/* Without waiting: a piece of the body that has come, in place until the next call: its length, 0 at the body's end,
 * -EAGAIN where none has come, or minus the status to answer with, 408 where none has come for too long. */
ssize_t http_request_read_now(struct http_request *request, const char **ret_data, const char **ret_why);
/* Bytes of the body that are still to be read; -1: only its end will tell. */
int64_t http_request_left(const struct http_request *request);
/* Nothing of the body has been taken, or it was read whole: it can be passed on (again). */
bool http_request_is_intact(const struct http_request *request);
/* Percent-decode @p text of @p length to a new string; NULL for a bad escape or NUL. */
char *http_decode(const char *text, size_t length);

/* --- reply --- */
/* One more header; before the reply begins. */
void http_reply_header(struct http_reply *reply, const char *name, const char *value);
/* A whole reply. HEAD sends the head only. */
int http_reply_send(struct http_reply *reply, int status, const char *content_type, const void *body, size_t length);
/* {"message": "…"} with that status. Logs it at error level for 5xx, debug else. */
int http_reply_error(struct http_reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A streamed reply: begin, write…, end. Without end (a handler that fails) the connection is cut, so that the client
 * sees the truncation. begin sends the head at once. */
int http_reply_begin(struct http_reply *reply, int status, const char *content_type);
int http_reply_write(struct http_reply *reply, const void *data, size_t length);
int http_reply_end(struct http_reply *reply);
bool http_reply_begun(const struct http_reply *reply);
/* Of the head that was made for it; 0: none so far. */
int http_reply_status(const struct http_reply *reply);
/* Switch to another protocol: 101 now, and whatever follows on this connection is the relay's (relay.h, switched). */
int http_reply_switch(struct http_reply *reply, const char *protocol);
/* Wait until @p fd (an eventfd, say) can be read: 1; 0 after timeout_ms (-1: for ever); -1 where the client is gone or
 * the server stops. */
int http_reply_wait(struct http_reply *reply, int fd, int timeout_ms);
/* Wait for any of @p events: those that came, 0 after timeout_ms. HTTP_WAIT_GONE always counts: the client has closed,
 * or requests under way are cut as the server stops. */
enum {
    HTTP_WAIT_FD = 1,   /* @p fd can be read */
    HTTP_WAIT_BODY = 2, /* more of the request's body after an -EAGAIN */
    HTTP_WAIT_FIN = 4,  /* a TCP client has closed, or is only done with sending: it may still read */
    HTTP_WAIT_GONE = 8,
};
int http_reply_wait_any(struct http_reply *reply, int fd, int events, int timeout_ms);

#endif
