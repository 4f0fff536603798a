/* SPDX-License-Identifier: Apache-2.0 */
/* The wire's connections: opened, used by one call after the other, kept while idle, and closed. */
#include "http_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "http_wire_internal.h"

enum { BUCKETS = 1024, RECEIVE_SIZE = 64 * 1024, KEEPALIVE_S = 15 };

struct wire_connection {
    struct wire *wire;
    int fd;          /* -1: closed, and let go of at the end of the turn */
    uint32_t events; /* watched for; 0: not watched */
    bool connected;
    bool used;                             /* by a call before */
    struct wire_call *call;                /* under way; NULL: idle */
    struct wire_connection *next;          /* idle to the same bucket's addresses, an older one; or closed, any */
    struct wire_connection *newer, *older; /* idle, of all */
    struct wire_address address;
};

struct wire {
    int epoll_fd;
    struct wire_connection *buckets[BUCKETS]; /* idle, the last used first */
    struct wire_connection *newest, *oldest;
    size_t idle, idle_limit;
    struct wire_connection *closed;
    struct wire_call *resumed;
    char buffer[RECEIVE_SIZE];
};

struct wire *wire_new(int epoll_fd)
{
    struct wire *wire = malloc(sizeof *wire);
    if (!wire)
        return NULL;
    memset(wire, 0, offsetof(struct wire, buffer));
    wire->epoll_fd = epoll_fd;
    return wire;
}

/* --- idle ones --- */

static struct wire_connection **bucket(struct wire *wire, const struct wire_address *address)
{
    const unsigned char *at = (const unsigned char *)&address->any;
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < address->length; i++)
        hash = (hash ^ at[i]) * 16777619u;
    return &wire->buckets[hash % BUCKETS];
}

static bool is_same(const struct wire_address *a, const struct wire_address *b)
{
    return a->length == b->length && memcmp(&a->any, &b->any, a->length) == 0;
}

static void take_out(struct wire_connection *connection)
{
    struct wire *wire = connection->wire;
    struct wire_connection **link = bucket(wire, &connection->address);
    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
    *(connection->newer ? &connection->newer->older : &wire->newest) = connection->older;
    *(connection->older ? &connection->older->newer : &wire->oldest) = connection->newer;
    wire->idle--;
}

static struct wire_connection *take_idle(struct wire *wire, const struct wire_address *address)
{
    for (struct wire_connection *at = *bucket(wire, address); at; at = at->next) {
        if (is_same(&at->address, address)) {
            take_out(at);
            return at;
        }
    }
    return NULL;
}

static int watch(struct wire_connection *connection, uint32_t events)
{
    int how = !connection->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
    struct epoll_event event = {.events = events, .data.u64 = (uintptr_t)connection | 1};
    if (events == connection->events)
        return 0;
    connection->events = events;
    return epoll_ctl(connection->wire->epoll_fd, how, connection->fd, &event) < 0 ? -errno : 0;
}

/* Not in the idle list. Events of this turn may still name it. Later ones may not: closing would be enough for that, but
 * for a process that is being started just then and has the descriptor, too. */
static void close_connection(struct wire_connection *connection)
{
    watch(connection, 0);
    close(connection->fd);
    connection->fd = -1;
    connection->next = connection->wire->closed;
    connection->wire->closed = connection;
}

static void drop_surplus(struct wire *wire)
{
    while (wire->idle > wire->idle_limit) {
        struct wire_connection *oldest = wire->oldest;
        take_out(oldest);
        close_connection(oldest);
    }
}

static void put_idle(struct wire_connection *connection)
{
    struct wire *wire = connection->wire;
    struct wire_connection **head = bucket(wire, &connection->address);
    connection->used = true;
    connection->next = *head;
    *head = connection;
    connection->newer = NULL;
    connection->older = wire->newest;
    *(wire->newest ? &wire->newest->newer : &wire->oldest) = connection;
    wire->newest = connection;
    wire->idle++;
    drop_surplus(wire);
}

void wire_keep(struct wire *wire, size_t count)
{
    wire->idle_limit = count;
    drop_surplus(wire);
}

static void free_closed(struct wire *wire)
{
    while (wire->closed) {
        struct wire_connection *next = wire->closed->next;
        free(wire->closed);
        wire->closed = next;
    }
}

void wire_free(struct wire *wire)
{
    if (!wire)
        return;
    wire_keep(wire, 0);
    free_closed(wire);
    free(wire);
}

/* --- events --- */

/* The call is over, and the connection of no use any more. */
static void end_call(struct wire_call *call)
{
    struct wire_connection *connection = call->connection;
    if (connection) {
        connection->call = NULL;
        close_connection(connection);
    }
    call->connection = NULL;
}

static void fail_call(struct wire_call *call, enum http_failure failure, int error)
{
    bool connecting = wire_call_is_connecting(call) || !call->connection;
    char text[160];
    end_call(call);
    snprintf(text, sizeof text, "%s%s", connecting ? "Failed to connect: " : "", strerror(error));
    http_answer_fail(call->answer, failure, failure == HTTP_BROKEN ? 0 : error, text);
    call->done(call);
}

/* The connection is gone. One that was kept may have been closed while the request was on its way. */
static void lose(struct wire_connection *connection, int error)
{
    struct wire_call *call = connection->call;
    if (connection->used && !call->begun && call->repeatable) {
        end_call(call);
        call->fresh = true;
        wire_call_start(call);
        return;
    }
    if (error) {
        fail_call(call, error == ETIMEDOUT ? HTTP_TIMEOUT : HTTP_BROKEN, error);
        return;
    }
    if (wire_call_closed(call) == WIRE_WHOLE)
        http_answer_succeed(call->answer);
    end_call(call);
    call->done(call);
}

static void finish_call(struct wire_call *call, bool nothing_left)
{
    struct wire_connection *connection = call->connection;
    if (call->keep && nothing_left && call->sent == bytes_length(&call->request) && watch(connection, EPOLLIN) == 0) {
        connection->call = NULL;
        call->connection = NULL;
        put_idle(connection);
    } else {
        end_call(call);
    }
    http_answer_succeed(call->answer);
    call->done(call);
}

static void take(struct wire_connection *connection, const char *bytes, size_t length)
{
    struct wire_call *call = connection->call;
    size_t used;
    switch (wire_call_take(call, bytes, length, &used)) {
    case WIRE_MORE:
        break;
    case WIRE_PAUSED:
        call->paused = true;
        watch(connection, 0);
        break;
    case WIRE_WHOLE:
        finish_call(call, used == length);
        break;
    case WIRE_BROKEN:
        end_call(call);
        call->done(call);
        break;
    }
}

static void begin_answer(struct wire_call *call)
{
    call->answer->last_byte_ms = monotonic_ms();
    if (!call->begun && call->sent == bytes_length(&call->request)) { /* it is not sent again */
        bytes_free(&call->request);
        call->sent = 0;
    }
    call->begun = true;
}

static void receive(struct wire_connection *connection)
{
    struct wire *wire = connection->wire;
    ssize_t got = recv(connection->fd, wire->buffer, sizeof wire->buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        lose(connection, got < 0 ? errno : 0);
        return;
    }
    begin_answer(connection->call);
    take(connection, wire->buffer, (size_t)got);
}

static void transmit(struct wire_connection *connection)
{
    struct wire_call *call = connection->call;
    size_t length = bytes_length(&call->request);
    while (call->sent < length) {
        ssize_t sent = send(connection->fd, bytes_at(&call->request) + call->sent, length - call->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) { /* it may have said why before it closed */
            call->sent = 0;
            break;
        }
        if (sent < 0) {
            watch(connection, EPOLLIN | EPOLLOUT);
            return;
        }
        call->sent += (size_t)sent;
    }
    watch(connection, EPOLLIN);
}

static void name_peer(struct wire_call *call)
{
    const struct wire_address *address = &call->address;
    char *to = call->answer->result.peer_ip;
    socklen_t size = sizeof call->answer->result.peer_ip;
    if (address->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &address->v4.sin_addr, to, size);
    else if (address->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &address->v6.sin6_addr, to, size);
}

static void fail_connect(struct wire_call *call, int error)
{
    bool no_socket = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    call->answer->no_socket = no_socket ? error : 0;
    fail_call(call, no_socket ? HTTP_NO_SOCKET : error == ETIMEDOUT ? HTTP_TIMEOUT : HTTP_REFUSED, error);
}

static void finish_connect(struct wire_connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error) {
        fail_connect(connection->call, error);
        return;
    }
    connection->connected = true;
    transmit(connection);
}

void wire_event(uint64_t data, uint32_t bits)
{
    struct wire_connection *connection = (struct wire_connection *)(uintptr_t)(data & ~UINT64_C(1));
    if (connection->fd < 0) /* closed in this turn */
        return;
    if (!connection->call) { /* idle: it is closed, or talks out of turn */
        take_out(connection);
        close_connection(connection);
        return;
    }
    if (!connection->connected) {
        finish_connect(connection);
        return;
    }
    if (bits & EPOLLOUT)
        transmit(connection);
    if (bits & (EPOLLIN | EPOLLERR | EPOLLHUP))
        receive(connection);
}

/* --- calls --- */

/* An idle stream to a host that vanished is noticed by TCP. */
static void set_options(int fd)
{
    const int on = 1, idle_s = KEEPALIVE_S;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof idle_s);
}

/* New and on its way to be connected; a negative errno where there is none. */
static int open_connection(struct wire_call *call, struct wire_connection **ret)
{
    int fd = socket(call->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct wire_connection *connection;
    if (fd < 0)
        return -errno;
    if (call->address.any.sa_family != AF_UNIX)
        set_options(fd);
    if (connect(fd, &call->address.any, call->address.length) < 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        return -error;
    }
    connection = calloc(1, sizeof *connection);
    if (!connection) {
        close(fd);
        return -ENOMEM;
    }
    connection->wire = call->wire;
    connection->fd = fd;
    connection->address = call->address;
    *ret = connection;
    return 0;
}

void wire_call_start(struct wire_call *call)
{
    bool kept = call->repeatable && !call->fresh;
    struct wire_connection *connection = kept ? take_idle(call->wire, &call->address) : NULL;
    int result = 0;
    call->sent = 0;
    name_peer(call);
    if (!connection) {
        result = open_connection(call, &connection);
        if (result == 0) {
            call->connection = connection;
            connection->call = call;
            result = watch(connection, EPOLLOUT);
        }
        if (result != 0)
            fail_connect(call, -result);
        return;
    }
    call->connection = connection;
    connection->call = call;
    transmit(connection);
}

bool wire_call_is_connecting(const struct wire_call *call)
{
    return call->connection && !call->connection->connected;
}

void wire_call_finish(struct wire_call *call)
{
    if (!call->wire)
        return;
    end_call(call);
    if (call->resumed) {
        struct wire_call **link = &call->wire->resumed;
        while (*link != call)
            link = &(*link)->next_resumed;
        *link = call->next_resumed;
        call->resumed = false;
    }
    bytes_free(&call->request);
    bytes_free(&call->rest);
}

void wire_call_resume(struct wire_call *call)
{
    if (!call->paused || call->resumed)
        return;
    call->resumed = true;
    call->next_resumed = call->wire->resumed;
    call->wire->resumed = call;
}

bool wire_has_resumed(const struct wire *wire)
{
    return wire->resumed;
}

static void go_on(struct wire_call *call)
{
    struct wire_connection *connection = call->connection;
    call->resumed = call->paused = false;
    if (connection && watch(connection, EPOLLIN) == 0)
        take(connection, "", 0);
    else if (connection)
        fail_call(call, HTTP_BROKEN, ENOMEM);
}

void wire_settle(struct wire *wire)
{
    while (wire->resumed) {
        struct wire_call *call = wire->resumed;
        wire->resumed = call->next_resumed;
        go_on(call);
    }
    free_closed(wire);
}
