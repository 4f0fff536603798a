/* SPDX-License-Identifier: Apache-2.0 */
#include "container_query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_record.h"
#include "http_server.h"
#include "json_read.h"

#define TASK_LABEL "com.docker.swarm.task"

static const char *const known_filters[] = {"ancestor", "before",    "exited", "expose", "health",  "id",
                                            "is-task",  "isolation", "label",  "name",   "network", "node",
                                            "publish",  "since",     "status", "volume", NULL};
static const char *const states[] = {"created", "running", "paused", "restarting", "removing", "exited", "dead", NULL};

/* --- reading --- */

static int check_exited(const json_t *filters, struct failure *failure)
{
    json_t *value;
    size_t i;

    json_array_foreach (filters_values(filters, "exited"), i, value) {
        const char *text = json_string_value(value);
        char *end;

        errno = 0;
        (void)strtol(text, &end, 10);
        if (end == text || *end != '\0' || errno != 0)
            return failure_set(failure, 400, "strconv.Atoi: parsing \"%s\": invalid syntax", text);
    }
    return 0;
}

/* A value of `status` is a state or an expression that fits one; what fits none is a mistake. States other than running
 * ask for stopped containers too. */
static int check_status(struct container_query *query, struct failure *failure)
{
    json_t *value;
    size_t i;

    json_array_foreach (query->status.values, i, value) {
        json_t *one = json_pack("{s:[O]}", "status", value);
        struct filter filter = {0};
        bool any = false;

        if (one == NULL || filter_open(&filter, one, "status") < 0) {
            json_decref(one);
            return failure_set(failure, 500, "out of memory");
        }
        for (size_t k = 0; states[k] != NULL; k++) {
            if (filter_match(&filter, states[k])) {
                any = true;
                query->all = query->all || strcmp(states[k], "running") != 0;
            }
        }
        filter_close(&filter);
        json_decref(one);
        if (!any)
            return failure_set(failure, 400, "invalid filter 'status=%s'", json_string_value(value));
    }
    return 0;
}

static int check_is_task(const json_t *filters, struct failure *failure)
{
    json_t *value;
    size_t i;

    json_array_foreach (filters_values(filters, "is-task"), i, value) {
        const char *text = json_string_value(value);

        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return failure_set(failure, 400, "invalid filter 'is-task=%s'", text);
    }
    return 0;
}

static int check_health(const json_t *filters, struct failure *failure)
{
    static const char *const known[] = {"none", "starting", "healthy", "unhealthy"};
    json_t *value;
    size_t i;

    json_array_foreach (filters_values(filters, "health"), i, value) {
        size_t k = 0;

        while (k < sizeof(known) / sizeof(known[0]) && strcmp(known[k], json_string_value(value)) != 0)
            k++;
        if (k == sizeof(known) / sizeof(known[0]))
            return failure_set(failure, 400, "Unrecognised filter value for health: %s", json_string_value(value));
    }
    return 0;
}

static int created_of(struct pool *pool, const char *reference, int64_t *ret_ns, struct failure *failure)
{
    struct swarm_container *container;
    int r;

    pool_read_lock(pool);
    r = swarm_cluster_look_up(pool->cluster, reference, &container, NULL);
    if (r == 0 && container_record(container) != NULL)
        *ret_ns = container_record(container)->created_ns;
    pool_unlock(pool);
    return r == 0 ? 0 : failure_set(failure, 404, "No such container: %s", reference);
}

/* Each of `before` and `since` may be a parameter, a filter, or both. */
static int read_span(struct container_query *query, struct pool *pool, struct http_request *request,
                     struct failure *failure)
{
    static const char *const keys[] = {"before", "since"};

    query->before_ns = INT64_MAX;
    query->since_ns = INT64_MIN;
    for (size_t k = 0; k < 2; k++) {
        const json_t *values = filters_values(query->filters, keys[k]);
        const char *parameter = http_request_query(request, keys[k]);
        int64_t *bound = k == 0 ? &query->before_ns : &query->since_ns;

        if (json_array_size(values) > 1)
            return failure_set(failure, 400, "invalid filter '%s': only one value is allowed", keys[k]);
        if (values != NULL && created_of(pool, json_string_value(json_array_get(values, 0)), bound, failure) < 0)
            return -1;
        if (parameter != NULL && parameter[0] != '\0') {
            query->span = true;
            if (created_of(pool, parameter, bound, failure) < 0)
                return -1;
        }
    }
    return 0;
}

int container_query_read(struct container_query *query, struct pool *pool, struct http_request *request,
                         struct failure *failure)
{
    const char *limit = http_request_query(request, "limit");

    memset(query, 0, sizeof(*query));
    query->all = http_request_query_bool(request, "all");
    query->size = http_request_query_bool(request, "size");
    query->limit = limit == NULL ? 0 : strtol(limit, NULL, 10);
    if (filters_parse(&query->filters, http_request_query(request, "filters"), failure) < 0 ||
        filters_check(query->filters, known_filters, failure) < 0)
        return -1;
    if (filter_open(&query->name, query->filters, "name") < 0 || filter_open(&query->id, query->filters, "id") < 0 ||
        filter_open(&query->status, query->filters, "status") < 0 ||
        filter_open(&query->node, query->filters, "node") < 0)
        return failure_set(failure, 500, "out of memory");
    if (check_exited(query->filters, failure) < 0 || check_status(query, failure) < 0 ||
        check_is_task(query->filters, failure) < 0 || check_health(query->filters, failure) < 0)
        return -1;
    query->plain = json_object_size(query->filters) == 0;
    return read_span(query, pool, request, failure);
}

void container_query_clear(struct container_query *query)
{
    filter_close(&query->name);
    filter_close(&query->id);
    filter_close(&query->status);
    filter_close(&query->node);
    json_decref(query->filters);
    json_decref(query->live);
    query->filters = NULL;
    query->live = NULL;
}

/* --- matching --- */

static const char *label_of(const void *data, const char *key)
{
    return swarm_request_label(data, key);
}

/* The image, cut at the first colon, is "swarm": agents and managers in containers are not shown by default. */
static bool is_swarm_itself(const struct swarm_request *request)
{
    const char *image = swarm_request_image(request);

    return image != NULL && strncmp(image, "swarm", 5) == 0 && (image[5] == '\0' || image[5] == ':');
}

static bool name_passes(const struct container_query *query, const char *name)
{
    char slashed[300];

    if (query->name.values == NULL || filter_match(&query->name, name))
        return true;
    snprintf(slashed, sizeof(slashed), "/%s", name);
    return filter_match(&query->name, slashed);
}

static bool exited_passes(const json_t *filters, const struct container_record *record)
{
    const json_t *values = filters_values(filters, "exited");
    json_t *value;
    size_t i;

    if (values == NULL)
        return true;
    if (record->running || record->started_ns == 0)
        return false;
    json_array_foreach (values, i, value) {
        if (strtol(json_string_value(value), NULL, 10) == record->exit_code)
            return true;
    }
    return false;
}

static bool on_network(const json_t *entry, const json_t *wanted)
{
    json_t *networks = json_object_get(json_object_get(entry, "NetworkSettings"), "Networks");
    const char *name, *id;
    json_t *network, *value;
    size_t i;

    json_object_foreach (networks, name, network) {
        id = json_string_value(json_object_get(network, "NetworkID"));
        json_array_foreach (wanted, i, value) {
            const char *text = json_string_value(value);

            if (strcmp(text, name) == 0 || (text[0] != '\0' && id != NULL && strncmp(id, text, strlen(text)) == 0))
                return true;
        }
    }
    return false;
}

static bool has_volume(const json_t *entry, const json_t *filters)
{
    json_t *mount;
    size_t i;

    json_array_foreach (json_object_get(entry, "Mounts"), i, mount) {
        const char *name = json_string_value(json_object_get(mount, "Name"));
        const char *destination = json_string_value(json_object_get(mount, "Destination"));

        if ((name != NULL && filters_exact(filters, "volume", name)) ||
            (destination != NULL && filters_exact(filters, "volume", destination)))
            return true;
    }
    return false;
}

/* Filters on what is only in the list entry: it is read again for them. */
static bool entry_passes(const struct container_query *query, const struct container_record *record)
{
    const json_t *networks = filters_values(query->filters, "network");
    bool volumes = filters_values(query->filters, "volume") != NULL;
    json_t *entry;
    bool passes;

    if (networks == NULL && !volumes)
        return true;
    entry =
        json_read(record->entry->text, record->entry->head_length + record->entry->tail_length, JSON_ALLOW_NUL, NULL);
    passes = entry != NULL && (networks == NULL || on_network(entry, networks)) &&
             (!volumes || has_volume(entry, query->filters));
    json_decref(entry);
    return passes;
}

static bool shown_by_default(const struct container_query *query, const struct container_record *record)
{
    if (query->span || query->limit > 0)
        return true;
    return record->running && record->engine->state == ENGINE_HEALTHY;
}

static bool filters_pass(const struct container_query *query, const struct swarm_container *container,
                         const struct container_record *record, const struct swarm_request *request)
{
    const char *node = record->engine->name == NULL ? "" : record->engine->name;

    return filter_match(&query->node, node) && name_passes(query, swarm_container_name(container)) &&
           filter_match(&query->id, swarm_container_id(container)) &&
           (query->status.values == NULL || filter_match(&query->status, container_state_text(record))) &&
           filters_exact(query->filters, "health", record->health[0] == '\0' ? "none" : record->health) &&
           filters_exact(query->filters, "is-task",
                         swarm_request_label(request, TASK_LABEL) == NULL ? "false" : "true") &&
           filters_labels(query->filters, "label", label_of, request) && exited_passes(query->filters, record) &&
           entry_passes(query, record);
}

bool container_query_passes(const struct container_query *query, const struct swarm_container *container)
{
    const struct container_record *record = container_record(container);
    const struct swarm_request *request = swarm_container_request(container);

    if (record == NULL || record->entry == NULL)
        return false; /* created a moment ago: its engine has not told of it yet */
    if (!query->all && (!shown_by_default(query, record) || is_swarm_itself(request)))
        return false;
    /* A time that is too far to be counted is INT64_MAX, too. */
    if ((query->before_ns != INT64_MAX && record->created_ns >= query->before_ns) ||
        record->created_ns <= query->since_ns)
        return false;
    if (query->live_filters && json_object_get(query->live, swarm_container_id(container)) == NULL)
        return false;
    return query->plain || filters_pass(query, container, record, request);
}
