/* SPDX-License-Identifier: Apache-2.0 */
/* Images of many engines as one list: an entry an id, as one engine would list them. */
#ifndef MANAGE_IMAGE_LIST_H
#define MANAGE_IMAGE_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

/* What one engine has: its array as GET /images/json?all=1 gives it. */
struct image_source {
    char *node;
    char *node_id;
    json_t *images;
};

struct image_query {
    bool all;
    const json_t *filters; /* borrowed */
    /* filled by image_query_check() */
    int64_t before, since, until; /* Unix times; INT64_MAX, INT64_MIN, INT64_MAX where not asked */
};

/* Check the filters and look the images up that they name. -1 with 400. */
int image_query_check(struct image_query *query, const struct image_source *sources, size_t count, int64_t now_s,
                      struct failure *failure);
/* The list, newest first; NULL for lack of memory. New; its entries are copies. */
json_t *image_list(const struct image_query *query, const struct image_source *sources, size_t count);
/* Images that a plain list of that engine shows: all but those that are only parts of others. */
size_t image_list_count(const json_t *images);

/* An image, as engines list or describe it, as API version 1.@p minor has it: what changed between versions that
 * clients speak, and engines' own. */
void image_shape(json_t *image, int minor);

#endif
