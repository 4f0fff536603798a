/* SPDX-License-Identifier: Apache-2.0 */
/* The pool itself: its lock, its engines, and look-ups over both. */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info_cache.h"
#include "manager.h"
#include "natural_order.h"
#include "pool_private.h"
#include "remember.h"
#include "watchdog.h"

static int init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    int result;

    if (pthread_rwlockattr_init(&attributes)) {
        return -1;
    }
    /* Lists are many and short; a report from an engine must not wait for a moment without any. */
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    result = pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return result ? -1 : 0;
}

/* libswarm's rescheduler takes containers out of the cluster too. */
static void free_record(void *data)
{
    struct container_record *record = data;
    struct pool *pool = record && record->engine ? record->engine->manager->pool : NULL;

    if (pool) {
        pool_uncount_container(pool, record);
        remember_gone(record);
    }
    if (pool && atomic_load(&pool->lists) > 0) {
        record->next_ended = pool->ended;
        pool->ended = record;
    } else {
        container_record_free(record);
    }
}

void pool_end_list(struct pool *pool)
{
    struct container_record *ended = NULL, *next;

    pool_write_lock(pool);
    if (atomic_fetch_sub(&pool->lists, 1) == 1) {
        ended = pool->ended;
        pool->ended = NULL;
    }
    pool_unlock(pool);
    for (; ended; ended = next) {
        next = ended->next_ended;
        container_record_free(ended);
    }
}

int pool_new(struct pool **ret, struct manager *manager)
{
    struct pool *pool = calloc(1, sizeof(*pool));

    if (!pool) {
        return -1;
    }
    if (info_cache_new(&pool->info)) {
        free(pool);
        return -1;
    }
    if (init_lock(&pool->lock)) {
        info_cache_free(pool->info);
        free(pool);
        return -1;
    }
    if (swarm_cluster_new(&pool->cluster, NULL) ||
        swarm_cluster_set_stopped_counts(pool->cluster, manager->options.stopped_counts, NULL)) {
        swarm_cluster_free(pool->cluster);
        pthread_rwlock_destroy(&pool->lock);
        info_cache_free(pool->info);
        free(pool);
        return -1;
    }
    swarm_cluster_set_container_destroy(pool->cluster, free_record);
    pool->manager = manager;
    *ret = pool;
    return 0;
}

void pool_free(struct pool *pool)
{
    if (!pool) {
        return;
    }
    while (pool->engine_count) { /* from the end: nothing has to move up */
        pool_remove_engine(pool, pool->engines[pool->engine_count - 1]);
    }
    swarm_cluster_free(pool->cluster);
    pthread_rwlock_destroy(&pool->lock);
    info_cache_free(pool->info);
    free(pool->engines);
    free(pool->by_address);
    free(pool);
}

void pool_read_lock(struct pool *pool)
{
    pthread_rwlock_rdlock(&pool->lock);
}

void pool_write_lock(struct pool *pool)
{
    pthread_rwlock_wrlock(&pool->lock);
}

void pool_unlock(struct pool *pool)
{
    pthread_rwlock_unlock(&pool->lock);
}

/* --- engines in order: each is put where it belongs, so that many are added without sorting all each time --- */

static int compare_names(const struct engine *x, const struct engine *y)
{
    int order = natural_compare(x->name ? x->name : "(unknown)", y->name ? y->name : "(unknown)");

    return order ? order : natural_compare(x->address, y->address);
}

/* Where in the first @p count it belongs. */
static size_t place_by_name(const struct pool *pool, size_t count, const struct engine *engine)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_names(pool->engines[middle], engine) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static size_t place_by_address(const struct pool *pool, const char *address)
{
    size_t low = 0, high = pool->engine_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(pool->by_address[middle]->address, address) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void put(struct engine **engines, size_t count, size_t place, struct engine *engine)
{
    memmove(&engines[place + 1], &engines[place], (count - place) * sizeof(*engines));
    engines[place] = engine;
}

/* Out of the first @p count. */
static void take_out(struct engine **engines, size_t count, size_t place)
{
    memmove(&engines[place], &engines[place + 1], (count - place - 1) * sizeof(*engines));
}

/* engine_count where it is not there. */
static size_t find_place(const struct pool *pool, const struct engine *engine)
{
    size_t place = 0;

    while (place < pool->engine_count && pool->engines[place] != engine) {
        place++;
    }
    return place;
}

void pool_reorder_engine(struct pool *pool, struct engine *engine)
{
    size_t place = find_place(pool, engine), others = pool->engine_count - 1;

    if (place < pool->engine_count) {
        take_out(pool->engines, pool->engine_count, place);
        put(pool->engines, others, place_by_name(pool, others, engine), engine);
    }
}

static struct engine *engine_at_address(const struct pool *pool, const char *address)
{
    size_t place = place_by_address(pool, address);

    return place < pool->engine_count && !strcmp(pool->by_address[place]->address, address) ? pool->by_address[place]
                                                                                            : NULL;
}

/* Room for one more. */
static int reserve_engine(struct pool *pool)
{
    size_t capacity = pool->engine_capacity ? pool->engine_capacity * 2 : 16;
    struct engine **engines;

    if (pool->engine_count < pool->engine_capacity) {
        return 0;
    }
    engines = realloc(pool->engines, capacity * sizeof(*engines));
    if (!engines) {
        return -1;
    }
    pool->engines = engines;
    engines = realloc(pool->by_address, capacity * sizeof(*engines));
    if (!engines) {
        return -1;
    }
    pool->by_address = engines;
    pool->engine_capacity = capacity;
    return 0;
}

/* Takes the reference on success. */
static int insert_engine(struct pool *pool, struct engine *engine, struct failure *failure)
{
    size_t count = pool->engine_count;

    if (engine_at_address(pool, engine->address)) {
        return failure_set(failure, 409, "engine %s is in the pool already", engine->address);
    }
    if (reserve_engine(pool)) {
        return failure_set(failure, 500, "out of memory");
    }
    put(pool->engines, count, place_by_name(pool, count, engine), engine);
    put(pool->by_address, count, place_by_address(pool, engine->address), engine);
    pool->engine_count++;
    return 0;
}

struct engine *pool_add_engine(struct pool *pool, const char *address, struct failure *failure)
{
    struct engine *engine = NULL;
    char *error = NULL;
    int result;

    if (engine_new(&engine, pool->manager, address, &error)) {
        failure_set(failure, 400, "engine %s: %s", address, error ? error : "out of memory");
        free(error);
        return NULL;
    }
    pool_write_lock(pool);
    result = insert_engine(pool, engine, failure);
    pool_unlock(pool);
    if (result) {
        engine_unref(engine);
        return NULL;
    }
    return engine;
}

void pool_remove_node(struct pool *pool, struct engine *engine)
{
    struct swarm_container *container, *next;
    struct watchdog *watchdog = pool->manager->watchdog;

    for (container = swarm_node_next_container(engine->node, NULL); container; container = next) {
        next = swarm_node_next_container(engine->node, container);
        if (watchdog) {
            watchdog_container_removed(watchdog, container);
        }
        pool_drop_container(pool, container);
    }
    if (watchdog) {
        watchdog_node_removed(watchdog, engine->node);
    }
    remember_node_gone(pool, engine);
    swarm_cluster_remove_node(pool->cluster, engine->node);
    engine->node = NULL;
    engine->lost = engine->absent = false;
}

void pool_remove_engine_locked(struct pool *pool, struct engine *engine)
{
    size_t place = find_place(pool, engine);

    if (place == pool->engine_count) {
        return;
    }
    if (engine->node) {
        pool_remove_node(pool, engine);
    }
    engine->state = ENGINE_DISCONNECTED;
    take_out(pool->engines, pool->engine_count, place);
    take_out(pool->by_address, pool->engine_count, place_by_address(pool, engine->address));
    pool->engine_count--;
    engine_unref(engine);
}

void pool_remove_engine(struct pool *pool, struct engine *engine)
{
    /* The last reference goes after the lock: closing an engine's connections is I/O. */
    engine_ref(engine);
    pool_write_lock(pool);
    pool_remove_engine_locked(pool, engine);
    pool_unlock(pool);
    engine_unref(engine);
}

struct engine *pool_find_engine_by_address(struct pool *pool, const char *address)
{
    struct engine *engine;

    pool_read_lock(pool);
    engine = engine_at_address(pool, address);
    if (engine) {
        engine_ref(engine);
    }
    pool_unlock(pool);
    return engine;
}

struct engine *pool_find_engine_by_name(struct pool *pool, const char *name)
{
    struct engine *engine = NULL;

    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count && !engine; i++) {
        if (pool->engines[i]->node && !strcmp(pool->engines[i]->name, name)) {
            engine = engine_ref(pool->engines[i]);
        }
    }
    pool_unlock(pool);
    return engine;
}

struct engine **pool_engines(struct pool *pool, bool healthy_only, size_t *ret_count)
{
    struct engine **engines;
    size_t count = 0;

    pool_read_lock(pool);
    engines = malloc((pool->engine_count + 1) * sizeof(struct engine *));
    for (size_t i = 0; engines && i < pool->engine_count; i++) {
        if (pool->engines[i]->node && (!healthy_only || pool->engines[i]->state == ENGINE_HEALTHY)) {
            engines[count++] = engine_ref(pool->engines[i]);
        }
    }
    pool_unlock(pool);
    *ret_count = count;
    return engines;
}

/* What every healthy engine can do, or with @p most any of them; our maximum where there is none. */
static struct api_version version_of_engines(struct pool *pool, bool most)
{
    struct api_version limit, version;
    bool found = false;

    api_version_parse(&limit, API_VERSION_MAX);
    version = limit;
    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        const struct engine *engine = pool->engines[i];
        int order = api_version_compare(engine->api_max, version);

        if (engine->state == ENGINE_HEALTHY && (!found || (most ? order > 0 : order < 0))) {
            version = engine->api_max;
            found = true;
        }
    }
    pool_unlock(pool);
    return api_version_compare(version, limit) > 0 ? limit : version;
}

void pool_api_version(struct pool *pool, char buffer[16])
{
    const char *wanted = pool->manager->options.api_version;
    struct api_version version, floor;

    if (!wanted || api_version_parse(&version, wanted)) {
        version = version_of_engines(pool, wanted && !strcmp(wanted, "auto-max"));
    }
    api_version_parse(&floor, API_VERSION_MIN);
    if (api_version_compare(version, floor) < 0) {
        version = floor;
    }
    snprintf(buffer, 16, "%d.%d", version.major, version.minor);
}

/* --- look-up of containers --- */

static int take_target(struct target *target, const struct swarm_container *container)
{
    struct swarm_node *node = swarm_container_node(container);
    struct engine *engine = swarm_node_data(node);

    target->id = strdup(swarm_container_id(container));
    target->name = strdup(swarm_container_name(container));
    target->node_name = strdup(swarm_node_name(node));
    if (!target->id || !target->name || !target->node_name) {
        return -1;
    }
    target->engine = engine_ref(engine);
    target->healthy = engine->state == ENGINE_HEALTHY;
    return 0;
}

int pool_find_container(struct pool *pool, const char *reference, struct target *ret, struct failure *failure)
{
    struct swarm_container *container;
    struct swarm_error *error = NULL;
    struct target target = {0};
    int result, taken = 0;

    pool_read_lock(pool);
    result = swarm_cluster_look_up(pool->cluster, reference, &container, &error);
    if (!result) {
        taken = take_target(&target, container);
    }
    pool_unlock(pool);
    if (result == SWARM_ERR_NOT_FOUND || result == SWARM_ERR_INVALID) {
        failure_set(failure, 404, "No such container: %s", reference);
    } else if (result) {
        failure_set(failure, result == SWARM_ERR_AMBIGUOUS ? 404 : 500, "%s", swarm_error_message(error));
    } else if (taken) {
        target_clear(&target);
        result = failure_set(failure, 500, "out of memory");
    } else {
        *ret = target;
    }
    swarm_error_free(error);
    return result ? -1 : 0;
}

void target_clear(struct target *target)
{
    engine_unref(target->engine);
    free(target->id);
    free(target->name);
    free(target->node_name);
    memset(target, 0, sizeof(*target));
}
