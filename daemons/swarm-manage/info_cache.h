/* SPDX-License-Identifier: Apache-2.0 */
/* What /info tells of the engines, put into words when it has changed only: most of a large pool is as it was the last
 * time that somebody asked. */
#ifndef MANAGE_INFO_CACHE_H
#define MANAGE_INFO_CACHE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

struct pool;
struct engine;
struct watchdog;
struct info_cache; /* of a pool */
struct info_block; /* of an engine */

struct info_totals {
    size_t nodes; /* pending ones too */
    size_t running, paused, stopped, images;
    int64_t cpus, memory;
};

int info_cache_new(struct info_cache **ret);
void info_cache_free(struct info_cache *cache);
void info_block_free(struct info_block *block);

/* Who knows what waits of an engine (watchdog.h). */
struct info_waiting {
    char *(*text)(const struct watchdog *watchdog, const struct engine *engine);
    const struct watchdog *watchdog;
};

/* The pairs of SystemStatus of all engines, in the order the pool has them, a comma in front of each; sums; and the
 * members that are made of what all engines say (*ret_shared: new, the caller's own). 0, or -1 for lack of memory. */
int info_cache_write(struct pool *pool, const struct info_waiting *waiting, struct bytes *out,
                     struct info_totals *totals, json_t **ret_shared);

#endif
