/* SPDX-License-Identifier: Apache-2.0 */
#include "resource.h"

#include <string.h>

#include "error.h"
#include "mem.h"
#include "request.h"

void swarm__resources_finish(struct swarm__resources *resources)
{
    for (size_t i = 0; i < resources->count; i++) {
        swarm__free(resources->list[i]->rooms);
        swarm__free(resources->list[i]);
    }
    swarm__free(resources->list);
    swarm__map_finish(&resources->by_name);
}

int swarm__resources_resize(struct swarm__resources *resources, size_t slots)
{
    if (slots <= resources->slots)
        return 0;
    /* Where one of them fails, those before it only have more rooms than they need. */
    for (size_t i = 0; i < resources->count; i++) {
        struct swarm__room *rooms = slots <= SIZE_MAX / sizeof(*rooms)
                                        ? swarm__realloc(resources->list[i]->rooms, slots * sizeof(*rooms))
                                        : NULL;
        if (!rooms)
            return -1;
        memset(rooms + resources->slots, 0, (slots - resources->slots) * sizeof(*rooms));
        resources->list[i]->rooms = rooms;
    }
    resources->slots = slots;
    return 0;
}

struct swarm__resource *swarm__resources_find(const struct swarm__resources *resources, const char *name)
{
    return resources->count ? (struct swarm__resource *)swarm__map_find(&resources->by_name, name) : NULL;
}

/* Where the name is in the list, or belongs. */
static size_t place_of(const struct swarm__resources *resources, const char *name)
{
    size_t low = 0, high = resources->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(resources->list[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct swarm__resource *add(struct swarm__resources *resources, const char *name)
{
    size_t size = strlen(name) + 1;
    if (swarm__grow(&resources->list, &resources->capacity, resources->count + 1, sizeof(struct swarm__resource *)) !=
        0)
        return NULL;
    struct swarm__resource *resource = swarm__calloc(1, sizeof(*resource) + size);
    if (!resource)
        return NULL;
    memcpy(resource->name, name, size);
    resource->by_name.key = resource->name;
    resource->rooms = swarm__calloc(resources->slots, sizeof(*resource->rooms));
    if (!resource->rooms || swarm__map_add(&resources->by_name, &resource->by_name) != 0) {
        swarm__free(resource->rooms);
        swarm__free(resource);
        return NULL;
    }
    size_t place = place_of(resources, name);
    memmove(resources->list + place + 1, resources->list + place,
            (resources->count - place) * sizeof(struct swarm__resource *));
    resources->list[place] = resource;
    resources->count++;
    return resource;
}

/* One holder more. NULL where there is no memory. */
static struct swarm__resource *hold(struct swarm__resources *resources, const char *name)
{
    struct swarm__resource *resource = swarm__resources_find(resources, name);
    if (!resource)
        resource = add(resources, name);
    if (resource)
        resource->holders++;
    return resource;
}

static void release(struct swarm__resources *resources, struct swarm__resource *resource)
{
    if (--resource->holders > 0)
        return;
    size_t place = place_of(resources, resource->name);
    resources->count--;
    memmove(resources->list + place, resources->list + place + 1,
            (resources->count - place) * sizeof(struct swarm__resource *));
    swarm__map_remove(&resources->by_name, &resource->by_name);
    swarm__free(resource->rooms);
    swarm__free(resource);
}

int swarm__resources_set_total(struct swarm__resources *resources, uint32_t slot, const char *name, int64_t total)
{
    struct swarm__resource *resource = swarm__resources_find(resources, name);
    bool had = resource && resource->rooms[slot].total > 0;
    if (total > 0 && !had && !(resource = hold(resources, name)))
        return SWARM_ERR_NOMEM;
    if (!resource)
        return 0;
    resource->rooms[slot].total = total;
    if (total == 0 && had)
        release(resources, resource);
    return 0;
}

void swarm__resources_vacate(struct swarm__resources *resources, uint32_t slot)
{
    for (size_t i = resources->count; i-- > 0;)
        if (resources->list[i]->rooms[slot].total > 0) {
            resources->list[i]->rooms[slot].total = 0;
            release(resources, resources->list[i]);
        }
}

static void give_back(struct swarm__resources *resources, uint32_t slot, const struct swarm_request *request,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct swarm__resource *resource = swarm__resources_find(resources, request->amounts[i].name);
        resource->rooms[slot].used -= request->amounts[i].amount;
        release(resources, resource);
    }
}

void swarm__resources_give_back(struct swarm__resources *resources, uint32_t slot, const struct swarm_request *request)
{
    give_back(resources, slot, request, request->amount_count);
}

int swarm__resources_take(struct swarm__resources *resources, uint32_t slot, const char *node_id,
                          const struct swarm_request *request, struct swarm_error **reterr)
{
    for (uint32_t i = 0; i < request->amount_count; i++) {
        const struct swarm__amount *asked = &request->amounts[i];
        struct swarm__resource *resource = hold(resources, asked->name);
        if (!resource) {
            give_back(resources, slot, request, i);
            return swarm__error_nomem(reterr);
        }
        int64_t used;
        if (__builtin_add_overflow(resource->rooms[slot].used, asked->amount, &used)) {
            release(resources, resource);
            give_back(resources, slot, request, i);
            return swarm__error_set(reterr, SWARM_ERR_INVALID, "%s used on node %s would pass the greatest number",
                                    asked->name, node_id);
        }
        resource->rooms[slot].used = used;
    }
    return 0;
}

void swarm__resources_narrow(const struct swarm__resources *resources, const struct swarm__amount *asked, bool lasting,
                             struct swarm__nodeset *set)
{
    const struct swarm__resource *resource = swarm__resources_find(resources, asked->name);
    if (!resource) {
        swarm__nodeset_clear(set);
        return;
    }
    for (size_t slot = swarm__nodeset_next(set, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(set, slot + 1)) {
        const struct swarm__room *room = &resource->rooms[slot];
        if (room->total - (lasting ? 0 : room->used) < asked->amount)
            swarm__nodeset_remove(set, slot);
    }
}

int64_t swarm__resources_lack(const struct swarm__resources *resources, const char *name, int64_t asked, bool lasting,
                              size_t slot)
{
    const struct swarm__resource *resource = swarm__resources_find(resources, name);
    if (!resource)
        return asked;
    const struct swarm__room *room = &resource->rooms[slot];
    int64_t lack;
    return __builtin_sub_overflow(asked, room->total - (lasting ? 0 : room->used), &lack) ? INT64_MAX : lack;
}

int swarm__resource_check_name(const char *name, struct swarm_error **reterr)
{
    if (!name || !*name)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "resource: the name is %s", name ? "empty" : "NULL");
    if (strlen(name) > SWARM__RESOURCE_NAME_MAX)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "resource %.32s...: a name of %zu bytes: %d at most are expected", name, strlen(name),
                                SWARM__RESOURCE_NAME_MAX);
    return 0;
}
