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
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http_kit.h"
#include "http_listen.h"
#include "stream.h"
#include "stream_internal.h"

static const enum kit_transport transports[] = {KIT_UNIX, KIT_TCP, KIT_TLS};

static void test_addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host, *port, *path;
    } cases[] = {
        {"tcp://127.0.0.1:2375", "127.0.0.1", "2375", ""},
        {"127.0.0.1:2375", "127.0.0.1", "2375", ""},
        {"tcp://[::1]:0", "::1", "0", ""},
        {":4000", "", "4000", ""},
        {"node-1.example:65535", "node-1.example", "65535", ""},
        {"unix:///run/swarm.sock", "", "", "/run/swarm.sock"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address address;
        char *error = NULL;
        assert_int_equal(address_parse(&address, cases[i].text, &error), 0);
        assert_string_equal(address.host, cases[i].host);
        assert_string_equal(address.port, cases[i].port);
        assert_string_equal(address.path, cases[i].path);
        assert_int_equal(address.is_unix, cases[i].path[0] != '\0');
    }
}

static void test_bad_addresses_are_named(void **state)
{
    static const char long_path[] =
        "unix:///aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"foo://a:1", "unsupported protocol: \"foo\""},
        {"://a:1", "unsupported protocol: \"\""},
        {"localhost", "address localhost: missing port in address"},
        {"::1:2375", "address ::1:2375: too many colons in address"},
        {"[::1:2375", "address [::1:2375: missing ']' in address"},
        {"[::1]", "address [::1]: missing port in address"},
        {"a:", "address a:: invalid port \"\""},
        {"a:x", "address a:x: invalid port \"x\""},
        {"a:65536", "address a:65536: invalid port \"65536\""},
        {"a:-1", "address a:-1: invalid port \"-1\""},
        {"unix://", "address unix://: missing path in address"},
        {long_path, "path is longer than 107 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address address;
        char *error = NULL;
        assert_int_equal(address_parse(&address, cases[i].text, &error), -1);
        assert_non_null(strstr(error, cases[i].error));
        free(error);
    }
}

static void check_dial_error(const char *url, int timeout_ms, const char *expected)
{
    struct address address;
    struct stream *stream;
    char *error = NULL;
    assert_int_equal(address_parse(&address, url, &error), 0);
    assert_int_equal(stream_dial(&stream, &address, NULL, timeout_ms, &error), -1);
    if (!strstr(error, expected))
        fail_msg("%s: \"%s\"", url, error);
    free(error);
}

static void test_dial_errors_are_worded_as_go_words_them(void **state)
{
    struct listening_socket listening;
    char *error = NULL;
    assert_int_equal(listening_socket_open(&listening, "127.0.0.1:0", &error), 0);
    char *url = listening_socket_url(&listening);
    listening_socket_close(&listening);
    check_dial_error(url, KIT_TIMEOUT_MS, "connection refused");
    free(url);
    check_dial_error("unix:///nonexistent/swarm.sock", KIT_TIMEOUT_MS, "no such file or directory");
    check_dial_error("no-such-host.invalid:1", KIT_TIMEOUT_MS, "lookup no-such-host.invalid: ");
}

/* A socket whose owner accepts nothing any more: its queue is full, and that is silence. */
static void test_full_queue_of_a_socket_counts_as_silent(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char url[128];
    struct address address;
    struct stream *first = NULL;
    char *error = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "/tmp/test-stream.%d", (int)getpid());
    unlink(name.sun_path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fd, 0), 0);
    snprintf(url, sizeof url, "unix://%s", name.sun_path);
    assert_int_equal(address_parse(&address, url, &error), 0);
    assert_int_equal(stream_dial(&first, &address, NULL, KIT_TIMEOUT_MS, &error), 0);
    check_dial_error(url, 100, "i/o timeout");
    stream_close(first);
    close(fd);
    unlink(name.sun_path);
}

static void test_dial_by_name_reaches_a_listener(void **state)
{
    struct listening_socket listening;
    char *error = NULL, url[64];
    assert_int_equal(listening_socket_open(&listening, "127.0.0.1:0", &error), 0);
    char *bound = listening_socket_url(&listening);
    snprintf(url, sizeof url, "localhost%s", strrchr(bound, ':'));
    stream_close(kit_dial(url, NULL));
    listening_socket_close(&listening);
    free(bound);
}

static void echo_until_end(void *data)
{
    struct stream *stream = data;
    char buffer[4096];
    ssize_t got;
    while ((got = stream_recv_wait(stream, buffer, sizeof buffer, KIT_TIMEOUT_MS)) > 0)
        kit_check(stream_send_all(stream, buffer, (size_t)got, KIT_TIMEOUT_MS) == 0);
    kit_check(got == 0);
    kit_send(stream, "<end>");
    kit_check(stream_shutdown_write(stream) == 0);
}

/* The writer ends first; what the other side says after that still arrives. */
static void check_half_close(enum kit_transport transport, bool by_client)
{
    struct stream *client, *server;
    kit_pair(transport, &client, &server);
    struct stream *ending = by_client ? client : server;
    struct kit_thread *thread = kit_start(echo_until_end, by_client ? server : client);
    kit_send(ending, "hello");
    assert_int_equal(stream_shutdown_write(ending), 0);
    assert_int_equal(stream_shutdown_write(ending), 0);
    assert_int_equal(stream_send(ending, "x", 1), -EPIPE);
    int result;
    char *text = kit_read_all(ending, NULL, &result);
    assert_string_equal(text, "hello<end>");
    assert_int_equal(result, 0);
    free(text);
    kit_join(thread);
    stream_close(client);
    stream_close(server);
}

static void test_half_close_by_client_leaves_reading_open(void **state)
{
    for (size_t i = 0; i < 3; i++)
        check_half_close(transports[i], true);
}

static void test_half_close_by_server_leaves_reading_open(void **state)
{
    for (size_t i = 0; i < 3; i++)
        check_half_close(transports[i], false);
}

static void test_half_close_works_with_tls_1_2(void **state)
{
    SSL_CTX *context = tls_context(kit_tls(), false);
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    check_half_close(KIT_TLS, true);
    check_half_close(KIT_TLS, false);
    SSL_CTX_set_max_proto_version(context, 0);
    SSL_CTX_free(context);
}

static void test_send_to_a_closed_peer_fails_without_a_signal(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        struct stream *client, *server;
        char buffer[4096] = {0};
        kit_pair(transports[i], &client, &server);
        stream_close(server);
        ssize_t sent;
        do {
            sent = stream_send(client, buffer, sizeof buffer);
        } while (sent > 0 || sent == STREAM_AGAIN);
        assert_true(sent == -EPIPE || sent == -ECONNRESET);
        stream_close(client);
    }
}

static void test_abort_is_not_taken_for_an_end(void **state)
{
    static const enum kit_transport over_tcp[] = {KIT_TCP, KIT_TLS};
    for (size_t i = 0; i < 2; i++) {
        struct stream *client, *server;
        char byte;
        kit_pair(over_tcp[i], &client, &server);
        stream_abort(server);
        assert_true(stream_recv_wait(client, &byte, 1, KIT_TIMEOUT_MS) < 0);
        stream_close(client);
    }
}

static void test_tls_cut_without_close_notify_is_not_taken_for_an_end(void **state)
{
    struct stream *client, *server;
    char byte;
    kit_pair(KIT_TLS, &client, &server);
    shutdown(stream_fd(server), SHUT_RDWR);
    assert_int_equal(stream_recv_wait(client, &byte, 1, KIT_TIMEOUT_MS), -ECONNRESET);
    stream_close(client);
    stream_close(server);
}

static void test_waiting_for_bytes_ends_at_the_time_out(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        struct stream *client, *server;
        char byte;
        kit_pair(transports[i], &client, &server);
        assert_int_equal(stream_recv(client, &byte, 1), STREAM_AGAIN);
        assert_int_equal(stream_recv_wait(client, &byte, 1, 20), -ETIMEDOUT);
        stream_close(client);
        stream_close(server);
    }
}

static void test_sending_to_who_does_not_read_ends_at_the_time_out(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        struct stream *client, *server;
        size_t size = 64 * 1024 * 1024;
        char *much = calloc(1, size);
        assert_non_null(much);
        kit_pair(transports[i], &client, &server);
        assert_int_equal(stream_send_all(client, much, size, 100), -ETIMEDOUT);
        stream_close(client);
        stream_close(server);
        free(much);
    }
}

static void test_idle_connection_is_open_until_the_peer_says_something(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        struct stream *client, *server;
        char byte;
        kit_pair(transports[i], &client, &server);
        assert_true(stream_is_idle_open(client));
        kit_send(server, "x");
        while (stream_is_idle_open(client))
            kit_sleep_ms(1);
        assert_int_equal(stream_recv_wait(client, &byte, 1, KIT_TIMEOUT_MS), 1);
        assert_true(stream_is_idle_open(client));
        stream_close(server);
        while (stream_is_idle_open(client))
            kit_sleep_ms(1);
        stream_close(client);
    }
}

static void test_decrypted_bytes_are_pending(void **state)
{
    struct stream *client, *server;
    char byte;
    kit_pair(KIT_TLS, &client, &server);
    kit_send(server, "xy");
    assert_int_equal(stream_recv_wait(client, &byte, 1, KIT_TIMEOUT_MS), 1);
    assert_true(stream_pending(client));
    assert_int_equal(stream_recv(client, &byte, 1), 1);
    assert_false(stream_pending(client));
    stream_close(client);
    stream_close(server);
}

static void test_delivery_is_limited(void **state)
{
    struct stream *client, *server;
    unsigned int limit = 0;
    socklen_t length = sizeof limit;
    kit_pair(KIT_TCP, &client, &server);
    stream_limit_delivery(client, 1234);
    assert_int_equal(getsockopt(stream_fd(client), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, &length), 0);
    assert_int_equal(limit, 1234);
    stream_limit_delivery(client, 0);
    assert_int_equal(getsockopt(stream_fd(client), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, &length), 0);
    assert_int_equal(limit, 0);
    stream_close(client);
    stream_close(server);
}

static void test_peer_is_named_by_certificate_address_or_uid(void **state)
{
    struct stream *client, *server;
    char uid[32];
    kit_pair(KIT_UNIX, &client, &server);
    snprintf(uid, sizeof uid, "uid:%u", (unsigned)getuid());
    assert_string_equal(stream_peer(server), uid);
    assert_false(stream_peer_is_server(server));
    stream_close(client);
    stream_close(server);
    kit_pair(KIT_TCP, &client, &server);
    assert_string_equal(stream_peer(server), "127.0.0.1");
    assert_true(stream_peer_is_server(server));
    stream_close(client);
    stream_close(server);
    kit_pair(KIT_TLS, &client, &server);
    assert_int_equal(strncmp(stream_peer(server), "sha256:", 7), 0);
    assert_int_equal(strlen(stream_peer(server)), 7 + 64);
    stream_close(client);
    stream_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_taken_apart),
        cmocka_unit_test(test_bad_addresses_are_named),
        cmocka_unit_test(test_dial_errors_are_worded_as_go_words_them),
        cmocka_unit_test(test_full_queue_of_a_socket_counts_as_silent),
        cmocka_unit_test(test_dial_by_name_reaches_a_listener),
        cmocka_unit_test(test_half_close_by_client_leaves_reading_open),
        cmocka_unit_test(test_half_close_by_server_leaves_reading_open),
        cmocka_unit_test(test_half_close_works_with_tls_1_2),
        cmocka_unit_test(test_send_to_a_closed_peer_fails_without_a_signal),
        cmocka_unit_test(test_abort_is_not_taken_for_an_end),
        cmocka_unit_test(test_tls_cut_without_close_notify_is_not_taken_for_an_end),
        cmocka_unit_test(test_waiting_for_bytes_ends_at_the_time_out),
        cmocka_unit_test(test_sending_to_who_does_not_read_ends_at_the_time_out),
        cmocka_unit_test(test_idle_connection_is_open_until_the_peer_says_something),
        cmocka_unit_test(test_decrypted_bytes_are_pending),
        cmocka_unit_test(test_delivery_is_limited),
        cmocka_unit_test(test_peer_is_named_by_certificate_address_or_uid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
