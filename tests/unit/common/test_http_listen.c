/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server_fixture.h"

static void test_unix_socket_is_0660_and_removed_at_the_end(void **state)
{
    struct fixture fixture;
    struct stat made;
    char url[128];
    const char *path = kit_path("mode.sock");
    snprintf(url, sizeof url, "unix://%s", path);
    mode_t saved = umask(0);
    fixture_start_at(&fixture, url, NULL, (struct http_server_options){0});
    umask(saved);
    assert_string_equal(fixture.url, url);
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 0777, 0660);
    fixture_check_exchange(&fixture, "GET /peer HTTP/1.1\r\nHost:\r\n\r\n", "HTTP/1.1 200 OK\r\n", "");
    fixture_stop(&fixture);
    assert_int_equal(stat(path, &made), -1);
}

static int handle(struct http_request *request, struct http_reply *reply, void *data)
{
    return http_reply_send(reply, 204, NULL, NULL, 0);
}

static void check_listen_error(const char *url, const char *expected)
{
    struct http_server *server;
    struct http_server_options options = {.handler = handle};
    char *error = NULL;
    assert_int_equal(http_server_new(&server, &options, &error), 0);
    assert_int_equal(http_server_listen(server, url, NULL, NULL, &error), -1);
    if (!strstr(error, expected))
        fail_msg("expected \"%s\", got \"%s\"", expected, error);
    free(error);
    http_server_free(server);
}

static void test_stale_unix_socket_is_replaced(void **state)
{
    struct fixture fixture;
    char url[128];
    const char *path = kit_path("stale.sock");
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(url, sizeof url, "unix://%s", path);
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
    close(fd);
    fixture_start_at(&fixture, url, NULL, (struct http_server_options){0});
    fixture_check_exchange(&fixture, "GET / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\n", "hello");
    /* In use now. */
    check_listen_error(url, "bind: address already in use");
    fixture_check_exchange(&fixture, "GET / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\n", "hello");
    fixture_stop(&fixture);
}

static void test_file_that_is_no_socket_is_left_alone(void **state)
{
    char url[128];
    const char *path = kit_path("precious");
    snprintf(url, sizeof url, "unix://%s", path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    check_listen_error(url, "the file exists and is not a socket");
    assert_int_equal(access(path, F_OK), 0);
}

static void test_listen_errors_say_what_and_where(void **state)
{
    struct fixture fixture;
    char expected[128];
    fixture_start(&fixture);
    snprintf(expected, sizeof expected, "listen tcp %s: bind: address already in use", fixture.url + 6);
    check_listen_error(fixture.url, expected);
    fixture_stop(&fixture);
    check_listen_error("foo://x", "unsupported protocol: \"foo\"");
    check_listen_error("tcp://127.0.0.1", "missing port in address");
    check_listen_error("unix:///nonexistent/x.sock",
                       "listen unix /nonexistent/x.sock: bind: no such file or directory");
    check_listen_error("tcp://192.0.2.1:1", "listen tcp 192.0.2.1:1: bind: cannot assign requested address");
}

static void test_busy_port_2375_gets_a_hint(void **state)
{
    struct http_server *server;
    struct http_server_options options = {.handler = handle};
    char *error = NULL;
    assert_int_equal(http_server_new(&server, &options, &error), 0);
    /* An address of loopback that nobody else uses; the port is what the hint is about. */
    assert_int_equal(http_server_listen(server, "tcp://127.86.75.30:2375", NULL, NULL, &error), 0);
    check_listen_error("tcp://127.86.75.30:2375",
                       "listen tcp 127.86.75.30:2375: bind: address already in use: is Docker "
                       "already running on this machine? Try using a different port");
    http_server_free(server);
}

static void test_all_addresses_are_listened_on_without_a_host(void **state)
{
    struct fixture fixture;
    char url[64];
    fixture_start_at(&fixture, "tcp://:0", NULL, (struct http_server_options){0});
    snprintf(url, sizeof url, "127.0.0.1%s", strrchr(fixture.url, ':'));
    struct stream *stream = kit_dial(url, NULL);
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_tls_server_knows_its_client_by_certificate(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", kit_tls(), (struct http_server_options){0});
    struct stream *stream = kit_dial(fixture.url, kit_tls());
    kit_send(stream, "GET /peer HTTP/1.1\r\n" HOST "\r\nGET /stream HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "two\r\n0\r\n\r\n");
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_tls_server_does_not_answer_plain_requests(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", kit_tls(), (struct http_server_options){0});
    struct stream *stream = fixture_dial(&fixture);
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    char *text = kit_read_all(stream, NULL, NULL);
    assert_null(strstr(text, "HTTP"));
    free(text);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void test_silent_handshake_holds_up_nobody(void **state)
{
    struct fixture fixture;
    fixture_start_at(&fixture, "tcp://127.0.0.1:0", kit_tls(), (struct http_server_options){.head_timeout_ms = 2000});
    struct stream *silent = fixture_dial(&fixture);
    struct stream *stream = kit_dial(fixture.url, kit_tls());
    kit_send(stream, "GET / HTTP/1.1\r\n" HOST "\r\n");
    fixture_check_reply(stream, "HTTP/1.1 200 OK\r\n", "hello");
    assert_true(kit_is_closed(silent));
    stream_close(silent);
    stream_close(stream);
    fixture_stop(&fixture);
}

static void ask_often(void *data)
{
    struct fixture *fixture = data;
    for (int i = 0; i < 20; i++) {
        struct stream *stream = kit_dial(fixture->url, NULL);
        for (int j = 0; j < 5; j++) {
            kit_send(stream, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nping");
            char *reply = kit_read_reply(stream);
            kit_check(strstr(reply, "\r\n\r\nping") != NULL);
            free(reply);
        }
        stream_close(stream);
    }
}

static void test_many_clients_at_once_are_served(void **state)
{
    struct fixture fixture;
    struct kit_thread *threads[8];
    fixture_start(&fixture);
    for (int i = 0; i < 8; i++)
        threads[i] = kit_start(ask_often, &fixture);
    for (int i = 0; i < 8; i++)
        kit_join(threads[i]);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unix_socket_is_0660_and_removed_at_the_end),
        cmocka_unit_test(test_stale_unix_socket_is_replaced),
        cmocka_unit_test(test_file_that_is_no_socket_is_left_alone),
        cmocka_unit_test(test_listen_errors_say_what_and_where),
        cmocka_unit_test(test_busy_port_2375_gets_a_hint),
        cmocka_unit_test(test_all_addresses_are_listened_on_without_a_host),
        cmocka_unit_test(test_tls_server_knows_its_client_by_certificate),
        cmocka_unit_test(test_tls_server_does_not_answer_plain_requests),
        cmocka_unit_test(test_silent_handshake_holds_up_nobody),
        cmocka_unit_test(test_many_clients_at_once_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
