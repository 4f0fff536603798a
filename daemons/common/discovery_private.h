/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of discovery provides. */
#ifndef COMMON_DISCOVERY_PRIVATE_H
#define COMMON_DISCOVERY_PRIVATE_H

#include "address_list.h"
#include "discovery.h"

struct lock_backend;
struct kv_store_backend;

struct discovery_backend {
    const char *name;
    const struct lock_backend *lock;      /* lock.h; NULL: it has none */
    const struct kv_store_backend *store; /* kv_store.h; the same */
    /* @p rest: the URL behind "://". Sets discovery->state. On failure nothing is left to close. */
    int (*open)(struct discovery *discovery, const char *rest, const struct discovery_options *options, char **reterr);
    void (*close)(struct discovery *discovery);
    void (*watch)(struct discovery *discovery, const struct discovery_events *events, void *data);
    /* NULL: not implemented in this discovery service. */
    int (*announce)(struct discovery *discovery, const char *address, char **reterr);
    int (*leave)(struct discovery *discovery, const char *address, char **reterr);
    void (*stop)(struct discovery *discovery); /* NULL: the watch looks at stop_fd by itself */
};

struct discovery {
    const struct discovery_backend *backend;
    void *state; /* the backend's */
    int stop_fd; /* eventfd, readable once discovery_stop() was called */
    int heartbeat_ms, ttl_ms;
};

extern const struct discovery_backend discovery_nodes, discovery_file, discovery_etcd, discovery_consul,
    discovery_token, discovery_zookeeper;

/* A new text in *reterr, always -1. */
int discovery_fail(char **reterr, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sleep until @p fd (-1: none) is readable, or for @p timeout_ms (-1: for ever). false: it is time to stop. */
bool discovery_sleep(const struct discovery *discovery, int fd, int timeout_ms);
/* Value of the last --discovery-opt @p key, NULL where there is none. */
const char *discovery_setting(const struct discovery_options *options, const char *key);

/* What a watcher was told last. All zero: nothing yet. */
struct told_lists {
    struct address_list addresses, left;
    bool any;
};
/* Tell the watcher the lists (both taken), unless the one of addresses is what it was and nobody else has left. */
void discovery_report(const struct discovery *discovery, struct told_lists *told, struct address_list *addresses,
                      struct address_list *left, const struct discovery_events *events, void *data);
void told_lists_finish(struct told_lists *told);

#endif
