/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "server_fixture.h"

static void test_connection_serves_one_request_after_another(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    for (int i = 0; i < 3; i++) {
        kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
        fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
        kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nabc");
    }
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_pipelined_requests_are_answered_in_turn(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nfirst"
                     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
                     "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nfirst");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nsecond");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    assert_true(kit_is_closed(stream));
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_request_is_read_alike_for_every_split(void **state)
{
    static const char text[] = "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nX: y\r\n\r\n";
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    for (size_t i = 1; i < sizeof text - 1; i++) {
        assert_int_equal(stream_send_all(stream, text, i, KIT_TIMEOUT_MS), 0);
        if (i % 8 == 0)
            kit_sleep_ms(1); /* now and then surely two segments */
        assert_int_equal(stream_send_all(stream, text + i, sizeof text - 1 - i, KIT_TIMEOUT_MS), 0);
        fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello!");
    }
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_bad_requests_get_json_and_the_connection_ends(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    fixture_check_refusal(&fixture, "GET / HTTP/1.1\n" HOST "\n", "HTTP/1.1 400 ");
    fixture_check_refusal(&fixture,
                          "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                          "GET /smuggled HTTP/1.1\r\n" HOST "\r\n",
                          "HTTP/1.1 400 ");
    fixture_check_refusal(&fixture, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 ");
    fixture_check_refusal(&fixture, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 ");
    fixture_check_refusal(&fixture, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                          "HTTP/1.1 400 ");
    fixture_stop(&fixture);
}

static void test_unknown_expectation_is_417(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    fixture_check_refusal(&fixture, "POST /echo HTTP/1.1\r\n" HOST "Expect: wonders\r\nContent-Length: 3\r\n\r\n",
                          "HTTP/1.1 417 ");
    fixture_stop(&fixture);
}

static void test_head_beyond_the_limit_is_431(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    size_t size = HTTP_HEAD_MAX + 1000;
    char *request = malloc(size);
    assert_non_null(request);
    memset(request, 'a', size);
    memcpy(request, "GET / HTTP/1.1\r\nA: ", 19);
    request[size - 1] = '\0';
    fixture_check_refusal(&fixture, request, "HTTP/1.1 431 ");
    free(request);
    fixture_stop(&fixture);
}

static void test_continue_is_sent_when_the_body_is_first_read(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    char *interim = kit_read_until(stream, "\r\n\r\n");
    assert_string_equal(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    free(interim);
    kit_send(stream, "hello");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_continue_is_not_sent_when_the_body_is_not_read(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /other HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    char *reply = kit_read_reply(stream);
    assert_int_equal(strncmp(reply, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
    free(reply);
    assert_true(kit_is_closed(stream));
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_head_gets_the_length_and_no_body(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "HEAD / HTTP/1.1\r\n" HOST "\r\nHEAD /stream HTTP/1.1\r\n" HOST "\r\nGET /empty HTTP/1.1\r\n" HOST
                     "Connection: close\r\n\r\n");
    size_t length;
    char *text = kit_read_all(stream, &length, NULL);
    assert_non_null(strstr(text, "\r\nContent-Length: 5\r\n"));
    assert_null(strstr(text, "hello"));
    assert_null(strstr(text, "one"));
    assert_string_equal(text + length - 4, "\r\n\r\n");
    assert_non_null(strstr(text, "\r\n\r\nHTTP/1.1 204 No Content\r\n"));
    assert_null(strstr(strstr(text, "HTTP/1.1 204"), "Content-Length"));
    free(text);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_streamed_reply_is_chunked(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    for (int i = 0; i < 2; i++) {
        kit_send(stream, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
        char *reply = kit_read_reply(stream);
        assert_non_null(strstr(reply, "\r\nTransfer-Encoding: chunked\r\n"));
        assert_non_null(strstr(reply, "\r\n\r\n3\r\none\r\n9c40\r\nLLL"));
        assert_non_null(strstr(reply, "LLL\r\n3\r\ntwo\r\n0\r\n\r\n"));
        free(reply);
    }
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_streamed_reply_to_http_1_0_ends_with_the_connection(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    int result;
    size_t length;
    char *reply = kit_read_all(stream, &length, &result);
    assert_int_equal(result, 0);
    assert_null(strstr(reply, "chunked"));
    assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
    char *body = strstr(reply, "\r\n\r\n") + 4;
    assert_int_equal(length - (size_t)(body - reply), 40006);
    assert_int_equal(strncmp(body, "oneLLL", 6), 0);
    free(reply);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_http_1_0_keeps_alive_only_when_asked_to(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    char *reply = kit_read_reply(stream);
    assert_non_null(strstr(reply, "\r\nConnection: keep-alive\r\n"));
    free(reply);
    kit_send(stream, "GET / HTTP/1.0\r\n\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    assert_true(kit_is_closed(stream));
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_stream_that_breaks_lacks_its_last_chunk(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET /broken HTTP/1.1\r\n" HOST "\r\n");
    char *reply = kit_read_all(stream, NULL, NULL);
    assert_non_null(strstr(reply, "\r\n\r\n4\r\nsome\r\n"));
    assert_null(strstr(reply, "0\r\n\r\n"));
    free(reply);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_stream_to_http_1_0_that_breaks_is_reset(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET /broken HTTP/1.0\r\n\r\n");
    int result;
    free(kit_read_all(stream, NULL, &result));
    assert_int_equal(result, -ECONNRESET);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_handler_without_answer_is_500(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    fixture_check_exchange(&fixture, "GET /fail HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 500 Internal Server Error\r\n",
                           "\"}\n");
    fixture_check_exchange(&fixture, "GET /nothing HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 500 Internal Server Error\r\n",
                           "\"}\n");
    fixture_stop(&fixture);
}

static int count(const char *text, const char *part)
{
    int found = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        found++;
    return found;
}

static void test_every_header_has_one_value(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET /headers HTTP/1.1\r\n" HOST "\r\n");
    char *reply = kit_read_reply(stream);
    assert_int_equal(strncmp(reply, "HTTP/1.1 201 Created\r\n", 22), 0);
    assert_int_equal(count(reply, "X-Twice") + count(reply, "x-twice"), 1);
    assert_non_null(strstr(reply, "\r\nx-twice: two\r\n"));
    assert_int_equal(count(reply, "Server: "), 1);
    assert_non_null(strstr(reply, "\r\nServer: mine\r\n"));
    assert_int_equal(count(reply, "Content-Length: "), 1);
    assert_int_equal(count(reply, "Date: "), 1);
    assert_null(strstr(reply, "never"));
    assert_null(strstr(reply, "Injected"));
    free(reply);
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    reply = kit_read_reply(stream);
    assert_non_null(strstr(reply, "\r\nServer: test\r\n"));
    free(reply);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_query_is_decoded(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    fixture_check_exchange(&fixture, "GET /query?x=%zz&a+b=c%2Fd+e&a%20b=2&flag=1 HTTP/1.1\r\n" HOST "\r\n",
                           "HTTP/1.1 400 ", "{\"message\":\"GET|/query|x=%zz&a+b=c%2Fd+e&a%20b=2&flag=1|c/d e|1\"}\n");
    fixture_check_exchange(&fixture, "GET /query?&&a%00b=1&flag=%20NONE HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400 ",
                           "|(none)|0\"}\n");
    fixture_check_exchange(&fixture, "GET /query HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400 ",
                           "{\"message\":\"GET|/query||(none)|0\"}\n");
    fixture_check_exchange(&fixture, "GET /query?a%20b=%22%5C%0A%01%C3%A4%FF&flag HTTP/1.1\r\n" HOST "\r\n",
                           "HTTP/1.1 400 ", "|\\\"\\\\\\n\\u0001\xc3\xa4\\ufffd|0\"}\n");
    fixture_stop(&fixture);
}

static void test_decoding_refuses_bad_escapes_and_nul(void **state)
{
    static const char *const bad[] = {"%", "%2", "%zz", "a%0", "%00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(http_decode(bad[i], strlen(bad[i])));
    char *good = http_decode("a+b%2fc%2Fxx", 11);
    assert_string_equal(good, "a+b/c/x");
    free(good);
}

static void test_small_unread_body_is_read_away(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /other HTTP/1.1\r\n" HOST "Content-Length: 20000\r\n\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    char *body = calloc(1, 20001);
    assert_non_null(body);
    memset(body, 'b', 20000);
    kit_send(stream, body);
    free(body);
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    stream_close(stream);
    fixture_stop(&fixture);
}

static void send_much(void *data)
{
    static char block[65536];
    struct stream *stream = data;
    for (int i = 0; i < 16; i++)
        if (stream_send_all(stream, block, sizeof block, KIT_TIMEOUT_MS) < 0)
            return;
}

static void test_large_unread_body_ends_the_connection_after_the_reply(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100000000\r\n\r\n");
    send_much(stream);
    char *reply = kit_read_reply(stream);
    assert_int_equal(strncmp(reply, "HTTP/1.1 413 ", 13), 0);
    assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
    free(reply);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_chunked_body_beyond_the_limit_is_413(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.max_body = 10});
    fixture_check_exchange(&fixture,
                           "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                           "6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n",
                           "HTTP/1.1 413 ", "{\"message\":\"the request's body is too large\"}\n");
    fixture_check_exchange(&fixture, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n1234567890",
                           "HTTP/1.1 200 ", "1234567890");
    fixture_stop(&fixture);
}

static void test_body_that_ends_early_is_400(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n12345");
    stream_shutdown_write(stream);
    fixture_check_reply(stream, "HTTP/1.1 400 ", "{\"message\":\"the request's body ended too early\"}\n");
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_half_closed_client_gets_its_reply(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    stream_shutdown_write(stream);
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    stream_close(stream);
    fixture_stop(&fixture);
}

/* An engine closes a hijacked connection at once; what the client still says must not make the manager reset it. */
static void test_late_words_after_a_hijack_reset_nothing(void **state)
{
    struct fixture fixture;
    size_t length;
    int result;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream,
             "POST /hijack HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n");
    free(kit_read_all(stream, &length, &result));
    assert_int_equal(result, 0);
    for (int i = 0; i < 20; i++) {
        kit_send(stream, "late");
        kit_sleep_ms(5);
    }
    assert_int_equal(stream_shutdown_write(stream), 0);
    assert_true(kit_is_closed(stream));
    stream_close(stream);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection_serves_one_request_after_another),
        cmocka_unit_test(test_pipelined_requests_are_answered_in_turn),
        cmocka_unit_test(test_request_is_read_alike_for_every_split),
        cmocka_unit_test(test_bad_requests_get_json_and_the_connection_ends),
        cmocka_unit_test(test_unknown_expectation_is_417),
        cmocka_unit_test(test_head_beyond_the_limit_is_431),
        cmocka_unit_test(test_continue_is_sent_when_the_body_is_first_read),
        cmocka_unit_test(test_continue_is_not_sent_when_the_body_is_not_read),
        cmocka_unit_test(test_head_gets_the_length_and_no_body),
        cmocka_unit_test(test_streamed_reply_is_chunked),
        cmocka_unit_test(test_streamed_reply_to_http_1_0_ends_with_the_connection),
        cmocka_unit_test(test_http_1_0_keeps_alive_only_when_asked_to),
        cmocka_unit_test(test_stream_that_breaks_lacks_its_last_chunk),
        cmocka_unit_test(test_stream_to_http_1_0_that_breaks_is_reset),
        cmocka_unit_test(test_handler_without_answer_is_500),
        cmocka_unit_test(test_every_header_has_one_value),
        cmocka_unit_test(test_query_is_decoded),
        cmocka_unit_test(test_decoding_refuses_bad_escapes_and_nul),
        cmocka_unit_test(test_small_unread_body_is_read_away),
        cmocka_unit_test(test_large_unread_body_ends_the_connection_after_the_reply),
        cmocka_unit_test(test_chunked_body_beyond_the_limit_is_413),
        cmocka_unit_test(test_body_that_ends_early_is_400),
        cmocka_unit_test(test_late_words_after_a_hijack_reset_nothing),
        cmocka_unit_test(test_half_closed_client_gets_its_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
