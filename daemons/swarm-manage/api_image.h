/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of /images/{name}/… share. */
#ifndef MANAGE_API_IMAGE_H
#define MANAGE_API_IMAGE_H

#include "api.h"

/* "/images/<name><rest>"; new text, NULL for lack of memory. */
char *image_path(const char *name, const char *rest);
/* Pass the client's request on to one that has the image @p reference, or to any for its refusal; answers. */
int image_pass(struct call *call, const char *reference);

#endif
