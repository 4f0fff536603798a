/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies by length, by close and in chunks (RFC 9112, 6 and 7). Chunk extensions and trailers are checked for their
 * form, bounded, and dropped. */
#include "http_body.h"

#include "http_grammar.h"

#define BAD_FRAMING (-400)
#define SIZE_DIGITS_MAX 15 /* hexadecimal: below 2^60 */
#define SIZE_LINE_MAX 1024 /* a chunk's size with its extensions */
#define TRAILERS_MAX (8 * 1024)

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    TRAILERS_LF,
    CHUNK_BAD,
};

static void init(struct http_body *body, enum http_framing framing, uint64_t length)
{
    *body = (struct http_body){.framing = framing, .left = length, .state = CHUNK_SIZE};
    body->done = framing == HTTP_BODY_NONE;
}

void http_body_init_request(struct http_body *body, const struct http_head *head)
{
    if (head->chunked)
        init(body, HTTP_BODY_CHUNKED, 0);
    else if (head->content_length > 0)
        init(body, HTTP_BODY_LENGTH, (uint64_t)head->content_length);
    else
        init(body, HTTP_BODY_NONE, 0);
}

void http_body_init_response(struct http_body *body, const struct http_head *head, bool to_head)
{
    if (head->status == 101)
        init(body, HTTP_BODY_UNTIL_CLOSE, 0);
    else if (to_head || head->status < 200 || head->status == 204 || head->status == 304)
        init(body, HTTP_BODY_NONE, 0);
    else if (head->chunked)
        init(body, HTTP_BODY_CHUNKED, 0);
    else if (head->content_length > 0)
        init(body, HTTP_BODY_LENGTH, (uint64_t)head->content_length);
    else if (head->content_length == 0)
        init(body, HTTP_BODY_NONE, 0);
    else
        init(body, HTTP_BODY_UNTIL_CLOSE, 0);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum chunk_state size_byte(struct http_body *body, char c)
{
    int digit = hex_digit(c);
    if (digit >= 0) {
        if (body->digits == SIZE_DIGITS_MAX)
            return CHUNK_BAD;
        body->digits++;
        body->left = body->left * 16 + (unsigned)digit;
        return CHUNK_SIZE;
    }
    if (body->digits == 0)
        return CHUNK_BAD;
    if (c == ';')
        return CHUNK_EXTENSION;
    return c == '\r' ? CHUNK_SIZE_LF : CHUNK_BAD;
}

/* The size line has ended. */
static enum chunk_state size_end(struct http_body *body, char c)
{
    if (c != '\n')
        return CHUNK_BAD;
    body->line = 0;
    body->digits = 0;
    return body->left > 0 ? CHUNK_DATA : TRAILER_START;
}

static enum chunk_state text_byte(char c, enum chunk_state same, enum chunk_state at_cr)
{
    if (c == '\r')
        return at_cr;
    return http_is_field_char(c) ? same : CHUNK_BAD;
}

static enum chunk_state trailer_name_byte(char c, bool first)
{
    if (http_is_token_char(c))
        return TRAILER_NAME;
    if (first)
        return c == '\r' ? TRAILERS_LF : CHUNK_BAD;
    return c == ':' ? TRAILER_VALUE : CHUNK_BAD;
}

/* The state after one byte that is not content. */
static enum chunk_state step(struct http_body *body, char c)
{
    switch ((enum chunk_state)body->state) {
    case CHUNK_SIZE:
        return ++body->line > SIZE_LINE_MAX ? CHUNK_BAD : size_byte(body, c);
    case CHUNK_EXTENSION:
        return ++body->line > SIZE_LINE_MAX ? CHUNK_BAD : text_byte(c, CHUNK_EXTENSION, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        return size_end(body, c);
    case CHUNK_DATA_CR:
        return c == '\r' ? CHUNK_DATA_LF : CHUNK_BAD;
    case CHUNK_DATA_LF:
        return c == '\n' ? CHUNK_SIZE : CHUNK_BAD;
    case TRAILER_START:
        return ++body->line > TRAILERS_MAX ? CHUNK_BAD : trailer_name_byte(c, true);
    case TRAILER_NAME:
        return ++body->line > TRAILERS_MAX ? CHUNK_BAD : trailer_name_byte(c, false);
    case TRAILER_VALUE:
        return ++body->line > TRAILERS_MAX ? CHUNK_BAD : text_byte(c, TRAILER_VALUE, TRAILER_LF);
    case TRAILER_LF:
        return c == '\n' ? TRAILER_START : CHUNK_BAD;
    case TRAILERS_LF:
        body->done = c == '\n';
        return body->done ? TRAILERS_LF : CHUNK_BAD;
    case CHUNK_DATA:
    case CHUNK_BAD:
        break;
    }
    return CHUNK_BAD;
}

static size_t take(struct http_body *body, size_t length)
{
    size_t taken = body->left < length ? (size_t)body->left : length;
    body->left -= taken;
    return taken;
}

static int next_of_chunks(struct http_body *body, const char *buffer, size_t length, size_t *ret_consumed,
                          const char **ret_data, size_t *ret_length)
{
    size_t used = 0;
    while (used < length && !body->done && body->state != CHUNK_DATA && body->state != CHUNK_BAD)
        body->state = (int)step(body, buffer[used++]);
    if (body->state == CHUNK_BAD)
        return BAD_FRAMING;
    if (used < length && body->state == CHUNK_DATA) {
        *ret_data = buffer + used;
        *ret_length = take(body, length - used);
        used += *ret_length;
        if (body->left == 0)
            body->state = CHUNK_DATA_CR;
    }
    *ret_consumed = used;
    return 0;
}

int http_body_next(struct http_body *body, const char *buffer, size_t length, size_t *ret_consumed,
                   const char **ret_data, size_t *ret_length)
{
    *ret_consumed = 0;
    *ret_data = NULL;
    *ret_length = 0;
    if (body->done || (length == 0 && body->state != CHUNK_BAD))
        return 0;
    if (body->framing == HTTP_BODY_CHUNKED)
        return next_of_chunks(body, buffer, length, ret_consumed, ret_data, ret_length);
    *ret_data = buffer;
    *ret_length = length;
    if (body->framing == HTTP_BODY_LENGTH) {
        *ret_length = take(body, length);
        body->done = body->left == 0;
    }
    *ret_consumed = *ret_length;
    return 0;
}

int http_body_closed(struct http_body *body)
{
    if (body->framing == HTTP_BODY_UNTIL_CLOSE)
        body->done = true;
    return body->done ? 0 : BAD_FRAMING;
}
