/* SPDX-License-Identifier: Apache-2.0 */
#include "decision.h"

#include "mem.h"
#include "node.h"

struct swarm_decision {
    struct swarm_node *node;
    size_t candidate_count;
    size_t best_count;
    int soft_dropped;
    struct swarm_node *nodes[]; /* the candidates, then the best */
};

int swarm__decision_new(struct swarm_decision **ret_decision, const struct swarm__outcome *outcome)
{
    const struct swarm_candidates *candidates = &outcome->candidates;
    size_t count = swarm_candidates_count(candidates);
    size_t best = outcome->ranking.count;
    struct swarm_decision *decision = swarm__malloc(sizeof(*decision) + (count + best) * sizeof(decision->nodes[0]));
    if (!decision)
        return SWARM_ERR_NOMEM;
    const struct swarm__slot *slots = candidates->cluster->slots;
    *decision = (struct swarm_decision){slots[outcome->ranking.chosen].node, count, best, outcome->soft_dropped};
    struct swarm_node **at = decision->nodes;
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        *at++ = node;
    for (size_t i = 0; i < best; i++)
        *at++ = slots[outcome->ranking.ties[i]].node;
    *ret_decision = decision;
    return 0;
}

void swarm_decision_free(struct swarm_decision *decision)
{
    swarm__free(decision);
}

struct swarm_node *swarm_decision_node(const struct swarm_decision *decision)
{
    return decision->node;
}

size_t swarm_decision_candidate_count(const struct swarm_decision *decision)
{
    return decision->candidate_count;
}

struct swarm_node *swarm_decision_candidate(const struct swarm_decision *decision, size_t index)
{
    return index < decision->candidate_count ? decision->nodes[index] : NULL;
}

size_t swarm_decision_best_count(const struct swarm_decision *decision)
{
    return decision->best_count;
}

struct swarm_node *swarm_decision_best(const struct swarm_decision *decision, size_t index)
{
    return index < decision->best_count ? decision->nodes[decision->candidate_count + index] : NULL;
}

int swarm_decision_soft_dropped(const struct swarm_decision *decision)
{
    return decision->soft_dropped;
}
