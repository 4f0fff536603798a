/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's facts told to the library. */
#ifndef TESTS_DIFFERENTIAL_TRANSLATE_H
#define TESTS_DIFFERENTIAL_TRANSLATE_H

#include "world.h"

/* Through setters or a create body, by draw; those that are flawed come through a body, as setters refuse them. NULL
 * where there was a difference. */
struct swarm_request *request_for(struct world *world, const struct oracle_request *request);
/* Whether the library's setters are to take it: it parses, and (whitelists aside) its pattern compiles. */
bool is_sound(const char *expression, bool whitelist);

#endif
