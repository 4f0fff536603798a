/* SPDX-License-Identifier: Apache-2.0 */
/* The loop, its timers and its listeners. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "deadline.h"
#include "fake_http.h"
#include "fake_text.h"

#define EVENTS_MAX 256
#define ACCEPTS_MAX 64 /* at once from one listener */
#define BACKLOG 1024

struct fake_loop {
    int epoll;
    struct fake_source wake; /* an eventfd */
    volatile bool stopping;
    int reserve; /* a descriptor to give up where there are no more */
    struct timer_heap timers;
    struct fake_connection *dirty, *dead;
};

/* --- loop --- */

static void woken(struct fake_source *source, unsigned events)
{
    uint64_t count;

    kit_check(read(source->fd, &count, sizeof(count)) == sizeof(count));
}

struct fake_loop *fake_loop_new(void)
{
    struct fake_loop *loop = fake_alloc(sizeof(*loop));

    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->wake.ready = woken;
    loop->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    kit_check(loop->epoll >= 0 && loop->wake.fd >= 0 && loop->reserve >= 0);
    fake_loop_watch(loop, &loop->wake, EPOLLIN, true);
    return loop;
}

static void free_dead(struct fake_loop *loop)
{
    while (loop->dead != NULL) {
        struct fake_connection *connection = loop->dead;

        loop->dead = connection->next_dead;
        free(connection);
    }
}

void fake_loop_free(struct fake_loop *loop)
{
    free_dead(loop);
    timer_heap_finish(&loop->timers);
    close(loop->epoll);
    close(loop->wake.fd);
    close(loop->reserve);
    free(loop);
}

void fake_loop_watch(struct fake_loop *loop, struct fake_source *source, unsigned events, bool is_new)
{
    struct epoll_event event = {.events = events, .data.ptr = source};

    kit_check(epoll_ctl(loop->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, source->fd, &event) == 0);
}

void fake_loop_unwatch(struct fake_loop *loop, struct fake_source *source)
{
    kit_check(epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL) == 0);
}

void fake_loop_dirty(struct fake_loop *loop, struct fake_connection *connection)
{
    if (connection->dirty)
        return;
    connection->dirty = true;
    connection->next_dirty = loop->dirty;
    loop->dirty = connection;
}

void fake_loop_bury(struct fake_loop *loop, struct fake_connection *connection)
{
    connection->next_dead = loop->dead;
    loop->dead = connection;
}

static void flush_dirty(struct fake_loop *loop)
{
    while (loop->dirty != NULL) {
        struct fake_connection *connection = loop->dirty;

        loop->dirty = connection->next_dirty;
        connection->dirty = false;
        if (connection->source.fd >= 0)
            fake_connection_flush(connection);
    }
}

static void run_timers(struct fake_loop *loop)
{
    int64_t now_ms = deadline_now_ms();
    struct http_timer *timer;

    while ((timer = timer_heap_top(&loop->timers)) != NULL && timer->due_ms <= now_ms) {
        timer_heap_remove(&loop->timers, timer);
        timer->position = TIMER_IDLE;
        timer->fn(timer->data);
    }
}

static int wait_ms(const struct fake_loop *loop)
{
    const struct http_timer *timer = timer_heap_top(&loop->timers);
    int64_t left = timer == NULL ? 60000 : timer->due_ms - deadline_now_ms();

    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

void fake_loop_run(struct fake_loop *loop)
{
    struct epoll_event events[EVENTS_MAX];

    while (!loop->stopping) {
        int count = epoll_wait(loop->epoll, events, EVENTS_MAX, wait_ms(loop));

        for (int i = 0; i < count; i++) {
            struct fake_source *source = events[i].data.ptr;

            if (source->fd >= 0)
                source->ready(source, events[i].events);
        }
        run_timers(loop);
        flush_dirty(loop);
        free_dead(loop);
    }
}

void fake_loop_stop(struct fake_loop *loop)
{
    uint64_t one = 1;

    loop->stopping = true;
    if (write(loop->wake.fd, &one, sizeof(one)) != sizeof(one))
        loop->stopping = true; /* it is awake */
}

void fake_timer_set(struct fake_loop *loop, struct http_timer *timer, int64_t after_ms, void (*fn)(void *data),
                    void *data)
{
    fake_timer_clear(loop, timer);
    timer->due_ms = deadline_now_ms() + after_ms;
    timer->fn = fn;
    timer->data = data;
    kit_check(timer_heap_push(&loop->timers, timer) == 0);
}

void fake_timer_clear(struct fake_loop *loop, struct http_timer *timer)
{
    if (timer->fn != NULL && timer->position != TIMER_IDLE)
        timer_heap_remove(&loop->timers, timer);
    timer->position = TIMER_IDLE;
}

/* --- listeners --- */

/* Where there is no descriptor left: take it with the reserve, so that the client learns of it. */
static void turn_away(struct fake_listener *listener)
{
    int fd;

    close(listener->loop->reserve);
    fd = accept(listener->source.fd, NULL, NULL);
    if (fd >= 0)
        close(fd);
    listener->loop->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_ready(struct fake_source *source, unsigned events)
{
    struct fake_listener *listener = (struct fake_listener *)source;

    /* It may have been silenced since this was reported. */
    for (int i = 0; i < ACCEPTS_MAX && source->fd >= 0 && !listener->silent; i++) {
        int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                turn_away(listener);
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        listener->accepted++;
        fake_connection_new(listener, fd);
    }
}

int fake_listener_open(struct fake_listener *listener)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, error;

    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)&listener->address, sizeof(listener->address)) != 0 ||
        listen(fd, BACKLOG) != 0) {
        error = errno;
        close(fd);
        return error;
    }
    listener->source.fd = fd;
    listener->source.ready = accept_ready;
    if (!listener->silent)
        fake_loop_watch(listener->loop, &listener->source, EPOLLIN, true);
    return 0;
}

void fake_listener_close(struct fake_listener *listener)
{
    if (listener->source.fd >= 0)
        close(listener->source.fd);
    listener->source.fd = -1;
}

void fake_listener_silence(struct fake_listener *listener, bool silent)
{
    if (listener->silent == silent)
        return;
    listener->silent = silent;
    if (listener->source.fd >= 0) {
        if (silent)
            fake_loop_unwatch(listener->loop, &listener->source);
        else
            fake_loop_watch(listener->loop, &listener->source, EPOLLIN, true);
    }
    for (struct fake_connection *connection = listener->connections; connection != NULL;
         connection = connection->next) {
        if (silent)
            fake_loop_unwatch(listener->loop, &connection->source);
        else
            fake_loop_watch(listener->loop, &connection->source, (connection->ended_input ? 0 : EPOLLIN) | EPOLLOUT,
                            true);
        if (!silent)
            connection->wants_out = true;
    }
}

void fake_listener_reset(struct fake_listener *listener)
{
    while (listener->connections != NULL)
        fake_reset(listener->connections);
}
