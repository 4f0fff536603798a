/* SPDX-License-Identifier: Apache-2.0 */
#include "posting.h"

#include <string.h>

#include "mem.h"

/* Fewer nodes are always a list. */
#define LEAST_DENSE 64u
/* A list turns dense where it has a node of 4 slots or more of them, and back where it has less than one of 16. */
#define DENSE_FROM 4u
#define DENSE_TO 16u

struct swarm__dense {
    uint32_t words;  /* of bits */
    uint64_t bits[]; /* … and behind them a uint32_t of each bit: how often */
};

static bool is_dense(const struct swarm__posting *posting)
{
    return posting->capacity == SWARM__POSTING_DENSE;
}

static uint32_t *counts_of(struct swarm__dense *dense)
{
    return (uint32_t *)(dense->bits + dense->words);
}

static bool has(const struct swarm__dense *dense, uint32_t slot)
{
    uint32_t word = slot / SWARM__NODESET_WORD;
    return word < dense->words && ((dense->bits[word] >> (slot % SWARM__NODESET_WORD)) & 1);
}

void swarm__posting_finish(struct swarm__posting *posting)
{
    if (is_dense(posting))
        swarm__free(posting->at.dense);
    else if (posting->capacity)
        swarm__free(posting->at.many);
    *posting = (struct swarm__posting){0};
}

static struct swarm__tally *tallies(struct swarm__posting *posting)
{
    return posting->capacity ? posting->at.many : &posting->at.one;
}

static const struct swarm__tally *const_tallies(const struct swarm__posting *posting)
{
    return posting->capacity ? posting->at.many : &posting->at.one;
}

/* Where the slot is or would be in the list. */
static uint32_t position_of(const struct swarm__posting *posting, uint32_t slot)
{
    const struct swarm__tally *at = const_tallies(posting);
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

static struct swarm__dense *dense_new(size_t slots)
{
    size_t words = slots / SWARM__NODESET_WORD + 1;
    size_t size = words * (sizeof(uint64_t) + SWARM__NODESET_WORD * sizeof(uint32_t));
    struct swarm__dense *dense = swarm__calloc(1, sizeof(*dense) + size);
    if (dense)
        dense->words = (uint32_t)words;
    return dense;
}

/* Put everything into a dense form with room for so many slots. */
static int make_dense(struct swarm__posting *posting, size_t slots)
{
    struct swarm__dense *dense = dense_new(slots);
    if (!dense)
        return -1;
    uint32_t *counts = counts_of(dense);
    struct swarm__tally tally;
    for (uint32_t position = 0; swarm__posting_next(posting, &position, &tally);) {
        dense->bits[tally.slot / SWARM__NODESET_WORD] |= UINT64_C(1) << (tally.slot % SWARM__NODESET_WORD);
        counts[tally.slot] = tally.count;
    }
    uint32_t length = posting->length;
    swarm__posting_finish(posting);
    *posting = (struct swarm__posting){.length = length, .capacity = SWARM__POSTING_DENSE, .at.dense = dense};
    return 0;
}

static int make_list(struct swarm__posting *posting)
{
    uint32_t capacity = posting->length + posting->length / 2 + 2;
    struct swarm__tally *many = swarm__malloc(capacity * sizeof(*many));
    if (!many)
        return -1;
    uint32_t length = 0;
    for (uint32_t position = 0; swarm__posting_next(posting, &position, &many[length]);)
        length++;
    swarm__posting_finish(posting);
    *posting = (struct swarm__posting){.length = length, .capacity = capacity, .at.many = many};
    return 0;
}

static int make_room_in_list(struct swarm__posting *posting)
{
    if (posting->length < (posting->capacity ? posting->capacity : 1))
        return 0;
    if (posting->capacity > UINT32_MAX / 4)
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

static int add_to_list(struct swarm__posting *posting, uint32_t slot)
{
    uint32_t position = position_of(posting, slot);
    if (position < posting->length && tallies(posting)[position].slot == slot) {
        tallies(posting)[position].count++;
        return 0;
    }
    if (make_room_in_list(posting) != 0)
        return -1;
    struct swarm__tally *at = tallies(posting) + position;
    memmove(at + 1, at, (posting->length - position) * sizeof(*at));
    *at = (struct swarm__tally){slot, 1};
    posting->length++;
    uint32_t last = tallies(posting)[posting->length - 1].slot;
    if (posting->length >= LEAST_DENSE && last / DENSE_FROM < posting->length)
        (void)make_dense(posting, last); /* a list will do as well */
    return 0;
}

int swarm__posting_add(struct swarm__posting *posting, uint32_t slot)
{
    if (!is_dense(posting))
        return add_to_list(posting, slot);
    if (slot / SWARM__NODESET_WORD >= posting->at.dense->words) {
        if (slot / DENSE_TO > posting->length)
            return make_list(posting) != 0 ? -1 : add_to_list(posting, slot);
        if (make_dense(posting, (size_t)slot + slot / 2) != 0)
            return -1;
    }
    struct swarm__dense *dense = posting->at.dense;
    if (counts_of(dense)[slot]++ == 0) {
        dense->bits[slot / SWARM__NODESET_WORD] |= UINT64_C(1) << (slot % SWARM__NODESET_WORD);
        posting->length++;
    }
    return 0;
}

static void remove_from_list(struct swarm__posting *posting, uint32_t slot)
{
    uint32_t position = position_of(posting, slot);
    struct swarm__tally *at = tallies(posting) + position;
    if (--at->count > 0)
        return;
    posting->length--;
    memmove(at, at + 1, (posting->length - position) * sizeof(*at));
}

void swarm__posting_remove(struct swarm__posting *posting, uint32_t slot)
{
    if (!is_dense(posting)) {
        remove_from_list(posting, slot);
        return;
    }
    struct swarm__dense *dense = posting->at.dense;
    if (--counts_of(dense)[slot] > 0)
        return;
    dense->bits[slot / SWARM__NODESET_WORD] &= ~(UINT64_C(1) << (slot % SWARM__NODESET_WORD));
    posting->length--;
    if (posting->length < LEAST_DENSE / 2 || posting->length < dense->words * (SWARM__NODESET_WORD / DENSE_TO))
        (void)make_list(posting); /* where there is no memory it stays as it is */
}

uint32_t swarm__posting_count(const struct swarm__posting *posting, uint32_t slot)
{
    if (is_dense(posting))
        return has(posting->at.dense, slot) ? counts_of(posting->at.dense)[slot] : 0;
    uint32_t position = position_of(posting, slot);
    const struct swarm__tally *at = const_tallies(posting) + position;
    return position < posting->length && at->slot == slot ? at->count : 0;
}

bool swarm__posting_next(const struct swarm__posting *posting, uint32_t *position, struct swarm__tally *ret_tally)
{
    if (!is_dense(posting)) {
        if (*position >= posting->length)
            return false;
        *ret_tally = const_tallies(posting)[(*position)++];
        return true;
    }
    struct swarm__dense *dense = posting->at.dense;
    size_t slot = swarm__nodeset_next(&(struct swarm__nodeset){dense->bits, dense->words}, *position);
    if (slot == SWARM__NODESET_END)
        return false;
    *ret_tally = (struct swarm__tally){(uint32_t)slot, counts_of(dense)[slot]};
    *position = (uint32_t)slot + 1;
    return true;
}

static size_t common_words(const struct swarm__dense *dense, const struct swarm__nodeset *set)
{
    return dense->words < set->length ? dense->words : set->length;
}

void swarm__posting_mark(const struct swarm__posting *posting, struct swarm__nodeset *set)
{
    if (is_dense(posting)) {
        const struct swarm__dense *dense = posting->at.dense;
        for (size_t i = 0, words = common_words(dense, set); i < words; i++)
            set->words[i] |= dense->bits[i];
        return;
    }
    const struct swarm__tally *at = const_tallies(posting);
    for (uint32_t i = 0; i < posting->length; i++)
        swarm__nodeset_add(set, at[i].slot);
}

void swarm__posting_unmark(const struct swarm__posting *posting, struct swarm__nodeset *set)
{
    if (is_dense(posting)) {
        const struct swarm__dense *dense = posting->at.dense;
        for (size_t i = 0, words = common_words(dense, set); i < words; i++)
            set->words[i] &= ~dense->bits[i];
        return;
    }
    const struct swarm__tally *at = const_tallies(posting);
    for (uint32_t i = 0; i < posting->length; i++)
        swarm__nodeset_remove(set, at[i].slot);
}

/* Which of up to 64 counts are less than their limits, as bits. */
static uint64_t below(const uint32_t *counts, const uint32_t *limits, size_t count)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= (uint64_t)(counts[i] < limits[i]) << i;
    return bits;
}

void swarm__posting_below(const struct swarm__posting *posting, const uint32_t *limits, size_t slots,
                          struct swarm__nodeset *set)
{
    static const uint32_t zeros[SWARM__NODESET_WORD];
    struct swarm__dense *dense = posting && is_dense(posting) ? posting->at.dense : NULL;
    for (size_t word = 0; word < set->length; word++) {
        size_t first = word * SWARM__NODESET_WORD, left = first < slots ? slots - first : 0;
        const uint32_t *counts = dense && word < dense->words ? counts_of(dense) + first : zeros;
        size_t count = left < SWARM__NODESET_WORD ? left : SWARM__NODESET_WORD;
        set->words[word] = count > 0 ? below(counts, limits + first, count) : 0;
    }
    const struct swarm__tally *at = posting && !dense ? const_tallies(posting) : NULL;
    for (uint32_t i = 0; at && i < posting->length; i++)
        if (at[i].count >= limits[at[i].slot])
            swarm__nodeset_remove(set, at[i].slot);
}
