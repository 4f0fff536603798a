/* SPDX-License-Identifier: Apache-2.0 */
/* "/containers/…": made, changed, asked about. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "fake_engine.h"

/* --- create --- */

static bool is_name(const char *name)
{
    if (!isalnum((unsigned char)name[0]) || name[1] == '\0')
        return false;
    while (isalnum((unsigned char)*name) || (*name != '\0' && strchr("_.-", *name) != NULL))
        name++;
    return *name == '\0';
}

/* The name asked for, or one of its own; NULL where it cannot be had, answered. @p what is before "Conflict". */
static char *take_name(struct fake_connection *connection, const char *what)
{
    struct fake_engine *engine = connection->engine;
    char *given = fake_query(connection->request.query, "name"), *name;
    const struct fake_container *other;

    if (given == NULL || given[0] == '\0') {
        free(given);
        return fake_format("eager_fake_%u_%u", engine->number, engine->next_serial);
    }
    name = fake_strdup(given + (given[0] == '/'));
    free(given);
    other = fake_find_name(engine, name);
    if (is_name(name) && other == NULL)
        return name;
    if (other != NULL)
        fake_answer_error(connection, 409,
                          "%sConflict. The container name \"/%s\" is already in use by container \"%s\". You have to "
                          "remove (or rename) that container to be able to reuse that name.",
                          what, name, other->id);
    else
        fake_answer_error(connection, 400, "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
                          name);
    free(name);
    return NULL;
}

/* The body as JSON; NULL where there is none, answered. New. */
static json_t *take_body(struct fake_connection *connection)
{
    const struct fake_request *request = &connection->request;
    json_t *body;

    if (request->has_type && !request->json) {
        fake_answer_error(connection, 400, "Content-Type specified must be 'application/json'");
        return NULL;
    }
    body = json_loads(bytes_at(&request->body), 0, NULL);
    if (body == NULL)
        fake_answer_error(connection, 500, request->body_length == 0 ? "EOF" : "unexpected EOF");
    return body;
}

static void make_volumes(struct fake_engine *engine, const struct fake_spec *spec)
{
    for (size_t i = 0; spec->volumes != NULL && spec->volumes[i] != NULL; i++) {
        if (fake_volume_find(engine, spec->volumes[i]) == NULL)
            fake_volume_add(engine, spec->volumes[i], "local");
    }
}

static void create(struct fake_connection *connection)
{
    struct fake_engine *engine = connection->engine;
    json_t *body = take_body(connection);
    struct fake_container *container;
    struct fake_spec *spec;
    char *name = NULL, *error, id[FAKE_ID_SIZE];
    struct bytes answer = {0};
    int status;

    if (body == NULL)
        return;
    spec = fake_spec_new(body, &status, &error);
    json_decref(body);
    if (spec == NULL) {
        fake_answer_error(connection, status, "%s", error);
        free(error);
        return;
    }
    if (fake_image_find(engine, spec->image) == NULL) {
        const char *slash = strrchr(spec->image, '/');
        bool tagged = strchr(slash == NULL ? spec->image : slash, ':') != NULL;

        fake_answer_error(connection, 404, "No such image: %s%s", spec->image, tagged ? "" : ":latest");
    } else {
        name = take_name(connection, "");
    }
    if (name == NULL) {
        fake_spec_unref(spec);
        return;
    }
    make_volumes(engine, spec);
    fake_new_id(engine, id);
    container = fake_container_add(engine, spec, id, name);
    free(name);
    fake_emit_container(container, "create", "");
    say(&answer, "{\"Id\":\"%s\",\"Warnings\":[]}\n", container->id);
    fake_answer_json(connection, 201, &answer);
    bytes_free(&answer);
}

/* --- changes --- */

static void done(struct fake_connection *connection)
{
    fake_answer(connection, 204, NULL, NULL, 0);
}

static void not_running(struct fake_connection *connection, const struct fake_container *container)
{
    fake_answer_error(connection, 409, "Container %s is not running", container->id);
}

static void start(struct fake_connection *connection, struct fake_container *container)
{
    if (container->state == FAKE_PAUSED)
        fake_answer_error(connection, 409, "cannot start a paused container, try unpause instead");
    else if (container->state == FAKE_RUNNING)
        fake_answer(connection, 304, NULL, NULL, 0);
    else if (fake_start(container, connection) == 0)
        done(connection);
}

/* Where the container goes with its end the answer needs nothing of it. */
static void stop(struct fake_connection *connection, struct fake_container *container)
{
    bool goes = container->spec->auto_remove;

    if (!fake_is_running(container)) {
        fake_answer(connection, 304, NULL, NULL, 0);
        return;
    }
    fake_die(container, 137, SIGTERM);
    if (!goes)
        fake_emit_container(container, "stop", "");
    done(connection);
}

static void restart(struct fake_connection *connection, struct fake_container *container)
{
    if (fake_is_running(container)) {
        bool goes = container->spec->auto_remove;

        fake_die(container, 137, SIGTERM);
        if (goes) {
            done(connection);
            return;
        }
        fake_emit_container(container, "stop", "");
    }
    if (fake_start(container, connection) != 0)
        return;
    fake_emit_container(container, "restart", "");
    done(connection);
}

/* 0: no such signal. */
static int signal_of(const char *text)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"KILL", SIGKILL}, {"USR1", SIGUSR1},
                   {"USR2", SIGUSR2}, {"TERM", SIGTERM}, {"STOP", SIGSTOP}, {"CONT", SIGCONT}, {"WINCH", SIGWINCH}};

    if (text == NULL || text[0] == '\0')
        return SIGKILL;
    if (isdigit((unsigned char)text[0]))
        return atoi(text) > 64 ? 0 : atoi(text);
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (strcasecmp(signals[i].name, text) == 0)
            return signals[i].number;
    }
    return 0;
}

static void kill_it(struct fake_connection *connection, struct fake_container *container, const char *reference)
{
    char *text = fake_query(connection->request.query, "signal"), extra[32];
    int number = signal_of(text);

    if (number == 0) {
        fake_answer_error(connection, 400, "Invalid signal: %s", text);
    } else if (!fake_is_running(container)) {
        fake_answer_error(connection, 409, "Cannot kill container: %s: Container %s is not running", reference,
                          container->id);
    } else if (number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP) {
        fake_die(container, 128 + number, number);
        done(connection);
    } else { /* it takes no notice */
        snprintf(extra, sizeof(extra), "\"signal\":\"%d\",", number);
        fake_emit_container(container, "kill", extra);
        done(connection);
    }
    free(text);
}

static void pause_it(struct fake_connection *connection, struct fake_container *container, bool pauses)
{
    if (!fake_is_running(container)) {
        not_running(connection, container);
    } else if ((container->state == FAKE_PAUSED) == pauses) {
        fake_answer_error(connection, pauses ? 409 : 500, "Container %s is %s", container->id,
                          pauses ? "already paused" : "not paused");
    } else {
        container->state = pauses ? FAKE_PAUSED : FAKE_RUNNING;
        fake_emit_container(container, pauses ? "pause" : "unpause", "");
        done(connection);
    }
}

static void rename_it(struct fake_connection *connection, struct fake_container *container)
{
    char *given = fake_query(connection->request.query, "name"), *name, *extra;

    if (given == NULL || given[0] == '\0') {
        fake_answer_error(connection, 400, "Neither old nor new names may be empty");
        free(given);
        return;
    }
    free(given);
    name = take_name(connection, "Error when allocating new name: ");
    if (name == NULL)
        return;
    extra = fake_format("\"oldName\":\"/%s\",", container->name);
    free(container->name);
    container->name = name;
    fake_emit_container(container, "rename", extra);
    free(extra);
    done(connection);
}

static void remove_it(struct fake_connection *connection, struct fake_container *container)
{
    bool goes = container->spec->auto_remove;

    if (fake_is_running(container) && !fake_query_true(connection->request.query, "force")) {
        fake_answer_error(connection, 409,
                          "You cannot remove a %s container %s. Stop the container before attempting removal or force "
                          "remove",
                          container->state == FAKE_PAUSED ? "paused" : "running", container->id);
        return;
    }
    if (fake_is_running(container)) {
        fake_die(container, 137, SIGKILL);
        if (goes) {
            done(connection);
            return;
        }
    }
    fake_remove(container);
    done(connection);
}

static void update(struct fake_connection *connection, struct fake_container *container)
{
    json_t *body = take_body(connection), *host, *value;
    char *wrapped, *text;
    const char *key;

    if (body == NULL)
        return;
    wrapped = fake_format("{%s}", container->spec->host_config);
    host = json_loads(wrapped, 0, NULL);
    free(wrapped);
    kit_check(host != NULL);
    json_object_foreach (body, key, value) {
        if (json_object_get(host, key) != NULL)
            json_object_set(host, key, value);
    }
    text = fake_dump(host);
    text[strlen(text) - 1] = '\0';
    if (container->spec->references == 1) { /* those that are alike from the beginning stay so */
        free(container->spec->host_config);
        container->spec->host_config = fake_strdup(text + 1);
    }
    free(text);
    json_decref(host);
    json_decref(body);
    fake_emit_container(container, "update", "");
    fake_answer(connection, 200, "application/json", "{\"Warnings\":null}\n", 18);
}

/* --- questions --- */

static void top(struct fake_connection *connection, struct fake_container *container)
{
    struct bytes body = {0};

    if (!fake_is_running(container)) {
        not_running(connection, container);
        return;
    }
    say(&body, "{\"Processes\":[[\"root\",\"%u\",\"1\",\"0\",\"11:12\",\"?\",\"00:00:00\",", 1000 + container->serial);
    say_json(&body, container->spec->command);
    say_text(&body, "]],\"Titles\":[\"UID\",\"PID\",\"PPID\",\"C\",\"STIME\",\"TTY\",\"TIME\",\"CMD\"]}\n");
    fake_emit_container(container, "top", "");
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
}

static void inspect(struct fake_connection *connection, struct fake_container *container)
{
    struct bytes body = {0};

    fake_render_inspect(&body, container);
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
}

static void stats(struct fake_connection *connection, struct fake_container *container)
{
    struct bytes body = {0};

    say_text(&body, "{\"read\":");
    say_time(&body, fake_now(container->engine));
    say(&body,
        ",\"preread\":\"0001-01-01T00:00:00Z\",\"pids_stats\":{\"current\":1},\"blkio_stats\":{},\"num_procs\":0,"
        "\"storage_stats\":{},\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":33559740,\"usage_in_kernelmode\":10000000,"
        "\"usage_in_usermode\":10000000},\"system_cpu_usage\":11437820000000,\"online_cpus\":%d},\"precpu_stats\":{},"
        "\"memory_stats\":{\"usage\":1048576,\"limit\":%lld},\"name\":\"/%s\",\"id\":\"%s\",\"networks\":{}}\n",
        container->engine->world->options.cpus, (long long)container->engine->world->options.memory, container->name,
        container->id);
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
}

/* --- routes --- */

static bool get(struct fake_connection *connection, struct fake_container *container, const char *rest)
{
    if (strcmp(rest, "/json") == 0)
        inspect(connection, container);
    else if (strcmp(rest, "/logs") == 0)
        fake_route_logs(connection, container);
    else if (strcmp(rest, "/top") == 0)
        top(connection, container);
    else if (strcmp(rest, "/stats") == 0)
        stats(connection, container);
    else if (strcmp(rest, "/changes") == 0)
        fake_answer(connection, 200, "application/json", "null\n", 5);
    else
        return false;
    return true;
}

static bool post(struct fake_connection *connection, struct fake_container *container, const char *rest,
                 const char *reference)
{
    if (strcmp(rest, "/start") == 0)
        start(connection, container);
    else if (strcmp(rest, "/stop") == 0)
        stop(connection, container);
    else if (strcmp(rest, "/restart") == 0)
        restart(connection, container);
    else if (strcmp(rest, "/kill") == 0)
        kill_it(connection, container, reference);
    else if (strcmp(rest, "/pause") == 0 || strcmp(rest, "/unpause") == 0)
        pause_it(connection, container, rest[1] == 'p');
    else if (strcmp(rest, "/wait") == 0)
        fake_route_wait(connection, container);
    else if (strcmp(rest, "/rename") == 0)
        rename_it(connection, container);
    else if (strcmp(rest, "/update") == 0)
        update(connection, container);
    else if (strcmp(rest, "/attach") == 0)
        fake_route_attach(connection, container);
    else if (strcmp(rest, "/exec") == 0)
        fake_exec_create(connection, container);
    else if (strcmp(rest, "/resize") == 0)
        fake_answer(connection, 200, NULL, NULL, 0);
    else
        return false;
    return true;
}

static void prune(struct fake_connection *connection)
{
    struct fake_engine *engine = connection->engine;
    struct bytes body = {0};
    const char *separator = "[";

    say_text(&body, "{\"ContainersDeleted\":");
    for (size_t i = engine->container_count; i > 0; i--) {
        struct fake_container *container = engine->containers[i - 1];

        if (fake_is_running(container))
            continue;
        say(&body, "%s\"%s\"", separator, container->id);
        separator = ",";
        fake_remove(container);
    }
    say(&body, "%s,\"SpaceReclaimed\":0}\n", separator[0] == '[' ? "null" : "]");
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
}

void fake_route_container(struct fake_connection *connection)
{
    const char *path = connection->request.path + strlen("/containers/"), *method = connection->request.method;
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0, is_post = strcmp(method, "POST") == 0;
    size_t length = strcspn(path, "/");
    struct fake_container *container;
    char *reference;

    if (is_get && strcmp(path, "json") == 0) {
        fake_route_list(connection);
        return;
    }
    if (is_post && (strcmp(path, "create") == 0 || strcmp(path, "prune") == 0)) {
        if (path[0] == 'c')
            create(connection);
        else
            prune(connection);
        return;
    }
    reference = strndup(path, length);
    kit_check(reference != NULL);
    container = fake_must_find(connection, reference);
    if (container == NULL)
        ;
    else if (strcmp(method, "DELETE") == 0 && path[length] == '\0')
        remove_it(connection, container);
    else if (!(is_get && get(connection, container, path + length)) &&
             !(is_post && post(connection, container, path + length, reference)))
        fake_answer_error(connection, 404, "page not found");
    free(reference);
}
