/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_bridge.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"
#include "ssh_address.h"
#include "ssh_process.h"
#include "text.h"

enum {
    SESSIONS_MAX = 256,      /* of one engine */
    BACKLOG = 4096,          /* of connections that are not taken yet; the kernel's limit is lower */
    STACK_SIZE = 128 * 1024, /* of a bridge's thread */
    LOOK_MS = 25,            /* between looks at a connection that is being made */
    CONNECT_MS = 20000,      /* for ssh to make it: above its own ConnectTimeout, which says more */
    END_MS = 2000,           /* for a session to end whose user has gone */
    TROUBLE_MS = 10000,      /* for which the words about a failure stand */
    FDS_FIXED = 4,
    FDS_A_SESSION = 3,
};

struct ssh_bridges {
    const char *const *options;
    pthread_mutex_t lock; /* of what is below */
    pthread_cond_t changed;
    char *directory; /* NULL before the first bridge */
    size_t running;  /* threads */
    unsigned next;   /* names of sockets */
};

struct session {
    int client; /* the connection to our socket */
    struct ssh_process process;
    bool abandoned; /* nobody waits for it any more */
    int64_t end_ms; /* abandoned: when it is cut */
};

enum master { MASTER_NONE, MASTER_CONNECTING, MASTER_READY };

struct ssh_bridge {
    struct ssh_bridges *bridges;
    char *address;
    struct ssh_address to;
    char socket[108], control[108];
    int listen_fd, stop_fd;

    pthread_mutex_t lock; /* of what is below */
    enum ssh_trouble trouble;
    char words[256];
    int64_t trouble_ms;
    bool told; /* these words, in the log */

    /* the thread's own */
    enum master master;
    struct ssh_process master_process;
    int64_t master_ms; /* since when it connects */
    struct session *sessions[SESSIONS_MAX];
    size_t count;
};

struct ssh_bridges *ssh_bridges_new(const char *const *options)
{
    struct ssh_bridges *bridges = calloc(1, sizeof *bridges);
    if (!bridges)
        return NULL;
    bridges->options = options;
    pthread_mutex_init(&bridges->lock, NULL);
    pthread_cond_init(&bridges->changed, NULL);
    return bridges;
}

void ssh_bridges_free(struct ssh_bridges *bridges)
{
    if (!bridges)
        return;
    pthread_mutex_lock(&bridges->lock);
    while (bridges->running > 0)
        pthread_cond_wait(&bridges->changed, &bridges->lock);
    pthread_mutex_unlock(&bridges->lock);
    if (bridges->directory)
        rmdir(bridges->directory);
    free(bridges->directory);
    pthread_cond_destroy(&bridges->changed);
    pthread_mutex_destroy(&bridges->lock);
    free(bridges);
}

/* --- the commands --- */

struct arguments {
    const char **items;
    size_t count, capacity;
    bool failed;
};

static void add(struct arguments *arguments, const char *item)
{
    if (arguments->count + 1 >= arguments->capacity) {
        size_t capacity = arguments->capacity * 2 + 32;
        const char **longer = reallocarray(arguments->items, capacity, sizeof *longer);
        if (!longer) {
            arguments->failed = true;
            return;
        }
        arguments->items = longer;
        arguments->capacity = capacity;
    }
    arguments->items[arguments->count++] = item;
    arguments->items[arguments->count] = NULL;
}

static void add_option(struct arguments *arguments, const char *value)
{
    add(arguments, "-o");
    add(arguments, value);
}

/* ssh takes the first value of an option: what the bridge is made of comes before the user's options, what is only a
 * better default than ssh's own after them. */
static void add_options(struct arguments *arguments, const struct ssh_bridge *bridge, const char *control)
{
    static const char *const fixed[] = {"BatchMode=yes",      "ControlPersist=no",     "RequestTTY=no",
                                        "RemoteCommand=none", "PermitLocalCommand=no", "ClearAllForwardings=yes",
                                        "ForwardAgent=no",    "ForwardX11=no"};
    static const char *const defaults[] = {"ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        add_option(arguments, fixed[i]);
    add_option(arguments, control);
    for (size_t i = 0; bridge->bridges->options && bridge->bridges->options[i]; i++)
        add_option(arguments, bridge->bridges->options[i]);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        add_option(arguments, defaults[i]);
    if (*bridge->to.user) {
        add(arguments, "-l");
        add(arguments, bridge->to.user);
    }
    if (*bridge->to.port) {
        add(arguments, "-p");
        add(arguments, bridge->to.port);
    }
}

/* 0, or a negative errno. */
static int start_ssh(struct ssh_process *process, const struct ssh_bridge *bridge, int client)
{
    struct arguments arguments = {0};
    char control[sizeof bridge->control + 16], host[sizeof bridge->to.path + 8];
    int result = -ENOMEM;
    snprintf(control, sizeof control, "ControlPath=%s", bridge->control);
    snprintf(host, sizeof host, "unix://%s", bridge->to.path);
    add(&arguments, "ssh");
    add_option(&arguments, client < 0 ? "ControlMaster=yes" : "ControlMaster=no");
    add_options(&arguments, bridge, control);
    if (client < 0)
        add(&arguments, "-N");
    add(&arguments, "--");
    add(&arguments, bridge->to.host);
    if (client >= 0) {
        add(&arguments, "docker");
        if (*bridge->to.path) {
            add(&arguments, "--host");
            add(&arguments, host);
        }
        add(&arguments, "system");
        add(&arguments, "dial-stdio");
    }
    if (!arguments.failed) {
        union {
            const char **from;
            char *const *to; /* execvp() takes them so, and changes none */
        } argv = {arguments.items};
        result = ssh_process_start(process, argv.to, client);
    }
    free(arguments.items);
    return result;
}

/* --- what went wrong --- */

static void note(struct ssh_bridge *bridge, enum ssh_trouble trouble, const char *words)
{
    pthread_mutex_lock(&bridge->lock);
    bool news = !bridge->told || strcmp(bridge->words, words) != 0;
    bridge->told = true;
    bridge->trouble = trouble;
    bridge->trouble_ms = deadline_now_ms();
    snprintf(bridge->words, sizeof bridge->words, "%s", words);
    pthread_mutex_unlock(&bridge->lock);
    if (news)
        log_warn_with(LOG_FIELDS({"addr", bridge->address}), "The connection through ssh failed: %s", words);
}

enum ssh_trouble ssh_bridge_trouble(struct ssh_bridge *bridge, char *words, size_t size)
{
    enum ssh_trouble trouble = SSH_NO_TROUBLE;
    pthread_mutex_lock(&bridge->lock);
    if (bridge->trouble != SSH_NO_TROUBLE && deadline_now_ms() - bridge->trouble_ms < TROUBLE_MS) {
        trouble = bridge->trouble;
        snprintf(words, size, "%s", bridge->words);
    }
    pthread_mutex_unlock(&bridge->lock);
    return trouble;
}

/* What ssh itself says ends with status 255; else it is the status of the command at the far end. */
static void note_end(struct ssh_bridge *bridge, const struct ssh_process *process, int status)
{
    char words[sizeof bridge->words], others[sizeof bridge->words];
    ssh_process_words(process, words, sizeof words);
    /* The ends of sessions whose connection ended are not worth a word: that has said why. */
    if (*words == '\0' && ssh_bridge_trouble(bridge, others, sizeof others) != SSH_NO_TROUBLE)
        return;
    bool down = status == 1 &&
                (strstr(words, "connect: connection refused") || strstr(words, "connect: no such file or directory"));
    if (*words == '\0')
        snprintf(words, sizeof words, "ssh ended with status %d and said nothing", status);
    note(bridge, down ? SSH_ENGINE_DOWN : SSH_TROUBLE, words);
}

static void note_errno(struct ssh_bridge *bridge, int error)
{
    char *why = text_errno(error), words[sizeof bridge->words];
    snprintf(words, sizeof words, "ssh cannot be run: %s", why ? why : "out of memory");
    free(why);
    note(bridge, SSH_TROUBLE, words);
}

/* --- the connection to the host --- */

static void master_start(struct ssh_bridge *bridge)
{
    unlink(bridge->control);
    int result = start_ssh(&bridge->master_process, bridge, -1);
    if (result < 0) {
        note_errno(bridge, -result);
        return;
    }
    bridge->master = MASTER_CONNECTING;
    bridge->master_ms = deadline_now_ms();
}

/* Look how it does. The control socket is there once it takes sessions. */
static void master_look(struct ssh_bridge *bridge)
{
    int status;
    if (bridge->master == MASTER_NONE)
        return;
    if (ssh_process_ended(&bridge->master_process, &status)) {
        bridge->master = MASTER_NONE;
        note_end(bridge, &bridge->master_process, status);
        return;
    }
    if (bridge->master == MASTER_READY)
        return;
    if (access(bridge->control, F_OK) == 0) {
        bridge->master = MASTER_READY;
        pthread_mutex_lock(&bridge->lock);
        bridge->told = false;
        pthread_mutex_unlock(&bridge->lock);
        log_info_with(LOG_FIELDS({"addr", bridge->address}), "Connected through ssh");
    } else if (deadline_now_ms() - bridge->master_ms >= CONNECT_MS) {
        ssh_process_kill(&bridge->master_process);
        bridge->master = MASTER_NONE;
        note(bridge, SSH_TROUBLE, "ssh has neither connected nor given up");
    }
}

/* --- connections of ours --- */

static void session_drop(struct ssh_bridge *bridge, size_t index)
{
    struct session *session = bridge->sessions[index];
    ssh_process_kill(&session->process);
    close(session->client);
    free(session);
    bridge->sessions[index] = bridge->sessions[--bridge->count];
}

/* True where it is over. */
static bool session_look(struct ssh_bridge *bridge, struct session *session, bool client_gone)
{
    int status, result;
    if (session->process.pid == 0) {
        if (client_gone || bridge->master == MASTER_NONE)
            return true;
        if (bridge->master == MASTER_CONNECTING)
            return false;
        result = start_ssh(&session->process, bridge, session->client);
        if (result < 0)
            note_errno(bridge, -result);
        return result < 0;
    }
    /* The client's end of file comes only with this one's: what is noted here is there when it asks. */
    if (ssh_process_ended(&session->process, &status)) {
        if (status != 0 && !session->abandoned)
            note_end(bridge, &session->process, status);
        return true;
    }
    if (client_gone && !session->abandoned) {
        session->abandoned = true;
        session->end_ms = deadline_now_ms() + END_MS;
    }
    return session->abandoned && deadline_now_ms() >= session->end_ms;
}

static void session_new(struct ssh_bridge *bridge, int client)
{
    struct session *session = bridge->count == SESSIONS_MAX ? NULL : calloc(1, sizeof *session);
    if (!session) {
        char words[sizeof bridge->words];
        snprintf(words, sizeof words, "all of %d connections to this engine are in use", SESSIONS_MAX);
        note(bridge, SSH_TROUBLE, bridge->count == SESSIONS_MAX ? words : "out of memory");
        close(client);
        return;
    }
    session->client = client;
    session->process.pid_fd = session->process.words_fd = -1;
    bridge->sessions[bridge->count++] = session;
    if (bridge->master == MASTER_NONE)
        master_start(bridge);
}

/* --- the thread --- */

static size_t watch(const struct ssh_bridge *bridge, struct pollfd *fds)
{
    bool master = bridge->master != MASTER_NONE;
    size_t count = FDS_FIXED;
    fds[0] = (struct pollfd){.fd = bridge->stop_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = bridge->listen_fd, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = master ? bridge->master_process.pid_fd : -1, .events = POLLIN};
    fds[3] = (struct pollfd){.fd = master ? bridge->master_process.words_fd : -1, .events = POLLIN};
    for (size_t i = 0; i < bridge->count; i++) {
        const struct session *session = bridge->sessions[i];
        fds[count++] = (struct pollfd){.fd = session->abandoned ? -1 : session->client};
        fds[count++] = (struct pollfd){.fd = session->process.pid_fd, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = session->process.words_fd, .events = POLLIN};
    }
    return count;
}

static int wait_ms(const struct ssh_bridge *bridge)
{
    int64_t now_ms = deadline_now_ms(), wait = bridge->master == MASTER_CONNECTING ? LOOK_MS : INT32_MAX;
    for (size_t i = 0; i < bridge->count; i++) {
        const struct session *session = bridge->sessions[i];
        if (session->process.pid == 0 && bridge->master != MASTER_CONNECTING)
            wait = 0;
        if (session->abandoned && session->end_ms - now_ms < wait)
            wait = session->end_ms - now_ms;
    }
    return wait == INT32_MAX ? -1 : wait < 0 ? 0 : (int)wait;
}

static void bridge_free(struct ssh_bridge *bridge)
{
    if (bridge->listen_fd >= 0) {
        close(bridge->listen_fd);
        unlink(bridge->socket);
    }
    if (bridge->stop_fd >= 0)
        close(bridge->stop_fd);
    pthread_mutex_destroy(&bridge->lock);
    free(bridge->address);
    free(bridge);
}

static void *run(void *data)
{
    struct ssh_bridge *bridge = data;
    struct ssh_bridges *bridges = bridge->bridges;
    struct pollfd fds[FDS_FIXED + FDS_A_SESSION * SESSIONS_MAX];
    for (;;) {
        size_t count = watch(bridge, fds);
        if (poll(fds, count, wait_ms(bridge)) < 0)
            continue;
        if (fds[0].revents)
            break;
        master_look(bridge);
        for (size_t i = bridge->count; i-- > 0;) { /* from the last on: the place of one that is over is taken by it */
            if (session_look(bridge, bridge->sessions[i], fds[FDS_FIXED + FDS_A_SESSION * i].revents != 0))
                session_drop(bridge, i);
        }
        int client;
        while (fds[1].revents && (client = accept4(bridge->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            session_new(bridge, client);
    }
    while (bridge->count > 0)
        session_drop(bridge, bridge->count - 1);
    ssh_process_kill(&bridge->master_process);
    unlink(bridge->control);
    bridge_free(bridge);
    pthread_mutex_lock(&bridges->lock);
    bridges->running--;
    pthread_cond_signal(&bridges->changed);
    pthread_mutex_unlock(&bridges->lock);
    return NULL;
}

/* --- opening and closing --- */

/* A directory of ours in the first of the usual places that takes it. With the lock. */
static int make_directory(struct ssh_bridges *bridges, char **reterr)
{
    const char *const places[] = {getenv("RUNTIME_DIRECTORY"), getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof *places && !bridges->directory; i++) {
        /* ssh would read more than a path in some, and a socket's may not be long. */
        if (!places[i] || *places[i] != '/' || strpbrk(places[i], " \t\"'%$~:\\") || strlen(places[i]) > 60)
            continue;
        bridges->directory = text_format("%s/swarm-ssh.XXXXXX", places[i]);
        if (bridges->directory && !mkdtemp(bridges->directory)) {
            free(bridges->directory);
            bridges->directory = NULL;
        }
    }
    if (bridges->directory)
        return 0;
    *reterr = text_format("no directory for the sockets of ssh could be made in /tmp: %s", strerror(errno));
    return -1;
}

static int listen_at(struct ssh_bridge *bridge, char **reterr)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memcpy(name.sun_path, bridge->socket, sizeof name.sun_path);
    bridge->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bridge->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (bridge->listen_fd >= 0 && bridge->stop_fd >= 0 &&
        bind(bridge->listen_fd, (const struct sockaddr *)&name, sizeof name) == 0 &&
        listen(bridge->listen_fd, BACKLOG) == 0)
        return 0;
    *reterr = text_format("socket %s: %s", bridge->socket, strerror(errno));
    return -1;
}

static int start_thread(struct ssh_bridge *bridge)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_mutex_lock(&bridge->bridges->lock);
    bridge->bridges->running++;
    int result = pthread_create(&thread, &attributes, run, bridge);
    if (result != 0)
        bridge->bridges->running--;
    pthread_mutex_unlock(&bridge->bridges->lock);
    pthread_attr_destroy(&attributes);
    return result;
}

int ssh_bridge_open(struct ssh_bridge **ret, struct ssh_bridges *bridges, const char *address, char **reterr)
{
    struct ssh_bridge *bridge = calloc(1, sizeof *bridge);
    const char *wrong = bridge ? ssh_address_parse(&bridge->to, address) : NULL;
    if (!bridge || wrong) {
        *reterr = bridge ? text_format("address %s: %s", address, wrong) : NULL;
        free(bridge);
        return -1;
    }
    bridge->bridges = bridges;
    bridge->listen_fd = bridge->stop_fd = -1;
    bridge->master_process.pid_fd = bridge->master_process.words_fd = -1;
    pthread_mutex_init(&bridge->lock, NULL);
    bridge->address = strdup(address);
    pthread_mutex_lock(&bridges->lock);
    int result = bridges->directory ? 0 : make_directory(bridges, reterr);
    unsigned number = bridges->next++;
    pthread_mutex_unlock(&bridges->lock);
    if (result == 0) {
        snprintf(bridge->socket, sizeof bridge->socket, "%s/%u.sock", bridges->directory, number);
        snprintf(bridge->control, sizeof bridge->control, "%s/%u.ssh", bridges->directory, number);
        result = listen_at(bridge, reterr);
    }
    if (result == 0 && (!bridge->address || start_thread(bridge) != 0)) {
        *reterr = text_format("no memory or no thread for ssh");
        result = -1;
    }
    if (result == 0)
        *ret = bridge;
    else
        bridge_free(bridge);
    return result;
}

void ssh_bridge_close(struct ssh_bridge *bridge)
{
    uint64_t one = 1;
    if (bridge && write(bridge->stop_fd, &one, sizeof one) < 0)
        log_error("the bridge to %s cannot be told to end", bridge->address);
}

const char *ssh_bridge_socket(const struct ssh_bridge *bridge)
{
    return bridge->socket;
}
