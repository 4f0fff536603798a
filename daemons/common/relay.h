/* SPDX-License-Identifier: Apache-2.0 */
/* Passes a client's request on to an engine and the answer back, in constant memory, both ways at once: one bounded
 * buffer a direction, back-pressure, half-close, disconnects noticed. Hijacks on 101, and on 200 without a length to a
 * request that may be upgraded (attach, exec start): from then on raw bytes, both ways, with half-close. */
#ifndef COMMON_RELAY_H
#define COMMON_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "http_server.h"
#include "stream.h"

struct relay_options {
    const char *method; /* NULL: the client's */
    const char *target; /* request target for the engine: path and query */
    const char *host;   /* Host header */
    const char *extra;  /* header lines of our own, each with its end; NULL: none */
    /* Headers of the client's request that are not passed on, NULL-ended; NULL: all are. */
    const char *const *drop_request_headers;
    const void *body; /* a body in place of the client's, NULL: pass the client's on */
    size_t body_length;
    int answer_timeout_ms; /* from now until the head of the answer has come; 0: for ever */
    bool may_hijack;       /* attach, exec start, session: raw stream on 101, or on 200 without a length */
    /* The client takes the connection as switched to this protocol already: the engine is asked to switch to it, its
     * 101 is not passed on, and any other answer is a failure. With may_hijack; NULL: not so. */
    const char *switched;
    /* Headers of the engine's answer that are not passed on (the server sets its own), NULL-ended; NULL: none. */
    const char *const *drop_headers;
    /* Asked about once a second while the head of the answer has not come, and after it (@p begun) each time that
     * nothing came for begun_pause_ms: a new text that says why no more is waited for, NULL: it is. NULL: not asked. */
    char *(*give_up)(void *data, bool begun);
    int begun_pause_ms; /* 0: 10,000 */
    bool ask_always;    /* each begun_pause_ms, whether or not something came */
    /* Called before the answer's last bytes are passed to the client, so that what the client does next sees what the
     * request changed; not for hijacks. NULL: not called. */
    void (*finishing)(void *data, int status);
    void *data; /* of both */
    /* Take the whole answer instead of passing it on (an inspect to edit): it is stored here, up to
     * capture_limit bytes, and nothing is sent to the client. NULL: pass on. */
    char **capture;
    size_t *capture_length;
    size_t capture_limit;
};

struct relay_outcome {
    int status;        /* of the engine's answer, 0 where none came */
    bool answered;     /* something was sent to the client */
    bool reusable;     /* the engine's connection can be used for another request */
    bool body_touched; /* part of the client's body was taken: not to be tried again elsewhere */
    bool client_gone;
    char error[256]; /* engine failed: text, empty where it did not */
};

/* 0 when the exchange ended as it should; -1 with outcome->error when the engine failed, -1 with client_gone when the
 * client did. Where !answered the caller answers. */
int relay_exchange(struct http_request *request, struct http_reply *reply, struct stream *engine,
                   const struct relay_options *options, struct relay_outcome *outcome);

#endif
