/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_DECISION_H
#define SWARM_SRC_DECISION_H

#include <swarm/decision.h>

#include "decide.h"

struct swarm__explain;

struct swarm_cause {
    const struct swarm_cluster *cluster;
    struct swarm__nodeset nodes;
    size_t count;
    char *detail;       /**< "detail\0filter\0" in one block; NULL where there is neither. */
    const char *filter; /**< NULL: none. */
    bool has_detail;
    bool lasting;   /**< Amounts are of what nodes have in all, used or not. */
    uint8_t reason; /**< enum swarm_reason */
    uint8_t unit;   /**< enum swarm_unit; SWARM_UNIT_NONE: no amount is short. */
    int64_t asked;  /**< In that unit. */
    int64_t memory; /**< Of a cause that is CPU: the memory that is asked for, too. */
    const struct swarm_container *blocker;
};

struct swarm__part {
    char *name;
    int64_t value;
};

struct swarm_parts {
    struct swarm__part *items;
    size_t count;
    size_t capacity;
};

struct swarm__ranked {
    uint32_t slot;
    int64_t score;
    struct swarm_parts parts;
};

struct swarm_decision {
    const struct swarm_cluster *cluster;
    struct swarm_node *node;
    struct swarm__nodeset candidates;
    size_t candidate_count;
    uint32_t *best; /**< Slots. */
    size_t best_count;
    uint64_t seed;
    uint64_t generation;
    int code;
    bool soft_dropped;
    bool explained;
    bool lasting;              /**< The answer to "would it ever fit". */
    struct swarm_error *error; /**< Of a refusal. */
    size_t fit;
    struct swarm_cause *causes;
    size_t cause_count;
    struct swarm__ranked *ranked;
    size_t ranked_count;
    char *dropped; /**< Texts with a NUL at the end of each. */
    size_t dropped_length;
};

/**
 * Keep what a decision has come to.
 *
 * @param outcome  What the decision keeps of it is taken out of it.
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__decision_new(struct swarm_decision **ret_decision, struct swarm__outcome *outcome, uint64_t seed);

/**
 * Keep an explained one, too.
 *
 * @param outcome  NULL where it is refused.
 * @param error    The refusal; taken on success.
 */
int swarm__decision_new_explained(struct swarm_decision **ret_decision, struct swarm__explain *explain,
                                  struct swarm__outcome *outcome, uint64_t seed, struct swarm_error *error);

void swarm__causes_free(struct swarm_cause *causes, size_t count);
void swarm__ranked_free(struct swarm__ranked *ranked, size_t count);

/** How much a node lacks of what the cause is about; 0 or less: nothing. */
int64_t swarm__cause_lack(const struct swarm_cause *cause, size_t slot);

#endif
