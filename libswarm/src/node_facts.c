/* SPDX-License-Identifier: Apache-2.0 */
#include "node_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "image.h"
#include "mem.h"

#define SLOTS_LABEL "containerslots"

static void remove_labels(struct swarm_node *node, const struct swarm__node_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        swarm__index_remove(&node->cluster->node_labels, labels[i].key, labels[i].value, node->slot);
}

static void remove_images(struct swarm_node *node, const char *const *images, size_t count)
{
    for (size_t i = 0; i < count; i++)
        swarm__index_remove(&node->cluster->images, SWARM__IMAGE_KEY, images[i], node->slot);
}

void swarm__node_drop_facts(struct swarm_node *node)
{
    remove_labels(node, node->labels, node->label_count);
    swarm__free(node->labels);
    remove_images(node, node->images, node->image_count);
    swarm__free(node->images);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct swarm__node_label *)a)->key, ((const struct swarm__node_label *)b)->key);
}

/* Put each label into the index and point to the texts there. All or none. */
static int add_labels(struct swarm_node *node, struct swarm__node_label *labels, size_t count)
{
    struct swarm__index *index = &node->cluster->node_labels;
    for (size_t i = 0; i < count; i++) {
        if (swarm__index_add(index, labels[i].key, labels[i].value, node->slot) != 0) {
            remove_labels(node, labels, i);
            return -1;
        }
        const struct swarm__index_key *key = swarm__index_find(index, labels[i].key);
        labels[i].value = swarm__index_text(key, labels[i].value);
        labels[i].key = key->text;
    }
    return 0;
}

/* A copy of the pairs in key order. */
static int sorted_labels(const struct swarm_node *node, const char *const *keys, const char *const *values,
                         size_t count, struct swarm__node_label **ret_labels, struct swarm_error **reterr)
{
    struct swarm__node_label *labels = swarm__calloc(count, sizeof(*labels));
    if (!labels)
        return swarm__error_nomem(reterr);
    for (size_t i = 0; i < count; i++)
        labels[i] = (struct swarm__node_label){keys[i], values[i]};
    for (size_t i = 0; i < count; i++)
        if (!labels[i].key || !labels[i].value) {
            swarm__free(labels);
            return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: %s %zu is NULL", node->id,
                                    keys[i] ? "value of label" : "label", i);
        }
    qsort(labels, count, sizeof(*labels), by_key);
    for (size_t i = 1; i < count; i++)
        if (strcmp(labels[i - 1].key, labels[i].key) == 0) {
            int code = swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: label %s is given twice", node->id,
                                        labels[i].key);
            swarm__free(labels);
            return code;
        }
    *ret_labels = labels;
    return 0;
}

/* How many containers the label allows; a value that is no whole decimal number sets no limit, as in classic Swarm. */
static int64_t open_limit(const struct swarm_node *node)
{
    const char *text = swarm_node_label(node, SLOTS_LABEL);
    if (!text || !*text || strspn(text + (*text == '-' || *text == '+'), "0123456789") == 0)
        return INT64_MAX;
    char *end = NULL;
    errno = 0;
    long long limit = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0 ? limit : INT64_MAX;
}

int swarm_node_set_labels(struct swarm_node *node, const char *const *keys, const char *const *values, size_t count,
                          struct swarm_error **reterr)
{
    if (!node || (count > 0 && (!keys || !values)))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node labels: NULL");
    struct swarm__node_label *labels = NULL;
    int code = sorted_labels(node, keys, values, count, &labels, reterr);
    if (code != 0)
        return code;
    if (add_labels(node, labels, count) != 0) {
        swarm__free(labels);
        return swarm__error_nomem(reterr);
    }
    remove_labels(node, node->labels, node->label_count);
    swarm__free(node->labels);
    node->labels = labels;
    node->label_count = count;
    swarm__node_slot(node)->open_limit = open_limit(node);
    swarm__nodeset_put(&node->cluster->limited, node->slot, swarm__node_slot(node)->open_limit != INT64_MAX);
    swarm__cluster_touch(node->cluster);
    return 0;
}

const char *swarm_node_label(const struct swarm_node *node, const char *key)
{
    if (!node || !key || node->label_count == 0)
        return NULL;
    struct swarm__node_label wanted = {key, NULL};
    const struct swarm__node_label *found = bsearch(&wanted, node->labels, node->label_count, sizeof(wanted), by_key);
    return found ? found->value : NULL;
}

int swarm_node_label_at(const struct swarm_node *node, size_t index, const char **ret_key, const char **ret_value)
{
    if (!node || index >= node->label_count)
        return 0;
    if (ret_key)
        *ret_key = node->labels[index].key;
    if (ret_value)
        *ret_value = node->labels[index].value;
    return 1;
}

/* Texts of a node's images while they are being put into the index. */
struct image_texts {
    struct swarm_node *node;
    const char **texts;
    size_t count;
    size_t capacity;
};

static int add_image_text(struct image_texts *list, const char *text)
{
    struct swarm__index *index = &list->node->cluster->images;
    if (swarm__grow(&list->texts, &list->capacity, list->count + 1, sizeof(*list->texts)) != 0)
        return -1;
    if (swarm__index_add(index, SWARM__IMAGE_KEY, text, list->node->slot) != 0)
        return -1;
    list->texts[list->count++] = swarm__index_text(swarm__index_find(index, SWARM__IMAGE_KEY), text);
    return 0;
}

static int add_image_repository(struct image_texts *list, const char *reference)
{
    char *repository = swarm__strndup(reference, swarm__image_repository_length(reference));
    if (!repository)
        return -1;
    int failed = add_image_text(list, repository);
    swarm__free(repository);
    return failed;
}

static int add_image(struct image_texts *list, const struct swarm_image *image)
{
    if (add_image_text(list, image->id) != 0)
        return -1;
    for (size_t i = 0; i < image->tag_count; i++)
        if (add_image_text(list, image->tags[i]) != 0 || add_image_repository(list, image->tags[i]) != 0)
            return -1;
    return 0;
}

/* The list takes the place of what the node has. */
static void replace_images(struct swarm_node *node, const struct image_texts *list)
{
    remove_images(node, node->images, node->image_count);
    swarm__free(node->images);
    node->images = list->texts;
    node->image_count = list->count;
    swarm__cluster_touch(node->cluster);
}

static void drop_list(const struct image_texts *list)
{
    remove_images(list->node, list->texts, list->count);
    swarm__free(list->texts);
}

int swarm_node_set_images(struct swarm_node *node, const struct swarm_image *const *images, size_t count,
                          struct swarm_error **reterr)
{
    if (!node || (count > 0 && !images))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "node images: NULL");
    for (size_t i = 0; i < count; i++)
        if (!images[i])
            return swarm__error_set(reterr, SWARM_ERR_INVALID, "node %s: image %zu is NULL", node->id, i);
    struct image_texts list = {node, NULL, 0, 0};
    for (size_t i = 0; i < count; i++)
        if (add_image(&list, images[i]) != 0) {
            drop_list(&list);
            return swarm__error_nomem(reterr);
        }
    replace_images(node, &list);
    return 0;
}

int swarm__node_set_image_texts(struct swarm_node *node, const char *const *texts, size_t count)
{
    struct image_texts list = {node, NULL, 0, 0};
    for (size_t i = 0; i < count; i++)
        if (add_image_text(&list, texts[i]) != 0) {
            drop_list(&list);
            return SWARM_ERR_NOMEM;
        }
    replace_images(node, &list);
    return 0;
}

int swarm_node_has_image(const struct swarm_node *node, const char *image)
{
    if (!node || !image)
        return 0;
    const struct swarm__index_key *key = swarm__index_find(&node->cluster->images, SWARM__IMAGE_KEY);
    const struct swarm__posting *nodes = key ? swarm__index_value(key, image) : NULL;
    return nodes && swarm__posting_count(nodes, node->slot) > 0;
}
