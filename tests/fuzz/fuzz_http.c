/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of both kinds and the bodies after them. Whatever the bytes: they are read alike in one piece and in many, no
 * more is consumed than there is, no accepted message has two lengths, and accepted chunks decode to what a second,
 * plain decoder makes of them.
 *
 * Input: 'q' for a request or 'r' for a response (by the lowest bit), a byte that chooses the splits, then the message.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_body.h"
#include "http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(condition) check_at((condition), #condition, __LINE__)

static void check_at(bool holds, const char *condition, int line)
{
    if (holds)
        return;
    fprintf(stderr, "line %d: does not hold: %s\n", line, condition);
    abort();
}

struct message {
    bool request;
    const char *text;
    size_t length;
    unsigned split; /* seed of the pieces' sizes */
};

/* Allocated to size, so that a byte too far is noticed. */
static char *copy_of(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    check(copy != NULL);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

static size_t next_size(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return 1 + (*seed >> 16) % (1u + (*seed >> 8) % 64u);
}

static int parse(const struct message *message, struct http_head *head, const char *text, size_t length,
                 size_t *ret_consumed)
{
    const char *why = NULL;
    int result = message->request ? http_head_parse_request(head, text, length, ret_consumed, &why)
                                  : http_head_parse_response(head, text, length, ret_consumed, &why);
    check(result <= HTTP_HEAD_MORE);
    check(result >= 0 || why != NULL);
    if (result == 0)
        check(*ret_consumed > 0 && *ret_consumed <= length && *ret_consumed <= HTTP_HEAD_MAX);
    return result;
}

/* In growing prefixes, as it comes from a socket. */
static int parse_in_pieces(const struct message *message, size_t *ret_consumed)
{
    unsigned seed = message->split;
    size_t length = 0;
    for (;;) {
        struct http_head head;
        char *copy = copy_of(message->text, length);
        int result = parse(message, &head, copy, length, ret_consumed);
        free(copy);
        if (result != HTTP_HEAD_MORE || length == message->length)
            return result;
        length += next_size(&seed);
        if (length > message->length)
            length = message->length;
    }
}

static void check_slice(struct slice slice, const char *text, size_t length)
{
    /* What is not a part of the text is constant: "" or "/". */
    if (slice.at >= text && slice.at <= text + length)
        check(slice.length <= (size_t)(text + length - slice.at));
    else
        check(slice.length <= 1);
    for (size_t i = 0; i < slice.length; i++)
        check(slice.at[i] == '\t' || ((unsigned char)slice.at[i] >= ' ' && slice.at[i] != 0x7f));
}

static void check_head(const struct message *message, const struct http_head *head, const char *text, size_t length)
{
    int lengths = 0, codings = 0, hosts = 0;
    check(head->header_count <= HTTP_HEADERS_MAX);
    check_slice(head->method, text, length);
    check_slice(head->target, text, length);
    check_slice(head->reason, text, length);
    check_slice(head->upgrade, text, length);
    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *header = &head->headers[i];
        check_slice(header->name, text, length);
        check_slice(header->value, text, length);
        check(header->name.length > 0 && !memchr(header->name.at, ' ', header->name.length));
        lengths += slice_is_nocase(header->name, "content-length");
        codings += slice_is_nocase(header->name, "transfer-encoding");
        hosts += slice_is_nocase(header->name, "host");
    }
    check(lengths <= 1);
    check((lengths == 1) == (head->content_length >= 0));
    check((codings > 0) == head->chunked);
    check(!(head->chunked && lengths > 0));
    check(!head->chunked || head->minor == 1);
    if (message->request) {
        check(hosts == 1 || (hosts == 0 && head->minor == 0));
        check(head->method.length > 0 && head->target.length > 0);
        check(head->target.at[0] == '/' || slice_is(head->target, "*"));
    } else {
        check(head->status >= 100 && head->status <= 599);
    }
}

struct taken {
    int result;
    bool done;
    size_t consumed;
    size_t length;
    char *content;
};

static void take_piece(struct http_body *body, struct taken *taken, const char *text, size_t length)
{
    char *copy = copy_of(text, length);
    for (size_t at = 0;;) {
        const char *data;
        size_t consumed, got;
        taken->result = http_body_next(body, copy + at, length - at, &consumed, &data, &got);
        if (taken->result != 0 || consumed == 0)
            break;
        check(consumed <= length - at && got <= consumed);
        if (got > 0)
            memcpy(taken->content + taken->length, data, got);
        taken->length += got;
        taken->consumed += consumed;
        at += consumed;
    }
    free(copy);
}

static struct taken take(struct http_body body, const char *text, size_t length, const unsigned *split)
{
    struct taken taken = {.content = malloc(length ? length : 1)};
    check(taken.content != NULL);
    unsigned seed = split ? *split : 0;
    for (size_t at = 0; at < length && taken.result == 0;) {
        size_t size = split ? next_size(&seed) : length;
        if (size > length - at)
            size = length - at;
        take_piece(&body, &taken, text + at, size);
        at += size;
    }
    taken.done = body.done;
    return taken;
}

/* The plain way, for chunks that are known to be whole and well formed. */
static size_t decode_chunks(const char *text, size_t length, char *content)
{
    size_t at = 0, end = 0;
    for (;;) {
        check(at < length);
        unsigned long long size = strtoull(text + at, NULL, 16);
        const char *feed = memchr(text + at, '\n', length - at);
        check(feed && feed[-1] == '\r');
        at = (size_t)(feed + 1 - text);
        if (size == 0)
            break;
        check(size < length - at);
        memcpy(content + end, text + at, (size_t)size);
        end += (size_t)size;
        at += (size_t)size;
        check(text[at] == '\r' && text[at + 1] == '\n');
        at += 2;
    }
    return end;
}

static void check_body(const struct http_body *body, const char *text, size_t length, unsigned split)
{
    struct taken whole = take(*body, text, length, NULL);
    struct taken pieces = take(*body, text, length, &split);
    check(whole.result == pieces.result && whole.done == pieces.done && whole.length == pieces.length);
    check(whole.length == 0 || memcmp(whole.content, pieces.content, whole.length) == 0);
    check(whole.result == 0 || !whole.done);
    if (whole.result == 0)
        check(whole.consumed == pieces.consumed && whole.consumed <= length);
    if (whole.done && body->framing == HTTP_BODY_CHUNKED) {
        char *text_end = copy_of(text, length + 1); /* the input ends with a NUL: see below */
        size_t decoded = decode_chunks(text_end, whole.consumed, pieces.content);
        check(decoded == whole.length && memcmp(whole.content, pieces.content, decoded) == 0);
        free(text_end);
    }
    free(whole.content);
    free(pieces.content);
}

static void check_message(const struct message *message)
{
    struct http_head head;
    struct http_body body;
    size_t consumed = 0, consumed_in_pieces = 0;
    int result = parse(message, &head, message->text, message->length, &consumed);
    check(parse_in_pieces(message, &consumed_in_pieces) == result);
    if (result != 0)
        return;
    check(consumed == consumed_in_pieces);
    check_head(message, &head, message->text, consumed);
    if (message->request)
        http_body_init_request(&body, &head);
    else
        http_body_init_response(&body, &head, message->split & 1);
    check_body(&body, message->text + consumed, message->length - consumed, message->split);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct message message = {.request = data[0] & 1, .length = size - 2, .split = data[1]};
    char *text = malloc(size - 1);
    check(text != NULL);
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    message.text = text;
    check_message(&message);
    free(text);
    return 0;
}
