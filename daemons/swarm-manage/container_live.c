/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a container list that only the engines can answer. */
#include "container_query.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanout.h"
#include "http_client.h"
#include "json_read.h"
#include "log.h"
#include "uri.h"

#define ENGINE_TIMEOUT_MS 30000

static const char *const live_keys[] = {"ancestor", "publish", "expose", "isolation"};

struct question {
    const char *path;
    pthread_mutex_t lock; /* guards found */
    json_t *found;
    struct failure refusal; /* of the first engine that found fault with the filters; status 0: none did */
};

static void take_answer(struct question *question, const struct http_result *result)
{
    json_t *list = json_read(result->body, result->length, JSON_ALLOW_NUL, NULL);
    json_t *entry;
    size_t i;

    pthread_mutex_lock(&question->lock);
    json_array_foreach (list, i, entry) {
        const char *id = json_string_value(json_object_get(entry, "Id"));

        if (id != NULL)
            json_object_set(question->found, id, entry);
    }
    pthread_mutex_unlock(&question->lock);
    json_decref(list);
}

/* A port that is none makes engines answer 500. */
static bool finds_fault(const struct http_result *result)
{
    return result->status == 400 || (result->status == 500 && result->body != NULL &&
                                     strstr(result->body, "error while looking up for ") != NULL);
}

static void ask(void *data, struct engine *engine, size_t index)
{
    struct question *question = data;
    struct failure failure = {0};
    struct http_result result = {0};

    if (engine_call(engine, "GET", question->path, NULL, NULL, 0, ENGINE_TIMEOUT_MS, &result, &failure) == 0) {
        take_answer(question, &result);
    } else if (result.failure == HTTP_OK && finds_fault(&result)) {
        pthread_mutex_lock(&question->lock);
        if (question->refusal.status == 0)
            failure_set(&question->refusal, 400, "%s", failure.message == NULL ? "bad filters" : failure.message);
        pthread_mutex_unlock(&question->lock);
    } else {
        log_warn_with(LOG_FIELDS({"addr", engine->address}), "The engine could not list its containers: %s",
                      failure.message == NULL ? "out of memory" : failure.message);
    }
    http_result_clear(&result);
    failure_clear(&failure);
}

/* The filters to pass on, as the value of the parameter; NULL for lack of memory. */
static char *live_filters(const struct container_query *query)
{
    json_t *filters = json_object();
    char *text, *escaped;

    for (size_t i = 0; i < sizeof(live_keys) / sizeof(live_keys[0]); i++) {
        if (filters_values(query->filters, live_keys[i]) != NULL)
            json_object_set(filters, live_keys[i], json_object_get(query->filters, live_keys[i]));
    }
    text = json_dumps(filters, JSON_COMPACT);
    escaped = text == NULL ? NULL : uri_escape(text);
    free(text);
    json_decref(filters);
    return escaped;
}

static char *live_path(const struct container_query *query)
{
    char *filters = live_filters(query);
    char *path = NULL;

    if (filters != NULL &&
        asprintf(&path, "/containers/json?all=1%s&filters=%s", query->size ? "&size=1" : "", filters) < 0)
        path = NULL;
    free(filters);
    return path;
}

int container_query_ask_engines(struct container_query *query, struct pool *pool, struct failure *failure)
{
    struct question question = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct engine **engines;
    size_t count = 0;
    char *path;

    for (size_t i = 0; i < sizeof(live_keys) / sizeof(live_keys[0]); i++)
        query->live_filters = query->live_filters || filters_values(query->filters, live_keys[i]) != NULL;
    if (!query->live_filters && !query->size)
        return 0;
    path = live_path(query);
    question.path = path;
    question.found = json_object();
    if (path == NULL || question.found == NULL) {
        free(path);
        json_decref(question.found);
        return failure_set(failure, 500, "out of memory");
    }
    engines = pool_engines(pool, true, &count);
    fanout(engines, count, ask, &question);
    fanout_release(engines, count);
    free(path);
    query->live = question.found;
    if (question.refusal.status == 0)
        return 0;
    *failure = question.refusal;
    return -1;
}
