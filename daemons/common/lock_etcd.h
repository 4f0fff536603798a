/* SPDX-License-Identifier: Apache-2.0 */
/* The lock in etcd: lock_etcd.c for API v3, a key under a lease; lock_etcd_v2.c for v2, a key with a TTL. */
#ifndef COMMON_LOCK_ETCD_H
#define COMMON_LOCK_ETCD_H

#include "discovery_etcd.h"
#include "lock_watch.h"

struct lock_etcd {
    struct etcd *etcd; /* its agent's side, the lease too, is ours */
    struct lock_watch watch;
    int api;          /* that ours was got with */
    int64_t lives_ms; /* v3: of the lease */
    int64_t created;  /* of the key that is ours, 0: none. v3: revision, v2: index */
    int64_t modified; /* v2: its index as far as we know */
};

const char *lock_etcd_key(const struct lock_etcd *etcd);
int64_t lock_etcd_ttl_s(const struct lock *lock);
/* Watch from @p from on: a revision, or an index. */
void lock_etcd_watch(struct lock_etcd *etcd, int64_t from);

int lock_etcd_v2_campaign(struct lock *lock, struct lock_view *view, char **reterr);
int lock_etcd_v2_renew(struct lock *lock, struct lock_view *view, char **reterr);
int lock_etcd_v2_resign(struct lock *lock, char **reterr);

#endif
