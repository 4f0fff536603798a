/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values, sorted by key: what a watcher knows of a directory in a store. */
#ifndef COMMON_KV_TABLE_H
#define COMMON_KV_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct kv_pair {
    char *key, *value;
};

struct kv_table {
    struct kv_pair *pairs;
    size_t count, capacity;
};

/* Borrowed until the table changes; NULL: no such key. */
const char *kv_table_get(const struct kv_table *table, const char *key);
/* Both texts are copied. -1 for lack of memory. */
int kv_table_put(struct kv_table *table, const char *key, const char *value);
void kv_table_remove(struct kv_table *table, const char *key);
void kv_table_clear(struct kv_table *table);

#endif
