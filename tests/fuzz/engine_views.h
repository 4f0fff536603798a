/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of fuzz_engine.c, and the checks of what it shows. */
#ifndef FUZZ_ENGINE_VIEWS_H
#define FUZZ_ENGINE_VIEWS_H

#include <jansson.h>
#include <stddef.h>

#include "manager.h"

#define ENGINES 2

struct scene {
    struct manager manager;
    struct engine *engines[ENGINES];
    json_t *infos[ENGINES], *lists[ENGINES];
    json_t *filters;
    size_t containers, networks, volumes, images, events; /* told of, at most */
};

/* Look at everything that the pool shows; a check fails where something is wrong. */
void engine_views_check(struct scene *scene);

#endif
