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
#include "http_internal.h"
#include "relay_bench.h"
#include "stream_internal.h"

static void check_engine_error(const char *answer, const char *message)
{
    struct bench bench;
    char body[300];
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, answer);
    stream_shutdown_write(bench.engine);
    kit_expect_head(bench.client, PARTS("HTTP/1.1 502 "), NULL);
    snprintf(body, sizeof body, "{\"message\":\"%s\"}\n", message);
    kit_expect(bench.client, body);
    assert_int_equal(bench.result, -1);
    assert_false(bench.outcome.answered);
    assert_false(bench.outcome.reusable);
    assert_false(bench.outcome.client_gone);
    assert_false(bench.outcome.body_touched);
    assert_int_equal(bench.outcome.status, 0);
    bench_tear_down(&bench);
}

static void test_engine_that_does_not_answer_is_told_apart(void **state)
{
    check_engine_error("", "the engine closed the connection before it answered");
    check_engine_error("HTTP/1.1 200 OK\r\n", "the engine closed the connection before it answered");
}

static void test_silent_engine_is_given_up_when_its_time_is_over(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench.options.answer_timeout_ms = 1000;
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 502 "), NULL);
    kit_expect(bench.client, "{\"message\":\"the engine did not answer within 1 s\"}\n");
    assert_int_equal(bench.result, -1);
    assert_false(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static atomic_bool lost;

static char *give_up(void *data, bool begun)
{
    return atomic_load(&lost) ? strdup("the engine is lost") : NULL;
}

static void test_answer_of_a_lost_engine_is_not_waited_for(void **state)
{
    struct bench bench;
    atomic_store(&lost, false);
    bench_start(&bench);
    bench.options.give_up = give_up;
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_sleep_ms(1500);
    assert_int_equal(bench.exchanges, 0);
    atomic_store(&lost, true);
    kit_expect_head(bench.client, PARTS("HTTP/1.1 502 "), NULL);
    kit_expect(bench.client, "{\"message\":\"the engine is lost\"}\n");
    bench_tear_down(&bench);
}

/* Asked only when nothing came for a while, as an engine that says something is not lost. */
static void test_begun_answer_goes_on_while_the_engine_says_something(void **state)
{
    struct bench bench;
    atomic_store(&lost, true);
    bench_start(&bench);
    bench.options.give_up = give_up;
    bench.options.begun_pause_ms = 3000;
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n");
    kit_skip_head(bench.client);
    for (int i = 0; i < 40; i++) {
        kit_sleep_ms(100);
        kit_send(bench.engine, "x");
        kit_expect(bench.client, "x");
    }
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, 0);
    bench_tear_down(&bench);
}

/* As a body and as a raw stream; while it is silent only, and once it is lost. */
static void check_begun_answer(const char *request, const char *answer, bool may_hijack)
{
    struct bench bench;
    int result;
    atomic_store(&lost, false);
    bench_start(&bench);
    bench.options.give_up = give_up;
    bench.options.begun_pause_ms = 100;
    bench.options.may_hijack = may_hijack;
    bench_ask(&bench, request);
    kit_send(bench.engine, answer);
    kit_skip_head(bench.client);
    kit_expect_nothing(bench.client, 2500);
    assert_int_equal(bench.exchanges, 0);
    atomic_store(&lost, true);
    char *text = kit_read_all(bench.client, NULL, &result);
    assert_string_equal(text, "");
    free(text);
    if (may_hijack)
        assert_int_equal(result, -ECONNRESET);
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, -1);
    assert_true(bench.outcome.answered);
    assert_string_equal(bench.outcome.error, "the engine is lost");
    assert_true(kit_is_closed(bench.engine));
    bench_tear_down(&bench);
}

static void test_begun_answer_of_a_lost_engine_is_cut(void **state)
{
    check_begun_answer("GET /logs HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       false);
    check_begun_answer("POST /attach HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
                       "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", true);
}

/* The client stops in the middle of its body. */
static void test_slow_body_is_408(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench.server->options.body_timeout_ms = 300;
    bench_ask(&bench, "PUT /archive HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n");
    for (int i = 0; i < 5; i++) {
        kit_send(bench.client, "some");
        kit_expect(bench.engine, "some");
    }
    kit_expect_head(bench.client, PARTS("HTTP/1.1 408 ", "\r\nConnection: close\r\n"), NULL);
    kit_expect(bench.client, "{\"message\":\"the request's body took too long\"}\n");
    kit_wait_for(&bench.exchanges, 1);
    assert_true(kit_is_closed(bench.engine));
    bench_tear_down(&bench);
}

/* Nor is a client slow because its engine is. */
struct sender {
    struct stream *stream;
    const char *text;
};

static void send_body(void *data)
{
    struct sender *sender = data;
    kit_send(sender->stream, sender->text);
}

static void test_slow_engine_does_not_make_a_body_slow(void **state)
{
    const size_t size = 16 << 20; /* more than sockets hold */
    struct bench bench;
    char head[128], *body = malloc(size + 1);
    assert_non_null(body);
    memset(body, 'x', size);
    body[size] = '\0';
    bench_start(&bench);
    bench.server->options.body_timeout_ms = 300;
    snprintf(head, sizeof head, "PUT /archive HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", size);
    bench_ask(&bench, head);
    struct sender sender = {bench.client, body};
    struct kit_thread *thread = kit_start(send_body, &sender);
    kit_sleep_ms(1000);
    kit_expect(bench.engine, body);
    kit_join(thread);
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 200 "), NULL);
    kit_expect(bench.client, "ok");
    bench_tear_down(&bench);
    free(body);
}

static void test_time_for_an_answer_does_not_limit_its_body(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench.options.answer_timeout_ms = 5000;
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    kit_skip_head(bench.client);
    kit_sleep_ms(5500);
    kit_send(bench.engine, "cd");
    kit_expect(bench.client, "abcd");
    bench_tear_down(&bench);
}

static void test_malformed_answers_are_refused(void **state)
{
    check_engine_error("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                       "malformed answer: more than one Content-Length header");
    check_engine_error("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                       "malformed answer: both Content-Length and Transfer-Encoding");
    check_engine_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                       "malformed answer: a transfer coding other than chunked");
    check_engine_error("HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
                       "malformed answer: a line ends with LF in place of CRLF");
    check_engine_error("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n 3\r\n\r\nab",
                       "malformed answer: a header line begins with a blank");
    check_engine_error("hello\r\n\r\n", "malformed answer: the first line has no HTTP version");
}

static void test_unasked_switch_of_protocols_is_refused(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 502 "), NULL);
    bench_tear_down(&bench);
}

static void test_stale_connection_leaves_the_body_untouched(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_UNIX);
    stream_close(bench.engine);
    bench.engine = NULL;
    kit_send(bench.client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 502 "), NULL);
    assert_int_equal(bench.outcome.status, 0);
    assert_false(bench.outcome.answered);
    assert_false(bench.outcome.body_touched);
    assert_string_not_equal(bench.outcome.error, "");
    bench_tear_down(&bench);
}

static void test_target_with_a_line_break_is_refused(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench.options.target = "/a\r\nX: y";
    kit_send(bench.client, "GET / HTTP/1.1\r\n" HOST "\r\n");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 502 "), NULL);
    bench_tear_down(&bench);
}

/* The answer breaks off after "some": the client gets that, and no proper end. */
static void check_truncated(const char *request, const char *head, const char *content)
{
    struct bench bench;
    int result;
    bench_start(&bench);
    bench_ask(&bench, request);
    kit_send(bench.engine, head);
    stream_shutdown_write(bench.engine);
    char *text = kit_read_all(bench.client, NULL, &result);
    char *body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    /* A reset may take bytes with it that were not read yet. */
    if (result == 0)
        assert_string_equal(body + 4, content);
    assert_null(strstr(body + 4, "0\r\n\r\n"));
    free(text);
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, -1);
    assert_true(bench.outcome.answered);
    assert_string_equal(bench.outcome.error, "the engine closed the connection in the middle of its answer");
    bench_tear_down(&bench);
}

static void test_answer_that_breaks_off_is_seen_to_break_off(void **state)
{
    check_truncated("GET / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome", "some");
    check_truncated("GET / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nsome",
                    "4\r\nsome\r\n");
    check_truncated("GET / HTTP/1.1\r\n" HOST "\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n", "4\r\nsome\r\n");
}

static void test_answer_to_http_1_0_that_breaks_off_is_reset(void **state)
{
    struct bench bench;
    int result;
    bench_start(&bench);
    bench_ask(&bench, "GET / HTTP/1.0\r\n\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nsome");
    stream_shutdown_write(bench.engine);
    free(kit_read_all(bench.client, NULL, &result));
    assert_int_equal(result, -ECONNRESET);
    bench_tear_down(&bench);
}

static void test_bad_chunk_of_the_client_is_400(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 400 ", "\r\nConnection: close\r\n"), NULL);
    kit_wait_for(&bench.exchanges, 1);
    assert_true(kit_is_closed(bench.engine));
    bench_tear_down(&bench);
}

/* The client goes while the engine has nothing to say. */
static void check_gone_client(enum kit_transport transport, const char *answer)
{
    struct bench bench;
    bench_set_up(&bench, transport, KIT_TCP);
    bench_ask(&bench, "GET /logs HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, answer);
    if (*answer)
        kit_skip_head(bench.client);
    stream_close(bench.client);
    bench.client = NULL;
    assert_true(kit_is_closed(bench.engine));
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, -1);
    assert_true(bench.outcome.client_gone);
    assert_string_equal(bench.outcome.error, "");
    bench_tear_down(&bench);
}

static void test_engine_is_let_go_when_the_client_is_gone(void **state)
{
    static const enum kit_transport transports[] = {KIT_UNIX, KIT_TCP, KIT_TLS};
    for (size_t i = 0; i < 3; i++) {
        check_gone_client(transports[i], "");
        check_gone_client(transports[i], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
}

static void test_client_gone_in_its_request_is_told_apart(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nsome");
    kit_expect(bench.engine, "some");
    stream_close(bench.client);
    bench.client = NULL;
    assert_true(kit_is_closed(bench.engine));
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.client_gone);
    bench_tear_down(&bench);
}

static void test_half_closed_client_gets_its_answer(void **state)
{
    static const enum kit_transport transports[] = {KIT_UNIX, KIT_TCP, KIT_TLS};
    for (size_t i = 0; i < 3; i++) {
        struct bench bench;
        bench_set_up(&bench, transports[i], KIT_TCP);
        bench_ask(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n");
        stream_shutdown_write(bench.client);
        kit_sleep_ms(50);
        kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        kit_skip_head(bench.client);
        kit_expect(bench.client, "hello");
        kit_wait_for(&bench.exchanges, 1);
        assert_int_equal(bench.result, 0);
        bench_tear_down(&bench);
    }
}

static void test_stopping_server_cuts_a_stream(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "GET /logs HTTP/1.1\r\n" HOST "\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    kit_skip_head(bench.client);
    http_server_stop(bench.server, 50);
    assert_int_equal(bench.exchanges, 1);
    assert_true(bench.outcome.client_gone);
    bench_tear_down(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engine_that_does_not_answer_is_told_apart),
        cmocka_unit_test(test_silent_engine_is_given_up_when_its_time_is_over),
        cmocka_unit_test(test_answer_of_a_lost_engine_is_not_waited_for),
        cmocka_unit_test(test_begun_answer_goes_on_while_the_engine_says_something),
        cmocka_unit_test(test_begun_answer_of_a_lost_engine_is_cut),
        cmocka_unit_test(test_slow_body_is_408),
        cmocka_unit_test(test_slow_engine_does_not_make_a_body_slow),
        cmocka_unit_test(test_time_for_an_answer_does_not_limit_its_body),
        cmocka_unit_test(test_malformed_answers_are_refused),
        cmocka_unit_test(test_unasked_switch_of_protocols_is_refused),
        cmocka_unit_test(test_stale_connection_leaves_the_body_untouched),
        cmocka_unit_test(test_target_with_a_line_break_is_refused),
        cmocka_unit_test(test_answer_that_breaks_off_is_seen_to_break_off),
        cmocka_unit_test(test_answer_to_http_1_0_that_breaks_off_is_reset),
        cmocka_unit_test(test_bad_chunk_of_the_client_is_400),
        cmocka_unit_test(test_engine_is_let_go_when_the_client_is_gone),
        cmocka_unit_test(test_client_gone_in_its_request_is_told_apart),
        cmocka_unit_test(test_half_closed_client_gets_its_answer),
        cmocka_unit_test(test_stopping_server_cuts_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
