/* SPDX-License-Identifier: Apache-2.0 */
/* etcd's two languages as texts: v3 through its JSON gateway (keys and values in base64, 64-bit numbers as strings),
 * and the v2 keys API. Pure functions; requests come out as new text, NULL for lack of memory. */
#ifndef COMMON_ETCD_WIRE_H
#define COMMON_ETCD_WIRE_H

#include <stdint.h>

#include "http_client.h"
#include "kv_store.h"
#include "kv_table.h"

struct etcd_key {
    bool present;
    char lease[24];
    int64_t created;  /* create_revision, 0 where not present */
    int64_t revision; /* that the answer stands for */
    char *value;      /* NULL where not present or no text, else new text */
};

/* The same in v2. */
struct etcd_v2_key {
    int64_t created, modified; /* indexes */
    char *value;               /* new text */
};

/* What has to hold for a transaction to be carried out. */
struct etcd_guard {
    const char *key;
    int64_t created;  /* its create_revision, 0: it is not there; -1: not asked for */
    int64_t modified; /* its mod_revision; -1: not asked for */
};

/* Requests of v3. */
char *etcd_range_request(const char *directory, bool count_only);
char *etcd_key_request(const char *key);
char *etcd_watch_request(const char *directory, int64_t from_revision);
char *etcd_put_request(const char *key, const char *value, const char *lease);
char *etcd_grant_request(int64_t ttl_s);
char *etcd_lease_request(const char *lease); /* keep alive, revoke */
/* Put the key where there is none, else ask for it. */
char *etcd_acquire_request(const char *key, const char *value, const char *lease);
char *etcd_watch_key_request(const char *key, int64_t from_revision);
/* Keys from @p from on and before @p to, so many at most, as they were at that revision; 0: as they are. */
char *etcd_page_request(const char *from, const char *to, int limit, int64_t revision);
/* All of the changes to keys below "<root>/", or none. */
char *etcd_guarded_request(const struct etcd_guard *guards, size_t guard_count, const char *root,
                           const struct kv_change *changes, size_t count);

/* Answers of v3: 0, or -1 where the text is not what etcd would say. */
int etcd_parse_range(const char *text, struct kv_table *table, int64_t *ret_revision);
int etcd_parse_count(const char *text, int64_t *ret_count);
int etcd_parse_key(const char *text, struct etcd_key *ret);
/* *ret_ttl_s: what the server made of the time asked for; NULL: not wanted. */
int etcd_parse_grant(const char *text, char *lease, size_t size, int64_t *ret_ttl_s);
/* *ret_put: the key was put, at ret->revision. Else *ret is the one that is there. */
int etcd_parse_acquire(const char *text, bool *ret_put, struct etcd_key *ret);
/* *ret_done: the guards held, and the changes were made at that revision. */
int etcd_parse_guarded(const char *text, bool *ret_done, int64_t *ret_revision);
/* Each key and value goes to @p fn, which gets keys without their first @p skip bytes. *ret_next: new text, the key to
 * go on from; NULL: that was all. */
int etcd_parse_page(const char *text, size_t skip, kv_store_fn fn, void *data, char **ret_next, int64_t *ret_revision);
/* Whether the lease lives on. */
int etcd_parse_keep_alive(const char *text, bool *ret_alive);

enum etcd_event {
    ETCD_NOTHING, /* created, progress, a change that does not matter */
    ETCD_CHANGED, /* the table changed */
    ETCD_LIST,    /* list again: compacted, cancelled, or the whole directory went */
    ETCD_BROKEN,  /* not etcd's */
};
/* Apply one line of a watch's answer to @p table. */
enum etcd_event etcd_apply_watch(const char *text, struct kv_table *table);

/* v2. Keys in the table have no leading slash, as in v3. */
int etcd_parse_v2_list(const char *text, struct kv_table *table);
int etcd_parse_v2_key(const char *text, struct etcd_v2_key *ret);
/* The answer to one wait; *ret_index: of the change. */
enum etcd_event etcd_apply_v2_event(const char *text, const char *directory, struct kv_table *table,
                                    int64_t *ret_index);
/* errorCode of a v2 answer, 0 where there is none. */
int etcd_v2_error(const struct http_result *result);
/* "/v2/keys/docker/swarm/nodes/10.0.0.1:2375", escaped. */
char *etcd_v2_path(const char *key);

/* Whether the server does not know the API at all (a 404 that is no answer of it). */
bool etcd_api_missing(const struct http_result *result);
/* What went wrong, from curl's or etcd's words. */
void etcd_describe(char *buffer, size_t size, const struct http_result *result);

#endif
