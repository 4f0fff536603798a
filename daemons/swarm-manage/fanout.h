/* SPDX-License-Identifier: Apache-2.0 */
/* The same question to many engines at once. */
#ifndef MANAGE_FANOUT_H
#define MANAGE_FANOUT_H

#include <stddef.h>

#include "engine.h"

/* Run @p ask for each engine, several at a time on threads of their own, and return when all have ended. @p index is
 * the engine's place in the array; calls for different engines may run at once. */
void fanout(struct engine *const *engines, size_t count, void (*ask)(void *data, struct engine *engine, size_t index),
            void *data);
/* Let go of what pool_engines() gave. */
void fanout_release(struct engine **engines, size_t count);

#endif
