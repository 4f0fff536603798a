/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine says of itself, applied to the pool: identity, size, labels, clock, versions, health. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_labels.h"
#include "info_shared.h"
#include "log.h"
#include "manager.h"
#include "pool_private.h"
#include "remember.h"
#include "timestamp.h"
#include "watchdog.h"

#define CLOCK_TOLERANCE_MS 2000

/* The answers, checked and taken apart without the lock. Strings are the answers' own. */
struct specs {
    const char *id;
    const char *name;
    int cpus;
    int64_t memory;
    int64_t clock_delta_ms;
    struct api_version api_min, api_max;
    struct engine_labels labels;
    /* new texts for the engine */
    char *own_id, *own_name, *own_server_version;
    char *moved_from; /* the address where it was before; NULL: it was nowhere else */
};

static void specs_clear(struct specs *specs)
{
    engine_labels_clear(&specs->labels);
    free(specs->own_id);
    free(specs->own_name);
    free(specs->own_server_version);
    free(specs->moved_from);
}

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && *text ? text : otherwise;
}

/* How far its clock is behind ours. It said its time at some moment since it was asked: where that moment may have been
 * one at which the two were the same, as far as this can be told, they are. */
static int64_t clock_delta_ms(const struct engine *engine, const json_t *info)
{
    int64_t now_ns = timestamp_now_ns(), asked_ns = atomic_load(&engine->specs_asked_ns), engine_ns, least_ms, most_ms;

    if (timestamp_parse(text_of(info, "SystemTime", ""), &engine_ns) || !engine_ns) {
        return 0;
    }
    most_ms = (now_ns - engine_ns) / 1000000;
    least_ms = asked_ns && asked_ns < now_ns ? (asked_ns - engine_ns) / 1000000 : most_ms;
    if (least_ms >= CLOCK_TOLERANCE_MS) {
        return least_ms;
    }
    return most_ms <= -CLOCK_TOLERANCE_MS ? most_ms : 0;
}

static void take_api_range(struct specs *specs, const json_t *version)
{
    if (api_version_parse(&specs->api_max, text_of(version, "ApiVersion", ""))) {
        api_version_parse(&specs->api_max, API_VERSION_MIN);
    }
    if (api_version_parse(&specs->api_min, text_of(version, "MinAPIVersion", "")) ||
        api_version_compare(specs->api_min, specs->api_max) > 0) {
        specs->api_min = (struct api_version){1, 12};
    }
}

static int specs_take(struct specs *specs, const struct engine *engine, const json_t *info, const json_t *version,
                      struct failure *failure)
{
    int64_t cpus = json_integer_value(json_object_get(info, "NCPU"));

    specs->id = text_of(info, "ID", NULL);
    specs->name = text_of(info, "Name", engine->address);
    specs->memory = json_integer_value(json_object_get(info, "MemTotal"));
    if (cpus <= 0 || cpus > 1000000 || specs->memory <= 0) {
        return failure_set(failure, 500,
                           "cannot get resources for this engine, make sure %s is a Docker Engine, not a Swarm manager",
                           engine->address);
    }
    if (!specs->id) {
        return failure_set(failure, 500, "engine %s does not tell its ID in /info", engine->address);
    }
    specs->cpus = (int)cpus;
    specs->clock_delta_ms = clock_delta_ms(engine, info);
    take_api_range(specs, version);
    specs->own_id = strdup(specs->id);
    specs->own_name = strdup(specs->name);
    specs->own_server_version = strdup(text_of(version, "Version", ""));
    if (!specs->own_id || !specs->own_name || !specs->own_server_version) {
        return failure_set(failure, 500, "out of memory");
    }
    return engine_labels_take(&specs->labels, info, engine->address, failure);
}

/* --- with the pool locked for writing --- */

static void set_error(struct engine *engine, const char *error)
{
    free(engine->error);
    engine->error = error ? strdup(error) : NULL;
}

static int refuse_other_id(struct engine *engine, const struct specs *specs, struct failure *failure)
{
    engine->state = ENGINE_PENDING;
    swarm_node_set_health(engine->node, 0, NULL);
    return failure_set(
        failure, 500,
        "Engine (ID: %s, Addr: %s) shows up with another ID:%s. Please remove it from cluster, it can be "
        "added back.",
        engine->id, engine->address, specs->id);
}

static void set_availability(const struct engine *engine)
{
    if (engine->node) {
        swarm_node_set_availability(
            engine->node, engine->unannounced ? SWARM_AVAILABILITY_UNANNOUNCED : SWARM_AVAILABILITY_ACTIVE, NULL);
    }
}

/* Its node was known from the records only, and another engine answers at its address now: that one has the address as
 * soon as nothing of the node is to be moved any more. */
static bool gives_way(struct pool *pool, const struct engine *engine)
{
    return engine->absent && engine->lost && pool->manager->watchdog &&
           !swarm_rescheduler_waiting(watchdog_rescheduler(pool->manager->watchdog), engine->node, NULL);
}

/* The engine that has that node does not answer, and this one is it, at another address. */
static bool moved_here(const struct engine *engine, const struct engine *other)
{
    return !engine->stranger && other->state != ENGINE_HEALTHY && (other->absent || other->lost);
}

/* Nothing is placed on a new node before its containers are known: pool_set_state() gives it its health. */
static int add_node(struct pool *pool, struct engine *engine, const struct specs *specs, struct failure *failure)
{
    struct swarm_error *error = NULL;
    struct swarm_node *node;
    int result = swarm_cluster_add_node(pool->cluster, specs->id, specs->name, engine->address, &node, &error);

    if (result == SWARM_ERR_EXISTS) {
        const struct engine *other = swarm_node_data(swarm_cluster_find_node(pool->cluster, specs->id));

        failure_set(failure, 500, "ID duplicated. %s shared by this node %s and another node %s%s", specs->id,
                    engine->address, other->address,
                    engine->stranger ? ", which has other containers: two machines have one ID" : "");
    } else if (result) {
        failure_set(failure, 500, "%s", swarm_error_message(error));
    } else {
        swarm_node_set_data(node, engine);
        swarm_node_set_health(node, 0, NULL);
        engine->node = node;
        engine->stranger = false;
        set_availability(engine);
    }
    swarm_error_free(error);
    return result ? -1 : 0;
}

static int update_node(struct pool *pool, struct engine *engine, const struct specs *specs, struct failure *failure)
{
    struct swarm_error *error = NULL;

    if (swarm_node_set_name(engine->node, specs->name, &error) ||
        swarm_node_set_capacity(engine->node, (int64_t)specs->cpus * 1000, specs->memory, &error) ||
        swarm_node_set_overcommit(engine->node, pool->manager->options.overcommit, &error) ||
        swarm_node_set_labels(engine->node, specs->labels.keys, specs->labels.values, specs->labels.count, &error)) {
        failure_set(failure, 500, "%s", swarm_error_message(error));
        swarm_error_free(error);
        return -1;
    }
    return 0;
}

static char *replace(char **text, char *with)
{
    char *old = *text;

    *text = with;
    return old;
}

/* The engine's own fields; the old texts are left in @p specs to be freed. */
static void update_engine(struct pool *pool, struct engine *engine, struct specs *specs, const char *builder)
{
    specs->own_id = replace(&engine->id, specs->own_id);
    specs->own_name = replace(&engine->name, specs->own_name);
    specs->own_server_version = replace(&engine->server_version, specs->own_server_version);
    engine->cpus = specs->cpus;
    engine->memory = specs->memory;
    engine->clock_delta_ms = specs->clock_delta_ms;
    engine->api_min = specs->api_min;
    engine->api_max = specs->api_max;
    snprintf(engine->builder_version, sizeof(engine->builder_version), "%s", builder ? builder : "");
    pool_reorder_engine(pool, engine);
}

/* A node goes to another address with all that is known of it: what is to run there, what is waiting, what was removed
 * from it just now. */
static void hand_over(struct engine *from, struct engine *to)
{
    struct swarm_container *container = NULL;

    while ((container = swarm_node_next_container(from->node, container))) {
        container_record(container)->engine = to;
    }
    memcpy(to->container_states, from->container_states, sizeof(to->container_states));
    memset(from->container_states, 0, sizeof(from->container_states));
    memcpy(to->removals, from->removals, sizeof(to->removals));
    memset(from->removals, 0, sizeof(from->removals));
    to->removal_next = from->removal_next;
    to->removal_ticket = from->removal_ticket;
    to->container_changes = from->container_changes + 1;
    to->lost = from->lost;
    to->moved = from->moved;
    to->absent = from->absent;
    to->recorded_hash = from->recorded_hash;
    to->node = from->node;
    swarm_node_set_data(to->node, to);
    swarm_node_set_health(to->node, 0, NULL);
    from->node = NULL;
    from->lost = from->absent = false;
}

/* Takes the node from the address where its engine was before. */
static int make_way(struct pool *pool, struct engine *engine, struct specs *specs, struct failure *failure)
{
    struct swarm_node *node = engine->node ? NULL : swarm_cluster_find_node(pool->cluster, specs->id);
    struct engine *other = node ? swarm_node_data(node) : NULL;

    if (!other || !moved_here(engine, other)) {
        return 0;
    }
    if (swarm_node_set_address(node, engine->address, NULL)) {
        return failure_set(failure, 500, "out of memory");
    }
    specs->moved_from = strdup(other->address);
    hand_over(other, engine);
    set_availability(engine);
    pool_remove_engine_locked(pool, other);
    return 0;
}

static int apply_locked(struct pool *pool, struct engine *engine, struct specs *specs, const char *builder,
                        struct failure *failure)
{
    if (engine->state == ENGINE_DISCONNECTED) {
        return failure_set(failure, 500, "engine %s has left the pool", engine->address);
    }
    if (engine->node && strcmp(swarm_node_id(engine->node), specs->id)) {
        if (!gives_way(pool, engine)) {
            return refuse_other_id(engine, specs, failure);
        }
        pool_remove_node(pool, engine);
    }
    if (make_way(pool, engine, specs, failure)) {
        return -1;
    }
    if (!engine->node && add_node(pool, engine, specs, failure)) {
        /* Its name is shown beside the error, but it has no id of its own. */
        free(specs->own_id);
        specs->own_id = NULL;
        update_engine(pool, engine, specs, builder);
        return -1;
    }
    engine->absent = false;
    update_engine(pool, engine, specs, builder);
    if (update_node(pool, engine, specs, failure)) {
        return -1;
    }
    remember_node(pool, engine);
    return 0;
}

/* --- two engines with one id --- */

/* The node of that id, where it is another engine's. With the pool locked. */
static const struct swarm_node *node_of_twin(const struct pool *pool, const struct engine *engine, const char *id)
{
    const struct swarm_node *node = engine->node ? NULL : swarm_cluster_find_node(pool->cluster, id);

    return node && swarm_node_data(node) != engine ? node : NULL;
}

bool pool_has_twin(struct pool *pool, const struct engine *engine, const char *id)
{
    const struct swarm_node *node;
    bool has;

    pool_read_lock(pool);
    node = node_of_twin(pool, engine, id);
    has = node && swarm_node_next_container(node, NULL);
    pool_unlock(pool);
    return has;
}

void pool_compare_twin(struct pool *pool, struct engine *engine, const char *id, const json_t *list)
{
    const struct swarm_node *node;
    bool known = false;
    const json_t *one;
    size_t i;

    pool_write_lock(pool);
    node = node_of_twin(pool, engine, id);
    json_array_foreach (list, i, one) {
        const char *container = json_string_value(json_object_get(one, "Id"));

        known |= node && container && swarm_cluster_find_container(pool->cluster, node, container);
    }
    if (node && swarm_node_next_container(node, NULL)) { /* else there is nothing to compare with any more */
        engine->stranger = !known;
    }
    pool_unlock(pool);
}

/* --- */

/* Of one beside it, which was got to know at about the same time. NULL: none. */
static json_t *info_of_another(const struct pool *pool, const struct engine *engine)
{
    for (size_t i = 0; i < pool->engine_count && i < POOL_LIKE_MAX; i++) {
        if (pool->engines[i] != engine && pool->engines[i]->info)
            return pool->engines[i]->info;
    }
    return NULL;
}

/* What is looked at again after an engine has told what it is; NULL at the end. It tells as much again, which thousands
 * of engines would have to be remembered for. */
static const char *kept_key(size_t index)
{
    static const char *const own[] = {"ExperimentalBuild", "Labels", "OSType", "Swarm", "SystemTime"};

    return index < sizeof(own) / sizeof(*own) ? own[index] : info_shared_key(index - sizeof(own) / sizeof(*own));
}

/* That part of @p info. The engines of a pool are much alike: what one says as another, @p like (may be NULL), does is
 * kept once. New; NULL for lack of memory. */
static json_t *keep_info(const json_t *info, const json_t *like)
{
    json_t *kept = json_object();
    const char *key;

    for (size_t i = 0; kept && (key = kept_key(i)); i++) {
        json_t *value = json_object_get(info, key), *other = json_object_get(like, key);

        if (value && json_object_set(kept, key, json_equal(value, other) ? other : value) != 0) {
            json_decref(kept);
            return NULL;
        }
    }
    return kept;
}

int pool_apply_specs(struct pool *pool, struct engine *engine, json_t *info, json_t *version, const char *builder,
                     struct failure *failure)
{
    struct specs specs = {0};
    json_t *old_info = NULL, *like, *kept;
    bool delta_known, labels_known;
    int result;

    pool_read_lock(pool);
    delta_known = engine->clock_delta_ms;
    labels_known = engine->info && json_equal(json_object_get(engine->info, "Labels"), json_object_get(info, "Labels"));
    like = json_incref(info_of_another(pool, engine));
    pool_unlock(pool);
    kept = keep_info(info, like);
    json_decref(like);

    result = kept ? specs_take(&specs, engine, info, version, failure) : failure_set(failure, 500, "out of memory");
    pool_write_lock(pool);
    if (!result) {
        result = apply_locked(pool, engine, &specs, builder, failure);
    }
    if (result) {
        set_error(engine, failure->message);
    } else {
        old_info = engine->info;
        engine->info = json_incref(kept);
        engine->info_changes++;
    }
    pool_unlock(pool);
    json_decref(old_info);
    json_decref(kept);

    if (specs.moved_from) {
        log_info("Engine %s has moved from %s to %s", specs.name, specs.moved_from, engine->address);
    }
    if (!result && !labels_known) {
        engine_labels_warn(&specs.labels, info, specs.id, engine->address);
    }
    if (!result && specs.clock_delta_ms && !delta_known) {
        log_warn("Engine (ID: %s, Addr: %s) has unsynchronized systime with swarm, please synchronize it.", specs.id,
                 engine->address);
    }
    specs_clear(&specs);
    return result;
}

static int health_indicator(const struct pool *pool, enum engine_state state, int failures)
{
    int retry = pool->manager->options.failure_retry;

    if (state != ENGINE_HEALTHY) {
        return 0;
    }
    if (failures <= 0) {
        return 100;
    }
    return failures >= retry ? 0 : 100 - failures * 100 / retry;
}

static void set_state(struct pool *pool, struct engine *engine, enum engine_state state, int failures,
                      const char *error)
{
    if (state == ENGINE_UNHEALTHY && engine->state == ENGINE_HEALTHY) {
        engine->lost_ms = monotonic_ms();
    }
    if (engine->state != ENGINE_DISCONNECTED) {
        engine->state = state;
    }
    engine->failures = failures;
    engine->updated_at = time(NULL);
    set_error(engine, error);
    if (engine->node) {
        swarm_node_set_health(engine->node, health_indicator(pool, state, failures), NULL);
    }
}

void pool_set_state(struct pool *pool, struct engine *engine, enum engine_state state, int failures, const char *error)
{
    pool_write_lock(pool);
    set_state(pool, engine, state, failures, error);
    engine->held_back = false;
    pool_unlock(pool);
}

bool pool_set_back(struct pool *pool, struct engine *engine)
{
    bool is_known;

    pool_write_lock(pool);
    is_known = engine->moved_ticket < engine->listed_ticket;
    if (is_known) {
        set_state(pool, engine, ENGINE_HEALTHY, 0, NULL);
        engine->held_back = false;
    }
    pool_unlock(pool);
    return is_known;
}

void pool_hold_back(struct pool *pool, struct engine *engine, int failures, const char *error)
{
    pool_write_lock(pool);
    set_state(pool, engine, ENGINE_UNHEALTHY, failures, error);
    engine->held_back = true;
    pool_unlock(pool);
}

void pool_set_unannounced(struct pool *pool, struct engine *engine, bool unannounced, int64_t drop_ms)
{
    pool_write_lock(pool);
    engine->unannounced = unannounced;
    engine->drop_ms = drop_ms;
    set_availability(engine);
    pool_unlock(pool);
}
