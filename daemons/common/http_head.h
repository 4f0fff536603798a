/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP/1.x messages: parsed from a buffer, written to one. Pure functions; nothing is copied on parsing. The
 * grammar is RFC 9112's without its leniencies: no bare LF, no obs-fold, no blanks around a header's name, no message
 * with both lengths or two different ones. */
#ifndef COMMON_HTTP_HEAD_H
#define COMMON_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 65536 /* bytes of a whole head */
#define HTTP_HEADERS_MAX 128

struct slice {
    const char *at;
    size_t length;
};

struct http_header {
    struct slice name;
    struct slice value; /* without blanks around it */
};

struct http_head {
    struct slice method; /* requests */
    struct slice target; /* requests: origin-form ("/…"), "*" or absolute-form reduced to its path */
    int status;          /* responses */
    struct slice reason;
    int minor; /* HTTP/1.<minor>: 0 or 1 */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    /* What the framing headers amount to. */
    int64_t content_length; /* -1: none given */
    bool chunked;
    bool keep_alive; /* by version and Connection */
    bool expect_continue;
    struct slice upgrade; /* value of Upgrade where Connection names it, else empty */
};

/* Results of parsing beside 0 (a whole head). */
#define HTTP_HEAD_MORE 1 /* not complete yet */
enum http_head_error {
    HTTP_HEAD_BAD = -400,       /* malformed or ambiguous */
    HTTP_HEAD_TOO_LARGE = -431, /* longer than HTTP_HEAD_MAX or more headers than HTTP_HEADERS_MAX */
    HTTP_HEAD_VERSION = -505,   /* not HTTP/1.x */
    HTTP_HEAD_CODING = -501,    /* a transfer coding other than chunked */
};

/* @p ret_why: static text naming what is wrong ("two different Content-Length headers"), set on errors. */
int http_head_parse_request(struct http_head *head, const char *buffer, size_t length, size_t *ret_consumed,
                            const char **ret_why);
int http_head_parse_response(struct http_head *head, const char *buffer, size_t length, size_t *ret_consumed,
                             const char **ret_why);
/* First header of that name (case-insensitive), NULL if there is none. */
const struct http_header *http_head_find(const struct http_head *head, const char *name);
/* True where the comma list in header @p name holds @p token (case-insensitive). */
bool http_head_has_token(const struct http_head *head, const char *name, const char *token);
bool slice_is(struct slice slice, const char *text);
bool slice_is_nocase(struct slice slice, const char *text);

#endif
