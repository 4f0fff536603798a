/* SPDX-License-Identifier: Apache-2.0 */
/* What a head's headers say about the length of the body and the life of the connection (RFC 9112, 6 and 9). Two
 * readings of one message are how requests are smuggled, so whatever allows two is refused. */
#include "http_head.h"

#include <string.h>

#include "http_grammar.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool slice_is(struct slice slice, const char *text)
{
    return slice.length == strlen(text) && memcmp(slice.at, text, slice.length) == 0;
}

bool slice_is_nocase(struct slice slice, const char *text)
{
    if (slice.length != strlen(text))
        return false;
    for (size_t i = 0; i < slice.length; i++)
        if (lower(slice.at[i]) != lower(text[i]))
            return false;
    return true;
}

const struct http_header *http_head_find(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (slice_is_nocase(head->headers[i].name, name))
            return &head->headers[i];
    return NULL;
}

bool http_list_next(struct slice *list, struct slice *ret_element)
{
    if (!list->at)
        return false;
    const char *comma = list->length ? memchr(list->at, ',', list->length) : NULL;
    struct slice element = {list->at, comma ? (size_t)(comma - list->at) : list->length};
    if (comma)
        *list = (struct slice){comma + 1, list->length - element.length - 1};
    else
        *list = (struct slice){NULL, 0};
    *ret_element = http_trim(element);
    return true;
}

bool http_head_has_token(const struct http_head *head, const char *name, const char *token)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (!slice_is_nocase(head->headers[i].name, name))
            continue;
        struct slice list = head->headers[i].value;
        struct slice element;
        while (http_list_next(&list, &element))
            if (slice_is_nocase(element, token))
                return true;
    }
    return false;
}

static int read_content_length(struct http_head *head, struct slice value, const char **ret_why)
{
    if (head->content_length >= 0) {
        *ret_why = "more than one Content-Length header";
        return HTTP_HEAD_BAD;
    }
    int64_t length = 0;
    for (size_t i = 0; i < value.length; i++) {
        int digit = value.at[i] - '0';
        if (digit < 0 || digit > 9 || length > (INT64_MAX - digit) / 10) {
            *ret_why = "Content-Length is not a number of bytes";
            return HTTP_HEAD_BAD;
        }
        length = length * 10 + digit;
    }
    if (value.length == 0) {
        *ret_why = "Content-Length is empty";
        return HTTP_HEAD_BAD;
    }
    head->content_length = length;
    return 0;
}

/* All of the lines together are one list of codings; only "chunked" alone is known. */
static int read_transfer_coding(struct http_head *head, struct slice value, bool *other, const char **ret_why)
{
    struct slice coding;
    while (http_list_next(&value, &coding)) {
        if (coding.length == 0) {
            *ret_why = "Transfer-Encoding has an empty element";
            return HTTP_HEAD_BAD;
        }
        if (head->chunked) {
            *ret_why = "Transfer-Encoding has something after chunked";
            return HTTP_HEAD_BAD;
        }
        if (slice_is_nocase(coding, "chunked"))
            head->chunked = true;
        else
            *other = true;
    }
    return 0;
}

static int read_lengths(struct http_head *head, const char **ret_why)
{
    bool other = false;
    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *header = &head->headers[i];
        int result = 0;
        if (slice_is_nocase(header->name, "Content-Length"))
            result = read_content_length(head, header->value, ret_why);
        else if (slice_is_nocase(header->name, "Transfer-Encoding"))
            result = read_transfer_coding(head, header->value, &other, ret_why);
        if (result != 0)
            return result;
    }
    if (!head->chunked && !other)
        return 0;
    if (head->content_length >= 0) {
        *ret_why = "both Content-Length and Transfer-Encoding";
        return HTTP_HEAD_BAD;
    }
    if (head->minor == 0) {
        *ret_why = "Transfer-Encoding in a message of HTTP/1.0";
        return HTTP_HEAD_BAD;
    }
    if (other) {
        *ret_why = "a transfer coding other than chunked";
        return HTTP_HEAD_CODING;
    }
    return 0;
}

static void read_connection(struct http_head *head)
{
    bool close = http_head_has_token(head, "Connection", "close");
    if (head->minor == 0)
        head->keep_alive = !close && http_head_has_token(head, "Connection", "keep-alive");
    else
        head->keep_alive = !close;
    /* Upgrade of an HTTP/1.0 message is to be ignored (RFC 9110, 7.8). */
    const struct http_header *upgrade = http_head_find(head, "Upgrade");
    if (upgrade && head->minor == 1 && http_head_has_token(head, "Connection", "upgrade"))
        head->upgrade = upgrade->value;
}

static int check_host(const struct http_head *head, const char **ret_why)
{
    const struct http_header *host = NULL;
    for (size_t i = 0; i < head->header_count; i++) {
        if (!slice_is_nocase(head->headers[i].name, "Host"))
            continue;
        if (host) {
            *ret_why = "more than one Host header";
            return HTTP_HEAD_BAD;
        }
        host = &head->headers[i];
    }
    if (!host) {
        *ret_why = "a request of HTTP/1.1 without a Host header";
        return head->minor == 0 ? 0 : HTTP_HEAD_BAD;
    }
    for (size_t i = 0; i < host->value.length; i++) {
        if (http_is_blank(host->value.at[i]) || host->value.at[i] == ',') {
            *ret_why = "the Host header names more than one host";
            return HTTP_HEAD_BAD;
        }
    }
    return 0;
}

int http_framing_of_request(struct http_head *head, const char **ret_why)
{
    int result = check_host(head, ret_why);
    if (result == 0)
        result = read_lengths(head, ret_why);
    if (result != 0)
        return result;
    read_connection(head);
    head->expect_continue = head->minor == 1 && http_head_has_token(head, "Expect", "100-continue");
    return 0;
}

int http_framing_of_response(struct http_head *head, const char **ret_why)
{
    int result = read_lengths(head, ret_why);
    if (result != 0)
        return result;
    read_connection(head);
    return 0;
}
