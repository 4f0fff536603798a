/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of what others tell: numbers of any size, so that a sum stops at the largest number there is. */
#ifndef COMMON_SATURATE_H
#define COMMON_SATURATE_H

#include <stdint.h>

static inline int64_t saturating_add(int64_t a, int64_t b)
{
    int64_t sum;

    return !__builtin_add_overflow(a, b, &sum) ? sum : b < 0 ? INT64_MIN : INT64_MAX;
}

#endif
