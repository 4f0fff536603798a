/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: there, running, gone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_engine.h"

/* --- look-up --- */

struct fake_container *fake_find_name(struct fake_engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->container_count; i++) {
        if (strcmp(engine->containers[i]->name, name) == 0)
            return engine->containers[i];
    }
    return NULL;
}

struct fake_container *fake_find(struct fake_engine *engine, const char *reference)
{
    size_t length = strlen(reference);
    struct fake_container *found = NULL;

    for (size_t i = 0; i < engine->container_count && length == 64; i++) {
        if (memcmp(engine->containers[i]->id, reference, 64) == 0)
            return engine->containers[i];
    }
    found = fake_find_name(engine, reference[0] == '/' ? reference + 1 : reference);
    if (found != NULL || length == 0)
        return found;
    for (size_t i = 0; i < engine->container_count; i++) {
        if (strncmp(engine->containers[i]->id, reference, length) == 0) {
            if (found != NULL)
                return NULL;
            found = engine->containers[i];
        }
    }
    return found;
}

struct fake_container *fake_must_find(struct fake_connection *connection, const char *reference)
{
    struct fake_container *container = fake_find(connection->engine, reference);

    if (container == NULL)
        fake_answer_error(connection, 404, "No such container: %s", reference);
    return container;
}

bool fake_is_running(const struct fake_container *container)
{
    return container->state == FAKE_RUNNING || container->state == FAKE_PAUSED;
}

char *const *fake_networks_of(const struct fake_container *container)
{
    return container->life != NULL && container->life->networks != NULL ? container->life->networks
                                                                        : container->spec->networks;
}

/* --- life --- */

struct fake_life *fake_life(struct fake_container *container)
{
    if (container->life == NULL) {
        container->life = fake_alloc(sizeof(*container->life));
        container->life->exit.position = TIMER_IDLE;
        container->life->log_end = &container->life->log;
    }
    return container->life;
}

struct fake_container *fake_container_add(struct fake_engine *engine, struct fake_spec *spec, const char *id,
                                          const char *name)
{
    struct fake_container *container = fake_alloc(sizeof(*container));
    const struct fake_image *image = spec->image_id[0] != '\0' ? NULL : fake_image_find(engine, spec->image);

    if (image != NULL)
        strcpy(spec->image_id, image->id);
    if (engine->container_count == engine->container_room) {
        engine->container_room = engine->container_room * 2 + 8;
        engine->containers = reallocarray(engine->containers, engine->container_room, sizeof(*engine->containers));
        kit_check(engine->containers != NULL);
    }
    engine->containers[engine->container_count++] = container;
    container->engine = engine;
    container->spec = spec;
    container->serial = engine->next_serial++;
    container->name = fake_strdup(name);
    container->created_ns = fake_now(engine);
    strcpy(container->id, id);
    return container;
}

static void life_free(struct fake_container *container)
{
    struct fake_life *life = container->life;

    fake_timer_clear(container->engine->world->loop, &life->exit);
    while (life->log != NULL) {
        struct fake_log *log = life->log;

        life->log = log->next;
        free(log);
    }
    for (size_t i = 0; life->networks != NULL && life->networks[i] != NULL; i++)
        free(life->networks[i]);
    free(life->networks);
    free(life->host_ports);
    bytes_free(&life->input);
    free(life);
}

void fake_container_free(struct fake_container *container)
{
    while (container->life != NULL && container->life->watchers != NULL)
        fake_watcher_cancel(container->life->watchers->connection);
    if (container->life != NULL)
        life_free(container);
    fake_spec_unref(container->spec);
    free(container->name);
    free(container);
}

/* --- ports --- */

/* Who has that port on the engine; NULL: nobody. */
static const struct fake_container *port_owner(const struct fake_engine *engine, int port, const char *ip,
                                               const char *protocol)
{
    for (size_t i = 0; i < engine->container_count; i++) {
        const struct fake_container *other = engine->containers[i];

        for (size_t j = 0; fake_is_running(other) && other->life != NULL && other->life->host_ports != NULL &&
                           j < other->spec->port_count;
             j++) {
            const struct fake_port *have = &other->spec->ports[j];

            if (other->life->host_ports[j] == port && strcmp(strchr(have->port, '/'), protocol) == 0 &&
                (strcmp(have->host_ip, ip) == 0 || strcmp(have->host_ip, "0.0.0.0") == 0 || strcmp(ip, "0.0.0.0") == 0))
                return other;
        }
    }
    return NULL;
}

static int any_port(struct fake_engine *engine, const struct fake_port *port)
{
    do {
        engine->next_port = engine->next_port >= 60999 ? 32768 : engine->next_port + 1;
    } while (port_owner(engine, (int)engine->next_port, port->host_ip, strchr(port->port, '/')) != NULL);
    return (int)engine->next_port;
}

static int take_host_ports(struct fake_container *container, struct fake_connection *connection)
{
    struct fake_spec *spec = container->spec;
    struct fake_life *life;
    char endpoint[FAKE_ID_SIZE];

    if (spec->port_count == 0 || container->preloaded)
        return 0;
    for (size_t i = 0; i < spec->port_count; i++) {
        const struct fake_port *port = &spec->ports[i];

        if (port->host_port > 0 &&
            port_owner(container->engine, port->host_port, port->host_ip, strchr(port->port, '/')) != NULL) {
            fake_new_id(container->engine, endpoint);
            if (connection != NULL)
                fake_answer_error(connection, 500,
                                  "driver failed programming external connectivity on endpoint %s (%s): Bind for %s:%d "
                                  "failed: port is already allocated",
                                  container->name, endpoint, port->host_ip, port->host_port);
            return -1;
        }
    }
    life = fake_life(container);
    free(life->host_ports);
    life->host_ports = fake_alloc(spec->port_count * sizeof(*life->host_ports));
    for (size_t i = 0; i < spec->port_count; i++)
        life->host_ports[i] =
            spec->ports[i].host_port == 0 ? any_port(container->engine, &spec->ports[i]) : spec->ports[i].host_port;
    return 0;
}

/* --- logs --- */

static void frame_write(struct fake_watcher *watcher, int stream, const struct bytes *text)
{
    size_t length = bytes_length(text);
    unsigned char head[8] = {(unsigned char)stream,
                             0,
                             0,
                             0,
                             (unsigned char)(length >> 24),
                             (unsigned char)(length >> 16),
                             (unsigned char)(length >> 8),
                             (unsigned char)length};
    struct bytes frame = {0};

    if (!watcher->container->spec->tty)
        say_bytes(&frame, head, sizeof(head));
    say_bytes(&frame, bytes_at(text), length);
    if (watcher->connection->stage == FAKE_STREAMING)
        fake_stream_write(watcher->connection, bytes_at(&frame), bytes_length(&frame));
    else
        fake_write(watcher->connection, bytes_at(&frame), bytes_length(&frame));
    bytes_free(&frame);
}

static void log_deliver(struct fake_watcher *watcher, const struct fake_log *log)
{
    struct bytes text = {0};

    if ((watcher->kind != FAKE_WATCH_ATTACH && watcher->kind != FAKE_WATCH_LOGS) ||
        !(log->stream == 1 ? watcher->out : watcher->err))
        return;
    if (watcher->timestamps) {
        struct bytes time = {0};

        say_time(&time, log->ns);
        say_bytes(&text, bytes_at(&time) + 1, bytes_length(&time) - 2);
        say_bytes(&text, " ", 1);
        bytes_free(&time);
    }
    say_bytes(&text, log->text, log->length);
    frame_write(watcher, log->stream, &text);
    bytes_free(&text);
}

void fake_log_write(struct fake_container *container, int stream, const char *text, size_t length)
{
    struct fake_life *life = fake_life(container);
    struct fake_log *log = fake_alloc(sizeof(*log) + length + 1);

    log->ns = fake_now(container->engine);
    log->stream = stream;
    log->length = length;
    memcpy(log->text, text, length);
    *life->log_end = log;
    life->log_end = &log->next;
    for (struct fake_watcher *watcher = life->watchers; watcher != NULL; watcher = watcher->next)
        log_deliver(watcher, log);
}

/* --- watchers --- */

void fake_watcher_cancel(struct fake_connection *connection)
{
    struct fake_watcher *watcher = connection->owner, **at;

    connection->on_close = NULL;
    connection->on_input = NULL;
    connection->owner = NULL;
    for (at = &watcher->container->life->watchers; *at != watcher; at = &(*at)->next)
        ;
    *at = watcher->next;
    free(watcher);
}

void fake_watcher_add(struct fake_container *container, struct fake_connection *connection,
                      const struct fake_watcher *what)
{
    struct fake_life *life = fake_life(container);
    struct fake_watcher *watcher = fake_alloc(sizeof(*watcher));

    *watcher = *what;
    watcher->container = container;
    watcher->connection = connection;
    watcher->next = life->watchers;
    life->watchers = watcher;
    connection->owner = watcher;
    connection->on_close = fake_watcher_cancel;
}

static void answer_wait(struct fake_connection *connection, int exit_code)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "{\"Error\":null,\"StatusCode\":%d}\n", exit_code);

    fake_stream_write(connection, text, (size_t)length);
    fake_stream_end(connection);
}

/* It has ended, or is gone: tell who waits for that. */
static void watchers_tell(struct fake_container *container, bool removed)
{
    struct fake_watcher *watcher = container->life == NULL ? NULL : container->life->watchers, *next;

    for (; watcher != NULL; watcher = next) {
        struct fake_connection *connection = watcher->connection;
        enum fake_watch kind = watcher->kind;

        next = watcher->next;
        if (kind == FAKE_WATCH_REMOVED && !removed)
            continue;
        fake_watcher_cancel(connection);
        if (kind == FAKE_WATCH_ATTACH)
            fake_finish(connection);
        else if (kind == FAKE_WATCH_LOGS)
            fake_stream_end(connection);
        else
            answer_wait(connection, container->exit_code);
    }
}

/* --- running --- */

static void exits(void *data)
{
    struct fake_container *container = data;

    fake_die(container, container->spec->program.exit_code, 0);
}

static void run(struct fake_container *container)
{
    const struct fake_program *program = &container->spec->program;
    const char *line = program->output;
    struct fake_life *life = container->life;
    bool reads = program->echoes && container->spec->open_stdin && !(life != NULL && life->input_ended);

    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n") + 1;

        fake_log_write(container, line[0] - '0', line + 1, length - 1);
        line += length;
    }
    if (program->echoes && life != NULL && bytes_length(&life->input) > 0) {
        fake_log_write(container, 1, bytes_at(&life->input), bytes_length(&life->input));
        bytes_free(&life->input);
    }
    if (program->duration_ms >= 0 && !reads)
        fake_timer_set(container->engine->world->loop, &fake_life(container)->exit, program->duration_ms, exits,
                       container);
}

int fake_start(struct fake_container *container, struct fake_connection *connection)
{
    if (take_host_ports(container, connection) != 0)
        return -1;
    for (size_t i = 0; fake_networks_of(container)[i] != NULL; i++)
        fake_emit_network(container, fake_networks_of(container)[i], "connect");
    container->state = FAKE_RUNNING;
    container->started_ns = fake_now(container->engine);
    container->exit_code = 0;
    fake_emit_container(container, "start", "");
    run(container);
    return 0;
}

void fake_die(struct fake_container *container, int exit_code, int signal)
{
    char extra[64];

    if (!fake_is_running(container))
        return;
    if (container->life != NULL)
        fake_timer_clear(container->engine->world->loop, &container->life->exit);
    if (signal != 0) {
        snprintf(extra, sizeof(extra), "\"signal\":\"%d\",", signal);
        fake_emit_container(container, "kill", extra);
    }
    container->state = FAKE_EXITED;
    container->exit_code = exit_code;
    container->finished_ns = fake_now(container->engine);
    snprintf(extra, sizeof(extra), "\"exitCode\":\"%d\",", exit_code);
    fake_emit_container(container, "die", extra);
    for (size_t i = 0; fake_networks_of(container)[i] != NULL; i++)
        fake_emit_network(container, fake_networks_of(container)[i], "disconnect");
    watchers_tell(container, false);
    if (container->spec->auto_remove)
        fake_remove(container);
}

void fake_remove(struct fake_container *container)
{
    struct fake_engine *engine = container->engine;
    size_t at = 0;

    while (engine->containers[at] != container)
        at++;
    memmove(&engine->containers[at], &engine->containers[at + 1],
            (--engine->container_count - at) * sizeof(*engine->containers));
    fake_emit_container(container, "destroy", "");
    watchers_tell(container, true);
    fake_container_free(container);
}
