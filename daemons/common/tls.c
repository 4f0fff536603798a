/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* What is in force now. */
struct tls_contexts {
    pthread_mutex_t lock;
    SSL_CTX *server, *client;
};

static const unsigned char alpn_http_1_1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/* The reason of OpenSSL's oldest error in the queue, which is the cause; the queue is emptied. */
static const char *openssl_reason(void)
{
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    /* Errors of the system carry an errno in place of a reason. */
    if (ERR_SYSTEM_ERROR(code))
        return strerror((int)ERR_GET_REASON(code));
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "unknown error";
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                       unsigned int in_length, void *data)
{
    const size_t size = sizeof alpn_http_1_1;
    for (unsigned int at = 0; at + size <= in_length; at += in[at] + 1u) {
        if (memcmp(in + at, alpn_http_1_1, size) != 0)
            continue;
        *out = in + at + 1;
        *out_length = in[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Without this OpenSSL would ask for the pass phrase of an encrypted key on the terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *data)
{
    return -1;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    /* Sessions are not resumed: a resumed one would not have its certificate checked again. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
    return context;
}

static int load_pair(SSL_CTX *context, const struct tls_options *options)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, options->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return -1;
    return 0;
}

/* Add the certificates of the CA file to @p store and their names to @p names; counted. -1 on trouble. */
static int read_ca(BIO *file, X509_STORE *store, STACK_OF(X509_NAME) * names)
{
    int count = 0;
    X509 *certificate;
    while ((certificate = PEM_read_bio_X509(file, NULL, no_pass_phrase, NULL)) != NULL) {
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));
        int added = X509_STORE_add_cert(store, certificate);
        X509_free(certificate);
        if (!name || sk_X509_NAME_push(names, name) <= 0) {
            X509_NAME_free(name);
            return -1;
        }
        if (added != 1)
            return -1;
        count++;
    }
    /* The end of the file is reported as "no start line"; anything else is a damaged certificate. */
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return -1;
    ERR_clear_error();
    return count;
}

/* Trust the CA file's certificates, and only them. */
static int trust_ca(SSL_CTX *context, const char *path, char **reterr)
{
    ERR_clear_error();
    BIO *file = BIO_new_file(path, "r");
    if (!file) {
        *reterr = text_format("Couldn't read CA certificate: open %s: %s", path, openssl_reason());
        return -1;
    }
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    int count = names ? read_ca(file, SSL_CTX_get_cert_store(context), names) : -1;
    BIO_free(file);
    if (count <= 0) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        *reterr = text_format("Couldn't read CA certificate: %s: %s", path,
                              count < 0 ? openssl_reason() : "no certificate in PEM form in it");
        return -1;
    }
    SSL_CTX_set_client_CA_list(context, names);
    return 0;
}

static int require_peer(SSL_CTX *context, const struct tls_options *options, char **reterr)
{
    if (!options->verify) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    if (!options->ca) {
        *reterr = text_format("--tlscacert must be provided when using --tlsverify");
        return -1;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return trust_ca(context, options->ca, reterr);
}

/* Certificate and key, then whom to trust: the same for both roles. */
static int configure(SSL_CTX *context, const struct tls_options *options, char **reterr)
{
    if (options->cert && options->key && load_pair(context, options) < 0) {
        *reterr = text_format("Couldn't load X509 key pair (%s, %s): %s. Key encrypted?", options->cert, options->key,
                              openssl_reason());
        return -1;
    }
    return require_peer(context, options, reterr);
}

static int new_server(SSL_CTX **ret, const struct tls_options *options, char **reterr)
{
    SSL_CTX *context = new_context(TLS_server_method());
    if (!context) {
        *reterr = text_format("TLS: %s", openssl_reason());
        return -1;
    }
    SSL_CTX_set_alpn_select_cb(context, select_alpn, NULL);
    SSL_CTX_set_num_tickets(context, 0);
    if (configure(context, options, reterr) < 0) {
        SSL_CTX_free(context);
        return -1;
    }
    *ret = context;
    return 0;
}

static int new_client(SSL_CTX **ret, const struct tls_options *options, char **reterr)
{
    SSL_CTX *context = new_context(TLS_client_method());
    /* SSL_CTX_set_alpn_protos() is the one that returns 0 for success. */
    if (!context || SSL_CTX_set_alpn_protos(context, alpn_http_1_1, sizeof alpn_http_1_1) != 0) {
        *reterr = text_format("TLS: %s", openssl_reason());
        SSL_CTX_free(context);
        return -1;
    }
    if (configure(context, options, reterr) < 0) {
        SSL_CTX_free(context);
        return -1;
    }
    *ret = context;
    return 0;
}

static int copy_text(const char **ret, const char *text)
{
    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? -1 : 0;
}

static int copy_options(struct tls_options *to, const struct tls_options *from)
{
    to->verify = from->verify;
    if (copy_text(&to->ca, from->ca) < 0 || copy_text(&to->cert, from->cert) < 0 || copy_text(&to->key, from->key) < 0)
        return -1;
    return 0;
}

static int load(SSL_CTX **server, SSL_CTX **client, const struct tls_options *options, char **reterr)
{
    return new_server(server, options, reterr) < 0 ? -1 : new_client(client, options, reterr);
}

int tls_new(struct tls **ret, const struct tls_options *options, char **reterr)
{
    struct tls *tls = calloc(1, sizeof *tls);
    *reterr = NULL;
    if (tls)
        tls->contexts = calloc(1, sizeof *tls->contexts);
    if (!tls || !tls->contexts || copy_options(&tls->options, options) < 0) {
        *reterr = text_format("out of memory");
        tls_free(tls);
        return -1;
    }
    pthread_mutex_init(&tls->contexts->lock, NULL);
    if (load(&tls->contexts->server, &tls->contexts->client, options, reterr) < 0) {
        tls_free(tls);
        return -1;
    }
    *ret = tls;
    return 0;
}

int tls_reload(const struct tls *tls, char **reterr)
{
    struct tls_contexts *contexts = tls->contexts;
    SSL_CTX *server = NULL, *client = NULL, *old_server, *old_client;
    *reterr = NULL;
    if (load(&server, &client, &tls->options, reterr) < 0) {
        SSL_CTX_free(server);
        return -1;
    }
    pthread_mutex_lock(&contexts->lock);
    old_server = contexts->server;
    old_client = contexts->client;
    contexts->server = server;
    contexts->client = client;
    pthread_mutex_unlock(&contexts->lock);
    SSL_CTX_free(old_server); /* sessions hold references of their own */
    SSL_CTX_free(old_client);
    return 0;
}

SSL_CTX *tls_context(const struct tls *tls, bool server)
{
    struct tls_contexts *contexts = tls->contexts;
    pthread_mutex_lock(&contexts->lock);
    SSL_CTX *context = server ? contexts->server : contexts->client;
    SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&contexts->lock);
    return context;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    if (tls->contexts) {
        SSL_CTX_free(tls->contexts->server);
        SSL_CTX_free(tls->contexts->client);
        free(tls->contexts);
    }
    text_free(tls->options.ca);
    text_free(tls->options.cert);
    text_free(tls->options.key);
    free(tls);
}
