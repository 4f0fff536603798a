/* SPDX-License-Identifier: Apache-2.0 */
#include "load_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void load_give_up(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

int64_t load_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* -1 where nobody listens. */
static int dial(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    struct timeval patience = {.tv_sec = 120};
    char ip[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    snprintf(ip, sizeof(ip), "%.*s", colon == NULL ? 0 : (int)(colon - text), text);
    if (fd < 0 || colon == NULL || inet_pton(AF_INET, ip, &address.sin_addr) != 1)
        load_give_up("cannot connect to %s: %s", text, strerror(errno));
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

void load_client_init(struct load_client *client, const char *address)
{
    memset(client, 0, sizeof(*client));
    snprintf(client->address, sizeof(client->address), "%s", address);
    client->fd = -1;
}

void load_client_close(struct load_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    free(client->in);
    client->in = NULL;
    client->begin = client->end = client->room = 0;
}

/* More bytes behind those that there are. 0, or -1: the connection is broken. */
static int fill(struct load_client *client)
{
    ssize_t length;

    if (client->begin == client->end)
        client->begin = client->end = 0;
    if (client->room - client->end < 65536) {
        client->room = client->room * 2 + 262144;
        client->in = realloc(client->in, client->room + 1);
        if (client->in == NULL)
            load_give_up("out of memory");
    }
    length = recv(client->fd, client->in + client->end, client->room - client->end, 0);
    if (length <= 0)
        return -1;
    client->end += (size_t)length;
    client->in[client->end] = '\0';
    return 0;
}

/* The position behind the next @p mark, from begin on; NULL: broken. */
static char *find(struct load_client *client, const char *mark)
{
    char *at;

    while (client->begin == client->end ||
           (at = memmem(client->in + client->begin, client->end - client->begin, mark, strlen(mark))) == NULL) {
        if (fill(client) != 0)
            return NULL;
    }
    return at + strlen(mark);
}

static int take(struct load_client *client, size_t length, struct load_answer *answer, int keep)
{
    if (keep) {
        answer->body = realloc(answer->body, answer->length + length + 1);
        if (answer->body == NULL)
            load_give_up("out of memory");
    }
    while (length > 0) {
        size_t part;

        if (client->begin == client->end && fill(client) != 0)
            return -1;
        part = client->end - client->begin < length ? client->end - client->begin : length;
        if (keep) {
            memcpy(answer->body + answer->length, client->in + client->begin, part);
            answer->body[answer->length + part] = '\0';
        }
        answer->length += part;
        client->begin += part;
        length -= part;
    }
    return 0;
}

static int take_chunks(struct load_client *client, struct load_answer *answer, int keep)
{
    struct load_answer nothing = {0};

    for (;;) {
        char *end = find(client, "\r\n");
        size_t length;

        if (end == NULL)
            return -1;
        length = strtoull(client->in + client->begin, NULL, 16);
        client->begin = (size_t)(end - client->in);
        if (take(client, length, answer, keep) != 0 || take(client, 2, &nothing, 0) != 0)
            return -1;
        if (length == 0)
            return 0;
    }
}

static int receive(struct load_client *client, struct load_answer *answer, int64_t begin_ns, int keep)
{
    char *end = find(client, "\r\n\r\n"), *head, *length;
    int result, status;

    if (end == NULL)
        return -1;
    end[-1] = '\0';
    head = client->in + client->begin;
    client->begin = (size_t)(end - client->in);
    status = atoi(head + 9);
    length = strcasestr(head, "\r\nContent-Length:");
    if (strcasestr(head, "\r\nTransfer-Encoding: chunked") != NULL) {
        if (client->begin == client->end && fill(client) != 0)
            return -1;
        answer->first_ns = load_now_ns() - begin_ns;
        result = take_chunks(client, answer, keep);
    } else {
        answer->first_ns = load_now_ns() - begin_ns;
        result = take(client, length == NULL ? 0 : strtoull(length + 17, NULL, 10), answer, keep);
    }
    if (result == 0)
        answer->status = status;
    return result;
}

static int send_all(int fd, const char *method, const char *path, const char *body)
{
    char *text;
    int length = asprintf(&text,
                          "%s %s HTTP/1.1\r\nHost: load\r\n%s"
                          "Content-Length: %zu\r\n\r\n%s",
                          method, path, body == NULL ? "" : "Content-Type: application/json\r\n",
                          body == NULL ? 0 : strlen(body), body == NULL ? "" : body);
    int sent = length < 0 ? -1 : (int)send(fd, text, (size_t)length, MSG_NOSIGNAL);

    if (length >= 0)
        free(text);
    return sent == length ? 0 : -1;
}

struct load_answer load_call(struct load_client *client, const char *method, const char *path, const char *body,
                             int keep)
{
    struct load_answer answer = {0};
    int64_t begin_ns = load_now_ns();

    if (client->fd < 0)
        client->fd = dial(client->address);
    if (client->fd < 0 || send_all(client->fd, method, path, body) != 0 ||
        receive(client, &answer, begin_ns, keep) != 0) {
        load_client_close(client);
        answer.status = 0;
    }
    return answer;
}

int load_open_stream(const char *address, const char *path)
{
    int fd = dial(address);

    if (fd < 0 || send_all(fd, "GET", path, NULL) != 0)
        load_give_up("cannot open %s at %s", path, address);
    return fd;
}
