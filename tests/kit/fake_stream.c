/* SPDX-License-Identifier: Apache-2.0 */
/* What clients follow of a container: its logs, its terminal, its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

/* --- attach --- */

#define INPUT_MAX (1u << 20) /* bytes that wait for the start */

static void attached_input(struct fake_connection *connection, const char *data, size_t length)
{
    struct fake_watcher *watcher = connection->owner;
    struct fake_container *container = watcher->container;
    struct fake_life *life = container->life;

    if (!watcher->in || !container->spec->program.echoes || !container->spec->open_stdin)
        return;
    if (fake_is_running(container)) {
        if (length > 0)
            fake_log_write(container, 1, data, length);
        else
            fake_die(container, container->spec->program.exit_code, 0);
    } else if (length == 0) {
        life->input_ended = true;
    } else if (bytes_length(&life->input) + length <= INPUT_MAX) {
        say_bytes(&life->input, data, length);
    }
}

void fake_route_attach(struct fake_connection *connection, struct fake_container *container)
{
    const char *query = connection->request.query;
    struct fake_watcher what = {.kind = FAKE_WATCH_ATTACH,
                                .out = fake_query_true(query, "stdout"),
                                .err = fake_query_true(query, "stderr"),
                                .in = fake_query_true(query, "stdin")};

    if (container->state == FAKE_PAUSED) {
        fake_answer_error(connection, 409, "Container %s is paused, unpause the container before attach",
                          container->id);
        return;
    }
    fake_emit_container(container, "attach", "");
    fake_hijack(connection, false);
    if (!fake_query_true(query, "stream") || container->state == FAKE_EXITED) {
        fake_finish(connection);
        return;
    }
    fake_watcher_add(container, connection, &what);
    connection->on_input = attached_input;
}

/* --- logs --- */

static size_t log_lines(const struct fake_container *container)
{
    size_t count = 0;

    for (const struct fake_log *log = container->life->log; log != NULL; log = log->next)
        count++;
    return count;
}

/* Those that run from the beginning have said what their program says, at their start. */
static void fill_log(struct fake_container *container)
{
    const char *line = container->spec->program.output;

    if (!container->preloaded || fake_life(container)->log != NULL)
        return;
    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n") + 1;

        fake_log_write(container, line[0] - '0', line + 1, length - 1);
        line += length;
    }
    for (struct fake_log *log = container->life->log; log != NULL; log = log->next)
        log->ns = container->started_ns;
}

static void write_log(struct fake_connection *connection, const struct fake_watcher *what,
                      const struct fake_container *container, const struct fake_log *log)
{
    struct bytes text = {0};
    size_t length;
    unsigned char head[8] = {(unsigned char)log->stream};

    if (!container->spec->tty)
        say_bytes(&text, head, sizeof(head));
    if (what->timestamps) {
        struct bytes time = {0};

        say_time(&time, log->ns);
        say_bytes(&text, bytes_at(&time) + 1, bytes_length(&time) - 2);
        say_text(&text, " ");
        bytes_free(&time);
    }
    say_bytes(&text, log->text, log->length);
    length = bytes_length(&text) - sizeof(head);
    for (int i = 0; i < 4 && !container->spec->tty; i++)
        text.data[text.begin + 4 + (size_t)i] = (char)(length >> (24 - 8 * i));
    fake_stream_write(connection, bytes_at(&text), bytes_length(&text));
    bytes_free(&text);
}

void fake_route_logs(struct fake_connection *connection, struct fake_container *container)
{
    const char *query = connection->request.query;
    struct fake_watcher what = {.kind = FAKE_WATCH_LOGS,
                                .out = fake_query_true(query, "stdout"),
                                .err = fake_query_true(query, "stderr"),
                                .timestamps = fake_query_true(query, "timestamps")};
    char *tail = fake_query(query, "tail"), *since = fake_query(query, "since");
    int64_t from = since == NULL ? 0 : (int64_t)(atof(since) * 1e9);
    size_t lines, skip = 0;

    if (!what.out && !what.err) {
        fake_answer_error(connection, 400, "Bad parameters: you must choose at least one stream");
        free(tail);
        free(since);
        return;
    }
    fake_life(container);
    fill_log(container);
    lines = log_lines(container);
    if (tail != NULL && tail[0] >= '0' && tail[0] <= '9' && (size_t)atoll(tail) < lines)
        skip = lines - (size_t)atoll(tail);
    free(tail);
    free(since);
    fake_stream_begin(connection, NULL);
    for (const struct fake_log *log = container->life->log; log != NULL; log = log->next) {
        if (skip > 0)
            skip--;
        else if (log->ns >= from && (log->stream == 1 ? what.out : what.err))
            write_log(connection, &what, container, log);
    }
    if (fake_query_true(query, "follow") && fake_is_running(container))
        fake_watcher_add(container, connection, &what);
    else
        fake_stream_end(connection);
}

/* --- wait --- */

void fake_route_wait(struct fake_connection *connection, struct fake_container *container)
{
    char *condition = fake_query(connection->request.query, "condition"), text[64];
    bool removed = condition != NULL && strcmp(condition, "removed") == 0;
    bool next = condition != NULL && strcmp(condition, "next-exit") == 0;
    struct fake_watcher what = {.kind = removed ? FAKE_WATCH_REMOVED : FAKE_WATCH_NEXT_EXIT};

    fake_stream_begin(connection, "application/json"); /* at once: clients wait for the head before they start it */
    if (fake_is_running(container) || next || removed) {
        fake_watcher_add(container, connection, &what);
    } else {
        int length = snprintf(text, sizeof(text), "{\"Error\":null,\"StatusCode\":%d}\n", container->exit_code);

        fake_stream_write(connection, text, (size_t)length);
        fake_stream_end(connection);
    }
    free(condition);
}
