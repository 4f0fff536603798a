/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <string.h>

#include "error.h"
#include "mem.h"

size_t swarm__image_repository_length(const char *reference)
{
    const char *at = strchr(reference, '@');
    if (at)
        return (size_t)(at - reference);
    const char *colon = strrchr(reference, ':');
    return colon && !strchr(colon, '/') ? (size_t)(colon - reference) : strlen(reference);
}

int swarm_image_new(struct swarm_image **ret_image, const char *id, struct swarm_error **reterr)
{
    if (!ret_image || !id || !*id)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "image: an id is needed");
    struct swarm_image *image = swarm__calloc(1, sizeof(*image));
    if (!image)
        return swarm__error_nomem(reterr);
    image->id = swarm__strdup(id);
    if (!image->id) {
        swarm__free(image);
        return swarm__error_nomem(reterr);
    }
    *ret_image = image;
    return 0;
}

static void free_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        swarm__free(list[i]);
    swarm__free(list);
}

void swarm_image_free(struct swarm_image *image)
{
    if (!image)
        return;
    free_list(image->tags, image->tag_count);
    free_list(image->digests, image->digest_count);
    swarm__free(image->id);
    swarm__free(image);
}

static int append(char ***list, size_t *count, size_t *capacity, const char *reference, struct swarm_error **reterr)
{
    if (!reference || !*reference)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "image: an empty reference");
    if (swarm__grow(list, capacity, *count + 1, sizeof(**list)) != 0)
        return swarm__error_nomem(reterr);
    char *copy = swarm__strdup(reference);
    if (!copy)
        return swarm__error_nomem(reterr);
    (*list)[(*count)++] = copy;
    return 0;
}

int swarm_image_add_tag(struct swarm_image *image, const char *reference, struct swarm_error **reterr)
{
    if (!image)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "image: NULL");
    return append(&image->tags, &image->tag_count, &image->tag_capacity, reference, reterr);
}

int swarm_image_add_digest(struct swarm_image *image, const char *reference, struct swarm_error **reterr)
{
    if (!image)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "image: NULL");
    return append(&image->digests, &image->digest_count, &image->digest_capacity, reference, reterr);
}

const char *swarm_image_id(const struct swarm_image *image)
{
    return image ? image->id : NULL;
}
