/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_DECISION_H
#define SWARM_SRC_DECISION_H

#include <swarm/decision.h>

#include "decide.h"

/** Keep what a decision has come to. @return 0, or SWARM_ERR_NOMEM. */
int swarm__decision_new(struct swarm_decision **ret_decision, const struct swarm__outcome *outcome);

#endif
