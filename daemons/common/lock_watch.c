/* SPDX-License-Identifier: Apache-2.0 */
#include "lock_watch.h"

#include <poll.h>

int lock_watch_init(struct lock_watch *watch)
{
    return http_loop_new(&watch->loop);
}

void lock_watch_finish(struct lock_watch *watch)
{
    http_exchange_cancel(watch->call);
    watch->call = NULL;
    http_loop_free(watch->loop);
    watch->loop = NULL;
}

static int on_data(void *data, const char *bytes, size_t length)
{
    struct lock_watch *watch = data;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' && --watch->skip < 0)
            watch->news = true;
    }
    return 0;
}

static void on_done(void *data, struct http_result *result)
{
    struct lock_watch *watch = data;
    watch->call = NULL;
    watch->news |= result->failure == HTTP_OK && result->status == 200;
}

void lock_watch_start(struct lock_watch *watch, const struct http_call *call, int skip)
{
    http_exchange_cancel(watch->call);
    watch->skip = skip;
    watch->news = false;
    watch->call = http_loop_start(watch->loop, call, skip > 0 ? on_data : NULL, on_done, watch);
}

void lock_watch_wait(struct lock_watch *watch, const struct lock *lock, int timeout_ms)
{
    int64_t until_ms = lock_now_ms() + timeout_ms;
    for (;;) {
        http_loop_step(watch->loop);
        int64_t left_ms = until_ms - lock_now_ms();
        if (watch->news || left_ms <= 0)
            return;
        int loop_ms = http_loop_wait_ms(watch->loop);
        struct pollfd fds[] = {{.fd = lock->stop_fd, .events = POLLIN},
                               {.fd = http_loop_fd(watch->loop), .events = POLLIN}};
        poll(fds, 2, loop_ms >= 0 && loop_ms < left_ms ? loop_ms : (int)left_ms);
        if (fds[0].revents)
            return;
    }
}
