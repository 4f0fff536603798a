/* SPDX-License-Identifier: Apache-2.0 */
/* curl's socket interface on epoll: an idle stream costs nothing, whatever the number of streams. curl forbids most
 * calls from within its callbacks; so http_loop_start() and http_exchange_cancel() only queue, and the loop acts
 * between. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "http_easy.h"
#include "timer_heap.h"

enum { IDLE_CONNECTIONS = 256, EVENTS_A_TURN = 256, STREAM_BUFFER = 4096, BULK_BUFFER = 128 * 1024 };

enum exchange_state { EXCHANGE_STARTING, EXCHANGE_RUNNING, EXCHANGE_CANCELLED, EXCHANGE_DONE };

struct http_exchange {
    struct http_loop *loop;
    struct http_exchange *previous, *next; /* in the list of its state */
    enum exchange_state state;
    bool added; /* to the multi handle */
    bool malformed;
    CURL *easy;
    void *body;
    struct http_answer answer;
    struct http_timer silence;
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
    int epoll_fd, wake_fd;
    int64_t curl_due_ms; /* when curl wants to be called, -1: not */
    struct timer_heap timers;
    struct exchange_list lists[3]; /* by state, but for done */
    long running, idle_limit;
    atomic_bool stopped;
    pthread_mutex_t lock; /* of what is below */
    struct post *posts, **posts_end;
    bool ended;
};

static void list_append(struct http_exchange *exchange, enum exchange_state state)
{
    struct exchange_list *list = &exchange->loop->lists[state];
    exchange->state = state;
    exchange->next = NULL;
    exchange->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = exchange;
    list->last = exchange;
}

static void list_remove(struct http_exchange *exchange)
{
    struct exchange_list *list = &exchange->loop->lists[exchange->state];
    *(exchange->previous ? &exchange->previous->next : &list->first) = exchange->next;
    *(exchange->next ? &exchange->next->previous : &list->last) = exchange->previous;
}

/* curl tells which sockets to watch. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct http_loop *loop = data;
    struct epoll_event event = {.data.fd = fd};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    if (epoll_ctl(loop->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0 &&
        epoll_ctl(loop->epoll_fd, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0)
        return -1;
    curl_multi_assign(loop->multi, fd, loop);
    return 0;
}

/* curl tells when it wants to be called. */
static int on_curl_timer(CURLM *multi, long after_ms, void *data)
{
    struct http_loop *loop = data;
    (void)multi;
    loop->curl_due_ms = after_ms < 0 ? -1 : monotonic_ms() + after_ms;
    return 0;
}

static int open_parts(struct http_loop *loop)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->multi = curl_multi_init();
    struct epoll_event event = {.events = EPOLLIN, .data.fd = loop->wake_fd};
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 || !loop->multi ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0)
        return -1;
    CURLMcode code = curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    code |= curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    code |= curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    code |= curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    code |= curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return code == CURLM_OK ? 0 : -1;
}

int http_loop_new(struct http_loop **ret)
{
    struct http_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return -1;
    loop->curl_due_ms = -1;
    loop->idle_limit = IDLE_CONNECTIONS;
    loop->posts_end = &loop->posts;
    pthread_mutex_init(&loop->lock, NULL);
    if (open_parts(loop) != 0) {
        http_loop_free(loop);
        return -1;
    }
    *ret = loop;
    return 0;
}

static void wake(struct http_loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(loop->wake_fd, &one, sizeof one);
    (void)ignored; /* full: it is awake anyway */
}

void http_loop_stop(struct http_loop *loop)
{
    atomic_store(&loop->stopped, true);
    wake(loop);
}

int http_loop_post(struct http_loop *loop, void (*fn)(void *data), void *data)
{
    struct post *post = malloc(sizeof *post);
    if (!post)
        return -1;
    *post = (struct post){NULL, fn, data};
    pthread_mutex_lock(&loop->lock);
    bool ended = loop->ended;
    if (!ended) {
        *loop->posts_end = post;
        loop->posts_end = &post->next;
    }
    pthread_mutex_unlock(&loop->lock);
    if (ended) {
        free(post);
        return -1;
    }
    wake(loop);
    return 0;
}

/* Only what was posted before: one that posts itself again does not keep the loop from its work. */
static void run_posts(struct http_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct post *post = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->lock);
    while (post) {
        struct post *next = post->next;
        post->fn(post->data);
        free(post);
        post = next;
    }
}

/* curl counts busy connections too when it looks for idle ones to close. */
static void count_running(struct http_loop *loop, long change)
{
    loop->running += change;
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, loop->running + loop->idle_limit);
}

void http_loop_keep(struct http_loop *loop, size_t count)
{
    loop->idle_limit = (long)count;
    count_running(loop, 0);
}

/* Off every list already. */
static void exchange_free(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    timer_heap_remove(&loop->timers, &exchange->silence);
    if (exchange->added) {
        curl_multi_remove_handle(loop->multi, exchange->easy);
        count_running(loop, -1);
    }
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->answer.headers);
    http_result_clear(&exchange->answer.result);
    free(exchange->body);
    free(exchange);
}

static void exchange_finish(struct http_exchange *exchange, CURLcode code)
{
    list_remove(exchange);
    exchange->state = EXCHANGE_DONE;
    http_answer_finish(&exchange->answer, code);
    if (exchange->added) {
        curl_multi_remove_handle(exchange->loop->multi, exchange->easy);
        exchange->added = false;
        count_running(exchange->loop, -1);
    }
    exchange->on_done(exchange->data, &exchange->answer.result);
    exchange_free(exchange);
}

static int on_piece(void *data, const char *bytes, size_t length)
{
    struct http_exchange *exchange = data;
    if (exchange->state != EXCHANGE_RUNNING)
        return 0;
    return exchange->on_data(exchange->data, bytes, length);
}

static ssize_t on_wanted(void *data, char *buffer, size_t size)
{
    struct http_exchange *exchange = data;
    if (exchange->state != EXCHANGE_RUNNING)
        return -1;
    return exchange->read(exchange->data, buffer, size);
}

/* The timer is set once and moved on by what came meanwhile, not at each byte. */
static void on_silence(void *data)
{
    struct http_exchange *exchange = data;
    int64_t due_ms = exchange->answer.last_byte_ms + exchange->answer.silence_timeout_ms;
    if (monotonic_ms() >= due_ms) {
        exchange->answer.silent = true;
        exchange_finish(exchange, CURLE_OPERATION_TIMEDOUT);
        return;
    }
    exchange->silence.due_ms = due_ms;
    timer_heap_push(&exchange->loop->timers, &exchange->silence); /* it was just removed: there is room */
}

static int exchange_prepare(struct http_exchange *exchange, const struct http_call *call)
{
    struct http_call own = *call;
    if (call->body) {
        exchange->body = malloc(call->body_length + 1);
        if (!exchange->body)
            return -1;
        own.body = memcpy(exchange->body, call->body, call->body_length);
    }
    exchange->easy = curl_easy_init();
    if (!exchange->easy)
        return -1;
    if (http_answer_start(&exchange->answer, exchange->easy, &own) != 0) {
        exchange->malformed = true;
        return exchange->answer.no_memory ? -1 : 0;
    }
    CURLcode code = curl_easy_setopt(exchange->easy, CURLOPT_PRIVATE, exchange);
    if (exchange->on_data) {
        exchange->answer.on_data = on_piece;
        if (call->timeout_ms == 0 && !call->bulk) /* there may be thousands of streams, and they carry little */
            code |= curl_easy_setopt(exchange->easy, CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER);
    }
    if (call->read) {
        exchange->read = call->read;
        exchange->answer.read = on_wanted;
    }
    exchange->answer.data = exchange;
    if (call->once)
        code |= curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 1L);
    if (call->bulk)
        code |= curl_easy_setopt(exchange->easy, CURLOPT_BUFFERSIZE, (long)BULK_BUFFER);
    if (code != CURLE_OK)
        return -1;
    if (call->silence_timeout_ms <= 0)
        return 0;
    exchange->silence.due_ms = monotonic_ms() + call->silence_timeout_ms;
    return timer_heap_push(&exchange->loop->timers, &exchange->silence);
}

struct http_exchange *http_loop_start(struct http_loop *loop, const struct http_call *call,
                                      int (*on_data)(void *data, const char *bytes, size_t length),
                                      void (*on_done)(void *data, struct http_result *result), void *data)
{
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->loop = loop;
    exchange->silence = (struct http_timer){.loop = loop, .position = TIMER_IDLE, .fn = on_silence, .data = exchange};
    exchange->on_data = on_data;
    exchange->on_done = on_done;
    exchange->data = data;
    if (exchange_prepare(exchange, call) != 0) {
        exchange_free(exchange);
        return NULL;
    }
    list_append(exchange, EXCHANGE_STARTING);
    return exchange;
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    if (!exchange || exchange->state >= EXCHANGE_CANCELLED)
        return;
    timer_heap_remove(&exchange->loop->timers, &exchange->silence);
    list_remove(exchange);
    list_append(exchange, EXCHANGE_CANCELLED);
}

void http_exchange_resume(struct http_exchange *exchange)
{
    if (exchange && exchange->state == EXCHANGE_RUNNING)
        curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
}

struct http_timer *http_loop_timer(struct http_loop *loop, int64_t after_ms, void (*fn)(void *data), void *data)
{
    struct http_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    *timer = (struct http_timer){.loop = loop, .position = TIMER_IDLE, .fn = fn, .data = data};
    timer->due_ms = monotonic_ms() + (after_ms > 0 ? after_ms : 0);
    if (timer_heap_push(&loop->timers, timer) != 0) {
        free(timer);
        return NULL;
    }
    return timer;
}

void http_timer_cancel(struct http_timer *timer)
{
    if (!timer || timer->position == TIMER_IDLE) /* idle: its own callback cancels it */
        return;
    timer_heap_remove(&timer->loop->timers, timer);
    free(timer);
}

static void fire_timers(struct http_loop *loop)
{
    int64_t now_ms = monotonic_ms();
    uint64_t limit = loop->timers.next_sequence; /* one that sets itself again waits for the next turn */
    struct http_timer *timer;
    while ((timer = timer_heap_top(&loop->timers)) && timer->due_ms <= now_ms && timer->sequence < limit) {
        bool embedded = timer->fn == on_silence;
        timer_heap_remove(&loop->timers, timer);
        timer->fn(timer->data);
        if (!embedded)
            free(timer);
    }
}

static void start_queued(struct http_loop *loop)
{
    struct http_exchange *exchange;
    while ((exchange = loop->lists[EXCHANGE_STARTING].first)) {
        if (exchange->malformed) {
            exchange_finish(exchange, CURLE_URL_MALFORMAT);
            continue;
        }
        if (curl_multi_add_handle(loop->multi, exchange->easy) != CURLM_OK) {
            exchange_finish(exchange, CURLE_OUT_OF_MEMORY);
            continue;
        }
        exchange->added = true;
        count_running(loop, 1);
        list_remove(exchange);
        list_append(exchange, EXCHANGE_RUNNING);
    }
}

static void free_list(struct http_loop *loop, enum exchange_state state)
{
    struct http_exchange *exchange;
    while ((exchange = loop->lists[state].first)) {
        list_remove(exchange);
        exchange_free(exchange);
    }
}

static void finish_done(struct http_loop *loop)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(loop->multi, &left))) {
        struct http_exchange *exchange = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        if (exchange->state == EXCHANGE_RUNNING)
            exchange_finish(exchange, code);
    }
}

/* Milliseconds until the next thing is due; -1: for ever. */
static int next_timeout(const struct http_loop *loop)
{
    const struct http_timer *timer = timer_heap_top(&loop->timers);
    int64_t due_ms = timer ? timer->due_ms : INT64_MAX;
    if (loop->lists[EXCHANGE_STARTING].first || loop->lists[EXCHANGE_CANCELLED].first)
        return 0;
    if (loop->curl_due_ms >= 0 && loop->curl_due_ms < due_ms)
        due_ms = loop->curl_due_ms;
    if (due_ms == INT64_MAX)
        return -1;
    int64_t wait_ms = due_ms - monotonic_ms();
    return wait_ms <= 0 ? 0 : wait_ms > 60000 ? 60000 : (int)wait_ms;
}

static void wait_and_act(struct http_loop *loop, int timeout_ms)
{
    struct epoll_event events[EVENTS_A_TURN];
    int running, count = epoll_wait(loop->epoll_fd, events, EVENTS_A_TURN, timeout_ms);
    for (int i = 0; i < count; i++) {
        uint32_t bits = events[i].events;
        uint64_t ignored;
        if (events[i].data.fd == loop->wake_fd) {
            while (read(loop->wake_fd, &ignored, sizeof ignored) > 0)
                ;
            continue;
        }
        int mask = (bits & EPOLLIN ? CURL_CSELECT_IN : 0) | (bits & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (bits & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(loop->multi, events[i].data.fd, mask, &running);
    }
    if (loop->curl_due_ms >= 0 && monotonic_ms() >= loop->curl_due_ms) {
        loop->curl_due_ms = -1;
        curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

static void end(struct http_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->ended = true;
    pthread_mutex_unlock(&loop->lock);
    run_posts(loop);
    for (int state = EXCHANGE_STARTING; state <= EXCHANGE_CANCELLED; state++)
        free_list(loop, (enum exchange_state)state);
    struct http_timer *timer;
    while ((timer = timer_heap_top(&loop->timers)))
        http_timer_cancel(timer);
}

static void turn(struct http_loop *loop, int timeout_ms)
{
    wait_and_act(loop, timeout_ms);
    finish_done(loop);
    run_posts(loop);
    fire_timers(loop);
    start_queued(loop);
    free_list(loop, EXCHANGE_CANCELLED);
}

void http_loop_run(struct http_loop *loop)
{
    while (!atomic_load(&loop->stopped))
        turn(loop, next_timeout(loop));
    end(loop);
}

int http_loop_fd(const struct http_loop *loop)
{
    return loop->epoll_fd;
}

int http_loop_wait_ms(const struct http_loop *loop)
{
    return next_timeout(loop);
}

void http_loop_step(struct http_loop *loop)
{
    turn(loop, 0);
}

void http_loop_free(struct http_loop *loop)
{
    if (!loop)
        return;
    if (!loop->ended)
        end(loop);
    if (loop->multi)
        curl_multi_cleanup(loop->multi);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    timer_heap_finish(&loop->timers);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
