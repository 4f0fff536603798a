/* SPDX-License-Identifier: Apache-2.0 */
#include "posting.h"

#include <string.h>

#include "mem.h"

void swarm__posting_finish(struct swarm__posting *posting)
{
    if (posting->capacity)
        swarm__free(posting->at.many);
    *posting = (struct swarm__posting){0};
}

static struct swarm__tally *tallies(struct swarm__posting *posting)
{
    return posting->capacity ? posting->at.many : &posting->at.one;
}

/* Where the slot is or would be. */
static uint32_t position_of(const struct swarm__posting *posting, uint32_t slot)
{
    const struct swarm__tally *at = swarm__posting_tallies(posting);
    uint32_t low = 0, high = posting->length;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (at[middle].slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int make_room(struct swarm__posting *posting)
{
    if (posting->length < (posting->capacity ? posting->capacity : 1))
        return 0;
    if (posting->capacity > UINT32_MAX / 2)
        return -1;
    uint32_t capacity = posting->capacity ? posting->capacity * 2 : 4;
    struct swarm__tally *many = posting->capacity ? posting->at.many : NULL;
    many = swarm__realloc(many, capacity * sizeof(*many));
    if (!many)
        return -1;
    if (posting->capacity == 0)
        many[0] = posting->at.one;
    posting->at.many = many;
    posting->capacity = capacity;
    return 0;
}

int swarm__posting_add(struct swarm__posting *posting, uint32_t slot)
{
    uint32_t position = position_of(posting, slot);
    if (position < posting->length && tallies(posting)[position].slot == slot) {
        tallies(posting)[position].count++;
        return 0;
    }
    if (make_room(posting) != 0)
        return -1;
    struct swarm__tally *at = tallies(posting) + position;
    memmove(at + 1, at, (posting->length - position) * sizeof(*at));
    *at = (struct swarm__tally){slot, 1};
    posting->length++;
    return 0;
}

void swarm__posting_remove(struct swarm__posting *posting, uint32_t slot)
{
    uint32_t position = position_of(posting, slot);
    struct swarm__tally *at = tallies(posting) + position;
    if (--at->count > 0)
        return;
    posting->length--;
    memmove(at, at + 1, (posting->length - position) * sizeof(*at));
}

uint32_t swarm__posting_count(const struct swarm__posting *posting, uint32_t slot)
{
    uint32_t position = position_of(posting, slot);
    const struct swarm__tally *at = swarm__posting_tallies(posting) + position;
    return position < posting->length && at->slot == slot ? at->count : 0;
}

void swarm__posting_mark(const struct swarm__posting *posting, struct swarm__nodeset *set)
{
    const struct swarm__tally *at = swarm__posting_tallies(posting);
    for (uint32_t i = 0; i < posting->length; i++)
        swarm__nodeset_add(set, at[i].slot);
}
