/* SPDX-License-Identifier: Apache-2.0 */
/* What a store's kind of lock provides. All of it is called by the thread of lock_run(). */
#ifndef COMMON_LOCK_PRIVATE_H
#define COMMON_LOCK_PRIVATE_H

#include <pthread.h>

#include "discovery_private.h"
#include "lock.h"

/* What a look at the store showed. */
struct lock_view {
    bool mine;
    uint64_t term;    /* where it is mine */
    int64_t lives_ms; /* where it is mine: for so long at least, counted from before the store was asked */
    char *holder;     /* new text; NULL: nobody */
};

struct lock_backend {
    /* Sets lock->state. On failure nothing is left to close. */
    int (*open)(struct lock *lock, char **reterr);
    void (*close)(struct lock *lock);
    /* Take it where nobody has it. 0 with the view, or -1 with *reterr new text. */
    int (*campaign)(struct lock *lock, struct lock_view *view, char **reterr);
    /* What was ours: keep it. The view says whether it still is. */
    int (*renew)(struct lock *lock, struct lock_view *view, char **reterr);
    /* Give back whatever we may have; nothing to do is no failure. */
    int (*resign)(struct lock *lock, char **reterr);
    /* Until the lock may have changed since it was looked at, or it is time to stop, or for that long. */
    void (*wait)(struct lock *lock, int timeout_ms);
    void (*stop)(struct lock *lock); /* any thread; NULL: stop_fd will do */
};

struct lock {
    const struct lock_backend *backend;
    struct discovery *discovery;
    struct lock_options options;
    void *state; /* the backend's */
    int stop_fd; /* eventfd, readable once lock_stop() was called */

    pthread_mutex_t mutex; /* of what follows */
    uint64_t term;
    int64_t until_ms; /* lock_now_ms() until which it is ours; 0: it is not */
    bool retired;
    bool doubted; /* its time ended by our clock; no look has ended since */

    /* The thread's own. */
    bool held;
    bool lapsed;      /* it was ours until its time ended by our clock: the store may still think so */
    bool unsure;      /* ours, as far as the store says, but nobody knows for how long */
    int64_t lives_ms; /* as the last renewal said */
    int failures;     /* since the last answer */
    char *holder;     /* as told */
    char *trouble;
};

extern const struct lock_backend lock_etcd, lock_consul, lock_zookeeper;

/* Milliseconds of a clock that does not stand still while the machine sleeps. */
int64_t lock_now_ms(void);
bool lock_stopping(const struct lock *lock);
/* How long one call to the store may take, for a lock of that time. */
int lock_call_timeout_ms(const struct lock *lock);

/* --- the logic, for tests; pure functions --- */
/* Until when it is ours, where the store, asked at @p asked_ms, lets it live for @p lives_ms: somewhat less, as clocks
 * differ in speed and what is begun takes a moment to arrive. */
int64_t lock_until_ms(int64_t asked_ms, int64_t lives_ms);
/* How long to wait before the next look: a holder renews four times as often as it must, and more often while the
 * store fails; others look as a matter of precaution, since they are told of changes. */
int lock_pause_ms(const struct lock *lock, int64_t now_ms);

#endif
