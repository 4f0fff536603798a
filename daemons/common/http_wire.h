/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges on connections of a loop's own, without curl: HTTP/1.1 in the clear to an address that needs no look-up, as
 * most engines have. They are thousands, each is asked every few seconds and has a stream that is silent for hours; a
 * connection costs some 200 bytes here, a call on a kept one two system calls. TLS, names and bodies that are asked for
 * are curl's. All of it on the loop's thread. */
#ifndef COMMON_HTTP_WIRE_H
#define COMMON_HTTP_WIRE_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "bytes.h"
#include "http_body.h"
#include "http_easy.h"

struct wire;
struct wire_connection;

struct wire_address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
    };
};

/* A request, and what has come of its answer. All zero: nothing to finish. */
struct wire_call {
    struct wire *wire;
    struct wire_connection *connection; /* NULL: not begun, or over */
    struct http_answer *answer;
    void (*done)(struct wire_call *call); /* the answer's result is complete; the call may be gone afterwards */
    struct wire_address address;
    struct bytes request;
    size_t sent;
    bool repeatable; /* it may be sent again where a kept connection turns out to be closed */
    bool fresh;      /* on a new connection: it is asked for, or a kept one has failed it */
    bool to_head;
    bool once;
    bool begun;  /* something of the answer has come */
    bool body;   /* its head is complete */
    bool keep;   /* the connection can be used again */
    bool paused; /* its reader is to get the same piece again later */
    struct http_body framing;
    struct bytes rest; /* of the answer, not used yet */
    struct wire_call *next_resumed;
    bool resumed;
};

/* Its connections are watched with that epoll descriptor; what it puts in their events is odd. NULL for lack of memory.
 */
struct wire *wire_new(int epoll_fd);
void wire_free(struct wire *wire);
/* How many idle connections are kept. */
void wire_keep(struct wire *wire, size_t count);
/* An event with odd data. */
void wire_event(uint64_t data, uint32_t bits);
/* Once a turn of the loop, when nothing else is on: what was resumed goes on, what was closed is let go of. */
void wire_settle(struct wire *wire);
bool wire_has_resumed(const struct wire *wire);

/* Whether that call can be made here. */
bool wire_takes(const struct http_call *call);
/* -1 for lack of memory; wire_call_finish() in any case. The answer stays where it is. */
int wire_call_prepare(struct wire_call *call, struct wire *wire, const struct http_call *from,
                      struct http_answer *answer, void (*done)(struct wire_call *call));
/* done() may come before it returns. */
void wire_call_start(struct wire_call *call);
/* Where it is under way: it connects still. */
bool wire_call_is_connecting(const struct wire_call *call);
/* Ends it without done(). */
void wire_call_finish(struct wire_call *call);
/* Go on with what said HTTP_LATER: soon. */
void wire_call_resume(struct wire_call *call);

#endif
