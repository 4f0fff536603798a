/* SPDX-License-Identifier: Apache-2.0 */
#include "recall.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_client.h"
#include "log.h"
#include "monitor.h"
#include "pool_private.h"
#include "recall_private.h"
#include "record.h"
#include "records.h"
#include "remember.h"
#include "text.h"
#include "watchdog.h"

#define CLAIM_KEPT_S (24 * 3600) /* a move that began before that is not continued */

/* --- reading --- */

void recalled_init(struct recalled *recalled, struct manager *manager)
{
    *recalled = (struct recalled){.manager = manager, .unread = json_object()};
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        recalled->kinds[kind] = json_object();
    }
}

int recalled_leave_unread(struct recalled *recalled, const char *key, const char *why)
{
    return json_object_set_new_nocheck(recalled->unread, key, json_string(why));
}

static int take_record(void *data, const char *key, const char *value, size_t length)
{
    struct recalled *recalled = data;
    enum record_kind kind = RECORD_CONTAINER;
    const char *rest = record_key_read(key, &kind), *why = "its kind is not known";
    json_t *record = NULL;

    if (rest) {
        record = record_read(kind, value, length, &why);
    }
    return record ? json_object_set_new_nocheck(recalled->kinds[kind], rest, record)
                  : recalled_leave_unread(recalled, key, why);
}

int recalled_read(struct recalled *recalled, struct record_store *store, char **reterr)
{
    if (store->load(store, "", RECORD_CONTAINERS_FIRST, take_record, recalled, reterr)) {
        return -1;
    }
    return store->load(store, RECORD_CONTAINERS_END, RECORD_KEYS_END, take_record, recalled, reterr);
}

void recalled_finish(struct recalled *recalled)
{
    json_decref(recalled->unread);
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        json_decref(recalled->kinds[kind]);
    }
}

void recalled_set_aside(const struct recalled *recalled, struct record_store *store)
{
    const char *key;
    json_t *why;

    json_object_foreach (recalled->unread, key, why) {
        char *error = NULL;

        log_error("The record %s cannot be read, and is set aside: %s", key, json_string_value(why));
        if (store->set_aside(store, key, json_string_value(why), &error)) {
            log_error("The record %s cannot be set aside: %s", key, error ? error : "out of memory");
        }
        free(error);
    }
}

/* --- nodes and containers --- */

static const char *text_of(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));

    return text ? text : "";
}

int recall_add_node(struct pool *pool, struct engine *engine, const char *id, const json_t *record)
{
    json_int_t cpus = json_integer_value(json_object_get(record, "cpus"));
    struct swarm_node *node;

    if (swarm_cluster_add_node(pool->cluster, id, text_of(record, "name"), engine->address, &node, NULL)) {
        return -1;
    }
    swarm_node_set_data(node, engine);
    swarm_node_set_health(node, 0, NULL);
    engine->node = node;
    engine->absent = true;
    engine->id = strdup(id);
    engine->name = strdup(text_of(record, "name"));
    engine->cpus = cpus > 0 && cpus <= 1000000 ? (int)cpus : 1;
    engine->memory = json_integer_value(json_object_get(record, "memory"));
    if (strlen(text_of(record, "ip")) < sizeof(engine->ip)) {
        strcpy(engine->ip, text_of(record, "ip"));
    }
    pool_reorder_engine(pool, engine);
    return engine->id && engine->name &&
                   !swarm_node_set_capacity(node, (int64_t)engine->cpus * 1000, engine->memory, NULL) &&
                   !swarm_node_set_overcommit(node, pool->manager->options.overcommit, NULL)
               ? 0
               : -1;
}

struct engine *recall_node(struct manager *manager, const char *id, const json_t *record)
{
    struct failure failure = {0};
    struct engine *engine = pool_add_engine(manager->pool, text_of(record, "address"), &failure);
    int result = engine ? 0 : -1;

    if (engine) {
        pool_write_lock(manager->pool);
        result = recall_add_node(manager->pool, engine, id, record);
        pool_unlock(manager->pool);
    }
    if (!result) {
        result = monitor_watch_absent(manager->monitor, engine);
    }
    if (result) {
        log_error("Node %s (%s) is not taken over from the record: %s", text_of(record, "name"),
                  text_of(record, "address"), failure.message ? failure.message : "out of memory");
        if (engine) {
            pool_remove_engine(manager->pool, engine);
        }
    }
    failure_clear(&failure);
    return result ? NULL : engine;
}

/* When a client asked for its end, so that it is known for what it ended when its engine tells of it; of one that had
 * ended by then, that it did for that. And what there is of it in the records. */
static void restore_rest(struct manager *manager, const struct engine *engine, const struct recalled_container *from)
{
    char *id = json_span_strdup(json_span_get(from->spans.inspect, "Id"));
    struct swarm_container *container;
    struct container_record *kept;

    pool_write_lock(manager->pool);
    container = id ? swarm_cluster_find_container(manager->pool->cluster, engine->node, id) : NULL;
    if (container) {
        kept = container_record(container);
        kept->stop_asked_ns = json_integer_value(json_object_get(from->state, "stop_asked"));
        if (!kept->running) {
            kept->finished_ns = kept->stop_asked_ns;
        }
        swarm_container_set_stopped(container, pool_was_stopped(kept), NULL);
        remember_restored(container, from->rest, from->hash, from->state);
    }
    pool_unlock(manager->pool);
    free(id);
}

int recall_container(struct manager *manager, struct engine *engine, const struct recalled_container *from)
{
    bool runs = !strcmp(text_of(from->state, "wanted"), "running");
    char *entry, *inspect;
    int result;

    if (record_container_restore(&from->spans, runs, &entry, &inspect)) {
        return -1;
    }
    result = pool_apply_answers(manager->pool, engine, pool_ticket(manager->pool), json_span_of(entry, strlen(entry)),
                                inspect, strlen(inspect));
    if (!result) {
        restore_rest(manager, engine, from);
    }
    free(entry);
    free(inspect);
    return result;
}

struct engine *recall_engine_of(struct manager *manager, const char *rest)
{
    const char *slash = strrchr(rest, '/');
    char *id = slash ? strndup(rest, (size_t)(slash - rest)) : NULL;
    const struct swarm_node *node;

    pool_read_lock(manager->pool);
    node = id ? swarm_cluster_find_node(manager->pool->cluster, id) : NULL;
    pool_unlock(manager->pool);
    free(id);
    return node ? swarm_node_data(node) : NULL;
}

static int take_container(void *data, const char *key, const char *value, size_t length)
{
    struct recalled *recalled = data;
    const char *rest = key + strlen(RECORD_CONTAINERS_FIRST), *why;
    struct recalled_container from = {.rest = rest,
                                      .state = json_object_get(recalled->kinds[RECORD_STATE], rest),
                                      .hash = record_hash(value, length)};
    struct engine *engine;

    if (record_container_read(&from.spans, value, length, &why)) {
        return recalled_leave_unread(recalled, key, why);
    }
    engine = recall_engine_of(recalled->manager, rest);
    if (!engine) {
        why = "its node is not recorded";
    } else if (!recall_container(recalled->manager, engine, &from)) {
        recalled->containers++;
    } else {
        why = "out of memory, or it makes no sense";
    }
    return why ? recalled_leave_unread(recalled, key, why) : 0;
}

/* --- moves --- */

/* Whether this manager itself has seen that its stand-in was removed, too. */
static bool is_known_removed(const struct manager *manager, const char *id)
{
    const json_t *own = json_object_get(manager->copies, id);

    return own && !*text_of(own, "by");
}

void recall_copies(struct manager *manager, const struct recalled *recalled)
{
    const char *id;
    json_t *record;

    json_object_foreach (recalled->kinds[RECORD_COPY], id, record) {
        struct swarm_memory memory = SWARM_MEMORY_INIT;
        struct swarm_error *error = NULL;

        if (is_known_removed(manager, id)) {
            continue;
        }
        memory.container_id = id;
        memory.node_id = text_of(record, "node");
        memory.by = text_of(record, "by");
        memory.judged = json_integer_value(json_object_get(record, "judged")) != 0;
        if (watchdog_remember(manager->watchdog, &memory, &error)) {
            log_error("That container %s was moved is not taken over from the record: %s", id,
                      swarm_error_message(error));
            swarm_error_free(error);
        }
    }
}

/* The same. What ran there when it was lost is started where it is, or moved. */
static void restore_lost(struct manager *manager, const struct recalled *recalled)
{
    const char *id;
    json_t *record;

    json_object_foreach (recalled->kinds[RECORD_NODE], id, record) {
        struct swarm_node *node = swarm_cluster_find_node(manager->pool->cluster, id);

        if (node && json_integer_value(json_object_get(record, "lost")) &&
            watchdog_remember_lost(manager->watchdog, swarm_node_data(node))) {
            log_error("That node %s was away is not taken over from the record: out of memory",
                      text_of(record, "name"));
        }
    }
}

/* It runs where it was to, and is not where it was: a claim whose end nobody recorded. The stand-in; NULL: it is not.
 */
static struct swarm_container *completed(const struct manager *manager, const char *swarm_id, const json_t *record)
{
    const struct swarm_cluster *cluster = manager->pool->cluster;
    struct swarm_node *to = swarm_cluster_find_node(cluster, text_of(record, "to")),
                      *from = swarm_cluster_find_node(cluster, text_of(record, "node"));
    struct swarm_container *container = NULL;
    bool start = json_integer_value(json_object_get(record, "start")) != 0;

    if (!to || (from && swarm_cluster_find_container(cluster, from, text_of(record, "container")))) {
        return NULL;
    }
    while ((container = swarm_node_next_container(to, container)) &&
           strcmp(swarm_container_swarm_id(container), swarm_id)) {
    }
    return container && (!start || container_record(container)->running) ? container : NULL;
}

/* The end of a move that was made, and recorded as a claim only: its old node may come back with the container. */
static void complete(struct manager *manager, const struct recalled *recalled, const json_t *claim,
                     const struct swarm_container *stand_in)
{
    struct swarm_memory memory = SWARM_MEMORY_INIT;

    memory.container_id = text_of(claim, "container");
    memory.node_id = text_of(claim, "node");
    memory.by = swarm_container_id(stand_in);
    if (!json_object_get(recalled->kinds[RECORD_COPY], memory.container_id) &&
        !watchdog_remember(manager->watchdog, &memory, NULL)) {
        remember_copy(manager, &memory);
    }
}

void recall_claims(struct manager *manager, const struct recalled *recalled)
{
    const char *swarm_id;
    json_t *record;

    json_object_foreach (recalled->kinds[RECORD_CLAIM], swarm_id, record) {
        const struct swarm_container *stand_in = completed(manager, swarm_id, record);
        struct swarm_error *error = NULL;

        if (stand_in) {
            complete(manager, recalled, record, stand_in);
        }
        if (stand_in || json_integer_value(json_object_get(record, "at")) < time(NULL) - CLAIM_KEPT_S) {
            remember_claim_end(manager, swarm_id);
            continue;
        }
        log_info("A move of container %s (%s) was under way: it is completed or undone", text_of(record, "name"),
                 text_of(record, "container"));
        if (watchdog_remember_move(manager->watchdog, swarm_id, text_of(record, "to"),
                                   json_integer_value(json_object_get(record, "start")) != 0, &error)) {
            log_error("The move of container %s is not taken over from the record: %s", text_of(record, "container"),
                      swarm_error_message(error));
            swarm_error_free(error);
        }
    }
}

/* --- */

static int restore_nodes(struct recalled *recalled, struct record_store *store, size_t *ret_nodes, char **reterr)
{
    const char *id;
    json_t *record;
    size_t nodes = 0;

    if (recalled_read(recalled, store, reterr)) {
        return -1;
    }
    json_object_foreach (recalled->kinds[RECORD_NODE], id, record) {
        nodes += recall_node(recalled->manager, id, record) != NULL;
    }
    if (store->load(store, RECORD_CONTAINERS_FIRST, RECORD_CONTAINERS_END, take_container, recalled, reterr)) {
        return -1;
    }
    *ret_nodes = nodes;
    return 0;
}

int recall_ahead(struct manager *manager, struct record_store *store, char **reterr)
{
    struct recalled recalled;
    size_t nodes;
    int result;

    *reterr = NULL;
    recalled_init(&recalled, manager);
    result = restore_nodes(&recalled, store, &nodes, reterr);
    recalled_finish(&recalled);
    return result;
}

static void restore_moves(struct recalled *recalled)
{
    struct manager *manager = recalled->manager;

    pool_write_lock(manager->pool);
    recall_copies(manager, recalled);
    recall_claims(manager, recalled);
    restore_lost(manager, recalled);
    watchdog_keep_memory(manager->watchdog);
    pool_unlock(manager->pool);
}

int recall_store(struct manager *manager, struct record_store *store, char **reterr)
{
    struct recalled recalled;
    size_t nodes = 0;
    int result;

    *reterr = NULL;
    recalled_init(&recalled, manager);
    result = restore_nodes(&recalled, store, &nodes, reterr);
    if (result) {
        store->close(store);
    } else {
        recalled_set_aside(&recalled, store);
        log_info("The record has %zu nodes, and %zu containers that are to be moved where theirs is lost", nodes,
                 recalled.containers);
        result = records_new(&manager->records, store);
    }
    if (!result) {
        restore_moves(&recalled);
    }
    recalled_finish(&recalled);
    return result;
}

bool recall_is_fixed_list(const char *discovery)
{
    return !strstr(discovery, "://") || !strncmp(discovery, "nodes://", 8);
}

/* Nodes that are listed one by one make one cluster however the list changes. */
char *recall_file(const struct manager *manager, const char *folder, const char *discovery)
{
    return text_format("%s/%s.db", folder, recall_is_fixed_list(discovery) ? "nodes" : manager->id);
}

int recall_open(struct manager *manager, const char *folder, bool is_given, const char *discovery, char **reterr)
{
    char *path = recall_file(manager, folder, discovery), *aside = NULL, *error = NULL;
    struct record_store *store = NULL;
    int result = path ? record_sqlite_open(&store, path, &aside, &error) : -1;

    if (aside) {
        log_error("The record of containers cannot be used, and was set aside as %s: it begins anew", aside);
    }
    if (!result) {
        log_info("What outlives this manager is recorded in %s", path);
        result = recall_store(manager, store, &error);
    }
    free(path);
    free(aside);
    if (!result) {
        return 0;
    }
    if (is_given) {
        *reterr = text_format("--state-dir: %s", error ? error : "out of memory");
    } else {
        log_warn(
            "Nothing is recorded that outlives this manager: %s. Should it end while a node is away, the containers "
            "of that node are not moved. Use --state-dir, or --state-dir none if that is what you want.",
            error ? error : "out of memory");
    }
    free(error);
    return is_given ? -1 : 0;
}
