/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_IMAGE_H
#define SWARM_SRC_IMAGE_H

#include <swarm/image.h>

struct swarm_image {
    char *id;
    char **tags;
    size_t tag_count;
    size_t tag_capacity;
    char **digests;
    size_t digest_count;
    size_t digest_capacity;
};

/** How much of a reference is its repository: what is before '@', else before the ':' of a tag (a ':' with a '/'
 *  behind it belongs to a registry's port). */
size_t swarm__image_repository_length(const char *reference);

#endif
