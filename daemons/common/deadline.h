/* SPDX-License-Identifier: Apache-2.0 */
/* Points of monotonic time until which something may take, as poll() wants them. */
#ifndef COMMON_DEADLINE_H
#define COMMON_DEADLINE_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

struct deadline {
    int64_t at_ms; /* -1: never */
};

static inline int64_t deadline_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* @p timeout_ms from now on; negative: never. */
static inline struct deadline deadline_after(int timeout_ms)
{
    struct deadline deadline = {timeout_ms < 0 ? -1 : deadline_now_ms() + timeout_ms};
    return deadline;
}

/* Milliseconds left, 0 when it has passed, -1 for never. */
static inline int deadline_left(struct deadline deadline)
{
    if (deadline.at_ms < 0)
        return -1;
    int64_t left = deadline.at_ms - deadline_now_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

#endif
