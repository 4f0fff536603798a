/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_fixture.h"
#include "stream_internal.h"

static void test_slow_head_is_408(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.head_timeout_ms = 100});
    fixture_check_refusal(&fixture, "GET / HTTP/1.1\r\nHost:", "HTTP/1.1 408 ");
    fixture_stop(&fixture);
}

static void test_slow_body_is_408(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.body_timeout_ms = 100});
    fixture_check_refusal(&fixture, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n1234", "HTTP/1.1 408 ");
    fixture_stop(&fixture);
}

/* A byte now and then does not keep a body from being slow. */
static void test_trickling_body_is_408(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.body_timeout_ms = 500});
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n");
    char byte;
    int sent = 0;
    while (stream_recv(stream, &byte, 1) == STREAM_AGAIN && sent++ < KIT_TIMEOUT_MS / 20) {
        kit_send(stream, "x");
        kit_sleep_ms(20);
    }
    assert_true(sent < KIT_TIMEOUT_MS / 20);
    assert_int_equal(byte, 'H');
    fixture_check_reply(stream, "TTP/1.1 408 ", "too long\"}\n");
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_idle_connection_is_closed_without_a_word(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.idle_timeout_ms = 1000});
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    int result;
    char *rest = kit_read_all(stream, NULL, &result);
    assert_string_equal(rest, "");
    assert_int_equal(result, 0);
    free(rest);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_reply_that_is_not_taken_ends_the_connection(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.body_timeout_ms = 100});
    struct stream *stream = fixture_dial(&fixture);
    /* Replies of 40 KB each, until the socket buffers are full. */
    for (int i = 0; i < 2000; i++)
        if (stream_send_all(stream, "GET /stream HTTP/1.1\r\n" HOST "\r\n", 33, 100) < 0)
            break;
    http_server_stop(fixture.server, KIT_TIMEOUT_MS);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_connections_beyond_the_limit_get_503(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.max_connections = 2});
    struct stream *first = fixture_dial(&fixture), *second = fixture_dial(&fixture);
    kit_send(first, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(first, "HTTP/1.1 200 OK\r\n", "hello");
    kit_send(second, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(second, "HTTP/1.1 200 OK\r\n", "hello");
    fixture_check_refusal(&fixture, "GET / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 503 ");
    stream_close(first);
    /* Room again, as soon as the server has noticed. */
    bool served = false;
    for (int i = 0; i < 2000 && !served; i++) {
        struct stream *third = fixture_dial(&fixture);
        kit_send(third, "GET / HTTP/1.1\r\n" HOST "\r\n");
        char *reply = kit_read_reply(third);
        served = strncmp(reply, "HTTP/1.1 200", 12) == 0;
        free(reply);
        stream_close(third);
        kit_sleep_ms(1);
    }
    assert_true(served);
    stream_close(second);
    fixture_stop(&fixture);
}

static void *hold_descriptors(int *held, int *count_held)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    *count_held = 0;
    for (;;) {
        int fd = dup(0);
        if (fd < 0)
            break;
        held[(*count_held)++] = fd;
    }
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 + (double)usage.ru_stime.tv_sec +
           (double)usage.ru_stime.tv_usec / 1e6;
}

static void test_lack_of_descriptors_pauses_accepting_without_spinning(void **state)
{
    struct fixture fixture;
    struct rlimit saved, limit;
    int held[256], count_held;
    fixture_start(&fixture);
    struct stream *there = fixture_dial(&fixture);
    kit_send(there, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(there, "HTTP/1.1 200 OK\r\n", "hello");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
    limit = saved;
    limit.rlim_cur = 256;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    to.sin_port = htons((uint16_t)atoi(strrchr(fixture.url, ':') + 1));
    hold_descriptors(held, &count_held);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    double before = cpu_seconds();
    kit_sleep_ms(600);
    double used = cpu_seconds() - before;
    /* Who is there already is served. */
    kit_send(there, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(there, "HTTP/1.1 200 OK\r\n", "hello");
    for (int i = 0; i < count_held; i++)
        close(held[i]);
    setrlimit(RLIMIT_NOFILE, &saved);
    assert_true(used < 0.3);
    struct stream *stream = stream_wrap(fd);
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    stream_close(stream);
    stream_close(there);
    fixture_stop(&fixture);
}

/* Linked in the place of the real one, which is threads' only. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *data);

static atomic_int threads_refused; /* of the next ones */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *data)
{
    if (atomic_fetch_sub(&threads_refused, 1) > 0)
        return EAGAIN;
    atomic_store(&threads_refused, 0);
    return __real_pthread_create(thread, attributes, run, data);
}

static void test_connection_without_a_thread_is_503(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){.max_connections = 5});
    /* More than would fit, were they not counted out again. */
    for (int i = 0; i < 20; i++) {
        atomic_store(&threads_refused, 1);
        struct stream *stream = fixture_dial(&fixture);
        fixture_check_reply(stream, "HTTP/1.1 503 ", "{\"message\":\"no thread is left for the connection\"}\n");
        assert_true(kit_is_closed(stream));
        stream_close(stream);
    }
    fixture_check_exchange(&fixture, "GET / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\n", "hello");
    fixture_stop(&fixture);
}

static void test_waiting_handler_is_woken_by_its_event(void **state)
{
    struct fixture fixture;
    const uint64_t one = 1;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    /* The next request is there already: that is no reason to wake up. */
    kit_send(stream, "GET /wait HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
    kit_wait_for(&fixture.entered, 1);
    kit_sleep_ms(30);
    assert_int_equal(fixture.left, 0);
    assert_int_equal(write(fixture.event, &one, sizeof one), sizeof one);
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "0\r\n\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    assert_int_equal(fixture.wait_result, 1);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void check_gone_client(const char *url, const struct tls *tls)
{
    struct fixture fixture;
    fixture_start_at(&fixture, url, tls, (struct http_server_options){0});
    struct stream *stream = kit_dial(fixture.url, tls);
    kit_send(stream, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    kit_wait_for(&fixture.entered, 1);
    stream_close(stream);
    kit_wait_for(&fixture.left, 1);
    assert_int_equal(fixture.wait_result, -1);
    fixture_stop(&fixture);
}

static void test_waiting_handler_notices_that_its_client_is_gone(void **state)
{
    char url[128];
    snprintf(url, sizeof url, "unix://%s", kit_path("gone.sock"));
    check_gone_client("tcp://127.0.0.1:0", NULL);
    check_gone_client("tcp://127.0.0.1:0", kit_tls());
    check_gone_client(url, NULL);
}

static void test_stop_wakes_idle_and_waiting_connections(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *idle = fixture_dial(&fixture), *waiting = fixture_dial(&fixture);
    kit_send(idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(idle, "HTTP/1.1 200 OK\r\n", "hello");
    kit_send(waiting, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    kit_wait_for(&fixture.entered, 1);
    http_server_stop(fixture.server, KIT_TIMEOUT_MS);
    assert_int_equal(fixture.left, 1);
    assert_true(kit_is_closed(idle));
    stream_close(idle);
    stream_close(waiting);
    fixture_stop(&fixture);
}

static void stop_with_grace(void *data)
{
    struct fixture *fixture = data;
    http_server_stop(fixture->server, KIT_TIMEOUT_MS);
    fixture->left += 10;
}

static void test_stop_lets_a_request_under_way_end(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET /block HTTP/1.1\r\n" HOST "\r\n");
    kit_wait_for(&fixture.entered, 1);
    struct kit_thread *thread = kit_start(stop_with_grace, &fixture);
    kit_sleep_ms(30);
    assert_int_equal(fixture.left, 0);
    fixture.release = true;
    char *reply = kit_read_reply(stream);
    assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\ndone"));
    free(reply);
    kit_join(thread);
    assert_int_equal(fixture.left, 11);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_stop_cuts_what_outlasts_the_grace(void **state)
{
    struct fixture fixture;
    fixture_start(&fixture);
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n");
    kit_sleep_ms(20);
    http_server_stop(fixture.server, 50);
    assert_true(kit_is_closed(stream));
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_stopped_server_no_longer_listens(void **state)
{
    struct fixture fixture;
    struct address address;
    struct stream *stream;
    char *error = NULL;
    fixture_start(&fixture);
    http_server_stop(fixture.server, 0);
    assert_int_equal(address_parse(&address, fixture.url, &error), 0);
    assert_int_equal(stream_dial(&stream, &address, NULL, KIT_TIMEOUT_MS, &error), -1);
    assert_string_equal(error, "connection refused");
    free(error);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_head_is_408),
        cmocka_unit_test(test_slow_body_is_408),
        cmocka_unit_test(test_trickling_body_is_408),
        cmocka_unit_test(test_idle_connection_is_closed_without_a_word),
        cmocka_unit_test(test_reply_that_is_not_taken_ends_the_connection),
        cmocka_unit_test(test_connections_beyond_the_limit_get_503),
        cmocka_unit_test(test_lack_of_descriptors_pauses_accepting_without_spinning),
        cmocka_unit_test(test_connection_without_a_thread_is_503),
        cmocka_unit_test(test_waiting_handler_is_woken_by_its_event),
        cmocka_unit_test(test_waiting_handler_notices_that_its_client_is_gone),
        cmocka_unit_test(test_stop_wakes_idle_and_waiting_connections),
        cmocka_unit_test(test_stop_lets_a_request_under_way_end),
        cmocka_unit_test(test_stop_cuts_what_outlasts_the_grace),
        cmocka_unit_test(test_stopped_server_no_longer_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
