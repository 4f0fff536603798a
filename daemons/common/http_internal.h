/* SPDX-License-Identifier: Apache-2.0 */
/* What the server's files and the relay share: connections, and the insides of requests and replies. */
#ifndef COMMON_HTTP_INTERNAL_H
#define COMMON_HTTP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "bytes.h"
#include "http_body.h"
#include "http_head.h"
#include "http_server.h"
#include "stream_internal.h"

#define HTTP_REFUSAL_TIME_MS 5000 /* for handshake and request of a connection that is only told 503 */

struct http_listener;

struct http_server {
    struct http_server_options options;
    struct http_listener *listeners; /* before the first thread and after the last only, else under the lock */
    int stop_fd;                     /* eventfd: readable once the server stops; never read */
    int cut_fd;                      /* the same once requests under way are cut */
    atomic_bool stopping;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    struct http_connection *first;
    int live;     /* connection threads, those that refuse included */
    int refusing; /* of them, those that only answer 503 */
    bool has_last;
    pthread_t last; /* the thread that ended last: each joins the one before it */
};

struct http_connection {
    struct http_server *server;
    struct http_connection *next; /* in the server's list, under its lock */
    struct http_connection *previous;
    const struct tls *tls; /* NULL: plain */
    struct stream *stream;
    struct bytes in; /* read from the client, not yet used */
    bool refused;    /* beyond the limit: answer 503 */
    bool cut;        /* nothing more can be said: it just ends */
    bool talks;      /* a hijacked client may still be sending when it ends */
    bool reset;      /* by a reset, so that this is not taken for a proper end */
    char date[40];   /* the header's value … */
    time_t date_of;  /* … at this time */
};

struct http_parameter {
    struct http_parameter *next;
    char *key;
    char *value;
};

struct http_request {
    struct http_connection *connection;
    struct http_head head;
    char *text; /* the head's bytes, each header's value NUL-ended, then path and query as texts */
    const char *method;
    const char *path;
    const char *query;
    struct http_parameter *parameters;
    bool parameters_read;
    struct http_body body;
    bool continue_due;     /* the client waits for 100 Continue */
    bool body_touched;     /* content was taken */
    int64_t body_until_ms; /* monotonic, for more of it where nobody waits for it here; 0: nothing is awaited */
    bool body_failed;      /* broken framing, time-out or early end: the connection is of no further use */
    struct bytes whole;
    bool whole_read;
};

enum http_reply_state { HTTP_REPLY_NONE, HTTP_REPLY_BEGUN, HTTP_REPLY_ENDED };

struct http_reply {
    struct http_request *request;
    struct http_connection *connection;
    struct bytes headers; /* lines that the handler set */
    bool out_of_memory;
    enum http_reply_state state;
    int status; /* of the head */
    enum http_framing framing;
    bool close; /* the connection ends with this reply */
};

/* --- http_connection.c --- */
/* Everything from the handshake to the last reply; the stream is left for the caller to close. */
void http_connection_serve(struct http_connection *connection);

/* --- http_read.c --- */
/* Wait for a request and read its head. 0, a status to refuse it with (*ret_why says why), or -1: there is no request
 * and nobody to tell. */
int http_request_read_head(struct http_request *request, const char **ret_why);
/* Parsing a head begins from the front each time, so try only when another line may be complete: false where it is not.
 * @p seen: 0 at first, kept by the caller. */
bool http_head_worth_parsing(const struct bytes *in, size_t *seen);
/* The next piece of the body's content, in place until the next call: its length, 0 at the end, or minus the status to
 * answer with. Sends 100 Continue when it is due. */
ssize_t http_request_read(struct http_request *request, int timeout_ms, const char **ret_data, const char **ret_why);
/* Whether what is left of the body can likely be read away, so that the connection stays of use. */
bool http_request_may_drain(const struct http_request *request);
/* Read it away. False where that takes too much. */
bool http_request_drain(struct http_request *request);
void http_request_finish(struct http_request *request);

/* --- http_reply.c --- */
void http_reply_init(struct http_reply *reply, struct http_request *request);
void http_reply_finish(struct http_reply *reply);
/* A head in parts: status line, Date, the server's and the handler's headers … */
int http_reply_head_begin(struct http_reply *reply, struct bytes *out, int status, struct slice reason);
/* … more lines by the caller, then the headers of framing and connection, and the empty line. Sets reply->framing and
 * reply->close; the reply has begun. @p length is for HTTP_BODY_LENGTH. */
int http_reply_head_end(struct http_reply *reply, struct bytes *out, enum http_framing framing, uint64_t length);
/* "name: value" as a line at the end of @p out. 0, or -1 for lack of memory. */
int http_append_header(struct bytes *out, struct slice name, struct slice value);
/* True where server or handler set that header themselves. */
bool http_reply_has_header(const struct http_reply *reply, struct slice name);
/* How a streamed body reaches this client: in chunks, or until the close for HTTP/1.0. */
enum http_framing http_reply_stream_framing(const struct http_reply *reply);
bool http_status_has_body(int status);

#endif
