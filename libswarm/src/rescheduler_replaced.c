/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "error.h"
#include "mem.h"
#include "rescheduler.h"

/* So many gone ones are kept before the needless are looked for. */
#define PRUNE_AT 256

struct swarm__replaced *swarm__replaced_find(const struct swarm_rescheduler *r, const char *container_id)
{
    return (struct swarm__replaced *)swarm__map_find(&r->replaced, container_id);
}

bool swarm__is_replaced(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return swarm__replaced_find(r, swarm_container_id(container)) != NULL;
}

/* ---- who replaced what ---- */

static struct swarm__replacer *replacer_find(const struct swarm_rescheduler *r, const char *container_id)
{
    return (struct swarm__replacer *)swarm__map_find(&r->replacers, container_id);
}

/** The one there is, or a new one that stands in for nothing yet. */
static struct swarm__replacer *replacer_get(struct swarm_rescheduler *r, const char *container_id)
{
    struct swarm__replacer *found = replacer_find(r, container_id);
    if (found != NULL)
        return found;
    size_t size = strlen(container_id) + 1;
    found = swarm__calloc(1, sizeof(*found) + size);
    if (found == NULL)
        return NULL;
    memcpy(found->id, container_id, size);
    found->by_id.key = found->id;
    if (swarm__map_add(&r->replacers, &found->by_id) < 0) {
        swarm__free(found);
        return NULL;
    }
    return found;
}

static void replacer_tidy(struct swarm_rescheduler *r, struct swarm__replacer *replacer)
{
    if (replacer->first != NULL)
        return;
    swarm__map_remove(&r->replacers, &replacer->by_id);
    swarm__free(replacer);
}

static void leave_replacer(struct swarm_rescheduler *r, const struct swarm__replaced *replaced)
{
    struct swarm__replacer *replacer = replacer_find(r, replaced->by);
    struct swarm__replaced **link = &replacer->first;
    while (*link != replaced)
        link = &(*link)->following;
    *link = replaced->following;
    replacer_tidy(r, replacer);
}

/* ---- what was replaced ---- */

static struct swarm__replaced *replaced_new(const struct swarm_memory *memory)
{
    size_t id_size = strlen(memory->container_id) + 1, by_size = strlen(memory->by) + 1;
    size_t node_size = strlen(memory->node_id) + 1;
    struct swarm__replaced *made = swarm__calloc(1, sizeof(*made) + id_size + by_size + node_size);
    if (made == NULL)
        return NULL;
    memcpy(made->texts, memory->container_id, id_size);
    memcpy(made->texts + id_size, memory->by, by_size);
    memcpy(made->texts + id_size + by_size, memory->node_id, node_size);
    made->by_id.key = made->texts;
    made->by = made->texts + id_size;
    made->node_id = made->texts + id_size + by_size;
    made->judged = memory->judged != 0;
    made->doomed_ms = INT64_MIN;
    return made;
}

/** Where it is; where it was, as far as is known, if it is not listed. */
static const char *node_of(const struct swarm_rescheduler *r, const char *container_id)
{
    const struct swarm_container *container = swarm__find_id(r, container_id, NULL, false);
    const struct swarm__replaced *known = swarm__replaced_find(r, container_id);
    if (container != NULL)
        return swarm_node_id(swarm_container_node(container));
    return known != NULL ? known->node_id : "";
}

int swarm__replaced_add(struct swarm_rescheduler *r, const char *container_id, const char *by, bool judged)
{
    const struct swarm_memory memory = {
        .container_id = container_id, .node_id = node_of(r, container_id), .by = by, .judged = judged};
    return swarm__replaced_restore(r, &memory);
}

int swarm__replaced_restore(struct swarm_rescheduler *r, const struct swarm_memory *memory)
{
    const char *container_id = memory->container_id;
    struct swarm__replaced *made = replaced_new(memory);
    struct swarm__replacer *replacer = made != NULL ? replacer_get(r, memory->by) : NULL;
    if (replacer == NULL) {
        swarm__free(made);
        return SWARM_ERR_NOMEM;
    }
    struct swarm__replaced *old = swarm__replaced_find(r, container_id);
    if (old == NULL && swarm__map_add(&r->replaced, &made->by_id) < 0) {
        replacer_tidy(r, replacer);
        swarm__free(made);
        return SWARM_ERR_NOMEM;
    }
    made->following = replacer->first;
    replacer->first = made;
    if (old != NULL) {
        made->doomed_ms = old->doomed_ms;
        made->hidden = old->hidden;
        swarm__map_replace(&r->replaced, &old->by_id, &made->by_id);
        r->replaced_gone -= old->gone;
        leave_replacer(r, old);
        swarm__free(old);
    }
    made->gone = *made->by == '\0'; /* it was removed itself, and is kept for those that it stands in for */
    r->replaced_gone += made->gone;
    swarm__tell_memory(r, made, false);
    return 0;
}

void swarm__replaced_forget(struct swarm_rescheduler *r, const char *container_id)
{
    struct swarm__replaced *found = swarm__replaced_find(r, container_id);
    if (found == NULL)
        return;
    swarm__tell_memory(r, found, true);
    leave_replacer(r, found);
    swarm__map_remove(&r->replaced, &found->by_id);
    r->replaced_gone -= found->gone;
    swarm__free(found);
}

void swarm__replaced_doom(struct swarm_rescheduler *r, const char *container_id)
{
    struct swarm__replaced *found = swarm__replaced_find(r, container_id);
    if (found != NULL)
        found->doomed_ms = r->now_ms + SWARM__LATE_MS;
}

bool swarm__is_doomed(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    const struct swarm__replaced *found = swarm__replaced_find(r, swarm_container_id(container));
    return found != NULL && found->doomed_ms > r->now_ms;
}

bool swarm__is_deleted(const struct swarm_rescheduler *r, const char *container_id)
{
    return *swarm__replaced_end(r, container_id) == '\0';
}

const char *swarm__replaced_end(const struct swarm_rescheduler *r, const char *container_id)
{
    const struct swarm__replaced *replaced;
    /* There are no circles: whoever takes over is forgotten as replaced. The limit is for peace of mind. */
    for (uint32_t steps = 0; steps <= r->replaced.count && (replaced = swarm__replaced_find(r, container_id)) != NULL;
         steps++)
        container_id = replaced->by;
    return container_id;
}

int swarm__replaced_take_over(struct swarm_rescheduler *r, const char *container_id)
{
    const char *end = swarm__replaced_end(r, container_id);
    if (strcmp(end, container_id) == 0)
        return 0;
    if (*end == '\0') {
        swarm__replaced_forget(r, container_id);
        return 0;
    }
    int rc = swarm__replaced_add(r, end, container_id, false);
    if (rc == 0)
        swarm__replaced_forget(r, container_id);
    return rc;
}

struct swarm__replaced *swarm__replaced_next(const struct swarm_rescheduler *r, const char *stand_in_id,
                                             const struct swarm__replaced *previous)
{
    /* A tree, whose leaves were never stand-ins themselves: down first, then aside, then up. */
    const struct swarm__replacer *below = replacer_find(r, previous != NULL ? previous->by_id.key : stand_in_id);
    if (below != NULL)
        return below->first;
    while (previous != NULL && previous->following == NULL)
        previous = strcmp(previous->by, stand_in_id) != 0 ? swarm__replaced_find(r, previous->by) : NULL;
    return previous != NULL ? previous->following : NULL;
}

/* ---- what is gone ---- */

/** Mark all through which some other one leads to its stand-in. */
static void mark_needed(struct swarm_rescheduler *r)
{
    struct swarm__map_item *item;
    size_t at = 0;
    while ((item = swarm__map_next(&r->replaced, &at)) != NULL)
        ((struct swarm__replaced *)item)->needed = false;
    for (at = 0; (item = swarm__map_next(&r->replaced, &at)) != NULL;) {
        struct swarm__replaced *replaced = (struct swarm__replaced *)item;
        if (replaced->gone)
            continue;
        for (; replaced != NULL && !replaced->needed; replaced = swarm__replaced_find(r, replaced->by))
            replaced->needed = true;
    }
}

/** Forget those that are not needed; a few may be passed over, until the next time. */
static void prune(struct swarm_rescheduler *r)
{
    struct swarm__map_item *item;
    size_t at = 0;
    mark_needed(r);
    while ((item = swarm__map_next(&r->replaced, &at)) != NULL) {
        if (((struct swarm__replaced *)item)->needed)
            continue;
        swarm__replaced_forget(r, item->key);
        at--; /* another one may have moved up */
    }
}

/** @param anyway  There is one that was removed by its user: that is not kept longer than it is needed. */
static void prune_many(struct swarm_rescheduler *r, bool anyway)
{
    if (anyway || (r->replaced_gone >= PRUNE_AT && r->replaced_gone >= r->replaced.count / 2))
        prune(r);
}

void swarm__replaced_hide(struct swarm_rescheduler *r, struct swarm_container *container)
{
    struct swarm__replaced *found = swarm__replaced_find(r, swarm_container_id(container));
    if (found != NULL)
        found->hidden = true;
    swarm__let_go(r, container);
    swarm_cluster_remove_container(r->cluster, container);
}

/* What was hidden after the engine of a node that is about to be back had listed its containers is missing, and there:
 * it is looked at when it is listed again. If it is not there, it is forgotten the next time. */
void swarm__replaced_settle(struct swarm_rescheduler *r, const struct swarm_node *node)
{
    struct swarm__map_item *item;
    size_t at = 0;
    bool deleted = false;
    while ((item = swarm__map_next(&r->replaced, &at)) != NULL) {
        struct swarm__replaced *replaced = (struct swarm__replaced *)item;
        if (replaced->gone || strcmp(replaced->node_id, swarm_node_id(node)) != 0)
            continue;
        bool was_hidden = replaced->hidden;
        replaced->hidden = false;
        if (was_hidden || swarm_cluster_find_container(r->cluster, node, item->key) != NULL)
            continue;
        replaced->gone = true;
        r->replaced_gone++;
        deleted = deleted || swarm__is_deleted(r, item->key);
    }
    prune_many(r, deleted);
}

void swarm__replaced_gone(struct swarm_rescheduler *r, const char *container_id)
{
    struct swarm__replaced *found = swarm__replaced_find(r, container_id);
    if (found == NULL || found->gone)
        return;
    found->gone = true;
    r->replaced_gone++;
    prune_many(r, swarm__is_deleted(r, container_id));
}
