/* SPDX-License-Identifier: Apache-2.0 */
/* How keys lie in stores that answer with whole directories: in 64 of them for each kind of key, so that an answer has
 * a bounded part of all. "kept/container/NODE/ID" is at "kept/container/3f/NODE%2FID". */
#ifndef COMMON_KV_BUCKET_H
#define COMMON_KV_BUCKET_H

#include "kv_store.h"

/* New text, NULL for lack of memory. */
char *kv_bucket_path(const char *key);

/* What a store can do. */
struct kv_bucket_ops {
    /* What is directly below a directory of the records ("": their own); *ret new, NULL-ended, for
     * kv_bucket_names_free(); empty where the directory is not there. -1 with *reterr new text. */
    int (*names)(struct kv_store *store, const char *directory, char ***ret, char **reterr);
    /* Tell each name directly below it, and its value. -1 with *reterr new text. */
    int (*read)(struct kv_store *store, const char *directory, kv_store_fn fn, void *data, char **reterr);
};
void kv_bucket_names_free(char **names);
/* Add a copy, in front of the NULL. -1 for lack of memory. */
int kv_bucket_names_add(char ***names, const char *name, size_t length);
/* As kv_store_load(). */
int kv_bucket_load(struct kv_store *store, const struct kv_bucket_ops *ops, const char *from, const char *to,
                   kv_store_fn fn, void *data, char **reterr);

#endif
