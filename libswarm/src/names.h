/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_NAMES_H
#define SWARM_SRC_NAMES_H

#include "map.h"

/*
 * Names that objects go by: text → all who have it, since engines may well report the same name twice. A name is an
 * allocation with its text, or embedded in its owner; an owner chains its own names through @c next.
 */

struct swarm__name {
    union {
        struct swarm__map_item item;
        const char *text; /**< The item's key. */
    };
    struct swarm__name *same; /**< Next one of the same text. */
    struct swarm__name *next; /**< The owner's next name; the owner's to set. */
    void *owner;
};

/** @return NULL where there is no memory. */
struct swarm__name *swarm__names_add(struct swarm__map *names, const char *text, void *owner);
/** Takes it out and releases it. */
void swarm__names_remove(struct swarm__map *names, struct swarm__name *name);
/**
 * Add one that is embedded.
 *
 * @param text  Stays while the name is in the map; an equal one may take its place.
 * @return 0, or -1 where there is no memory.
 */
int swarm__names_enter(struct swarm__map *names, struct swarm__name *name, const char *text, void *owner);
/** Takes out one that is embedded. */
void swarm__names_leave(struct swarm__map *names, struct swarm__name *name);
/** First of those with that text; go on with @c same. */
struct swarm__name *swarm__names_find(const struct swarm__map *names, const char *text);

#endif
