/* SPDX-License-Identifier: Apache-2.0 */
#include "resource.h"

#include <string.h>

#include "error.h"
#include "mem.h"
#include "request.h"

void swarm__resources_finish(struct swarm__resources *resources)
{
    for (size_t i = 0; i < resources->count; i++) {
        swarm__free(resources->list[i]->totals);
        swarm__free(resources->list[i]->free);
        swarm__free(resources->list[i]);
    }
    swarm__free(resources->list);
    swarm__map_finish(&resources->by_name);
}

/* Of an array as long as all are; where the rest of a resize fails it is only longer than it need be. */
static int resize(int64_t **amounts, size_t before, size_t slots)
{
    int64_t *longer = slots <= SIZE_MAX / sizeof(*longer) ? swarm__realloc(*amounts, slots * sizeof(*longer)) : NULL;
    if (!longer)
        return -1;
    memset(longer + before, 0, (slots - before) * sizeof(*longer));
    *amounts = longer;
    return 0;
}

int swarm__resources_resize(struct swarm__resources *resources, size_t slots)
{
    if (slots <= resources->slots)
        return 0;
    slots = (slots + SWARM__NODESET_WORD - 1) / SWARM__NODESET_WORD * SWARM__NODESET_WORD;
    for (size_t i = 0; i < resources->count; i++)
        if (resize(&resources->list[i]->totals, resources->slots, slots) != 0 ||
            resize(&resources->list[i]->free, resources->slots, slots) != 0)
            return -1;
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
    resource->totals = swarm__calloc(resources->slots, sizeof(*resource->totals));
    resource->free = swarm__calloc(resources->slots, sizeof(*resource->free));
    if (!resource->totals || !resource->free || swarm__map_add(&resources->by_name, &resource->by_name) != 0) {
        swarm__free(resource->totals);
        swarm__free(resource->free);
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
    swarm__free(resource->totals);
    swarm__free(resource->free);
    swarm__free(resource);
}

/* What is used stays as it is. */
static void put_total(struct swarm__resource *resource, uint32_t slot, int64_t total)
{
    resource->free[slot] = total - swarm__resource_used(resource, slot);
    resource->totals[slot] = total;
}

int swarm__resources_set_total(struct swarm__resources *resources, uint32_t slot, const char *name, int64_t total)
{
    struct swarm__resource *resource = swarm__resources_find(resources, name);
    bool had = resource && resource->totals[slot] > 0;
    if (total > 0 && !had && !(resource = hold(resources, name)))
        return SWARM_ERR_NOMEM;
    if (!resource)
        return 0;
    put_total(resource, slot, total);
    if (total == 0 && had)
        release(resources, resource);
    return 0;
}

void swarm__resources_vacate(struct swarm__resources *resources, uint32_t slot)
{
    for (size_t i = resources->count; i-- > 0;)
        if (resources->list[i]->totals[slot] > 0) {
            put_total(resources->list[i], slot, 0);
            release(resources, resources->list[i]);
        }
}

static void give_back(struct swarm__resources *resources, uint32_t slot, const struct swarm_request *request,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct swarm__resource *resource = swarm__resources_find(resources, request->extras->amounts[i].name);
        resource->free[slot] += request->extras->amounts[i].amount;
        release(resources, resource);
    }
}

void swarm__resources_give_back(struct swarm__resources *resources, uint32_t slot, const struct swarm_request *request)
{
    give_back(resources, slot, request, request->extras->amount_count);
}

int swarm__resources_take(struct swarm__resources *resources, uint32_t slot, const char *node_id,
                          const struct swarm_request *request, struct swarm_error **reterr)
{
    for (uint32_t i = 0; i < request->extras->amount_count; i++) {
        const struct swarm__amount *asked = &request->extras->amounts[i];
        struct swarm__resource *resource = hold(resources, asked->name);
        if (!resource) {
            give_back(resources, slot, request, i);
            return swarm__error_nomem(reterr);
        }
        int64_t used;
        if (__builtin_add_overflow(swarm__resource_used(resource, slot), asked->amount, &used)) {
            release(resources, resource);
            give_back(resources, slot, request, i);
            return swarm__error_set(reterr, SWARM_ERR_INVALID, "%s used on node %s would pass the greatest number",
                                    asked->name, node_id);
        }
        resource->free[slot] = resource->totals[slot] - used;
    }
    return 0;
}

/* Which of a word's nodes have so much; without a branch, since which of them do is anyone's guess. */
static uint64_t enough(const int64_t there[SWARM__NODESET_WORD], int64_t amount)
{
    enum { LANES = 4, EACH = SWARM__NODESET_WORD / LANES };
    uint64_t lanes[LANES] = {0};
    for (unsigned bit = 0; bit < EACH; bit++)
        for (unsigned lane = 0; lane < LANES; lane++)
            lanes[lane] |= (uint64_t)(there[lane * EACH + bit] >= amount) << bit;
    return lanes[0] | lanes[1] << EACH | lanes[2] << 2 * EACH | lanes[3] << 3 * EACH;
}

void swarm__resources_narrow(const struct swarm__resources *resources, const struct swarm__amount *asked, bool lasting,
                             struct swarm__nodeset *set)
{
    const struct swarm__resource *resource = swarm__resources_find(resources, asked->name);
    if (!resource) {
        swarm__nodeset_clear(set);
        return;
    }
    const int64_t *there = lasting ? resource->totals : resource->free;
    for (size_t word = 0; word < set->length; word++)
        if (set->words[word] != 0)
            set->words[word] &= enough(there + word * SWARM__NODESET_WORD, asked->amount);
}

int64_t swarm__resources_lack(const struct swarm__resources *resources, const char *name, int64_t asked, bool lasting,
                              size_t slot)
{
    const struct swarm__resource *resource = swarm__resources_find(resources, name);
    if (!resource)
        return asked;
    int64_t lack;
    return __builtin_sub_overflow(asked, lasting ? resource->totals[slot] : resource->free[slot], &lack) ? INT64_MAX
                                                                                                         : lack;
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
