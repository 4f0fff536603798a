/* SPDX-License-Identifier: Apache-2.0 */
/* What the pool as a whole is: told in the headers of every reply. Kept for a moment, so that requests do not walk the
 * engines each time. */
#ifndef MANAGE_TRAITS_H
#define MANAGE_TRAITS_H

#include <stdbool.h>

#include "manager.h"

struct traits {
    char api_version[16]; /* what every healthy engine can do */
    char ostype[16];      /* "windows" where all healthy engines are, else "linux" */
    char builder[8];      /* "2" where all healthy engines prefer BuildKit, else "1" */
    bool experimental;    /* all healthy engines are */
};

struct traits_cache;

/* 0, or -1 for lack of memory. */
int traits_cache_new(struct traits_cache **ret);
void traits_cache_free(struct traits_cache *cache);
void traits_get(struct manager *manager, struct traits *ret);

#endif
