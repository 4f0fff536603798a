/* SPDX-License-Identifier: Apache-2.0 */
/* A request and its answer over a connection that the caller has and keeps: what http_client_call() is to those who
 * leave connections to it, without its set-up for each call. */
#ifndef COMMON_HTTP_OVER_H
#define COMMON_HTTP_OVER_H

#include "http_client.h"
#include "stream.h"

/* What became of the connection. */
struct http_over_end {
    bool reusable;
    bool unanswered; /* it ended without a byte of an answer: of one that was kept idle, nothing was wrong but that */
};

/* @p target as in the request's first line, @p host as in its Host. Of the call its method, headers, body, time-outs,
 * give_up() and max_response count. result is filled in any case, clear it afterwards. 0 where its failure is HTTP_OK,
 * else -1. */
int http_over(struct stream *stream, const char *host, const char *target, const struct http_call *call,
              struct http_result *result, struct http_over_end *end);

#endif
