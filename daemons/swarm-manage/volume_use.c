/* SPDX-License-Identifier: Apache-2.0 */
#include "volume_use.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fanout.h"
#include "json_read.h"
#include "log.h"
#include "manager.h"

/* Engines measure what is in each volume, and some all of their images, too. */
#define LOOK_TIMEOUT_MS 5000

/* --- what is known --- */

void volume_use_ended(struct engine *engine, const struct container_uses *uses)
{
    for (size_t i = 0; i < uses->volume_count; i++) {
        struct object_record *record = object_table_find(&engine->volumes, uses->volumes[i]);

        if (record != NULL)
            record->used_ms = monotonic_ms();
    }
}

void volume_use_take_over(struct object_table *to, const struct object_table *from)
{
    size_t k = 0;

    for (size_t i = 0; i < to->count; i++) {
        while (k < from->count && strcmp(from->at[k].name, to->at[i].name) < 0)
            k++;
        if (k < from->count && strcmp(from->at[k].name, to->at[i].name) == 0)
            to->at[i].used_ms = from->at[k].used_ms;
    }
}

/* --- which nodes --- */

static bool is_asked(const struct engine *engine)
{
    return engine->node != NULL && engine->state == ENGINE_HEALTHY;
}

static bool has_one(const struct engine *engine, const json_t *names)
{
    json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        if (object_table_find(&engine->volumes, json_string_value(name)) != NULL)
            return true;
    }
    return false;
}

static bool uses_one(const struct engine *engine, const json_t *names)
{
    const struct swarm_container *container = NULL;
    json_t *name;
    size_t i;

    while ((container = swarm_node_next_container(engine->node, container)) != NULL) {
        if (container_record(container) == NULL)
            continue;
        json_array_foreach (names, i, name) {
            if (container_uses_volume(&container_record(container)->uses, json_string_value(name)))
                return true;
        }
    }
    return false;
}

/* 0 where the engine does not have it. */
static int64_t used_ms(const struct engine *engine, const char *name)
{
    const struct object_record *record = object_table_find(&engine->volumes, name);

    return record == NULL ? 0 : record->used_ms;
}

/* The latest use of all healthy engines'. */
static int64_t last_used_ms(const struct pool *pool, const char *name)
{
    int64_t last_ms = 0;

    for (size_t i = 0; i < pool->engine_count; i++) {
        int64_t at_ms = is_asked(pool->engines[i]) ? used_ms(pool->engines[i], name) : 0;

        if (at_ms > last_ms)
            last_ms = at_ms;
    }
    return last_ms;
}

static bool used_one_last(const struct engine *engine, const json_t *names)
{
    json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        int64_t at_ms = used_ms(engine, json_string_value(name));

        if (at_ms > 0 && at_ms == last_used_ms(engine->manager->pool, json_string_value(name)))
            return true;
    }
    return false;
}

/* "node==~n1|n2" of the healthy nodes that @p test accepts; NULL where that are none, or all. New text. */
static int whitelist(struct pool *pool, const json_t *names,
                     bool (*test)(const struct engine *engine, const json_t *names), char **ret)
{
    struct bytes text = {0};
    size_t chosen = 0, healthy = 0;
    int r = bytes_append_text(&text, "node==~");

    *ret = NULL;
    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count && r == 0; i++) {
        const struct engine *engine = pool->engines[i];

        if (!is_asked(engine))
            continue;
        healthy++;
        if (test(engine, names))
            r = bytes_printf(&text, "%s%s", chosen++ > 0 ? "|" : "", engine->name);
    }
    pool_unlock(pool);
    if (r == 0 && chosen > 0 && chosen < healthy) {
        *ret = strndup(bytes_at(&text), bytes_length(&text));
        r = *ret == NULL ? -1 : 0;
    }
    bytes_free(&text);
    return r < 0 ? SWARM_ERR_NOMEM : 0;
}

/* --- what was used before the manager began --- */

/* Each engine is asked once, so what it does not tell counts as not used. With the pool locked for writing. */
static void take_sizes(struct engine *engine, const json_t *volumes)
{
    json_t *entry;
    size_t i;

    json_array_foreach (volumes, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "Name"));
        struct object_record *record = name == NULL ? NULL : object_table_find(&engine->volumes, name);
        json_t *usage = json_object_get(entry, "UsageData");

        if (record != NULL && record->used_ms == 0 && json_integer_value(json_object_get(usage, "Size")) > 0)
            record->used_ms = VOLUME_USED_BEFORE;
    }
    for (i = 0; i < engine->volumes.count; i++) {
        if (engine->volumes.at[i].used_ms == 0)
            engine->volumes.at[i].used_ms = VOLUME_UNUSED;
    }
}

static void look(void *data, struct engine *engine, size_t index)
{
    struct pool *pool = data;
    struct failure failure = {0};
    struct http_result result = {0};
    json_t *answer = NULL;

    if (engine_call(engine, "GET", "/system/df?type=volume", NULL, NULL, 0, LOOK_TIMEOUT_MS, &result, &failure) == 0)
        answer = json_read(result.body, result.length, JSON_ALLOW_NUL, NULL);
    else
        log_warn_with(LOG_FIELDS({"addr", engine->address}), "The engine could not tell what is in its volumes: %s",
                      failure.message == NULL ? "out of memory" : failure.message);
    pool_write_lock(pool);
    take_sizes(engine, json_object_get(answer, "Volumes"));
    pool_unlock(pool);
    json_decref(answer);
    http_result_clear(&result);
    failure_clear(&failure);
}

/* It has one of them, and nobody knows who has used that. With the pool locked. */
static bool is_to_be_looked_at(const struct pool *pool, const struct engine *engine, const json_t *names)
{
    json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        const struct object_record *record = object_table_find(&engine->volumes, json_string_value(name));

        if (record != NULL && record->used_ms == 0 && last_used_ms(pool, record->name) <= VOLUME_USED_BEFORE)
            return true;
    }
    return false;
}

/* Where it is on one node only there is nothing to choose. */
static int look_at_engines(struct pool *pool, const json_t *names)
{
    struct engine **engines;
    size_t count = 0, holders = 0;

    pool_read_lock(pool);
    engines = calloc(pool->engine_count + 1, sizeof(engines[0]));
    for (size_t i = 0; engines != NULL && i < pool->engine_count; i++) {
        struct engine *engine = pool->engines[i];

        if (!is_asked(engine) || !has_one(engine, names))
            continue;
        holders++;
        if (is_to_be_looked_at(pool, engine, names))
            engines[count++] = engine_ref(engine);
    }
    pool_unlock(pool);
    if (engines == NULL)
        return SWARM_ERR_NOMEM;
    if (holders > 1)
        fanout(engines, count, look, pool);
    fanout_release(engines, count);
    return 0;
}

int volume_use_prefer(struct pool *pool, const json_t *names, char **ret)
{
    int r = whitelist(pool, names, uses_one, ret);

    if (r < 0 || *ret != NULL)
        return r;
    r = look_at_engines(pool, names);
    if (r == 0)
        r = whitelist(pool, names, used_one_last, ret);
    if (r == 0 && *ret == NULL)
        r = whitelist(pool, names, has_one, ret);
    return r;
}
