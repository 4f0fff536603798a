/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's containers: the list, then the inspects that the pool asks for, a few at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "log.h"
#include "monitor_private.h"
#include "pool_private.h"

#define ROUNDS_MAX 3 /* of a list that removals overtook */

static void listing_ask(struct watched *w);

static void listing_clear_round(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->ids[i]);
    free(listing->ids);
    json_decref(listing->entries);
    listing->ids = NULL;
    listing->entries = NULL;
    listing->count = listing->next = 0;
}

void listing_cancel(struct watched *w)
{
    listing_clear_round(&w->listing);
    memset(&w->listing, 0, sizeof(w->listing));
}

static void listing_end(struct watched *w, const struct trouble *trouble)
{
    void (*done)(struct watched *, const struct trouble *) = w->listing.done;

    listing_cancel(w);
    done(w, trouble);
}

static void listing_trouble(struct watched *w, const char *text)
{
    struct trouble trouble;

    trouble_set(&trouble, "%s", text);
    listing_end(w, &trouble);
}

bool container_was_refused(struct watched *w, const char *id, uint64_t ticket)
{
    struct pool *pool = w->monitor->manager->pool;
    bool refused;

    pool_read_lock(pool);
    refused = w->engine->node && !swarm_cluster_find_container(pool->cluster, w->engine->node, id) &&
              pool_is_stale(w->engine, id, ticket);
    pool_unlock(pool);
    return refused;
}

/* True where one of the round's containers is still unknown, because another was removed since the list was asked
 * for: the pool cannot tell whether what the list says of it is from before its own removal. */
static bool round_was_overtaken(struct watched *w)
{
    struct listing *listing = &w->listing;

    for (size_t i = 0; i < listing->count; i++) {
        if (container_was_refused(w, listing->ids[i], listing->ticket))
            return true;
    }
    return false;
}

static void round_ended(struct watched *w)
{
    struct listing *listing = &w->listing;

    if (listing->failed) {
        struct trouble trouble = listing->trouble;

        listing_end(w, &trouble);
    } else if (++listing->rounds < ROUNDS_MAX && round_was_overtaken(w)) {
        listing_clear_round(listing);
        listing->full = false;
        listing_ask(w);
    } else {
        listing_end(w, NULL);
    }
}

static void inspects_start(struct watched *w);

/* The container at that index of the round was inspected. */
static void inspected(struct watched *w, void *data, struct http_result *result)
{
    struct listing *listing = &w->listing;
    const char *id = listing->ids[(uintptr_t)data];
    struct trouble trouble;

    listing->running--;
    if (result->failure != HTTP_OK) {
        listing->failed = trouble_from_result(&listing->trouble, w, result);
    } else if (result->status == 200) {
        pool_apply_container(w->monitor->manager->pool, w->engine, listing->ticket,
                             json_object_get(listing->entries, id), result->body, result->length);
    } else if (result->status != 404 && trouble_from_result(&trouble, w, result)) { /* 404: removed meanwhile */
        log_warn_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}),
                      "Unable to update state of container \"%s\": %s", id, trouble.text);
    }
    inspects_start(w);
}

static void inspects_start(struct watched *w)
{
    struct listing *listing = &w->listing;
    char path[64 + CONTAINER_ID_MAX];

    while (!listing->failed && listing->next < listing->count && listing->running < CALLS_MAX) {
        const struct call_order order = {path, true, CONNECT_MS, SMALL_CALL_MS};

        snprintf(path, sizeof(path), "/containers/%s/json", listing->ids[listing->next]);
        if (watch_call(w, &order, inspected, (void *)(uintptr_t)listing->next) != 0) {
            trouble_set(&listing->trouble, "out of memory");
            listing->failed = true;
            break;
        }
        listing->next++;
        listing->running++;
    }
    if (listing->running == 0)
        round_ended(w);
}

/* The list's entries by id. New, borrowed entries referenced; NULL for lack of memory. */
static json_t *by_id(json_t *list)
{
    json_t *entries = json_object(), *entry;
    size_t i;

    json_array_foreach (list, i, entry) {
        const char *id = json_string_value(json_object_get(entry, "Id"));

        if (id && json_object_set(entries, id, entry) != 0) {
            json_decref(entries);
            return NULL;
        }
    }
    return entries;
}

static void listed(struct watched *w, void *data, struct http_result *result)
{
    struct listing *listing = &w->listing;
    struct trouble trouble;
    json_t *list;

    if (trouble_from_result(&trouble, w, result)) {
        listing_end(w, &trouble);
        return;
    }
    list = result->body ? json_read(result->body, result->length, JSON_ALLOW_NUL, NULL) : NULL;
    if (!json_is_array(list)) {
        json_decref(list);
        trouble_set(&trouble, "engine %s answered GET /containers/json with something else than a JSON array",
                    w->engine->address);
        listing_end(w, &trouble);
        return;
    }
    listing->entries = by_id(list);
    if (!listing->entries || pool_apply_list(w->monitor->manager->pool, w->engine, listing->ticket, list, listing->full,
                                             &listing->ids, &listing->count) != 0) {
        json_decref(list);
        listing_trouble(w, "out of memory");
        return;
    }
    json_decref(list);
    inspects_start(w);
}

static void listing_ask(struct watched *w)
{
    static const struct call_order order = {"/containers/json?all=1", true, CONNECT_MS, LIST_CALL_MS};

    w->listing.ticket = pool_ticket(w->monitor->manager->pool);
    if (watch_call(w, &order, listed, NULL) != 0)
        listing_trouble(w, "out of memory");
}

void listing_start(struct watched *w, bool full, void (*done)(struct watched *w, const struct trouble *trouble))
{
    listing_cancel(w);
    w->listing.active = true;
    w->listing.full = full;
    w->listing.done = done;
    listing_ask(w);
}
