/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "broadcast.h"
#include "filters.h"
#include "http_server.h"
#include "image_list.h"
#include "log.h"

#define ENGINE_TIMEOUT_MS 30000

struct survey {
    const char *path;            /* to ask the engines for; NULL: what the pool knows will do */
    struct broadcast *broadcast; /* to all validated engines */
    struct image_source *sources;
};

static void survey_clear(struct survey *survey)
{
    for (size_t i = 0; survey->sources != NULL && i < survey->broadcast->count; i++) {
        json_decref(survey->sources[i].images);
        free(survey->sources[i].node);
        free(survey->sources[i].node_id);
    }
    free(survey->sources);
    broadcast_free(survey->broadcast);
}

/* What the pool knows of each. -1 for lack of memory. */
static int take_known(struct survey *survey, struct pool *pool)
{
    int r = 0;

    pool_read_lock(pool);
    for (size_t i = 0; i < survey->broadcast->count; i++) {
        const struct broadcast_answer *answer = &survey->broadcast->answers[i];
        struct image_source *source = &survey->sources[i];

        source->images = json_incref(answer->engine->images);
        source->node = strdup(answer->node);
        source->node_id = strdup(answer->engine->id == NULL ? "" : answer->engine->id);
        if (source->node == NULL || source->node_id == NULL)
            r = -1;
    }
    pool_unlock(pool);
    return r;
}

static void take_images(void *data, const struct broadcast_answer *answer, json_t *json)
{
    struct survey *survey = data;
    struct image_source *source = &survey->sources[answer - survey->broadcast->answers];

    if (!json_is_array(json))
        return;
    json_decref(source->images);
    source->images = json_incref(json);
}

/* What each has now; who does not say is taken to have what it had. */
static int take_asked(struct survey *survey, struct call *call, struct failure *failure)
{
    struct broadcast_order order = {.method = "GET", .path = survey->path, .timeout_ms = ENGINE_TIMEOUT_MS};
    struct failure missing = {0};

    if (broadcast_run(survey->broadcast, call, &order, failure) < 0)
        return -1;
    broadcast_each_json(survey->broadcast, take_images, survey);
    if (broadcast_failure(survey->broadcast, true, &missing) < 0)
        log_warn("Not all engines could list their images: %s", missing.message);
    failure_clear(&missing);
    return 0;
}

static int survey_take(struct survey *survey, struct call *call, struct failure *failure)
{
    if (broadcast_new(&survey->broadcast, call->manager, NULL, NULL) == 0)
        survey->sources = calloc(survey->broadcast->count + 1, sizeof(survey->sources[0]));
    if (survey->sources == NULL || take_known(survey, call->manager->pool) < 0)
        return failure_set(failure, 500, "out of memory");
    return survey->path == NULL ? 0 : take_asked(survey, call, failure);
}

/* What changed in the API between the versions that clients speak. */
static void shape(json_t *list, struct api_version version)
{
    json_t *image;
    size_t i;

    json_array_foreach (list, i, image) {
        image_shape(image, version.minor);
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
        r = survey_take(&survey, call, &failure);
        if (r == 0)
            r = image_query_check(&query, survey.sources, survey.broadcast->count, time(NULL), &failure);
        if (r == 0)
            list = image_list(&query, survey.sources, survey.broadcast->count);
        survey_clear(&survey);
    }
    json_decref(filters);
    if (r < 0)
        return api_reply_failure(call, &failure);
    shape(list, api_client_version(call));
    return api_reply_json(call, 200, list);
}
