/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values of one writer in the store that discovery uses, below "<prefix>/docker/swarm/records": what agents
 * and managers that know nothing of it never look at.
 *
 * Whoever begins to write puts a key of its own there first, "writer", and every later change is made only while that
 * key is as it was left: a writer that was replaced changes nothing any more, however late its requests arrive. With a
 * lock (lock.h) that has to be held, too, as it was when it was got. What etcd's v3 API, Consul and ZooKeeper do in one
 * step, etcd's v2 API cannot: there the key is looked at right before a few changes are made one by one.
 *
 * One thread at a time. */
#ifndef COMMON_KV_STORE_H
#define COMMON_KV_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct discovery;
struct kv_store;

struct kv_change {
    const char *key;
    const char *value; /* NULL: remove it; one that is not there is no failure */
    size_t length;
};

/* Borrowed until it returns. Not 0: stop. */
typedef int (*kv_store_fn)(void *data, const char *key, const char *value, size_t length);

/* What is no success and no failure: somebody else writes there now, or holds the lock. */
enum { KV_STORE_LOST = 1 };

/* Whether that kind of discovery has one. */
bool kv_store_is_there(const struct discovery *discovery);
/* @p discovery is borrowed until kv_store_free(), and may be used meanwhile. Contacts nobody. -1 with *reterr new text,
 * also where the directory of the nodes has the records in it. */
int kv_store_new(struct kv_store **ret, struct discovery *discovery, char **reterr);
void kv_store_free(struct kv_store *store);
/* "etcd://host:2379,.../docker/swarm/records", for people; borrowed. */
const char *kv_store_place(const struct kv_store *store);
/* Whether it looks at the writer and makes the changes in one step. */
bool kv_store_is_guarded(const struct kv_store *store);
/* So many changes are made at once at most, and so many bytes of keys and values. */
void kv_store_limits(const struct kv_store *store, size_t *ret_changes, size_t *ret_bytes);

/* The rest: -1 with *reterr new text. */
/* What the present writer said of itself; *ret new text, NULL: there is none. */
int kv_store_writer(struct kv_store *store, char **ret, char **reterr);
/* Write from now on, and say that of oneself. @p term: the lock's, which is held; 0: there is none, and nobody may hold
 * one. 0, KV_STORE_LOST, or -1. */
int kv_store_begin(struct kv_store *store, uint64_t term, const char *writer, char **reterr);
/* Each key from @p from on and before @p to, in no order. */
int kv_store_load(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data, char **reterr);
/* All of them or none (v2: those up to the one that failed); within the limits. 0, KV_STORE_LOST, or -1: they may have
 * been made, and may be made again. */
int kv_store_apply(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr);

#endif
