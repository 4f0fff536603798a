/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_IMAGE_H
#define SWARM_IMAGE_H

/** @file
 * Images that are known to be on a node. */

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

/**
 * Make the fact of an image. @p id is copied ("sha256:…"). Release with swarm_image_free().
 *
 * @param ret_image  New, release with swarm_image_free(). Untouched on failure.
 * @param id         "sha256:…", not empty, copied.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or empty), SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_image_new(struct swarm_image **ret_image, const char *id, struct swarm_error **reterr);

/**
 * Release an image. NULL is allowed.
 *
 * @param image  NULL is allowed.
 *
 * Thread safety: one thread at a time per image. Since: 1.3
 */
SWARM_EXPORT void swarm_image_free(struct swarm_image *image);

/**
 * Add a reference "repository:tag". Copied. Image affinities mean the id, these and their repositories.
 *
 * @param image      Not NULL.
 * @param reference  Not empty, copied.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or empty), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time per image. Since: 1.3
 */
SWARM_EXPORT int swarm_image_add_tag(struct swarm_image *image, const char *reference, struct swarm_error **reterr);

/**
 * Add a reference "repository@sha256:…".
 *
 * Copied. Only kept: image affinities do not look at digests, as in classic Swarm.
 *
 * @param image      Not NULL.
 * @param reference  Not empty, copied.
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL or empty), SWARM_ERR_NOMEM.
 *
 * Thread safety: one thread at a time per image. Since: 1.3
 */
SWARM_EXPORT int swarm_image_add_digest(struct swarm_image *image, const char *reference, struct swarm_error **reterr);

/**
 * Get the id of an image.
 *
 * @param image  NULL is allowed: then the answer is NULL or 0.
 *
 * @return Borrowed until the image goes.
 *
 * Thread safety: one thread at a time per image. Since: 1.3
 */
SWARM_EXPORT const char *swarm_image_id(const struct swarm_image *image);

#ifdef __cplusplus
}
#endif
#endif
