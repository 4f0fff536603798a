/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>

#include "deadline.h"
#include "relay_bench.h"
#include "stream_internal.h"

static void test_request_head_is_made_anew(void **state)
{
    struct bench bench;
    bench_start(&bench);
    kit_send(bench.client, "GET /here?a=b HTTP/1.1\r\nHost: manager\r\nX-Kept: 1\r\nX-Registry-Auth: e30=\r\n"
                           "Connection: keep-alive, X-Named\r\nX-Named: 2\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
                           "Trailer: X\r\nProxy-Authorization: 3\r\nUpgrade: tcp\r\n\r\n");
    char *head = kit_read_until(bench.engine, "\r\n\r\n");
    assert_string_equal(head,
                        "GET /v1.41/there HTTP/1.1\r\nHost: engine\r\nX-Kept: 1\r\nX-Registry-Auth: e30=\r\n\r\n");
    free(head);
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    kit_skip_head(bench.client);
    bench_tear_down(&bench);
}

static void test_answer_head_is_made_anew(void **state)
{
    static const char *const drop[] = {"Api-Version", "ostype", NULL};
    struct bench bench;
    bench_start(&bench);
    bench.options.drop_headers = drop;
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 404 Nowhere\r\nApi-Version: 1\r\nOstype: 2\r\nServer: engine\r\nDate: then\r\n"
                           "X-Handler: engine\r\nX-Kept: a\r\nX-Kept: b\r\nConnection: X-Named\r\nX-Named: c\r\n"
                           "Keep-Alive: 5\r\nContent-Length: 2\r\n\r\nno");
    kit_expect_head(bench.client,
                    PARTS("HTTP/1.1 404 Nowhere\r\n", "\r\nServer: manager\r\n", "\r\nX-Handler: handler\r\n",
                          "\r\nX-Kept: a\r\nX-Kept: b\r\n", "\r\nContent-Length: 2\r\n", "\r\nDate: "),
                    PARTS("Api-Version", "Ostype", "engine", "then", "X-Named", "Keep-Alive", "Connection"));
    kit_expect(bench.client, "no");
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, 0);
    assert_int_equal(bench.outcome.status, 404);
    assert_true(bench.outcome.answered);
    assert_true(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_both_connections_serve_the_next_exchange(void **state)
{
    struct bench bench;
    bench_start(&bench);
    for (int i = 0; i < 3; i++) {
        bench_ask(&bench, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
        kit_expect(bench.engine, "abc");
        kit_send(bench.engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n");
        kit_skip_head(bench.client);
        kit_expect(bench.client, "3\r\nxyz\r\n0\r\n\r\n");
        kit_wait_for(&bench.exchanges, i + 1);
        assert_true(bench.outcome.reusable);
        assert_true(bench.outcome.body_touched);
    }
    bench_tear_down(&bench);
}

static void test_connection_is_reusable_however_quick_the_answer(void **state)
{
    struct bench bench;
    bench_start(&bench);
    kit_send(bench.engine, "HTTP/1.1 204 No Content\r\n\r\n");
    kit_send(bench.client, "POST / HTTP/1.1\r\n" HOST "\r\n");
    kit_skip_head(bench.client);
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_engine_that_says_close_is_not_reusable(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    kit_skip_head(bench.client);
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, 0);
    assert_false(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_engine_that_says_too_much_is_not_reusable(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n");
    kit_skip_head(bench.client);
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, 0);
    assert_false(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_chunks_are_passed_without_extensions_and_trailers(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3;a=b\r\nabc\r\n004\r\ndefg\r\n0\r\nX-Trailer: t\r\n\r\n");
    kit_expect_head(bench.client, PARTS("\r\nTransfer-Encoding: chunked\r\n"), PARTS("Content-Length"));
    kit_expect(bench.client, "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    bench_tear_down(&bench);
}

static void test_each_piece_of_a_stream_is_passed_at_once(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET /logs HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    kit_skip_head(bench.client);
    for (int i = 0; i < 3; i++) {
        kit_send(bench.engine, "4\r\nlin");
        kit_expect(bench.client, "3\r\nlin\r\n");
        kit_send(bench.engine, "e\r\n");
        kit_expect(bench.client, "1\r\ne\r\n");
    }
    kit_send(bench.engine, "0\r\n\r\n");
    kit_expect(bench.client, "0\r\n\r\n");
    bench_tear_down(&bench);
}

static void test_body_until_close_is_chunked_for_http_1_1(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\n\r\nall there is");
    kit_skip_head(bench.client);
    kit_expect(bench.client, "c\r\nall there is\r\n");
    stream_shutdown_write(bench.engine);
    kit_expect(bench.client, "0\r\n\r\n");
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, 0);
    assert_false(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_chunks_are_taken_off_for_http_1_0(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.0\r\n\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    kit_expect_head(bench.client, PARTS("\r\nConnection: close\r\n"), PARTS("chunked", "Content-Length"));
    kit_expect(bench.client, "abcde");
    kit_expect_end(bench.client);
    bench_tear_down(&bench);
}

static void test_request_chunks_are_made_anew(void **state)
{
    struct bench bench;
    bench_start(&bench);
    kit_send(bench.client, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n");
    kit_expect_head(bench.engine, PARTS("\r\nTransfer-Encoding: chunked\r\n"), PARTS("Content-Length"));
    kit_expect(bench.engine, "5\r\nhello\r\n");
    kit_send(bench.client, "0\r\nX: y\r\n\r\n");
    kit_expect(bench.engine, "0\r\n\r\n");
    kit_send(bench.engine, "HTTP/1.1 204 No Content\r\n\r\n");
    kit_skip_head(bench.client);
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_body_in_memory_replaces_the_clients(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench.options.method = "PUT";
    bench.options.body = "replaced";
    bench.options.body_length = 8;
    kit_send(bench.client, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    kit_expect_head(bench.engine, PARTS("PUT /v1.41/there HTTP/1.1\r\n", "\r\nContent-Length: 8\r\n"),
                    PARTS("chunked"));
    kit_expect(bench.engine, "replaced");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    kit_skip_head(bench.client);
    kit_expect(bench.client, "ok");
    kit_wait_for(&bench.exchanges, 1);
    assert_false(bench.outcome.body_touched);
    /* The client's own body was read away: the connection goes on. */
    bench.options.method = NULL;
    bench.options.body = "";
    bench.options.body_length = 0;
    kit_send(bench.client, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_expect_head(bench.engine, PARTS("GET /v1.41/there HTTP/1.1\r\n"), PARTS("Content-Length", "chunked"));
    kit_send(bench.engine, "HTTP/1.1 204 No Content\r\n\r\n");
    kit_skip_head(bench.client);
    bench_tear_down(&bench);
}

static void test_body_that_was_read_before_is_passed(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench.read_first = true;
    kit_send(bench.client, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    kit_expect_head(bench.engine, PARTS("\r\nContent-Length: 5\r\n"), PARTS("chunked"));
    kit_expect(bench.engine, "hello");
    kit_send(bench.engine, "HTTP/1.1 204 No Content\r\n\r\n");
    kit_skip_head(bench.client);
    kit_wait_for(&bench.exchanges, 1);
    assert_false(bench.outcome.body_touched);
    bench_tear_down(&bench);
}

static void test_continue_is_answered_here_and_not_asked_of_the_engine(void **state)
{
    struct bench bench;
    bench_start(&bench);
    kit_send(bench.client, "PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    kit_expect_head(bench.engine, PARTS("\r\nContent-Length: 5\r\n"), PARTS("Expect"));
    kit_expect(bench.client, "HTTP/1.1 100 Continue\r\n\r\n");
    kit_send(bench.client, "hello");
    kit_expect(bench.engine, "hello");
    kit_send(bench.engine, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"
                           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 200 OK\r\n"), PARTS("100", "103", "X: y"));
    kit_expect(bench.client, "ok");
    bench_tear_down(&bench);
}

static void test_endless_interim_answers_are_an_error(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 17; i++)
        kit_send(bench.engine, "HTTP/1.1 102 Processing\r\n\r\n");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 502 "), NULL);
    bench_tear_down(&bench);
}

static void test_answer_before_the_whole_body_was_sent_is_passed(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000000\r\n\r\nsome");
    kit_expect(bench.engine, "some");
    kit_send(bench.engine, "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno!");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 400 ", "\r\nConnection: close\r\n"), NULL);
    kit_expect(bench.client, "no!");
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, 0);
    assert_false(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void send_without_end(void *data)
{
    static const char block[65536];
    struct stream *stream = data;
    while (stream_send_all(stream, block, sizeof block, KIT_TIMEOUT_MS) == 0)
        continue;
}

static void test_answer_of_an_engine_that_stops_reading_is_passed(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_UNIX);
    bench_ask(&bench, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100000000000\r\n\r\n");
    struct kit_thread *thread = kit_start(send_without_end, bench.client);
    shutdown(stream_fd(bench.engine), SHUT_RD);
    kit_sleep_ms(50);
    kit_send(bench.engine, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!");
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.outcome.status, 413);
    assert_int_equal(bench.result, 0);
    shutdown(stream_fd(bench.client), SHUT_RDWR);
    kit_join(thread);
    bench_tear_down(&bench);
}

static void test_head_answer_has_a_length_and_no_body(void **state)
{
    struct bench bench;
    bench_start(&bench);
    for (int i = 0; i < 2; i++) {
        bench_ask(&bench, "HEAD / HTTP/1.1\r\n" HOST "\r\n");
        kit_send(bench.engine, "HTTP/1.1 200 OK\r\nX-Stat: e30=\r\nContent-Length: 77\r\n\r\n");
        kit_expect_head(bench.client, PARTS("\r\nContent-Length: 77\r\n", "\r\nX-Stat: e30=\r\n"), NULL);
        kit_wait_for(&bench.exchanges, i + 1);
        assert_true(bench.outcome.reusable);
    }
    bench_tear_down(&bench);
}

static void test_answers_without_body_end_with_their_head(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
                                          "HTTP/1.1 304 Not Modified\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n"};
    struct bench bench;
    bench_start(&bench);
    for (int i = 0; i < 3; i++) {
        bench_ask(&bench, "POST /start HTTP/1.1\r\n" HOST "\r\n");
        kit_send(bench.engine, answers[i]);
        kit_expect_head(bench.client, PARTS("HTTP/1.1 "), PARTS("Content-Length", "Transfer-Encoding"));
        kit_wait_for(&bench.exchanges, i + 1);
        assert_true(bench.outcome.reusable);
    }
    bench_tear_down(&bench);
}

static void check_captured(const char *answer, size_t limit, const char *begin, const char *content)
{
    struct bench bench;
    bench_start(&bench);
    bench.options.capture = &bench.captured;
    bench.options.capture_length = &bench.captured_length;
    bench.options.capture_limit = limit;
    bench.options.finishing = bench_finishing;
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, answer);
    kit_expect_head(bench.client, PARTS(begin), PARTS("X-Engine"));
    kit_expect(bench.client, content);
    assert_false(bench.outcome.answered);
    bench_tear_down(&bench);
}

static void test_captured_answer_is_kept_from_the_client(void **state)
{
    check_captured("HTTP/1.1 200 OK\r\nX-Engine: 1\r\nContent-Length: 5\r\n\r\nhello", 5, "HTTP/1.1 203 ", "hello");
    check_captured("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 100,
                   "HTTP/1.1 203 ", "abcde");
    check_captured("HTTP/1.1 204 No Content\r\n\r\n", 100, "\r\nContent-Length: 0\r\n", "");
}

static void test_captured_answer_is_bounded(void **state)
{
    check_captured("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", 5, "HTTP/1.1 502 ",
                   "{\"message\":\"answer is larger than 5 bytes\"}\n");
}

/* Until the hook returns, the client lacks the end of the answer. */
static void check_finishing(const char *answer, const char *before, const char *after)
{
    struct bench bench;
    bench_start(&bench);
    bench.options.finishing = bench_finishing;
    bench.hold = true;
    bench_ask(&bench, "POST / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, answer);
    if (*before) {
        kit_skip_head(bench.client);
        kit_expect(bench.client, before);
        kit_send(bench.engine, "last\r\n0\r\n\r\n");
    }
    kit_wait_for(&bench.finishing, 1);
    kit_expect_nothing(bench.client, 50);
    bench.hold = false;
    if (!*before)
        kit_skip_head(bench.client);
    kit_expect(bench.client, after);
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.finishing, 1);
    bench_tear_down(&bench);
}

static void test_hook_runs_before_the_answer_ends(void **state)
{
    check_finishing("HTTP/1.1 204 No Content\r\n\r\n", "", "");
    check_finishing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "", "hello");
    check_finishing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "",
                    "2\r\nok\r\n0\r\n\r\n");
    check_finishing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n4\r\n", "5\r\nfirst\r\n",
                    "4\r\nlast\r\n0\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_head_is_made_anew),
        cmocka_unit_test(test_answer_head_is_made_anew),
        cmocka_unit_test(test_both_connections_serve_the_next_exchange),
        cmocka_unit_test(test_connection_is_reusable_however_quick_the_answer),
        cmocka_unit_test(test_engine_that_says_close_is_not_reusable),
        cmocka_unit_test(test_engine_that_says_too_much_is_not_reusable),
        cmocka_unit_test(test_chunks_are_passed_without_extensions_and_trailers),
        cmocka_unit_test(test_each_piece_of_a_stream_is_passed_at_once),
        cmocka_unit_test(test_body_until_close_is_chunked_for_http_1_1),
        cmocka_unit_test(test_chunks_are_taken_off_for_http_1_0),
        cmocka_unit_test(test_request_chunks_are_made_anew),
        cmocka_unit_test(test_body_in_memory_replaces_the_clients),
        cmocka_unit_test(test_body_that_was_read_before_is_passed),
        cmocka_unit_test(test_continue_is_answered_here_and_not_asked_of_the_engine),
        cmocka_unit_test(test_endless_interim_answers_are_an_error),
        cmocka_unit_test(test_answer_before_the_whole_body_was_sent_is_passed),
        cmocka_unit_test(test_answer_of_an_engine_that_stops_reading_is_passed),
        cmocka_unit_test(test_head_answer_has_a_length_and_no_body),
        cmocka_unit_test(test_answers_without_body_end_with_their_head),
        cmocka_unit_test(test_captured_answer_is_kept_from_the_client),
        cmocka_unit_test(test_captured_answer_is_bounded),
        cmocka_unit_test(test_hook_runs_before_the_answer_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
