/* SPDX-License-Identifier: Apache-2.0 */
/* What a container list was asked for: parameters and filters of /containers/json, with dockerd's rules for each key
 * and `node` beside them. */
#ifndef MANAGE_CONTAINER_QUERY_H
#define MANAGE_CONTAINER_QUERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "filters.h"
#include "pool.h"

struct http_request;

struct container_query {
    bool all;
    bool size;
    int minor;  /* the client's API version is 1.<this> */
    long limit; /* 0 or less: none */
    json_t *filters;
    bool plain; /* there are none */
    struct filter name, id, status, node;
    bool span; /* `before` or `since` was given as a parameter: stopped ones are shown */
    /* Only those created before and after these; INT64_MAX and INT64_MIN where not asked. */
    int64_t before_ns, since_ns;
    /* What the engines were asked: {"<id>": <list entry>}; NULL where nothing needs them. */
    json_t *live;
    bool live_filters; /* only what is in `live` passes */
};

/* Read the request. -1 with the failure. Clear in any case. */
int container_query_read(struct container_query *query, struct pool *pool, struct http_request *request,
                         struct failure *failure);
void container_query_clear(struct container_query *query);
/* With the pool locked. */
bool container_query_passes(const struct container_query *query, const struct swarm_container *container);

/* container_live.c: ask the healthy engines for what only they know: sizes, and the filters `ancestor`, `publish`,
 * `expose` and `isolation`. An engine that does not answer in time has no containers that pass such a filter; it is
 * logged. Without locks. */
int container_query_ask_engines(struct container_query *query, struct pool *pool, struct failure *failure);

#endif
