/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_LOOK_UP_H
#define SWARM_SRC_LOOK_UP_H

#include "container.h"

/* The rules by which a text refers to containers, for users (swarm_cluster_look_up) and for dependencies. */

/** Digits of a short id. */
#define SWARM__SHORT_ID 12

/** Called for each hit. @return false to stop. */
typedef bool (*swarm__hit_fn)(void *data, struct swarm_container *container);

/** Visit the entries that a text refers to as a full or a short id. */
void swarm__look_up_ids(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data);
/** The same for swarm ids; reservations have them too. */
void swarm__look_up_swarm_ids(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data);
/** Visit, once each, the containers with a name that the text is: "web", "/web", "node-1/web", "<node id>/web". */
void swarm__look_up_names(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data);
/** Visit, once each, the containers with an id or a swarm id that starts with the text. */
void swarm__look_up_prefix(const struct swarm_cluster *cluster, const char *text, swarm__hit_fn hit, void *data);

#endif
