/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "http_kit.h"
#include "http_listen.h"
#include "stream_internal.h"

static int setup(void **state)
{
    kit_make_certificates();
    return 0;
}

static struct tls *make_tls(bool verify, const char *ca, const char *cert, const char *key)
{
    struct tls_options options = {verify, ca, cert, key};
    struct tls *tls = NULL;
    char *error = NULL;
    if (tls_new(&tls, &options, &error) < 0)
        fail_msg("%s", error);
    return tls;
}

struct accepting {
    int fd;
    const struct tls *tls;
    struct stream *stream;
    char *error;
};

static void accept_tls(void *data)
{
    struct accepting *accepting = data;
    stream_accept(&accepting->stream, accepting->fd, accepting->tls, KIT_TIMEOUT_MS, &accepting->error);
}

static bool of_server; /* whether the last client accepted may be a server */

/* What a client that dials @p host hears from a server: NULL where they agree and a byte gets across, or the client's
 * trouble, to be freed. */
static char *connect_with(const struct tls *server_tls, const struct tls *client_tls, const char *host)
{
    struct listening_socket listening;
    struct address address;
    struct stream *client = NULL;
    char *error = NULL, url[300];
    kit_check(listening_socket_open(&listening, "127.0.0.1:0", &error) == 0);
    char *bound = listening_socket_url(&listening);
    snprintf(url, sizeof url, "%s%s", host, strrchr(bound, ':'));
    free(bound);
    /* Two threads of control by the queue: connect first, then accept, then both shake hands. */
    kit_check(address_parse(&address, url, &error) == 0);
    struct address plain = address;
    snprintf(plain.host, sizeof plain.host, "127.0.0.1");
    kit_check(stream_dial(&client, &plain, NULL, KIT_TIMEOUT_MS, &error) == 0);
    struct accepting accepting = {.tls = server_tls};
    while ((accepting.fd = accept(listening.fd, NULL, NULL)) < 0)
        kit_sleep_ms(1);
    struct kit_thread *thread = kit_start(accept_tls, &accepting);
    int result = stream_start_tls(client, client_tls, false, address.host, deadline_after(KIT_TIMEOUT_MS), &error);
    if (result < 0)
        shutdown(stream_fd(client), SHUT_RDWR);
    kit_join(thread);
    of_server = accepting.stream && stream_peer_is_server(accepting.stream);
    /* In TLS 1.3 a client learns only on reading that its certificate was refused. */
    char byte;
    if (accepting.stream && result == 0)
        kit_send(accepting.stream, "x");
    ssize_t got = result == 0 ? stream_recv_wait(client, &byte, 1, KIT_TIMEOUT_MS) : 1;
    if (got < 0)
        error = stream_error_text(client, got);
    if (got == 0)
        error = strdup("closed");
    free(accepting.error);
    stream_close(accepting.stream);
    stream_close(client);
    listening_socket_close(&listening);
    return error;
}

static void check_refused(char *error, const char *expected)
{
    assert_non_null(error);
    if (!strstr(error, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, error);
    free(error);
}

static void test_verified_peers_with_the_same_ca_agree(void **state)
{
    assert_null(connect_with(kit_tls(), kit_tls(), "127.0.0.1"));
    assert_null(connect_with(kit_tls(), kit_tls(), "localhost"));
}

/* A manager shows another one the certificate that it shows its clients. */
static void test_certificates_for_clients_alone_are_no_servers(void **state)
{
    struct tls *client = make_tls(true, kit_path("ca.pem"), kit_path("client.pem"), kit_path("client-key.pem"));
    struct tls *lax = make_tls(false, NULL, kit_path("cert.pem"), kit_path("key.pem"));
    assert_null(connect_with(kit_tls(), kit_tls(), "localhost"));
    assert_true(of_server);
    assert_null(connect_with(kit_tls(), client, "localhost"));
    assert_false(of_server);
    assert_null(connect_with(lax, client, "localhost")); /* which asks for none */
    assert_true(of_server);
    tls_free(client);
    tls_free(lax);
}

static void test_client_refuses_a_certificate_for_another_name(void **state)
{
    check_refused(connect_with(kit_tls(), kit_tls(), "example.org"), "hostname mismatch");
    check_refused(connect_with(kit_tls(), kit_tls(), "127.0.0.2"), "IP address mismatch");
}

static void test_client_refuses_a_server_of_another_ca(void **state)
{
    struct tls *other = make_tls(false, NULL, kit_path("other.pem"), kit_path("other-key.pem"));
    check_refused(connect_with(other, kit_tls(), "localhost"), "certificate");
    tls_free(other);
}

static void test_server_refuses_a_client_without_certificate(void **state)
{
    struct tls *bare = make_tls(true, kit_path("ca.pem"), NULL, NULL);
    check_refused(connect_with(kit_tls(), bare, "localhost"), "certificate required");
    tls_free(bare);
}

static void test_server_refuses_a_client_of_another_ca(void **state)
{
    struct tls *other = make_tls(true, kit_path("ca.pem"), kit_path("other.pem"), kit_path("other-key.pem"));
    check_refused(connect_with(kit_tls(), other, "localhost"), "unknown ca");
    tls_free(other);
}

static void test_without_verify_neither_side_checks(void **state)
{
    struct tls *lax = make_tls(false, NULL, kit_path("cert.pem"), kit_path("key.pem"));
    struct tls *bare = make_tls(false, NULL, NULL, NULL);
    assert_null(connect_with(lax, lax, "example.org"));
    assert_null(connect_with(lax, bare, "example.org"));
    tls_free(lax);
    tls_free(bare);
}

static void test_old_versions_are_refused(void **state)
{
    struct tls *old = make_tls(true, kit_path("ca.pem"), kit_path("cert.pem"), kit_path("key.pem"));
    SSL_CTX *context = tls_context(old, false);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    check_refused(connect_with(kit_tls(), old, "localhost"), "version");
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    assert_null(connect_with(kit_tls(), old, "localhost"));
    SSL_CTX_free(context);
    tls_free(old);
}

static void test_client_that_only_speaks_http_2_is_refused(void **state)
{
    static const unsigned char h2[] = {2, 'h', '2'};
    static const unsigned char both[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    struct tls *client = make_tls(true, kit_path("ca.pem"), kit_path("cert.pem"), kit_path("key.pem"));
    SSL_CTX *context = tls_context(client, false);
    SSL_CTX_set_alpn_protos(context, h2, sizeof h2);
    check_refused(connect_with(kit_tls(), client, "localhost"), "no application protocol");
    SSL_CTX_set_alpn_protos(context, both, sizeof both);
    assert_null(connect_with(kit_tls(), client, "localhost"));
    SSL_CTX_free(context);
    tls_free(client);
}

static void test_handshake_with_a_silent_peer_times_out(void **state)
{
    struct stream *a, *b;
    char *error = NULL;
    kit_pair(KIT_TCP, &a, &b);
    assert_int_equal(stream_start_tls(a, kit_tls(), false, "localhost", deadline_after(50), &error), -1);
    assert_string_equal(error, "TLS handshake timeout");
    free(error);
    assert_int_equal(stream_start_tls(b, kit_tls(), true, NULL, deadline_after(50), &error), -1);
    free(error);
    stream_close(a);
    stream_close(b);
}

static void check_error(bool verify, const char *ca, const char *cert, const char *key, const char *begin,
                        const char *end)
{
    struct tls_options options = {verify, ca, cert, key};
    struct tls *tls = NULL;
    char *error = NULL;
    assert_int_equal(tls_new(&tls, &options, &error), -1);
    assert_null(tls);
    if (strncmp(error, begin, strlen(begin)) != 0 || !strstr(error, end))
        fail_msg("expected \"%s … %s\", got \"%s\"", begin, end, error);
    free(error);
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(kit_path(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_bad_files_are_named(void **state)
{
    const char *cert = kit_path("cert.pem"), *key = kit_path("key.pem"), *ca = kit_path("ca.pem");
    char begin[512];
    snprintf(begin, sizeof begin, "Couldn't load X509 key pair (/nonexistent, %s): ", key);
    check_error(false, NULL, "/nonexistent", key, begin, "No such file or directory. Key encrypted?");
    snprintf(begin, sizeof begin, "Couldn't load X509 key pair (%s, %s): ", cert, kit_path("other-key.pem"));
    check_error(false, NULL, cert, kit_path("other-key.pem"), begin, "key values mismatch. Key encrypted?");
    check_error(true, "/nonexistent", cert, key,
                "Couldn't read CA certificate: open /nonexistent: ", "No such file or directory");
    check_error(true, NULL, cert, key, "--tlscacert must be provided when using --tlsverify", "");
    write_text("empty.pem", "");
    write_text("words.pem", "no certificate\n");
    write_text("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    check_error(true, kit_path("empty.pem"), cert, key, "Couldn't read CA certificate: ", "no certificate in PEM form");
    check_error(true, kit_path("words.pem"), cert, key, "Couldn't read CA certificate: ", "no certificate in PEM form");
    check_error(true, key, cert, key, "Couldn't read CA certificate: ", "no certificate in PEM form");
    check_error(true, kit_path("damaged.pem"), cert, key, "Couldn't read CA certificate: ", "damaged.pem");
    tls_free(make_tls(true, ca, cert, key));
}

static void test_encrypted_key_is_an_error_not_a_question(void **state)
{
    FILE *file = fopen(kit_path("encrypted.pem"), "w");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL),
                     1);
    fclose(file);
    EVP_PKEY_free(key);
    check_error(false, NULL, kit_path("cert.pem"), kit_path("encrypted.pem"), "Couldn't load X509 key pair",
                "Key encrypted?");
}

static void copy_file(const char *from, const char *to)
{
    char text[8192];
    FILE *in = fopen(kit_path(from), "r"), *out;
    assert_non_null(in);
    size_t length = fread(text, 1, sizeof text, in);
    fclose(in);
    out = fopen(kit_path(to), "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, length, out), length);
    fclose(out);
}

static void test_files_are_read_again(void **state)
{
    char *error = NULL;
    copy_file("ca.pem", "now-ca.pem");
    copy_file("cert.pem", "now.pem");
    copy_file("key.pem", "now-key.pem");
    struct tls *tls = make_tls(true, kit_path("now-ca.pem"), kit_path("now.pem"), kit_path("now-key.pem"));
    assert_null(connect_with(tls, kit_tls(), "localhost"));
    copy_file("other.pem", "now.pem"); /* half of the change: what was read before stays in force */
    assert_int_equal(tls_reload(tls, &error), -1);
    check_refused(error, "key values mismatch");
    assert_null(connect_with(tls, kit_tls(), "localhost"));
    copy_file("other-key.pem", "now-key.pem");
    copy_file("other-ca.pem", "now-ca.pem");
    assert_null(connect_with(tls, kit_tls(), "localhost"));
    assert_int_equal(tls_reload(tls, &error), 0);
    check_refused(connect_with(tls, kit_tls(), "localhost"), "certificate");
    assert_null(connect_with(tls, tls, "localhost"));
    tls_free(tls);
}

static void test_streams_outlive_the_reading(void **state)
{
    struct stream *a, *b;
    char *error = NULL, byte;
    kit_pair(KIT_TLS, &a, &b);
    assert_int_equal(tls_reload(kit_tls(), &error), 0);
    kit_send(a, "x");
    assert_int_equal(stream_recv_wait(b, &byte, 1, KIT_TIMEOUT_MS), 1);
    stream_close(a);
    stream_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verified_peers_with_the_same_ca_agree),
        cmocka_unit_test(test_certificates_for_clients_alone_are_no_servers),
        cmocka_unit_test(test_client_refuses_a_certificate_for_another_name),
        cmocka_unit_test(test_client_refuses_a_server_of_another_ca),
        cmocka_unit_test(test_server_refuses_a_client_without_certificate),
        cmocka_unit_test(test_server_refuses_a_client_of_another_ca),
        cmocka_unit_test(test_without_verify_neither_side_checks),
        cmocka_unit_test(test_old_versions_are_refused),
        cmocka_unit_test(test_client_that_only_speaks_http_2_is_refused),
        cmocka_unit_test(test_handshake_with_a_silent_peer_times_out),
        cmocka_unit_test(test_bad_files_are_named),
        cmocka_unit_test(test_encrypted_key_is_an_error_not_a_question),
        cmocka_unit_test(test_files_are_read_again),
        cmocka_unit_test(test_streams_outlive_the_reading),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
