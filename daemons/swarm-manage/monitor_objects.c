/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine lists besides containers: images, networks, volumes. */
#include <string.h>

#include "answer_hash.h"
#include "json_read.h"
#include "monitor_private.h"

static const struct {
    struct call_order order;
    json_type type; /* of the answer */
    void (*apply)(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *answer);
} kinds[] = {
    [OBJECT_IMAGES] = {{"/images/json?all=1", true, CONNECT_MS, LIST_CALL_MS}, JSON_ARRAY, pool_apply_images},
    [OBJECT_NETWORKS] = {{"/networks", true, CONNECT_MS, LIST_CALL_MS}, JSON_ARRAY, pool_apply_networks},
    [OBJECT_VOLUMES] = {{"/volumes", true, CONNECT_MS, SMALL_CALL_MS}, JSON_OBJECT, pool_apply_volumes},
};

static uint64_t ticket_in_force(struct watched *w, enum object_kind kind)
{
    struct object_tickets tickets = pool_object_tickets(w->monitor->manager->pool, w->engine);

    return kind == OBJECT_IMAGES ? tickets.images : kind == OBJECT_NETWORKS ? tickets.networks : tickets.volumes;
}

/* False where it is not what was asked for. */
static bool take(struct watched *w, enum object_kind kind, const struct http_result *result)
{
    struct object_fetch *fetch = &w->fetches[kind];
    uint64_t hash = answer_hash(result->body, result->length);
    json_t *answer;
    bool good;

    if (hash == fetch->seen_hash && ticket_in_force(w, kind) == fetch->seen_ticket)
        return true;
    answer = json_read(result->body, result->length, JSON_ALLOW_NUL, NULL);
    good = answer && json_typeof(answer) == kinds[kind].type;
    if (good) {
        kinds[kind].apply(w->monitor->manager->pool, w->engine, fetch->ticket, answer);
        fetch->seen_hash = hash;
        fetch->seen_ticket = fetch->ticket;
    }
    json_decref(answer);
    return good;
}

static void answered(struct watched *w, void *data, struct http_result *result)
{
    enum object_kind kind = (enum object_kind)(uintptr_t)data;
    void (*done)(struct watched *, enum object_kind, const struct trouble *) = w->fetches[kind].done;
    struct trouble trouble;
    bool failed = trouble_from_result(&trouble, w, result);

    if (!failed && !take(w, kind, result)) {
        trouble_set(&trouble, "engine %s answered GET %s with something else than a JSON %s", w->engine->address,
                    kinds[kind].order.path, kinds[kind].type == JSON_ARRAY ? "array" : "object");
        failed = true;
    }
    w->fetches[kind].done = NULL;
    done(w, kind, failed ? &trouble : NULL);
}

void objects_fetch(struct watched *w, enum object_kind kind,
                   void (*done)(struct watched *w, enum object_kind kind, const struct trouble *trouble))
{
    struct trouble trouble;

    w->fetches[kind].done = done;
    w->fetches[kind].ticket = pool_ticket(w->monitor->manager->pool);
    if (watch_call(w, &kinds[kind].order, answered, (void *)(uintptr_t)kind) == 0)
        return;
    w->fetches[kind].done = NULL;
    trouble_set(&trouble, "out of memory");
    done(w, kind, &trouble);
}

void objects_fetch_cancel(struct watched *w)
{
    memset(w->fetches, 0, sizeof(w->fetches));
}
