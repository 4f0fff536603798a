/* SPDX-License-Identifier: Apache-2.0 */
#include "image_find.h"

#include <stdlib.h>
#include <string.h>

#include "image_name.h"

struct candidate {
    struct image_holder holder;
    json_t *images; /* reference: the list is replaced whole */
    size_t meant;   /* by the reference that is looked at */
    bool lacks;     /* one of them */
};

struct search {
    struct candidate *candidates;
    size_t count;
};

static int search_begin(struct search *search, struct pool *pool)
{
    pool_read_lock(pool);
    search->candidates = calloc(pool->engine_count + 1, sizeof(search->candidates[0]));
    for (size_t i = 0; search->candidates != NULL && i < pool->engine_count; i++) {
        struct engine *engine = pool->engines[i];
        struct candidate *candidate = &search->candidates[search->count];

        if (engine->node == NULL)
            continue;
        candidate->holder.engine = engine_ref(engine);
        candidate->holder.healthy = engine->state == ENGINE_HEALTHY;
        candidate->images = json_incref(engine->images);
        search->count++;
    }
    pool_unlock(pool);
    return search->candidates == NULL ? -1 : 0;
}

static void search_end(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        engine_unref(search->candidates[i].holder.engine);
        json_decref(search->candidates[i].images);
    }
    free(search->candidates);
}

static size_t look_for_name(struct search *search, const char *reference, bool any_tag)
{
    size_t found = 0, k;
    json_t *image;

    for (size_t i = 0; i < search->count; i++) {
        search->candidates[i].meant = 0;
        json_array_foreach (search->candidates[i].images, k, image)
            search->candidates[i].meant += image_names_meant(image, reference, any_tag);
        found += search->candidates[i].meant;
    }
    return found;
}

static int look_for_id(struct search *search, const char *reference, struct failure *failure)
{
    const char *first = NULL;
    size_t k;
    json_t *image;

    for (size_t i = 0; i < search->count; i++) {
        json_array_foreach (search->candidates[i].images, k, image) {
            const char *id = json_string_value(json_object_get(image, "Id"));

            if (!image_id_meant(image, reference))
                continue;
            if (first != NULL && strcmp(first, id) != 0)
                return failure_set(failure, 404, "No such image: %s: several ids begin with it", reference);
            first = id;
            search->candidates[i].meant = 1;
        }
    }
    return 0;
}

static int look_for(struct search *search, const char *reference, bool any_tag, struct failure *failure)
{
    if (look_for_name(search, reference, any_tag) == 0 && look_for_id(search, reference, failure) < 0)
        return -1;
    for (size_t i = 0; i < search->count; i++) {
        struct candidate *candidate = &search->candidates[i];

        candidate->holder.names += candidate->meant;
        candidate->lacks = candidate->lacks || candidate->meant == 0;
    }
    return 0;
}

static bool goes_before(const struct image_holder *a, const struct image_holder *b)
{
    return a->healthy != b->healthy ? a->healthy : a->names > b->names;
}

/* Behind all that do not come after it: what is equal stays in the pool's order. */
static void insert(struct image_holders *holders, const struct image_holder *holder)
{
    size_t at = holders->count++;

    for (; at > 0 && goes_before(holder, &holders->list[at - 1]); at--)
        holders->list[at] = holders->list[at - 1];
    holders->list[at] = *holder;
    engine_ref(holder->engine);
    holders->healthy += holder->healthy;
}

int image_find(struct pool *pool, const char *const *references, size_t count, bool any_tag, struct image_holders *ret,
               struct failure *failure)
{
    struct image_holders holders = {0};
    struct search search = {0};
    int r = search_begin(&search, pool) < 0 ? failure_set(failure, 500, "out of memory") : 0;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = look_for(&search, references[i], any_tag, failure);
    if (r == 0) {
        holders.list = calloc(search.count + 1, sizeof(holders.list[0]));
        r = holders.list == NULL ? failure_set(failure, 500, "out of memory") : 0;
    }
    for (size_t i = 0; r == 0 && i < search.count; i++) {
        if (!search.candidates[i].lacks)
            insert(&holders, &search.candidates[i].holder);
    }
    search_end(&search);
    if (r == 0)
        *ret = holders;
    return r;
}

void image_holders_clear(struct image_holders *holders)
{
    for (size_t i = 0; i < holders->count; i++)
        engine_unref(holders->list[i].engine);
    free(holders->list);
    memset(holders, 0, sizeof(*holders));
}

bool image_is_held_by(void *data, const struct engine *engine)
{
    const struct image_holders *holders = data;

    for (size_t i = 0; i < holders->count; i++) {
        if (holders->list[i].engine == engine)
            return true;
    }
    return false;
}
