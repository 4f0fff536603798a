/* SPDX-License-Identifier: Apache-2.0 */
/* A question to both, which world_decide.c asks and world_explain.c asks the reasons for. */
#ifndef TESTS_DIFFERENTIAL_ASKING_H
#define TESTS_DIFFERENTIAL_ASKING_H

#include "world.h"

#define MOST_FILTERS 9

struct asking {
    struct world *world;
    struct oracle_request facts;
    struct oracle_question question;
    const char *filters[MOST_FILTERS];
    struct swarm_place_options options;
    struct swarm_scheduler *scheduler;
    struct swarm_request *request;
    struct oracle_answer expected;
};

/* The code that stands for it. */
int code_of(enum oracle_verdict verdict);
/* Nodes and soft expressions of a decision that grants. */
void compare_granted(const struct asking *asking, const struct swarm_decision *decision);
/* Ask why. @p planned: the node that plan has chosen; @p bad_extra: the extra affinity is to be refused as such. */
void explain(struct asking *asking, const struct swarm_node *planned, bool bad_extra);

#endif
