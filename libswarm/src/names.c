/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <string.h>

#include "mem.h"

struct swarm__name *swarm__names_find(const struct swarm__map *names, const char *text)
{
    return (struct swarm__name *)swarm__map_find(names, text);
}

int swarm__names_enter(struct swarm__map *names, struct swarm__name *name, const char *text, void *owner)
{
    *name = (struct swarm__name){.text = text, .owner = owner};
    struct swarm__name *head = swarm__names_find(names, text);
    if (!head)
        return swarm__map_add(names, &name->item);
    name->same = head->same;
    head->same = name;
    return 0;
}

struct swarm__name *swarm__names_add(struct swarm__map *names, const char *text, void *owner)
{
    size_t size = strlen(text) + 1;
    struct swarm__name *name = swarm__malloc(sizeof(*name) + size);
    if (!name)
        return NULL;
    if (swarm__names_enter(names, name, memcpy(name + 1, text, size), owner) == 0)
        return name;
    swarm__free(name);
    return NULL;
}

void swarm__names_leave(struct swarm__map *names, struct swarm__name *name)
{
    struct swarm__name *before = swarm__names_find(names, name->text);
    if (before != name) {
        while (before->same != name)
            before = before->same;
        before->same = name->same;
    } else if (name->same) {
        swarm__map_replace(names, &name->item, &name->same->item);
    } else {
        swarm__map_remove(names, &name->item);
    }
}

void swarm__names_remove(struct swarm__map *names, struct swarm__name *name)
{
    swarm__names_leave(names, name);
    swarm__free(name);
}
