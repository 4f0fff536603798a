/* SPDX-License-Identifier: Apache-2.0 */
#include "http_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#define REQUEST_MAX (256 * 1024)

struct connection {
    struct http_peer *peer;
    struct connection *next;
    pthread_t thread;
    int fd; /* closed where the thread is joined */
    int requests;
    bool streaming, ended;
};

struct http_peer {
    char address[32], url[256];
    struct sockaddr_in bound;
    int keeper; /* bound and never listening: nobody else gets the port while the peer is killed */
    pthread_t acceptor;
    int listener; /* -1: killed */
    int wake[2];  /* ends the acceptor */
    peer_answer_fn *answer;
    void *data;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct connection *connections;
    enum peer_fault fault;
    int status; /* of the answer where no function says it */
    const char *headers;
    char *body;
    int accepted;
    char **requests;
    size_t request_count;
};

/* --- requests --- */

/* Read a head, and a body of its Content-Length, into @p text of REQUEST_MAX. false at the end of the connection. */
static bool read_request(int fd, char *text)
{
    size_t length = 0;

    for (;;) {
        ssize_t got = recv(fd, text + length, REQUEST_MAX - 1 - length, 0);
        const char *end, *field;

        if (got <= 0)
            return false;
        length += (size_t)got;
        text[length] = '\0';
        end = strstr(text, "\r\n\r\n");
        if (end == NULL)
            continue;
        field = strcasestr(text, "\r\nContent-Length:");
        if (field == NULL || field > end || length - (size_t)(end + 4 - text) >= strtoul(field + 17, NULL, 10))
            return true;
    }
}

static void parse(struct peer_request *request, const char *text)
{
    char target[768] = "", *query;

    memset(request, 0, sizeof(*request));
    sscanf(text, "%15s %767s", request->method, target);
    query = strchr(target, '?');
    if (query != NULL)
        *query++ = '\0';
    snprintf(request->path, sizeof(request->path), "%.*s", (int)sizeof(request->path) - 1, target);
    snprintf(request->query, sizeof(request->query), "%.*s", (int)sizeof(request->query) - 1, query ? query : "");
    request->text = text;
    request->body = strstr(text, "\r\n\r\n") + 4;
    request->body_length = strlen(request->body);
}

static void note_request(struct http_peer *peer, const char *text)
{
    size_t count = peer->request_count;

    if ((count & (count + 1)) == 0) { /* 0, 1, 3, 7, …: full */
        peer->requests = realloc(peer->requests, (2 * count + 1) * sizeof(*peer->requests));
        kit_check(peer->requests != NULL);
    }
    peer->requests[count] = strdup(text);
    kit_check(peer->requests[count] != NULL);
    peer->request_count++;
}

static bool line_contains(const char *request, const char *part)
{
    const char *at = strstr(request, part);

    return at != NULL && at < strstr(request, "\r\n");
}

/* --- answers --- */

static bool send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Whether the client leaves, or the peer is killed, within that time. */
static bool is_left(int fd, int wait_ms)
{
    struct pollfd pollfd = {fd, POLLRDHUP, 0};

    return poll(&pollfd, 1, wait_ms) > 0;
}

static bool send_answer(int fd, const struct peer_answer *answer, enum peer_fault fault)
{
    const char *body = answer->body ? answer->body : "";
    size_t length = answer->body_length ? answer->body_length : strlen(body);
    int status = answer->status ? answer->status : 200;
    char head[1024], content_length[48] = "";

    if (fault == PEER_GARBAGE) {
        send_all(fd, "what?\r\n", 7);
        return false;
    }
    if (!answer->stream && status != 204)
        snprintf(content_length, sizeof(content_length), "Content-Length: %zu\r\n", length);
    snprintf(head, sizeof(head), "HTTP/1.1 %d Whatever\r\n%s%s\r\n", status, answer->headers ? answer->headers : "",
             content_length);
    if (!send_all(fd, head, strlen(head)))
        return false;
    if (fault == PEER_CUT) {
        send_all(fd, body, length / 2);
        return false;
    }
    return send_all(fd, body, length);
}

static void repeat(const struct connection *connection, const struct peer_answer *answer)
{
    while (!is_left(connection->fd, answer->repeat_ms) &&
           send_all(connection->fd, answer->body, strlen(answer->body))) {
    }
}

/* Count the request and decide what becomes of it, as one step. */
static enum peer_fault decide(struct connection *connection, const char *text, struct peer_answer *answer)
{
    struct http_peer *peer = connection->peer;
    struct peer_request request;
    enum peer_fault fault;

    memset(answer, 0, sizeof(*answer));
    parse(&request, text);
    pthread_mutex_lock(&peer->lock);
    note_request(peer, text);
    connection->requests++;
    fault = peer->fault;
    if (fault == PEER_STALE)
        fault = connection->requests > 1 ? PEER_CLOSE : PEER_WELL;
    if (fault == PEER_SILENT || fault == PEER_CLOSE) {
        answer->none = true;
    } else if (peer->answer != NULL) {
        peer->answer(peer->data, &request, answer);
    } else {
        answer->status = peer->status;
        answer->headers = peer->headers;
        answer->body = peer->body ? strdup(peer->body) : NULL;
    }
    pthread_mutex_unlock(&peer->lock);
    return fault;
}

/* Send the answer. false: the connection is done with. */
static bool carry_out(struct connection *connection, const struct peer_answer *answer, enum peer_fault fault)
{
    struct http_peer *peer = connection->peer;

    if (answer->none)
        return fault != PEER_CLOSE;
    if (answer->delay_ms > 0)
        is_left(connection->fd, answer->delay_ms);
    if (!send_answer(connection->fd, answer, fault))
        return false;
    if (answer->stream) {
        pthread_mutex_lock(&peer->lock);
        connection->streaming = true;
        pthread_mutex_unlock(&peer->lock);
        if (answer->repeat_ms > 0)
            repeat(connection, answer);
    }
    return true;
}

static void *serve(void *data)
{
    struct connection *connection = data;
    struct http_peer *peer = connection->peer;
    char *text = malloc(REQUEST_MAX);
    bool goes_on = true;

    kit_check(text != NULL);
    while (goes_on && read_request(connection->fd, text)) {
        struct peer_answer answer;
        enum peer_fault fault = decide(connection, text, &answer);

        goes_on = carry_out(connection, &answer, fault);
        free(answer.body);
    }
    free(text);
    pthread_mutex_lock(&peer->lock);
    connection->streaming = false;
    connection->ended = true;
    shutdown(connection->fd, SHUT_RDWR);
    pthread_cond_broadcast(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
    return NULL;
}

/* --- connections --- */

/* Join and forget connections that ended; @p all: end and await every one. With the lock held. */
static void reap(struct http_peer *peer, bool all)
{
    for (struct connection **at = &peer->connections; *at != NULL;) {
        struct connection *connection = *at;

        if (all)
            shutdown(connection->fd, SHUT_RDWR);
        while (all && !connection->ended)
            pthread_cond_wait(&peer->changed, &peer->lock);
        if (!connection->ended) {
            at = &connection->next;
            continue;
        }
        pthread_join(connection->thread, NULL);
        close(connection->fd);
        *at = connection->next;
        free(connection);
    }
}

static void accept_one(struct http_peer *peer)
{
    int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
    struct connection *connection;
    int on = 1;

    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* head and body are sent apart */
    connection = calloc(1, sizeof(*connection));
    kit_check(connection != NULL);
    connection->peer = peer;
    connection->fd = fd;
    pthread_mutex_lock(&peer->lock);
    reap(peer, false);
    peer->accepted++;
    connection->next = peer->connections;
    peer->connections = connection;
    kit_check(pthread_create(&connection->thread, NULL, serve, connection) == 0);
    pthread_mutex_unlock(&peer->lock);
}

static void *accept_all(void *data)
{
    struct http_peer *peer = data;
    struct pollfd fds[2] = {{peer->listener, POLLIN, 0}, {peer->wake[0], POLLIN, 0}};

    while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
        if (fds[1].revents)
            break;
        if (fds[0].revents)
            accept_one(peer);
    }
    return NULL;
}

/* --- life --- */

static int bind_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    kit_check(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
    kit_check(bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0);
    return fd;
}

void http_peer_revive(struct http_peer *peer)
{
    peer->listener = bind_socket(&peer->bound);
    kit_check(listen(peer->listener, 1024) == 0 && pipe(peer->wake) == 0);
    kit_check(pthread_create(&peer->acceptor, NULL, accept_all, peer) == 0);
}

void http_peer_kill(struct http_peer *peer)
{
    if (peer->listener < 0)
        return;
    close(peer->wake[1]);
    pthread_join(peer->acceptor, NULL);
    close(peer->wake[0]);
    close(peer->listener);
    peer->listener = -1;
    pthread_mutex_lock(&peer->lock);
    reap(peer, true);
    pthread_mutex_unlock(&peer->lock);
}

struct http_peer *http_peer_new(peer_answer_fn *answer, void *data)
{
    struct http_peer *peer = calloc(1, sizeof(*peer));
    socklen_t length = sizeof(peer->bound);

    kit_check(peer != NULL);
    pthread_mutex_init(&peer->lock, NULL);
    pthread_cond_init(&peer->changed, NULL);
    peer->answer = answer;
    peer->data = data;
    peer->bound.sin_family = AF_INET;
    peer->bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->keeper = bind_socket(&peer->bound);
    kit_check(getsockname(peer->keeper, (struct sockaddr *)&peer->bound, &length) == 0);
    snprintf(peer->address, sizeof(peer->address), "127.0.0.1:%d", ntohs(peer->bound.sin_port));
    http_peer_revive(peer);
    return peer;
}

void http_peer_free(struct http_peer *peer)
{
    http_peer_kill(peer);
    close(peer->keeper);
    for (size_t i = 0; i < peer->request_count; i++)
        free(peer->requests[i]);
    free(peer->requests);
    free(peer->body);
    pthread_mutex_destroy(&peer->lock);
    pthread_cond_destroy(&peer->changed);
    free(peer);
}

const char *http_peer_address(const struct http_peer *peer)
{
    return peer->address;
}

const char *http_peer_url(struct http_peer *peer, const char *path)
{
    snprintf(peer->url, sizeof(peer->url), "http://%s%s", peer->address, path);
    return peer->url;
}

void http_peer_lock(struct http_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
}

void http_peer_unlock(struct http_peer *peer)
{
    pthread_mutex_unlock(&peer->lock);
}

/* --- commands --- */

void http_peer_set_fault(struct http_peer *peer, enum peer_fault fault)
{
    pthread_mutex_lock(&peer->lock);
    peer->fault = fault;
    pthread_mutex_unlock(&peer->lock);
}

void http_peer_set_answer(struct http_peer *peer, int status, const char *headers, const char *body)
{
    char *copy = strdup(body);

    kit_check(copy != NULL);
    pthread_mutex_lock(&peer->lock);
    free(peer->body);
    peer->body = copy;
    peer->status = status;
    peer->headers = headers;
    pthread_mutex_unlock(&peer->lock);
}

void http_peer_send(struct http_peer *peer, const char *bytes)
{
    pthread_mutex_lock(&peer->lock);
    for (struct connection *connection = peer->connections; connection != NULL; connection = connection->next) {
        if (connection->streaming)
            send_all(connection->fd, bytes, strlen(bytes));
    }
    pthread_mutex_unlock(&peer->lock);
}

void http_peer_cut_streams(struct http_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    for (struct connection *connection = peer->connections; connection != NULL; connection = connection->next) {
        if (connection->streaming)
            shutdown(connection->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&peer->lock);
}

int http_peer_streams(struct http_peer *peer)
{
    int count = 0;

    pthread_mutex_lock(&peer->lock);
    for (struct connection *connection = peer->connections; connection != NULL; connection = connection->next)
        count += connection->streaming;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

/* --- what it has seen --- */

int http_peer_accepted(struct http_peer *peer)
{
    int accepted;

    pthread_mutex_lock(&peer->lock);
    accepted = peer->accepted;
    pthread_mutex_unlock(&peer->lock);
    return accepted;
}

int http_peer_count(struct http_peer *peer, const char *part)
{
    int count = 0;

    pthread_mutex_lock(&peer->lock);
    for (size_t i = 0; i < peer->request_count; i++)
        count += line_contains(peer->requests[i], part);
    pthread_mutex_unlock(&peer->lock);
    return count;
}

const char *http_peer_last(struct http_peer *peer, const char *part)
{
    const char *last = NULL;

    pthread_mutex_lock(&peer->lock);
    for (size_t i = peer->request_count; i > 0 && last == NULL; i--) {
        if (line_contains(peer->requests[i - 1], part))
            last = peer->requests[i - 1];
    }
    pthread_mutex_unlock(&peer->lock);
    return last;
}
