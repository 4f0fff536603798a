/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer_by_path.h"
#include "http_over.h"

static struct http_peer *server;
static struct stream *stream;
static struct http_over_end end;

static void dial(void)
{
    struct address address;
    char *error = NULL;

    assert_int_equal(address_parse(&address, http_peer_address(server), &error), 0);
    assert_int_equal(stream_dial(&stream, &address, NULL, 20000, &error), 0);
}

static int set_up(void **state)
{
    server = http_peer_new(answer_by_path, NULL);
    dial();
    return 0;
}

static int tear_down(void **state)
{
    stream_close(stream);
    http_peer_free(server);
    return 0;
}

static struct http_result call_with(const char *path, struct http_call call)
{
    struct http_result result;
    int r = http_over(stream, "engine:1", path, &call, &result, &end);

    assert_int_equal(r, result.failure == HTTP_OK ? 0 : -1);
    return result;
}

static struct http_result get(const char *path)
{
    return call_with(path, (struct http_call){.timeout_ms = 20000});
}

static void test_one_connection_takes_many_requests(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct http_result result = get("/teapot");

        assert_int_equal(result.status, 418);
        assert_string_equal(result.body, "short and stout");
        assert_int_equal(result.length, 15);
        assert_true(end.reusable);
        http_result_clear(&result);
    }
    assert_int_equal(http_peer_accepted(server), 1);
}

static void test_empty_body_is_an_empty_string(void **state)
{
    struct http_result result = get("/empty");

    assert_string_equal(result.body, "");
    assert_true(end.reusable);
    http_result_clear(&result);
}

static void test_versions_come_from_headers(void **state)
{
    struct http_result result = get("/headers");

    assert_string_equal(result.api_version, "1.54");
    assert_string_equal(result.builder_version, "2");
    http_result_clear(&result);
}

static void test_host_headers_and_body_are_sent(void **state)
{
    const char *headers[] = {"X-One: 1", NULL};
    struct http_result result =
        call_with("/echo", (struct http_call){.method = "PUT", .headers = headers, .body = "hello", .body_length = 5});

    assert_non_null(strstr(result.body, "PUT hello\n"));
    assert_non_null(strstr(result.body, "X-One: 1\r\n"));
    assert_non_null(strstr(result.body, "Host: engine:1\r\n"));
    http_result_clear(&result);
}

static void test_post_without_body_sends_length_zero(void **state)
{
    struct http_result result = call_with("/echo", (struct http_call){.method = "POST"});

    assert_non_null(strstr(result.body, "Content-Length: 0"));
    http_result_clear(&result);
}

static void test_no_answer_in_time_is_a_timeout(void **state)
{
    struct http_result result;

    http_peer_set_fault(server, PEER_SILENT);
    result = call_with("/teapot", (struct http_call){.timeout_ms = 100});
    assert_int_equal(result.failure, HTTP_TIMEOUT);
    assert_string_equal(result.error, "no answer within 100 ms");
    assert_false(end.reusable);
    assert_false(end.unanswered); /* it was not closed: another would wait as long */
    http_result_clear(&result);
}

static void test_silence_is_a_timeout(void **state)
{
    struct http_result result = call_with("/mute", (struct http_call){.silence_timeout_ms = 100});

    assert_int_equal(result.failure, HTTP_TIMEOUT);
    assert_string_equal(result.error, "nothing came for 100 ms");
    http_result_clear(&result);
}

static bool give_up(void *data)
{
    return ++*(int *)data == 2;
}

static void test_caller_is_asked_whether_to_go_on(void **state)
{
    int asked = 0;
    struct http_result result = call_with("/mute", (struct http_call){.give_up = give_up, .give_up_data = &asked});

    assert_int_equal(result.failure, HTTP_CANCELLED);
    assert_int_equal(asked, 2);
    http_result_clear(&result);
}

static void test_closed_in_the_middle_is_broken(void **state)
{
    struct http_result result;

    http_peer_set_fault(server, PEER_CUT);
    result = get("/teapot");
    assert_int_equal(result.failure, HTTP_BROKEN);
    assert_string_equal(result.error, "the connection was closed in the middle of the answer");
    assert_null(result.body);
    assert_false(end.reusable);
    assert_false(end.unanswered);
    http_result_clear(&result);
}

static void test_closed_without_an_answer_is_worth_another_connection(void **state)
{
    struct http_result result;

    http_peer_set_fault(server, PEER_CLOSE);
    result = get("/teapot");
    assert_int_equal(result.failure, HTTP_BROKEN);
    assert_true(end.unanswered);
    assert_false(end.reusable);
    http_result_clear(&result);
    http_peer_set_fault(server, PEER_WELL);
    stream_close(stream);
    dial();
    result = get("/teapot");
    assert_int_equal(result.failure, HTTP_OK);
    http_result_clear(&result);
}

static void test_garbage_is_broken(void **state)
{
    struct http_result result;

    http_peer_set_fault(server, PEER_GARBAGE);
    result = get("/teapot");
    assert_int_equal(result.failure, HTTP_BROKEN);
    assert_false(end.reusable);
    http_result_clear(&result);
}

static void test_answer_beyond_the_limit_is_refused(void **state)
{
    struct http_result result = call_with("/teapot", (struct http_call){.max_response = 14});

    assert_int_equal(result.failure, HTTP_BROKEN);
    assert_string_equal(result.error, "the answer is longer than 14 bytes");
    http_result_clear(&result);
    stream_close(stream);
    dial();
    result = call_with("/teapot", (struct http_call){.max_response = 15});
    assert_int_equal(result.failure, HTTP_OK);
    http_result_clear(&result);
}

/* What an answer looks like byte by byte: from one end of a pair of sockets. */
static struct http_result answer_with(const char *bytes, bool closed)
{
    struct http_call call = {.timeout_ms = 20000};
    struct stream *near, *far;
    struct http_result result;

    assert_int_equal(stream_pair(&near, &far), 0);
    assert_int_equal(stream_send_all(far, bytes, strlen(bytes), 20000), 0);
    if (closed)
        stream_shutdown_write(far);
    http_over(near, "engine", "/", &call, &result, &end);
    stream_close(near);
    stream_close(far);
    return result;
}

static void test_chunks_are_joined(void **state)
{
    struct http_result result = answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                            "3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\n\r\n",
                                            false);

    assert_int_equal(result.failure, HTTP_OK);
    assert_string_equal(result.body, "abcdefgh");
    assert_true(end.reusable);
    http_result_clear(&result);
}

static void test_interim_answers_are_skipped(void **state)
{
    struct http_result result = answer_with("HTTP/1.1 100 Continue\r\nApi-Version: 1.1\r\n\r\n"
                                            "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
                                            false);

    assert_int_equal(result.status, 201);
    assert_string_equal(result.body, "{}");
    assert_string_equal(result.api_version, "");
    http_result_clear(&result);
}

static void test_body_until_the_end_ends_the_connection(void **state)
{
    struct http_result result = answer_with("HTTP/1.1 200 OK\r\n\r\nall of it", true);

    assert_int_equal(result.failure, HTTP_OK);
    assert_string_equal(result.body, "all of it");
    assert_false(end.reusable);
    http_result_clear(&result);
}

static void test_connection_with_more_than_the_answer_is_not_used_again(void **state)
{
    struct http_result result = answer_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP", false);

    assert_int_equal(result.failure, HTTP_OK);
    assert_false(end.reusable);
    http_result_clear(&result);
    result = answer_with("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", false);
    assert_false(end.reusable);
    http_result_clear(&result);
}

static void test_length_that_is_not_kept_to_takes_no_memory(void **state)
{
    struct http_result result = answer_with("HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n{}", true);

    assert_int_equal(result.failure, HTTP_BROKEN);
    http_result_clear(&result);
}

static void test_switched_protocols_are_refused(void **state)
{
    struct http_result result =
        answer_with("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", false);

    assert_int_equal(result.failure, HTTP_BROKEN);
    assert_false(end.reusable);
    http_result_clear(&result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_connection_takes_many_requests),
        TEST(test_empty_body_is_an_empty_string),
        TEST(test_versions_come_from_headers),
        TEST(test_host_headers_and_body_are_sent),
        TEST(test_post_without_body_sends_length_zero),
        TEST(test_no_answer_in_time_is_a_timeout),
        TEST(test_silence_is_a_timeout),
        TEST(test_caller_is_asked_whether_to_go_on),
        TEST(test_closed_in_the_middle_is_broken),
        TEST(test_closed_without_an_answer_is_worth_another_connection),
        TEST(test_garbage_is_broken),
        TEST(test_answer_beyond_the_limit_is_refused),
        cmocka_unit_test(test_chunks_are_joined),
        cmocka_unit_test(test_interim_answers_are_skipped),
        cmocka_unit_test(test_body_until_the_end_ends_the_connection),
        cmocka_unit_test(test_connection_with_more_than_the_answer_is_not_used_again),
        cmocka_unit_test(test_length_that_is_not_kept_to_takes_no_memory),
        cmocka_unit_test(test_switched_protocols_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
