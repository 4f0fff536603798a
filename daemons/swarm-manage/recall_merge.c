/* SPDX-License-Identifier: Apache-2.0 */
/* The record meets the pool of a manager that is to lead, and has watched the engines for some time. Of engines that
 * answer the pool knows better, and the record is corrected; of those that do not, what the pool lacks is added. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "monitor.h"
#include "pool_private.h"
#include "recall_private.h"
#include "remember.h"
#include "watchdog.h"

struct merge {
    struct recalled recalled;
    json_t *seen; /* containers of the record, "<node id>/<id>" */
    json_t *ask;
};

/* --- nodes --- */

enum place { PLACE_FREE, PLACE_TAKEN, PLACE_PENDING };

static const char *text_of(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));

    return text ? text : "";
}

/* Who is at the address of a node that the pool does not know. One that has never answered is taken for it. */
static enum place try_place(struct manager *manager, const char *id, const json_t *record)
{
    struct pool *pool = manager->pool;
    struct engine *engine = NULL;
    enum place place = PLACE_FREE;

    pool_write_lock(pool);
    for (size_t i = 0; !engine && i < pool->engine_count; i++) {
        if (!strcmp(pool->engines[i]->address, text_of(record, "address"))) {
            engine = pool->engines[i];
        }
    }
    if (swarm_cluster_find_node(pool->cluster, id)) {
        place = PLACE_TAKEN;
    } else if (engine) {
        place =
            !engine->node && !engine->id && !recall_add_node(pool, engine, id, record) ? PLACE_PENDING : PLACE_TAKEN;
    }
    if (place == PLACE_PENDING) {
        monitor_mark_absent(manager->monitor, engine);
    }
    pool_unlock(pool);
    return place;
}

static void merge_nodes(struct merge *merge)
{
    const char *id;
    json_t *record;

    json_object_foreach (merge->recalled.kinds[RECORD_NODE], id, record) {
        enum place place = try_place(merge->recalled.manager, id, record);

        if (place != PLACE_TAKEN) {
            log_info("Node %s (%s) is known from the record", text_of(record, "name"), text_of(record, "address"));
        }
        if (place == PLACE_FREE) {
            recall_node(merge->recalled.manager, id, record);
        }
    }
}

/* --- containers --- */

/* With the pool locked for writing. */
static void ask_for(struct merge *merge, const struct engine *engine, struct swarm_container *container)
{
    remember_anew(container);
    json_object_set_new_nocheck(merge->ask, swarm_container_id(container), json_string(engine->address));
}

/* Whether it is to be added to the pool. */
static bool meet(struct merge *merge, struct engine *engine, const char *rest, uint64_t hash, const json_t *state)
{
    struct manager *manager = merge->recalled.manager;
    struct swarm_container *container = NULL;
    const char *id = strrchr(rest, '/') + 1;
    bool missing, removed;

    pool_write_lock(manager->pool);
    if (engine->node) {
        container = swarm_cluster_find_container(manager->pool->cluster, engine->node, id);
    }
    /* Seen while nobody could record it. */
    removed = engine->node && !container && pool_was_removed(engine, id);
    missing = engine->node && engine->state != ENGINE_HEALTHY && !container && !removed;
    if (container && engine->state == ENGINE_HEALTHY) {
        if (!remember_compare(container, hash, state)) {
            ask_for(merge, engine, container);
        }
    } else if (engine->state == ENGINE_HEALTHY || removed) {
        remember_container_gone(manager, rest);
    }
    pool_unlock(manager->pool);
    return missing;
}

static int take_container(void *data, const char *key, const char *value, size_t length)
{
    struct merge *merge = data;
    struct recalled *recalled = &merge->recalled;
    const char *rest = key + strlen(RECORD_CONTAINERS_FIRST), *slash = strrchr(rest, '/'), *why = NULL;
    struct engine *engine = slash ? recall_engine_of(recalled->manager, rest) : NULL;
    struct recalled_container from = {.rest = rest,
                                      .state = json_object_get(recalled->kinds[RECORD_STATE], rest),
                                      .hash = record_hash(value, length)};
    char *node;

    recalled->containers++;
    json_object_set_new_nocheck(merge->seen, rest, json_true());
    if (engine && !meet(merge, engine, rest, from.hash, from.state)) {
        return 0;
    }
    if (record_container_read(&from.spans, value, length, &why)) {
        return recalled_leave_unread(recalled, key, why);
    }
    node = slash ? strndup(rest, (size_t)(slash - rest)) : NULL;
    if (!engine) { /* one whose node has no place here stays as it is */
        why = node && json_object_get(recalled->kinds[RECORD_NODE], node) ? NULL : "its node is not recorded";
    } else if (recall_container(recalled->manager, engine, &from)) {
        why = "out of memory, or it makes no sense";
    }
    free(node);
    return why ? recalled_leave_unread(recalled, key, why) : 0;
}

/* What engines that answer have, and the record does not. With the pool locked for writing. */
static void look_for_unrecorded(struct merge *merge, struct engine *engine)
{
    struct swarm_container *container = NULL;

    while ((container = swarm_node_next_container(engine->node, container))) {
        const struct container_record *record = container_record(container);

        if (record && record->recorded && !json_object_get(merge->seen, record->recorded)) {
            ask_for(merge, engine, container);
        }
    }
}

/* --- */

/* Those that were away, and have not been seen by this manager since. With the pool locked for writing. */
static void merge_lost(struct merge *merge)
{
    struct manager *manager = merge->recalled.manager;
    const char *id;
    json_t *record;

    json_object_foreach (merge->recalled.kinds[RECORD_NODE], id, record) {
        struct swarm_node *node = swarm_cluster_find_node(manager->pool->cluster, id);
        struct engine *engine = node ? swarm_node_data(node) : NULL;

        if (engine && engine->absent && !engine->lost && engine->state != ENGINE_HEALTHY &&
            json_integer_value(json_object_get(record, "lost")) && watchdog_remember_lost(manager->watchdog, engine)) {
            log_error("That node %s was away is not taken over from the record: out of memory",
                      text_of(record, "name"));
        }
    }
}

static void merge_the_rest(struct merge *merge)
{
    struct manager *manager = merge->recalled.manager;
    struct pool *pool = manager->pool;

    pool_write_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        if (pool->engines[i]->node && pool->engines[i]->state == ENGINE_HEALTHY) {
            remember_node_anew(pool, pool->engines[i]);
            look_for_unrecorded(merge, pool->engines[i]);
        }
    }
    recall_copies(manager, &merge->recalled);
    remember_copies_but(manager, merge->recalled.kinds[RECORD_COPY]);
    recall_claims(manager, &merge->recalled);
    merge_lost(merge);
    watchdog_review(manager->watchdog);
    pool_unlock(pool);
}

int recall_merge(struct manager *manager, struct record_store *store, json_t **ret_ask, char **reterr)
{
    struct merge merge = {.seen = json_object(), .ask = json_object()};
    int result;

    recalled_init(&merge.recalled, manager);
    result = recalled_read(&merge.recalled, store, reterr);
    if (!result) {
        merge_nodes(&merge);
        result = store->load(store, RECORD_CONTAINERS_FIRST, RECORD_CONTAINERS_END, take_container, &merge, reterr);
    }
    if (!result) {
        recalled_set_aside(&merge.recalled, store);
        merge_the_rest(&merge);
        log_info("The record has %zu nodes, and %zu containers that are to be moved where theirs is lost",
                 json_object_size(merge.recalled.kinds[RECORD_NODE]), merge.recalled.containers);
        *ret_ask = json_incref(merge.ask);
    }
    json_decref(merge.ask);
    json_decref(merge.seen);
    recalled_finish(&merge.recalled);
    return result;
}
