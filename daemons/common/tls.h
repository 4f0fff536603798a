/* SPDX-License-Identifier: Apache-2.0 */
/* One TLS configuration in its two roles. 1.2 is the minimum; ALPN offers http/1.1 only. */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include <stdbool.h>

struct ssl_ctx_st;

/* The files that --tls, --tlsverify, --tlscacert, --tlscert and --tlskey name. */
struct tls_options {
    bool verify; /* verify peers against ca (both roles); else the server asks for no certificate, the client checks
                    none */
    const char *ca;
    const char *cert;
    const char *key;
};

/* Contexts for accepting and for dialling; shared by all threads. */
struct tls {
    struct tls_options options; /* strings owned; read only after tls_new() */
    struct tls_contexts *contexts;
};

/* 0, or -1 with *reterr a new text ("Couldn't load X509 key pair (cert, key): …. Key encrypted?"), to be freed. */
int tls_new(struct tls **ret, const struct tls_options *options, char **reterr);
/* Read the files again, for connections made from now on; those that stand go on. 0, or -1 with *reterr a new text:
 * what was read before stays in force. */
int tls_reload(const struct tls *tls, char **reterr);
/* The context in force for that role, new reference. */
struct ssl_ctx_st *tls_context(const struct tls *tls, bool server);
void tls_free(struct tls *tls);

#endif
