/* SPDX-License-Identifier: Apache-2.0 */
#include "nodeset.h"

#include <string.h>

#include "mem.h"

static size_t words_for(size_t slots)
{
    return slots / SWARM__NODESET_WORD + (slots % SWARM__NODESET_WORD != 0);
}

int swarm__nodeset_init(struct swarm__nodeset *set, size_t slots)
{
    uint64_t *words = swarm__calloc(words_for(slots), sizeof(*words));
    if (!words)
        return -1;
    *set = (struct swarm__nodeset){words, words_for(slots)};
    return 0;
}

void swarm__nodeset_finish(struct swarm__nodeset *set)
{
    swarm__free(set->words);
    *set = (struct swarm__nodeset){NULL, 0};
}

int swarm__nodeset_resize(struct swarm__nodeset *set, size_t slots)
{
    size_t length = words_for(slots);
    if (length <= set->length)
        return 0;
    if (length > SIZE_MAX / sizeof(uint64_t))
        return -1;
    uint64_t *words = swarm__realloc(set->words, length * sizeof(*words));
    if (!words)
        return -1;
    memset(words + set->length, 0, (length - set->length) * sizeof(*words));
    *set = (struct swarm__nodeset){words, length};
    return 0;
}

void swarm__nodeset_clear(struct swarm__nodeset *set)
{
    if (set->length)
        memset(set->words, 0, set->length * sizeof(*set->words));
}

void swarm__nodeset_copy(struct swarm__nodeset *set, const struct swarm__nodeset *from)
{
    if (set->length)
        memcpy(set->words, from->words, set->length * sizeof(*set->words));
}

void swarm__nodeset_or(struct swarm__nodeset *set, const struct swarm__nodeset *other)
{
    size_t length = other->length < set->length ? other->length : set->length;
    for (size_t i = 0; i < length; i++)
        set->words[i] |= other->words[i];
}

void swarm__nodeset_and(struct swarm__nodeset *set, const struct swarm__nodeset *other)
{
    for (size_t i = 0; i < set->length; i++)
        set->words[i] &= other->words[i];
}

void swarm__nodeset_and_not(struct swarm__nodeset *set, const struct swarm__nodeset *other)
{
    for (size_t i = 0; i < set->length; i++)
        set->words[i] &= ~other->words[i];
}

bool swarm__nodeset_empty(const struct swarm__nodeset *set)
{
    for (size_t i = 0; i < set->length; i++)
        if (set->words[i] != 0)
            return false;
    return true;
}

size_t swarm__nodeset_count(const struct swarm__nodeset *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->length; i++)
        count += (size_t)__builtin_popcountll(set->words[i]);
    return count;
}
