/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "http_body.h"
#include "http_head.h"

uint64_t sink_hash(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return hash;
}

static bool is_woken(struct sink *sink, int fd)
{
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {sink->wake[0], POLLIN, 0}};

    while (atomic_load(&sink->frozen)) {
        if (poll(&fds[1], 1, 5) > 0)
            return true;
    }
    poll(fds, 2, -1);
    return fds[1].revents != 0;
}

/* What is in the buffer of the body: how much of it is done with. */
static size_t take(struct sink *sink, struct http_body *body, const char *buffer, size_t length)
{
    size_t used = 0, consumed = 1;

    while (consumed > 0 && !body->done) {
        const char *data;
        size_t got;

        kit_check(http_body_next(body, buffer + used, length - used, &consumed, &data, &got) == 0);
        atomic_store(&sink->hash, sink_hash(atomic_load(&sink->hash), data, got));
        atomic_fetch_add(&sink->taken, got);
        used += consumed;
    }
    return used;
}

static void serve(struct sink *sink, int fd)
{
    static const uint64_t basis = 14695981039346656037u;
    char buffer[65536];
    size_t length = 0, used;
    struct http_body body = {0};
    bool has_head = false;

    atomic_store(&sink->taken, 0);
    atomic_store(&sink->hash, basis);
    atomic_store(&sink->whole, false);
    atomic_store(&sink->ended, false);
    while (!is_woken(sink, fd)) {
        ssize_t got = recv(fd, buffer + length, sizeof(buffer) - length, 0);
        struct http_head head;
        const char *why;

        if (got <= 0)
            break;
        length += (size_t)got;
        if (!has_head && http_head_parse_request(&head, buffer, length, &used, &why) == 0) {
            has_head = true;
            http_body_init_request(&body, &head);
            memmove(buffer, buffer + used, length -= used);
        }
        if (has_head) {
            used = take(sink, &body, buffer, length);
            memmove(buffer, buffer + used, length -= used);
        }
        if (has_head && body.done) {
            atomic_store(&sink->whole, true);
            kit_check(send(fd, sink->answer, strlen(sink->answer), MSG_NOSIGNAL) > 0);
            has_head = false;
        }
    }
    close(fd);
    atomic_store(&sink->ended, true);
}

static void *run(void *data)
{
    struct sink *sink = data;

    while (!is_woken(sink, sink->listener)) {
        int fd = accept(sink->listener, NULL, NULL);

        if (fd >= 0)
            serve(sink, fd);
    }
    return NULL;
}

void sink_start(struct sink *sink, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    memset(sink, 0, sizeof(*sink));
    sink->answer = answer;
    sink->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    kit_check(sink->listener >= 0 && bind(sink->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    kit_check(listen(sink->listener, 8) == 0 && pipe(sink->wake) == 0);
    kit_check(getsockname(sink->listener, (struct sockaddr *)&address, &length) == 0);
    snprintf(sink->address, sizeof(sink->address), "127.0.0.1:%d", ntohs(address.sin_port));
    kit_check(pthread_create(&sink->thread, NULL, run, sink) == 0);
}

void sink_stop(struct sink *sink)
{
    close(sink->wake[1]);
    pthread_join(sink->thread, NULL);
    close(sink->wake[0]);
    close(sink->listener);
}
