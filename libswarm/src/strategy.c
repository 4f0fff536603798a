/* SPDX-License-Identifier: Apache-2.0 */
#include "strategy.h"

#include <string.h>

#include "error.h"
#include "node.h"
#include "request.h"

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

int swarm__strategy_parts(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                          const struct swarm_node *node, struct swarm_parts *parts, struct swarm_error **reterr)
{
    const struct swarm__slot *slot = swarm__node_slot(node);
    int cpu = 100, memory = 100;
    swarm__strategy_share(slot->used_cpus, request->cpus_milli, slot->total_cpus, &cpu);
    swarm__strategy_share(slot->used_memory, request->memory, slot->total_memory, &memory);
    if (swarm_parts_add(parts, "cpu", cpu) != 0 || swarm_parts_add(parts, "memory", memory) != 0 ||
        swarm_parts_add(parts, "health", slot->health) != 0 ||
        swarm_parts_add(parts, "containers", slot->containers) != 0)
        return swarm__error_nomem(reterr);
    return 0;
}
