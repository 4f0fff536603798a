/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange under way: the state that its two directions share. Both are driven by one poll() loop on one thread; a
 * step does what can be done without waiting. */
#ifndef COMMON_RELAY_INTERNAL_H
#define COMMON_RELAY_INTERNAL_H

#include "http_internal.h"
#include "relay.h"

#define RELAY_BUFFER BYTES_PAGES        /* what a direction holds before it stops reading */
#define RELAY_FIRST ((size_t)16 * 1024) /* the same where little comes at once */

/* Of a hijack whose engine has ended: for the client to end too, without it sending anything. */
#define RELAY_FINISH_TIME_MS 2000
/* Of a TCP client that sent a FIN: without a byte from the engine. */
#define RELAY_FIN_TIME_MS 3000
/* Without a byte in either direction: buffers are given back. */
#define RELAY_REST_TIME_MS 1000
/* Between two questions whether the answer's head is worth waiting for, or its rest. */
#define RELAY_ASK_TIME_MS 1000
#define RELAY_ASK_BEGUN_TIME_MS 10000

/* What a step did. */
enum relay_step { RELAY_OVER = -1, RELAY_IDLE = 0, RELAY_MOVED = 1 };

struct relay_side {
    struct stream *stream;
    bool recv_blocked; /* there was nothing to read: poll first */
    bool send_blocked;
    bool busy;  /* there was more to read than RELAY_FIRST */
    bool ended; /* the peer sends no more */
};

enum relay_upload {
    UPLOAD_HEAD, /* the request's head is on its way */
    UPLOAD_BODY,
    UPLOAD_DONE, /* all of the request is in to_engine */
    UPLOAD_RAW,  /* hijacked */
    UPLOAD_ENDED,
};

enum relay_download {
    DOWNLOAD_HEAD, /* the answer's head has not come */
    DOWNLOAD_BODY,
    DOWNLOAD_RAW,
    DOWNLOAD_ENDED, /* all of the answer is in to_client */
};

struct relay {
    struct http_request *request;
    struct http_reply *reply;
    const struct relay_options *options;
    struct relay_outcome *outcome;
    struct relay_side client;
    struct relay_side engine;
    struct bytes to_engine;
    struct bytes to_client;
    struct bytes from_engine; /* what comes from the client is in the connection's buffer */
    size_t head_seen;         /* bytes of from_engine that were looked at for a head */
    enum relay_upload upload;
    enum relay_download download;
    bool hijacked;

    bool own_body; /* the request's body is in memory, the client's is not passed on */
    const char *body;
    size_t body_left;
    bool chunked; /* the body goes to the engine in chunks */
    bool bad_body;
    bool slow_body;

    struct http_body answer;
    bool answer_keep_alive;
    bool to_head; /* the engine was asked with HEAD */
    int interim;  /* 1xx answers so far */
    struct bytes captured;

    bool resting;        /* nothing moves, and no memory is held for it */
    bool client_hung_up; /* closed both ways, as far as its socket can tell */
    bool client_fin;     /* TCP's FIN: closed, or only done with sending */
    struct deadline client_until;
    struct deadline finish_until; /* of a hijack whose engine has ended */
    struct deadline answer_until; /* for the answer's head */
    struct deadline ask_at;       /* whether it, or its rest, is worth waiting for */
    bool heard;                   /* the engine said something since the last question */
    struct deadline body_until;   /* for the client's body to go on */
};

/* Note why the engine failed. What was received before still goes to the client. */
int relay_fail(struct relay *relay, const char *format, ...) __attribute__((format(printf, 2, 3)));
int relay_fail_stream(struct relay *relay, const char *doing, ssize_t result);
int relay_client_gone(struct relay *relay);
int relay_out_of_memory(struct relay *relay);

/* Append @p data as it is, or as a chunk. */
int relay_append(struct bytes *out, const char *data, size_t length, bool chunked);
/* Send what can be sent. RELAY_MOVED, RELAY_IDLE, or a negative errno in *ret_error and RELAY_OVER. */
int relay_flush(struct relay_side *side, struct bytes *out, ssize_t *ret_error);
/* Receive up to RELAY_BUFFER behind what @p in holds: bytes, 0 at the end (side->ended is set), STREAM_AGAIN or another
 * negative errno. */
ssize_t relay_receive(struct relay_side *side, struct bytes *in);

/* Whether a header concerns this connection only, or is made anew for the next. */
bool relay_is_hop_header(const struct http_head *head, struct slice name);

/* --- relay_request.c --- */
/* Fill to_engine with the request's head. 0, or -1 with the outcome's error. */
int relay_write_request(struct relay *relay);
int relay_upload_step(struct relay *relay);
bool relay_wants_client(const struct relay *relay);

/* --- relay_answer.c --- */
int relay_download_step(struct relay *relay);
bool relay_wants_engine(const struct relay *relay);

#endif
