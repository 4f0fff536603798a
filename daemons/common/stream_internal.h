/* SPDX-License-Identifier: Apache-2.0 */
/* What the stream's own files, the server and the relay share. */
#ifndef COMMON_STREAM_INTERNAL_H
#define COMMON_STREAM_INTERNAL_H

#include <sys/socket.h>

#include "deadline.h"
#include "stream.h"

struct ssl_st;
struct ssl_ctx_st;

struct stream {
    int fd;
    struct ssl_st *ssl; /* NULL: plain */
    bool is_unix;
    bool broken; /* TLS failed: nothing may be sent any more, not even close_notify */
    bool write_ended;
    short recv_events;
    short send_events;
    char peer[80];
    char trouble[128]; /* what TLS complained about, "" for nothing */
};

/* Take over a connected socket and make it non-blocking. NULL for lack of memory or a bad descriptor; the fd is
 * closed then. */
struct stream *stream_wrap(int fd);
/* Make the handshake. As the client @p host, where not NULL, must be named by the certificate when it is verified. */
int stream_start_tls(struct stream *stream, const struct tls *tls, bool server, const char *host,
                     struct deadline deadline, char **reterr);
/* Wait for @p events on @p fd. 1, 0 when the deadline has passed, negative errno. */
int stream_poll(int fd, short events, struct deadline deadline);
/* New text for a negative result of a stream call. */
char *stream_error_text(const struct stream *stream, ssize_t result);

/* TLS in place of recv(), send() and shutdown(). */
ssize_t stream_tls_recv(struct stream *stream, void *buffer, size_t size);
ssize_t stream_tls_send(struct stream *stream, const void *buffer, size_t size);
int stream_tls_shutdown_write(struct stream *stream);
bool stream_tls_peer_is_server(const struct stream *stream);
bool stream_tls_pending(const struct stream *stream);
bool stream_tls_is_quiet(struct stream *stream);
void stream_tls_free(struct stream *stream);

#endif
