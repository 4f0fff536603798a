/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of HTTP's grammar (RFC 9110, 5.6) that the parsers of heads and bodies share. Bytes are compared as ASCII,
 * whatever the locale. */
#ifndef COMMON_HTTP_GRAMMAR_H
#define COMMON_HTTP_GRAMMAR_H

#include <stdint.h>
#include <string.h>

#include "http_head.h"

static inline bool http_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Letters, digits and !#$%&'*+-.^_`|~, a bit each. */
static inline bool http_is_token_char(char c)
{
    static const uint64_t tokens[4] = {UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)};
    unsigned char byte = (unsigned char)c;
    return tokens[byte / 64] >> byte % 64 & 1;
}

/* Visible bytes, those beyond ASCII, and blanks: no control byte, so no CR, LF or NUL. */
static inline bool http_is_field_char(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool http_is_token(struct slice slice);
bool http_is_field_text(struct slice slice);
struct slice http_trim(struct slice slice);

/* Take the next element off the comma list @p list. False where none is left. */
bool http_list_next(struct slice *list, struct slice *ret_element);

/* Fill in what the headers amount to, refuse what is ambiguous. */
int http_framing_of_request(struct http_head *head, const char **ret_why);
int http_framing_of_response(struct http_head *head, const char **ret_why);

#endif
