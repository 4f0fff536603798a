/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a head: start line and headers (RFC 9112, sections 2 to 5). What the headers mean for the connection is
 * http_framing.c's. */
#include "http_head.h"

#include <string.h>

#include "http_grammar.h"

/* Where parsing is; lines are taken off its front. */
struct cursor {
    const char *at;
    const char *limit;
    bool full; /* limit is where HTTP_HEAD_MAX is reached, not where the bytes end */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool http_is_token(struct slice slice)
{
    if (slice.length == 0)
        return false;
    for (size_t i = 0; i < slice.length; i++)
        if (!http_is_token_char(slice.at[i]))
            return false;
    return true;
}

bool http_is_field_text(struct slice slice)
{
    for (size_t i = 0; i < slice.length; i++)
        if (!http_is_field_char(slice.at[i]))
            return false;
    return true;
}

struct slice http_trim(struct slice slice)
{
    while (slice.length > 0 && http_is_blank(slice.at[0])) {
        slice.at++;
        slice.length--;
    }
    while (slice.length > 0 && http_is_blank(slice.at[slice.length - 1]))
        slice.length--;
    return slice;
}

/* The next line without its CRLF. A lone CR inside is left in: no part of a head may hold one. */
static int take_line(struct cursor *cursor, struct slice *ret_line, const char **ret_why)
{
    const char *feed = memchr(cursor->at, '\n', (size_t)(cursor->limit - cursor->at));
    if (!feed) {
        if (!cursor->full)
            return HTTP_HEAD_MORE;
        *ret_why = "the head is longer than 64 KiB";
        return HTTP_HEAD_TOO_LARGE;
    }
    if (feed == cursor->at || feed[-1] != '\r') {
        *ret_why = "a line ends with LF in place of CRLF";
        return HTTP_HEAD_BAD;
    }
    ret_line->at = cursor->at;
    ret_line->length = (size_t)(feed - 1 - cursor->at);
    cursor->at = feed + 1;
    return 0;
}

static int parse_header(struct http_head *head, struct slice line, const char **ret_why)
{
    if (http_is_blank(line.at[0])) {
        *ret_why = "a header line begins with a blank";
        return HTTP_HEAD_BAD;
    }
    const char *colon = memchr(line.at, ':', line.length);
    if (!colon) {
        *ret_why = "a header line has no colon";
        return HTTP_HEAD_BAD;
    }
    struct slice name = {line.at, (size_t)(colon - line.at)};
    struct slice value = {colon + 1, line.length - name.length - 1};
    if (!http_is_token(name)) {
        *ret_why = "a header's name is empty or has a byte that no name may have";
        return HTTP_HEAD_BAD;
    }
    if (!http_is_field_text(value)) {
        *ret_why = "a header's value has a control byte";
        return HTTP_HEAD_BAD;
    }
    if (head->header_count == HTTP_HEADERS_MAX) {
        *ret_why = "the head has more than 128 headers";
        return HTTP_HEAD_TOO_LARGE;
    }
    head->headers[head->header_count++] = (struct http_header){name, http_trim(value)};
    return 0;
}

/* Header lines up to and with the empty line. */
static int parse_headers(struct http_head *head, struct cursor *cursor, const char **ret_why)
{
    for (;;) {
        struct slice line;
        int result = take_line(cursor, &line, ret_why);
        if (result != 0)
            return result;
        if (line.length == 0)
            return 0;
        result = parse_header(head, line, ret_why);
        if (result != 0)
            return result;
    }
}

static int parse_version(struct slice text, int *ret_minor, const char **ret_why)
{
    if (text.length != 8 || memcmp(text.at, "HTTP/", 5) != 0 || !is_digit(text.at[5]) || text.at[6] != '.' ||
        !is_digit(text.at[7])) {
        *ret_why = "the first line has no HTTP version";
        return HTTP_HEAD_BAD;
    }
    if (text.at[5] != '1' || text.at[7] > '1') {
        *ret_why = "the HTTP version is neither 1.0 nor 1.1";
        return HTTP_HEAD_VERSION;
    }
    *ret_minor = text.at[7] - '0';
    return 0;
}

/* "http://host[:port]/path" to "/path". */
static int reduce_absolute(struct slice *target, const char **ret_why)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i]);
        if (target->length <= length || !slice_is_nocase((struct slice){target->at, length}, schemes[i]))
            continue;
        const char *host = target->at + length;
        size_t rest = target->length - length;
        size_t host_length = 0;
        while (host_length < rest && host[host_length] != '/' && host[host_length] != '?')
            host_length++;
        if (host_length == 0 || (host_length < rest && host[host_length] == '?'))
            break;
        *target = host_length == rest ? (struct slice){"/", 1} : (struct slice){host + host_length, rest - host_length};
        return 0;
    }
    *ret_why = "the request target is neither a path nor an absolute http URL";
    return HTTP_HEAD_BAD;
}

static int check_target(struct http_head *head, const char **ret_why)
{
    struct slice target = head->target;
    for (size_t i = 0; i < target.length; i++) {
        if (target.at[i] <= ' ' || target.at[i] >= 0x7f || target.at[i] == '#') {
            *ret_why = "the request target has a byte that must be percent-encoded";
            return HTTP_HEAD_BAD;
        }
    }
    if (target.length > 0 && target.at[0] == '/')
        return 0;
    if (slice_is(target, "*")) {
        if (slice_is(head->method, "OPTIONS"))
            return 0;
        *ret_why = "the request target * is for OPTIONS only";
        return HTTP_HEAD_BAD;
    }
    return reduce_absolute(&head->target, ret_why);
}

static int parse_request_line(struct http_head *head, struct slice line, const char **ret_why)
{
    const char *end = line.at + line.length;
    const char *first = memchr(line.at, ' ', line.length);
    const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    if (!second) {
        *ret_why = "the first line is not \"method target version\"";
        return HTTP_HEAD_BAD;
    }
    head->method = (struct slice){line.at, (size_t)(first - line.at)};
    head->target = (struct slice){first + 1, (size_t)(second - first - 1)};
    if (!http_is_token(head->method)) {
        *ret_why = "the method is not a token";
        return HTTP_HEAD_BAD;
    }
    int result = parse_version((struct slice){second + 1, (size_t)(end - second - 1)}, &head->minor, ret_why);
    return result != 0 ? result : check_target(head, ret_why);
}

static int parse_status_line(struct http_head *head, struct slice line, const char **ret_why)
{
    struct slice version = {line.at, line.length < 8 ? line.length : 8};
    int result = parse_version(version, &head->minor, ret_why);
    if (result != 0)
        return result;
    const char *code = line.at + 9;
    if (line.length < 13 || line.at[8] != ' ' || line.at[12] != ' ' || code[0] < '1' || code[0] > '5' ||
        !is_digit(code[1]) || !is_digit(code[2])) {
        *ret_why = "the first line is not \"version status reason\"";
        return HTTP_HEAD_BAD;
    }
    head->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    head->reason = (struct slice){line.at + 13, line.length - 13};
    if (!http_is_field_text(head->reason)) {
        *ret_why = "the reason has a control byte";
        return HTTP_HEAD_BAD;
    }
    return 0;
}

typedef int (*start_line_parser)(struct http_head *head, struct slice line, const char **ret_why);
typedef int (*framing_reader)(struct http_head *head, const char **ret_why);

static int parse(struct http_head *head, struct cursor *cursor, start_line_parser start_line, framing_reader framing,
                 const char **ret_why)
{
    struct slice line;
    int result = take_line(cursor, &line, ret_why);
    if (result == 0)
        result = start_line(head, line, ret_why);
    if (result == 0)
        result = parse_headers(head, cursor, ret_why);
    if (result == 0)
        result = framing(head, ret_why);
    return result;
}

static void begin(struct http_head *head, struct cursor *cursor, const char *buffer, size_t length)
{
    /* The header array is not cleared: only its first header_count entries mean anything. */
    head->method = head->target = head->reason = head->upgrade = (struct slice){"", 0};
    head->status = 0;
    head->minor = 0;
    head->header_count = 0;
    head->content_length = -1;
    head->chunked = head->keep_alive = head->expect_continue = false;
    cursor->at = buffer;
    cursor->full = length >= HTTP_HEAD_MAX;
    cursor->limit = buffer + (cursor->full ? HTTP_HEAD_MAX : length);
}

int http_head_parse_request(struct http_head *head, const char *buffer, size_t length, size_t *ret_consumed,
                            const char **ret_why)
{
    struct cursor cursor;
    begin(head, &cursor, buffer, length);
    /* One empty line before a request is left over from a client that ends a body with one (RFC 9112, 2.2). */
    if (length >= 2 && buffer[0] == '\r' && buffer[1] == '\n')
        cursor.at += 2;
    int result = parse(head, &cursor, parse_request_line, http_framing_of_request, ret_why);
    if (result == 0)
        *ret_consumed = (size_t)(cursor.at - buffer);
    return result;
}

int http_head_parse_response(struct http_head *head, const char *buffer, size_t length, size_t *ret_consumed,
                             const char **ret_why)
{
    struct cursor cursor;
    begin(head, &cursor, buffer, length);
    int result = parse(head, &cursor, parse_status_line, http_framing_of_response, ret_why);
    if (result == 0)
        *ret_consumed = (size_t)(cursor.at - buffer);
    return result;
}
