/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster.h"
#include "container.h"
#include "look_up.h"
#include "mem.h"
#include "request.h"
#include "rescheduler.h"

#define CONTAINER_MODE "container:"
/* So many gone ones are kept before the needless are looked for. */
#define PRUNE_AT 256
/* Docker's ids have 64 digits. */
#define MAX_ID 128

/* ---- nodes ---- */

struct swarm__site *swarm__site_find(const struct swarm_rescheduler *r, const struct swarm_node *node)
{
    return (struct swarm__site *)swarm__map_find(&r->sites, swarm_node_id(node));
}

bool swarm__node_live(const struct swarm_rescheduler *r, const struct swarm_node *node)
{
    const struct swarm__site *site = swarm__site_find(r, node);
    return (site == NULL || !site->lost) && swarm_node_health(node) > 0;
}

/** Whether two nodes are one engine: by its docker id (an address may follow it), or because they share a container. */
static bool same_engine(const struct swarm_cluster *cluster, const struct swarm_node *a, const struct swarm_node *b)
{
    const char *a_id = swarm_node_id(a), *b_id = swarm_node_id(b);
    size_t length = strcspn(a_id, "|");
    if (a == b || (length == strcspn(b_id, "|") && strncmp(a_id, b_id, length) == 0))
        return true;
    const struct swarm_node *few = a->containers.count <= b->containers.count ? a : b, *other = few == a ? b : a;
    const struct swarm_container *c = NULL;
    while ((c = swarm_node_next_container(few, c)) != NULL)
        if (swarm_cluster_find_container(cluster, other, swarm_container_id(c)) != NULL)
            return true;
    return false;
}

/* ---- containers by id ---- */

struct visit {
    const struct swarm_rescheduler *r;
    const char *id;
    const struct swarm_node *not_on; /* may be NULL */
    bool live;
    struct swarm_container *found;
};

static bool visit_id(void *data, struct swarm_container *hit)
{
    struct visit *visit = data;
    if (strcmp(hit->id, visit->id) != 0 || hit->node == visit->not_on ||
        (visit->live && !swarm__node_live(visit->r, hit->node)))
        return true;
    visit->found = hit;
    return false;
}

/** The container of that id. @param live  Only on a live node. @return NULL where there is none. */
static struct swarm_container *find_id(const struct swarm_rescheduler *r, const char *id,
                                       const struct swarm_node *not_on, bool live)
{
    struct visit visit = {r, id, not_on, live, NULL};
    swarm__look_up_ids(r->cluster, id, visit_id, &visit);
    return visit.found;
}

struct swarm_container *swarm__alias(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return find_id(r, swarm_container_id(container), swarm_container_node(container), false);
}

bool swarm__seen_elsewhere(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return find_id(r, swarm_container_id(container), swarm_container_node(container), true) != NULL;
}

/* ---- what was replaced, and by what ---- */

static struct swarm__replaced *replaced_find(const struct swarm_rescheduler *r, const char *container_id)
{
    return (struct swarm__replaced *)swarm__map_find(&r->replaced, container_id);
}

bool swarm__is_replaced(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    return replaced_find(r, swarm_container_id(container)) != NULL;
}

int swarm__replaced_add(struct swarm_rescheduler *r, const char *container_id, const char *by)
{
    size_t id_size = strlen(container_id) + 1, by_size = strlen(by) + 1;
    struct swarm__replaced *made = swarm__malloc(sizeof(*made) + id_size + by_size);
    if (made == NULL)
        return SWARM_ERR_NOMEM;
    memcpy(made->texts, container_id, id_size);
    memcpy(made->texts + id_size, by, by_size);
    made->by_id.key = made->texts;
    made->by = made->texts + id_size;
    made->gone = false;
    struct swarm__replaced *old = replaced_find(r, container_id);
    if (old != NULL) {
        swarm__map_replace(&r->replaced, &old->by_id, &made->by_id);
        r->replaced_gone -= old->gone;
        swarm__free(old);
    } else if (swarm__map_add(&r->replaced, &made->by_id) < 0) {
        swarm__free(made);
        return SWARM_ERR_NOMEM;
    }
    return 0;
}

void swarm__replaced_forget(struct swarm_rescheduler *r, const char *container_id)
{
    struct swarm__replaced *found = replaced_find(r, container_id);
    if (found == NULL)
        return;
    swarm__map_remove(&r->replaced, &found->by_id);
    r->replaced_gone -= found->gone;
    swarm__free(found);
}

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
        for (; replaced != NULL && !replaced->needed; replaced = replaced_find(r, replaced->by))
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

void swarm__replaced_gone(struct swarm_rescheduler *r, const char *container_id)
{
    struct swarm__replaced *found = replaced_find(r, container_id);
    if (found == NULL || found->gone)
        return;
    found->gone = true;
    if (++r->replaced_gone >= PRUNE_AT && r->replaced_gone >= r->replaced.count / 2)
        prune(r);
}

/** The id of what stands in for a container now, after all its moves; its own where it was never replaced. */
static const char *end_of(const struct swarm_rescheduler *r, const char *id)
{
    const struct swarm__replaced *replaced;
    /* There are no circles: whoever takes over is forgotten as replaced. The limit is for peace of mind. */
    for (uint32_t steps = 0; steps <= r->replaced.count && (replaced = replaced_find(r, id)) != NULL; steps++)
        id = replaced->by;
    return id;
}

struct swarm_container *swarm__stand_in_of(const struct swarm_rescheduler *r, const struct swarm_container *old)
{
    if (!swarm__is_replaced(r, old))
        return NULL;
    struct swarm_container *now = find_id(r, end_of(r, swarm_container_id(old)), NULL, true);
    return now != NULL && !same_engine(r->cluster, now->node, old->node) ? now : NULL;
}

/* ---- copies that are known by their labels only ---- */

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && *a != '\0' && strcmp(a, b) == 0;
}

/**
 * Whether two containers of one swarm id are copies by all that can be seen. The swarm id alone does not tell: an image
 * made with `docker commit` hands the label on to every container that is run from it on an engine directly.
 */
static bool look_the_same(const struct swarm_container *a, const struct swarm_container *b)
{
    const struct swarm_request *first = swarm_container_request(a), *second = swarm_container_request(b);
    return same_text(swarm_container_name(a), swarm_container_name(b)) &&
           same_text(swarm_request_image(first), swarm_request_image(second)) &&
           swarm_request_reschedule_policy(first) != SWARM_RESCHEDULE_OFF &&
           swarm_request_reschedule_policy(second) != SWARM_RESCHEDULE_OFF;
}

struct search {
    struct swarm_rescheduler *r;
    struct swarm_container *subject;
    struct swarm_container *found;
    struct swarm__task *tasks;
    bool was_lost; /* the subject's node, until now */
    int rc;
};

/** Whether a hit is another container with the subject's swarm id, on another engine. */
static bool is_elsewhere(const struct search *search, const struct swarm_container *hit)
{
    const struct swarm_container *subject = search->subject;
    return hit != subject && !swarm__container_pending(hit) && strcmp(hit->id, subject->id) != 0 &&
           same_text(swarm_container_swarm_id(subject), swarm_container_swarm_id(hit)) &&
           !same_engine(search->r->cluster, subject->node, hit->node);
}

/** The same, on an engine that is live. */
static bool may_be_copy(const struct search *search, const struct swarm_container *hit)
{
    return swarm__node_live(search->r, hit->node) && is_elsewhere(search, hit);
}

/** Whether both stand for one container, as far as is known. */
static bool is_copy(const struct search *search, const struct swarm_container *hit)
{
    return strcmp(end_of(search->r, hit->id), end_of(search->r, search->subject->id)) == 0 ||
           look_the_same(search->subject, hit);
}

static void search_copies(struct search *search, swarm__hit_fn hit)
{
    const char *swarm_id = swarm_container_swarm_id(search->subject);
    if (*swarm_id != '\0')
        swarm__look_up_swarm_ids(search->r->cluster, swarm_id, hit, search);
}

static bool being_removed(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    const struct swarm__task *task = r->under_way;
    while (task != NULL && (task->kind != SWARM_ACTION_REMOVE || task->container != container))
        task = task->next_active;
    return task != NULL;
}

static bool visit_living(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    if (!may_be_copy(search, hit) || being_removed(search->r, hit) || !is_copy(search, hit))
        return true;
    search->found = hit;
    return swarm__is_replaced(search->r, hit); /* better one that never was */
}

struct swarm_container *swarm__living_copy(struct swarm_rescheduler *r, struct swarm_container *lost)
{
    struct search search = {.r = r, .subject = lost};
    search_copies(&search, visit_living);
    return search.found;
}

static bool visit_lost(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    const struct swarm__site *site = swarm__site_find(search->r, hit->node);
    if (site != NULL && site->lost && is_elsewhere(search, hit) && is_copy(search, hit))
        search->found = hit;
    return search->found == NULL;
}

struct swarm_container *swarm__lost_copy(struct swarm_rescheduler *r, struct swarm_container *lost)
{
    struct search search = {.r = r, .subject = lost};
    search_copies(&search, visit_lost);
    return search.found;
}

/* ---- old copies ---- */

static bool has_removal(const struct search *search, const struct swarm_container *container)
{
    for (const struct swarm__task *task = search->r->removals.first; task != NULL; task = task->next)
        if (task->container == container)
            return true;
    for (const struct swarm__task *task = search->tasks; task != NULL; task = task->next)
        if (task->container == container)
            return true;
    return false;
}

static void add_removal(struct search *search, struct swarm_container *old)
{
    if (search->rc < 0 || has_removal(search, old))
        return;
    struct swarm__task *task = swarm__task_new(search->r, SWARM_ACTION_REMOVE, old);
    if (task == NULL) {
        search->rc = SWARM_ERR_NOMEM;
        return;
    }
    task->next = search->tasks;
    search->tasks = task;
}

static int search_end(struct search *search, struct swarm__task **ret_tasks)
{
    if (search->rc < 0)
        swarm__task_free_chain(search->r, search->tasks);
    else
        *ret_tasks = search->tasks;
    return search->rc;
}

/**
 * Copies of which nothing is known but that they look the same: another manager moved one of them, or this one before
 * it was started anew. The one on the node that comes back is the old one, if the other one runs and this one does not
 * or was out of reach until now; otherwise nobody can tell, and both stay.
 */
static bool visit_unknown(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    struct swarm_container *subject = search->subject;
    if (!may_be_copy(search, hit) || swarm__is_replaced(search->r, hit) || !look_the_same(subject, hit) ||
        hit->state != SWARM_CONTAINER_RUNNING || (!search->was_lost && subject->state == SWARM_CONTAINER_RUNNING))
        return true;
    search->rc = swarm__replaced_add(search->r, subject->id, hit->id);
    return false;
}

int swarm__find_old_copies(struct swarm_rescheduler *r, const struct swarm_node *node, bool was_lost,
                           struct swarm__task **ret_tasks)
{
    struct search search = {.r = r, .was_lost = was_lost};
    while (search.rc == 0 && (search.subject = swarm_node_next_container(node, search.subject)) != NULL)
        if (!swarm__is_replaced(r, search.subject))
            search_copies(&search, visit_unknown);
    /* Whatever was replaced and is there again, wherever: its stand-in may be what has come back. */
    struct swarm__map_item *item;
    size_t at = 0;
    while (search.rc == 0 && (item = swarm__map_next(&r->replaced, &at)) != NULL) {
        struct swarm_container *old = find_id(r, item->key, NULL, true);
        if (old != NULL && !((struct swarm__replaced *)item)->gone && swarm__stand_in_of(r, old) != NULL)
            add_removal(&search, old);
    }
    return search_end(&search, ret_tasks);
}

static bool visit_replaced(void *data, struct swarm_container *hit)
{
    struct search *search = data;
    if (may_be_copy(search, hit) && swarm__stand_in_of(search->r, hit) == search->subject)
        add_removal(search, hit);
    return search->rc == 0;
}

int swarm__find_old_copies_of(struct swarm_rescheduler *r, struct swarm_container *stand_in,
                              struct swarm_container *lost, struct swarm__task **ret_tasks)
{
    struct search search = {.r = r, .subject = stand_in};
    search_copies(&search, visit_replaced);
    if (lost != NULL && swarm__node_live(r, lost->node) && swarm__stand_in_of(r, lost) == stand_in)
        add_removal(&search, lost);
    return search_end(&search, ret_tasks);
}

/* ---- what refers to a replaced container ---- */

/** The id that stands for the one in "container:<id>"; NULL where that one was not replaced. */
static const char *new_target(const struct swarm_rescheduler *r, const char *mode)
{
    if (mode == NULL || strncmp(mode, CONTAINER_MODE, strlen(CONTAINER_MODE)) != 0)
        return NULL;
    const char *id = mode + strlen(CONTAINER_MODE), *end = end_of(r, id);
    return end != id && strlen(end) <= MAX_ID ? end : NULL;
}

static int follow(struct swarm_request *request, const char *id,
                  int (*set)(struct swarm_request *, const char *, struct swarm_error **))
{
    char mode[sizeof(CONTAINER_MODE) + MAX_ID];
    if (id == NULL)
        return 0;
    memcpy(mode, CONTAINER_MODE, strlen(CONTAINER_MODE));
    memcpy(mode + strlen(CONTAINER_MODE), id, strlen(id) + 1);
    return set(request, mode, NULL);
}

int swarm__follow_replaced(const struct swarm_rescheduler *r, struct swarm_request *request,
                           struct swarm_request **ret_request)
{
    const char *network = new_target(r, request->network_mode), *pid = new_target(r, request->pid_mode);
    const char *ipc = new_target(r, request->ipc_mode);
    struct swarm_request *changed;
    if (network == NULL && pid == NULL && ipc == NULL) {
        *ret_request = swarm_request_ref(request);
        return 0;
    }
    if (swarm_request_copy(&changed, request, NULL) < 0)
        return SWARM_ERR_NOMEM;
    if (follow(changed, network, swarm_request_set_network_mode) < 0 ||
        follow(changed, pid, swarm_request_set_pid_mode) < 0 || follow(changed, ipc, swarm_request_set_ipc_mode) < 0) {
        swarm_request_unref(changed);
        return SWARM_ERR_NOMEM;
    }
    *ret_request = changed;
    return 0;
}
