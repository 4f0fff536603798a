/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for news of a key in a store of HTTP: one call that lasts, on the thread that waits. */
#ifndef COMMON_LOCK_WATCH_H
#define COMMON_LOCK_WATCH_H

#include "http_client.h"
#include "lock_private.h"

struct lock_watch {
    struct http_loop *loop;
    struct http_exchange *call; /* NULL: nobody would tell us */
    int skip;                   /* lines of a stream that are no news yet; 0: the end of the call is the news */
    bool news;
};

int lock_watch_init(struct lock_watch *watch);
void lock_watch_finish(struct lock_watch *watch);
/* In place of one that is under way. The end of its answer is news; with @p skip, its lines behind the first so many
 * are. A call that fails is none: somebody looks from time to time anyway. */
void lock_watch_start(struct lock_watch *watch, const struct http_call *call, int skip);
/* Until there is news, or it is time to stop, or for that long. */
void lock_watch_wait(struct lock_watch *watch, const struct lock *lock, int timeout_ms);

#endif
