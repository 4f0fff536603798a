/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over a stream's socket. Half-close is close_notify in one direction: the peer's shows as the end of reading, ours
 * leaves reading open. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "stream_internal.h"
#include "text.h"

/* OpenSSL's own socket BIO writes with write(), which raises SIGPIPE; this one sends with MSG_NOSIGNAL. */
static BIO_METHOD *socket_method;
static pthread_once_t socket_method_once = PTHREAD_ONCE_INIT;

static int bio_socket(BIO *bio)
{
    return ((struct stream *)BIO_get_data(bio))->fd;
}

static int bio_write(BIO *bio, const char *data, int length)
{
    ssize_t sent;
    do {
        sent = send(bio_socket(bio), data, (size_t)length, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)sent;
}

static int bio_read(BIO *bio, char *data, int length)
{
    ssize_t got;
    do {
        got = recv(bio_socket(bio), data, (size_t)length, 0);
    } while (got < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    if (got == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    if (command == BIO_CTRL_FLUSH)
        return 1;
    /* How OpenSSL tells a peer that just went from other trouble. */
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return 0;
}

static void make_socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    if (!method)
        return;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    socket_method = method;
}

static SSL *new_session(struct stream *stream, SSL_CTX *context)
{
    pthread_once(&socket_method_once, make_socket_method);
    SSL *ssl = SSL_new(context);
    BIO *bio = socket_method ? BIO_new(socket_method) : NULL;
    if (!ssl || !bio) {
        SSL_free(ssl);
        BIO_free(bio);
        return NULL;
    }
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

/* Check the server's certificate against a name or an address; send the name along (SNI is for names only). */
static int expect_host(SSL *ssl, const char *host)
{
    char name[256];
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
        return 0;
    if ((size_t)snprintf(name, sizeof name, "%s", host) >= sizeof name)
        return -1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1 ? 0 : -1;
}

/* Keep what the failure was, in words. */
static void note_trouble(struct stream *stream)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    long verified = SSL_get_verify_result(stream->ssl);
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
        snprintf(stream->trouble, sizeof stream->trouble, "tls: certificate not accepted: %s",
                 X509_verify_cert_error_string(verified));
    else if (reason)
        snprintf(stream->trouble, sizeof stream->trouble, "tls: %s", reason);
    ERR_clear_error();
}

/* The errno-like result of a call that failed. */
static int failure(struct stream *stream, int result)
{
    int saved = errno;
    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return -POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return -POLLOUT;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        stream->broken = true;
        return saved != 0 && saved != EAGAIN ? -saved : -ECONNRESET;
    default:
        stream->broken = true;
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return -ECONNRESET;
        }
        note_trouble(stream);
        return -EPROTO;
    }
}

/* The same with what to wait for kept in @p events. */
static ssize_t again_or_failure(struct stream *stream, int result, short *events)
{
    int error = failure(stream, result);
    if (error != -POLLIN && error != -POLLOUT)
        return error;
    *events = (short)-error;
    return STREAM_AGAIN;
}

ssize_t stream_tls_recv(struct stream *stream, void *buffer, size_t size)
{
    size_t got = 0;
    if (stream->broken)
        return -ECONNRESET;
    ERR_clear_error();
    errno = 0;
    int result = SSL_read_ex(stream->ssl, buffer, size, &got);
    return result == 1 ? (ssize_t)got : again_or_failure(stream, result, &stream->recv_events);
}

ssize_t stream_tls_send(struct stream *stream, const void *buffer, size_t size)
{
    size_t sent = 0;
    if (stream->broken)
        return -EPIPE;
    if (size == 0)
        return 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(stream->ssl, buffer, size, &sent);
    if (result == 1)
        return (ssize_t)sent;
    ssize_t error = again_or_failure(stream, result, &stream->send_events);
    return error == 0 ? -EPIPE : error;
}

int stream_tls_shutdown_write(struct stream *stream)
{
    if (stream->broken)
        return -EPIPE;
    ERR_clear_error();
    errno = 0;
    /* 0: ours is sent, the peer's has not come, which is what a half-close is. */
    int result = SSL_shutdown(stream->ssl);
    if (result >= 0)
        return 0;
    return (int)again_or_failure(stream, result, &stream->send_events);
}

bool stream_tls_pending(const struct stream *stream)
{
    return SSL_pending(stream->ssl) > 0;
}

bool stream_tls_is_quiet(struct stream *stream)
{
    char byte;
    size_t got;
    ERR_clear_error();
    errno = 0;
    int result = SSL_peek_ex(stream->ssl, &byte, 1, &got);
    return result != 1 && failure(stream, result) == -POLLIN;
}

void stream_tls_free(struct stream *stream)
{
    if (!stream->ssl)
        return;
    if (!stream->broken && !stream->write_ended && SSL_is_init_finished(stream->ssl)) {
        ERR_clear_error();
        SSL_shutdown(stream->ssl);
    }
    SSL_free(stream->ssl);
    stream->ssl = NULL;
    ERR_clear_error();
}

bool stream_tls_peer_is_server(const struct stream *stream)
{
    X509 *certificate = SSL_get1_peer_certificate(stream->ssl);
    bool is_server = !(SSL_get_verify_mode(stream->ssl) & SSL_VERIFY_PEER) ||
                     (certificate && X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) == 1);
    X509_free(certificate);
    return is_server;
}

static void name_by_certificate(struct stream *stream)
{
    X509 *certificate = SSL_get1_peer_certificate(stream->ssl);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (certificate && X509_digest(certificate, EVP_sha256(), digest, &length) == 1 && length == 32) {
        int at = snprintf(stream->peer, sizeof stream->peer, "sha256:");
        for (unsigned int i = 0; i < length; i++)
            at += snprintf(stream->peer + at, sizeof stream->peer - (size_t)at, "%02x", digest[i]);
    }
    X509_free(certificate);
}

static int handshake(struct stream *stream, struct deadline deadline, char **reterr)
{
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_do_handshake(stream->ssl);
        if (result == 1)
            return 0;
        int error = failure(stream, result);
        if (error == -POLLIN || error == -POLLOUT)
            error = stream_poll(stream->fd, (short)-error, deadline);
        if (error > 0)
            continue;
        if (stream->broken)
            *reterr = stream_error_text(stream, error);
        else
            *reterr = text_format("TLS handshake timeout");
        stream->broken = true;
        return -1;
    }
}

static int start(struct stream *stream, SSL_CTX *context, bool server, const char *host, struct deadline deadline,
                 char **reterr)
{
    stream->ssl = new_session(stream, context);
    if (!stream->ssl) {
        *reterr = text_format("out of memory");
        return -1;
    }
    if (server)
        SSL_set_accept_state(stream->ssl);
    else
        SSL_set_connect_state(stream->ssl);
    if (!server && host && host[0] && expect_host(stream->ssl, host) < 0) {
        *reterr = text_format("tls: \"%s\" is not a name that a certificate can have", host);
        return -1;
    }
    if (handshake(stream, deadline, reterr) < 0)
        return -1;
    if (SSL_CTX_get_verify_mode(context) != SSL_VERIFY_NONE)
        name_by_certificate(stream);
    return 0;
}

int stream_start_tls(struct stream *stream, const struct tls *tls, bool server, const char *host,
                     struct deadline deadline, char **reterr)
{
    SSL_CTX *context = tls_context(tls, server);
    int status = start(stream, context, server, host, deadline, reterr);
    SSL_CTX_free(context);
    return status;
}
