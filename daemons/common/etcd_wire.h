/* SPDX-License-Identifier: Apache-2.0 */
/* etcd's two languages as texts: v3 through its JSON gateway (keys and values in base64, 64-bit numbers as strings),
 * and the v2 keys API. Pure functions; requests come out as new text, NULL for lack of memory. */
#ifndef COMMON_ETCD_WIRE_H
#define COMMON_ETCD_WIRE_H

#include <stdint.h>

#include "http_client.h"
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

/* Answers of v3: 0, or -1 where the text is not what etcd would say. */
int etcd_parse_range(const char *text, struct kv_table *table, int64_t *ret_revision);
int etcd_parse_count(const char *text, int64_t *ret_count);
int etcd_parse_key(const char *text, struct etcd_key *ret);
/* *ret_ttl_s: what the server made of the time asked for; NULL: not wanted. */
int etcd_parse_grant(const char *text, char *lease, size_t size, int64_t *ret_ttl_s);
/* *ret_put: the key was put, at ret->revision. Else *ret is the one that is there. */
int etcd_parse_acquire(const char *text, bool *ret_put, struct etcd_key *ret);
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
