/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_MAP_H
#define SWARM_SRC_MAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hash map from text to objects that embed a swarm__map_item as their first member. The map owns nothing. Adding may
 * fail for lack of memory; everything else cannot fail. Finding does not write: many threads may do it at once.
 */

struct swarm__map_item {
    const char *key; /**< Stays as it is while the item is in a map. */
};

struct swarm__map_slot {
    struct swarm__map_item *item;
    uint32_t hash;
};

/** Zeroed memory is an empty map. */
struct swarm__map {
    struct swarm__map_slot *slots;
    uint32_t count;
    uint32_t capacity; /**< A power of two, or 0. */
};

/** Well mixed, for ties as well; not meant against an adversary. */
uint64_t swarm__hash(const char *text, size_t length);

void swarm__map_finish(struct swarm__map *map);
struct swarm__map_item *swarm__map_find(const struct swarm__map *map, const char *key);
/** As above for a key that is not NUL-terminated. */
struct swarm__map_item *swarm__map_find_n(const struct swarm__map *map, const char *key, size_t length);
/** @p item's key must not be in the map yet. @return 0, or -1 where there is no memory. */
int swarm__map_add(struct swarm__map *map, struct swarm__map_item *item);
/** @p item must be in the map. */
void swarm__map_remove(struct swarm__map *map, const struct swarm__map_item *item);
/** Put @p item in the place of @p old, which has an equal key. */
void swarm__map_replace(struct swarm__map *map, const struct swarm__map_item *old, struct swarm__map_item *item);
/** Walk in no particular order: start with *position 0; NULL at the end. */
struct swarm__map_item *swarm__map_next(const struct swarm__map *map, size_t *position);

#endif
