/* SPDX-License-Identifier: Apache-2.0 */
/* What of a create body leads to certain nodes: networks that are only there, volumes and images that are there
 * already. */
#ifndef MANAGE_CREATE_BIND_H
#define MANAGE_CREATE_BIND_H

#include <jansson.h>

#include <swarm/swarm.h>

#include "pool.h"

/* A container can join a local network on its node only: a constraint for each that the body names, by name or id.
 * SWARM_ERR_* on failure. */
int create_bind_networks(struct pool *pool, struct swarm_create_body *body, struct swarm_error **reterr);

/* The named volumes of a create body (Binds and Mounts): an array of names. NULL where it names none. New. */
json_t *create_volume_names(const char *body, size_t length);
/* Prefer the nodes that have the data of one of those volumes (volume_use.h). For this placement only: it is not kept
 * with the container. */
int create_prefer_volumes(struct pool *pool, struct swarm_request *request, const json_t *volumes,
                          struct swarm_error **reterr);
/* The engine made volumes for the container that the pool does not know yet. */
bool create_made_volumes(struct pool *pool, const struct engine *engine, const char *container);

/* An affinity for the nodes that have the image, in *ret, where @p chosen lacks it and cannot get it elsewhere: no node
 * has it out of a registry (it was built, loaded or imported there), or it is named by its id. NULL otherwise. New
 * text. With the pool locked. */
int create_find_local_image(struct pool *pool, const char *image, const struct swarm_node *chosen, char **ret);

/* Where create_find_local_image() would lead away from @p lacking, which has to be where the container goes: a healthy
 * engine that has the image in *ret (reference), the newest where several have one of that name, and its id in *ret_id
 * (new text). NULL where that is not the trouble. */
int create_find_giver(struct pool *pool, const char *image, const struct engine *lacking, struct engine **ret,
                      char **ret_id);

#endif
