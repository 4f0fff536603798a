/* SPDX-License-Identifier: Apache-2.0 */
/* Which engines have an image, as the pool knows it. */
#ifndef MANAGE_IMAGE_FIND_H
#define MANAGE_IMAGE_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

struct image_holder {
    struct engine *engine; /* reference */
    bool healthy;
    size_t names; /* of its images that are meant */
};

struct image_holders {
    struct image_holder *list; /* healthy ones first, those with most of the names first, then by name */
    size_t count;
    size_t healthy;
};

/* The engines that have all of the @p count images. A name goes before an id that begins alike. @p any_tag: a name
 * without a tag means all of its tags. 0, also where there are none; -1 with 404 where the beginning of an id is that
 * of several. */
int image_find(struct pool *pool, const char *const *references, size_t count, bool any_tag, struct image_holders *ret,
               struct failure *failure);
void image_holders_clear(struct image_holders *holders);
/* For broadcast_new(): @p data are the holders. */
bool image_is_held_by(void *data, const struct engine *engine);

#endif
