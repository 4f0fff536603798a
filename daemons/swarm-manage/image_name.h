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

/* How many names of the image are meant by @p reference. Without a tag that is "latest", or any with @p any_tag. */
size_t image_names_meant(const json_t *image, const char *reference, bool any_tag);
/* Its id, or four or more digits from the beginning of it, with "sha256:" or without. */
bool image_id_meant(const json_t *image, const char *reference);

#endif
