/* SPDX-License-Identifier: Apache-2.0 */
/* The API from end to end: what a client sends on one connection, and what two engines answer to whatever they are
 * asked because of it. The manager stands, nothing leaks, what goes to the client is HTTP, and every request of the
 * engines' answers has come back to an end.
 *
 * Input: the client's bytes, then the engines' answers in the order in which they are asked, each behind a NUL: raw
 * where it begins with "HTTP/", else the body of a 200. Beyond the last one all is answered with 404. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decisions.h"
#include "events.h"
#include "exec_table.h"
#include "fuzz.h"
#include "gateway_world.h"
#include "http_client.h"
#include "http_internal.h"
#include "log.h"
#include "pins.h"
#include "pool.h"
#include "routes.h"
#include "traits.h"

#define ENGINES 2
#define QUIET_MS 40           /* a client that is told nothing for so long leaves */
#define INPUT_MAX (48 * 1024) /* fits into a socket's buffer */

int LLVMFuzzerInitialize(int *argc, char ***argv);

static const char not_found[] = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 27\r\n"
                                "Connection: close\r\n\r\n{\"message\":\"no such thing\"}";

static struct swarm_scheduler *scheduler;
static struct http_server *server;
static struct manager manager;
static char addresses[ENGINES][32];

/* --- the engines --- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t idle;
    int busy;             /* threads that answer */
    const char *at, *end; /* of the answers that are left */
} answers = {.lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};

/* The next answer's bytes, new. */
static char *next_answer(size_t *ret_length)
{
    char *text = NULL;

    pthread_mutex_lock(&answers.lock);
    if (answers.at < answers.end) {
        size_t length = strlen(answers.at);

        if (strncmp(answers.at, "HTTP/", 5) == 0)
            text = fuzz_text(answers.at, length);
        else
            check(asprintf(&text,
                           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                           "Connection: close\r\n\r\n%s",
                           length, answers.at) > 0);
        answers.at += length + 1;
    }
    pthread_mutex_unlock(&answers.lock);
    if (text == NULL)
        check((text = strdup(not_found)) != NULL);
    *ret_length = strlen(text);
    return text;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    return poll(&wait, 1, timeout_ms) > 0;
}

/* Until the head has come; false where it does not. */
static bool read_head(int fd)
{
    char head[16384];
    size_t length = 0;

    while (length < sizeof(head) - 1 && readable(fd, 1000)) {
        ssize_t got = read(fd, head + length, sizeof(head) - 1 - length);

        if (got <= 0)
            return false;
        length += (size_t)got;
        head[length] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL)
            return true;
    }
    return false;
}

static void *answer_one(void *data)
{
    int fd = *(int *)data;
    char rest[4096], *text;
    size_t length;

    free(data);
    if (read_head(fd)) {
        text = next_answer(&length);
        (void)!send(fd, text, length, MSG_NOSIGNAL);
        free(text);
        shutdown(fd, SHUT_WR);
        while (readable(fd, QUIET_MS) && read(fd, rest, sizeof(rest)) > 0)
            continue;
    }
    close(fd);
    pthread_mutex_lock(&answers.lock);
    if (--answers.busy == 0)
        pthread_cond_signal(&answers.idle);
    pthread_mutex_unlock(&answers.lock);
    return NULL;
}

static void *run_engine(void *data)
{
    int listener = *(int *)data;
    pthread_t thread;

    for (;;) {
        int *own = malloc(sizeof(*own)), fd;

        while ((fd = accept(listener, NULL, NULL)) < 0)
            continue; /* a signal, or a client that has left */

        check(own != NULL);
        *own = fd;
        pthread_mutex_lock(&answers.lock);
        answers.busy++;
        pthread_mutex_unlock(&answers.lock);
        check(pthread_create(&thread, NULL, answer_one, own) == 0 && pthread_detach(thread) == 0);
    }
    return NULL;
}

static void start_engine(int number)
{
    static int listeners[ENGINES];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    pthread_t thread;

    listeners[number] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(listeners[number], (struct sockaddr *)&address, size) == 0 && listen(listeners[number], 128) == 0);
    check(getsockname(listeners[number], (struct sockaddr *)&address, &size) == 0);
    snprintf(addresses[number], sizeof(addresses[number]), "127.0.0.1:%d", ntohs(address.sin_port));
    check(pthread_create(&thread, NULL, run_engine, &listeners[number]) == 0);
}

/* --- the client --- */

struct client {
    int fd;
    size_t told;
    char start[16];
};

/* Reads until the manager is done, or says no more. */
static void *run_client(void *data)
{
    struct client *client = data;
    char buffer[65536];
    ssize_t got;

    while (readable(client->fd, QUIET_MS * 4) && (got = read(client->fd, buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < got && client->told + (size_t)i < sizeof(client->start) - 1; i++)
            client->start[client->told + (size_t)i] = buffer[i];
        client->told += (size_t)got;
    }
    close(client->fd);
    return NULL;
}

static void serve(const char *bytes, size_t length)
{
    struct http_connection connection = {.server = server};
    struct client client = {0};
    pthread_t thread;
    int pair[2];

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    check(send(pair[1], bytes, length, MSG_NOSIGNAL) == (ssize_t)length && shutdown(pair[1], SHUT_WR) == 0);
    client.fd = pair[1];
    check((connection.stream = stream_wrap(pair[0])) != NULL);
    check(pthread_create(&thread, NULL, run_client, &client) == 0);
    http_connection_serve(&connection);
    stream_close(connection.stream);
    bytes_free(&connection.in);
    pthread_join(thread, NULL);
    check(client.told < 9 || strncmp(client.start, "HTTP/1.1 ", 9) == 0 || strncmp(bytes, "PRI", 3) == 0);
}

/* --- one run --- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct http_server_options server_options = {
        .handler = routes_handle, .data = &manager, .http2 = true, .head_timeout_ms = 2000, .body_timeout_ms = 2000};
    char *error = NULL;

    log_init(stderr, LOG_LEVEL_FATAL);
    check(http_client_global_init() == 0);
    check(swarm_scheduler_new(&scheduler, &options, NULL) == 0);
    check(http_server_new(&server, &server_options, &error) == 0);
    for (int i = 0; i < ENGINES; i++)
        start_engine(i);
    return 0;
}

static void set_up(void)
{
    static char id[] = "the-cluster";

    memset(&manager, 0, sizeof(manager));
    manager.id = id;
    manager.scheduler = scheduler;
    manager.options.detection.silence_ms = 2000;
    check(pool_new(&manager.pool, &manager) == 0 && event_hub_new(&manager.events) == 0);
    check(traits_cache_new(&manager.traits) == 0 && exec_table_new(&manager.execs) == 0);
    check(decisions_new(&manager.decisions) == 0 && pin_table_new(&manager.pins) == 0);
    for (int i = 0; i < ENGINES; i++)
        gateway_add_engine(&manager, addresses[i], i);
}

static void tear_down(void)
{
    pin_table_free(manager.pins);
    exec_table_free(manager.execs);
    decisions_free(manager.decisions);
    traits_cache_free(manager.traits);
    event_hub_free(manager.events);
    pool_free(manager.pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;
    size_t length;

    if (size == 0 || size > INPUT_MAX)
        return -1;
    text = fuzz_text(data, size);
    length = strlen(text);
    pthread_mutex_lock(&answers.lock);
    answers.at = length < size ? text + length + 1 : text + size;
    answers.end = text + size;
    pthread_mutex_unlock(&answers.lock);
    set_up();
    serve(text, length);
    tear_down();
    pthread_mutex_lock(&answers.lock);
    answers.at = answers.end = NULL;
    while (answers.busy > 0) /* what it holds must not look leaked */
        pthread_cond_wait(&answers.idle, &answers.lock);
    pthread_mutex_unlock(&answers.lock);
    free(text);
    return 0;
}
