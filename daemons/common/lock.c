/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lock_private.h"

enum {
    MARGIN_MIN_MS = 100,
    PAUSE_MIN_MS = 50,
    LOOK_MIN_MS = 500,    /* between two looks at a lock that another holds */
    LOOK_MAX_MS = 5000,   /* the same */
    FAILED_MAX_MS = 1000, /* between two tries while the store fails */
    CALL_MIN_MS = 300,
    CALL_MAX_MS = 5000,
};

static int64_t between(int64_t least, int64_t value, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

int64_t lock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t lock_until_ms(int64_t asked_ms, int64_t lives_ms)
{
    int64_t margin_ms = lives_ms / 10 > MARGIN_MIN_MS ? lives_ms / 10 : MARGIN_MIN_MS;
    return lives_ms > margin_ms ? asked_ms + lives_ms - margin_ms : asked_ms;
}

int lock_pause_ms(const struct lock *lock, int64_t now_ms)
{
    if (!lock->held && (!lock->holder || lock->unsure))
        return LOOK_MIN_MS;
    if (!lock->held)
        return (int)between(LOOK_MIN_MS, lock->options.ttl_ms / 3, lock->failures > 0 ? FAILED_MAX_MS : LOOK_MAX_MS);
    int64_t left_ms = lock->until_ms - now_ms;
    int64_t pause_ms = lock->failures > 0 ? between(PAUSE_MIN_MS, lock->lives_ms / 10, FAILED_MAX_MS)
                                          : between(PAUSE_MIN_MS, lock->lives_ms / 4, INT32_MAX);
    return (int)(left_ms < 0 ? 0 : pause_ms < left_ms ? pause_ms : left_ms);
}

int lock_call_timeout_ms(const struct lock *lock)
{
    return (int)between(CALL_MIN_MS, lock->options.ttl_ms / 4, CALL_MAX_MS);
}

bool lock_stopping(const struct lock *lock)
{
    struct pollfd fd = {.fd = lock->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* --- any thread --- */

bool lock_is_held(struct lock *lock, uint64_t *ret_term)
{
    pthread_mutex_lock(&lock->mutex);
    bool held = !lock->retired && lock->until_ms > 0 && lock_now_ms() < lock->until_ms;
    if (held && ret_term)
        *ret_term = lock->term;
    pthread_mutex_unlock(&lock->mutex);
    return held;
}

int lock_left_ms(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    int64_t left_ms = lock->retired ? 0 : lock->until_ms - lock_now_ms();
    pthread_mutex_unlock(&lock->mutex);
    return (int)between(0, left_ms, INT32_MAX);
}

void lock_retire(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock->retired = true;
    pthread_mutex_unlock(&lock->mutex);
}

bool lock_is_in_doubt(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    bool doubted = lock->doubted || (lock->until_ms > 0 && lock_now_ms() >= lock->until_ms);
    pthread_mutex_unlock(&lock->mutex);
    return doubted;
}

void lock_stop(struct lock *lock)
{
    uint64_t one = 1;
    lock_retire(lock);
    (void)!write(lock->stop_fd, &one, sizeof one);
    if (lock->backend->stop)
        lock->backend->stop(lock);
}

/* --- the thread --- */

static void set_until(struct lock *lock, uint64_t term, int64_t until_ms)
{
    pthread_mutex_lock(&lock->mutex);
    lock->term = term;
    lock->until_ms = until_ms;
    pthread_mutex_unlock(&lock->mutex);
}

static void set_doubted(struct lock *lock, bool doubted)
{
    pthread_mutex_lock(&lock->mutex);
    lock->doubted = doubted;
    pthread_mutex_unlock(&lock->mutex);
}

static void let_go(struct lock *lock, const struct lock_events *events, void *data)
{
    if (!lock->held)
        return;
    lock->held = false;
    set_until(lock, 0, 0);
    events->lost(data);
}

static void note_time(struct lock *lock, const struct lock_events *events, void *data)
{
    if (!lock->held || lock_now_ms() < lock->until_ms)
        return;
    lock->lapsed = true;
    set_doubted(lock, true);
    let_go(lock, events, data);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Takes @p message. */
static void tell_trouble(struct lock *lock, const struct lock_events *events, void *data, char *message)
{
    if (!same(lock->trouble, message))
        events->trouble(data, message);
    free(lock->trouble);
    lock->trouble = message;
}

/* Takes @p holder. */
static void tell_holder(struct lock *lock, const struct lock_events *events, void *data, char *holder)
{
    if (!same(lock->holder, holder))
        events->holder(data, holder);
    free(lock->holder);
    lock->holder = holder;
}

/* Takes what @p view owns. */
static void take_view(struct lock *lock, struct lock_view *view, int64_t asked_ms, const struct lock_events *events,
                      void *data)
{
    int64_t until_ms = lock_until_ms(asked_ms, view->lives_ms);
    lock->failures = 0;
    tell_trouble(lock, events, data, NULL);
    if (!view->mine || (lock->held && view->term != lock->term))
        let_go(lock, events, data);
    if (view->mine && until_ms > lock_now_ms()) {
        bool news = !lock->held;
        lock->held = true;
        lock->lives_ms = view->lives_ms;
        set_until(lock, view->term, until_ms);
        if (news)
            events->acquired(data, view->term);
    }
    lock->unsure = view->mine && !lock->held;
    tell_holder(lock, events, data, view->holder);
}

/* One look at the store. What was ours and has run out by our clock is given back before anything else, so that it is
 * a new election that decides. */
static void look(struct lock *lock, const struct lock_events *events, void *data)
{
    int64_t asked_ms = lock_now_ms();
    struct lock_view view = {0};
    char *why = NULL;
    int status = 0;
    if (lock->lapsed)
        status = lock->backend->resign(lock, &why);
    if (status == 0) {
        lock->lapsed = false;
        status = lock->held ? lock->backend->renew(lock, &view, &why) : lock->backend->campaign(lock, &view, &why);
    }
    if (status == 0) {
        take_view(lock, &view, asked_ms, events, data);
        set_doubted(lock, false);
        return;
    }
    set_doubted(lock, false);
    lock->failures++;
    if (!lock_stopping(lock))
        tell_trouble(lock, events, data, why ? why : strdup("out of memory"));
    else
        free(why);
}

void lock_run(struct lock *lock, const struct lock_events *events, void *data)
{
    char *why = NULL;
    while (!lock_stopping(lock)) {
        look(lock, events, data);
        note_time(lock, events, data);
        if (!lock_stopping(lock))
            lock->backend->wait(lock, lock_pause_ms(lock, lock_now_ms()));
        note_time(lock, events, data);
    }
    let_go(lock, events, data);
    if (lock->backend->resign(lock, &why) != 0)
        events->trouble(data, why ? why : "out of memory");
    free(why);
}

/* --- life --- */

int lock_new(struct lock **ret, struct discovery *discovery, const struct lock_options *options, char **reterr)
{
    const struct lock_backend *backend = discovery->backend->lock;
    if (!backend)
        return discovery_fail(reterr, "Leader election is only supported with consul, etcd and zookeeper discovery.");
    struct lock *lock = calloc(1, sizeof *lock);
    if (!lock)
        return discovery_fail(reterr, "out of memory");
    *lock = (struct lock){.backend = backend,
                          .discovery = discovery,
                          .options = *options,
                          .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (lock->stop_fd < 0) {
        free(lock);
        return discovery_fail(reterr, "eventfd: %s", strerror(errno));
    }
    pthread_mutex_init(&lock->mutex, NULL);
    if (backend->open(lock, reterr) != 0) {
        pthread_mutex_destroy(&lock->mutex);
        close(lock->stop_fd);
        free(lock);
        return -1;
    }
    *ret = lock;
    return 0;
}

void lock_free(struct lock *lock)
{
    if (!lock)
        return;
    lock->backend->close(lock);
    pthread_mutex_destroy(&lock->mutex);
    close(lock->stop_fd);
    free(lock->holder);
    free(lock->trouble);
    free(lock);
}
