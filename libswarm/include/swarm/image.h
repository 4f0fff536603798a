/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_IMAGE_H
#define SWARM_IMAGE_H

#include <stddef.h>

#include <swarm/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What is known of an image on a node: an id and the references it goes by. Given to swarm_node_set_images(), which
 * copies it. Functions answer 0, SWARM_ERR_INVALID (NULL or empty) or SWARM_ERR_NOMEM, and change nothing on failure.
 * @c reterr is optional: a new error, release with swarm_error_free(), untouched on success.
 *
 * Thread safety: one thread at a time per image. Since: 1.3
 */
struct swarm_image;

/** Make the fact of an image. @p id is copied ("sha256:…"). Release with swarm_image_free(). */
SWARM_EXPORT int swarm_image_new(struct swarm_image **ret_image, const char *id, struct swarm_error **reterr);
/** Release an image. NULL is allowed. */
SWARM_EXPORT void swarm_image_free(struct swarm_image *image);
/** Add a reference "repository:tag". Copied. Image affinities mean the id, these and their repositories. */
SWARM_EXPORT int swarm_image_add_tag(struct swarm_image *image, const char *reference, struct swarm_error **reterr);
/** Add a reference "repository@sha256:…". Copied. Only kept: image affinities do not look at digests, as in classic
 *  Swarm. */
SWARM_EXPORT int swarm_image_add_digest(struct swarm_image *image, const char *reference, struct swarm_error **reterr);
/** Its id; NULL for NULL. Borrowed until the image goes. */
SWARM_EXPORT const char *swarm_image_id(const struct swarm_image *image);

#ifdef __cplusplus
}
#endif
#endif
