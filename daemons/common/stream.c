/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream_internal.h"
#include "text.h"

_Static_assert(STREAM_AGAIN == -EAGAIN && EAGAIN == EWOULDBLOCK, "STREAM_AGAIN is -EAGAIN");

/* A dead peer is noticed after a minute and a half, however idle the connection is. */
static void set_tcp_options(int fd)
{
    const int on = 1, idle_s = 30, interval_s = 15, probes = 4;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static void name_peer(struct stream *stream)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    } peer;
    socklen_t length = sizeof peer;
    struct ucred user;
    socklen_t user_length = sizeof user;
    memset(&peer, 0, sizeof peer);
    if (getpeername(stream->fd, &peer.any, &length) < 0)
        peer.any.sa_family = AF_UNSPEC;
    if (peer.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &peer.v4.sin_addr, stream->peer, sizeof stream->peer);
    else if (peer.any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &peer.v6.sin6_addr, stream->peer, sizeof stream->peer);
    else if (stream->is_unix && getsockopt(stream->fd, SOL_SOCKET, SO_PEERCRED, &user, &user_length) == 0)
        snprintf(stream->peer, sizeof stream->peer, "uid:%u", (unsigned)user.uid);
    else
        snprintf(stream->peer, sizeof stream->peer, "unknown");
}

struct stream *stream_wrap(int fd)
{
    struct stream *stream = calloc(1, sizeof *stream);
    int flags = fcntl(fd, F_GETFL);
    int domain = 0;
    socklen_t length = sizeof domain;
    if (!stream || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0) {
        free(stream);
        close(fd);
        return NULL;
    }
    stream->fd = fd;
    stream->is_unix = domain == AF_UNIX;
    stream->recv_events = POLLIN;
    stream->send_events = POLLOUT;
    if (!stream->is_unix)
        set_tcp_options(fd);
    name_peer(stream);
    return stream;
}

int stream_accept(struct stream **ret, int fd, const struct tls *tls, int timeout_ms, char **reterr)
{
    struct deadline deadline = deadline_after(timeout_ms);
    struct stream *stream = stream_wrap(fd);
    if (!stream) {
        *reterr = text_format("out of memory");
        return -1;
    }
    if (tls && stream_start_tls(stream, tls, true, NULL, deadline, reterr) < 0) {
        stream_close(stream);
        return -1;
    }
    *ret = stream;
    return 0;
}

int stream_pair(struct stream **ret_a, struct stream **ret_b)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return -1;
    struct stream *a = stream_wrap(fds[0]);
    struct stream *b = stream_wrap(fds[1]);
    if (!a || !b) {
        stream_close(a);
        stream_close(b);
        return -1;
    }
    *ret_a = a;
    *ret_b = b;
    return 0;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    stream_tls_free(stream);
    close(stream->fd);
    free(stream);
}

void stream_limit_delivery(struct stream *stream, int ms)
{
    unsigned int limit = ms > 0 ? (unsigned int)ms : 0;
    if (!stream->is_unix)
        setsockopt(stream->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
}

void stream_abort(struct stream *stream)
{
    if (!stream)
        return;
    /* No close_notify, and a reset in place of a FIN. */
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    stream->broken = true;
    stream_close(stream);
}

ssize_t stream_recv(struct stream *stream, void *buffer, size_t size)
{
    if (stream->ssl)
        return stream_tls_recv(stream, buffer, size);
    ssize_t got;
    do {
        got = recv(stream->fd, buffer, size, 0);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

ssize_t stream_send(struct stream *stream, const void *buffer, size_t size)
{
    if (stream->write_ended)
        return -EPIPE;
    if (stream->ssl)
        return stream_tls_send(stream, buffer, size);
    ssize_t sent;
    do {
        sent = send(stream->fd, buffer, size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int stream_shutdown_write(struct stream *stream)
{
    if (stream->write_ended)
        return 0;
    int result = 0;
    if (stream->ssl)
        result = stream_tls_shutdown_write(stream);
    else if (shutdown(stream->fd, SHUT_WR) < 0)
        result = -errno;
    if (result != STREAM_AGAIN)
        stream->write_ended = true;
    return result;
}

int stream_fd(const struct stream *stream)
{
    return stream->fd;
}

short stream_recv_events(const struct stream *stream)
{
    return stream->recv_events;
}

short stream_send_events(const struct stream *stream)
{
    return stream->send_events;
}

bool stream_pending(const struct stream *stream)
{
    return stream->ssl && stream_tls_pending(stream);
}

int stream_poll(int fd, short events, struct deadline deadline)
{
    struct pollfd wait = {.fd = fd, .events = events};
    for (;;) {
        int result = poll(&wait, 1, deadline_left(deadline));
        if (result >= 0)
            return result;
        if (errno != EINTR)
            return -errno;
    }
}

ssize_t stream_recv_wait(struct stream *stream, void *buffer, size_t size, int timeout_ms)
{
    struct deadline deadline = deadline_after(timeout_ms);
    for (;;) {
        ssize_t got = stream_recv(stream, buffer, size);
        if (got != STREAM_AGAIN)
            return got;
        int ready = stream_poll(stream->fd, stream->recv_events, deadline);
        if (ready <= 0)
            return ready < 0 ? ready : -ETIMEDOUT;
    }
}

int stream_send_all(struct stream *stream, const void *buffer, size_t size, int timeout_ms)
{
    const char *at = buffer;
    struct deadline deadline = deadline_after(timeout_ms);
    while (size > 0) {
        ssize_t sent = stream_send(stream, at, size);
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
            deadline = deadline_after(timeout_ms);
            continue;
        }
        if (sent != STREAM_AGAIN)
            return sent < 0 ? (int)sent : -EPIPE;
        int ready = stream_poll(stream->fd, stream->send_events, deadline);
        if (ready <= 0)
            return ready < 0 ? ready : -ETIMEDOUT;
    }
    return 0;
}

bool stream_is_idle_open(struct stream *stream)
{
    if (stream->write_ended || stream->broken)
        return false;
    if (stream->ssl)
        return stream_tls_is_quiet(stream);
    char byte;
    return recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

const char *stream_peer(const struct stream *stream)
{
    return stream->peer;
}

bool stream_peer_is_server(const struct stream *stream)
{
    return !stream->is_unix && (!stream->ssl || stream_tls_peer_is_server(stream));
}

char *stream_error_text(const struct stream *stream, ssize_t result)
{
    if (stream->trouble[0])
        return strdup(stream->trouble);
    return text_errno((int)-result);
}
