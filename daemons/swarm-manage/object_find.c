/* SPDX-License-Identifier: Apache-2.0 */
#include "object_find.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define SHORT_ID 12

static const char *without_prefix(const char *text, const char *prefix)
{
    size_t length = prefix == NULL ? 0 : strlen(prefix);

    return length > 0 && strncmp(text, prefix, length) == 0 && text[length] == '/' ? text + length + 1 : NULL;
}

const char *without_node(const struct engine *engine, const char *reference)
{
    const char *rest = without_prefix(reference, engine->name);

    return rest != NULL ? rest : without_prefix(reference, engine->id);
}

/* --- what is meant --- */

/* The ways to mean a record, the surest first: only those of the surest that is met count. */
enum meaning { BY_ID, BY_NAME, BY_BEGINNING, NOT_MEANT };

static enum meaning meaning_of(const struct engine *engine, const struct object_record *record, const char *reference)
{
    size_t length = strlen(reference);
    const char *rest;

    if (record->id != NULL &&
        (strcmp(record->id, reference) == 0 || (length == SHORT_ID && strncmp(record->id, reference, SHORT_ID) == 0)))
        return BY_ID;
    rest = without_node(engine, reference);
    if (strcmp(record->name, reference) == 0 || (rest != NULL && strcmp(record->name, rest) == 0))
        return BY_NAME;
    if (record->id != NULL && length > 0 && strncmp(record->id, reference, length) == 0)
        return BY_BEGINNING;
    return NOT_MEANT;
}

static void holder_clear(struct object_holder *holder)
{
    engine_unref(holder->engine);
    free(holder->node);
    free(holder->id);
    free(holder->name);
}

void object_holders_clear(struct object_holders *holders)
{
    for (size_t i = 0; i < holders->count; i++)
        holder_clear(&holders->list[i]);
    free(holders->list);
    memset(holders, 0, sizeof(*holders));
}

/* Behind the last of those that are as well. */
static int add(struct object_holders *holders, struct engine *engine, const struct object_record *record)
{
    struct object_holder holder = {
        .engine = engine_ref(engine),
        .node = strdup(engine->name == NULL ? engine->address : engine->name),
        .id = record->id == NULL ? NULL : strdup(record->id),
        .name = strdup(record->name),
        .local = record->local,
        .healthy = engine->state == ENGINE_HEALTHY,
    };
    struct object_holder *more = realloc(holders->list, (holders->count + 1) * sizeof(holders->list[0]));
    size_t at = holder.healthy ? holders->healthy : holders->count;

    if (more != NULL)
        holders->list = more;
    if (more == NULL || holder.node == NULL || holder.name == NULL || (record->id != NULL && holder.id == NULL)) {
        holder_clear(&holder);
        return -1;
    }
    memmove(&more[at + 1], &more[at], (holders->count - at) * sizeof(more[0]));
    more[at] = holder;
    holders->count++;
    holders->healthy += holder.healthy;
    return 0;
}

/* With the pool locked. */
static int search(const struct pool *pool, const char *reference, bool networks, struct object_holders *holders)
{
    enum meaning best = NOT_MEANT;

    for (size_t i = 0; i < pool->engine_count; i++) {
        struct engine *engine = pool->engines[i];
        const struct object_table *table = networks ? &engine->networks : &engine->volumes;

        for (size_t k = 0; engine->node != NULL && k < table->count; k++) {
            enum meaning meaning = meaning_of(engine, &table->at[k], reference);

            if (meaning == NOT_MEANT || meaning > best)
                continue;
            if (meaning < best)
                object_holders_clear(holders);
            best = meaning;
            if (add(holders, engine, &table->at[k]) < 0)
                return -1;
        }
    }
    return 0;
}

static int find(struct pool *pool, const char *reference, bool networks, struct object_holders *ret,
                struct failure *failure)
{
    int r;

    memset(ret, 0, sizeof(*ret));
    pool_read_lock(pool);
    r = search(pool, reference, networks, ret);
    pool_unlock(pool);
    if (r == 0)
        return 0;
    object_holders_clear(ret);
    return failure_set(failure, 500, "out of memory");
}

int network_find(struct pool *pool, const char *reference, struct object_holders *ret, struct failure *failure)
{
    return find(pool, reference, true, ret, failure);
}

int volume_find(struct pool *pool, const char *reference, struct object_holders *ret, struct failure *failure)
{
    return find(pool, reference, false, ret, failure);
}

bool object_is_held_by(void *data, const struct engine *engine)
{
    const struct object_holders *holders = data;

    for (size_t i = 0; i < holders->count; i++) {
        if (holders->list[i].engine == engine)
            return true;
    }
    return false;
}

/* --- several --- */

static int say_ambiguous(const struct object_holders *holders, const char *reference, struct failure *failure)
{
    struct bytes nodes = {0};
    int r = 0;

    for (size_t i = 0; i < holders->count && r == 0; i++)
        r = bytes_printf(&nodes, "%s%s", i > 0 ? ", " : "", holders->list[i].node);
    if (r < 0)
        failure_set(failure, 500, "out of memory");
    else
        failure_set(failure, 400, "Network name %s is ambiguous: it exists on nodes %.*s; use %s/%s", reference,
                    (int)bytes_length(&nodes), bytes_at(&nodes), holders->list[0].node, holders->list[0].name);
    bytes_free(&nodes);
    return -1;
}

int network_is_one(const struct object_holders *holders, const char *reference, struct failure *failure)
{
    for (size_t i = 1; i < holders->count; i++) {
        if (strcmp(holders->list[i].id, holders->list[0].id) != 0)
            return say_ambiguous(holders, reference, failure);
    }
    return 0;
}
