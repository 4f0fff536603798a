/* SPDX-License-Identifier: Apache-2.0 */
/* What takes space on the disks of all nodes. Nothing is counted once that is on two nodes: it takes space on both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "broadcast.h"
#include "http_server.h"
#include "image_list.h"
#include "saturate.h"

#define DF_TIMEOUT_MS 30000 /* engines count, and that may take long */

static void rename_container(json_t *entry, const char *node, int minor)
{
    json_t *names = json_object_get(entry, "Names"), *name;
    size_t i;

    json_array_foreach (names, i, name) {
        const char *text = json_string_value(name);

        if (text != NULL && node != NULL)
            json_array_set_new(names, i, json_sprintf("/%s%s%s", node, text[0] == '/' ? "" : "/", text));
    }
}

static void rename_volume(json_t *entry, const char *node, int minor)
{
    const char *name = json_string_value(json_object_get(entry, "Name"));
    const char *driver = json_string_value(json_object_get(entry, "Driver"));

    if (node != NULL && name != NULL && driver != NULL && strcmp(driver, "local") == 0)
        json_object_set_new(entry, "Name", json_sprintf("%s/%s", node, name));
}

static void shape_image(json_t *entry, const char *node, int minor)
{
    image_shape(entry, minor);
}

/* The lists of the answer, the kinds that clients ask for them by (`type`, from API 1.42), and how entries are shown on
 * a pool, in API version 1.@p minor (@p node: NULL where names do not tell it). */
static const struct {
    const char *key, *type;
    void (*show)(json_t *entry, const char *node, int minor);
} lists[] = {
    {"Images", "image", shape_image},
    {"Containers", "container", rename_container},
    {"Volumes", "volume", rename_volume},
    {"BuildCache", "build-cache", NULL},
};

struct usage {
    json_t *answer;
    json_int_t layers, builder;
    int minor;   /* of the client's API version */
    bool prefix; /* names have their node in front */
};

/* Nothing is asked for: all of it. Older engines answer with all in any case. */
static bool is_asked_for(struct call *call, const char *type)
{
    const char *value;

    if (http_request_query_at(call->request, "type", 0) == NULL || api_client_version(call).minor < 42)
        return true;
    for (size_t i = 0; (value = http_request_query_at(call->request, "type", i)) != NULL; i++) {
        if (strcmp(value, type) == 0)
            return true;
    }
    return false;
}

static int check_types(struct call *call, struct failure *failure)
{
    const char *value;

    for (size_t i = 0;
         api_client_version(call).minor >= 42 && (value = http_request_query_at(call->request, "type", i)) != NULL;
         i++) {
        size_t k = 0;

        while (k < sizeof(lists) / sizeof(lists[0]) && strcmp(lists[k].type, value) != 0)
            k++;
        if (k == sizeof(lists) / sizeof(lists[0]))
            return failure_set(failure, 400, "unknown object type: %s", value);
    }
    return 0;
}

static void take(void *data, const struct broadcast_answer *answer, json_t *json)
{
    struct usage *usage = data;

    usage->layers = saturating_add(usage->layers, json_integer_value(json_object_get(json, "LayersSize")));
    usage->builder = saturating_add(usage->builder, json_integer_value(json_object_get(json, "BuilderSize")));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        json_t *list = json_object_get(usage->answer, lists[i].key);
        json_t *entry;
        size_t k;

        json_array_foreach (json_object_get(json, lists[i].key), k, entry) {
            if (list == NULL)
                break;
            if (lists[i].show != NULL)
                lists[i].show(entry, usage->prefix ? answer->node : NULL, usage->minor);
            json_array_append(list, entry);
        }
    }
}

static int ask(struct call *call, struct broadcast *broadcast, const char *path, struct usage *usage,
               struct failure *failure)
{
    struct broadcast_order order = {
        .method = "GET", .path = path, .version = call->version, .timeout_ms = DF_TIMEOUT_MS};

    if (broadcast_asked(broadcast) == 0)
        return broadcast_nobody(broadcast, failure);
    if (broadcast_run(broadcast, call, &order, failure) < 0)
        return -1;
    broadcast_each_json(broadcast, take, usage);
    broadcast_log_left_out(broadcast);
    return broadcast_successes(broadcast) > 0 ? 0 : broadcast_failure(broadcast, true, failure);
}

/* With the lists that are asked for, empty; NULL for lack of memory. */
static json_t *empty_answer(struct call *call)
{
    json_t *answer = json_pack("{s:i}", "LayersSize", 0);

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (is_asked_for(call, lists[i].type))
            json_object_set_new(answer, lists[i].key, json_array());
    }
    return answer;
}

int api_system_df(struct call *call)
{
    const char *query = http_request_query_string(call->request);
    struct usage usage = {.minor = api_client_version(call).minor,
                          .prefix = call->manager->options.node_prefix != NODE_PREFIX_NEVER};
    struct failure failure = {0};
    struct broadcast *broadcast = NULL;
    char *path = NULL;
    int r;

    if (check_types(call, &failure) < 0)
        return api_reply_failure(call, &failure);
    usage.answer = empty_answer(call);
    if (usage.answer == NULL || asprintf(&path, "/system/df%s%s", query[0] == '\0' ? "" : "?", query) < 0 ||
        broadcast_new(&broadcast, call->manager, NULL, NULL) < 0)
        r = failure_set(&failure, 500, "out of memory");
    else
        r = ask(call, broadcast, path, &usage, &failure);
    broadcast_free(broadcast);
    free(path);
    if (r < 0) {
        json_decref(usage.answer);
        return api_reply_failure(call, &failure);
    }
    if (is_asked_for(call, "image"))
        json_object_set_new(usage.answer, "LayersSize", json_integer(usage.layers));
    if (usage.minor < 42)
        json_object_set_new(usage.answer, "BuilderSize", json_integer(usage.builder));
    return api_reply_json(call, 200, usage.answer);
}
