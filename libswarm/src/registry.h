/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_REGISTRY_H
#define SWARM_SRC_REGISTRY_H

#include <stdatomic.h>

#include <swarm/ops.h>

/** A filter or a strategy with its data: held by the registry and by the schedulers that use it. */
struct swarm__extension {
    atomic_uint refs; /**< Not counted for the built-in ones, which have no destroy. */
    struct swarm__extension *next;
    struct swarm_filter_ops filter;     /**< Where it is a filter; its name is @c name. */
    struct swarm_strategy_ops strategy; /**< Where it is a strategy; its name is @c name. */
    void *data;
    char name[];
};

struct swarm_registry {
    struct swarm__extension *filters;
    struct swarm__extension *strategies;
};

/** What a registry had at some time. */
struct swarm__registry_mark {
    struct swarm__extension *filters;
    struct swarm__extension *strategies;
};

static inline struct swarm__registry_mark swarm__registry_mark(const struct swarm_registry *registry)
{
    return (struct swarm__registry_mark){registry->filters, registry->strategies};
}

/** Take out what was registered since. */
void swarm__registry_undo(struct swarm_registry *registry, struct swarm__registry_mark mark);

/** NULL where there is none of that name; @p registry may be NULL. No reference is taken. */
struct swarm__extension *swarm__registry_filter(const struct swarm_registry *registry, const char *name);
struct swarm__extension *swarm__registry_strategy(const struct swarm_registry *registry, const char *name);
struct swarm__extension *swarm__extension_ref(struct swarm__extension *extension);
/** NULL is allowed. */
void swarm__extension_unref(struct swarm__extension *extension);

#endif
