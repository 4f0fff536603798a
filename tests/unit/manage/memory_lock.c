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
    int looks;
} store = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int open_store(struct lock *lock, char **reterr)
{
    return 0;
}

static void close_store(struct lock *lock)
{
}

static int look(struct lock *lock, struct lock_view *view, char **reterr)
{
    pthread_mutex_lock(&store.mutex);
    view->mine = store.term > 0;
    view->term = store.term;
    view->lives_ms = view->mine ? 600000 : 0;
    view->holder = store.holder[0] ? strdup(store.holder) : NULL;
    store.looks++;
    pthread_mutex_unlock(&store.mutex);
    return 0;
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
