/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <string.h>

#include "mem.h"

struct swarm__name *swarm__names_find(const struct swarm__map *names, const char *text)
{
    return (struct swarm__name *)swarm__map_find(names, text);
}

struct swarm__name *swarm__names_add(struct swarm__map *names, const char *text, void *owner)
{
    size_t size = strlen(text) + 1;
    struct swarm__name *name = swarm__malloc(sizeof(*name) + size);
    if (!name)
        return NULL;
    memcpy(name->text, text, size);
    *name = (struct swarm__name){{name->text}, NULL, NULL, owner};
    struct swarm__name *head = swarm__names_find(names, text);
    if (head) {
        name->same = head->same;
        head->same = name;
    } else if (swarm__map_add(names, &name->item) != 0) {
        swarm__free(name);
        return NULL;
    }
    return name;
}

void swarm__names_remove(struct swarm__map *names, struct swarm__name *name)
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
    swarm__free(name);
}
