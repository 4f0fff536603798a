/* SPDX-License-Identifier: Apache-2.0 */
/* An image that one engine gives to another. */
#ifndef MANAGE_IMAGE_COPY_H
#define MANAGE_IMAGE_COPY_H

#include "engine.h"
#include "failure.h"

/* Save the image of that id on @p from and load it on @p to, in constant memory. It comes without its names: these stay
 * with the engine that was told them, which is where a next build will change them. Blocking, without locks held; -1
 * with failure. */
int image_copy(struct engine *from, struct engine *to, const char *id, struct failure *failure);

#endif
