/* SPDX-License-Identifier: Apache-2.0 */
/* "/volumes", and how much everything takes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

static void answer(struct fake_connection *connection, int status, struct bytes *body)
{
    say_text(body, "\n");
    fake_answer_json(connection, status, body);
    bytes_free(body);
}

/* A container that has it, running or not; NULL: none. */
static const struct fake_container *user_of(const struct fake_engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->container_count; i++) {
        char *const *volumes = engine->containers[i]->spec->volumes;

        for (size_t j = 0; volumes != NULL && volumes[j] != NULL; j++) {
            if (strcmp(volumes[j], name) == 0)
                return engine->containers[i];
        }
    }
    return NULL;
}

static bool is_listed(const struct fake_engine *engine, const struct fake_volume *volume, const json_t *filters)
{
    json_t *names = fake_filter(filters, "name"), *dangling = fake_filter(filters, "dangling"), *value;
    const char *wanted = json_string_value(json_array_get(dangling, 0));
    bool listed = json_array_size(names) == 0;
    size_t i;

    json_array_foreach (names, i, value)
        listed = listed || (json_is_string(value) && strstr(volume->name, json_string_value(value)) != NULL);
    if (wanted != NULL)
        listed = listed && (user_of(engine, volume->name) == NULL) == (wanted[0] == 't' || wanted[0] == '1');
    json_decref(names);
    json_decref(dangling);
    return listed;
}

static void list(struct fake_connection *connection)
{
    json_t *filters = fake_filters_of(connection);
    struct bytes body = {0};
    size_t count = 0;

    if (filters == NULL)
        return;
    say_text(&body, "{\"Volumes\":[");
    for (const struct fake_volume *volume = connection->engine->volumes; volume != NULL; volume = volume->next) {
        if (!is_listed(connection->engine, volume, filters))
            continue;
        say_text(&body, count++ > 0 ? "," : "");
        fake_render_volume(&body, volume);
    }
    say_text(&body, "],\"Warnings\":null}");
    answer(connection, 200, &body);
    json_decref(filters);
}

static void create(struct fake_connection *connection)
{
    struct fake_engine *engine = connection->engine;
    json_t *given = json_loads(bytes_at(&connection->request.body), 0, NULL),
           *labels = json_object_get(given, "Labels");
    const char *name = json_string_value(json_object_get(given, "Name"));
    const char *driver = json_string_value(json_object_get(given, "Driver"));
    struct fake_volume *volume;
    char id[FAKE_ID_SIZE];
    struct bytes body = {0};

    if (!json_is_object(given)) {
        fake_answer_error(connection, 400, "unexpected EOF");
        json_decref(given);
        return;
    }
    fake_new_id(engine, id);
    name = name == NULL || name[0] == '\0' ? id : name;
    volume = fake_volume_find(engine, name);
    if (volume == NULL) {
        volume = fake_volume_add(engine, name, driver == NULL || driver[0] == '\0' ? "local" : driver);
        free(volume->labels);
        volume->labels = fake_dump(json_is_object(labels) ? labels : json_null());
    }
    fake_render_volume(&body, volume);
    answer(connection, 201, &body);
    json_decref(given);
}

static void prune(struct fake_connection *connection)
{
    struct fake_engine *engine = connection->engine;
    struct fake_volume *next;
    struct bytes body = {0};
    size_t count = 0;

    say_text(&body, "{\"VolumesDeleted\":[");
    for (struct fake_volume *volume = engine->volumes; volume != NULL; volume = next) {
        next = volume->next;
        if (user_of(engine, volume->name) != NULL)
            continue;
        say_text(&body, count++ > 0 ? "," : "");
        say_json(&body, volume->name);
        fake_volume_remove(engine, volume);
    }
    say_text(&body, "],\"SpaceReclaimed\":0}");
    answer(connection, 200, &body);
}

static void named(struct fake_connection *connection, const char *name)
{
    struct fake_volume *volume = fake_volume_find(connection->engine, name);
    const char *method = connection->request.method;
    const struct fake_container *user;
    struct bytes body = {0};

    if (volume == NULL) {
        fake_answer_error(connection, 404, "get %s: no such volume", name);
    } else if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        fake_render_volume(&body, volume);
        answer(connection, 200, &body);
    } else if (strcmp(method, "DELETE") == 0 && (user = user_of(connection->engine, name)) != NULL) {
        fake_answer_error(connection, 409, "remove %s: volume is in use - [%s]", name, user->id);
    } else if (strcmp(method, "DELETE") == 0) {
        fake_volume_remove(connection->engine, volume);
        fake_answer(connection, 204, NULL, NULL, 0);
    } else {
        fake_answer_error(connection, 404, "page not found");
    }
}

void fake_route_volume(struct fake_connection *connection)
{
    const char *path = connection->request.path + strlen("/volumes"), *method = connection->request.method;

    path += *path == '/';
    if (path[0] == '\0' && strcmp(method, "POST") != 0)
        list(connection);
    else if (strcmp(path, "create") == 0 && strcmp(method, "POST") == 0)
        create(connection);
    else if (strcmp(path, "prune") == 0 && strcmp(method, "POST") == 0)
        prune(connection);
    else
        named(connection, path);
}

/* --- system df --- */

static int users_of_image(const struct fake_engine *engine, const struct fake_image *image)
{
    int count = 0;

    for (size_t i = 0; i < engine->container_count; i++)
        count += strcmp(engine->containers[i]->spec->image_id, image->id) == 0;
    return count;
}

void fake_route_usage(struct fake_connection *connection)
{
    const struct fake_engine *engine = connection->engine;
    int64_t layers = 0;
    size_t count = 0;
    struct bytes body = {0};

    for (size_t i = 0; i < engine->images->count; i++)
        layers += engine->images->images[i].size;
    say(&body, "{\"LayersSize\":%" PRId64 ",\"Images\":[", layers);
    for (size_t i = 0; i < engine->images->count; i++) {
        say_text(&body, i > 0 ? "," : "");
        fake_render_image(&body, &engine->images->images[i], users_of_image(engine, &engine->images->images[i]));
    }
    say_text(&body, "],\"Containers\":[");
    for (size_t i = 0; i < engine->container_count; i++) {
        say_text(&body, i > 0 ? "," : "");
        fake_render_entry(&body, engine->containers[i], true);
    }
    say_text(&body, "],\"Volumes\":[");
    for (const struct fake_volume *volume = engine->volumes; volume != NULL; volume = volume->next) {
        say_text(&body, count++ > 0 ? "," : "");
        fake_render_volume(&body, volume);
        body.end--; /* its brace */
        say(&body, ",\"UsageData\":{\"RefCount\":%d,\"Size\":0}}", user_of(engine, volume->name) != NULL);
    }
    say_text(&body, "],\"BuildCache\":null,\"BuilderSize\":0}");
    answer(connection, 200, &body);
}
