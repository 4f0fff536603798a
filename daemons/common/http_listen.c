/* SPDX-License-Identifier: Apache-2.0 */
#include "http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "text.h"

#define BACKLOG 1024

/* umask() is the whole process's: one bind at a time. */
static pthread_mutex_t umask_lock = PTHREAD_MUTEX_INITIALIZER;

/* A bound, listening socket, or a negative errno. */
static int bind_tcp(const struct addrinfo *to)
{
    const int on = 1, off = 0;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (to->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, to->ai_addr, to->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

static int bind_name(const char *host, const char *port, char **reterr)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    int result = getaddrinfo(host, port, &hints, &list);
    if (result != 0) {
        *reterr = text_format("listen tcp %s:%s: lookup %s: %s", host, port, host, gai_strerror(result));
        return -1;
    }
    int fd = -EADDRNOTAVAIL;
    for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
        fd = bind_tcp(at);
    freeaddrinfo(list);
    return fd;
}

static int open_tcp(struct listening_socket *listening, char **reterr)
{
    const char *host = listening->address.host;
    const char *port = listening->address.port;
    int fd;
    if (host[0] == '\0') {
        /* All addresses of both families, or of the one that there is. */
        fd = bind_name("::", port, reterr);
        if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
            fd = bind_name("0.0.0.0", port, reterr);
    } else {
        fd = bind_name(host, port, reterr);
    }
    if (fd >= 0) {
        listening->fd = fd;
        return 0;
    }
    if (*reterr)
        return -1;
    const char *hint = strcmp(port, "2375") == 0 && fd == -EADDRINUSE
                           ? ": is Docker already running on this machine? Try using a different port"
                           : "";
    const char *open = strchr(host, ':') ? "[" : "", *shut = *open ? "]" : "";
    char *why = text_errno(-fd);
    *reterr = text_format("listen tcp %s%s%s:%s: bind: %s%s", open, host, shut, port, why ? why : "", hint);
    free(why);
    return -1;
}

static struct sockaddr_un unix_name(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    return name;
}

/* Remove a socket that its owner left behind; leave alone what is anything else, or alive. 0, or -1 with text. */
static int remove_stale(const char *path, char **reterr)
{
    struct stat found;
    if (lstat(path, &found) < 0)
        return 0;
    if (!S_ISSOCK(found.st_mode)) {
        *reterr =
            text_format("listen unix %s: the file exists and is not a socket: remove it or choose another path", path);
        return -1;
    }
    struct sockaddr_un name = unix_name(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (error != ECONNREFUSED) {
        /* Connected, or its queue is full, or not ours to ask. */
        char *why = text_errno(error == 0 || error == EAGAIN ? EADDRINUSE : error);
        *reterr = text_format("listen unix %s: bind: %s", path, why ? why : "");
        free(why);
        return -1;
    }
    unlink(path);
    return 0;
}

static int bind_unix(int fd, const char *path)
{
    struct sockaddr_un name = unix_name(path);
    pthread_mutex_lock(&umask_lock);
    mode_t saved = umask(0117);
    int error = bind(fd, (const struct sockaddr *)&name, sizeof name) < 0 ? errno : 0;
    umask(saved);
    pthread_mutex_unlock(&umask_lock);
    return -error;
}

static int open_unix(struct listening_socket *listening, char **reterr)
{
    const char *path = listening->address.path;
    struct stat made;
    if (remove_stale(path, reterr) < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = fd < 0 ? -errno : bind_unix(fd, path);
    if (error == 0 && (listen(fd, BACKLOG) < 0 || lstat(path, &made) < 0)) {
        error = -errno;
        unlink(path);
    }
    if (error == 0) {
        listening->fd = fd;
        listening->device = made.st_dev;
        listening->inode = made.st_ino;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    char *why = text_errno(-error);
    *reterr = text_format("listen unix %s: bind: %s", path, why ? why : "");
    free(why);
    return -1;
}

int listening_socket_open(struct listening_socket *ret, const char *url, char **reterr)
{
    struct listening_socket listening = {.fd = -1};
    *reterr = NULL;
    if (address_parse(&listening.address, url, reterr) < 0)
        return -1;
    int result = listening.address.is_unix ? open_unix(&listening, reterr) : open_tcp(&listening, reterr);
    if (result == 0)
        *ret = listening;
    return result;
}

char *listening_socket_url(const struct listening_socket *listening)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound;
    socklen_t length = sizeof bound;
    char host[INET6_ADDRSTRLEN];
    if (listening->address.is_unix)
        return text_format("unix://%s", listening->address.path);
    if (getsockname(listening->fd, &bound.any, &length) < 0)
        return NULL;
    if (bound.any.sa_family == AF_INET6)
        return text_format("tcp://[%s]:%u", inet_ntop(AF_INET6, &bound.v6.sin6_addr, host, sizeof host),
                           ntohs(bound.v6.sin6_port));
    return text_format("tcp://%s:%u", inet_ntop(AF_INET, &bound.v4.sin_addr, host, sizeof host),
                       ntohs(bound.v4.sin_port));
}

void listening_socket_close(struct listening_socket *listening)
{
    struct stat now;
    const char *path = listening->address.path;
    if (listening->address.is_unix && lstat(path, &now) == 0 && now.st_dev == listening->device &&
        now.st_ino == listening->inode)
        unlink(path);
    close(listening->fd);
    listening->fd = -1;
}
