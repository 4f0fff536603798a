/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "answer_by_path.h"
#include "http_client.h"

static struct http_peer *server;
static struct http_client *client;

static int set_up(void **state)
{
    server = http_peer_new(answer_by_path, NULL);
    return http_client_new(&client);
}

static int tear_down(void **state)
{
    http_client_free(client);
    http_peer_free(server);
    return 0;
}

static struct http_result get(const char *path)
{
    struct http_call call = {.url = http_peer_url(server, path), .timeout_ms = 20000};
    struct http_result result;
    http_client_call(client, &call, &result);
    return result;
}

static void test_answer_has_status_and_body(void **state)
{
    struct http_result result = get("/teapot");
    assert_int_equal(result.failure, HTTP_OK);
    assert_int_equal(result.status, 418);
    assert_string_equal(result.body, "short and stout");
    assert_int_equal(result.length, 15);
    http_result_clear(&result);
    assert_null(result.body);
}

static void test_empty_body_is_an_empty_string(void **state)
{
    struct http_result result = get("/empty");
    assert_int_equal(result.failure, HTTP_OK);
    assert_string_equal(result.body, "");
    http_result_clear(&result);
}

static void test_versions_and_index_come_from_headers(void **state)
{
    struct http_result result = get("/headers");
    assert_string_equal(result.api_version, "1.54");
    assert_string_equal(result.builder_version, "2");
    assert_string_equal(result.index, "17");
    http_result_clear(&result);
}

static void test_body_and_headers_are_sent_without_expect_and_type(void **state)
{
    const char *headers[] = {"X-One: 1", NULL};
    struct http_call call = {.method = "PUT", .url = http_peer_url(server, "/echo"), .headers = headers};
    struct http_result result;
    call.body = "hello";
    call.body_length = 5;
    assert_int_equal(http_client_call(client, &call, &result), 0);
    assert_non_null(strstr(result.body, "PUT hello\n"));
    assert_non_null(strstr(result.body, "X-One: 1\r\n"));
    assert_null(strcasestr(result.body, "expect"));
    assert_null(strcasestr(result.body, "content-type"));
    http_result_clear(&result);
}

static void test_post_without_body_sends_length_zero(void **state)
{
    struct http_call call = {.method = "POST", .url = http_peer_url(server, "/echo")};
    struct http_result result;
    assert_int_equal(http_client_call(client, &call, &result), 0);
    assert_non_null(strstr(result.body, "Content-Length: 0"));
    http_result_clear(&result);
}

static void test_dots_in_path_are_kept(void **state)
{
    struct http_result result = get("/a/../empty");
    assert_int_equal(result.status, 404); /* the server does not know the path as it was sent */
    assert_string_equal(result.body, "no answer for /a/../empty");
    http_result_clear(&result);
}

static void test_connections_are_kept(void **state)
{
    int before = http_peer_accepted(server);
    for (int i = 0; i < 20; i++) {
        struct http_result result = get("/empty");
        http_result_clear(&result);
    }
    assert_int_equal(http_peer_accepted(server) - before, 1);
}

static void test_nobody_listening_is_refused(void **state)
{
    http_peer_kill(server);
    struct http_call call = {.url = http_peer_url(server, "/")};
    struct http_result result;
    assert_int_equal(http_client_call(client, &call, &result), -1);
    assert_int_equal(result.failure, HTTP_REFUSED);
    assert_non_null(strstr(result.error, "Failed to connect to 127.0.0.1 port "));
    assert_null(strstr(result.error, " ms")); /* the same words each time */
    http_result_clear(&result);
}

static void test_missing_unix_socket_is_refused(void **state)
{
    struct http_call call = {.url = "http://engine/_ping", .unix_path = "/nonexistent/socket"};
    struct http_result result;
    assert_int_equal(http_client_call(client, &call, &result), -1);
    assert_int_equal(result.failure, HTTP_REFUSED);
    http_result_clear(&result);
}

static void test_no_answer_in_time_is_a_timeout(void **state)
{
    http_peer_set_fault(server, PEER_SILENT);
    struct http_call call = {.url = http_peer_url(server, "/teapot"), .timeout_ms = 100};
    struct http_result result;
    assert_int_equal(http_client_call(client, &call, &result), -1);
    assert_int_equal(result.failure, HTTP_TIMEOUT);
    assert_string_equal(result.error, "Operation timed out with 0 bytes received");
    http_result_clear(&result);
}

static void test_silence_is_a_timeout(void **state)
{
    struct http_call call = {.url = http_peer_url(server, "/mute"), .silence_timeout_ms = 100};
    struct http_result result;
    assert_int_equal(http_client_call(client, &call, &result), -1);
    assert_int_equal(result.failure, HTTP_TIMEOUT);
    assert_string_equal(result.error, "nothing came for 100 ms");
    http_result_clear(&result);
}

static void test_closed_in_the_middle_is_broken(void **state)
{
    http_peer_set_fault(server, PEER_CUT);
    struct http_result result = get("/teapot");
    assert_int_equal(result.failure, HTTP_BROKEN);
    http_result_clear(&result);
}

static void test_no_http_is_broken(void **state)
{
    http_peer_set_fault(server, PEER_GARBAGE);
    struct http_result result = get("/teapot");
    assert_int_equal(result.failure, HTTP_BROKEN);
    http_result_clear(&result);
}

static void test_too_long_an_answer_is_broken(void **state)
{
    struct http_call call = {.url = http_peer_url(server, "/big"), .max_response = 999999};
    struct http_result result;
    assert_int_equal(http_client_call(client, &call, &result), -1);
    assert_int_equal(result.failure, HTTP_BROKEN);
    assert_string_equal(result.error, "the answer is longer than 999999 bytes");
    http_result_clear(&result);
    call.max_response = 1000000;
    assert_int_equal(http_client_call(client, &call, &result), 0);
    assert_int_equal(result.length, 1000000);
    http_result_clear(&result);
}

static void test_url_of_another_scheme_is_refused_by_us(void **state)
{
    struct http_call call = {.url = "file:///etc/hostname"};
    struct http_result result;
    assert_int_equal(http_client_call(client, &call, &result), -1);
    assert_int_equal(result.failure, HTTP_BROKEN);
    assert_string_equal(result.error, "file:///etc/hostname is not an http URL");
    http_result_clear(&result);
}

static void *call_many(void *data)
{
    for (int i = 0; i < 50; i++) {
        struct http_call call = {.url = data, .timeout_ms = 60000};
        struct http_result result;
        if (http_client_call(client, &call, &result) != 0 || result.status != 418)
            return NULL;
        http_result_clear(&result);
    }
    return data;
}

static void test_threads_share_a_client(void **state)
{
    pthread_t threads[8];
    char *url = strdup(http_peer_url(server, "/teapot"));
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_many, url), 0);
    for (int i = 0; i < 8; i++) {
        void *done;
        pthread_join(threads[i], &done);
        assert_ptr_equal(done, url);
    }
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answer_has_status_and_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_body_is_an_empty_string, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_versions_and_index_come_from_headers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_body_and_headers_are_sent_without_expect_and_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_post_without_body_sends_length_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dots_in_path_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connections_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_listening_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_unix_socket_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_answer_in_time_is_a_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence_is_a_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closed_in_the_middle_is_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_http_is_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_long_an_answer_is_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_url_of_another_scheme_is_refused_by_us, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_share_a_client, set_up, tear_down),
    };
    http_client_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
