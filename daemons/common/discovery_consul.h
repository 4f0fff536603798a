/* SPDX-License-Identifier: Apache-2.0 */
/* consul:// in its parts: discovery_consul.c opens, calls and announces, discovery_consul_watch.c watches. One thread
 * may announce while another watches. */
#ifndef COMMON_DISCOVERY_CONSUL_H
#define COMMON_DISCOVERY_CONSUL_H

#include "consul_wire.h"
#include "discovery_kv.h"
#include "discovery_private.h"

enum { CONSUL_CONNECT_TIMEOUT_MS = 2000, CONSUL_CALL_TIMEOUT_MS = 5000 };

struct consul {
    const struct discovery *discovery;
    struct kv_place place; /* one endpoint */
    char *token, *auth;    /* header lines, NULL: none */
    const char *headers[4];
    struct http_loop *loop; /* the watch's */
    /* The agent's side. */
    struct http_client *client;
    char session[CONSUL_SESSION_ID_MAX]; /* "": none */
    bool announced;                      /* the key may be there */
};

/* "https://host:8500/v1/kv/docker/swarm/nodes/10.0.0.1:2375?query"; @p query may be "". New text, NULL for lack of
 * memory. */
char *consul_url(const struct consul *consul, const char *prefix, const char *key, const char *query);
/* Describe a failure for users: "consul http://h:8500: connection refused". New text, NULL for lack of memory. */
char *consul_failure_text(const struct consul *consul, const struct http_result *result);

void consul_watch(struct discovery *discovery, const struct discovery_events *events, void *data);

#endif
