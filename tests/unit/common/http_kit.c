/* SPDX-License-Identifier: Apache-2.0 */
#include "http_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "http_listen.h"

#define PATHS_MAX 64

static char directory[64];
static char *paths[PATHS_MAX];
static struct tls *verifying;

static void remove_directory(void)
{
    tls_free(verifying);
    for (size_t i = 0; i < PATHS_MAX && paths[i]; i++) {
        unlink(paths[i]);
        free(paths[i]);
    }
    rmdir(directory);
}

const char *kit_path(const char *name)
{
    if (!directory[0]) {
        snprintf(directory, sizeof directory, "/tmp/http-kit-XXXXXX");
        kit_check(mkdtemp(directory) != NULL);
        atexit(remove_directory);
    }
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    size_t i = 0;
    for (; paths[i]; i++)
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    kit_check(i + 1 < PATHS_MAX);
    paths[i] = strdup(path);
    kit_check(paths[i] != NULL);
    return paths[i];
}

static void add_extension(X509 *certificate, int id, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);
    kit_check(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* @p usage: extendedKeyUsage, NULL: any. */
static X509 *make_certificate(const char *name, const char *usage, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    kit_check(certificate != NULL);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                               -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    X509_set_pubkey(certificate, key);
    if (issuer)
        add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    else
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (usage)
        add_extension(certificate, NID_ext_key_usage, usage);
    kit_check(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()) > 0);
    return certificate;
}

static void write_pem(const char *name, X509 *certificate, EVP_PKEY *key)
{
    FILE *file = fopen(kit_path(name), "w");
    kit_check(file != NULL);
    if (certificate)
        kit_check(PEM_write_X509(file, certificate) == 1);
    if (key)
        kit_check(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
}

static void make_pair(const char *usage, X509 *ca, EVP_PKEY *ca_key, const char *file, const char *key_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    kit_check(key != NULL);
    X509 *certificate = make_certificate("test", usage, key, ca, ca_key);
    write_pem(file, certificate, NULL);
    write_pem(key_file, NULL, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* With @p client_file a second pair, which is for clients only. */
static void make_family(const char *ca_file, const char *file, const char *key_file, const char *client_file,
                        const char *client_key_file)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    kit_check(ca_key != NULL);
    X509 *ca = make_certificate(ca_file, NULL, ca_key, NULL, NULL);
    write_pem(ca_file, ca, NULL);
    make_pair(NULL, ca, ca_key, file, key_file);
    if (client_file)
        make_pair("clientAuth", ca, ca_key, client_file, client_key_file);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
}

void kit_make_certificates(void)
{
    static bool made;
    if (made)
        return;
    made = true;
    make_family("ca.pem", "cert.pem", "key.pem", "client.pem", "client-key.pem");
    make_family("other-ca.pem", "other.pem", "other-key.pem", NULL, NULL);
}

struct tls *kit_tls(void)
{
    if (verifying)
        return verifying;
    kit_make_certificates();
    struct tls_options options = {true, kit_path("ca.pem"), kit_path("cert.pem"), kit_path("key.pem")};
    char *error = NULL;
    if (tls_new(&verifying, &options, &error) < 0)
        fprintf(stderr, "%s\n", error);
    kit_check(verifying != NULL);
    return verifying;
}

struct stream *kit_dial(const char *url, const struct tls *tls)
{
    struct address address;
    struct stream *stream = NULL;
    char *error = NULL;
    kit_check(address_parse(&address, url, &error) == 0);
    if (stream_dial(&stream, &address, tls, KIT_TIMEOUT_MS, &error) < 0)
        fprintf(stderr, "%s: %s\n", url, error);
    kit_check(stream != NULL);
    return stream;
}

struct dialling {
    char *url;
    const struct tls *tls;
    struct stream *stream;
};

static void dial(void *data)
{
    struct dialling *dialling = data;
    dialling->stream = kit_dial(dialling->url, dialling->tls);
}

void kit_pair(enum kit_transport transport, struct stream **ret_client, struct stream **ret_server)
{
    struct listening_socket listening;
    char *error = NULL;
    if (transport == KIT_UNIX) {
        kit_check(stream_pair(ret_client, ret_server) == 0);
        return;
    }
    const struct tls *tls = transport == KIT_TLS ? kit_tls() : NULL;
    kit_check(listening_socket_open(&listening, "tcp://127.0.0.1:0", &error) == 0);
    struct dialling dialling = {.url = listening_socket_url(&listening), .tls = tls};
    struct kit_thread *thread = kit_start(dial, &dialling);
    int fd;
    do {
        fd = accept(listening.fd, NULL, NULL);
        if (fd < 0)
            kit_sleep_ms(1);
    } while (fd < 0);
    kit_check(stream_accept(ret_server, fd, tls, KIT_TIMEOUT_MS, &error) == 0);
    kit_join(thread);
    *ret_client = dialling.stream;
    free(dialling.url);
    listening_socket_close(&listening);
}

void kit_send(struct stream *stream, const char *text)
{
    kit_check(stream_send_all(stream, text, strlen(text), KIT_TIMEOUT_MS) == 0);
}

struct text {
    char *data;
    size_t length;
};

/* One more piece: what stream_recv_wait() gave. */
static ssize_t read_more(struct stream *stream, struct text *text, size_t at_most)
{
    text->data = realloc(text->data, text->length + at_most + 1);
    kit_check(text->data != NULL);
    ssize_t got = stream_recv_wait(stream, text->data + text->length, at_most, KIT_TIMEOUT_MS);
    kit_check(got != -ETIMEDOUT);
    text->length += got > 0 ? (size_t)got : 0;
    text->data[text->length] = '\0';
    return got;
}

char *kit_read_all(struct stream *stream, size_t *ret_length, int *ret_result)
{
    struct text text = {0};
    ssize_t got;
    do {
        got = read_more(stream, &text, 65536);
    } while (got > 0);
    if (ret_length)
        *ret_length = text.length;
    if (ret_result)
        *ret_result = (int)got;
    return text.data;
}

char *kit_read_until(struct stream *stream, const char *end)
{
    struct text text = {0};
    size_t length = strlen(end);
    do {
        ssize_t got = read_more(stream, &text, 1);
        if (got <= 0)
            fprintf(stderr, "ended with %zd after \"%s\", before \"%s\"\n", got, text.data, end);
        kit_check(got > 0);
    } while (text.length < length || memcmp(text.data + text.length - length, end, length) != 0);
    return text.data;
}

char *kit_read_reply(struct stream *stream)
{
    struct text text = {kit_read_until(stream, "\r\n\r\n"), 0};
    text.length = strlen(text.data);
    const char *length_header = strstr(text.data, "Content-Length: ");
    if (length_header) {
        size_t end = text.length + strtoull(length_header + 16, NULL, 10);
        while (text.length < end)
            kit_check(read_more(stream, &text, end - text.length) > 0);
    } else if (strstr(text.data, "Transfer-Encoding: chunked")) {
        while (text.length < 5 || strcmp(text.data + text.length - 5, "0\r\n\r\n") != 0)
            kit_check(read_more(stream, &text, 1) > 0);
    }
    return text.data;
}

bool kit_is_closed(struct stream *stream)
{
    char byte;
    ssize_t got = stream_recv_wait(stream, &byte, 1, KIT_TIMEOUT_MS);
    return got <= 0 && got != -ETIMEDOUT;
}

void kit_wait_for(atomic_int *number, int value)
{
    struct deadline deadline = deadline_after(KIT_TIMEOUT_MS);
    while (*number < value && deadline_left(deadline) > 0)
        kit_sleep_ms(1);
    kit_check(*number >= value);
}

void kit_expect(struct stream *stream, const char *text)
{
    size_t length = strlen(text);
    char *got = calloc(1, length + 1);
    kit_check(got != NULL);
    for (size_t at = 0; at < length;) {
        ssize_t more = stream_recv_wait(stream, got + at, length - at, KIT_TIMEOUT_MS);
        if (more <= 0)
            fail_msg("expected \"%s\", got \"%s\", then %zd", text, got, more);
        at += (size_t)more;
    }
    if (strcmp(got, text) != 0)
        fail_msg("expected \"%s\", got \"%s\"", text, got);
    free(got);
}

void kit_expect_nothing(struct stream *stream, int ms)
{
    char byte;
    assert_int_equal(stream_recv_wait(stream, &byte, 1, ms), -ETIMEDOUT);
}

void kit_expect_end(struct stream *stream)
{
    char byte;
    assert_int_equal(stream_recv_wait(stream, &byte, 1, KIT_TIMEOUT_MS), 0);
}

void kit_expect_head(struct stream *stream, const char *const *parts, const char *const *absent)
{
    char *head = kit_read_until(stream, "\r\n\r\n");
    for (; parts && *parts; parts++)
        if (!strstr(head, *parts))
            fail_msg("\"%s\" is missing in \"%s\"", *parts, head);
    for (; absent && *absent; absent++)
        if (strcasestr(head, *absent))
            fail_msg("\"%s\" is in \"%s\"", *absent, head);
    free(head);
}

void kit_skip_head(struct stream *stream)
{
    free(kit_read_until(stream, "\r\n\r\n"));
}

struct kit_thread {
    pthread_t thread;
    void (*run)(void *data);
    void *data;
};

static void *run_thread(void *data)
{
    struct kit_thread *thread = data;
    thread->run(thread->data);
    return NULL;
}

struct kit_thread *kit_start(void (*run)(void *data), void *data)
{
    struct kit_thread *thread = calloc(1, sizeof *thread);
    kit_check(thread != NULL);
    thread->run = run;
    thread->data = data;
    kit_check(pthread_create(&thread->thread, NULL, run_thread, thread) == 0);
    return thread;
}

void kit_join(struct kit_thread *thread)
{
    pthread_join(thread->thread, NULL);
    free(thread);
}

void kit_sleep_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}
