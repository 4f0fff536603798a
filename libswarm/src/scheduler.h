/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_SCHEDULER_H
#define SWARM_SRC_SCHEDULER_H

#include <swarm/scheduler.h>

#include "registry.h"

/** A filter of the chain. */
struct swarm__step {
    const struct swarm_filter_ops *ops;
    struct swarm__extension *extension; /**< A reference; NULL for a built-in filter. */
};

struct swarm_scheduler {
    struct swarm__step *filters;
    size_t filter_count;
    const struct swarm_strategy_ops *strategy;
    struct swarm__extension *strategy_extension; /**< A reference; NULL for a built-in strategy. */
};

#endif
