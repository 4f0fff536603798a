/* SPDX-License-Identifier: Apache-2.0 */
/* Commands in running containers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

static bool is(const struct fake_exec *exec, const char *key)
{
    return json_is_true(json_object_get(exec->body, key));
}

static void emit(struct fake_exec *exec, const char *what, bool with_command, const char *extra)
{
    struct fake_container *container = fake_find(exec->engine, exec->container);
    struct bytes action = {0};
    char attributes[160];
    json_t *words = json_object_get(exec->body, "Cmd"), *word;
    size_t i;

    if (container == NULL)
        return;
    say(&action, "%s%s", what, with_command ? ":" : "");
    json_array_foreach (words, i, word) {
        const char *text = json_string_value(word);

        if (with_command && text != NULL && strpbrk(text, "\"\\\n") == NULL)
            say(&action, " %s", text);
    }
    say_bytes(&action, "", 1);
    snprintf(attributes, sizeof(attributes), "\"execID\":\"%s\",%s", exec->id, extra);
    fake_emit_container(container, bytes_at(&action), attributes);
    bytes_free(&action);
}

static void exec_free(struct fake_exec *exec)
{
    fake_timer_clear(exec->engine->world->loop, &exec->exit);
    if (exec->connection != NULL) {
        exec->connection->on_close = NULL;
        exec->connection->on_input = NULL;
    }
    json_decref(exec->body);
    fake_program_clear(&exec->program);
    free(exec);
}

void fake_execs_free(struct fake_engine *engine)
{
    while (engine->execs != NULL) {
        struct fake_exec *exec = engine->execs;

        engine->execs = exec->next;
        exec_free(exec);
    }
}

/* --- create --- */

static void take_program(struct fake_exec *exec)
{
    const char *words[64];
    json_t *all = json_object_get(exec->body, "Cmd"), *word;
    size_t i, count = 0;

    json_array_foreach (all, i, word) {
        if (json_is_string(word) && count < 64)
            words[count++] = json_string_value(word);
    }
    fake_program_parse(&exec->program, words, count, 0);
}

void fake_exec_create(struct fake_connection *connection, struct fake_container *container)
{
    struct fake_engine *engine = connection->engine;
    json_t *body = json_loads(bytes_at(&connection->request.body), 0, NULL);
    struct fake_exec *exec;
    struct bytes answer = {0};

    if (json_array_size(json_object_get(body, "Cmd")) == 0) {
        fake_answer_error(connection, 400, "No exec command specified");
    } else if (!fake_is_running(container)) {
        fake_answer_error(connection, 409, "Container %s is not running", container->id);
    } else if (container->state == FAKE_PAUSED) {
        fake_answer_error(connection, 409, "Container %s is paused, unpause the container before exec", container->id);
    } else {
        exec = fake_alloc(sizeof(*exec));
        exec->engine = engine;
        exec->body = json_incref(body);
        exec->exit.position = TIMER_IDLE;
        strcpy(exec->container, container->id);
        fake_new_id(engine, exec->id);
        take_program(exec);
        exec->next = engine->execs;
        engine->execs = exec;
        emit(exec, "exec_create", true, "");
        say(&answer, "{\"Id\":\"%s\"}\n", exec->id);
        fake_answer_json(connection, 201, &answer);
        bytes_free(&answer);
    }
    json_decref(body);
}

/* --- start --- */

static void send_output(struct fake_exec *exec, int stream, const char *text, size_t length)
{
    unsigned char head[8] = {(unsigned char)stream,
                             0,
                             0,
                             0,
                             (unsigned char)(length >> 24),
                             (unsigned char)(length >> 16),
                             (unsigned char)(length >> 8),
                             (unsigned char)length};

    if (exec->connection == NULL || !is(exec, stream == 1 ? "AttachStdout" : "AttachStderr"))
        return;
    if (!is(exec, "Tty"))
        fake_write(exec->connection, head, sizeof(head));
    fake_write(exec->connection, text, length);
}

static void exec_ends(void *data)
{
    struct fake_exec *exec = data;
    char extra[32];

    exec->running = false;
    exec->exit_code = exec->program.exit_code;
    snprintf(extra, sizeof(extra), "\"exitCode\":\"%d\",", exec->exit_code);
    emit(exec, "exec_die", false, extra);
    if (exec->connection != NULL) {
        exec->connection->on_close = NULL;
        exec->connection->on_input = NULL;
        fake_finish(exec->connection);
        exec->connection = NULL;
    }
}

static void exec_input(struct fake_connection *connection, const char *data, size_t length)
{
    struct fake_exec *exec = connection->owner;

    if (!exec->program.echoes)
        return;
    if (length > 0)
        send_output(exec, 1, data, length);
    else
        exec_ends(exec);
}

static void exec_closed(struct fake_connection *connection)
{
    struct fake_exec *exec = connection->owner;

    exec->connection = NULL;
    if (exec->program.echoes && exec->running)
        exec_ends(exec);
}

static void exec_start(struct fake_connection *connection, struct fake_exec *exec)
{
    json_t *body = json_loads(bytes_at(&connection->request.body), 0, NULL);
    bool detach = json_is_true(json_object_get(body, "Detach"));
    const char *line = exec->program.output;

    json_decref(body);
    exec->started = exec->running = true;
    emit(exec, "exec_start", true, "");
    if (detach) {
        fake_answer(connection, 200, NULL, NULL, 0);
    } else {
        fake_hijack(connection, true);
        exec->connection = connection;
        connection->owner = exec;
        connection->on_input = exec_input;
        connection->on_close = exec_closed;
    }
    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n") + 1;

        send_output(exec, line[0] - '0', line + 1, length - 1);
        line += length;
    }
    if (exec->program.duration_ms >= 0 && !(exec->program.echoes && is(exec, "AttachStdin") && !detach))
        fake_timer_set(exec->engine->world->loop, &exec->exit, exec->program.duration_ms, exec_ends, exec);
}

/* --- routes --- */

static void exec_inspect(struct fake_connection *connection, const struct fake_exec *exec)
{
    json_t *words = json_object_get(exec->body, "Cmd"), *arguments = json_array();
    struct bytes body = {0};
    const char *entry = json_string_value(json_array_get(words, 0));

    for (size_t i = 1; i < json_array_size(words); i++)
        json_array_append(arguments, json_array_get(words, i));
    say(&body, "{\"ID\":\"%s\",\"Running\":%s,\"ExitCode\":", exec->id, exec->running ? "true" : "false");
    if (exec->started && !exec->running)
        say(&body, "%d", exec->exit_code);
    else
        say_text(&body, "null");
    say(&body, ",\"ProcessConfig\":{\"tty\":%s,\"entrypoint\":", is(exec, "Tty") ? "true" : "false");
    say_json(&body, entry == NULL ? "" : entry);
    say_text(&body, ",\"arguments\":");
    say_value(&body, arguments);
    say(&body,
        ",\"privileged\":%s},\"OpenStdin\":%s,\"OpenStderr\":%s,\"OpenStdout\":%s,\"CanRemove\":false,"
        "\"ContainerID\":\"%s\",\"DetachKeys\":\"\",\"Pid\":%d}\n",
        is(exec, "Privileged") ? "true" : "false", is(exec, "AttachStdin") ? "true" : "false",
        is(exec, "AttachStderr") ? "true" : "false", is(exec, "AttachStdout") ? "true" : "false", exec->container,
        exec->started ? 4242 : 0);
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
    json_decref(arguments);
}

static struct fake_exec *find(struct fake_engine *engine, const char *id, size_t length)
{
    for (struct fake_exec *exec = engine->execs; exec != NULL; exec = exec->next) {
        if (length == 64 && memcmp(exec->id, id, 64) == 0)
            return exec;
    }
    return NULL;
}

void fake_route_exec(struct fake_connection *connection)
{
    const char *id = connection->request.path + strlen("/exec/");
    size_t length = strcspn(id, "/");
    struct fake_exec *exec = find(connection->engine, id, length);
    struct fake_container *container = exec == NULL ? NULL : fake_find(connection->engine, exec->container);
    bool get = strcmp(connection->request.method, "GET") == 0, post = strcmp(connection->request.method, "POST") == 0;

    if (exec == NULL)
        fake_answer_error(connection, 404, "No such exec instance: %.*s", (int)length, id);
    else if (get && strcmp(id + length, "/json") == 0)
        exec_inspect(connection, exec);
    else if (post && strcmp(id + length, "/resize") == 0)
        fake_answer(connection, 200, NULL, NULL, 0);
    else if (!post || strcmp(id + length, "/start") != 0)
        fake_answer_error(connection, 404, "page not found");
    else if (exec->started)
        fake_answer_error(connection, 409, "Error: Exec command %s has already run", exec->id);
    else if (container == NULL || !fake_is_running(container))
        fake_answer_error(connection, 409, "Container %s is not running", exec->container);
    else
        exec_start(connection, exec);
}
