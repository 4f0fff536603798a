/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_views.h"

#include "container_query.h"
#include "container_record.h"
#include "event_filter.h"
#include "events.h"
#include "fuzz.h"
#include "http_internal.h"
#include "image_list.h"
#include "info_cache.h"
#include "object_list.h"
#include "pool.h"
#include "timestamp.h"
#include "uri.h"
#include "watchdog.h"

#define NODE_LINES 9

static json_t *loaded(const char *text)
{
    json_t *json = json_loads(text, JSON_ALLOW_NUL, NULL);

    check(json != NULL);
    return json;
}

/* A filter for one of its networks finds it. */
static void check_network_filter(const struct swarm_container *container, const json_t *entry)
{
    struct container_query query = {.all = true, .before_ns = INT64_MAX, .since_ns = INT64_MIN};
    json_t *networks = json_object_get(json_object_get(entry, "NetworkSettings"), "Networks");
    const char *name = json_object_iter_key(json_object_iter(networks));

    if (name == NULL || *name == '\0')
        return;
    query.filters = json_pack("{s:[s]}", "network", name);
    check(container_query_passes(&query, container));
    container_query_clear(&query);
}

static void check_container(const struct swarm_container *container)
{
    const struct container_record *record = container_record(container);
    char status[128], *text = NULL;
    json_t *entry, *name;
    size_t i;

    check(record != NULL && container_state_text(record) != NULL);
    check(container_status_text(record, timestamp_now_ns(), true, status, sizeof(status)) < (int)sizeof(status));
    check(asprintf(&text, "%.*s%s%s", (int)record->entry->head_length, record->entry->text, "Up",
                   record->entry->text + record->entry->head_length) > 0);
    entry = loaded(text);
    check(strcmp(json_string_value(json_object_get(entry, "Status")), "Up") == 0);
    json_array_foreach (json_object_get(entry, "Names"), i, name)
        check(json_string_value(name)[0] == '/' && strchr(json_string_value(name) + 1, '/') != NULL);
    check_network_filter(container, entry);
    json_decref(entry);
    free(text);
}

static void check_containers(struct scene *scene)
{
    struct pool *pool = scene->manager.pool;
    char *written = json_dumps(scene->filters, 0), *escaped = uri_escape(written), *text = NULL;
    struct container_query query;
    struct failure failure = {0};
    struct http_request request = {0};
    size_t count = 0;
    int r;

    check(asprintf(&text, "all=1&filters=%s", escaped) > 0);
    request.query = text;
    r = container_query_read(&query, pool, &request, &failure);
    check(r == 0 || failure.status == 400 || failure.status == 404);
    for (int i = 0; i < ENGINES; i++) {
        const struct swarm_node *node = scene->engines[i]->node;
        const struct swarm_container *container = NULL;

        check(swarm_node_used_memory(node) >= 0 && swarm_node_used_cpus_milli(node) >= 0);
        for (; (container = swarm_node_next_container(node, container)) != NULL; count++) {
            check_container(container);
            if (r == 0)
                container_query_passes(&query, container);
        }
    }
    check(count <= scene->containers);
    for (struct http_parameter *at = request.parameters, *next; at != NULL; at = next) {
        next = at->next;
        free(at->key);
        free(at->value);
        free(at);
    }
    container_query_clear(&query);
    failure_clear(&failure);
    free(text);
    free(escaped);
    free(written);
}

static void check_objects(struct scene *scene)
{
    struct failure failure = {0};
    char *text = NULL;
    size_t length = 0;
    json_t *list;

    if (network_list(scene->manager.pool, scene->filters, &text, &length, &failure) == 0) {
        list = loaded(text);
        check(strlen(text) == length && json_is_array(list) && json_array_size(list) <= scene->networks);
        json_decref(list);
        free(text);
    }
    if (volume_list(scene->manager.pool, scene->filters, &text, &length, &failure) == 0) {
        list = loaded(text);
        check(strlen(text) == length && json_array_size(json_object_get(list, "Volumes")) <= scene->volumes);
        json_decref(list);
        free(text);
    }
    failure_clear(&failure);
}

static void check_images(struct scene *scene)
{
    static char names[ENGINES][8] = {"node-0", "node-1"};
    struct image_query query = {.all = true, .filters = scene->filters};
    struct image_source sources[ENGINES];
    struct failure failure = {0};
    json_t *list, *ids, *image;
    size_t i;

    for (int k = 0; k < ENGINES; k++)
        sources[k] = (struct image_source){names[k], names[k], scene->engines[k]->images};
    if (image_query_check(&query, sources, ENGINES, 1790000000, &failure) == 0) {
        list = image_list(&query, sources, ENGINES);
        ids = json_object();
        check(json_array_size(list) <= scene->images);
        json_array_foreach (list, i, image) {
            const char *id = json_string_value(json_object_get(image, "Id"));

            check(json_object_get(ids, id == NULL ? "" : id) == NULL);
            json_object_set_new(ids, id == NULL ? "" : id, json_true());
            check(json_is_array(json_object_get(image, "RepoTags")));
        }
        json_decref(ids);
        json_decref(list);
    }
    failure_clear(&failure);
}

static void check_info(struct scene *scene)
{
    struct bytes text = {0};
    const struct info_waiting waiting = {watchdog_engine_text, scene->manager.watchdog};
    struct info_totals totals = {0};
    json_t *lines, *line, *shared = NULL;
    size_t i;

    check(bytes_append_text(&text, "[[\"\",\"\"]") == 0);
    check(info_cache_write(scene->manager.pool, &waiting, &text, &totals, &shared) == 0 && totals.nodes == ENGINES);
    check(json_is_object(shared) && bytes_append_text(&text, "]") == 0);
    lines = json_loadb(bytes_at(&text), bytes_length(&text), JSON_ALLOW_NUL, NULL);
    check(json_array_size(lines) > NODE_LINES * ENGINES);
    json_array_foreach (lines, i, line)
        check(json_is_string(json_array_get(line, 0)) && json_is_string(json_array_get(line, 1)));
    json_decref(lines);
    json_decref(shared);
    bytes_free(&text);
}

static void check_events(struct scene *scene)
{
    const struct event_query query = {.since_ns = 0, .until_ns = -1, .filters = scene->filters};
    struct event_listener *listener = NULL;
    const struct event *event;
    size_t count = 0;
    int r;

    check(event_listener_new(&listener, scene->manager.events, &query) == 0);
    while ((r = event_listener_next(listener, &event)) > 0) {
        json_t *object = loaded(event->line);

        check(strlen(event->line) == event->length && event->time_ns >= 0);
        check(json_is_string(json_object_get(json_object_get(object, "node"), "Name")));
        check(json_is_string(json_object_get(object, "from")));
        event_filter_passes(scene->filters, object);
        json_decref(object);
        event_unref(event);
        count++;
    }
    check(r == 0 && count <= scene->events);
    event_listener_free(listener);
}

void engine_views_check(struct scene *scene)
{
    char version[16];

    check_containers(scene);
    check_objects(scene);
    check_images(scene);
    check_info(scene);
    check_events(scene);
    pool_api_version(scene->manager.pool, version);
    check(strlen(version) >= 3);
}
