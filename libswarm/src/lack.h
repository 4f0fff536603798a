/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_LACK_H
#define SWARM_SRC_LACK_H

#include <stdint.h>

/**
 * How much of what is asked for is not free, where a node has no room by the rule of swarm__strategy_share(); 0 where
 * it has. INT64_MAX stands for that and more.
 */
static inline int64_t swarm__lack(int64_t used, int64_t total, int64_t asked)
{
    if (asked == 0)
        return 0;
    /* A sum may be up to just under 101 %: (101 * total - 1) / 100, without a product that overflows. */
    uint64_t most = total > 0 ? (uint64_t)total + (uint64_t)(total - 1) / 100 : 0;
    uint64_t sum = (uint64_t)used + (uint64_t)asked;
    if (asked <= total && sum <= most)
        return 0;
    uint64_t lack = sum - (uint64_t)total;
    return lack < INT64_MAX ? (int64_t)lack : INT64_MAX;
}

#endif
