/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_STRATEGY_H
#define SWARM_SRC_STRATEGY_H

#include <swarm/ops.h>
#include <swarm/strategy.h>

#include "candidates.h"

extern const struct swarm_strategy_ops swarm__strategy_spread;
extern const struct swarm_strategy_ops swarm__strategy_binpack;
extern const struct swarm_strategy_ops swarm__strategy_random;

/** By name or other name; NULL where no built-in strategy has it. */
const struct swarm_strategy_ops *swarm__strategy_builtin(const char *name);

/** Points of weight that a point of health is worth. */
#define SWARM__STRATEGY_HEALTH 10
/** The share of a resource that is not asked for. */
#define SWARM__STRATEGY_NOT_ASKED 100

__extension__ typedef unsigned __int128 swarm__wide;

/**
 * The truth about shares, in integers; ranking many nodes goes another way to the same numbers (scan.h).
 *
 * (used + asked) * 100 / total, rounded down; above 100 there is no room. The rounding lets a node be filled up to just
 * under 101 %, as in classic Swarm.
 */
static inline bool swarm__strategy_share(int64_t used, int64_t asked, int64_t total, int *ret_percent)
{
    *ret_percent = SWARM__STRATEGY_NOT_ASKED;
    if (asked == 0)
        return true;
    if (total < asked)
        return false;
    swarm__wide percent = ((swarm__wide)used + (swarm__wide)asked) * 100 / (swarm__wide)total;
    if (percent > 100)
        return false;
    *ret_percent = (int)percent;
    return true;
}

/**
 * Weigh a node for a request as spread and binpack do: the sum of two shares in percent, 0 to 200, of CPUs and memory
 * that would be taken; a resource that is not asked for counts as 100.
 *
 * @return false where it has no room.
 */
static inline bool swarm__strategy_weigh(const struct swarm__slot *slot, int64_t cpus_milli, int64_t memory,
                                         int *ret_weight)
{
    int cpu_share, memory_share;
    if (!swarm__strategy_share(slot->used_cpus, cpus_milli, slot->total_cpus, &cpu_share) ||
        !swarm__strategy_share(slot->used_memory, memory, slot->total_memory, &memory_share))
        return false;
    *ret_weight = cpu_share + memory_share;
    return true;
}

/** The parts of spread's and binpack's scores. */
int swarm__strategy_parts(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                          const struct swarm_node *node, struct swarm_parts *parts, struct swarm_error **reterr);

#endif
