/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_lock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    pthread_mutex_t mutex;
    char holder[64]; /* "": nobody */
    uint64_t term;   /* where that is this manager; 0: it is not */
    int looks, lives_ms;
    bool hangs, fails;
} store = {.mutex = PTHREAD_MUTEX_INITIALIZER, .lives_ms = 600000};

static int open_store(struct lock *lock, char **reterr)
{
    return 0;
}

static void close_store(struct lock *lock)
{
}

static int look(struct lock *lock, struct lock_view *view, char **reterr)
{
    bool fails;

    pthread_mutex_lock(&store.mutex);
    while (store.hangs && !lock_stopping(lock)) {
        pthread_mutex_unlock(&store.mutex);
        usleep(2000);
        pthread_mutex_lock(&store.mutex);
    }
    fails = store.fails;
    if (!fails) {
        view->mine = store.term > 0;
        view->term = store.term;
        view->lives_ms = view->mine ? store.lives_ms : 0;
        view->holder = store.holder[0] ? strdup(store.holder) : NULL;
    }
    store.looks++;
    pthread_mutex_unlock(&store.mutex);
    return fails ? discovery_fail(reterr, "the store fails") : 0;
}

static int resign(struct lock *lock, char **reterr)
{
    return 0;
}

static void wait_for_store(struct lock *lock, int timeout_ms)
{
    struct pollfd fd = {.fd = lock->stop_fd, .events = POLLIN};

    poll(&fd, 1, timeout_ms < 5 ? timeout_ms : 5);
}

static const struct lock_backend backend = {.open = open_store,
                                            .close = close_store,
                                            .campaign = look,
                                            .renew = look,
                                            .resign = resign,
                                            .wait = wait_for_store};
static const struct discovery_backend memory = {.name = "memory", .lock = &backend};
struct discovery memory_discovery = {.backend = &memory};

void memory_lock_set(const char *address, uint64_t term)
{
    int seen;

    pthread_mutex_lock(&store.mutex);
    snprintf(store.holder, sizeof(store.holder), "%s", address);
    store.term = term;
    seen = store.looks;
    pthread_mutex_unlock(&store.mutex);
    for (int now = seen; now < seen + 2;) {
        usleep(2000);
        pthread_mutex_lock(&store.mutex);
        now = store.looks;
        pthread_mutex_unlock(&store.mutex);
    }
}

void memory_lock_set_lives(int ms)
{
    pthread_mutex_lock(&store.mutex);
    store.lives_ms = ms;
    pthread_mutex_unlock(&store.mutex);
}

void memory_lock_hang(bool hang)
{
    pthread_mutex_lock(&store.mutex);
    store.hangs = hang;
    pthread_mutex_unlock(&store.mutex);
}

void memory_lock_fail(bool fail)
{
    pthread_mutex_lock(&store.mutex);
    store.fails = fail;
    pthread_mutex_unlock(&store.mutex);
}
