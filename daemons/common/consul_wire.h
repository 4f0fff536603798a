/* SPDX-License-Identifier: Apache-2.0 */
/* Consul's KV and session calls as texts: what is sent, what comes back. Pure functions; requests come out as new text,
 * NULL for lack of memory. */
#ifndef COMMON_CONSUL_WIRE_H
#define COMMON_CONSUL_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "http_client.h"
#include "kv_table.h"

enum { CONSUL_SESSION_ID_MAX = 64 };

struct consul_key {
    bool present;
    int64_t modified;                    /* ModifyIndex, 0 where not present */
    char session[CONSUL_SESSION_ID_MAX]; /* that holds it, "": none */
    char *value;                         /* NULL where not present or no text, else new text */
};

/* A session that takes its keys along when it ends. */
char *consul_session_request(const char *name, int64_t ttl_s);
/* One that lets its keys go when it ends, which only its TTL decides: no check of the node does. */
char *consul_lock_session_request(const char *name, int64_t ttl_s);
/* 0, or -1 where the text is not what Consul would say. */
int consul_parse_session(const char *text, char *id, size_t size);
/* Of one key; NULL: a 404, there is none. */
int consul_parse_key(const char *text, struct consul_key *ret);
/* Of a recursive list. */
int consul_parse_list(const char *text, struct kv_table *table);
/* X-Consul-Index; 0 where there is none. */
int64_t consul_index(const struct http_result *result);
/* What went wrong, from curl's or Consul's words. */
void consul_describe(char *buffer, size_t size, const struct http_result *result);

#endif
