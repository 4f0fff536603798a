/* SPDX-License-Identifier: Apache-2.0 */
/* consul:// in its parts: discovery_consul.c opens, calls and announces, discovery_consul_watch.c watches. One thread
 * may announce while another watches. */
#ifndef COMMON_DISCOVERY_CONSUL_H
#define COMMON_DISCOVERY_CONSUL_H

#include "consul_wire.h"
#include "discovery_kv.h"
#include "discovery_private.h"

enum {
    CONSUL_CONNECT_TIMEOUT_MS = 2000,
    CONSUL_CALL_TIMEOUT_MS = 5000,
    CONSUL_TTL_MIN_S = 10, /* of sessions: Consul's own bounds */
    CONSUL_TTL_MAX_S = 86400,
};

struct consul {
    const struct discovery *discovery;
    struct kv_place place; /* one endpoint */
    char *token, *auth;    /* header lines, NULL: none */
    const char *headers[4];
    struct http_loop *loop; /* the watch's */
    /* The agent's side. */
    struct http_client *client;
    int call_timeout_ms;
    size_t max_response;                 /* bytes of an answer; 0: 1 MiB */
    char session[CONSUL_SESSION_ID_MAX]; /* "": none */
    bool announced;                      /* the key may be there */
};

/* "https://host:8500/v1/kv/docker/swarm/nodes/10.0.0.1:2375?query"; @p query may be "". New text, NULL for lack of
 * memory. */
char *consul_url(const struct consul *consul, const char *prefix, const char *key, const char *query);
/* Describe a failure for users: "consul http://h:8500: connection refused". New text, NULL for lack of memory. */
char *consul_failure_text(const struct consul *consul, const struct http_result *result);

/* One call; takes @p url and @p body. 0 with *result for any answer but a failure of Consul's own (5xx). Agent's side,
 * as are those below. */
int consul_call(struct consul *consul, const char *method, char *url, char *body, struct http_result *result,
                char **reterr);
/* consul->session becomes a new one, as @p request (taken) asks for. *ret_too_short: Consul wants a longer TTL. */
int consul_create_session(struct consul *consul, char *request, bool *ret_too_short, char **reterr);
/* Where the session is gone, consul->session becomes "". */
int consul_renew(struct consul *consul, char **reterr);
/* As the leader of the servers has it now. */
int consul_look(struct consul *consul, const char *key, struct consul_key *ret, char **reterr);
/* Put the key for our session; *ret_done: no other holds it. */
int consul_acquire(struct consul *consul, const char *key, const char *value, bool *ret_done, char **reterr);
/* Its behaviour says what becomes of its keys. */
int consul_destroy_session(struct consul *consul, char **reterr);

void consul_watch(struct discovery *discovery, const struct discovery_events *events, void *data);

#endif
