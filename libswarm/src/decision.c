/* SPDX-License-Identifier: Apache-2.0 */
#include "decision.h"

#include <string.h>

#include "error.h"
#include "explain.h"
#include "lack.h"
#include "mem.h"
#include "node.h"

void swarm__causes_free(struct swarm_cause *causes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        swarm__nodeset_finish(&causes[i].nodes);
        swarm__free(causes[i].detail);
    }
    swarm__free(causes);
}

void swarm__ranked_free(struct swarm__ranked *ranked, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < ranked[i].parts.count; j++)
            swarm__free(ranked[i].parts.items[j].name);
        swarm__free(ranked[i].parts.items);
    }
    swarm__free(ranked);
}

static void take_outcome(struct swarm_decision *decision, struct swarm__outcome *outcome)
{
    struct swarm_candidates *candidates = &outcome->candidates;
    decision->node = decision->cluster->slots[outcome->ranking.chosen].node;
    decision->candidate_count = swarm__nodeset_count(&candidates->set);
    decision->candidates = candidates->set;
    decision->best = outcome->ranking.ties;
    decision->best_count = outcome->ranking.count;
    decision->soft_dropped = outcome->soft_dropped;
    candidates->set = (struct swarm__nodeset){NULL, 0};
    outcome->ranking.ties = NULL;
}

static struct swarm_decision *decision_new(const struct swarm_cluster *cluster, uint64_t seed)
{
    struct swarm_decision *decision = swarm__calloc(1, sizeof(*decision));
    if (!decision)
        return NULL;
    decision->cluster = cluster;
    decision->seed = seed;
    decision->generation = cluster->generation;
    return decision;
}

int swarm__decision_new(struct swarm_decision **ret_decision, struct swarm__outcome *outcome, uint64_t seed)
{
    struct swarm_decision *decision = decision_new(outcome->candidates.cluster, seed);
    if (!decision)
        return SWARM_ERR_NOMEM;
    take_outcome(decision, outcome);
    *ret_decision = decision;
    return 0;
}

/* Those with most nodes first; else in the order they came up. */
static void sort_causes(struct swarm_cause *causes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct swarm_cause cause = causes[i];
        size_t at = i;
        for (; at > 0 && causes[at - 1].count < cause.count; at--)
            causes[at] = causes[at - 1];
        causes[at] = cause;
    }
}

int swarm__decision_new_explained(struct swarm_decision **ret_decision, struct swarm__explain *explain,
                                  struct swarm__outcome *outcome, uint64_t seed, struct swarm_error *error)
{
    struct swarm_decision *decision = explain->failed ? NULL : decision_new(explain->cluster, seed);
    if (!decision)
        return SWARM_ERR_NOMEM;
    if (outcome)
        take_outcome(decision, outcome);
    decision->explained = true;
    decision->code = swarm_error_code(error);
    decision->error = error;
    decision->fit = explain->fit;
    decision->causes = explain->causes;
    decision->cause_count = explain->count;
    decision->ranked = explain->ranked;
    decision->ranked_count = explain->ranked_count;
    decision->soft_dropped = explain->soft_dropped;
    decision->dropped = explain->dropped.at;
    decision->dropped_length = explain->dropped.length;
    explain->causes = NULL;
    explain->count = 0;
    explain->ranked = NULL;
    explain->ranked_count = 0;
    explain->dropped.at = NULL;
    sort_causes(decision->causes, decision->cause_count);
    *ret_decision = decision;
    return 0;
}

void swarm_decision_free(struct swarm_decision *decision)
{
    if (!decision)
        return;
    swarm__nodeset_finish(&decision->candidates);
    swarm__free(decision->best);
    swarm_error_free(decision->error);
    swarm__causes_free(decision->causes, decision->cause_count);
    swarm__ranked_free(decision->ranked, decision->ranked_count);
    swarm__free(decision->dropped);
    swarm__free(decision);
}

int swarm_decision_code(const struct swarm_decision *decision)
{
    return decision ? decision->code : 0;
}

const char *swarm_decision_message(const struct swarm_decision *decision)
{
    return decision && decision->error ? swarm_error_message(decision->error) : NULL;
}

struct swarm_node *swarm_decision_node(const struct swarm_decision *decision)
{
    return decision ? decision->node : NULL;
}

size_t swarm_decision_candidate_count(const struct swarm_decision *decision)
{
    return decision ? decision->candidate_count : 0;
}

struct swarm_node *swarm_decision_candidate(const struct swarm_decision *decision, size_t index)
{
    if (!decision || index >= decision->candidate_count)
        return NULL;
    const uint64_t *word = decision->candidates.words;
    for (size_t count; (count = (size_t)__builtin_popcountll(*word)) <= index; word++)
        index -= count;
    uint64_t bits = *word;
    while (index-- > 0)
        bits &= bits - 1;
    size_t first = (size_t)(word - decision->candidates.words) * SWARM__NODESET_WORD;
    return decision->cluster->slots[first + (size_t)__builtin_ctzll(bits)].node;
}

size_t swarm_decision_best_count(const struct swarm_decision *decision)
{
    return decision ? decision->best_count : 0;
}

struct swarm_node *swarm_decision_best(const struct swarm_decision *decision, size_t index)
{
    return decision && index < decision->best_count ? decision->cluster->slots[decision->best[index]].node : NULL;
}

int swarm_decision_soft_dropped(const struct swarm_decision *decision)
{
    return decision ? decision->soft_dropped : 0;
}

uint64_t swarm_decision_seed(const struct swarm_decision *decision)
{
    return decision ? decision->seed : 0;
}

uint64_t swarm_decision_generation(const struct swarm_decision *decision)
{
    return decision ? decision->generation : 0;
}

size_t swarm_decision_node_count(const struct swarm_decision *decision)
{
    return decision ? decision->cluster->node_count : 0;
}

size_t swarm_decision_fit_count(const struct swarm_decision *decision)
{
    return decision ? decision->fit : 0;
}

const struct swarm_cause *swarm_decision_cause(const struct swarm_decision *decision, size_t index)
{
    return decision && index < decision->cause_count ? &decision->causes[index] : NULL;
}

static bool has_node(const struct swarm_cause *cause, const struct swarm_node *node)
{
    return node && node->cluster == cause->cluster && swarm__nodeset_has(&cause->nodes, node->slot);
}

const struct swarm_cause *swarm_decision_cause_of(const struct swarm_decision *decision, const struct swarm_node *node)
{
    for (size_t i = 0; decision && i < decision->cause_count; i++)
        if (has_node(&decision->causes[i], node))
            return &decision->causes[i];
    return NULL;
}

size_t swarm_decision_ranked_count(const struct swarm_decision *decision)
{
    return decision ? decision->ranked_count : 0;
}

struct swarm_node *swarm_decision_ranked(const struct swarm_decision *decision, size_t index, int64_t *ret_score)
{
    if (!decision || index >= decision->ranked_count)
        return NULL;
    if (ret_score)
        *ret_score = decision->ranked[index].score;
    return decision->cluster->slots[decision->ranked[index].slot].node;
}

int swarm_decision_part(const struct swarm_decision *decision, size_t index, size_t part, const char **ret_name,
                        int64_t *ret_value)
{
    if (!decision || index >= decision->ranked_count || part >= decision->ranked[index].parts.count)
        return 0;
    if (ret_name)
        *ret_name = decision->ranked[index].parts.items[part].name;
    if (ret_value)
        *ret_value = decision->ranked[index].parts.items[part].value;
    return 1;
}

const char *swarm_decision_dropped(const struct swarm_decision *decision, size_t index)
{
    if (!decision)
        return NULL;
    size_t at = 0;
    for (; at < decision->dropped_length && index > 0; index--)
        at += strlen(decision->dropped + at) + 1;
    return at < decision->dropped_length ? decision->dropped + at : NULL;
}
