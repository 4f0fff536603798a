/* SPDX-License-Identifier: Apache-2.0 */
/* Request/response calls: engines, stores; with libcurl, and over the wire (http_wire.h). Two ways: a blocking call,
 * and a loop that runs any number of exchanges, streams and timers on one thread. */
#ifndef COMMON_HTTP_CLIENT_H
#define COMMON_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls.h"

/* Answers of callbacks that cannot go on now: they are called again after http_exchange_resume(). Loops only. */
#define HTTP_LATER 2

struct http_call {
    const char *method;         /* NULL: GET */
    const char *url;            /* "http://…", "https://…" */
    const char *unix_path;      /* dial this socket instead; NULL: TCP */
    const char *const *headers; /* "Name: value", NULL-ended; NULL: none */
    const void *body;           /* NULL: none. Copied by http_loop_start() */
    size_t body_length;
    /* Loops only, in place of body: up to @p size bytes of it into @p buffer as they are wanted; 0 at its end,
     * -HTTP_LATER where there are none yet, -1 to end the call. NULL: not used. */
    ssize_t (*read)(void *data, char *buffer, size_t size);
    int64_t read_length;    /* bytes that it will give; -1: unknown */
    bool bulk;              /* loops: a long answer is expected, so that a large buffer pays */
    const struct tls *tls;  /* for https */
    int connect_timeout_ms; /* 0: 10,000 */
    int timeout_ms;         /* of the whole call; 0: none (streams) */
    bool fresh;             /* loops: the connection is made for it */
    bool once;              /* loops: the connection is closed after it */
    int silence_timeout_ms; /* without a byte, also before the first; 0: none. Blocking calls notice within a second */
    /* Blocking calls only: asked about once a second while nothing comes; true: the call ends, HTTP_CANCELLED. NULL:
     * not asked. */
    bool (*give_up)(void *data);
    void *give_up_data;
    size_t max_response; /* 0: 256 MiB; of what is collected, not of what goes to on_data */
};

enum http_failure {
    HTTP_OK = 0,    /* there is an answer, of whatever status */
    HTTP_REFUSED,   /* nobody listens: refused, reset while connecting, no route, no such host */
    HTTP_TIMEOUT,   /* connected or not, no answer in time */
    HTTP_BROKEN,    /* closed in the middle, TLS or protocol trouble */
    HTTP_CANCELLED, /* on_data or give_up ended it */
    HTTP_NO_SOCKET, /* no descriptor or memory left here: says nothing of the other end */
};

struct http_result {
    enum http_failure failure;
    int status;
    char *body; /* NUL-ended, owned */
    size_t length;
    char api_version[16];    /* header Api-Version, "" where missing */
    char builder_version[8]; /* header Builder-Version */
    char peer_ip[46];        /* address that the call went to, "" where none is known */
    char index[24];          /* header X-Etcd-Index or X-Consul-Index */
    int os_error;            /* errno of a connection that could not be made, 0 where none is known */
    char error[256];         /* text where failure is not HTTP_OK */
};
void http_result_clear(struct http_result *result);

/* Once a process, before threads. */
int http_client_global_init(void);

/* A set of connections that blocking calls share; any thread. */
struct http_client;
int http_client_new(struct http_client **ret);
void http_client_free(struct http_client *client);
/* result is filled in any case, clear it afterwards. 0 where failure is HTTP_OK, else -1. */
int http_client_call(struct http_client *client, const struct http_call *call, struct http_result *result);

/* Exchanges, streams and timers on one thread: all callbacks run on it. */
struct http_loop;
struct http_exchange;
struct http_timer;
int http_loop_new(struct http_loop **ret);
/* How many idle connections it keeps, 256 at first; on its thread, or before it runs. */
void http_loop_keep(struct http_loop *loop, size_t count);
/* Run until http_loop_stop(), also one that came before; then what was posted runs, and every exchange and timer is
 * dropped without a callback. */
void http_loop_run(struct http_loop *loop);
void http_loop_stop(struct http_loop *loop); /* any thread */
void http_loop_free(struct http_loop *loop);
/* In place of http_loop_run(), for a thread that waits for other things too: a descriptor that can be read when there
 * is something to do, the milliseconds until there is anyway (-1: never), and to do it, without waiting. */
int http_loop_fd(const struct http_loop *loop);
int http_loop_wait_ms(const struct http_loop *loop);
void http_loop_step(struct http_loop *loop);
/* Run @p fn on the loop's thread soon; any thread. -1 for lack of memory or where the loop has ended: then @p fn never
 * runs. */
int http_loop_post(struct http_loop *loop, void (*fn)(void *data), void *data);

/* The rest: on the loop's thread only (or before it runs). Any of it may be called from any callback. */
/* @p on_data: each piece of a 2xx answer as it comes; NULL: collected in the result. Return HTTP_LATER to get the same
 * piece again later, any other number but 0 to end it. @p data is that of the call's read(), too.
 * @p on_done: once, with the result (borrowed; steal body by setting it to NULL); never after a cancel, never from
 * within this call. The exchange is gone when on_done returns. NULL for lack of memory. */
struct http_exchange *http_loop_start(struct http_loop *loop, const struct http_call *call,
                                      int (*on_data)(void *data, const char *bytes, size_t length),
                                      void (*on_done)(void *data, struct http_result *result), void *data);
/* No callback comes after this, and the pointer is dead. NULL is fine. */
void http_exchange_cancel(struct http_exchange *exchange);
/* Go on with what said HTTP_LATER. Not from a callback of the same exchange. */
void http_exchange_resume(struct http_exchange *exchange);
/* Runs @p fn once. The timer is gone when @p fn returns. NULL for lack of memory. */
struct http_timer *http_loop_timer(struct http_loop *loop, int64_t after_ms, void (*fn)(void *data), void *data);
void http_timer_cancel(struct http_timer *timer);
/* Milliseconds of the monotonic clock. */
int64_t monotonic_ms(void);

#endif
