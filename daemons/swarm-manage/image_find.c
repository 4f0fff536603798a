/* SPDX-License-Identifier: Apache-2.0 */
#include "image_find.h"

#include <stdlib.h>
#include <string.h>

#include "image_name.h"

struct candidate {
    struct image_holder holder;
    json_t *images; /* reference: the list is replaced whole */
    bool has;       /* what is looked for */
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

static bool look_for_name(struct search *search, const char *reference, bool any_tag)
{
    bool found = false;
    size_t k;
    json_t *image;

    for (size_t i = 0; i < search->count; i++) {
        struct candidate *candidate = &search->candidates[i];

        candidate->has = false;
        json_array_foreach (candidate->images, k, image)
            candidate->has = candidate->has || image_names_meant(image, reference, any_tag) > 0;
        found = found || candidate->has;
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
            search->candidates[i].has = true;
        }
    }
    return 0;
}

static int look_for(struct search *search, const char *reference, bool any_tag, struct failure *failure)
{
    return look_for_name(search, reference, any_tag) ? 0 : look_for_id(search, reference, failure);
}

/* Healthy ones in front of the others. */
static void insert(struct image_holders *holders, const struct image_holder *holder)
{
    size_t at = holder->healthy ? holders->healthy : holders->count;

    memmove(&holders->list[at + 1], &holders->list[at], (holders->count - at) * sizeof(holders->list[0]));
    holders->list[at] = *holder;
    engine_ref(holder->engine);
    holders->count++;
    holders->healthy += holder->healthy;
}

int image_find(struct pool *pool, const char *reference, struct image_holders *ret, struct failure *failure)
{
    struct image_holders holders = {0};
    struct search search = {0};
    int r = search_begin(&search, pool) < 0 ? failure_set(failure, 500, "out of memory")
                                            : look_for(&search, reference, false, failure);

    if (r == 0) {
        holders.list = calloc(search.count + 1, sizeof(holders.list[0]));
        r = holders.list == NULL ? failure_set(failure, 500, "out of memory") : 0;
    }
    for (size_t i = 0; r == 0 && i < search.count; i++) {
        if (search.candidates[i].has)
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

/* --- several --- */

/* A name that is wanted, and who has it. */
struct want {
    char *reference;
    bool *held; /* by the candidates */
    size_t holders;
    bool taken; /* somebody gives it already */
};

struct wants {
    struct want *list;
    size_t count, candidates;
};

static void wants_clear(struct wants *wants)
{
    for (size_t i = 0; i < wants->count; i++) {
        free(wants->list[i].reference);
        free(wants->list[i].held);
    }
    free(wants->list);
}

/* The one of that name, which is new where there was none; NULL for lack of memory. */
static struct want *want(struct wants *wants, const char *reference)
{
    struct want *more, new = {0};

    for (size_t i = 0; i < wants->count; i++) {
        if (strcmp(wants->list[i].reference, reference) == 0)
            return &wants->list[i];
    }
    more = realloc(wants->list, (wants->count + 1) * sizeof(more[0]));
    if (more == NULL)
        return NULL;
    wants->list = more;
    new.reference = strdup(reference);
    new.held = calloc(wants->candidates + 1, sizeof(new.held[0]));
    if (new.reference == NULL || new.held == NULL) {
        free(new.reference);
        free(new.held);
        return NULL;
    }
    more[wants->count] = new;
    return &more[wants->count++];
}

static int add_holder(struct wants *wants, const char *reference, size_t candidate)
{
    struct want *wanted = want(wants, reference);

    if (wanted == NULL)
        return -1;
    wanted->holders += !wanted->held[candidate];
    wanted->held[candidate] = true;
    return 0;
}

/* All tags that a candidate has of the repository @p reference. */
static int want_tags(struct wants *wants, const struct candidate *candidate, size_t index, const char *reference)
{
    json_t *image, *tag;
    size_t i, k;

    json_array_foreach (candidate->images, i, image) {
        json_array_foreach (json_object_get(image, "RepoTags"), k, tag) {
            const char *text = json_string_value(tag);

            if (text != NULL && image_name_is_meant(text, reference, true) && add_holder(wants, text, index) < 0)
                return -1;
        }
    }
    return 0;
}

/* What @p reference means on the candidates that are well. */
static int want_all_of(struct wants *wants, const struct search *search, const char *reference)
{
    size_t before = wants->count;
    bool bare = reference[image_name_repository(reference)] == '\0';
    int r = 0;

    for (size_t i = 0; r == 0 && bare && i < search->count; i++) {
        if (search->candidates[i].has && search->candidates[i].holder.healthy)
            r = want_tags(wants, &search->candidates[i], i, reference);
    }
    if (r < 0 || wants->count > before)
        return r;
    if (want(wants, reference) == NULL) /* it is wanted even where nobody has it */
        return -1;
    for (size_t i = 0; r == 0 && i < search->count; i++) {
        if (search->candidates[i].has && search->candidates[i].holder.healthy)
            r = add_holder(wants, reference, i);
    }
    return r;
}

static bool some_is_missing(const struct wants *wants)
{
    for (size_t i = 0; i < wants->count; i++) {
        if (wants->list[i].holders == 0)
            return true;
    }
    return wants->count == 0;
}

static size_t count_new(const struct wants *wants, size_t candidate)
{
    size_t count = 0;

    for (size_t i = 0; i < wants->count; i++)
        count += !wants->list[i].taken && wants->list[i].held[candidate];
    return count;
}

/* The one that has most of what nobody gives yet; the first of those that are equal. */
static size_t best_of(const struct wants *wants, size_t *ret_count)
{
    size_t best = 0;

    *ret_count = 0;
    for (size_t i = 0; i < wants->candidates; i++) {
        size_t count = count_new(wants, i);

        if (count > *ret_count) {
            best = i;
            *ret_count = count;
        }
    }
    return best;
}

static int add_part(struct image_parts *parts, struct wants *wants, size_t candidate, struct engine *engine)
{
    struct image_part *part = &parts->list[parts->count++];
    int r = 0;

    part->engine = engine_ref(engine);
    part->references = json_array();
    for (size_t i = 0; r == 0 && i < wants->count; i++) {
        struct want *wanted = &wants->list[i];

        if (wanted->taken || !wanted->held[candidate])
            continue;
        wanted->taken = true;
        r = json_array_append_new(part->references, json_string(wanted->reference));
    }
    return r;
}

static int divide(struct image_parts *parts, struct wants *wants, const struct search *search)
{
    int r = 0;

    parts->whole = calloc(search->count + 1, sizeof(parts->whole[0]));
    parts->list = calloc(search->count + 1, sizeof(parts->list[0]));
    if (parts->whole == NULL || parts->list == NULL)
        return -1;
    for (size_t i = 0; i < search->count; i++) {
        if (count_new(wants, i) == wants->count)
            parts->whole[parts->whole_count++] = engine_ref(search->candidates[i].holder.engine);
    }
    while (r == 0 && parts->whole_count == 0) {
        size_t count, best = best_of(wants, &count);

        if (count == 0)
            break;
        r = add_part(parts, wants, best, search->candidates[best].holder.engine);
    }
    return r;
}

int image_find_parts(struct pool *pool, const char *const *references, size_t count, struct image_parts *ret,
                     struct failure *failure)
{
    struct search search = {0};
    struct wants wants = {0};
    struct image_parts parts = {0};
    int r = search_begin(&search, pool) < 0 ? failure_set(failure, 500, "out of memory") : 0;

    wants.candidates = search.count;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = look_for(&search, references[i], true, failure);
        if (r == 0 && want_all_of(&wants, &search, references[i]) < 0)
            r = failure_set(failure, 500, "out of memory");
    }
    if (r == 0 && !some_is_missing(&wants) && divide(&parts, &wants, &search) < 0)
        r = failure_set(failure, 500, "out of memory");
    wants_clear(&wants);
    search_end(&search);
    if (r == 0)
        *ret = parts;
    else
        image_parts_clear(&parts);
    return r;
}

void image_parts_clear(struct image_parts *parts)
{
    for (size_t i = 0; i < parts->whole_count; i++)
        engine_unref(parts->whole[i]);
    for (size_t i = 0; i < parts->count; i++) {
        engine_unref(parts->list[i].engine);
        json_decref(parts->list[i].references);
    }
    free(parts->whole);
    free(parts->list);
    memset(parts, 0, sizeof(*parts));
}
