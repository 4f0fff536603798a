/* SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"

#include <string.h>

#include "error.h"
#include "explain.h"
#include "mem.h"
#include "node.h"

int swarm__candidates_init(struct swarm_candidates *candidates, const struct swarm_cluster *cluster)
{
    memset(candidates, 0, sizeof(*candidates));
    candidates->cluster = cluster;
    return swarm__nodeset_init(&candidates->set, cluster->slot_capacity) != 0 ? SWARM_ERR_NOMEM : 0;
}

void swarm__candidates_finish(struct swarm_candidates *candidates)
{
    swarm__nodeset_finish(&candidates->set);
    for (size_t i = 0; i < SWARM__SCRATCH_SETS; i++)
        swarm__nodeset_finish(&candidates->scratch[i]);
    swarm__matcher_finish(&candidates->matcher);
}

struct swarm__nodeset *swarm__candidates_scratch(struct swarm_candidates *candidates, size_t index)
{
    struct swarm__nodeset *set = &candidates->scratch[index];
    if (set->words)
        swarm__nodeset_clear(set);
    else if (swarm__nodeset_init(set, candidates->cluster->slot_capacity) != 0)
        return NULL;
    return set;
}

size_t swarm_candidates_count(const struct swarm_candidates *candidates)
{
    return candidates ? swarm__nodeset_count(&candidates->set) : 0;
}

struct swarm_node *swarm_candidates_next(const struct swarm_candidates *candidates, const struct swarm_node *previous)
{
    if (!candidates)
        return NULL;
    size_t slot = swarm__nodeset_next(&candidates->set, previous ? (size_t)previous->slot + 1 : 0);
    return slot == SWARM__NODESET_END ? NULL : candidates->cluster->slots[slot].node;
}

void swarm_candidates_remove(struct swarm_candidates *candidates, const struct swarm_node *node)
{
    if (candidates && node && node->cluster == candidates->cluster)
        swarm__nodeset_remove(&candidates->set, node->slot);
}

/* The draws of a block's slots: the first of those that draw the least is chosen. */
static void draw(struct swarm_ranking *ranking, size_t word, uint64_t slots)
{
    const uint64_t *hashes = ranking->candidates->cluster->scans[word].hash;
    uint64_t least = ranking->least;
    size_t chosen = SWARM__NODESET_WORD;
    for (; slots; slots &= slots - 1) {
        size_t at = (size_t)__builtin_ctzll(slots);
        uint64_t drawn = swarm__tie_draw(ranking->seed, hashes[at]);
        chosen = drawn < least ? at : chosen;
        least = drawn < least ? drawn : least;
    }
    if (chosen == SWARM__NODESET_WORD)
        return;
    ranking->chosen = (uint32_t)(word * SWARM__NODESET_WORD + chosen);
    ranking->least = least;
}

void swarm__ranking_offer(struct swarm_ranking *ranking, size_t word, uint64_t slots, int64_t score)
{
    if (ranking->count > 0 && score < ranking->best)
        return;
    if (ranking->count == 0 || score != ranking->best) {
        ranking->best = score;
        ranking->count = 0;
        ranking->chosen = (uint32_t)(word * SWARM__NODESET_WORD) + (uint32_t)__builtin_ctzll(slots);
        ranking->least = UINT64_MAX;
    }
    draw(ranking, word, slots);
    if (!ranking->ties)
        ranking->count += (size_t)__builtin_popcountll(slots);
    else
        for (; slots; slots &= slots - 1)
            ranking->ties[ranking->count++] = (uint32_t)(word * SWARM__NODESET_WORD) + (uint32_t)__builtin_ctzll(slots);
}

void swarm_candidates_refuse(struct swarm_candidates *candidates, int reason, const char *detail)
{
    if (candidates)
        swarm__candidates_refuse(candidates, reason, detail, NULL, NULL);
}

void swarm_ranking_offer(struct swarm_ranking *ranking, const struct swarm_node *node, int64_t score)
{
    const struct swarm_candidates *candidates = ranking ? ranking->candidates : NULL;
    if (!candidates || !node || node->cluster != candidates->cluster || !swarm__nodeset_has(&candidates->set, node->slot))
        return;
    if (ranking->offered)
        swarm__nodeset_add(ranking->offered, node->slot);
    if (ranking->count == ranking->room && score == ranking->best)
        return; /* some node was offered twice */
    swarm__ranking_offer(ranking, node->slot / SWARM__NODESET_WORD, UINT64_C(1) << node->slot % SWARM__NODESET_WORD,
                         score);
}

void swarm_ranking_refuse(struct swarm_ranking *ranking, const struct swarm_node *node, int reason, const char *detail)
{
    if (!ranking || !ranking->left || !node || node->cluster != ranking->candidates->cluster ||
        swarm__nodeset_has(ranking->offered, node->slot))
        return;
    swarm__nodeset_remove(ranking->left, node->slot);
    swarm__explain_refuse(ranking->candidates->explain, reason, (const char *const[]){detail, NULL, NULL});
}

int swarm_conditions_add(struct swarm_conditions *conditions, const char *text)
{
    if (!conditions || !text)
        return SWARM_ERR_INVALID;
    size_t length = strlen(text);
    bool first = !conditions->text;
    if (swarm__grow(&conditions->text, &conditions->capacity, conditions->length + length + 2, 1) != 0)
        return SWARM_ERR_NOMEM;
    if (!first)
        conditions->text[conditions->length++] = ' ';
    memcpy(conditions->text + conditions->length, text, length + 1);
    conditions->length += length;
    return 0;
}
