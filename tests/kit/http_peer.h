/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of HTTP for tests: a server on raw sockets of loopback, a thread a connection. It keeps what it is
 * asked, answers what the test says, and misbehaves on command. Any thread; what it cannot do ends the program. */
#ifndef TESTS_KIT_HTTP_PEER_H
#define TESTS_KIT_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct http_peer;

/* A request, borrowed for the call. */
struct peer_request {
    char method[16];
    char path[256];   /* without the query */
    char query[512];  /* without '?'; "" where there is none */
    const char *text; /* all of it, as it came */
    const char *body; /* NUL-ended */
    size_t body_length;
};

/* Made of zeros: an empty answer of 200. */
struct peer_answer {
    int status;          /* 0: 200 */
    const char *headers; /* "Name: value\r\n…", borrowed as long as the peer; NULL: none but Content-Length */
    char *body;          /* from malloc(); the peer frees it. NULL: "" */
    size_t body_length;  /* 0: that of its text */
    int delay_ms;        /* before it */
    bool none;           /* there is no answer; the connection stays */
    bool stream;         /* no Content-Length: the connection stays, and http_peer_send() adds to the answer */
    int repeat_ms;       /* of a stream: its body comes again that often until the client leaves; 0: once */
};

/* Fill @p answer, which is all zeros. Called with the peer's lock held: it must not wait. */
typedef void peer_answer_fn(void *data, const struct peer_request *request, struct peer_answer *answer);

enum peer_fault {
    PEER_WELL,
    PEER_SILENT,  /* reads requests and never answers; open streams stay */
    PEER_CLOSE,   /* closes every connection instead of answering */
    PEER_STALE,   /* closes a connection at the second request on it instead of answering that */
    PEER_CUT,     /* closes in the middle of every answer's body */
    PEER_GARBAGE, /* answers no HTTP, and closes */
};

/* Listens on a port of 127.0.0.1. Where @p answer is NULL, http_peer_set_answer() says it. */
struct http_peer *http_peer_new(peer_answer_fn *answer, void *data);
void http_peer_free(struct http_peer *peer);
/* "127.0.0.1:PORT". */
const char *http_peer_address(const struct http_peer *peer);
/* "http://127.0.0.1:PORT" + path into a buffer of the peer's; each call overwrites the last. */
const char *http_peer_url(struct http_peer *peer, const char *path);

/* As if its process were killed: connections are refused, those that were open end. And started again, on the same
 * port, which stays its own meanwhile. */
void http_peer_kill(struct http_peer *peer);
void http_peer_revive(struct http_peer *peer);
/* From the next request on. */
void http_peer_set_fault(struct http_peer *peer, enum peer_fault fault);
/* The same answer to all requests from the next on; @p headers as in struct peer_answer, @p body is copied. */
void http_peer_set_answer(struct http_peer *peer, int status, const char *headers, const char *body);

/* Bytes to every open stream, in one piece; end them, and only those; how many there are. */
void http_peer_send(struct http_peer *peer, const char *bytes);
void http_peer_cut_streams(struct http_peer *peer);
int http_peer_streams(struct http_peer *peer);

/* Connections accepted so far. */
int http_peer_accepted(struct http_peer *peer);
/* Requests so far whose first line ("GET /path HTTP/1.1") contains @p part. */
int http_peer_count(struct http_peer *peer, const char *part);
/* The last of them, head and body; borrowed as long as the peer, NULL: there was none. */
const char *http_peer_last(struct http_peer *peer, const char *part);

/* For what @p answer looks at and the test changes: a request counts and is answered as one step under this lock. */
void http_peer_lock(struct http_peer *peer);
void http_peer_unlock(struct http_peer *peer);

#endif
