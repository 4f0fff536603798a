/* SPDX-License-Identifier: Apache-2.0 */
/* The loop (http_loop.c) and its exchanges (http_exchange.c). */
#ifndef COMMON_HTTP_LOOP_INTERNAL_H
#define COMMON_HTTP_LOOP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "http_easy.h"
#include "http_wire.h"
#include "timer_heap.h"

enum exchange_state { EXCHANGE_STARTING, EXCHANGE_RUNNING, EXCHANGE_CANCELLED, EXCHANGE_DONE };

struct http_exchange {
    struct http_loop *loop;
    struct http_exchange *previous, *next; /* in the list of its state */
    enum exchange_state state;
    bool added; /* to the multi handle */
    bool malformed;
    struct wire_call wire;
    CURL *easy; /* NULL: over the wire */
    void *body;
    struct http_answer answer;
    struct http_timer silence;
    struct http_timer deadline; /* over the wire; of the connection, then of the whole */
    int64_t started_ms;
    int connect_timeout_ms, timeout_ms;
    int (*on_data)(void *data, const char *bytes, size_t length);
    ssize_t (*read)(void *data, char *buffer, size_t size);
    void (*on_done)(void *data, struct http_result *result);
    void *data;
};

struct exchange_list {
    struct http_exchange *first, *last;
};

struct post {
    struct post *next;
    void (*fn)(void *data);
    void *data;
};

struct http_loop {
    CURLM *multi;
    struct wire *wire;
    int epoll_fd, wake_fd;
    int64_t curl_due_ms; /* when curl wants to be called, -1: not */
    struct timer_heap timers;
    struct http_spare spare;
    struct exchange_list lists[3]; /* by state, but for done */
    long running, idle_limit;
    atomic_bool stopped;
    pthread_mutex_t lock; /* of what is below */
    struct post *posts, **posts_end;
    bool ended;
};

/* curl has ended it. */
void exchange_finish(struct http_exchange *exchange, CURLcode code);
/* Those that wait to be started are. */
void exchanges_start(struct http_loop *loop);
/* Those in that state are let go of, without a word. */
void exchanges_drop(struct http_loop *loop, enum exchange_state state);
/* One more of curl's runs, or one less. */
void loop_count_running(struct http_loop *loop, long change);

#endif
