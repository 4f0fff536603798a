/* SPDX-License-Identifier: Apache-2.0 */
/* The fake engines' side of HTTP/1.1: one thread, one epoll, any number of listeners and connections. Answers are
 * framed as dockerd frames them: with a length where they are short, else in chunks. */
#ifndef TESTS_KIT_FAKE_HTTP_H
#define TESTS_KIT_FAKE_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "http_body.h"
#include "timer_heap.h"

struct fake_connection;
struct fake_engine;
struct fake_loop;

/* --- loop --- */

struct fake_loop *fake_loop_new(void);
void fake_loop_free(struct fake_loop *loop);
/* Until fake_loop_stop(), which a signal handler may call. */
void fake_loop_run(struct fake_loop *loop);
void fake_loop_stop(struct fake_loop *loop);

/* A timer is zero before it is first set, and set again by being set. */
void fake_timer_set(struct fake_loop *loop, struct http_timer *timer, int64_t after_ms, void (*fn)(void *data),
                    void *data);
void fake_timer_clear(struct fake_loop *loop, struct http_timer *timer);

/* --- listeners --- */

typedef void (*fake_handler)(struct fake_connection *connection);

/* What is registered with the loop's epoll. */
struct fake_source {
    int fd; /* -1: none */
    void (*ready)(struct fake_source *source, unsigned events);
};

struct fake_listener {
    struct fake_source source; /* first */
    struct fake_loop *loop;
    struct sockaddr_in address;
    struct fake_engine *engine; /* NULL: the control's */
    fake_handler handler;
    struct fake_connection *connections;
    size_t connection_count;
    uint64_t accepted, requests;
    bool silent;
};

/* 0, or an errno value. */
int fake_listener_open(struct fake_listener *listener);
void fake_listener_close(struct fake_listener *listener);
/* Accepts no more, reads and writes nothing: as a process that is stopped; the kernel still takes connections. */
void fake_listener_silence(struct fake_listener *listener, bool silent);
/* Ends all its connections, by a reset. */
void fake_listener_reset(struct fake_listener *listener);

/* --- connections --- */

struct fake_request {
    char *method;
    char *path;        /* decoded, without version and query */
    char *query;       /* "" where there is none */
    char version[16];  /* "1.41"; "" where none was asked for */
    bool upgrade;      /* to tcp */
    bool json;         /* Content-Type is that of JSON */
    bool has_type;     /* there is a Content-Type */
    struct bytes body; /* NUL behind it; at most FAKE_BODY_MAX of it are kept */
    uint64_t body_length;
};
#define FAKE_BODY_MAX (1u << 20)

enum fake_stage { FAKE_READING, FAKE_PARKED, FAKE_STREAMING, FAKE_HIJACKED };

struct fake_connection {
    struct fake_source source; /* first */
    struct fake_listener *listener;
    struct fake_engine *engine;
    struct fake_connection *next, **link; /* of the listener */
    enum fake_stage stage;
    struct bytes in, out;
    size_t answer_begin; /* unsent bytes before the answer */
    bool held;           /* nothing is sent, until the timer */
    bool closing;        /* ends when all is sent */
    bool cut;            /* and by a reset */
    bool to_head, keep_alive, ended_input, in_body, wants_out;
    struct fake_request request;
    struct http_timer timer;
    /* Who has the connection while it is parked, streaming or hijacked. */
    void (*on_input)(struct fake_connection *connection, const char *data, size_t length); /* length 0: the end */
    void (*on_close)(struct fake_connection *connection);
    void *owner;
    struct http_body body; /* that is being read */
    struct fake_connection *next_dirty, *next_dead;
    bool dirty;
};

/* The whole answer. @p type NULL: no body. */
void fake_answer(struct fake_connection *connection, int status, const char *type, const void *body, size_t length);
void fake_answer_json(struct fake_connection *connection, int status, const struct bytes *body);
/* {"message": …} */
void fake_answer_error(struct fake_connection *connection, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* With @p extra header lines (each ends with CRLF). */
void fake_answer_with(struct fake_connection *connection, int status, const char *extra, const char *type,
                      const void *body, size_t length);

/* The answer comes later, by one of the above. */
void fake_park(struct fake_connection *connection);

/* An answer in pieces, each a chunk. @p type NULL: none is named. */
void fake_stream_begin(struct fake_connection *connection, const char *type);
void fake_stream_write(struct fake_connection *connection, const void *data, size_t length);
void fake_stream_end(struct fake_connection *connection);

/* A raw stream both ways: 101 where the client asked for an upgrade, else 200. @p headers_of_api: as for exec. */
void fake_hijack(struct fake_connection *connection, bool headers_of_api);
void fake_write(struct fake_connection *connection, const void *data, size_t length);
/* Close it when all is sent. */
void fake_finish(struct fake_connection *connection);
void fake_reset(struct fake_connection *connection);

/* --- for the loop --- */

struct fake_connection *fake_connection_new(struct fake_listener *listener, int fd);
/* It is told of as closed, and freed when the loop has come round. */
void fake_connection_destroy(struct fake_connection *connection);
void fake_connection_ready(struct fake_source *source, unsigned events);
/* Send what there is; ends it where that is due. */
void fake_connection_flush(struct fake_connection *connection);
/* Go on with the requests that have come. */
void fake_connection_process(struct fake_connection *connection);
/* Something is to be sent. */
void fake_loop_dirty(struct fake_loop *loop, struct fake_connection *connection);
void fake_loop_bury(struct fake_loop *loop, struct fake_connection *connection);
/* Watch for these events, none: for nothing. */
void fake_loop_watch(struct fake_loop *loop, struct fake_source *source, unsigned events, bool is_new);
void fake_loop_unwatch(struct fake_loop *loop, struct fake_source *source);

#endif
