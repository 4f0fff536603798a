/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery_zookeeper.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "log.h"
#include "stream.h"
#include "text.h"

enum { FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 10000 };

/* The library's lines begin with its own time and place: "…:ZOO_INFO@function@line: text". */
static void on_log(const char *line)
{
    const char *place = strstr(line, ":ZOO_");
    const char *text = place ? strstr(place, ": ") : NULL;
    text = text ? text + 2 : line;
    log_debug_with(LOG_FIELDS({"discovery", "zk"}), "%.*s", (int)strcspn(text, "\n"), text);
}

int zk_session_init(struct zk_session *session, const struct kv_place *place, int timeout_ms)
{
    pthread_condattr_t attributes;
    unsigned start = 0;
    if (pthread_condattr_init(&attributes) != 0)
        return -1;
    zoo_set_debug_level(log_enabled(LOG_LEVEL_DEBUG) ? ZOO_LOG_LEVEL_INFO : (ZooLogLevel)0);
    /* Not everybody shall come to the first server. */
    if (getrandom(&start, sizeof start, GRND_NONBLOCK) != sizeof start)
        start = 0;
    *session = (struct zk_session){.endpoints = place->endpoints,
                                   .count = place->count,
                                   .timeout_ms = timeout_ms,
                                   .endpoint = start % place->count};
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&session->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&session->lock, NULL);
    return 0;
}

void zk_session_finish(struct zk_session *session)
{
    if (session->count == 0) /* zk_session_init() was not called */
        return;
    zk_session_close(session);
    pthread_cond_destroy(&session->changed);
    pthread_mutex_destroy(&session->lock);
}

void zk_session_stop(struct zk_session *session)
{
    pthread_mutex_lock(&session->lock);
    session->stopping = true;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->lock);
}

bool zk_session_stopping(struct zk_session *session)
{
    pthread_mutex_lock(&session->lock);
    bool stopping = session->stopping;
    pthread_mutex_unlock(&session->lock);
    return stopping;
}

bool zk_session_wait(struct zk_session *session, struct deadline deadline)
{
    if (deadline.at_ms < 0)
        return pthread_cond_wait(&session->changed, &session->lock) == 0;
    struct timespec until = {.tv_sec = deadline.at_ms / 1000, .tv_nsec = deadline.at_ms % 1000 * 1000000};
    return pthread_cond_timedwait(&session->changed, &session->lock, &until) == 0;
}

int zk_session_back_off_ms(struct zk_session *session)
{
    unsigned random = 0;
    int shift = session->failures < 5 ? session->failures : 5;
    session->failures++;
    if (shift == 0)
        return 0;
    int delay_ms = FIRST_RETRY_MS << (shift - 1);
    if (delay_ms > LAST_RETRY_MS)
        delay_ms = LAST_RETRY_MS;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = 0;
    return delay_ms / 2 + (int)(random % (unsigned)delay_ms);
}

static const char *describe(int rc)
{
    switch (rc) {
    case ZNOAUTH:
        return "no right to do that";
    case ZBADARGUMENTS:
        return "no path that ZooKeeper takes";
    case ZNOCHILDRENFOREPHEMERALS:
        return "it would be below an ephemeral node";
    case ZNOTEMPTY:
        return "there are nodes below it";
    default:
        return zerror(rc);
    }
}

char *zk_session_error(const struct zk_session *session, const char *path, int rc)
{
    return text_format("zk: %s: %s: %s", session->endpoints[session->endpoint], path, describe(rc));
}

bool zk_is_loss(int rc)
{
    return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT || rc == ZINVALIDSTATE || rc == ZSESSIONEXPIRED ||
           rc == ZSESSIONMOVED || rc == ZCLOSING;
}

static void on_session_event(struct zk_session *session, int state)
{
    if (state == ZOO_CONNECTED_STATE)
        session->link = ZK_LINK_UP;
    else if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE)
        session->link = ZK_LINK_EXPIRED;
    else if (session->link == ZK_LINK_UP)
        session->link = ZK_LINK_LOST;
}

void zk_on_event(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    struct zk_session *session = context;
    pthread_mutex_lock(&session->lock);
    if (type == ZOO_SESSION_EVENT) {
        on_session_event(session, state);
    } else {
        session->news = true;
        if (session->on_node)
            session->on_node(session->data, path);
    }
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->lock);
}

static void set_link(struct zk_session *session, enum zk_link link)
{
    pthread_mutex_lock(&session->lock);
    session->link = link;
    pthread_mutex_unlock(&session->lock);
}

/* Without a connection, the session itself goes on until the server's time for it is over. */
static void drop(struct zk_session *session, bool ended)
{
    if (session->handle)
        zookeeper_close(session->handle);
    session->handle = NULL;
    if (ended)
        session->id = (clientid_t){0};
    set_link(session, ZK_LINK_NONE);
}

void zk_session_close(struct zk_session *session)
{
    drop(session, true);
}

/* The library ends a session when it closes a connection. But it drops a connection at once that is to none of the
 * servers which it may use: the only one from here on is none at all, at an address that no other has. */
void zk_session_abandon(struct zk_session *session)
{
    if (session->handle && zoo_set_servers(session->handle, "127.255.255.254:1") != ZOK)
        log_debug_with(LOG_FIELDS({"discovery", "zk"}), "The session cannot be left as it is: it ends");
    drop(session, true);
}

/* What the client library gets where it asks for the numeric address that it was given. It asks with AI_ADDRCONFIG,
 * which makes libc refuse an IPv6 address where the machine's own ones, loopback aside, are all IPv4, and the other way
 * round, although [::1] or 127.0.0.1 can be reached from there; the library says "invalid argument" then. A numeric
 * address needs no such choice, whoever asks. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **result)
{
    union {
        void *symbol;
        int (*call)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    } libc = {dlsym(RTLD_NEXT, "getaddrinfo")};
    if (name && hints && (hints->ai_flags & AI_ADDRCONFIG)) {
        struct addrinfo numeric = *hints;
        numeric.ai_flags = (hints->ai_flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST;
        if (libc.call(name, service, &numeric, result) == 0)
            return 0;
    }
    return libc.call(name, service, hints, result);
}

/* The numeric address of @p endpoint, one that accepts connections. New text, or NULL with *reterr. */
static char *find_server(const char *endpoint, char **reterr)
{
    struct address address;
    struct stream *stream;
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (address_parse(&address, endpoint, reterr) != 0 || stream_dial(&stream, &address, NULL, ZK_DIAL_MS, reterr) != 0)
        return NULL;
    char *numeric = NULL;
    if (getpeername(stream_fd(stream), (struct sockaddr *)&peer, &length) != 0)
        *reterr = text_errno(errno);
    else if (getnameinfo((struct sockaddr *)&peer, length, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        *reterr = text_format("its address cannot be written");
    else if (!(numeric = text_format("%s:%s", host, port)))
        *reterr = text_format("out of memory");
    stream_close(stream);
    return numeric;
}

/* Wait until the server says what becomes of the session. */
static enum zk_link greet(struct zk_session *session, const char *numeric, char **reterr)
{
    struct deadline deadline = deadline_after(ZK_GREET_MS);
    set_link(session, ZK_LINK_TRYING);
    session->handle =
        zookeeper_init2(numeric, zk_on_event, session->timeout_ms, session->id.client_id ? &session->id : NULL, session,
                        ZOO_NO_LOG_CLIENTENV, on_log);
    if (!session->handle) {
        *reterr = text_errno(errno);
        return ZK_LINK_NONE;
    }
    pthread_mutex_lock(&session->lock);
    while (session->link == ZK_LINK_TRYING && !session->stopping && zk_session_wait(session, deadline))
        ;
    enum zk_link link = session->link;
    pthread_mutex_unlock(&session->lock);
    return link;
}

/* 0, or -1 with *reterr and no handle. */
static int connect_to(struct zk_session *session, const char *endpoint, char **reterr)
{
    char *numeric = find_server(endpoint, reterr);
    enum zk_link link = numeric ? greet(session, numeric, reterr) : ZK_LINK_NONE;
    if (link == ZK_LINK_EXPIRED) {
        log_debug_with(LOG_FIELDS({"discovery", "zk"}), "The session has expired, a new one begins");
        drop(session, true);
        link = greet(session, numeric, reterr);
    }
    free(numeric);
    if (link == ZK_LINK_UP) {
        session->id = *zoo_client_id(session->handle);
        log_debug_with(LOG_FIELDS({"discovery", "zk"}), "%s grants a session of %d ms", endpoint,
                       zoo_recv_timeout(session->handle));
        return 0;
    }
    if (session->handle)
        *reterr = text_format("connected, but it grants no session");
    drop(session, link == ZK_LINK_EXPIRED);
    return -1;
}

/* "zk: h1:2181: connection refused; h2:2181: i/o timeout": in the order of the URL, whichever was tried first. */
static char *join_errors(const struct zk_session *session, char *const *errors)
{
    char *joined = strdup("zk: ");
    for (size_t i = 0; joined && i < session->count; i++) {
        char *longer = text_format("%s%s%s: %s", joined, i > 0 ? "; " : "", session->endpoints[i],
                                   errors[i] ? errors[i] : "out of memory");
        free(joined);
        joined = longer;
    }
    return joined;
}

static bool is_up(struct zk_session *session)
{
    pthread_mutex_lock(&session->lock);
    enum zk_link link = session->link;
    pthread_mutex_unlock(&session->lock);
    if (link == ZK_LINK_UP)
        return true;
    if (link != ZK_LINK_NONE) /* the server that failed us is the last to be asked again */
        session->endpoint = (session->endpoint + 1) % session->count;
    drop(session, link == ZK_LINK_EXPIRED);
    return false;
}

int zk_session_connect(struct zk_session *session, bool *ret_fresh, char **reterr)
{
    *ret_fresh = !is_up(session);
    if (!*ret_fresh)
        return 0;
    char **errors = calloc(session->count, sizeof *errors);
    if (!errors)
        return discovery_fail(reterr, "zk: out of memory");
    int status = -1;
    for (size_t tried = 0; status != 0 && tried < session->count && !zk_session_stopping(session); tried++) {
        if (tried > 0)
            session->endpoint = (session->endpoint + 1) % session->count;
        status = connect_to(session, session->endpoints[session->endpoint], &errors[session->endpoint]);
    }
    *reterr = status == 0 || zk_session_stopping(session) ? NULL : join_errors(session, errors);
    for (size_t i = 0; i < session->count; i++)
        free(errors[i]);
    free(errors);
    return status;
}
