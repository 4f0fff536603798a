/* SPDX-License-Identifier: Apache-2.0 */
#include "strategy.h"

#include <string.h>

static const struct {
    const char *name;
    const struct swarm_strategy_ops *ops;
} builtin[] = {
    {"spread", &swarm__strategy_spread},
    {"binpack", &swarm__strategy_binpack},
    {"random", &swarm__strategy_random},
    {"binpacking", &swarm__strategy_binpack},
};
#define BUILTIN_COUNT (sizeof(builtin) / sizeof(builtin[0]))
#define OTHER_NAMES 1 /* at the end of the table */

const char *swarm_strategy_name(size_t index)
{
    return index < BUILTIN_COUNT - OTHER_NAMES ? builtin[index].name : NULL;
}

const struct swarm_strategy_ops *swarm__strategy_builtin(const char *name)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtin[i].name, name) == 0)
            return builtin[i].ops;
    return NULL;
}
