/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_NODESET_H
#define SWARM_SRC_NODESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A set of nodes, as bits over node slots (cluster.h). All sets that meet in one operation have the same size.
 */

/** Zeroed memory is a set of size 0. */
struct swarm__nodeset {
    uint64_t *words;
    size_t length; /**< Words. */
};

#define SWARM__NODESET_WORD 64u
/** What swarm__nodeset_next() answers at the end. */
#define SWARM__NODESET_END SIZE_MAX

/** An empty set with room for @p slots. @return 0, or -1 where there is no memory. */
int swarm__nodeset_init(struct swarm__nodeset *set, size_t slots);
void swarm__nodeset_finish(struct swarm__nodeset *set);
/** Make room for @p slots in all; new ones are not members. @return 0, or -1 where there is no memory. */
int swarm__nodeset_resize(struct swarm__nodeset *set, size_t slots);

static inline void swarm__nodeset_add(struct swarm__nodeset *set, size_t slot)
{
    set->words[slot / SWARM__NODESET_WORD] |= UINT64_C(1) << (slot % SWARM__NODESET_WORD);
}

static inline void swarm__nodeset_remove(struct swarm__nodeset *set, size_t slot)
{
    set->words[slot / SWARM__NODESET_WORD] &= ~(UINT64_C(1) << (slot % SWARM__NODESET_WORD));
}

static inline bool swarm__nodeset_has(const struct swarm__nodeset *set, size_t slot)
{
    return (set->words[slot / SWARM__NODESET_WORD] >> (slot % SWARM__NODESET_WORD)) & 1;
}

/** Add or remove. */
static inline void swarm__nodeset_put(struct swarm__nodeset *set, size_t slot, bool member)
{
    if (member)
        swarm__nodeset_add(set, slot);
    else
        swarm__nodeset_remove(set, slot);
}

void swarm__nodeset_clear(struct swarm__nodeset *set);
void swarm__nodeset_copy(struct swarm__nodeset *set, const struct swarm__nodeset *from);
/** Add what is in @p other, which may have another size: what there is no room for is left out. */
void swarm__nodeset_or(struct swarm__nodeset *set, const struct swarm__nodeset *other);
/** Keep what is in @p other too. */
void swarm__nodeset_and(struct swarm__nodeset *set, const struct swarm__nodeset *other);
/** Keep what is not in @p other. */
void swarm__nodeset_and_not(struct swarm__nodeset *set, const struct swarm__nodeset *other);
bool swarm__nodeset_empty(const struct swarm__nodeset *set);
size_t swarm__nodeset_count(const struct swarm__nodeset *set);

/** The least member that is @p from or greater, or SWARM__NODESET_END. */
static inline size_t swarm__nodeset_next(const struct swarm__nodeset *set, size_t from)
{
    size_t word = from / SWARM__NODESET_WORD;
    if (word >= set->length)
        return SWARM__NODESET_END;
    uint64_t bits = set->words[word] & (~UINT64_C(0) << (from % SWARM__NODESET_WORD));
    while (bits == 0) {
        if (++word == set->length)
            return SWARM__NODESET_END;
        bits = set->words[word];
    }
    return word * SWARM__NODESET_WORD + (size_t)__builtin_ctzll(bits);
}

#endif
