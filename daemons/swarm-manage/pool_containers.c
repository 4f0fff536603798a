/* SPDX-License-Identifier: Apache-2.0 */
/* The containers of an engine: its answers about them, applied in the order of their tickets. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "manager.h"
#include "pool_private.h"
#include "remember.h"
#include "volume_use.h"
#include "watchdog.h"

uint64_t pool_ticket(struct pool *pool)
{
    return atomic_fetch_add(&pool->tickets, 1) + 1;
}

/* --- what was removed --- */

/* Ids are random hexadecimal digits: 64 bits of one are as good as all, for the 64 that are remembered. */
static uint64_t removal_id(const char *id)
{
    char digits[17] = {0};

    strncpy(digits, id, 16);
    return strtoull(digits, NULL, 16);
}

void pool_remember_removal(struct pool *pool, struct engine *engine, const char *id)
{
    struct removal *slot = &engine->removals[engine->removal_next];

    engine->container_changes++;
    engine->removal_next = (engine->removal_next + 1) % ENGINE_REMOVALS_MAX;
    if (slot->ticket > engine->removal_ticket) {
        engine->removal_ticket = slot->ticket;
    }
    slot->id = removal_id(id);
    slot->ticket = atomic_load(&pool->tickets);
}

bool pool_is_stale(const struct engine *engine, const char *id, uint64_t ticket)
{
    uint64_t key = removal_id(id);

    if (ticket <= engine->removal_ticket) {
        return true;
    }
    for (size_t i = 0; i < ENGINE_REMOVALS_MAX; i++) {
        if (engine->removals[i].id == key && ticket <= engine->removals[i].ticket) {
            return true;
        }
    }
    return false;
}

/* The same for what an engine says of one that the pool does not have: it is noted that it was not believed. */
static bool refuse(struct engine *engine, const char *id, uint64_t ticket)
{
    if (!pool_is_stale(engine, id, ticket)) {
        return false;
    }
    if (ticket > engine->refused_ticket) {
        engine->refused_ticket = ticket;
    }
    return true;
}

bool pool_has_refused(struct pool *pool, const struct engine *engine, uint64_t ticket)
{
    bool refused;

    pool_read_lock(pool);
    refused = engine->refused_ticket >= ticket;
    pool_unlock(pool);
    return refused;
}

bool pool_was_removed(const struct engine *engine, const char *id)
{
    uint64_t key = removal_id(id);

    for (size_t i = 0; i < ENGINE_REMOVALS_MAX; i++) {
        if (engine->removals[i].ticket && engine->removals[i].id == key) {
            return true;
        }
    }
    return false;
}

uint64_t pool_container_changes(struct pool *pool, const struct engine *engine)
{
    uint64_t changes;

    pool_read_lock(pool);
    changes = engine->container_changes;
    pool_unlock(pool);
    return changes;
}

void pool_drop_container(struct pool *pool, struct swarm_container *container)
{
    struct engine *engine = swarm_node_data(swarm_container_node(container));

    pool_remember_removal(pool, engine, swarm_container_id(container));
    if (container_record(container)) {
        volume_use_ended(engine, &container_record(container)->uses);
    }
    swarm_cluster_remove_container(pool->cluster, container); /* its record goes with it */
}

/* Its engine says so. @p for_good: somebody removed it, and it is not that the engine has lost all that it had. */
static void remove_container(struct pool *pool, struct swarm_container *container, bool for_good)
{
    struct watchdog *watchdog = pool->manager->watchdog;

    if (watchdog && for_good) {
        watchdog_container_deleted(watchdog, container);
    } else if (watchdog) {
        watchdog_container_removed(watchdog, container);
    }
    pool_drop_container(pool, container);
}

void pool_apply_removal(struct pool *pool, struct engine *engine, uint64_t ticket, const char *id)
{
    struct swarm_container *container = NULL;

    pool_write_lock(pool);
    if (engine->node) {
        container = swarm_cluster_find_container(pool->cluster, engine->node, id);
    }
    if (container && container_record(container)->entry_ticket <= ticket) {
        remove_container(pool, container, true);
    } else if (!container) {
        pool_remember_removal(pool, engine, id);
    }
    pool_unlock(pool);
}

/* --- what an entry needs of its engine --- */

int pool_entry_context(struct pool *pool, struct engine *engine, struct entry_context *ret)
{
    pool_read_lock(pool);
    ret->plain_names = pool->manager->options.node_prefix == NODE_PREFIX_NEVER;
    ret->node_name = strdup(engine->name ? engine->name : engine->address);
    memcpy(ret->ip, engine->ip, sizeof(ret->ip));
    ret->clock_delta_ms = engine->clock_delta_ms;
    ret->cpus = engine->cpus;
    ret->recorded = pool->manager->records && !engine->absent; /* else what is in the records comes from there */
    ret->cpu_shares = pool->manager->options.cpu_shares;
    pool_unlock(pool);
    return ret->node_name ? 0 : -1;
}

void entry_context_clear(struct entry_context *context)
{
    free(context->node_name);
    context->node_name = NULL;
}

/* --- how many there are --- */

_Static_assert(POOL_CONTAINER_STATES == CONTAINER_STATES, "each state is counted");

void pool_uncount_container(struct pool *pool, struct container_record *record)
{
    if (record->counted) {
        pool->container_states[record->counted - 1]--;
        record->engine->container_states[record->counted - 1]--;
    }
    record->counted = 0;
}

void pool_count_container(struct pool *pool, struct container_record *record)
{
    pool_uncount_container(pool, record);
    record->counted = (unsigned char)(container_record_shown_state(record) + 1);
    pool->container_states[record->counted - 1]++;
    record->engine->container_states[record->counted - 1]++;
}

/* --- one container --- */

static void exchange_text(char **a, char **b)
{
    char *text = *a;

    *a = *b;
    *b = text;
}

/* What the list entry says. What was there before is left in the report, to be freed without the lock. */
static int renew_entry(struct swarm_container *container, struct container_report *report)
{
    struct container_record *record = container_record(container);
    struct container_entry *entry = report->entry;
    struct container_uses uses;

    report->entry = record->entry;
    record->entry = entry;
    record->entry_minor = report->entry_minor;
    uses = record->uses;
    record->uses = report->uses;
    report->uses = uses;
    return swarm_container_set_names(container, report->names, report->name_count, NULL);
}

/* The times of engines have been corrected to our clock. */
static int64_t running_since_ms(const struct container_record *record)
{
    return record->running && record->started_ns > 0 ? record->started_ns / 1000000 : 0;
}

static int renew_facts(struct swarm_container *container, struct container_report *report)
{
    struct container_record *record = container_record(container);

    record->running = report->facts.running;
    record->paused = report->facts.paused;
    record->restarting = report->facts.restarting;
    record->dead = report->facts.dead;
    record->removing = report->facts.removing;
    record->exit_code = report->facts.exit_code;
    memcpy(record->health, report->facts.health, sizeof(record->health));
    record->created_ns = report->facts.created_ns;
    record->started_ns = report->facts.started_ns;
    record->finished_ns = report->facts.finished_ns;
    pool_count_container(record->engine->manager->pool, record);
    exchange_text(&record->inspect, &report->inspect);
    record->inspect_length = report->inspect_length;
    return swarm_container_set_state(container, container_record_state(record), NULL) ||
                   swarm_container_set_stopped(container, pool_was_stopped(record), NULL) ||
                   swarm_container_set_running_since(container, running_since_ms(record), NULL) ||
                   swarm_container_set_bound_ports(container, report->ports, report->port_count, NULL)
               ? -1
               : 0;
}

/* New: takes the spare record. */
static struct swarm_container *add_container(struct pool *pool, struct engine *engine,
                                             const struct container_report *report, struct container_record **spare)
{
    struct swarm_container *container;

    if (swarm_cluster_add_container(pool->cluster, engine->node, report->id, report->request, &container, NULL)) {
        return NULL;
    }
    (*spare)->engine = engine;
    swarm_container_set_data(container, *spare);
    *spare = NULL;
    return container;
}

/* What waits for it may go on. */
static void tell_watchdog(struct pool *pool, struct swarm_container *container, int state_before)
{
    if (pool->manager->watchdog && swarm_container_state(container) != state_before) {
        watchdog_container_changed(pool->manager->watchdog, container);
    }
}

static int apply_report(struct pool *pool, struct engine *engine, uint64_t ticket, struct container_report *report,
                        struct container_record **spare)
{
    struct swarm_container *container;
    struct container_record *record;
    int result = 0, state_before;

    if (!engine->node) { /* it left the pool meanwhile */
        return 0;
    }
    container = swarm_cluster_find_container(pool->cluster, engine->node, report->id);
    state_before = container ? swarm_container_state(container) : -1;
    if (!container) {
        if (refuse(engine, report->id, ticket)) {
            return 0;
        }
        container = add_container(pool, engine, report, spare);
        if (!container) {
            return -1;
        }
    } else if (container_record(container)->ticket > ticket) {
        return 0;
    } else if (swarm_container_set_request(container, report->request, NULL)) {
        return -1;
    }
    engine->container_changes++;
    record = container_record(container);
    record->ticket = ticket;
    if (record->entry_ticket <= ticket) {
        record->entry_ticket = ticket;
        result = renew_entry(container, report);
    }
    if (renew_facts(container, report)) {
        result = -1;
    }
    remember_container(pool, container, report);
    tell_watchdog(pool, container, state_before);
    return result;
}

int pool_apply_answers(struct pool *pool, struct engine *engine, uint64_t ticket, struct json_span entry,
                       const char *inspect, size_t length)
{
    struct container_report report = {0};
    struct entry_context context = {0};
    struct container_record *spare = calloc(1, sizeof(*spare));
    char *error = NULL;
    int result = -1;

    if (!spare || pool_entry_context(pool, engine, &context)) {
        log_error("Unable to update state of a container of engine %s: out of memory", engine->address);
    } else if (container_report_from_inspect(&report, entry, inspect, length, &context, &error)) {
        char *id = json_span_strdup(json_span_get(entry, "Id"));

        log_error("Unable to update state of container \"%s\": %s", id ? id : "", error ? error : "out of memory");
        free(id);
        free(error);
    } else {
        pool_write_lock(pool);
        result = apply_report(pool, engine, ticket, &report, &spare);
        pool_unlock(pool);
        if (result) {
            log_error("Unable to update state of container \"%s\": out of memory, or it asks for too much", report.id);
        }
    }
    container_report_clear(&report);
    container_record_free(spare);
    entry_context_clear(&context);
    return result;
}

int pool_apply_container(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *entry, const char *inspect,
                         size_t length)
{
    char *text = json_dumps(entry, JSON_COMPACT);
    int result = -1;

    if (text) {
        result = pool_apply_answers(pool, engine, ticket, json_span_of(text, strlen(text)), inspect, length);
    }
    free(text);
    return result;
}

/* --- the whole list --- */

struct list_report {
    char *id;
    struct json_span entry;
    bool known;                     /* to the pool; one that is not will be inspected, with its entry */
    struct container_report report; /* of a known one */
};

struct list_reports {
    struct list_report *items; /* sorted by id */
    size_t count, capacity;
};

static int compare_reports(const void *a, const void *b)
{
    const struct list_report *x = a, *y = b;

    return strcmp(x->id, y->id);
}

/* For one more. */
static int make_room(struct list_reports *reports)
{
    size_t capacity = reports->capacity ? reports->capacity * 2 : 32;
    struct list_report *items;

    if (reports->count < reports->capacity) {
        return 0;
    }
    items = realloc(reports->items, capacity * sizeof(*items));
    if (!items) {
        return -1;
    }
    reports->items = items;
    reports->capacity = capacity;
    return 0;
}

static int add_item(struct list_reports *reports, struct json_span entry, struct json_span id)
{
    if (make_room(reports)) {
        return -1;
    }
    reports->items[reports->count] = (struct list_report){.id = json_span_strdup(id), .entry = entry};
    return reports->items[reports->count++].id ? 0 : -1;
}

/* Those of them that the pool knows. */
static void find_known(struct pool *pool, struct engine *engine, struct list_reports *reports)
{
    bool has_any;

    pool_read_lock(pool);
    has_any = engine->node && swarm_node_next_container(engine->node, NULL);
    for (size_t i = 0; has_any && i < reports->count; i++) {
        struct list_report *item = &reports->items[i];

        item->known = swarm_cluster_find_container(pool->cluster, engine->node, item->id);
    }
    pool_unlock(pool);
}

static int take_list(struct pool *pool, struct engine *engine, struct list_reports *reports, struct json_span list,
                     const struct entry_context *context)
{
    static const struct entry_changes none = {{"", 0}, {"", 0}};
    struct json_walk walk = json_walk(list);
    struct json_span entry;
    size_t kept = 0;

    if (make_room(reports)) {
        return -1;
    }
    while (json_walk_item(&walk, &entry)) {
        struct json_span id = json_span_get(entry, "Id");

        if (json_span_is_string(id) && id.length > 2 && add_item(reports, entry, id)) {
            return -1;
        }
    }
    find_known(pool, engine, reports);
    for (size_t i = 0; i < reports->count; i++) {
        struct list_report *item = &reports->items[i];

        if (item->known && container_report_from_entry(&item->report, item->entry, &none, context)) {
            free(item->id);
        } else {
            reports->items[kept++] = *item;
        }
    }
    reports->count = kept;
    qsort(reports->items, reports->count, sizeof(*reports->items), compare_reports);
    return 0;
}

static void clear_list(struct list_reports *reports)
{
    for (size_t i = 0; i < reports->count; i++) {
        free(reports->items[i].id);
        container_report_clear(&reports->items[i].report);
    }
    free(reports->items);
}

static void remove_missing(struct pool *pool, struct engine *engine, uint64_t ticket,
                           const struct list_reports *reports)
{
    struct swarm_container *container, *next;

    for (container = swarm_node_next_container(engine->node, NULL); container; container = next) {
        char id[65];
        struct list_report key = {.id = id};

        next = swarm_node_next_container(engine->node, container);
        strncpy(id, swarm_container_id(container), sizeof(id) - 1);
        id[sizeof(id) - 1] = '\0';
        if (container_record(container)->entry_ticket < ticket &&
            !bsearch(&key, reports->items, reports->count, sizeof(key), compare_reports)) {
            remove_container(pool, container, reports->count > 0);
        }
    }
}

/* Renew what is known. True where the container must be inspected. */
static bool apply_entry(struct pool *pool, struct engine *engine, uint64_t ticket, struct list_report *item, bool full)
{
    struct swarm_container *container =
        item->known ? swarm_cluster_find_container(pool->cluster, engine->node, item->id) : NULL;
    struct container_record *record;

    if (!container) {
        return !refuse(engine, item->id, ticket);
    }
    record = container_record(container);
    if (record->entry_ticket > ticket) {
        return false;
    }
    record->entry_ticket = ticket; /* what is being asked about its state is not made stale by this */
    renew_entry(container, &item->report);
    return full || record->restarting ||
           (item->report.state.length && !json_span_equals(item->report.state, container_state_text(record)));
}

static void apply_items(struct pool *pool, struct engine *engine, uint64_t ticket, struct list_reports *reports,
                        bool full, struct listed_container *wanted, size_t *ret_count)
{
    size_t count = 0;

    if (engine->node) {
        remove_missing(pool, engine, ticket, reports);
        engine->listed_ticket = ticket > engine->listed_ticket ? ticket : engine->listed_ticket;
    }
    for (size_t i = 0; engine->node && i < reports->count; i++) {
        if (apply_entry(pool, engine, ticket, &reports->items[i], full)) {
            wanted[count++] = (struct listed_container){reports->items[i].id, reports->items[i].entry};
            reports->items[i].id = NULL;
        }
    }
    *ret_count = count;
}

int pool_apply_listed(struct pool *pool, struct engine *engine, uint64_t ticket, struct json_span list, bool full,
                      struct listed_container **ret_wanted, size_t *ret_count)
{
    struct list_reports reports = {0};
    struct entry_context context = {0};
    struct listed_container *wanted = NULL;

    if (!pool_entry_context(pool, engine, &context) && !take_list(pool, engine, &reports, list, &context)) {
        wanted = calloc(reports.count + 1, sizeof(*wanted));
    }
    if (wanted) {
        pool_write_lock(pool);
        apply_items(pool, engine, ticket, &reports, full, wanted, ret_count);
        pool_unlock(pool);
        *ret_wanted = wanted;
    }
    clear_list(&reports);
    entry_context_clear(&context);
    return wanted ? 0 : -1;
}
