/* SPDX-License-Identifier: Apache-2.0 */
/* The framing of HTTP/1.1 bodies: tells which bytes of a buffer are content. Pure functions over buffers. */
#ifndef COMMON_HTTP_BODY_H
#define COMMON_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_head.h"

enum http_framing { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };

struct http_body {
    enum http_framing framing;
    bool done;
    uint64_t left; /* of the length, or of the chunk */
    int state;     /* of the chunk parser */
    unsigned line; /* bytes of the chunk-size line or trailers so far, bounded */
    unsigned digits;
};

void http_body_init_request(struct http_body *body, const struct http_head *head);
/* @p to_head: the request was a HEAD. 1xx, 204 and 304 have no body. A 101, or a 200 to an upgrade without length and
 * coding, is UNTIL_CLOSE: the caller hijacks. */
void http_body_init_response(struct http_body *body, const struct http_head *head, bool to_head);

/* Take the next piece of content out of @p buffer: *ret_data (NULL where none) and *ret_length; *ret_consumed bytes of
 * the buffer are done with. Call again until it consumes nothing. 0, or -400 for bad framing. */
int http_body_next(struct http_body *body, const char *buffer, size_t length, size_t *ret_consumed,
                   const char **ret_data, size_t *ret_length);
/* The peer closed: 0 where the body may end here, -400 where it is cut short. */
int http_body_closed(struct http_body *body);

#endif
