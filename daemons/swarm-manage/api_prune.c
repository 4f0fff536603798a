/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what is not in use, on all nodes: each engine does its own, the answers are one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "broadcast.h"
#include "fanout.h"
#include "filters.h"
#include "http_server.h"
#include "log.h"
#include "pool.h"
#include "saturate.h"
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
    bool prefix = answer->engine->manager->options.node_prefix != NODE_PREFIX_NEVER;

    return local && prefix ? json_sprintf("%s/%s", answer->node, name) : json_string(name);
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
    bool plain = pruned->pool->manager->options.node_prefix == NODE_PREFIX_NEVER;
    json_t *shown = kind->forget != NULL && json_is_string(value)
                        ? kind->forget(pruned->pool, answer, json_string_value(value))
                        : json_incref(value);

    /* Plain names may be those of several nodes. */
    if (!(kind->images || (kind->forget != NULL && plain)) || !has(pruned->removed, shown))
        json_array_append(pruned->removed, shown);
    json_decref(shown);
}

static void take(void *data, const struct broadcast_answer *answer, json_t *json)
{
    struct pruned *pruned = data;
    json_t *value;
    size_t i;

    json_array_foreach (json_object_get(json, pruned->kind->removed), i, value)
        take_one(pruned, answer, value);
    pruned->bytes = saturating_add(pruned->bytes, json_integer_value(json_object_get(json, "SpaceReclaimed")));
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

/* Else nobody is asked, which is no success. */
static bool somebody_is_well(struct pool *pool)
{
    size_t count = 0;

    fanout_release(pool_engines(pool, true, &count), count);
    return count > 0;
}

/* --- builds: up to API 1.47 there is one amount of space to keep, keep-storage --- */

static const struct api_version more_amounts = {1, 48};

static bool knows_one_amount(void *data, const struct engine *engine)
{
    return api_version_compare(engine->api_max, more_amounts) < 0;
}

static bool knows_more_amounts(void *data, const struct engine *engine)
{
    return !knows_one_amount(data, engine);
}

static long long amount_of(struct call *call, const char *key)
{
    const char *text = http_request_query(call->request, key);

    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

/* What an engine that does not know the client's limits has to keep, so that it does not remove everything. */
static int prune_with_one_amount(struct call *call, struct pruned *pruned, struct failure *failure)
{
    long long keep = amount_of(call, "reserved-space"), most = amount_of(call, "max-used-space");
    char *query;
    int r;

    if (most > keep)
        keep = most;
    if (keep <= 0) {
        log_warn("Build caches of nodes that do not know the limit min-free-space are left as they are");
        return 0;
    }
    if (asprintf(&query, "%s&keep-storage=%lld", http_request_query_string(call->request), keep) < 0)
        return failure_set(failure, 500, "out of memory");
    r = ask(call, query, knows_one_amount, pruned, failure);
    free(query);
    return r;
}

int api_build_prune(struct call *call)
{
    static const struct kind kind = {"/build/prune", "CachesDeleted", true, false, NULL};
    struct pruned pruned = {.kind = &kind, .pool = call->manager->pool, .removed = NULL};
    struct failure failure = {0};
    int r;

    if (api_client_version(call).minor < more_amounts.minor || amount_of(call, "keep-storage") > 0 ||
        (amount_of(call, "reserved-space") <= 0 && amount_of(call, "max-used-space") <= 0 &&
         amount_of(call, "min-free-space") <= 0))
        return prune(call, &kind);
    pruned.removed = json_array();
    r = somebody_is_well(call->manager->pool)
            ? ask(call, http_request_query_string(call->request), knows_more_amounts, &pruned, &failure)
            : failure_set(&failure, 500, "No healthy node available in the cluster");
    if (r == 0)
        r = prune_with_one_amount(call, &pruned, &failure);
    return reply(call, &pruned, r, &failure);
}

/* --- volumes: before API 1.42 a prune takes those that have a name, too, which today's clients do not expect --- */

static const struct api_version names_stay = {1, 42};

static bool is_old(void *data, const struct engine *engine)
{
    return api_version_compare(engine->api_max, names_stay) < 0;
}

static bool is_new(void *data, const struct engine *engine)
{
    return !is_old(data, engine);
}

/* It cannot be asked in a version from before that. */
static bool knows_no_other(void *data, const struct engine *engine)
{
    return api_version_compare(engine->api_min, names_stay) >= 0;
}

static bool knows_another(void *data, const struct engine *engine)
{
    return !knows_no_other(data, engine);
}

static bool asks_for_all(const json_t *filters)
{
    const json_t *values = filters_values(filters, "all");
    const char *value = json_string_value(json_array_get(values, 0));

    return value != NULL && strcmp(value, "false") != 0 && strcmp(value, "0") != 0;
}

/* "filters=…". New text, NULL for lack of memory. */
static char *query_of(const json_t *filters)
{
    char *text = json_dumps(filters, JSON_COMPACT), *escaped = text == NULL ? NULL : uri_escape(text), *query = NULL;

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

/* -1 where the engine did not answer: there is no use in asking it more. */
static int remove_anonymous(struct old_round *round, const struct broadcast_answer *answer, const char *name)
{
    struct failure failure = {0};
    struct http_result result = {0};
    char *path;
    int r;

    if (asprintf(&path, "/volumes/%s", name) < 0)
        return -1;
    if (engine_call(answer->engine, "DELETE", path, NULL, NULL, 0, VOLUME_TIMEOUT_MS, &result, &failure) == 0) {
        json_t *value = json_string(name);

        take_one(round->pruned, answer, value);
        json_decref(value);
    } else {
        log_warn_with(LOG_FIELDS({"name", answer->node}), "The volume %s was not removed: %s", name,
                      failure.message == NULL ? "out of memory" : failure.message);
    }
    r = result.failure == HTTP_OK ? 0 : -1;
    http_result_clear(&result);
    failure_clear(&failure);
    free(path);
    return r;
}

static void take_dangling(void *data, const struct broadcast_answer *answer, json_t *json)
{
    struct old_round *round = data;
    json_t *volume;
    size_t i;

    json_array_foreach (json_object_get(json, "Volumes"), i, volume) {
        const char *name = json_string_value(json_object_get(volume, "Name"));

        if (name != NULL && is_anonymous(name) && labels_pass(round->filters, json_object_get(volume, "Labels")) &&
            remove_anonymous(round, answer, name) < 0)
            break;
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

/* Ask those that @p chosen accepts with other filters than the client's. */
static int ask_with(struct call *call, const json_t *filters, bool (*chosen)(void *data, const struct engine *engine),
                    struct pruned *pruned, struct failure *failure)
{
    char *query = query_of(filters);
    int r = query == NULL ? failure_set(failure, 500, "out of memory") : ask(call, query, chosen, pruned, failure);

    free(query);
    return r;
}

/* A client of today's, and engines that know the older version only. */
static int prune_for_new(struct call *call, json_t *filters, struct pruned *pruned, struct failure *failure)
{
    static const char *const known[] = {"all", "label", "label!", NULL};

    if (filters_check(filters, known, failure) < 0 ||
        ask(call, http_request_query_string(call->request), is_new, pruned, failure) < 0)
        return -1;
    if (!asks_for_all(filters))
        return prune_anonymous(call, filters, pruned, failure);
    json_object_del(filters, "all");
    return ask_with(call, filters, is_old, pruned, failure);
}

/* The other way around: the client means volumes with names, too. */
static int prune_for_old(struct call *call, json_t *filters, struct pruned *pruned, struct failure *failure)
{
    if (ask(call, http_request_query_string(call->request), knows_another, pruned, failure) < 0)
        return -1;
    if (json_object_set_new(filters, "all", json_pack("[s]", "true")) < 0)
        return failure_set(failure, 500, "out of memory");
    return ask_with(call, filters, knows_no_other, pruned, failure);
}

int api_volumes_prune(struct call *call)
{
    static const struct kind kind = {"/volumes/prune", "VolumesDeleted", true, false, forget_volume};
    struct pruned pruned = {.kind = &kind, .pool = call->manager->pool, .removed = json_array()};
    struct failure failure = {0};
    json_t *filters = NULL;
    int r = filters_parse(&filters, http_request_query(call->request, "filters"), &failure);

    if (r == 0 && !somebody_is_well(call->manager->pool))
        r = failure_set(&failure, 500, "No healthy node available in the cluster");
    else if (r == 0 && api_client_version(call).minor < names_stay.minor)
        r = prune_for_old(call, filters, &pruned, &failure);
    else if (r == 0)
        r = prune_for_new(call, filters, &pruned, &failure);
    json_decref(filters);
    return reply(call, &pruned, r, &failure);
}
