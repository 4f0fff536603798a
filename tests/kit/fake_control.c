/* SPDX-License-Identifier: Apache-2.0 */
/* The control: what tests ask of the fake engines, and tell them. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_control.h"
#include "fake_engine.h"

static struct fake_world *world_of(const struct fake_connection *connection)
{
    return (struct fake_world *)((char *)connection->listener - offsetof(struct fake_world, control));
}

/* --- which engines --- */

/* "7", "1-10" or "all". */
static bool select_engines(const struct fake_world *world, const char *text, size_t length, unsigned *first,
                           unsigned *last)
{
    const struct fake_options *options = &world->options;
    char copy[32];
    int end = 0;

    snprintf(copy, sizeof(copy), "%.*s", (int)length, text);
    *first = options->first;
    *last = options->first + options->engines - 1;
    if (strcmp(copy, "all") == 0)
        return true;
    if (sscanf(copy, "%u-%u%n", first, last, &end) != 2 || copy[end] != '\0') {
        if (sscanf(copy, "%u%n", first, &end) != 1 || copy[end] != '\0')
            return false;
        *last = *first;
    }
    return *first >= options->first && *first <= *last && *last < options->first + options->engines;
}

static struct fake_engine *engine_at(const struct fake_connection *connection, unsigned number)
{
    struct fake_world *world = world_of(connection);

    return &world->engines[number - world->options.first];
}

/* --- answers --- */

static void answer(struct fake_connection *connection, struct bytes *body)
{
    say_text(body, "\n");
    fake_answer_json(connection, 200, body);
    bytes_free(body);
}

static void say_engine(struct bytes *out, const struct fake_engine *engine)
{
    say(out,
        "{\"number\":%u,\"address\":\"%s\",\"id\":\"%s\",\"name\":\"%s\",\"fault\":\"%s\",\"containers\":%zu,"
        "\"connections\":%zu,\"streams\":%zu,\"accepted\":%llu,\"requests\":%llu}",
        engine->number, engine->address, fake_engine_id(engine), engine->name, fake_faults_text(engine),
        engine->container_count, engine->listener.connection_count, fake_events_streams(engine),
        (unsigned long long)engine->listener.accepted, (unsigned long long)engine->listener.requests);
}

static void say_containers(struct bytes *out, const struct fake_engine *engine, size_t *count)
{
    static const char *const states[] = {"created", "running", "paused", "exited"};

    for (size_t i = 0; i < engine->container_count; i++) {
        const struct fake_container *container = engine->containers[i];

        say(out, "%s{\"id\":\"%s\",\"name\":\"%s\",\"engine\":\"%s\",\"state\":\"%s\"}", (*count)++ > 0 ? ",\n" : "",
            container->id, container->name, engine->name, states[container->state]);
    }
}

static void stats(struct fake_connection *connection)
{
    const struct fake_world *world = world_of(connection);
    unsigned long long requests = 0, accepted = 0;
    size_t containers = 0, connections = 0, running = 0;
    struct bytes body = {0};

    for (unsigned i = 0; i < world->options.engines; i++) {
        const struct fake_engine *engine = &world->engines[i];

        requests += engine->listener.requests;
        accepted += engine->listener.accepted;
        connections += engine->listener.connection_count;
        containers += engine->container_count;
        for (size_t j = 0; j < engine->container_count; j++)
            running += fake_is_running(engine->containers[j]);
    }
    say(&body,
        "{\"engines\":%u,\"containers\":%zu,\"running\":%zu,\"requests\":%llu,\"accepted\":%llu,\"connections\":%zu}",
        world->options.engines, containers, running, requests, accepted, connections);
    answer(connection, &body);
}

static void list(struct fake_connection *connection, bool containers, unsigned first, unsigned last)
{
    struct bytes body = {0};
    size_t count = 0;

    say_text(&body, "[");
    for (unsigned i = first; i <= last; i++) {
        if (containers) {
            say_containers(&body, engine_at(connection, i), &count);
        } else {
            say_text(&body, count++ > 0 ? ",\n" : "");
            say_engine(&body, engine_at(connection, i));
        }
    }
    say_text(&body, "]");
    answer(connection, &body);
}

static void addresses(struct fake_connection *connection)
{
    const struct fake_world *world = world_of(connection);
    struct bytes body = {0};

    for (unsigned i = 0; i < world->options.engines; i++)
        say(&body, "%s\n", world->engines[i].address);
    fake_answer(connection, 200, "text/plain", bytes_at(&body), bytes_length(&body));
    bytes_free(&body);
}

/* Everything at once is one order: the engines are told before anything else happens. */
static void order(struct fake_connection *connection, unsigned first, unsigned last)
{
    json_t *body = json_loads(bytes_at(&connection->request.body), 0, NULL);
    char *error = NULL;

    if (!json_is_object(body))
        error = fake_strdup("the body is no JSON object");
    for (unsigned i = first; i <= last && error == NULL; i++)
        fake_faults_order(engine_at(connection, i), body, &error);
    if (error != NULL)
        fake_answer_error(connection, 400, "%s", error);
    else
        fake_answer(connection, 204, NULL, NULL, 0);
    free(error);
    json_decref(body);
}

/* --- routes --- */

static void engines(struct fake_connection *connection, const char *path)
{
    size_t length = strcspn(path, "/");
    bool is_post = strcmp(connection->request.method, "POST") == 0;
    unsigned first, last;

    if (!select_engines(world_of(connection), path, length, &first, &last))
        fake_answer_error(connection, 404, "no such engines: %.*s", (int)length, path);
    else if (is_post && strcmp(path + length, "/fault") == 0)
        order(connection, first, last);
    else if (!is_post && path[length] == '\0')
        list(connection, false, first, last);
    else if (!is_post && strcmp(path + length, "/containers") == 0)
        list(connection, true, first, last);
    else
        fake_answer_error(connection, 404, "page not found");
}

static void control(struct fake_connection *connection)
{
    const char *path = connection->request.path;

    if (strcmp(path, "/engines") == 0)
        engines(connection, "all");
    else if (strncmp(path, "/engines/", 9) == 0)
        engines(connection, path + 9);
    else if (strcmp(path, "/stats") == 0)
        stats(connection);
    else if (strcmp(path, "/addresses") == 0)
        addresses(connection);
    else
        fake_answer_error(connection, 404, "page not found");
}

int fake_control_open(struct fake_world *world, const struct sockaddr_in *address)
{
    world->control.loop = world->loop;
    world->control.address = *address;
    world->control.handler = control;
    return fake_listener_open(&world->control);
}
