/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "fanout.h"
#include "filters.h"
#include "http_server.h"
#include "image_list.h"
#include "log.h"

#define ENGINE_TIMEOUT_MS 30000

struct survey {
    const char *path; /* to ask the engines for; NULL: what the pool knows will do */
    struct engine **engines;
    struct image_source *sources;
    size_t count;
};

static void ask(void *data, struct engine *engine, size_t index)
{
    struct survey *survey = data;
    struct failure failure = {0};
    struct http_result result = {0};
    json_t *images = NULL;

    if (engine_call(engine, "GET", survey->path, NULL, NULL, 0, ENGINE_TIMEOUT_MS, &result, &failure) == 0)
        images = api_load_json(result.body, result.length);
    else
        log_warn_with(LOG_FIELDS({"addr", engine->address}), "The engine could not list its images: %s",
                      failure.message == NULL ? "out of memory" : failure.message);
    if (json_is_array(images)) {
        json_decref(survey->sources[index].images);
        survey->sources[index].images = images;
    } else {
        json_decref(images);
    }
    http_result_clear(&result);
    failure_clear(&failure);
}

static void survey_clear(struct survey *survey)
{
    for (size_t i = 0; survey->sources != NULL && i < survey->count; i++) {
        json_decref(survey->sources[i].images);
        free(survey->sources[i].node);
        free(survey->sources[i].node_id);
    }
    free(survey->sources);
    fanout_release(survey->engines, survey->count);
}

/* What each validated engine has, as the pool knows it, or asked just now. -1 for lack of memory. */
static int survey_take(struct survey *survey, struct pool *pool)
{
    int r = 0;

    survey->engines = pool_engines(pool, false, &survey->count);
    survey->sources = calloc(survey->count + 1, sizeof(survey->sources[0]));
    if (survey->sources == NULL)
        return -1;
    pool_read_lock(pool);
    for (size_t i = 0; i < survey->count; i++) {
        const struct engine *engine = survey->engines[i];
        struct image_source *source = &survey->sources[i];

        source->images = json_incref(engine->images);
        source->node = strdup(engine->name == NULL ? "" : engine->name);
        source->node_id = strdup(engine->id == NULL ? "" : engine->id);
        if (source->node == NULL || source->node_id == NULL)
            r = -1;
    }
    pool_unlock(pool);
    if (r == 0 && survey->path != NULL)
        fanout(survey->engines, survey->count, ask, survey);
    return r;
}

/* What changed in the API between the versions that clients speak. */
static void shape(json_t *list, struct api_version version)
{
    json_t *image;
    size_t i;

    json_array_foreach (list, i, image) {
        if (version.minor >= 44)
            json_object_del(image, "VirtualSize");
        else if (json_object_get(image, "VirtualSize") == NULL)
            json_object_set(image, "VirtualSize", json_object_get(image, "Size"));
        if (version.minor < 43 && json_array_size(json_object_get(image, "RepoTags")) == 0 &&
            json_array_size(json_object_get(image, "RepoDigests")) == 0) {
            json_object_set_new(image, "RepoTags", json_pack("[s]", "<none>:<none>"));
            json_object_set_new(image, "RepoDigests", json_pack("[s]", "<none>@<none>"));
        }
    }
}

/* The deprecated parameter `filter`, a name, up to 1.27. */
static void add_old_filter(struct call *call, json_t *filters)
{
    const char *name = http_request_query(call->request, "filter");
    struct api_version version = api_client_version(call);
    json_t *values = json_object_get(filters, "reference");

    if (name == NULL || name[0] == '\0' || version.minor >= 28)
        return;
    if (values == NULL)
        json_object_set_new(filters, "reference", json_pack("[s]", name));
    else
        json_array_append_new(values, json_string(name));
}

static const char *live_path(struct call *call)
{
    static const char *const paths[] = {NULL, "/images/json?all=1&shared-size=1", "/images/json?all=1&manifests=1",
                                        "/images/json?all=1&shared-size=1&manifests=1"};
    int shared = http_request_query_bool(call->request, "shared-size");
    int manifests = http_request_query_bool(call->request, "manifests");

    return paths[shared + 2 * manifests];
}

int api_images_list(struct call *call)
{
    struct image_query query = {.all = http_request_query_bool(call->request, "all")};
    struct survey survey = {.path = live_path(call)};
    struct failure failure = {0};
    json_t *filters = NULL, *list = NULL;
    int r = filters_parse(&filters, http_request_query(call->request, "filters"), &failure);

    if (r == 0) {
        add_old_filter(call, filters);
        query.filters = filters;
        if (survey_take(&survey, call->manager->pool) < 0)
            r = failure_set(&failure, 500, "out of memory");
        if (r == 0)
            r = image_query_check(&query, survey.sources, survey.count, time(NULL), &failure);
        if (r == 0)
            list = image_list(&query, survey.sources, survey.count);
        survey_clear(&survey);
    }
    json_decref(filters);
    if (r < 0)
        return api_reply_failure(call, &failure);
    shape(list, api_client_version(call));
    return api_reply_json(call, 200, list);
}
