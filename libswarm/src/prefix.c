/* SPDX-License-Identifier: Apache-2.0 */
#include "prefix.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_fork(const void *at)
{
    return ((uintptr_t)at & 1) != 0;
}

static struct swarm__prefix_fork *as_fork(void *at)
{
    return (struct swarm__prefix_fork *)((uintptr_t)at & ~(uintptr_t)1);
}

static void *tagged(struct swarm__prefix_fork *fork)
{
    return (void *)((uintptr_t)fork | 1);
}

/* The greater, the lower in the tree. */
static uint64_t place_of(size_t byte, uint8_t all_but_one_bit)
{
    return (uint64_t)byte << 8 | all_but_one_bit;
}

static size_t byte_of(const struct swarm__prefix_fork *fork)
{
    return (size_t)(fork->place >> 8);
}

static int side(const struct swarm__prefix_fork *fork, const char *key, size_t length)
{
    uint8_t byte = byte_of(fork) < length ? (uint8_t)key[byte_of(fork)] : 0;
    return (1 + ((fork->place & 0xff) | byte)) >> 8;
}

/* The entry that a key would be, if it is there at all. */
static struct swarm__prefix_entry *nearest(const struct swarm__prefix *prefix, const char *key, size_t length)
{
    void *at = prefix->root;
    while (at && is_fork(at))
        at = as_fork(at)->child[side(as_fork(at), key, length)];
    return at;
}

struct swarm__prefix_entry *swarm__prefix_find(const struct swarm__prefix *prefix, const char *key)
{
    struct swarm__prefix_entry *entry = nearest(prefix, key, strlen(key));
    return entry && strcmp(entry->key, key) == 0 ? entry : NULL;
}

static struct swarm__prefix_entry *leftmost(void *at)
{
    while (is_fork(at))
        at = as_fork(at)->child[0];
    return at;
}

struct swarm__prefix_entry *swarm__prefix_first(const struct swarm__prefix *prefix, const char *text)
{
    size_t length = strlen(text);
    void *at = prefix->root;
    while (at && is_fork(at) && byte_of(as_fork(at)) < length)
        at = as_fork(at)->child[side(as_fork(at), text, length)];
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
    for (void *at = prefix->root; is_fork(at);) {
        int direction = side(as_fork(at), entry->key, length);
        if (direction == 0)
            turn = at;
        at = as_fork(at)->child[direction];
    }
    if (!turn)
        return NULL;
    struct swarm__prefix_entry *next = leftmost(as_fork(turn)->child[1]);
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

void swarm__prefix_add(struct swarm__prefix *prefix, struct swarm__prefix_entry *entry)
{
    const char *key = entry->key;
    size_t length = strlen(key);
    struct swarm__prefix_entry *other = nearest(prefix, key, length);
    entry->same = NULL;
    if (!other) {
        prefix->root = entry;
        return;
    }
    size_t byte = 0;
    while (key[byte] == other->key[byte] && key[byte] != '\0')
        byte++;
    if (key[byte] == other->key[byte]) {
        entry->same = other->same;
        other->same = entry;
        return;
    }
    struct swarm__prefix_fork *fork = &entry->fork;
    fork->place = place_of(byte, all_but_highest((uint8_t)(key[byte] ^ other->key[byte])));
    void **where = &prefix->root;
    while (is_fork(*where) && as_fork(*where)->place < fork->place)
        where = &as_fork(*where)->child[side(as_fork(*where), key, length)];
    int direction = side(fork, key, length);
    fork->child[direction] = entry;
    fork->child[1 - direction] = *where;
    *where = tagged(fork);
}

/* Let another fork, which is not in use, take the place of the one in *where. */
static void replace_fork(void **where, struct swarm__prefix_fork *fork)
{
    *fork = *as_fork(*where);
    *where = tagged(fork);
}

void swarm__prefix_remove(struct swarm__prefix *prefix, struct swarm__prefix_entry *entry)
{
    size_t length = strlen(entry->key);
    void **where = &prefix->root;
    void **above = NULL; /* where the lowest fork above it is, … */
    void **own = NULL;   /* … and where the one is that it brought along */
    int direction = 0;
    while (is_fork(*where)) {
        above = where;
        if (as_fork(*where) == &entry->fork)
            own = where;
        direction = side(as_fork(*where), entry->key, length);
        where = &as_fork(*where)->child[direction];
    }
    struct swarm__prefix_entry *head = *where;
    if (head != entry) {
        while (head->same != entry)
            head = head->same;
        head->same = entry->same;
    } else if (entry->same) {
        *where = entry->same;
        if (own)
            replace_fork(own, &entry->same->fork);
    } else if (!above) {
        prefix->root = NULL;
    } else {
        struct swarm__prefix_fork *gone = as_fork(*above);
        *above = gone->child[1 - direction];
        if (own && gone != &entry->fork)
            replace_fork(own, gone);
    }
    entry->same = NULL;
}
