/* SPDX-License-Identifier: Apache-2.0 */
#include "look_up.h"

#include <string.h>

typedef struct swarm_container *(*owner_fn)(struct swarm__prefix_entry *entry);

static bool visit_same(struct swarm__prefix_entry *entry, owner_fn owner, swarm__hit_fn hit, void *data)
{
    for (; entry; entry = entry->same)
        if (!hit(data, owner(entry)))
            return false;
    return true;
}

static void visit_prefix(const struct swarm__prefix *prefix, owner_fn owner, const char *text, swarm__hit_fn hit,
                         void *data)
{
    struct swarm__prefix_entry *entry = swarm__prefix_first(prefix, text);
    while (entry && visit_same(entry, owner, hit, data))
        entry = swarm__prefix_next(prefix, entry, text);
}

static void visit_ids(const struct swarm__prefix *prefix, owner_fn owner, const char *text, swarm__hit_fn hit,
                      void *data)
{
    if (strlen(text) == SWARM__SHORT_ID)
        visit_prefix(prefix, owner, text, hit, data);
    else
        visit_same(swarm__prefix_find(prefix, text), owner, hit, data);
}

void swarm__look_up_ids(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data)
{
    visit_ids(&cluster->container_ids, swarm__container_by_id, text, hit, data);
}

void swarm__look_up_swarm_ids(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data)
{
    visit_ids(&cluster->swarm_ids, swarm__container_by_swarm_id, text, hit, data);
}

static bool is_node(const struct swarm_node *node, const char *text, size_t length)
{
    return (strncmp(node->id, text, length) == 0 && node->id[length] == '\0') ||
           (strncmp(node->name->text, text, length) == 0 && node->name->text[length] == '\0');
}

/* Whether the text is that name of a container on that node. */
static bool is_name(const struct swarm__name *name, const struct swarm_node *node, const char *text)
{
    if (strcmp(name->text, text + (*text == '/')) == 0)
        return true;
    size_t text_length = strlen(text), name_length = strlen(name->text);
    if (text_length < name_length + 2)
        return false;
    size_t node_length = text_length - name_length - 1;
    return text[node_length] == '/' && strcmp(text + node_length + 1, name->text) == 0 &&
           is_node(node, text, node_length);
}

/* Visit those of the same name for which the whole text is a name, each at the first of its names that it is. */
static bool visit_named(struct swarm__name *name, const char *text, swarm__hit_fn hit, void *data)
{
    for (; name; name = name->same) {
        struct swarm_container *container = name->owner;
        if (!container || !is_name(name, container->node, text))
            continue;
        const struct swarm__name *first = container->names;
        while (!is_name(first, container->node, text))
            first = first->next;
        if (first == name && !hit(data, container))
            return false;
    }
    return true;
}

void swarm__look_up_names(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data)
{
    const struct swarm__map *names = &cluster->container_names;
    if (!visit_named(swarm__names_find(names, text + (*text == '/')), text, hit, data))
        return;
    if (*text == '\0')
        return;
    for (const char *slash = strchr(text + 1, '/'); slash; slash = strchr(slash + 1, '/'))
        if (!visit_named(swarm__names_find(names, slash + 1), text, hit, data))
            return;
}

/* Passes on hits by swarm id that were not hits by id before. */
struct by_swarm_id {
    const char *text;
    swarm__hit_fn hit;
    void *data;
};

static bool visit_if_new(void *data, struct swarm_container *container)
{
    struct by_swarm_id *rest = data;
    if (container->id && strncmp(container->id, rest->text, strlen(rest->text)) == 0)
        return true;
    return rest->hit(rest->data, container);
}

/* Whether the visitor stopped is not known here: one who stopped has to stop again at the next hit. */
void swarm__look_up_prefix(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data)
{
    struct by_swarm_id rest = {text, hit, data};
    visit_prefix(&cluster->container_ids, swarm__container_by_id, text, hit, data);
    visit_prefix(&cluster->swarm_ids, swarm__container_by_swarm_id, text, visit_if_new, &rest);
}
