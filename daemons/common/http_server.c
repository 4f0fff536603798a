/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and their end: an acceptor a listener, a thread a connection, limits, graceful stop. */
#include "http_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_internal.h"
#include "http_listen.h"
#include "log.h"
#include "text.h"

/* Sanitizers make frames several times as large. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_SIZE (1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define STACK_SIZE (1024 * 1024)
#endif
#endif
#ifndef STACK_SIZE
#define STACK_SIZE (128 * 1024)
#endif

#define REFUSING_MAX 32 /* connections at once that are told why, beyond those that are served */
#define ACCEPT_PAUSE_MS 200

struct http_listener {
    struct http_listener *next;
    struct http_server *server;
    struct listening_socket socket;
    const struct tls *tls;
    bool full; /* the last connection was refused */
    pthread_t thread;
};

static int default_to(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

static void set_defaults(struct http_server_options *options)
{
    options->max_connections = default_to(options->max_connections, 10000);
    options->head_timeout_ms = default_to(options->head_timeout_ms, 30 * 1000);
    options->idle_timeout_ms = default_to(options->idle_timeout_ms, 300 * 1000);
    options->body_timeout_ms = default_to(options->body_timeout_ms, 300 * 1000);
    options->max_body = default_to(options->max_body, 8 * 1024 * 1024);
}

static void init_lock(struct http_server *server)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int http_server_new(struct http_server **ret, const struct http_server_options *options, char **reterr)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        *reterr = text_format("out of memory");
        return -1;
    }
    server->options = *options;
    set_defaults(&server->options);
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->cut_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop_fd < 0 || server->cut_fd < 0) {
        *reterr = text_errno(errno);
        if (server->stop_fd >= 0)
            close(server->stop_fd);
        free(server);
        return -1;
    }
    init_lock(server);
    *ret = server;
    return 0;
}

static void link_connection(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    connection->previous = NULL;
    connection->next = server->first;
    if (server->first)
        server->first->previous = connection;
    server->first = connection;
}

static void unlink_connection(struct http_connection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        connection->server->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
}

/* Out of the list first: http_server_stop() may shut down the sockets of those in it. */
static void free_connection(struct http_connection *connection)
{
    pthread_mutex_lock(&connection->server->lock);
    unlink_connection(connection);
    pthread_mutex_unlock(&connection->server->lock);
    if (connection->reset)
        stream_abort(connection->stream);
    else
        stream_close(connection->stream);
    bytes_free(&connection->in);
    free(connection);
}

/* The last thing that a connection's thread does: it is counted out, and joins the one that did so before it. The
 * server may be gone once the lock is released. */
static void count_out(struct http_server *server, bool refused)
{
    pthread_mutex_lock(&server->lock);
    bool has_previous = server->has_last;
    pthread_t previous = server->last;
    server->last = pthread_self();
    server->has_last = true;
    server->live--;
    server->refusing -= refused;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (has_previous)
        pthread_join(previous, NULL);
}

static void *run_connection(void *data)
{
    struct http_connection *connection = data;
    struct http_server *server = connection->server;
    bool refused = connection->refused;
    http_connection_serve(connection);
    free_connection(connection);
    count_out(server, refused);
    return NULL;
}

static int start_thread(pthread_t *thread, void *(*run)(void *), void *data)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int result = pthread_create(thread, &attributes, run, data);
    pthread_attr_destroy(&attributes);
    return result;
}

/* Count a connection in. False where there is no room even for refusing it. */
static bool count_in(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    pthread_mutex_lock(&server->lock);
    connection->refused = server->live - server->refusing >= server->options.max_connections;
    bool admitted = !connection->refused || server->refusing < REFUSING_MAX;
    if (admitted) {
        server->live++;
        server->refusing += connection->refused;
        link_connection(connection);
    }
    pthread_mutex_unlock(&server->lock);
    return admitted;
}

/* There is no thread to serve it: what can be said without waiting, which TLS cannot. */
static void turn_away(struct http_connection *connection)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
                               "Content-Length: 51\r\nConnection: close\r\n\r\n"
                               "{\"message\":\"no thread is left for the connection\"}\n";
    char request[4096];
    if (connection->tls)
        return;
    stream_send(connection->stream, text, sizeof text - 1);
    stream_shutdown_write(connection->stream);
    stream_recv(connection->stream, request, sizeof request); /* unread bytes would turn the end into a reset */
}

static void admit(struct http_listener *listener, int fd)
{
    struct http_server *server = listener->server;
    struct http_connection *connection = calloc(1, sizeof *connection);
    struct stream *stream = stream_wrap(fd);
    if (connection && stream) {
        connection->server = server;
        connection->tls = listener->tls;
        connection->stream = stream;
        connection->in.pages = true;
        if (count_in(connection)) {
            pthread_t thread;
            bool refused = connection->refused;
            if (refused && !listener->full)
                log_warn("HTTP: %d connections are open, more get status 503", server->options.max_connections);
            listener->full = refused;
            int error = start_thread(&thread, run_connection, connection);
            if (error == 0)
                return;
            log_warn("HTTP: no thread for a connection: %s", strerror(error));
            turn_away(connection);
            free_connection(connection);
            pthread_mutex_lock(&server->lock);
            server->live--;
            server->refusing -= refused;
            pthread_cond_broadcast(&server->changed);
            pthread_mutex_unlock(&server->lock);
            return;
        }
    }
    stream_close(stream);
    free(connection);
}

/* What accept4() failed with concerns one connection, not the listener. */
static bool is_passing(int error)
{
    static const int passing[] = {EAGAIN, EINTR,      ECONNABORTED, EPROTO, ENETDOWN,     ENOPROTOOPT,
                                  EPERM,  EOPNOTSUPP, EHOSTDOWN,    ENONET, EHOSTUNREACH, ENETUNREACH};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (error == passing[i])
            return true;
    return false;
}

static void *run_listener(void *data)
{
    struct http_listener *listener = data;
    struct http_server *server = listener->server;
    struct pollfd fds[2] = {{.fd = server->stop_fd, .events = POLLIN}, {.fd = listener->socket.fd, .events = POLLIN}};
    bool paused = false;
    while (!atomic_load(&server->stopping)) {
        int fd = accept4(listener->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            paused = false;
            admit(listener, fd);
            continue;
        }
        if (is_passing(errno)) {
            poll(fds, 2, -1);
            continue;
        }
        /* No descriptor or memory left: the connection stays in the queue, so poll() would come back at once. */
        if (!paused)
            log_warn("HTTP: cannot accept connections for now: %s", strerror(errno));
        paused = true;
        poll(fds, 1, ACCEPT_PAUSE_MS);
    }
    return NULL;
}

int http_server_listen(struct http_server *server, const char *url, const struct tls *tls, char **ret_url,
                       char **reterr)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        *reterr = text_format("out of memory");
        return -1;
    }
    if (listening_socket_open(&listener->socket, url, reterr) < 0) {
        free(listener);
        return -1;
    }
    listener->server = server;
    listener->tls = tls;
    char *bound = ret_url ? listening_socket_url(&listener->socket) : NULL;
    int error = ret_url && !bound ? ENOMEM : start_thread(&listener->thread, run_listener, listener);
    if (error != 0) {
        *reterr = text_errno(error);
        listening_socket_close(&listener->socket);
        free(bound);
        free(listener);
        return -1;
    }
    listener->next = server->listeners;
    server->listeners = listener;
    if (ret_url)
        *ret_url = bound;
    return 0;
}

int http_request_connections(const struct http_request *request)
{
    struct http_server *server = request->connection->server;
    pthread_mutex_lock(&server->lock);
    int live = server->live;
    pthread_mutex_unlock(&server->lock);
    return live;
}

static void signal_fd(int fd)
{
    const uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);
    (void)written; /* fails only where the counter is full, when it is readable anyway */
}

static void stop_listeners(struct http_server *server)
{
    while (server->listeners) {
        struct http_listener *listener = server->listeners;
        server->listeners = listener->next;
        pthread_join(listener->thread, NULL);
        listening_socket_close(&listener->socket);
        free(listener);
    }
}

/* Until no connection's thread is left, or the deadline. The lock is held. */
static void wait_for_threads(struct http_server *server, struct deadline deadline)
{
    struct timespec until = {.tv_sec = deadline.at_ms / 1000, .tv_nsec = deadline.at_ms % 1000 * 1000000};
    int result = 0;
    while (server->live > 0 && result == 0)
        result = deadline.at_ms < 0 ? pthread_cond_wait(&server->changed, &server->lock)
                                    : pthread_cond_timedwait(&server->changed, &server->lock, &until);
}

void http_server_stop(struct http_server *server, int grace_ms)
{
    atomic_store(&server->stopping, true);
    signal_fd(server->stop_fd);
    stop_listeners(server);

    pthread_mutex_lock(&server->lock);
    wait_for_threads(server, deadline_after(grace_ms < 0 ? 0 : grace_ms));
    signal_fd(server->cut_fd);
    for (struct http_connection *at = server->first; at; at = at->next)
        shutdown(stream_fd(at->stream), SHUT_RDWR);
    wait_for_threads(server, deadline_after(-1));
    bool has_last = server->has_last;
    server->has_last = false;
    pthread_mutex_unlock(&server->lock);
    if (has_last)
        pthread_join(server->last, NULL);
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    http_server_stop(server, 0);
    close(server->stop_fd);
    close(server->cut_fd);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
