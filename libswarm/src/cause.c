/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decision.h"
#include "lack.h"
#include "mem.h"
#include "node.h"

static const char *const reason_names[] = {
    [SWARM_REASON_OTHER] = "other",
    [SWARM_REASON_UNHEALTHY] = "unhealthy",
    [SWARM_REASON_PORT] = "port",
    [SWARM_REASON_SLOTS] = "slots",
    [SWARM_REASON_DEPENDENCY] = "dependency",
    [SWARM_REASON_AFFINITY] = "affinity",
    [SWARM_REASON_CONSTRAINT] = "constraint",
    [SWARM_REASON_WHITELIST] = "whitelist",
    [SWARM_REASON_CPU] = "cpu",
    [SWARM_REASON_MEMORY] = "memory",
    [SWARM_REASON_RESOURCE] = "resource",
    [SWARM_REASON_NAME] = "name",
    [SWARM_REASON_PAUSED] = "paused",
    [SWARM_REASON_DRAINING] = "draining",
    [SWARM_REASON_REPLACED] = "replaced",
    [SWARM_REASON_UNANNOUNCED] = "unannounced",
};

const char *swarm_reason_name(int reason)
{
    bool known = reason >= 0 && (size_t)reason < sizeof(reason_names) / sizeof(reason_names[0]);
    return known ? reason_names[reason] : NULL;
}

int swarm_cause_reason(const struct swarm_cause *cause)
{
    return cause ? cause->reason : SWARM_REASON_OTHER;
}

const char *swarm_cause_filter(const struct swarm_cause *cause)
{
    return cause ? cause->filter : NULL;
}

const char *swarm_cause_detail(const struct swarm_cause *cause)
{
    return cause && cause->has_detail ? cause->detail : NULL;
}

size_t swarm_cause_count(const struct swarm_cause *cause)
{
    return cause ? cause->count : 0;
}

const struct swarm_container *swarm_cause_blocker(const struct swarm_cause *cause)
{
    return cause ? cause->blocker : NULL;
}

struct swarm_node *swarm_cause_next_node(const struct swarm_cause *cause, const struct swarm_node *previous)
{
    if (!cause)
        return NULL;
    size_t slot = swarm__nodeset_next(&cause->nodes, previous ? (size_t)previous->slot + 1 : 0);
    return slot == SWARM__NODESET_END ? NULL : cause->cluster->slots[slot].node;
}

/* A limit below 0 is one of 0. */
static int64_t slots_lacking(uint32_t containers, int64_t limit)
{
    return (int64_t)containers + 1 - (limit > 0 ? limit : 0);
}

int64_t swarm__cause_lack(const struct swarm_cause *cause, size_t slot)
{
    const struct swarm__slot *at = &cause->cluster->slots[slot];
    switch (cause->unit) {
    case SWARM_UNIT_CPUS_MILLI:
        return swarm__lack(cause->lasting ? 0 : at->used_cpus, at->total_cpus, cause->asked);
    case SWARM_UNIT_BYTES:
        return swarm__lack(cause->lasting ? 0 : at->used_memory, at->total_memory, cause->asked);
    case SWARM_UNIT_CONTAINERS:
        return slots_lacking(cause->lasting ? 0 : at->containers, at->open_limit);
    case SWARM_UNIT_PIECES:
        return swarm__resources_lack(&cause->cluster->resources, cause->detail, cause->asked, cause->lasting, slot);
    default:
        return 0;
    }
}

struct swarm_node *swarm_cause_nearest(const struct swarm_cause *cause)
{
    if (!cause || cause->unit == SWARM_UNIT_NONE)
        return NULL;
    const struct swarm__slot *slots = cause->cluster->slots, *nearest = NULL;
    int64_t least = INT64_MAX, least_memory = INT64_MAX;
    for (size_t slot = swarm__nodeset_next(&cause->nodes, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(&cause->nodes, slot + 1)) {
        const struct swarm__slot *at = &slots[slot];
        int64_t lack = swarm__cause_lack(cause, slot), memory = 0;
        if (cause->unit == SWARM_UNIT_CPUS_MILLI)
            memory = swarm__lack(cause->lasting ? 0 : at->used_memory, at->total_memory, cause->memory) > 0;
        if (nearest && (memory > least_memory || (memory == least_memory && lack >= least)))
            continue;
        nearest = at;
        least = lack;
        least_memory = memory;
    }
    return nearest ? nearest->node : NULL;
}

int64_t swarm_cause_shortage(const struct swarm_cause *cause, const struct swarm_node *node, int *ret_unit)
{
    if (!node)
        node = swarm_cause_nearest(cause);
    bool short_of = cause && cause->unit != SWARM_UNIT_NONE && node && node->cluster == cause->cluster &&
                    swarm__nodeset_has(&cause->nodes, node->slot);
    if (ret_unit)
        *ret_unit = short_of ? cause->unit : SWARM_UNIT_NONE;
    return short_of ? swarm__cause_lack(cause, node->slot) : 0;
}

int swarm_parts_add(struct swarm_parts *parts, const char *name, int64_t value)
{
    if (!parts || !name)
        return SWARM_ERR_INVALID;
    if (swarm__grow(&parts->items, &parts->capacity, parts->count + 1, sizeof(*parts->items)) != 0)
        return SWARM_ERR_NOMEM;
    char *copy = swarm__strdup(name);
    if (!copy)
        return SWARM_ERR_NOMEM;
    parts->items[parts->count++] = (struct swarm__part){copy, value};
    return 0;
}
