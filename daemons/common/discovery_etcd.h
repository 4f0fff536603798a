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
    size_t endpoint; /* the one that answered last */
    char lease[24];  /* v3; "": none */
    bool announced;  /* the key may be there */
    bool refreshing; /* v2: the last announcement went well, so that a refresh of the TTL will do */
};

/* "https://h1:2379/v3/kv/range" */
char *etcd_url(const struct etcd *etcd, size_t endpoint, const char *path);
/* Where @p result says that the server lacks the API in use: take the other one, unless the user fixed it. Whether it
 * is worth another try. */
bool etcd_switch_api(struct etcd *etcd, const struct http_result *result);
/* Describe a failure for users: "etcd http://h1:2379: connection refused". New text, NULL for lack of memory. */
char *etcd_failure_text(const struct etcd *etcd, size_t endpoint, const struct http_result *result);

int etcd_announce(struct discovery *discovery, const char *address, char **reterr);
int etcd_leave(struct discovery *discovery, const char *address, char **reterr);
void etcd_watch(struct discovery *discovery, const struct discovery_events *events, void *data);

#endif
