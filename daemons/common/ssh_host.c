/* SPDX-License-Identifier: Apache-2.0 */
/* A host: one thread, and one connection that all sessions of all engines there go through. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"
#include "ssh_bridge_internal.h"
#include "ssh_command.h"
#include "text.h"

enum {
    STACK_SIZE = 128 * 1024, /* of a host's thread */
    LOOK_MS = 25,            /* between looks at a connection that is being made */
    CONNECT_MS = 20000,      /* for ssh to make it: above its own ConnectTimeout, which says more */
    END_MS = 2000,           /* for a session to end whose user has gone */
    FDS_FIXED = 3,
    FDS_A_SESSION = 3,
};

enum master { MASTER_NONE, MASTER_CONNECTING, MASTER_READY };

struct ssh_host {
    struct ssh_bridges *bridges;
    struct ssh_host *next;    /* the bridges' lock guards this one and the next */
    struct ssh_bridge *added; /* not taken over by the thread yet */
    struct ssh_address to;    /* its path belongs to one engine, and is of no use here */
    char control[108];
    int wake_fd;

    /* the thread's own */
    struct ssh_bridge *first;
    enum master master;
    struct ssh_process process; /* the master's */
    int64_t master_ms;          /* since when it connects */
    struct pollfd *fds;
    size_t capacity;
};

void ssh_host_wake(struct ssh_host *host)
{
    uint64_t one = 1;
    if (write(host->wake_fd, &one, sizeof one) < 0)
        log_error("the thread of %s cannot be woken", host->to.host);
}

/* --- the connection --- */

/* In the log for one of them, which is enough. */
static void note_all(struct ssh_host *host, const char *words)
{
    for (struct ssh_bridge *bridge = host->first; bridge; bridge = bridge->next)
        ssh_bridge_note(bridge, SSH_TROUBLE, words, bridge == host->first);
}

static char *errno_words(int error, char *to, size_t size)
{
    char *why = text_errno(error);
    snprintf(to, size, "ssh cannot be run: %s", why ? why : "out of memory");
    free(why);
    return to;
}

static void master_start(struct ssh_host *host)
{
    char words[256];
    unlink(host->control);
    int result = ssh_command_connect(&host->process, &host->to, host->bridges->options, host->control);
    if (result < 0) {
        note_all(host, errno_words(-result, words, sizeof words));
        return;
    }
    host->master = MASTER_CONNECTING;
    host->master_ms = deadline_now_ms();
}

static void master_ended(struct ssh_host *host, int status)
{
    char words[256];
    host->master = MASTER_NONE;
    ssh_process_words(&host->process, words, sizeof words);
    if (*words == '\0')
        snprintf(words, sizeof words, "ssh ended with status %d and said nothing", status);
    note_all(host, words);
}

static void master_ready(struct ssh_host *host)
{
    host->master = MASTER_READY;
    for (struct ssh_bridge *bridge = host->first; bridge; bridge = bridge->next) {
        pthread_mutex_lock(&bridge->lock);
        bridge->told = false;
        pthread_mutex_unlock(&bridge->lock);
    }
    log_info_with(LOG_FIELDS({"addr", host->first->address}), "Connected through ssh");
}

/* Look how it does. The control socket is there once it takes sessions. */
static void master_look(struct ssh_host *host)
{
    int status;
    if (host->master == MASTER_NONE)
        return;
    if (ssh_process_ended(&host->process, &status)) {
        master_ended(host, status);
    } else if (host->master == MASTER_READY) {
        return;
    } else if (access(host->control, F_OK) == 0) {
        master_ready(host);
    } else if (deadline_now_ms() - host->master_ms >= CONNECT_MS) {
        ssh_process_kill(&host->process);
        host->master = MASTER_NONE;
        note_all(host, "ssh has neither connected nor given up");
    }
}

/* --- sessions --- */

static void session_drop(struct ssh_bridge *bridge, size_t index)
{
    struct ssh_session *session = bridge->sessions[index];
    ssh_process_kill(&session->process);
    close(session->client);
    free(session);
    bridge->sessions[index] = bridge->sessions[--bridge->count];
}

/* True where it is over. */
static bool session_start(struct ssh_host *host, struct ssh_bridge *bridge, struct ssh_session *session)
{
    char words[256];
    if (host->master == MASTER_NONE)
        return true;
    if (host->master == MASTER_CONNECTING)
        return false;
    int result =
        ssh_command_session(&session->process, &bridge->to, host->bridges->options, host->control, session->client);
    if (result < 0)
        ssh_bridge_note(bridge, SSH_TROUBLE, errno_words(-result, words, sizeof words), true);
    return result < 0;
}

/* The same. */
static bool session_look(struct ssh_host *host, struct ssh_bridge *bridge, struct ssh_session *session,
                         bool client_gone)
{
    int status;
    if (session->process.pid == 0)
        return client_gone || session_start(host, bridge, session);
    /* The client's end of file comes only with this one's: what is noted here is there when it asks. */
    if (ssh_process_ended(&session->process, &status)) {
        if (status != 0 && !session->abandoned)
            ssh_bridge_note_end(bridge, &session->process, status);
        return true;
    }
    if (client_gone && !session->abandoned) {
        session->abandoned = true;
        session->end_ms = deadline_now_ms() + END_MS;
    }
    return session->abandoned && deadline_now_ms() >= session->end_ms;
}

static void session_new(struct ssh_host *host, struct ssh_bridge *bridge, int client)
{
    bool full = bridge->count == SSH_SESSIONS_MAX;
    struct ssh_session *session = full ? NULL : calloc(1, sizeof *session);
    if (!session) {
        char words[64];
        snprintf(words, sizeof words, "all of %d connections to this engine are in use", SSH_SESSIONS_MAX);
        ssh_bridge_note(bridge, SSH_TROUBLE, full ? words : "out of memory", true);
        close(client);
        return;
    }
    session->client = client;
    session->process.pid_fd = session->process.words_fd = -1;
    bridge->sessions[bridge->count++] = session;
    if (host->master == MASTER_NONE)
        master_start(host);
}

/* --- the thread --- */

static bool make_room(struct ssh_host *host)
{
    size_t needed = FDS_FIXED;
    for (const struct ssh_bridge *bridge = host->first; bridge; bridge = bridge->next)
        needed += 1 + FDS_A_SESSION * bridge->count;
    if (needed <= host->capacity)
        return true;
    struct pollfd *longer = reallocarray(host->fds, needed * 2, sizeof *longer);
    if (!longer)
        return false;
    host->fds = longer;
    host->capacity = needed * 2;
    return true;
}

/* Of each bridge its listener, then its sessions, in the order in which look() goes through them. */
static size_t watch(struct ssh_host *host)
{
    bool master = host->master != MASTER_NONE;
    struct pollfd *fds = host->fds;
    size_t count = FDS_FIXED;
    fds[0] = (struct pollfd){.fd = host->wake_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = master ? host->process.pid_fd : -1, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = master ? host->process.words_fd : -1, .events = POLLIN};
    for (const struct ssh_bridge *bridge = host->first; bridge; bridge = bridge->next) {
        fds[count++] = (struct pollfd){.fd = bridge->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < bridge->count; i++) {
            const struct ssh_session *session = bridge->sessions[i];
            fds[count++] = (struct pollfd){.fd = session->abandoned ? -1 : session->client};
            fds[count++] = (struct pollfd){.fd = session->process.pid_fd, .events = POLLIN};
            fds[count++] = (struct pollfd){.fd = session->process.words_fd, .events = POLLIN};
        }
    }
    return count;
}

static int wait_ms(const struct ssh_host *host)
{
    int64_t now_ms = deadline_now_ms(), wait = host->master == MASTER_CONNECTING ? LOOK_MS : INT32_MAX;
    for (const struct ssh_bridge *bridge = host->first; bridge; bridge = bridge->next) {
        for (size_t i = 0; i < bridge->count; i++) {
            const struct ssh_session *session = bridge->sessions[i];
            if (session->process.pid == 0 && host->master != MASTER_CONNECTING)
                wait = 0;
            if (session->abandoned && session->end_ms - now_ms < wait)
                wait = session->end_ms - now_ms;
        }
    }
    return wait == INT32_MAX ? -1 : wait < 0 ? 0 : (int)wait;
}

/* What came, as watch() put it there. */
static void look(struct ssh_host *host)
{
    const struct pollfd *fds = host->fds + FDS_FIXED;
    master_look(host);
    for (struct ssh_bridge *bridge = host->first; bridge; bridge = bridge->next) {
        size_t count = bridge->count;
        for (size_t i = count; i-- > 0;) { /* from the last on: the place of one that is over is taken by it */
            if (session_look(host, bridge, bridge->sessions[i], fds[1 + FDS_A_SESSION * i].revents != 0))
                session_drop(bridge, i);
        }
        int client;
        while (fds[0].revents && (client = accept4(bridge->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            session_new(host, bridge, client);
        fds += 1 + FDS_A_SESSION * count;
    }
}

static void drop_closed(struct ssh_host *host)
{
    for (struct ssh_bridge **next = &host->first; *next;) {
        struct ssh_bridge *bridge = *next;
        pthread_mutex_lock(&bridge->lock);
        bool closing = bridge->closing;
        pthread_mutex_unlock(&bridge->lock);
        if (!closing) {
            next = &bridge->next;
            continue;
        }
        *next = bridge->next;
        while (bridge->count > 0)
            session_drop(bridge, bridge->count - 1);
        ssh_bridge_free(bridge);
    }
}

/* True where there is none left, and no other comes: the host is out of the list then. */
static bool take_added(struct ssh_host *host)
{
    struct ssh_bridges *bridges = host->bridges;
    pthread_mutex_lock(&bridges->lock);
    while (host->added) {
        struct ssh_bridge *bridge = host->added;
        host->added = bridge->next;
        bridge->next = host->first;
        host->first = bridge;
    }
    bool over = !host->first;
    if (over) {
        struct ssh_host **next = &bridges->hosts;
        while (*next != host)
            next = &(*next)->next;
        *next = host->next;
    }
    pthread_mutex_unlock(&bridges->lock);
    return over;
}

static void host_free(struct ssh_host *host)
{
    if (host->wake_fd >= 0)
        close(host->wake_fd);
    free(host->fds);
    free(host);
}

static void *run(void *data)
{
    struct ssh_host *host = data;
    struct ssh_bridges *bridges = host->bridges;
    uint64_t times;
    while (!take_added(host)) {
        if (!make_room(host)) { /* what waits does so until there is memory */
            poll(NULL, 0, LOOK_MS);
            continue;
        }
        if (poll(host->fds, watch(host), wait_ms(host)) < 0)
            continue;
        if (host->fds[0].revents && read(host->wake_fd, &times, sizeof times) < 0)
            continue;
        look(host);
        drop_closed(host);
    }
    ssh_process_kill(&host->process);
    unlink(host->control);
    host_free(host);
    pthread_mutex_lock(&bridges->lock);
    bridges->running--;
    pthread_cond_signal(&bridges->changed);
    pthread_mutex_unlock(&bridges->lock);
    return NULL;
}

/* --- taking bridges --- */

static int start_thread(struct ssh_host *host)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int result = pthread_create(&thread, &attributes, run, host);
    pthread_attr_destroy(&attributes);
    return result;
}

static bool is_same(const struct ssh_address *a, const struct ssh_address *b)
{
    return strcmp(a->user, b->user) == 0 && strcmp(a->host, b->host) == 0 && strcmp(a->port, b->port) == 0;
}

/* With the bridges' lock. The thread begins with the bridge, or not at all. */
static int host_new(struct ssh_bridges *bridges, struct ssh_bridge *bridge)
{
    struct ssh_host *host = calloc(1, sizeof *host);
    if (!host)
        return -1;
    host->bridges = bridges;
    host->to = bridge->to;
    host->process.pid_fd = host->process.words_fd = -1;
    host->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    snprintf(host->control, sizeof host->control, "%s/%u.ssh", bridges->folder.path, bridges->next++);
    bridge->host = host;
    bridge->next = NULL;
    host->added = bridge;
    if (host->wake_fd < 0 || start_thread(host) != 0) {
        host_free(host);
        return -1;
    }
    host->next = bridges->hosts;
    bridges->hosts = host;
    bridges->running++;
    return 0;
}

int ssh_host_take(struct ssh_bridge *bridge)
{
    struct ssh_bridges *bridges = bridge->bridges;
    int result = 0;
    pthread_mutex_lock(&bridges->lock);
    struct ssh_host *host = bridges->hosts;
    while (host && !is_same(&host->to, &bridge->to))
        host = host->next;
    if (host) {
        bridge->host = host;
        bridge->next = host->added;
        host->added = bridge;
        ssh_host_wake(host);
    } else {
        result = host_new(bridges, bridge);
    }
    pthread_mutex_unlock(&bridges->lock);
    return result;
}
