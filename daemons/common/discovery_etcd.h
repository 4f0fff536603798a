/* SPDX-License-Identifier: Apache-2.0 */
/* etcd:// in its parts: discovery_etcd.c opens and calls, discovery_etcd_announce.c registers, discovery_etcd_watch.c
 * watches. One thread may register while another watches. */
#ifndef COMMON_DISCOVERY_ETCD_H
#define COMMON_DISCOVERY_ETCD_H

#include <stdatomic.h>

#include "discovery_kv.h"
#include "discovery_private.h"
#include "etcd_wire.h"

enum {
    ETCD_CONNECT_TIMEOUT_MS = 2000,
    ETCD_CALL_TIMEOUT_MS = 5000, /* of an agent's small calls, and of probes */
};

struct etcd {
    const struct discovery *discovery;
    struct kv_place place;
    atomic_int api; /* 3, or 2 where the server does not know 3 or the user wants 2 */
    bool api_fixed; /* by the user */
    struct http_loop *loop;
    /* The agent's side. */
    struct http_client *client;
    int call_timeout_ms; /* of each endpoint */
    size_t max_response; /* bytes of an answer; 0: 1 MiB */
    size_t endpoint;     /* the one that answered last */
    char lease[24];      /* v3; "": none */
    bool announced;      /* the key may be there */
    bool refreshing;     /* v2: the last announcement went well, so that a refresh of the TTL will do */
};

/* "https://h1:2379/v3/kv/range" */
char *etcd_url(const struct etcd *etcd, size_t endpoint, const char *path);
struct etcd_question {
    const char *method;
    const char *path; /* escaped, with the query; NULL: there was no memory for it */
    const char *body; /* JSON, or a form; NULL: none */
    bool form;
};
/* Endpoint after endpoint, from the one that answered last on, until one answers for good or ill; one that fails by
 * itself (5xx) is passed over too. Agent's side. 0 with *result, or -1 with *reterr new text. */
int etcd_call(struct etcd *etcd, const struct etcd_question *question, struct http_result *result, char **reterr);
/* Where @p result says that the server lacks the API in use: take the other one, unless the user fixed it. Whether it
 * is worth another try. */
bool etcd_switch_api(struct etcd *etcd, const struct http_result *result);
/* Describe a failure for users: "etcd http://h1:2379: connection refused". New text, NULL for lack of memory. */
char *etcd_failure_text(const struct etcd *etcd, size_t endpoint, const struct http_result *result);

/* One call of v3; takes @p body. 0 with *result for any answer that etcd gave. */
int etcd_call_v3(struct etcd *etcd, const char *path, char *body, struct http_result *result, char **reterr);
/* Ends a call whose answer is not what it should be: -1 with *reterr. */
int etcd_refuse(const struct etcd *etcd, const struct http_result *result, char **reterr);
/* etcd->lease stays "" where the server turned out not to know v3. *ret_ttl_s: its time, NULL: not wanted. */
int etcd_grant(struct etcd *etcd, int64_t ttl_s, int64_t *ret_ttl_s, char **reterr);
/* Where the lease is gone, etcd->lease becomes "". */
int etcd_keep_alive(struct etcd *etcd, char **reterr);
/* With all that was put under it. */
int etcd_revoke(struct etcd *etcd, char **reterr);
int etcd_announce(struct discovery *discovery, const char *address, char **reterr);
int etcd_leave(struct discovery *discovery, const char *address, char **reterr);
void etcd_watch(struct discovery *discovery, const struct discovery_events *events, void *data);

#endif
