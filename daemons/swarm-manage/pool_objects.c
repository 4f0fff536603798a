/* SPDX-License-Identifier: Apache-2.0 */
/* The networks and volumes of the engines: their own lists, applied in the order of their tickets, and names of
 * networks that are being made. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pool_private.h"
#include "volume_use.h"

static void log_no_memory(const struct engine *engine, const char *what)
{
    log_warn("Unable to take over the %s of engine %s: out of memory", what, engine->address);
}

/* @p table changes hands; what is out of force is freed without the lock. */
static void apply(struct pool *pool, struct object_table *in_force, uint64_t ticket, struct object_table *table)
{
    pool_write_lock(pool);
    if (ticket >= in_force->ticket) {
        volume_use_take_over(table, in_force);
        struct object_table old = *in_force;

        *in_force = *table;
        in_force->ticket = ticket;
        *table = old;
    }
    pool_unlock(pool);
    object_table_clear(table);
}

void pool_apply_networks(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *networks)
{
    struct object_table table;

    if (object_table_read(&table, networks, object_record_from_network) < 0)
        log_no_memory(engine, "networks");
    else
        apply(pool, &engine->networks, ticket, &table);
}

void pool_apply_volumes(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *volumes)
{
    struct object_table table;

    if (object_table_read(&table, json_object_get(volumes, "Volumes"), object_record_from_volume) < 0)
        log_no_memory(engine, "volumes");
    else
        apply(pool, &engine->volumes, ticket, &table);
}

struct object_tickets pool_object_tickets(struct pool *pool, const struct engine *engine)
{
    struct object_tickets tickets;

    pool_read_lock(pool);
    tickets = (struct object_tickets){engine->images_ticket, engine->networks.ticket, engine->volumes.ticket};
    pool_unlock(pool);
    return tickets;
}

/* What was asked for before this does not know of it. */
static void set_ticket(struct pool *pool, struct object_table *table)
{
    table->ticket = pool_ticket(pool);
}

void pool_put_volume(struct pool *pool, struct engine *engine, json_t *volume)
{
    struct object_record record;
    const struct object_record *known;
    int r = object_record_from_volume(&record, volume);

    if (r == 0) {
        pool_write_lock(pool);
        known = object_table_find(&engine->volumes, record.name);
        record.used_ms = known == NULL ? VOLUME_UNUSED : known->used_ms;
        r = object_table_put(&engine->volumes, &record);
        set_ticket(pool, &engine->volumes);
        pool_unlock(pool);
        object_record_clear(&record);
    }
    if (r < 0)
        log_no_memory(engine, "volumes");
}

void pool_drop_volume(struct pool *pool, struct engine *engine, const char *name)
{
    pool_write_lock(pool);
    object_table_drop(&engine->volumes, name);
    set_ticket(pool, &engine->volumes);
    pool_unlock(pool);
}

void pool_drop_network(struct pool *pool, struct engine *engine, const char *id)
{
    pool_write_lock(pool);
    object_table_drop(&engine->networks, id);
    set_ticket(pool, &engine->networks);
    pool_unlock(pool);
}

/* --- names of networks --- */

struct held_name {
    struct held_name *next;
    char name[];
};

/* With the pool locked. */
static bool network_name_is_taken(const struct pool *pool, const char *name)
{
    for (const struct held_name *held = pool->held_networks; held != NULL; held = held->next) {
        if (strcmp(held->name, name) == 0)
            return true;
    }
    for (size_t i = 0; i < pool->engine_count; i++) {
        if (pool->engines[i]->node != NULL && object_table_find(&pool->engines[i]->networks, name) != NULL)
            return true;
    }
    return false;
}

int pool_hold_network_name(struct pool *pool, const char *name, struct failure *failure)
{
    struct held_name *held = malloc(sizeof(*held) + strlen(name) + 1);
    bool taken;

    if (held == NULL)
        return failure_set(failure, 500, "out of memory");
    strcpy(held->name, name);
    pool_write_lock(pool);
    /* What every engine has may be asked for on one: it says what it thinks of that. */
    taken = !network_is_predefined(name) && network_name_is_taken(pool, name);
    if (!taken) {
        held->next = pool->held_networks;
        pool->held_networks = held;
    }
    pool_unlock(pool);
    if (!taken)
        return 0;
    free(held);
    return failure_set(failure, 409, "network with name %s already exists", name);
}

void pool_release_network_name(struct pool *pool, const char *name)
{
    struct held_name **at, *held = NULL;

    pool_write_lock(pool);
    for (at = &pool->held_networks; *at != NULL && held == NULL;) {
        if (strcmp((*at)->name, name) == 0) {
            held = *at;
            *at = held->next;
        } else {
            at = &(*at)->next;
        }
    }
    pool_unlock(pool);
    free(held);
}
