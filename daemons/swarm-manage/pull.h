/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling an image on one engine, because a container is to be made there. */
#ifndef MANAGE_PULL_H
#define MANAGE_PULL_H

#include <stdbool.h>

#include "engine.h"
#include "failure.h"

struct pull_order {
    const char *image;                /* as the create body names it */
    const char *platform;             /* NULL: none */
    const char *auth;                 /* X-Registry-Auth, NULL: none */
    const char *version;              /* API version of the client, NULL: our maximum */
    const struct engine_guard *guard; /* engine.h; NULL: none */
    const char *missing;              /* the engine's words for an image that it lacks */
};

/* False for what can only be an image's id. */
bool pull_is_possible(const char *image);
/* Blocking. -1 with failure: the engine's words and status 500 where it broke off, or 404 and what the order has for a
 * missing image where it could not even begin (clients then pull by themselves, with their credentials), with the
 * engine's words behind it unless the registry has no such image, or none for who shows no credentials. */
int pull_image(struct engine *engine, const struct pull_order *order, struct failure *failure);

/* For pull_image(): the error that a progress stream carries, new text; NULL where it has none. */
char *pull_stream_error(const char *stream, size_t length);
/* "host:5000/name:tag" in two new texts: repository, and tag or digest ("latest" where it has none). */
int pull_split_reference(const char *image, char **ret_repository, char **ret_tag);

#endif
