/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges on epoll, over the wire (http_wire.h) or by curl's socket interface: an idle stream costs nothing, whatever
 * the number of streams. curl forbids most calls from within its callbacks; so http_loop_start() and
 * http_exchange_cancel() only queue, and the loop acts between. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "http_loop_internal.h"

enum { IDLE_CONNECTIONS = 256, EVENTS_AT_ONCE = 256, BATCHES_A_TURN = 64 };

/* Odd data is the wire's. */
static uint64_t even(int fd)
{
    return (uint64_t)(unsigned)fd << 1;
}

/* curl tells which sockets to watch. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct http_loop *loop = data;
    struct epoll_event event = {.data.u64 = even(fd)};
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
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = even(loop->wake_fd)};
    loop->wire = wire_new(loop->epoll_fd);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 || !loop->multi || !loop->wire ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0)
        return -1;
    wire_keep(loop->wire, (size_t)loop->idle_limit);
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
void loop_count_running(struct http_loop *loop, long change)
{
    loop->running += change;
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, loop->running + loop->idle_limit);
}

void http_loop_keep(struct http_loop *loop, size_t count)
{
    loop->idle_limit = (long)count;
    loop_count_running(loop, 0);
    wire_keep(loop->wire, count);
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
        bool embedded = timer->embedded;
        timer_heap_remove(&loop->timers, timer);
        timer->fn(timer->data);
        if (!embedded)
            free(timer);
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
    if (loop->lists[EXCHANGE_STARTING].first || loop->lists[EXCHANGE_CANCELLED].first || wire_has_resumed(loop->wire))
        return 0;
    if (loop->curl_due_ms >= 0 && loop->curl_due_ms < due_ms)
        due_ms = loop->curl_due_ms;
    if (due_ms == INT64_MAX)
        return -1;
    int64_t wait_ms = due_ms - monotonic_ms();
    return wait_ms <= 0 ? 0 : wait_ms > 60000 ? 60000 : (int)wait_ms;
}

/* How many events there were, up to EVENTS_AT_ONCE. */
static int wait_and_act(struct http_loop *loop, int timeout_ms)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int running, count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
    for (int i = 0; i < count; i++) {
        uint32_t bits = events[i].events;
        uint64_t ignored;
        if (events[i].data.u64 & 1) {
            wire_event(events[i].data.u64, bits);
            continue;
        }
        if (events[i].data.u64 == even(loop->wake_fd)) {
            while (read(loop->wake_fd, &ignored, sizeof ignored) > 0)
                ;
            continue;
        }
        int mask = (bits & EPOLLIN ? CURL_CSELECT_IN : 0) | (bits & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (bits & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(loop->multi, (int)(events[i].data.u64 >> 1), mask, &running);
    }
    return count;
}

static void act_on_curl_time(struct http_loop *loop)
{
    int running;
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
        exchanges_drop(loop, (enum exchange_state)state);
    struct http_timer *timer;
    while ((timer = timer_heap_top(&loop->timers)))
        http_timer_cancel(timer);
}

static void turn(struct http_loop *loop, int timeout_ms)
{
    /* All that has come is read before anybody's time is up: where this thread had to wait for the processor, it was not
     * the others that were late. Within limits: what comes without end must not stop the clock. */
    for (int batch = 0; wait_and_act(loop, batch ? 0 : timeout_ms) == EVENTS_AT_ONCE && batch < BATCHES_A_TURN; batch++)
        ;
    act_on_curl_time(loop);
    finish_done(loop);
    run_posts(loop);
    fire_timers(loop);
    exchanges_start(loop);
    exchanges_drop(loop, EXCHANGE_CANCELLED);
    wire_settle(loop->wire);
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
    wire_free(loop->wire);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    timer_heap_finish(&loop->timers);
    free(loop->spare.data);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
