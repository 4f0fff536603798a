/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_RESOURCE_H
#define SWARM_SRC_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>

#include "map.h"
#include "nodeset.h"

struct swarm_request;
struct swarm__amount;

/*
 * Named integer resources ("gpu"), beside CPUs and memory. A name is there as long as a node has some of it or a
 * container counts for it; what each node has and how much of it is taken lies side by side, by slot.
 */

/** Longest name, in bytes. */
#define SWARM__RESOURCE_NAME_MAX 255

struct swarm__resource {
    struct swarm__map_item by_name; /**< Its key is @c name. First: the map gives resources. */
    int64_t *totals;                /**< By slot, like the next ones; all there is for each word of a nodeset. */
    int64_t *free;                  /**< Below 0 where more than the total is used: engines are the truth. */
    size_t holders;                 /**< Nodes with a total, and containers that count for it. */
    char name[];
};

/** Zeroed memory has none. */
struct swarm__resources {
    struct swarm__map by_name;
    struct swarm__resource **list; /**< In order of names. */
    size_t count;
    size_t capacity;
    size_t slots; /**< That each has room for; whole words of a nodeset. */
};

void swarm__resources_finish(struct swarm__resources *resources);
/** Make room for @p slots nodes. @return 0, or -1 where there is no memory. */
int swarm__resources_resize(struct swarm__resources *resources, size_t slots);
/** How much of it is used on a node. */
static inline int64_t swarm__resource_used(const struct swarm__resource *resource, uint32_t slot)
{
    return resource->totals[slot] - resource->free[slot];
}

/** NULL where nothing has it or counts for it. */
struct swarm__resource *swarm__resources_find(const struct swarm__resources *resources, const char *name);

/** Say how much a node has; 0: nothing. @return 0, or SWARM_ERR_NOMEM. */
int swarm__resources_set_total(struct swarm__resources *resources, uint32_t slot, const char *name, int64_t total);
/** The node goes, without containers: what it has is no more. */
void swarm__resources_vacate(struct swarm__resources *resources, uint32_t slot);

/** Add to the used amounts what a request asks for. @return 0, SWARM_ERR_NOMEM, SWARM_ERR_INVALID (a sum would
 * overflow).
 */
int swarm__resources_take(struct swarm__resources *resources, uint32_t slot, const char *node_id,
                          const struct swarm_request *request, struct swarm_error **reterr);
/** Undo swarm__resources_take() of the same arguments. */
void swarm__resources_give_back(struct swarm__resources *resources, uint32_t slot, const struct swarm_request *request);

/** Take those nodes out of the set that lack the room for what is asked for. @p lasting: as if nothing were used. */
void swarm__resources_narrow(const struct swarm__resources *resources, const struct swarm__amount *asked, bool lasting,
                             struct swarm__nodeset *set);
/** How much of what is asked for a node has not free, up to INT64_MAX; 0 or less where it has room. */
int64_t swarm__resources_lack(const struct swarm__resources *resources, const char *name, int64_t asked, bool lasting,
                              size_t slot);

/** SWARM_ERR_INVALID where it cannot be a name. */
int swarm__resource_check_name(const char *name, struct swarm_error **reterr);

#endif
