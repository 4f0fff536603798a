/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's containers: the list, then the inspects that the pool asks for, a few at once. Engines take turns: the
 * answers of thousands that are listed all at once fill the memory, and no engine is known before all of them are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer_hash.h"
#include "log.h"
#include "monitor_private.h"
#include "pool_private.h"

#define ROUNDS_MAX 3 /* of a list that removals overtook */

static void listing_ask(struct watched *w);
static void turns_give(void *data);

static void listing_clear_round(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->wanted[i].id);
    free(listing->wanted);
    free(listing->text);
    listing->wanted = NULL;
    listing->text = NULL;
    listing->count = listing->next = 0;
}

/* --- turns --- */

static struct watched *next_waiting(struct worker *worker)
{
    struct watched *w = worker->waiting;

    if (w) {
        worker->waiting = w->listing.next_waiting;
        if (!worker->waiting)
            worker->waiting_end = &worker->waiting;
    }
    return w;
}

/* What is over its time goes on without a turn, so that a slow engine holds nobody up. */
static void turn_ended(struct watched *w)
{
    struct worker *worker = w->worker;

    w->listing.turn = LISTING_NO_TURN;
    watch_timer_clear(w, TIMER_TURN);
    worker->turns--;
    /* From a timer: who is next may fail at once, and who has ended is still at it. */
    if (worker->waiting && worker->running && !http_loop_timer(worker->loop, 0, turns_give, worker))
        turns_give(worker);
}

static void turn_begins(struct watched *w)
{
    w->listing.turn = LISTING_HAS_TURN;
    w->worker->turns++;
    watch_timer_set(w, TIMER_TURN, TURN_MS, turn_ended);
    listing_ask(w);
}

static void turns_give(void *data)
{
    struct worker *worker = data;
    struct watched *w;

    while (worker->turns < TURNS_MAX && (w = next_waiting(worker)))
        turn_begins(w);
}

static void turn_wait(struct watched *w)
{
    struct worker *worker = w->worker;

    w->listing.turn = LISTING_WAITS;
    *worker->waiting_end = w;
    worker->waiting_end = &w->listing.next_waiting;
}

static void turn_leave(struct watched *w)
{
    struct worker *worker = w->worker;
    struct watched **link = &worker->waiting;

    if (w->listing.turn == LISTING_HAS_TURN)
        turn_ended(w);
    if (w->listing.turn != LISTING_WAITS)
        return;
    while (*link != w)
        link = &(*link)->listing.next_waiting;
    *link = w->listing.next_waiting;
    if (!*link)
        worker->waiting_end = link;
}

/* --- a listing --- */

void listing_cancel(struct watched *w)
{
    turn_leave(w);
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
    refused = w->engine->node && pool_is_stale(w->engine, id, ticket) &&
              !swarm_cluster_find_container(pool->cluster, w->engine->node, id);
    pool_unlock(pool);
    return refused;
}

static void round_ended(struct watched *w)
{
    struct listing *listing = &w->listing;
    bool overtaken;

    if (listing->failed) {
        struct trouble trouble = listing->trouble;

        listing_end(w, &trouble);
        return;
    }
    /* The pool cannot tell whether what the list says of a container is from before its own removal. */
    overtaken = pool_has_refused(w->monitor->manager->pool, w->engine, listing->ticket);
    if (overtaken && ++listing->rounds < ROUNDS_MAX) {
        listing_clear_round(listing);
        listing->full = false;
        listing_ask(w);
    } else {
        w->listed_hash = overtaken ? 0 : listing->hash;
        w->listed_changes = listing->changes;
        listing_end(w, NULL);
    }
}

static void inspects_start(struct watched *w);

/* The container at that index of the round was inspected. */
static void inspected(struct watched *w, void *data, struct http_result *result)
{
    struct listing *listing = &w->listing;
    const struct listed_container *one = &listing->wanted[(uintptr_t)data];
    struct trouble trouble;

    listing->running--;
    if (result->status != 200) /* it is asked about again, even if the list says nothing new */
        listing->hash = 0;
    if (w->took_ns > CALL_SLOW_NS)
        listing->at_once = CALLS_MAX;
    if (result->failure != HTTP_OK) {
        listing->failed = trouble_from_result(&listing->trouble, w, result);
    } else if (result->status == 200) {
        if (pool_apply_answers(w->monitor->manager->pool, w->engine, listing->ticket, one->entry, result->body,
                               result->length) == 0)
            listing->changes++;
        else
            listing->hash = 0;
    } else if (result->status != 404 && trouble_from_result(&trouble, w, result)) { /* 404: removed meanwhile */
        log_warn_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}),
                      "Unable to update state of container \"%s\": %s", one->id, trouble.text);
    }
    inspects_start(w);
}

static void inspects_start(struct watched *w)
{
    struct listing *listing = &w->listing;
    char path[64 + CONTAINER_ID_MAX];

    while (!listing->failed && listing->next < listing->count && listing->running < listing->at_once) {
        const struct call_order order = {path, true, CONNECT_MS, SMALL_CALL_MS};

        snprintf(path, sizeof(path), "/containers/%s/json", listing->wanted[listing->next].id);
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

static void listed(struct watched *w, void *data, struct http_result *result)
{
    struct listing *listing = &w->listing;
    struct trouble trouble;
    struct json_span list;

    if (trouble_from_result(&trouble, w, result)) {
        listing_end(w, &trouble);
        return;
    }
    listing->hash = answer_hash_list(result->body, result->length);
    if (!listing->full && listing->hash == w->listed_hash &&
        pool_container_changes(w->monitor->manager->pool, w->engine) == w->listed_changes) {
        listing_end(w, NULL);
        return;
    }
    if (memmem(result->body, result->length, "\"restarting\"", 12)) /* looked at each time */
        listing->hash = 0;
    list = json_span_of(result->body, result->length);
    if (!json_span_is_array(list) || !json_valid(result->body, result->length)) {
        trouble_set(&trouble, "engine %s answered GET /containers/json with something else than a JSON array",
                    w->engine->address);
        listing_end(w, &trouble);
        return;
    }
    listing->text = result->body; /* the entries lie in it */
    result->body = NULL;
    if (pool_apply_listed(w->monitor->manager->pool, w->engine, listing->ticket, list, listing->full, &listing->wanted,
                          &listing->count) != 0) {
        listing_trouble(w, "out of memory");
        return;
    }
    listing->changes = pool_container_changes(w->monitor->manager->pool, w->engine);
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
    w->listing.at_once = CALLS_FAST;
    if (w->worker->turns < TURNS_MAX)
        turn_begins(w);
    else
        turn_wait(w);
}
