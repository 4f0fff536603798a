/* SPDX-License-Identifier: Apache-2.0 */
/* etcd's v2 API, which has no transactions: kv_store_etcd_v2.c. As kv_store_private.h has it. */
#ifndef COMMON_KV_STORE_ETCD_H
#define COMMON_KV_STORE_ETCD_H

#include "discovery_etcd.h"
#include "kv_store_private.h"

int kv_store_v2_writer(struct kv_store *store, char **ret, char **reterr);
int kv_store_v2_begin(struct kv_store *store, const char *writer, char **reterr);
int kv_store_v2_load(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data,
                     char **reterr);
int kv_store_v2_apply(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr);

#endif
