/* SPDX-License-Identifier: Apache-2.0 */
/* Which engines have an image, as the pool knows it. */
#ifndef MANAGE_IMAGE_FIND_H
#define MANAGE_IMAGE_FIND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

struct image_holder {
    struct engine *engine; /* reference */
    bool healthy;
};

struct image_holders {
    struct image_holder *list; /* healthy ones first, then by name */
    size_t count;
    size_t healthy;
};

/* The engines that have an image. A name goes before an id that begins alike. 0, also where there are none; -1 with 404
 * where the beginning of an id is that of several. */
int image_find(struct pool *pool, const char *reference, struct image_holders *ret, struct failure *failure);
void image_holders_clear(struct image_holders *holders);
/* For broadcast_new(): @p data are the holders. */
bool image_is_held_by(void *data, const struct engine *engine);

/* What several images, or all tags of a repository, are to be had from. */
struct image_part {
    struct engine *engine; /* reference */
    json_t *references;    /* strings: what it is to give */
};
struct image_parts {
    struct engine **whole; /* references: each has all of it */
    size_t whole_count;
    struct image_part *list; /* where there are none: they have all of it together */
    size_t count;
};

/* Healthy engines that have the @p count images; a name without a tag means all of its tags. Both lists are empty where
 * one of the images is on none. -1 as above. */
int image_find_parts(struct pool *pool, const char *const *references, size_t count, struct image_parts *ret,
                     struct failure *failure);
void image_parts_clear(struct image_parts *parts);

#endif
