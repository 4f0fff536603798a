/* SPDX-License-Identifier: Apache-2.0 */
/* The images of an engine: its own list for the API, facts for placing. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pool_private.h"

struct image_facts {
    struct swarm_image **images;
    size_t count;
};

static void image_facts_clear(struct image_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        swarm_image_free(facts->images[i]);
    }
    free(facts->images);
}

static int add_references(struct swarm_image *image, const json_t *references,
                          int (*add)(struct swarm_image *, const char *, struct swarm_error **))
{
    size_t index;
    json_t *item;

    json_array_foreach (references, index, item) {
        const char *reference = json_string_value(item);

        /* Engines name an untagged image "<none>:<none>". */
        if (reference && *reference != '<' && add(image, reference, NULL)) {
            return -1;
        }
    }
    return 0;
}

static int take_image(struct image_facts *facts, const json_t *entry)
{
    const char *id = json_string_value(json_object_get(entry, "Id"));
    struct swarm_image *image;

    if (!id || swarm_image_new(&image, id, NULL)) {
        return id ? -1 : 0;
    }
    facts->images[facts->count++] = image;
    return add_references(image, json_object_get(entry, "RepoTags"), swarm_image_add_tag) ||
                   add_references(image, json_object_get(entry, "RepoDigests"), swarm_image_add_digest)
               ? -1
               : 0;
}

static int take_images(struct image_facts *facts, const json_t *images)
{
    size_t index, count = json_array_size(images);
    json_t *entry;

    facts->images = calloc(count ? count : 1, sizeof(struct swarm_image *));
    if (!facts->images) {
        return -1;
    }
    json_array_foreach (images, index, entry) {
        if (take_image(facts, entry)) {
            return -1;
        }
    }
    return 0;
}

/* With the pool locked for writing; the list that it replaces goes to *ret_old. */
static int apply(struct engine *engine, uint64_t ticket, json_t *images, const struct image_facts *facts,
                 json_t **ret_old)
{
    if (ticket < engine->images_ticket) {
        return 0;
    }
    engine->images_ticket = ticket;
    *ret_old = engine->images;
    engine->images = json_incref(images);
    return engine->node ? swarm_node_set_images(engine->node, (const struct swarm_image *const *)facts->images,
                                                facts->count, NULL)
                        : 0;
}

/* Where the engines have the same images, as those of a pool often do, one answer is kept. New reference. */
static json_t *share(struct pool *pool, const struct engine *engine, json_t *images)
{
    json_t *other = NULL;

    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count && i < POOL_LIKE_MAX && !other; i++) {
        if (pool->engines[i] != engine) {
            other = json_incref(pool->engines[i]->images);
        }
    }
    pool_unlock(pool);
    if (other && json_equal(other, images)) {
        return other;
    }
    json_decref(other);
    return json_incref(images);
}

void pool_apply_images(struct pool *pool, struct engine *engine, uint64_t ticket, json_t *images)
{
    struct image_facts facts = {0};
    json_t *old = NULL;
    int result = take_images(&facts, images);

    if (!result) {
        json_t *kept = share(pool, engine, images);

        pool_write_lock(pool);
        result = apply(engine, ticket, kept, &facts, &old);
        pool_unlock(pool);
        json_decref(kept);
        json_decref(old);
    }
    if (result) {
        log_warn("Unable to take over the images of engine %s: out of memory", engine->address);
    }
    image_facts_clear(&facts);
}
