/* SPDX-License-Identifier: Apache-2.0 */
/* A connected byte stream: TCP, unix socket, or TLS over either. Half-close is part of the interface: over TLS it is
 * close_notify in one direction. All streams are non-blocking inside; one thread uses a stream at a time. */
#ifndef COMMON_STREAM_H
#define COMMON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls.h"

struct stream;

/* Where to connect or listen: "tcp://host:port", "unix:///path"; without a scheme, tcp. */
struct address {
    bool is_unix;
    char host[256];
    char port[8];
    char path[108];
};
/* 0, or -1 with *reterr new text: `unsupported protocol: "foo"`, `address x: missing port in address`, … */
int address_parse(struct address *ret, const char *text, char **reterr);

/* Why a stream call did not do what it should; positive errno values are used beside these. */
#define STREAM_AGAIN (-11)

/* Connect within timeout_ms (name look-up, TCP, TLS handshake together). tls NULL: plain. The certificate is checked
 * against address->host. 0, or -1 with *reterr new text without the address, such as "connection refused". */
int stream_dial(struct stream **ret, const struct address *address, const struct tls *tls, int timeout_ms,
                char **reterr);
/* Take over an accepted socket; with tls the handshake is made within timeout_ms. The fd is closed on failure. */
int stream_accept(struct stream **ret, int fd, const struct tls *tls, int timeout_ms, char **reterr);
/* Both ends of a socket pair, for tests. */
int stream_pair(struct stream **ret_a, struct stream **ret_b);
void stream_close(struct stream *stream);

/* Bytes read, 0 at the peer's half-close, STREAM_AGAIN, or another negative errno. */
ssize_t stream_recv(struct stream *stream, void *buffer, size_t size);
/* Bytes written (maybe fewer than size), STREAM_AGAIN, or another negative errno. Never raises SIGPIPE. */
ssize_t stream_send(struct stream *stream, const void *buffer, size_t size);
/* End our direction, keep the other. 0, STREAM_AGAIN, or a negative errno. */
int stream_shutdown_write(struct stream *stream);

/* What is sent from now on arrives within that long or not at all, however long the connection stands: what the peer
 * has not confirmed by then the system sends no more, and the connection has failed. 0: as long as the system tries.
 * TCP only. */
void stream_limit_delivery(struct stream *stream, int ms);
/* Close so that the peer cannot take it for a proper end, and does not get what it has not got yet: for what was given
 * up. A close would leave that to the system, which goes on trying. */
void stream_abort(struct stream *stream);

/* For poll(): the descriptor and what to wait for after STREAM_AGAIN of a recv or a send (TLS may need the other). */
int stream_fd(const struct stream *stream);
short stream_recv_events(const struct stream *stream);
short stream_send_events(const struct stream *stream);
/* Bytes are already decrypted and waiting: recv without polling first. */
bool stream_pending(const struct stream *stream);

/* The same with waiting; timeout_ms -1 waits for ever. -ETIMEDOUT when it passes. */
ssize_t stream_recv_wait(struct stream *stream, void *buffer, size_t size, int timeout_ms);
int stream_send_all(struct stream *stream, const void *buffer, size_t size, int timeout_ms);
/* True where an idle stream can be used again: nothing to read, not closed by the peer. */
bool stream_is_idle_open(struct stream *stream);
/* The peer's certificate fingerprint, address or uid as text, for logs and client keys. */
const char *stream_peer(const struct stream *stream);
/* Whether the peer may be a server itself. Where peers show certificates, theirs is to be one for servers, too; no
 * server is behind a unix socket. */
bool stream_peer_is_server(const struct stream *stream);

#endif
