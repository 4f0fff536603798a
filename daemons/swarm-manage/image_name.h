/* SPDX-License-Identifier: Apache-2.0 */
/* What clients call images, and whether an engine's entry in GET /images/json is meant by it. Pure functions. */
#ifndef MANAGE_IMAGE_NAME_H
#define MANAGE_IMAGE_NAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* "docker.io/library/busybox" and "busybox" are the same to everyone: the part of @p name that is left. */
const char *image_name_familiar(const char *name);
/* Length of the repository in "host:5000/repository:tag" or "repository@digest". */
size_t image_name_repository(const char *reference);
/* With ":latest" where it names neither tag nor digest, in its familiar form: as engines show it. New text. */
char *image_name_shown(const char *reference);

/* Whether @p name, as engines list it ("repository:tag" or "repository@digest"), is meant by @p reference. Without a
 * tag that is "latest", or any with @p any_tag. */
bool image_name_is_meant(const char *name, const char *reference, bool any_tag);
/* How many names of the image are. */
size_t image_names_meant(const json_t *image, const char *reference, bool any_tag);
/* Its id, or some digits from the beginning of it as engines take them, with "sha256:" or without. */
bool image_id_meant(const json_t *image, const char *reference);

#endif
