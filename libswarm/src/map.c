/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

#include <stdbool.h>
#include <string.h>

#include "mem.h"

/* Linear probing; removal shifts the run back, so there are no tombstones and look-ups never get slower with age. */

#define LEAST_CAPACITY 8u

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return x;
}

uint64_t swarm__hash(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) ^ length;
    while (length >= 8) {
        uint64_t word = 0;
        for (int i = 0; i < 8; i++)
            word |= (uint64_t)(unsigned char)text[i] << (8 * i);
        hash = (hash ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
        hash ^= hash >> 29;
        text += 8;
        length -= 8;
    }
    uint64_t word = 0;
    for (size_t i = 0; i < length; i++)
        word |= (uint64_t)(unsigned char)text[i] << (8 * i);
    return mix(hash ^ word);
}

void swarm__map_finish(struct swarm__map *map)
{
    swarm__free(map->slots);
    *map = (struct swarm__map){NULL, 0, 0};
}

struct swarm__map_item *swarm__map_find_n(const struct swarm__map *map, const char *key, size_t length)
{
    if (map->count == 0)
        return NULL;
    uint32_t hash = (uint32_t)swarm__hash(key, length);
    uint32_t mask = map->capacity - 1;
    for (uint32_t i = hash & mask; map->slots[i].item; i = (i + 1) & mask) {
        const char *found = map->slots[i].item->key;
        if (map->slots[i].hash == hash && strncmp(found, key, length) == 0 && found[length] == '\0')
            return map->slots[i].item;
    }
    return NULL;
}

struct swarm__map_item *swarm__map_find(const struct swarm__map *map, const char *key)
{
    return swarm__map_find_n(map, key, strlen(key));
}

static void put(struct swarm__map_slot *slots, uint32_t mask, struct swarm__map_slot slot)
{
    uint32_t i = slot.hash & mask;
    while (slots[i].item)
        i = (i + 1) & mask;
    slots[i] = slot;
}

/* Keep at most three quarters full. */
static int make_room(struct swarm__map *map)
{
    if ((uint64_t)(map->count + 1) * 4 <= (uint64_t)map->capacity * 3)
        return 0;
    if (map->capacity > UINT32_MAX / 2)
        return -1;
    uint32_t capacity = map->capacity ? map->capacity * 2 : LEAST_CAPACITY;
    struct swarm__map_slot *slots = swarm__calloc(capacity, sizeof(*slots));
    if (!slots)
        return -1;
    for (uint32_t i = 0; i < map->capacity; i++)
        if (map->slots[i].item)
            put(slots, capacity - 1, map->slots[i]);
    swarm__free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return 0;
}

int swarm__map_add(struct swarm__map *map, struct swarm__map_item *item)
{
    if (make_room(map) != 0)
        return -1;
    uint32_t hash = (uint32_t)swarm__hash(item->key, strlen(item->key));
    put(map->slots, map->capacity - 1, (struct swarm__map_slot){item, hash});
    map->count++;
    return 0;
}

static uint32_t position_of(const struct swarm__map *map, const struct swarm__map_item *item)
{
    uint32_t mask = map->capacity - 1;
    uint32_t i = (uint32_t)swarm__hash(item->key, strlen(item->key)) & mask;
    while (map->slots[i].item != item)
        i = (i + 1) & mask;
    return i;
}

void swarm__map_remove(struct swarm__map *map, const struct swarm__map_item *item)
{
    uint32_t mask = map->capacity - 1;
    uint32_t hole = position_of(map, item);
    for (uint32_t i = (hole + 1) & mask; map->slots[i].item; i = (i + 1) & mask) {
        uint32_t home = map->slots[i].hash & mask;
        bool stays = ((i - home) & mask) < ((i - hole) & mask); /* its home is behind the hole */
        if (!stays) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole].item = NULL;
    map->count--;
}

void swarm__map_replace(struct swarm__map *map, const struct swarm__map_item *old, struct swarm__map_item *item)
{
    map->slots[position_of(map, old)].item = item;
}

struct swarm__map_item *swarm__map_next(const struct swarm__map *map, size_t *position)
{
    while (*position < map->capacity) {
        struct swarm__map_item *item = map->slots[(*position)++].item;
        if (item)
            return item;
    }
    return NULL;
}
