/* SPDX-License-Identifier: Apache-2.0 */
/* What a store's kind of kv_store provides; as kv_store.h has it. */
#ifndef COMMON_KV_STORE_PRIVATE_H
#define COMMON_KV_STORE_PRIVATE_H

#include "discovery_kv.h"
#include "discovery_private.h"
#include "kv_store.h"

#define KV_STORE_WRITER "writer"

struct kv_store_backend {
    size_t changes_max, bytes_max;
    /* Sets store->state and store->place. On failure nothing is left to close. */
    int (*open)(struct kv_store *store, struct discovery *discovery, char **reterr);
    void (*close)(struct kv_store *store);
    int (*writer)(struct kv_store *store, char **ret, char **reterr);
    int (*begin)(struct kv_store *store, const char *writer, char **reterr); /* sets store->mark */
    int (*load)(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data, char **reterr);
    int (*apply)(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr);
};

struct kv_store {
    const struct kv_store_backend *backend;
    void *state; /* the backend's */
    const struct kv_place *place;
    char *shown;
    uint64_t term;  /* of the lock, 0: there is none */
    bool unguarded; /* somebody else may take over between a look and a change */
    int64_t mark;   /* what tells our writer's key from anybody else's */
};

extern const struct kv_store_backend kv_store_etcd, kv_store_consul, kv_store_zookeeper;

#endif
