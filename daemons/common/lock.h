/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several processes acts: a lock in the store that discovery uses, at "<prefix>/docker/swarm/leader", with the
 * holder's address as its value. It is held for a time, which the store ends where the holder does not renew it; the
 * holder's own clock ends it sooner, so that there are never two who take it for theirs. */
#ifndef COMMON_LOCK_H
#define COMMON_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "discovery.h"

struct lock;

struct lock_options {
    const char *address; /* what others are told of us; borrowed until lock_free() */
    int ttl_ms;          /* the store lets another one have it after this at the latest */
};

/* What the thread of lock_run() tells, without locks held. */
struct lock_events {
    /* It is ours. @p term is greater than in every election before: etcd's create_revision or createdIndex, Consul's
     * ModifyIndex, ZooKeeper's czxid. */
    void (*acquired)(void *data, uint64_t term);
    /* It may be ours no longer; lock_is_held() has said so before. */
    void (*lost)(void *data);
    /* Who holds it now: another's address, or ours; NULL: nobody. */
    void (*holder)(void *data, const char *address);
    /* Trouble with the store, told once until it is another; NULL: it is over. */
    void (*trouble)(void *data, const char *message);
};

/* @p discovery is borrowed: it may be watched meanwhile, but nothing be announced with it. Contacts nobody. 0, or -1
 * with *reterr new text where its kind of store has no locks. */
int lock_new(struct lock **ret, struct discovery *discovery, const struct lock_options *options, char **reterr);
void lock_free(struct lock *lock);
/* Try to get it, keep it, try again, until lock_stop(); then give it back. */
void lock_run(struct lock *lock, const struct lock_events *events, void *data);

/* The rest: any thread. */
/* Whether it is ours right now, by a clock that goes on while the process or the machine is stopped: to be asked right
 * before whatever only its holder may do. *ret_term: of this election; NULL: not wanted. */
bool lock_is_held(struct lock *lock, uint64_t *ret_term);
/* For how long it is ours still, by the same clock; 0: it is not. */
int lock_left_ms(struct lock *lock);
/* From now on lock_is_held() says no, though nobody else gets it before lock_stop(), or its time is over: for a holder
 * that ends what it has begun. */
void lock_retire(struct lock *lock);
/* Whether its time has run out by our clock, as it does while the process is stopped, and the store has not been asked
 * since. Soon it has answered, or has been found not to. */
bool lock_is_in_doubt(struct lock *lock);
void lock_stop(struct lock *lock);

#endif
