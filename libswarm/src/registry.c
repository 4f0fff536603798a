/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include <string.h>

#include "abi.h"
#include "error.h"
#include "filter.h"
#include "mem.h"
#include "strategy.h"

/* Sizes of these structs when they were first published (1.3). */
#define FILTER_OPS_FIRST (offsetof(struct swarm_filter_ops, lasting) + sizeof(void *))
#define STRATEGY_OPS_FIRST sizeof(struct swarm_strategy_ops)
_Static_assert(FILTER_OPS_FIRST == 6 * sizeof(void *), "swarm_filter_ops keeps the layout it was published with");
_Static_assert(STRATEGY_OPS_FIRST == 6 * sizeof(void *), "swarm_strategy_ops keeps the layout it was published with");

int swarm_registry_new(struct swarm_registry **ret_registry, struct swarm_error **reterr)
{
    if (!ret_registry)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "registry: NULL");
    struct swarm_registry *registry = swarm__calloc(1, sizeof(*registry));
    if (!registry)
        return swarm__error_nomem(reterr);
    *ret_registry = registry;
    return 0;
}

/* Release those in front of @p end; new ones come to the front. */
static void free_list(struct swarm__extension *extension, const struct swarm__extension *end)
{
    while (extension != end) {
        struct swarm__extension *next = extension->next;
        swarm__extension_unref(extension);
        extension = next;
    }
}

void swarm__registry_undo(struct swarm_registry *registry, struct swarm__registry_mark mark)
{
    struct swarm_registry now = *registry;
    registry->filters = mark.filters;
    registry->strategies = mark.strategies;
    free_list(now.filters, mark.filters);
    free_list(now.strategies, mark.strategies);
}

void swarm_registry_free(struct swarm_registry *registry)
{
    if (!registry)
        return;
    free_list(registry->filters, NULL);
    free_list(registry->strategies, NULL);
    swarm__free(registry);
}

struct swarm__extension *swarm__extension_ref(struct swarm__extension *extension)
{
    if (extension)
        atomic_fetch_add(&extension->refs, 1);
    return extension;
}

void swarm__extension_unref(struct swarm__extension *extension)
{
    if (!extension || atomic_fetch_sub(&extension->refs, 1) > 1)
        return;
    if (extension->filter.destroy)
        extension->filter.destroy(extension->data);
    if (extension->strategy.destroy)
        extension->strategy.destroy(extension->data);
    swarm__free(extension);
}

static struct swarm__extension *find(struct swarm__extension *extension, const char *name)
{
    while (extension && strcmp(extension->name, name) != 0)
        extension = extension->next;
    return extension;
}

struct swarm__extension *swarm__registry_filter(const struct swarm_registry *registry, const char *name)
{
    return registry ? find(registry->filters, name) : NULL;
}

struct swarm__extension *swarm__registry_strategy(const struct swarm_registry *registry, const char *name)
{
    return registry ? find(registry->strategies, name) : NULL;
}

static struct swarm__extension *extension_new(const char *name, void *data)
{
    size_t size = strlen(name) + 1;
    struct swarm__extension *extension = swarm__calloc(1, sizeof(*extension) + size);
    if (!extension)
        return NULL;
    atomic_init(&extension->refs, 1);
    memcpy(extension->name, name, size);
    extension->data = data;
    return extension;
}

int swarm_registry_add_filter(struct swarm_registry *registry, const struct swarm_filter_ops *ops, void *data,
                              struct swarm_error **reterr)
{
    if (!registry || !ops)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "filter: NULL");
    struct swarm_filter_ops copy = SWARM_FILTER_OPS_INIT;
    if (swarm__abi_read(&copy, sizeof(copy), FILTER_OPS_FIRST, ops) != 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "filter: size %zu: start with SWARM_FILTER_OPS_INIT",
                                ops->size);
    if (!copy.name || !*copy.name || !copy.filter)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "filter: a name and a filter function are needed");
    if (swarm__filter_builtin(copy.name) || find(registry->filters, copy.name))
        return swarm__error_set(reterr, SWARM_ERR_EXISTS, "filter %s exists already", copy.name);
    struct swarm__extension *extension = extension_new(copy.name, data);
    if (!extension)
        return swarm__error_nomem(reterr);
    copy.name = extension->name;
    extension->filter = copy;
    extension->next = registry->filters;
    registry->filters = extension;
    return 0;
}

int swarm_registry_add_strategy(struct swarm_registry *registry, const struct swarm_strategy_ops *ops, void *data,
                                struct swarm_error **reterr)
{
    if (!registry || !ops)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "strategy: NULL");
    struct swarm_strategy_ops copy = SWARM_STRATEGY_OPS_INIT;
    if (swarm__abi_read(&copy, sizeof(copy), STRATEGY_OPS_FIRST, ops) != 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "strategy: size %zu: start with SWARM_STRATEGY_OPS_INIT",
                                ops->size);
    if (!copy.name || !*copy.name || !copy.rank)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "strategy: a name and a rank function are needed");
    if (swarm__strategy_builtin(copy.name) || find(registry->strategies, copy.name))
        return swarm__error_set(reterr, SWARM_ERR_EXISTS, "strategy %s exists already", copy.name);
    struct swarm__extension *extension = extension_new(copy.name, data);
    if (!extension)
        return swarm__error_nomem(reterr);
    copy.name = extension->name;
    extension->strategy = copy;
    extension->next = registry->strategies;
    registry->strategies = extension;
    return 0;
}
