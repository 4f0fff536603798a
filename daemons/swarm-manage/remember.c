/* SPDX-License-Identifier: Apache-2.0 */
#include "remember.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "pool_private.h"
#include "record.h"
#include "records.h"
#include "text.h"
#include "watchdog.h"

/* WANTED_DOWN: it was stopped by a client. */
enum { WANTED_UNKNOWN, WANTED_STOPPED, WANTED_DOWN, WANTED_RUNNING };

/* Takes the object. */
static void put(struct records *records, enum record_kind kind, const char *rest, json_t *object)
{
    char *key = record_key(kind, rest);
    size_t length;
    char *text = record_write(object, &length);

    if (key) {
        records_put(records, key, text, length);
    } else {
        log_error("Out of memory: a change of %s is not recorded", rest);
        free(text);
    }
    free(key);
}

static void take_out(struct records *records, enum record_kind kind, const char *rest)
{
    char *key = record_key(kind, rest);

    if (key) {
        records_remove(records, key);
    } else {
        log_error("Out of memory: that %s is gone is not recorded", rest);
    }
    free(key);
}

/* --- containers --- */

static int wanted_of(const struct swarm_container *container)
{
    int state = swarm_container_state(container);

    if (state == SWARM_CONTAINER_RUNNING || state == SWARM_CONTAINER_PAUSED || state == SWARM_CONTAINER_RESTARTING) {
        return WANTED_RUNNING;
    }
    return pool_was_stopped(container_record(container)) ? WANTED_DOWN : WANTED_STOPPED;
}

static uint64_t present_term(const struct manager *manager)
{
    return manager->watchdog ? swarm_rescheduler_term(watchdog_rescheduler(manager->watchdog)) : 0;
}

/* Whether an engine is away, or back and not all has been started that is to run there. */
static bool is_lost(const struct engine *engine)
{
    const struct watchdog *watchdog = engine->manager->watchdog;

    return engine->lost || (watchdog && swarm_rescheduler_waiting(watchdog_rescheduler(watchdog), engine->node, NULL));
}

void remember_wanted(struct swarm_container *container)
{
    struct container_record *record = container_record(container);
    struct manager *manager = record->engine->manager;
    int wanted = wanted_of(container);

    if (!record->recorded || record->recorded_wanted == wanted) {
        return;
    }
    /* It has ended with its host: it is to run still, whoever sees to that. */
    if (record->recorded_wanted == WANTED_RUNNING && wanted == WANTED_STOPPED && is_lost(record->engine)) {
        return;
    }
    record->recorded_wanted = (unsigned char)wanted;
    put(manager->records, RECORD_STATE, record->recorded,
        json_pack("{s:s, s:I, s:I}", "wanted", wanted == WANTED_RUNNING ? "running" : "stopped", "stop_asked",
                  (json_int_t)(wanted == WANTED_STOPPED ? 0 : record->stop_asked_ns), "term",
                  (json_int_t)present_term(manager)));
}

void remember_container(struct pool *pool, struct swarm_container *container, struct container_report *report)
{
    struct container_record *record = container_record(container);
    struct manager *manager = pool->manager;
    char *key = NULL;

    if (!report->record) {
        return;
    }
    if (!record->recorded) {
        record->recorded = text_format("%s/%s", swarm_node_id(record->engine->node), swarm_container_id(container));
    }
    if (record->recorded && record->recorded_hash != report->record_hash) {
        record->recorded_hash = report->record_hash;
        key = record_key(RECORD_CONTAINER, record->recorded);
    }
    if (key) {
        records_put(manager->records, key, report->record, report->record_length);
        report->record = NULL;
    }
    free(key);
    remember_wanted(container);
}

static unsigned char wanted_in(const json_t *state)
{
    const char *wanted = json_string_value(json_object_get(state, "wanted"));
    bool is_down = json_integer_value(json_object_get(state, "stop_asked")) != 0;

    return !wanted                      ? WANTED_UNKNOWN
           : !strcmp(wanted, "running") ? WANTED_RUNNING
           : is_down                    ? WANTED_DOWN
                                        : WANTED_STOPPED;
}

void remember_restored(struct swarm_container *container, const char *rest, uint64_t hash, const json_t *state)
{
    struct container_record *record = container_record(container);

    if (!record->recorded) {
        record->recorded = strdup(rest);
    }
    record->recorded_hash = hash;
    record->recorded_wanted = wanted_in(state);
}

bool remember_compare(struct swarm_container *container, uint64_t hash, const json_t *state)
{
    struct container_record *record = container_record(container);

    record->recorded_wanted = wanted_in(state);
    remember_wanted(container);
    return record->recorded && record->recorded_hash == hash;
}

void remember_anew(struct swarm_container *container)
{
    struct container_record *record = container_record(container);

    record->recorded_hash = 0;
    record->recorded_wanted = WANTED_UNKNOWN;
}

void remember_container_gone(struct manager *manager, const char *rest)
{
    take_out(manager->records, RECORD_CONTAINER, rest);
    take_out(manager->records, RECORD_STATE, rest);
}

void remember_gone(struct container_record *record)
{
    struct records *records = record->engine->manager->records;

    if (record->recorded && records) {
        remember_container_gone(record->engine->manager, record->recorded);
    }
}

void remember_settle(struct pool *pool, const struct engine *engine, const char *id)
{
    struct records *records = pool->manager->records;
    char *rest, *key;

    if (!records) {
        return;
    }
    pool_read_lock(pool);
    rest = text_format("%s/%s", engine->id ? engine->id : "", id);
    pool_unlock(pool);
    for (enum record_kind kind = RECORD_CONTAINER; rest && kind <= RECORD_STATE; kind++) {
        key = record_key(kind, rest);
        if (key && !records_wait(records, key)) {
            log_debug("%s is not on disk yet", key);
        }
        free(key);
    }
    free(rest);
}

void remember_copy(void *data, const struct swarm_memory *memory)
{
    struct manager *manager = data;
    json_t *object;

    if (!memory->by) {
        take_out(manager->records, RECORD_COPY, memory->container_id);
        json_object_del(manager->copies, memory->container_id);
        return;
    }
    object = json_pack("{s:s, s:s, s:i}", "node", memory->node_id, "by", memory->by, "judged", memory->judged);
    if (manager->copies) {
        json_object_set_new_nocheck(manager->copies, memory->container_id, json_copy(object));
    }
    put(manager->records, RECORD_COPY, memory->container_id, object);
}

void remember_copies_but(struct manager *manager, const json_t *known)
{
    const char *id;
    json_t *copy;

    json_object_foreach (manager->copies, id, copy) {
        const json_t *other = json_object_get(known, id);

        if (!other ||
            strcmp(json_string_value(json_object_get(other, "by")), json_string_value(json_object_get(copy, "by")))) {
            put(manager->records, RECORD_COPY, id, json_copy(copy));
        }
    }
}

/* --- nodes --- */

void remember_node(struct pool *pool, struct engine *engine)
{
    json_t *object = !pool->manager->records
                         ? NULL
                         : json_pack("{s:s, s:s, s:s, s:i, s:I, s:i}", "name", engine->name, "address", engine->address,
                                     "ip", engine->ip, "cpus", engine->cpus, "memory", (json_int_t)engine->memory,
                                     "lost", is_lost(engine));
    size_t length;
    char *text = object ? record_write(json_incref(object), &length) : NULL;
    uint64_t hash = text ? record_hash(text, length) : 0;

    if (text && hash != engine->recorded_hash) {
        engine->recorded_hash = hash;
        put(pool->manager->records, RECORD_NODE, swarm_node_id(engine->node), json_incref(object));
    }
    free(text);
    json_decref(object);
}

void remember_node_anew(struct pool *pool, struct engine *engine)
{
    engine->recorded_hash = 0;
    remember_node(pool, engine);
}

void remember_node_gone(struct pool *pool, const struct engine *engine)
{
    if (pool->manager->records) {
        take_out(pool->manager->records, RECORD_NODE, swarm_node_id(engine->node));
    }
}

/* --- moves --- */

bool remember_claim(struct manager *manager, const struct move_claim *claim)
{
    bool written;
    char *key;

    if (!manager->records || !*claim->swarm_id) {
        return true;
    }
    put(manager->records, RECORD_CLAIM, claim->swarm_id,
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:I}", "container", claim->id, "name", claim->name, "node",
                  claim->node_id, "to", claim->to_id, "start", claim->start, "term", (json_int_t)claim->term, "at",
                  (json_int_t)time(NULL)));
    key = record_key(RECORD_CLAIM, claim->swarm_id);
    written = key && records_wait(manager->records, key);
    if (!written && !manager->office) {
        log_warn("The move of container %s is made without a record of it", claim->id);
        written = true;
    }
    free(key);
    return written;
}

void remember_claim_end(struct manager *manager, const char *swarm_id)
{
    if (manager->records && *swarm_id) {
        take_out(manager->records, RECORD_CLAIM, swarm_id);
    }
}
