/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what is not in use, on all nodes: each engine does its own, the answers are one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "broadcast.h"
#include "filters.h"
#include "http_server.h"
#include "log.h"
#include "pool.h"
#include "uri.h"

#define VOLUME_TIMEOUT_MS 60000

/* What is pruned, and what its answer is made of. */
struct kind {
    const char *path;
    const char *removed; /* the member that lists it */
    bool takes_space;
    bool images; /* several nodes have the same, which is told once, and the pool is to look at them again */
    /* The pool forgets it at once, as it is called by its engine, and calls it (new reference) as lists do. NULL: as
     * it is. */
    json_t *(*forget)(struct pool *pool, const struct broadcast_answer *answer, const char *name);
};

/* --- what was removed --- */

static json_t *forget_container(struct pool *pool, const struct broadcast_answer *answer, const char *id)
{
    pool_apply_removal(pool, answer->engine, pool_ticket(pool), id);
    return json_string(id);
}

static bool is_local(struct pool *pool, const struct object_table *table, const char *name)
{
    const struct object_record *record;
    bool local;

    pool_read_lock(pool);
    record = object_table_find(table, name);
    local = record == NULL || record->local;
    pool_unlock(pool);
    return local;
}

static json_t *listed_name(const struct broadcast_answer *answer, const char *name, bool local)
{
    return local ? json_sprintf("%s/%s", answer->node, name) : json_string(name);
}

static json_t *forget_network(struct pool *pool, const struct broadcast_answer *answer, const char *name)
{
    bool local = is_local(pool, &answer->engine->networks, name);

    pool_drop_network(pool, answer->engine, name);
    return listed_name(answer, name, local);
}

static json_t *forget_volume(struct pool *pool, const struct broadcast_answer *answer, const char *name)
{
    bool local = is_local(pool, &answer->engine->volumes, name);

    pool_drop_volume(pool, answer->engine, name);
    return listed_name(answer, name, local);
}

/* --- answers into one --- */

struct pruned {
    const struct kind *kind;
    struct pool *pool;
    json_t *removed;
    json_int_t bytes;
};

static bool has(const json_t *list, const json_t *value)
{
    json_t *known;
    size_t i;

    json_array_foreach (list, i, known) {
        if (json_equal(known, value))
            return true;
    }
    return false;
}

static void take_one(struct pruned *pruned, const struct broadcast_answer *answer, json_t *value)
{
    const struct kind *kind = pruned->kind;

    if (kind->forget != NULL && json_is_string(value))
        json_array_append_new(pruned->removed, kind->forget(pruned->pool, answer, json_string_value(value)));
    else if (!kind->images || !has(pruned->removed, value))
        json_array_append(pruned->removed, value);
}

static void take(void *data, const struct broadcast_answer *answer, json_t *json)
{
    struct pruned *pruned = data;
    json_t *value;
    size_t i;

    json_array_foreach (json_object_get(json, pruned->kind->removed), i, value)
        take_one(pruned, answer, value);
    pruned->bytes += json_integer_value(json_object_get(json, "SpaceReclaimed"));
}

/* What went wrong where it did; a node that is lost does not make it a failure where others have done it. */
static int judge(const struct broadcast *broadcast, const struct pruned *pruned, struct failure *failure)
{
    size_t successes = broadcast_successes(broadcast);
    char *words;

    broadcast_log_left_out(broadcast);
    if (broadcast_failure(broadcast, successes == 0, failure) == 0)
        return 0;
    if (failure->message == NULL || successes == 0)
        return -1;
    words = failure->message;
    failure->message = NULL;
    failure_set(failure, failure->status, "%s; reclaimed %lld bytes on other nodes", words, (long long)pruned->bytes);
    free(words);
    return -1;
}

static json_t *answer_of(struct pruned *pruned)
{
    json_t *answer = json_pack("{s:O}", pruned->kind->removed, pruned->removed);

    if (pruned->kind->takes_space)
        json_object_set_new(answer, "SpaceReclaimed", json_integer(pruned->bytes));
    return answer;
}

/* Ask those that @p chosen accepts (NULL: all). */
static int ask(struct call *call, const char *query, bool (*chosen)(void *data, const struct engine *engine),
               struct pruned *pruned, struct failure *failure)
{
    struct broadcast_order order = {.method = "POST", .version = call->version};
    struct broadcast *broadcast = NULL;
    char *path = NULL;
    int r;

    if (asprintf(&path, "%s%s%s", pruned->kind->path, query[0] == '\0' ? "" : "?", query) < 0 ||
        broadcast_new(&broadcast, call->manager, chosen, NULL) < 0) {
        r = failure_set(failure, 500, "out of memory");
    } else if (broadcast_asked(broadcast) == 0) {
        r = chosen == NULL ? broadcast_nobody(broadcast, failure) : 0;
    } else {
        order.path = path;
        r = broadcast_run(broadcast, call, &order, failure);
        if (r == 0 && pruned->kind->images)
            broadcast_refresh_images(broadcast, call);
        if (r == 0)
            broadcast_each_json(broadcast, take, pruned);
        if (r == 0)
            r = judge(broadcast, pruned, failure);
    }
    broadcast_free(broadcast);
    free(path);
    return r;
}

static int reply(struct call *call, struct pruned *pruned, int r, struct failure *failure)
{
    r = r == 0 ? api_reply_json(call, 200, answer_of(pruned)) : api_reply_failure(call, failure);
    json_decref(pruned->removed);
    return r;
}

static int prune(struct call *call, const struct kind *kind)
{
    struct pruned pruned = {.kind = kind, .pool = call->manager->pool, .removed = json_array()};
    struct failure failure = {0};
    int r = pruned.removed == NULL ? failure_set(&failure, 500, "out of memory")
                                   : ask(call, http_request_query_string(call->request), NULL, &pruned, &failure);

    return reply(call, &pruned, r, &failure);
}

int api_containers_prune(struct call *call)
{
    static const struct kind kind = {"/containers/prune", "ContainersDeleted", true, false, forget_container};

    return prune(call, &kind);
}

int api_images_prune(struct call *call)
{
    static const struct kind kind = {"/images/prune", "ImagesDeleted", true, true, NULL};

    return prune(call, &kind);
}

int api_networks_prune(struct call *call)
{
    static const struct kind kind = {"/networks/prune", "NetworksDeleted", false, false, forget_network};

    return prune(call, &kind);
}

int api_build_prune(struct call *call)
{
    static const struct kind kind = {"/build/prune", "CachesDeleted", true, false, NULL};

    return prune(call, &kind);
}

/* --- volumes: before API 1.42 a prune takes those that have a name, too, which today's clients do not expect --- */

static bool is_old(void *data, const struct engine *engine)
{
    return api_version_compare(engine->api_max, (struct api_version){1, 42}) < 0;
}

static bool is_new(void *data, const struct engine *engine)
{
    return !is_old(data, engine);
}

static bool asks_for_all(const json_t *filters)
{
    const json_t *values = filters_values(filters, "all");
    const char *value = json_string_value(json_array_get(values, 0));

    return value != NULL && strcmp(value, "false") != 0 && strcmp(value, "0") != 0;
}

/* "filters=…" with @p filters less @p key. New text, NULL for lack of memory. */
static char *query_without(json_t *filters, const char *key)
{
    char *text, *escaped, *query = NULL;

    json_object_del(filters, key);
    text = json_dumps(filters, JSON_COMPACT);
    escaped = text == NULL ? NULL : uri_escape(text);
    if (escaped != NULL && asprintf(&query, "filters=%s", escaped) < 0)
        query = NULL;
    free(escaped);
    free(text);
    return query;
}

/* A name that an engine has made up. */
static bool is_anonymous(const char *name)
{
    return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

static const char *label_of(const void *data, const char *key)
{
    return json_string_value(json_object_get(data, key));
}

static bool labels_pass(const json_t *filters, const json_t *labels)
{
    return filters_labels(filters, "label", label_of, labels) &&
           (filters_values(filters, "label!") == NULL || !filters_labels(filters, "label!", label_of, labels));
}

/* One of the volumes that an old engine lists as not in use. It stays where somebody came to use it. */
struct old_round {
    struct pruned *pruned;
    const json_t *filters;
};

static void remove_anonymous(struct old_round *round, const struct broadcast_answer *answer, const char *name)
{
    struct failure failure = {0};
    struct http_result result = {0};
    char *path;

    if (asprintf(&path, "/volumes/%s", name) < 0)
        return;
    if (engine_call(answer->engine, "DELETE", path, NULL, NULL, 0, VOLUME_TIMEOUT_MS, &result, &failure) == 0) {
        json_t *value = json_string(name);

        take_one(round->pruned, answer, value);
        json_decref(value);
    } else {
        log_warn_with(LOG_FIELDS({"name", answer->node}), "The volume %s was not removed: %s", name,
                      failure.message == NULL ? "out of memory" : failure.message);
    }
    http_result_clear(&result);
    failure_clear(&failure);
    free(path);
}

static void take_dangling(void *data, const struct broadcast_answer *answer, json_t *json)
{
    struct old_round *round = data;
    json_t *volume;
    size_t i;

    json_array_foreach (json_object_get(json, "Volumes"), i, volume) {
        const char *name = json_string_value(json_object_get(volume, "Name"));

        if (name != NULL && is_anonymous(name) && labels_pass(round->filters, json_object_get(volume, "Labels")))
            remove_anonymous(round, answer, name);
    }
}

/* What newer engines do of themselves. */
static int prune_anonymous(struct call *call, const json_t *filters, struct pruned *pruned, struct failure *failure)
{
    static const struct broadcast_order order = {.method = "GET",
                                                 .path = "/volumes?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D"};
    struct old_round round = {pruned, filters};
    struct broadcast *broadcast;
    int r = 0;

    if (broadcast_new(&broadcast, call->manager, is_old, NULL) < 0)
        return failure_set(failure, 500, "out of memory");
    if (broadcast_asked(broadcast) > 0)
        r = broadcast_run(broadcast, call, &order, failure);
    if (r == 0) {
        broadcast_each_json(broadcast, take_dangling, &round);
        r = judge(broadcast, pruned, failure);
    }
    broadcast_free(broadcast);
    return r;
}

static int prune_old(struct call *call, struct pruned *pruned, struct failure *failure)
{
    json_t *filters;
    char *query;
    int r = filters_parse(&filters, http_request_query(call->request, "filters"), failure);

    if (r < 0)
        return -1;
    if (asks_for_all(filters)) {
        query = query_without(filters, "all");
        r = query == NULL ? failure_set(failure, 500, "out of memory") : ask(call, query, is_old, pruned, failure);
        free(query);
    } else {
        r = prune_anonymous(call, filters, pruned, failure);
    }
    json_decref(filters);
    return r;
}

int api_volumes_prune(struct call *call)
{
    static const struct kind kind = {"/volumes/prune", "VolumesDeleted", true, false, forget_volume};
    struct pruned pruned = {.kind = &kind, .pool = call->manager->pool, .removed = json_array()};
    struct failure failure = {0};
    int r;

    if (api_client_version(call).minor < 42) {
        json_decref(pruned.removed);
        return prune(call, &kind);
    }
    r = ask(call, http_request_query_string(call->request), is_new, &pruned, &failure);
    if (r == 0)
        r = prune_old(call, &pruned, &failure);
    return reply(call, &pruned, r, &failure);
}
