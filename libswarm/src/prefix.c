/* SPDX-License-Identifier: Apache-2.0 */
#include "prefix.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "mem.h"

/* A child is an entry (even pointer) or an inner node (pointer with its lowest bit set). */
struct inner {
    void *child[2];
    uint32_t byte;   /* where keys below child[0] and child[1] first differ … */
    uint8_t but_bit; /* … with all bits set but the one that differs */
};

static bool is_inner(const void *at)
{
    return ((uintptr_t)at & 1) != 0;
}

static struct inner *as_inner(void *at)
{
    return (struct inner *)((uintptr_t)at & ~(uintptr_t)1);
}

static void *tagged(struct inner *inner)
{
    return (void *)((uintptr_t)inner | 1);
}

static int side(const struct inner *inner, const char *key, size_t length)
{
    uint8_t byte = inner->byte < length ? (uint8_t)key[inner->byte] : 0;
    return (1 + (inner->but_bit | byte)) >> 8;
}

/* The entry that a key would be, if it is there at all. */
static struct swarm__prefix_entry *nearest(const struct swarm__prefix *prefix, const char *key, size_t length)
{
    void *at = prefix->root;
    while (at && is_inner(at))
        at = as_inner(at)->child[side(as_inner(at), key, length)];
    return at;
}

struct swarm__prefix_entry *swarm__prefix_find(const struct swarm__prefix *prefix, const char *key)
{
    struct swarm__prefix_entry *entry = nearest(prefix, key, strlen(key));
    return entry && strcmp(entry->key, key) == 0 ? entry : NULL;
}

static struct swarm__prefix_entry *leftmost(void *at)
{
    while (is_inner(at))
        at = as_inner(at)->child[0];
    return at;
}

struct swarm__prefix_entry *swarm__prefix_first(const struct swarm__prefix *prefix, const char *text)
{
    size_t length = strlen(text);
    void *at = prefix->root;
    while (at && is_inner(at) && as_inner(at)->byte < length)
        at = as_inner(at)->child[side(as_inner(at), text, length)];
    if (!at)
        return NULL;
    struct swarm__prefix_entry *entry = leftmost(at);
    return strncmp(entry->key, text, length) == 0 ? entry : NULL;
}

struct swarm__prefix_entry *swarm__prefix_next(const struct swarm__prefix *prefix,
                                               const struct swarm__prefix_entry *entry, const char *text)
{
    size_t length = strlen(entry->key);
    void *turn = NULL; /* where the walk went left last: what is greater begins on its right */
    for (void *at = prefix->root; is_inner(at);) {
        int direction = side(as_inner(at), entry->key, length);
        if (direction == 0)
            turn = at;
        at = as_inner(at)->child[direction];
    }
    if (!turn)
        return NULL;
    struct swarm__prefix_entry *next = leftmost(as_inner(turn)->child[1]);
    return strncmp(next->key, text, strlen(text)) == 0 ? next : NULL;
}

/* All bits of the differing byte but its highest differing one. */
static uint8_t all_but_highest(uint8_t difference)
{
    difference |= difference >> 1;
    difference |= difference >> 2;
    difference |= difference >> 4;
    return (uint8_t) ~(difference & ~(difference >> 1));
}

void swarm__prefix_finish(struct swarm__prefix *prefix)
{
    swarm__free(prefix->spare);
    prefix->spare = NULL;
}

static struct inner *inner_new(struct swarm__prefix *prefix)
{
    struct inner *inner = prefix->spare;
    prefix->spare = NULL;
    return inner ? inner : swarm__malloc(sizeof(*inner));
}

static void inner_drop(struct swarm__prefix *prefix, struct inner *inner)
{
    swarm__free(prefix->spare);
    prefix->spare = inner;
}

int swarm__prefix_add(struct swarm__prefix *prefix, struct swarm__prefix_entry *entry)
{
    const char *key = entry->key;
    size_t length = strlen(key);
    struct swarm__prefix_entry *other = nearest(prefix, key, length);
    entry->same = NULL;
    if (!other) {
        prefix->root = entry;
        return 0;
    }
    size_t byte = 0;
    while (key[byte] == other->key[byte] && key[byte] != '\0')
        byte++;
    if (key[byte] == other->key[byte]) {
        entry->same = other->same;
        other->same = entry;
        return 0;
    }
    struct inner *fresh = byte > UINT32_MAX ? NULL : inner_new(prefix);
    if (!fresh)
        return -1;
    fresh->byte = (uint32_t)byte;
    fresh->but_bit = all_but_highest((uint8_t)(key[byte] ^ other->key[byte]));
    void **where = &prefix->root;
    while (is_inner(*where)) {
        struct inner *inner = as_inner(*where);
        if (inner->byte > byte || (inner->byte == byte && inner->but_bit > fresh->but_bit))
            break;
        where = &inner->child[side(inner, key, length)];
    }
    int direction = side(fresh, key, length);
    fresh->child[direction] = entry;
    fresh->child[1 - direction] = *where;
    *where = tagged(fresh);
    return 0;
}

void swarm__prefix_remove(struct swarm__prefix *prefix, struct swarm__prefix_entry *entry)
{
    size_t length = strlen(entry->key);
    void **where = &prefix->root;
    void **above = NULL;
    int direction = 0;
    while (is_inner(*where)) {
        above = where;
        direction = side(as_inner(*where), entry->key, length);
        where = &as_inner(*where)->child[direction];
    }
    struct swarm__prefix_entry *head = *where;
    if (head != entry) {
        while (head->same != entry)
            head = head->same;
        head->same = entry->same;
    } else if (entry->same) {
        *where = entry->same;
    } else if (!above) {
        prefix->root = NULL;
    } else {
        struct inner *gone = as_inner(*above);
        *above = gone->child[1 - direction];
        inner_drop(prefix, gone);
    }
    entry->same = NULL;
}
