/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to engines that proxied requests have left and the next may use: a few for each engine, and of a bounded
 * number in all, so that those of engines that are seldom asked make room. Any thread, without the pool's lock. */
#ifndef MANAGE_ENGINE_IDLE_H
#define MANAGE_ENGINE_IDLE_H

#include <stddef.h>

#include "engine.h"

#define ENGINE_IDLE_MAX 8

/* How many are kept of all engines together; of the process. */
void engine_idle_limit(size_t count);
size_t engine_idle_count(void);
/* The one that was left last, NULL: none. */
struct stream *engine_take_idle(struct engine *engine);
/* Kept, or closed. */
void engine_put_back(struct engine *engine, struct stream *stream);
void engine_close_idle(struct engine *engine);

#endif
