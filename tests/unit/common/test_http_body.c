/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_body.h"

struct taken {
    int result;
    bool done;
    size_t consumed;
    size_t length;
    char content[512];
};

/* Feed one more piece, as a reader of sockets does: call until nothing is consumed. */
static int feed(struct http_body *body, const char *text, size_t length, struct taken *taken)
{
    size_t at = 0;
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    int result = 0;
    for (;;) {
        size_t consumed, got;
        const char *data;
        result = http_body_next(body, copy + at, length - at, &consumed, &data, &got);
        if (result != 0 || consumed == 0)
            break;
        assert_true(consumed <= length - at);
        if (got > 0) {
            assert_true(data >= copy + at && data + got <= copy + at + consumed);
            assert_true(taken->length + got <= sizeof taken->content);
            memcpy(taken->content + taken->length, data, got);
            taken->length += got;
        }
        at += consumed;
    }
    taken->consumed += at;
    free(copy);
    return result;
}

/* In pieces of the sizes that the splits leave. */
static struct taken take(struct http_body body, const char *text, size_t length, size_t first, size_t second)
{
    struct taken taken = {0};
    const size_t ends[] = {first, second, length};
    size_t at = 0;
    for (size_t i = 0; i < 3 && taken.result == 0 && !body.done; i++) {
        taken.result = feed(&body, text + at, ends[i] - at, &taken);
        at = ends[i];
    }
    taken.done = body.done;
    return taken;
}

static struct http_body chunked(void)
{
    struct http_head head = {.content_length = -1, .chunked = true};
    struct http_body body;
    http_body_init_request(&body, &head);
    return body;
}

static struct http_body response(int status, int64_t length, bool in_chunks, bool to_head)
{
    struct http_head head = {.status = status, .content_length = length, .chunked = in_chunks};
    struct http_body body;
    http_body_init_response(&body, &head, to_head);
    return body;
}

static void check_every_split(struct http_body body, const char *text, size_t length, const char *content, bool done)
{
    for (size_t i = 0; i <= length; i++) {
        for (size_t j = i; j <= length; j++) {
            struct taken taken = take(body, text, length, i, j);
            assert_int_equal(taken.result, 0);
            assert_int_equal(taken.done, done);
            assert_int_equal(taken.length, strlen(content));
            assert_memory_equal(taken.content, content, taken.length);
        }
    }
}

static void test_chunked_content_is_the_same_for_every_split(void **state)
{
    static const char *const cases[][2] = {
        {"0\r\n\r\n", ""},
        {"5\r\nhello\r\n0\r\n\r\n", "hello"},
        {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
        {"0005;a=b;c=\"d\"\r\nhello\r\n000\r\nX-Trailer: y\r\nZ:\r\n\r\n", "hello"},
        {"a\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n0\r\n\r\n"},
        {"C\r\nabcdefghijkl\r\n0\r\n\r\n", "abcdefghijkl"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_every_split(chunked(), cases[i][0], strlen(cases[i][0]), cases[i][1], true);
}

static void test_bytes_after_the_last_chunk_are_left(void **state)
{
    static const char text[] = "1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
    for (size_t i = 0; i <= 11; i++) {
        struct taken taken = take(chunked(), text, strlen(text), i, i);
        assert_true(taken.done);
        assert_int_equal(taken.consumed, 11);
    }
}

static void test_bad_chunks_are_refused_for_every_split(void **state)
{
    static const char *const cases[] = {
        "\r\n",
        ";a\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\nx\r\n",
        "0x1\r\nx\r\n",
        " 1\r\nx\r\n",
        "1 \r\nx\r\n",
        "1\nx\r\n",
        "1\rx",
        "1\r\nxy\r\n",
        "1\r\nx\n",
        "1\r\nx\rx",
        "1;a\nb\r\nx\r\n",
        "1;a\x01\r\nx\r\n",
        "1;a\rb\r\nx\r\n",
        "1000000000000000\r\n",
        "ffffffffffffffff\r\n",
        "10000000000000000000000001\r\n",
        "00000000000000001\r\n",
        "0\r\nA\r\n\r\n",
        "0\r\n: a\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\nA: \x01\r\n\r\n",
        "0\r\n\n",
        "0\r\n\rx",
        "0\n\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = strlen(cases[i]);
        for (size_t j = 0; j <= length; j++) {
            struct taken taken = take(chunked(), cases[i], length, j, j);
            if (taken.result != -400)
                fail_msg("\"%s\" split at %zu was not refused", cases[i], j);
        }
    }
}

static void test_refused_framing_stays_refused(void **state)
{
    struct http_body body = chunked();
    struct taken taken = {0};
    assert_int_equal(feed(&body, "x", 1, &taken), -400);
    assert_int_equal(feed(&body, "0\r\n\r\n", 5, &taken), -400);
    assert_false(body.done);
    assert_int_equal(http_body_closed(&body), -400);
}

/* The size line or a trailer, made @p length bytes long with 'a's. */
static int feed_long(const char *before, size_t length, const char *after)
{
    struct http_body body = chunked();
    struct taken taken = {0};
    char byte = 'a';
    int result = feed(&body, before, strlen(before), &taken);
    for (size_t i = 0; i < length && result == 0; i++)
        result = feed(&body, &byte, 1, &taken);
    return result == 0 ? feed(&body, after, strlen(after), &taken) : result;
}

static void test_extensions_and_trailers_are_bounded(void **state)
{
    assert_int_equal(feed_long("1;", 900, "\r\nx\r\n"), 0);
    assert_int_equal(feed_long("1;", 1100, "\r\nx\r\n"), -400);
    assert_int_equal(feed_long("0\r\nA: ", 8000, "\r\n\r\n"), 0);
    assert_int_equal(feed_long("0\r\nA: ", 8200, "\r\n\r\n"), -400);
}

static void test_largest_chunk_size_is_taken(void **state)
{
    struct http_body body = chunked();
    struct taken taken = {0};
    assert_int_equal(feed(&body, "fffffffffffffff\r\nx", 18, &taken), 0);
    assert_int_equal(taken.length, 1);
    assert_true(body.left == 0xffffffffffffffeULL);
}

static void test_body_of_a_length_ends_there(void **state)
{
    struct http_head head = {.content_length = 5};
    struct http_body body;
    http_body_init_request(&body, &head);
    check_every_split(body, "hello", 5, "hello", true);
    check_every_split(body, "hell", 4, "hell", false);
    assert_int_equal(take(body, "hello, world", 12, 3, 8).consumed, 5);
}

static void test_request_without_framing_has_no_body(void **state)
{
    struct http_head head = {.content_length = -1};
    struct http_body body;
    http_body_init_request(&body, &head);
    assert_int_equal(body.framing, HTTP_BODY_NONE);
    assert_true(body.done);
    head.content_length = 0;
    http_body_init_request(&body, &head);
    assert_true(body.done);
}

static void test_body_until_close_ends_at_close(void **state)
{
    struct http_body body = response(200, -1, false, false);
    struct taken taken = {0};
    assert_int_equal(body.framing, HTTP_BODY_UNTIL_CLOSE);
    assert_int_equal(feed(&body, "hello", 5, &taken), 0);
    assert_int_equal(taken.length, 5);
    assert_false(body.done);
    assert_int_equal(http_body_closed(&body), 0);
    assert_true(body.done);
}

static void test_close_in_the_middle_is_an_error(void **state)
{
    struct http_body body = response(200, 5, false, false);
    assert_int_equal(http_body_closed(&body), -400);
    body = response(200, -1, true, false);
    assert_int_equal(http_body_closed(&body), -400);
    struct taken taken = {0};
    assert_int_equal(feed(&body, "1\r\nx\r\n0\r\n", 9, &taken), 0);
    assert_int_equal(http_body_closed(&body), -400);
    assert_int_equal(feed(&body, "\r\n", 2, &taken), 0);
    assert_int_equal(http_body_closed(&body), 0);
}

static void test_response_framing_follows_status_and_method(void **state)
{
    assert_int_equal(response(200, 5, false, true).framing, HTTP_BODY_NONE);
    assert_int_equal(response(200, -1, true, true).framing, HTTP_BODY_NONE);
    assert_int_equal(response(204, 5, false, false).framing, HTTP_BODY_NONE);
    assert_int_equal(response(304, 5, false, false).framing, HTTP_BODY_NONE);
    assert_int_equal(response(100, -1, false, false).framing, HTTP_BODY_NONE);
    assert_int_equal(response(101, -1, false, false).framing, HTTP_BODY_UNTIL_CLOSE);
    assert_int_equal(response(200, 0, false, false).framing, HTTP_BODY_NONE);
    assert_int_equal(response(404, 5, false, false).framing, HTTP_BODY_LENGTH);
    assert_int_equal(response(200, -1, true, false).framing, HTTP_BODY_CHUNKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunked_content_is_the_same_for_every_split),
        cmocka_unit_test(test_bytes_after_the_last_chunk_are_left),
        cmocka_unit_test(test_bad_chunks_are_refused_for_every_split),
        cmocka_unit_test(test_refused_framing_stays_refused),
        cmocka_unit_test(test_extensions_and_trailers_are_bounded),
        cmocka_unit_test(test_largest_chunk_size_is_taken),
        cmocka_unit_test(test_body_of_a_length_ends_there),
        cmocka_unit_test(test_request_without_framing_has_no_body),
        cmocka_unit_test(test_body_until_close_ends_at_close),
        cmocka_unit_test(test_close_in_the_middle_is_an_error),
        cmocka_unit_test(test_response_framing_follows_status_and_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
