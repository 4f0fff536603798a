/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_peer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

#define CONTAINERS_MAX 64
#define NEVER "0001-01-01T00:00:00Z"

struct container {
    char id[65], name[64], status[16], finished[40];
    json_t *body;
    int delay_ms;
};

/* Under the lock of the peer. */
struct engine_inside {
    char id[80], name[64];
    struct engine_faults faults;
    struct container *containers[CONTAINERS_MAX];
    int count;
};

/* --- containers --- */

static int find(const struct engine_inside *engine, const char *text, size_t length)
{
    for (int i = 0; i < engine->count; i++) {
        const struct container *container = engine->containers[i];

        if ((strlen(container->id) == length && memcmp(container->id, text, length) == 0) ||
            (strlen(container->name) == length && memcmp(container->name, text, length) == 0))
            return i;
    }
    return -1;
}

static struct container *look_up(const struct engine_inside *engine, const char *name)
{
    int at = find(engine, name, strlen(name));

    return at < 0 ? NULL : engine->containers[at];
}

static struct container *must_look_up(const struct engine_inside *engine, const char *name)
{
    struct container *container = look_up(engine, name);

    if (container == NULL)
        kit_give_up("engine peer: no such container: %s", name);
    return container;
}

static struct container *add(struct engine_inside *engine, const char *id, const char *name)
{
    static atomic_uint serial;
    struct container *container = calloc(1, sizeof(*container));

    kit_check(container != NULL && engine->count < CONTAINERS_MAX);
    engine->containers[engine->count++] = container;
    if (id != NULL)
        snprintf(container->id, sizeof(container->id), "%s", id);
    else /* no other engine's either */
        snprintf(container->id, sizeof(container->id), "%08x%056x", 0xf0000001u + atomic_fetch_add(&serial, 1), 7);
    snprintf(container->name, sizeof(container->name), "%s", name);
    snprintf(container->status, sizeof(container->status), "created");
    return container;
}

static void drop(struct engine_inside *engine, int at)
{
    struct container *container = engine->containers[at];

    engine->containers[at] = engine->containers[--engine->count];
    json_decref(container->body);
    free(container);
}

static bool is_running(const struct container *container)
{
    return strcmp(container->status, "running") == 0;
}

static bool was_started(const struct container *container)
{
    return strcmp(container->status, "created") != 0;
}

static json_t *list_entry(const struct container *container)
{
    json_t *labels = json_incref(json_object_get(container->body, "Labels"));

    return json_pack("{s:s,s:[o],s:s,s:s,s:s,s:I,s:[],s:o,s:s,s:s,s:{s:s},s:{s:{}},s:[]}", "Id", container->id, "Names",
                     json_sprintf("/%s", container->name), "Image", "busybox", "ImageID", "sha256:1", "Command", "sh",
                     "Created", (json_int_t)1700000000, "Ports", "Labels", labels ? labels : json_object(), "State",
                     container->status, "Status", "whatever", "HostConfig", "NetworkMode", "default", "NetworkSettings",
                     "Networks", "Mounts");
}

static json_t *inspect(const struct container *container)
{
    json_t *config = json_deep_copy(container->body);
    json_t *host = json_incref(json_object_get(config, "HostConfig"));

    json_object_del(config, "HostConfig");
    json_object_del(config, "NetworkingConfig");
    return json_pack("{s:s,s:o,s:s,s:s,s:{s:s,s:b,s:b,s:b,s:b,s:i,s:s,s:s},s:o,s:o,s:{s:{},s:{}}}", "Id", container->id,
                     "Name", json_sprintf("/%s", container->name), "Created", "2023-11-14T22:13:20.063145406Z", "Image",
                     "sha256:1", "State", "Status", container->status, "Running", is_running(container), "Paused", 0,
                     "Restarting", 0, "Dead", 0, "ExitCode", 0, "StartedAt",
                     was_started(container) ? "2023-11-14T22:13:21Z" : NEVER, "FinishedAt",
                     *container->finished ? container->finished : NEVER, "Config", config, "HostConfig",
                     host ? host : json_object(), "NetworkSettings", "Ports", "Networks");
}

/* --- answers --- */

static void answer_json(struct peer_answer *answer, int status, json_t *json)
{
    kit_check(json != NULL);
    answer->status = status;
    answer->headers = "Content-Type: application/json\r\nApi-Version: 1.41\r\nBuilder-Version: 1\r\n";
    answer->body = json_dumps(json, JSON_COMPACT);
    kit_check(answer->body != NULL);
    json_decref(json);
}

static void answer_error(struct peer_answer *answer, int status, const char *message)
{
    answer_json(answer, status, json_pack("{s:s}", "message", message));
}

static void answer_info(const struct engine_inside *engine, struct peer_answer *answer)
{
    struct timespec now;
    struct tm tm;
    char date[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    answer_json(answer, 200,
                json_pack("{s:s,s:s,s:i,s:I,s:s,s:[],s:s,s:o}", "ID", engine->id, "Name", engine->name, "NCPU", 2,
                          "MemTotal", (json_int_t)4294967296, "Driver", "overlay2", "Labels", "OSType", "linux",
                          "SystemTime", json_sprintf("%s.%09ldZ", date, now.tv_nsec)));
}

static void answer_list(const struct engine_inside *engine, const char *query, struct peer_answer *answer)
{
    bool filtered = strstr(query, "filters=") != NULL; /* by id: what matters is whether it is named there */
    json_t *list = json_array();

    for (int i = 0; i < engine->count && !engine->faults.hide_containers; i++) {
        if (!filtered || strstr(query, engine->containers[i]->id))
            json_array_append_new(list, list_entry(engine->containers[i]));
    }
    answer_json(answer, 200, list);
}

/* The value of that name, as it stands in the query; "unnamed" where there is none. */
static void query_value(const char *query, const char *name, char *value, size_t size)
{
    const char *at = strstr(query, name);

    if (at == NULL)
        snprintf(value, size, "unnamed");
    else
        snprintf(value, size, "%.*s", (int)strcspn(at + strlen(name), "&"), at + strlen(name));
}

static void create(struct engine_inside *engine, const struct peer_request *request, struct peer_answer *answer)
{
    struct container *container;
    char name[64], text[256];
    json_t *body;

    if (engine->faults.create_status != 0) {
        answer_error(answer, engine->faults.create_status, engine->faults.create_message);
        return;
    }
    body = json_loads(request->body, 0, NULL);
    if (body == NULL) {
        answer_error(answer, 400, "no JSON");
    } else if (engine->faults.image_missing) {
        snprintf(text, sizeof(text), "No such image: %s", json_string_value(json_object_get(body, "Image")));
        answer_error(answer, 404, text);
        json_decref(body);
    } else {
        query_value(request->query, "name=", name, sizeof(name));
        container = add(engine, NULL, name);
        container->body = body;
        answer_json(answer, 201, json_pack("{s:s,s:[s]}", "Id", container->id, "Warnings", "mind the gap"));
    }
}

static void pull(struct engine_inside *engine, struct peer_answer *answer)
{
    const char *error = engine->faults.pull_error;
    char text[512];

    if (engine->faults.pull_status != 0) {
        answer_error(answer, engine->faults.pull_status, error);
        return;
    }
    if (error != NULL)
        snprintf(text, sizeof(text),
                 "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"%s\"},\"error\":\"%s\"}\r\n", error,
                 error);
    else
        snprintf(text, sizeof(text), "{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n");
    engine->faults.image_missing = engine->faults.image_missing && error != NULL;
    answer->headers = "Content-Type: application/json\r\n";
    answer->body = strdup(text);
}

static void load(struct engine_inside *engine, struct peer_answer *answer)
{
    const char *error = engine->faults.load_error;
    char text[512];

    if (error != NULL)
        snprintf(text, sizeof(text), "{\"errorDetail\":{\"message\":\"%s\"},\"error\":\"%s\"}\r\n", error, error);
    else
        snprintf(text, sizeof(text), "{\"stream\":\"Loaded image ID: sha256:0a6d\\n\"}\r\n");
    engine->faults.image_missing = engine->faults.image_missing && error != NULL;
    answer->headers = "Content-Type: application/json\r\n";
    answer->body = strdup(text);
}

static void start(struct engine_inside *engine, struct container *container, struct peer_answer *answer)
{
    if (engine->faults.start_status != 0) {
        answer_error(answer, engine->faults.start_status, "cannot start");
        return;
    }
    snprintf(container->status, sizeof(container->status), "running");
    answer->status = 204;
}

static void stop(struct container *container, struct peer_answer *answer)
{
    snprintf(container->status, sizeof(container->status), "exited");
    answer->status = 204;
}

static void set_name(struct container *container, const char *name, size_t length)
{
    snprintf(container->name, sizeof(container->name), "%.*s", (int)length, name);
}

static void answer_for_container(struct engine_inside *engine, const struct peer_request *request, const char *rest,
                                 struct peer_answer *answer)
{
    size_t length = strcspn(rest, "/");
    int at = find(engine, rest, length);
    char text[256];

    if (at < 0) {
        snprintf(text, sizeof(text), "No such container: %.*s", (int)length, rest);
        answer_error(answer, 404, text);
    } else if (strcmp(request->method, "DELETE") == 0 && rest[length] == '\0') {
        drop(engine, at);
        answer->status = 204;
    } else if (strcmp(rest + length, "/start") == 0) {
        start(engine, engine->containers[at], answer);
    } else if (strcmp(rest + length, "/stop") == 0) {
        stop(engine->containers[at], answer);
    } else if (strcmp(rest + length, "/rename") == 0) {
        set_name(engine->containers[at], request->query + strlen("name="), strcspn(request->query, "&"));
        answer->status = 204;
    } else if (strcmp(rest + length, "/json") == 0) {
        answer->delay_ms = engine->containers[at]->delay_ms;
        answer_json(answer, 200, inspect(engine->containers[at]));
    } else {
        answer_error(answer, 404, "page not found");
    }
}

static void answer_events(struct peer_answer *answer)
{
    answer->stream = true;
    answer->headers = "Content-Type: application/json\r\nConnection: close\r\n";
}

static void answer(void *data, const struct peer_request *request, struct peer_answer *answer)
{
    static const char containers[] = "/containers/";
    const char *path = request->path, *second = strchr(path + 1, '/');
    struct engine_inside *engine = data;

    if (path[1] == 'v' && second != NULL)
        path = second;
    if (strcmp(path, "/_ping") == 0)
        answer->body = strdup("OK");
    else if (strcmp(path, "/info") == 0)
        answer_info(engine, answer);
    else if (strcmp(path, "/version") == 0)
        answer_json(answer, 200,
                    json_pack("{s:s,s:s,s:s}", "Version", "20.10.24", "ApiVersion", "1.41", "MinAPIVersion", "1.12"));
    else if (strcmp(path, "/events") == 0)
        answer_events(answer);
    else if (strcmp(path, "/images/json") == 0)
        answer_json(answer, 200, json_pack("[{s:s,s:[s]}]", "Id", "sha256:1", "RepoTags", "busybox:latest"));
    else if (strcmp(path, "/networks") == 0)
        answer_json(answer, 200, json_array());
    else if (strcmp(path, "/volumes") == 0)
        answer_json(answer, 200, json_pack("{s:[], s:n}", "Volumes", "Warnings"));
    else if (strcmp(path, "/images/create") == 0)
        pull(engine, answer);
    else if (strcmp(path, "/images/get") == 0)
        answer->body = strdup("an archive");
    else if (strcmp(path, "/images/load") == 0)
        load(engine, answer);
    else if (strcmp(path, "/containers/json") == 0)
        answer_list(engine, request->query, answer);
    else if (strcmp(path, "/containers/create") == 0)
        create(engine, request, answer);
    else if (strncmp(path, containers, strlen(containers)) == 0)
        answer_for_container(engine, request, path + strlen(containers), answer);
    else
        answer_error(answer, 404, "page not found");
}

/* --- life --- */

struct engine_peer *engine_peer_new(const char *id, const char *name)
{
    struct engine_peer *engine = calloc(1, sizeof(*engine));

    kit_check(engine != NULL);
    engine->inside = calloc(1, sizeof(*engine->inside));
    kit_check(engine->inside != NULL);
    snprintf(engine->inside->id, sizeof(engine->inside->id), "%s", id);
    snprintf(engine->inside->name, sizeof(engine->inside->name), "%s", name);
    engine->http = http_peer_new(answer, engine->inside);
    return engine;
}

void engine_peer_free(struct engine_peer *engine)
{
    http_peer_free(engine->http);
    while (engine->inside->count > 0)
        drop(engine->inside, 0);
    free(engine->inside);
    free(engine);
}

const char *engine_peer_address(const struct engine_peer *engine)
{
    return http_peer_address(engine->http);
}

/* --- commands --- */

void engine_peer_break(struct engine_peer *engine, struct engine_faults faults)
{
    http_peer_lock(engine->http);
    engine->inside->faults = faults;
    http_peer_unlock(engine->http);
}

void engine_peer_set_id(struct engine_peer *engine, const char *id)
{
    http_peer_lock(engine->http);
    snprintf(engine->inside->id, sizeof(engine->inside->id), "%s", id);
    http_peer_unlock(engine->http);
}

void engine_peer_set_slow(struct engine_peer *engine, const char *container, int delay_ms)
{
    http_peer_lock(engine->http);
    must_look_up(engine->inside, container)->delay_ms = delay_ms;
    http_peer_unlock(engine->http);
}

const char *engine_peer_put(struct engine_peer *engine, const char *id, const char *name, const char *body,
                            const char *status)
{
    struct container *container;

    http_peer_lock(engine->http);
    container = id ? look_up(engine->inside, id) : NULL;
    if (container == NULL)
        container = add(engine->inside, id, name);
    snprintf(container->name, sizeof(container->name), "%s", name);
    snprintf(container->status, sizeof(container->status), "%s", status);
    json_decref(container->body);
    container->body = json_loads(body ? body : "{\"Image\":\"busybox\"}", 0, NULL);
    kit_check(container->body != NULL);
    http_peer_unlock(engine->http);
    return container->id;
}

const char *engine_peer_end(struct engine_peer *engine, const char *name)
{
    struct container *container;
    time_t now = time(NULL);
    struct tm tm;

    http_peer_lock(engine->http);
    container = must_look_up(engine->inside, name);
    snprintf(container->status, sizeof(container->status), "exited");
    strftime(container->finished, sizeof(container->finished), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    http_peer_unlock(engine->http);
    return container->id;
}

void engine_peer_rename(struct engine_peer *engine, const char *container, const char *name)
{
    http_peer_lock(engine->http);
    set_name(must_look_up(engine->inside, container), name, strlen(name));
    http_peer_unlock(engine->http);
}

void engine_peer_remove(struct engine_peer *engine, const char *container)
{
    http_peer_lock(engine->http);
    must_look_up(engine->inside, container);
    drop(engine->inside, find(engine->inside, container, strlen(container)));
    http_peer_unlock(engine->http);
}

int engine_peer_count(struct engine_peer *engine)
{
    int count;

    http_peer_lock(engine->http);
    count = engine->inside->count;
    http_peer_unlock(engine->http);
    return count;
}

json_t *engine_peer_body(struct engine_peer *engine, const char *name)
{
    const struct container *container;
    json_t *body;

    http_peer_lock(engine->http);
    container = look_up(engine->inside, name);
    body = container ? json_deep_copy(container->body) : NULL;
    http_peer_unlock(engine->http);
    return body;
}

bool engine_peer_runs(struct engine_peer *engine, const char *name)
{
    const struct container *container;
    bool runs;

    http_peer_lock(engine->http);
    container = look_up(engine->inside, name);
    runs = container != NULL && is_running(container);
    http_peer_unlock(engine->http);
    return runs;
}

void engine_peer_send_event(struct engine_peer *engine, const char *action, const char *id)
{
    struct timespec now;
    char text[512];

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(text, sizeof(text),
             "{\"status\":\"%s\",\"id\":\"%s\",\"from\":\"busybox\",\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":"
             "{\"ID\":\"%s\",\"Attributes\":{\"image\":\"busybox\"}},\"scope\":\"local\",\"time\":%lld,"
             "\"timeNano\":%lld%09ld}\n",
             action, id, action, id, (long long)now.tv_sec, (long long)now.tv_sec, now.tv_nsec);
    http_peer_send(engine->http, text);
}
