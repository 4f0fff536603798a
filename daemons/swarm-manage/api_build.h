/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a build, which come in requests of their own, have in common. */
#ifndef MANAGE_API_BUILD_H
#define MANAGE_API_BUILD_H

#include "api.h"
#include "pins.h"

/* Wait for the build that says where @p key is. A reference; NULL with the failure (status 0 where the client is
 * gone). */
struct engine *build_await(struct call *call, enum pin_kind kind, const char *key, int timeout_ms,
                           struct failure *failure);
/* The client's builds are on that engine from now on, unless connections of its own are open to another one. */
void build_remember_client(struct call *call, struct engine *engine);

#endif
