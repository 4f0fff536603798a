/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that more than one engine can answer: the first that can be reached does. */
#ifndef MANAGE_ANY_ENGINE_H
#define MANAGE_ANY_ENGINE_H

#include <stddef.h>

#include "api.h"

/* Pass the client's request on to "<path>" (without query, which is the client's), to one after another of @p engines
 * until one answers, whatever it says; answers. A body that was read whole can be sent again. */
int any_engine_of(struct call *call, struct engine *const *engines, size_t count, const char *path);
/* The same with all healthy engines, in the order of their names. */
int any_engine(struct call *call, const char *path);

#endif
