/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, and connecting to them within a time. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream.h"
#include "stream_internal.h"
#include "text.h"

/* getaddrinfo() knows no time-out: it runs on a thread of its own, which is left to itself when it takes too long. */
struct look_up {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool finished;
    bool abandoned;
    int result;
    struct addrinfo *found;
    struct address address;
};

static int parse_port(struct address *address, const char *text, const char *port, char **reterr)
{
    size_t length = strspn(port, "0123456789");
    if (length == 0 || length > 5 || port[length] != '\0' || atoi(port) > 65535) {
        *reterr = text_format("address %s: invalid port \"%s\"", text, port);
        return -1;
    }
    memcpy(address->port, port, length + 1);
    return 0;
}

/* "host:port", "[v6]:port", ":port". */
static int parse_tcp(struct address *address, const char *text, char **reterr)
{
    const char *host = text;
    const char *colon = strrchr(text, ':');
    const char *end = colon;
    if (text[0] == '[') {
        const char *bracket = strchr(text, ']');
        if (!bracket) {
            *reterr = text_format("address %s: missing ']' in address", text);
            return -1;
        }
        host = text + 1;
        end = bracket;
        colon = bracket[1] == ':' ? bracket + 1 : NULL;
    } else if (colon && memchr(text, ':', (size_t)(colon - text))) {
        *reterr = text_format("address %s: too many colons in address", text);
        return -1;
    }
    if (!colon) {
        *reterr = text_format("address %s: missing port in address", text);
        return -1;
    }
    size_t length = (size_t)(end - host);
    if (length >= sizeof address->host) {
        *reterr = text_format("address %s: host name too long", text);
        return -1;
    }
    memcpy(address->host, host, length);
    return parse_port(address, text, colon + 1, reterr);
}

static int parse_unix(struct address *address, const char *path, char **reterr)
{
    size_t length = strlen(path);
    if (length == 0) {
        *reterr = text_format("address unix://: missing path in address");
        return -1;
    }
    if (length >= sizeof address->path) {
        *reterr = text_format("address unix://%s: path is longer than %zu bytes", path, sizeof address->path - 1);
        return -1;
    }
    address->is_unix = true;
    memcpy(address->path, path, length + 1);
    return 0;
}

int address_parse(struct address *ret, const char *text, char **reterr)
{
    struct address address;
    memset(&address, 0, sizeof address);
    const char *mark = strstr(text, "://");
    size_t length = mark ? (size_t)(mark - text) : 0;
    const char *rest = mark ? mark + 3 : text;
    int result;
    if (mark && length == 4 && strncmp(text, "unix", 4) == 0) {
        result = parse_unix(&address, rest, reterr);
    } else if (!mark || (length == 3 && strncmp(text, "tcp", 3) == 0)) {
        result = parse_tcp(&address, rest, reterr);
    } else {
        *reterr = text_format("unsupported protocol: \"%.*s\"", (int)length, text);
        result = -1;
    }
    if (result == 0)
        *ret = address;
    return result;
}

static void look_up_free(struct look_up *look_up)
{
    if (look_up->found)
        freeaddrinfo(look_up->found);
    pthread_cond_destroy(&look_up->changed);
    pthread_mutex_destroy(&look_up->lock);
    free(look_up);
}

static int resolve(const struct address *address, int flags, struct addrinfo **ret)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    const char *host = address->host[0] ? address->host : "localhost";
    return getaddrinfo(host, address->port, &hints, ret);
}

static void *look_up_run(void *data)
{
    struct look_up *look_up = data;
    struct addrinfo *found = NULL;
    int result = resolve(&look_up->address, AI_ADDRCONFIG, &found);
    pthread_mutex_lock(&look_up->lock);
    look_up->result = result;
    look_up->found = result == 0 ? found : NULL;
    look_up->finished = true;
    bool abandoned = look_up->abandoned;
    pthread_cond_signal(&look_up->changed);
    pthread_mutex_unlock(&look_up->lock);
    if (abandoned)
        look_up_free(look_up);
    return NULL;
}

static struct look_up *look_up_new(const struct address *address)
{
    struct look_up *look_up = calloc(1, sizeof *look_up);
    pthread_condattr_t monotonic;
    if (!look_up)
        return NULL;
    look_up->address = *address;
    pthread_mutex_init(&look_up->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&look_up->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return look_up;
}

static int look_up_start(struct look_up *look_up)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    int result = pthread_create(&thread, &attributes, look_up_run, look_up);
    pthread_attr_destroy(&attributes);
    return result;
}

/* Whether it has finished in time; if not, it belongs to its thread from now on. */
static bool look_up_wait(struct look_up *look_up, struct deadline deadline)
{
    struct timespec until = {.tv_sec = deadline.at_ms / 1000, .tv_nsec = deadline.at_ms % 1000 * 1000000};
    int result = 0;
    pthread_mutex_lock(&look_up->lock);
    while (!look_up->finished && result == 0)
        result = deadline.at_ms < 0 ? pthread_cond_wait(&look_up->changed, &look_up->lock)
                                    : pthread_cond_timedwait(&look_up->changed, &look_up->lock, &until);
    bool finished = look_up->finished;
    look_up->abandoned = !finished;
    pthread_mutex_unlock(&look_up->lock);
    return finished;
}

static char *resolve_error(int result, const char *host)
{
    if (result == EAI_NONAME || result == EAI_NODATA)
        return text_format("lookup %s: no such host", host);
    return text_format("lookup %s: %s", host, gai_strerror(result));
}

static int resolve_name(const struct address *address, struct deadline deadline, struct addrinfo **ret, char **reterr)
{
    struct look_up *look_up = look_up_new(address);
    if (!look_up || look_up_start(look_up) != 0) {
        if (look_up)
            look_up_free(look_up);
        *reterr = text_format("lookup %s: no thread for it", address->host);
        return -1;
    }
    if (!look_up_wait(look_up, deadline)) {
        *reterr = text_format("lookup %s: i/o timeout", address->host);
        return -1;
    }
    int result = look_up->result;
    if (result == 0) {
        *ret = look_up->found;
        look_up->found = NULL;
    } else {
        *reterr = resolve_error(result, address->host);
    }
    look_up_free(look_up);
    return result == 0 ? 0 : -1;
}

/* A connected socket, or a negative errno. */
static int connect_to(const struct sockaddr *to, socklen_t length, struct deadline deadline)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, to, length) < 0 ? errno : 0;
    if (error == EINPROGRESS || error == EINTR) {
        int ready = stream_poll(fd, POLLOUT, deadline);
        socklen_t size = sizeof error;
        if (ready <= 0)
            error = ready < 0 ? -ready : ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
            error = errno;
    }
    if (error == 0)
        return fd;
    close(fd);
    return -error;
}

/* Nobody tells when there is room again among those that the other end has not accepted yet. */
static int connect_unix(const char *path, struct deadline deadline)
{
    enum { FULL_PAUSE_MS = 10 };
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    for (;;) {
        int fd = connect_to((const struct sockaddr *)&to, sizeof to, deadline);
        if (fd != -EAGAIN)
            return fd;
        if (deadline_left(deadline) == 0)
            return -ETIMEDOUT;
        poll(NULL, 0, FULL_PAUSE_MS);
    }
}

/* Try each address; the time is shared out, so that a silent one does not take it all. */
static int connect_any(const struct addrinfo *list, struct deadline deadline)
{
    int left = 0;
    int result = -EADDRNOTAVAIL;
    for (const struct addrinfo *at = list; at; at = at->ai_next)
        left++;
    for (const struct addrinfo *at = list; at; at = at->ai_next, left--) {
        int time_ms = deadline_left(deadline);
        result = connect_to(at->ai_addr, at->ai_addrlen, time_ms < 0 ? deadline : deadline_after(time_ms / left));
        if (result >= 0)
            break;
    }
    return result;
}

static int connect_tcp(const struct address *address, struct deadline deadline, char **reterr)
{
    struct addrinfo *list = NULL;
    if (resolve(address, AI_NUMERICHOST, &list) != 0 && resolve_name(address, deadline, &list, reterr) < 0)
        return -1;
    int fd = connect_any(list, deadline);
    freeaddrinfo(list);
    return fd;
}

int stream_dial(struct stream **ret, const struct address *address, const struct tls *tls, int timeout_ms,
                char **reterr)
{
    struct deadline deadline = deadline_after(timeout_ms);
    *reterr = NULL;
    int fd = address->is_unix ? connect_unix(address->path, deadline) : connect_tcp(address, deadline, reterr);
    if (fd < 0) {
        if (!*reterr)
            *reterr = fd == -ETIMEDOUT ? text_format("i/o timeout") : text_errno(-fd);
        return -1;
    }
    struct stream *stream = stream_wrap(fd);
    if (!stream) {
        *reterr = text_format("out of memory");
        return -1;
    }
    if (tls && stream_start_tls(stream, tls, false, address->host, deadline, reterr) < 0) {
        stream_close(stream);
        return -1;
    }
    *ret = stream;
    return 0;
}
