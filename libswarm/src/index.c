/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <string.h>

#include "mem.h"

static void free_value(struct swarm__index_value *value)
{
    swarm__posting_finish(&value->nodes);
    swarm__free(value);
}

static void free_key(struct swarm__index_key *key)
{
    size_t position = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&key->values, &position));)
        free_value((struct swarm__index_value *)item);
    swarm__map_finish(&key->values);
    swarm__posting_finish(&key->nodes);
    swarm__free(key);
}

void swarm__index_finish(struct swarm__index *index)
{
    size_t position = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&index->keys, &position));)
        free_key((struct swarm__index_key *)item);
    swarm__map_finish(&index->keys);
}

static void drop_key_if_empty(struct swarm__index *index, struct swarm__index_key *key)
{
    if (key->nodes.length > 0)
        return;
    swarm__map_remove(&index->keys, &key->item);
    free_key(key);
}

static void drop_value_if_empty(struct swarm__index_key *key, struct swarm__index_value *value)
{
    if (value->nodes.length > 0)
        return;
    swarm__map_remove(&key->values, &value->item);
    free_value(value);
}

/* Find the key or make it. */
static struct swarm__index_key *ensure_key(struct swarm__index *index, const char *text)
{
    struct swarm__map_item *found = swarm__map_find(&index->keys, text);
    if (found)
        return (struct swarm__index_key *)found;
    size_t size = strlen(text) + 1;
    struct swarm__index_key *key = swarm__calloc(1, sizeof(*key) + size);
    if (!key)
        return NULL;
    memcpy(key->text, text, size);
    key->item.key = key->text;
    if (swarm__map_add(&index->keys, &key->item) == 0)
        return key;
    free_key(key);
    return NULL;
}

static struct swarm__index_value *ensure_value(struct swarm__index_key *key, const char *text)
{
    struct swarm__map_item *found = swarm__map_find(&key->values, text);
    if (found)
        return (struct swarm__index_value *)found;
    size_t size = strlen(text) + 1;
    struct swarm__index_value *value = swarm__calloc(1, sizeof(*value) + size);
    if (!value)
        return NULL;
    memcpy(value->text, text, size);
    value->item.key = value->text;
    if (swarm__map_add(&key->values, &value->item) == 0)
        return value;
    free_value(value);
    return NULL;
}

static int add_to_key(struct swarm__index_key *key, const char *text, uint32_t slot)
{
    struct swarm__index_value *value = ensure_value(key, text);
    if (!value)
        return -1;
    if (swarm__posting_add(&value->nodes, slot) == 0) {
        if (swarm__posting_add(&key->nodes, slot) == 0)
            return 0;
        swarm__posting_remove(&value->nodes, slot);
    }
    drop_value_if_empty(key, value);
    return -1;
}

int swarm__index_add(struct swarm__index *index, const char *key_text, const char *value_text, uint32_t slot)
{
    struct swarm__index_key *key = ensure_key(index, key_text);
    if (!key)
        return -1;
    if (add_to_key(key, value_text, slot) == 0)
        return 0;
    drop_key_if_empty(index, key);
    return -1;
}

void swarm__index_remove(struct swarm__index *index, const char *key_text, const char *value_text, uint32_t slot)
{
    struct swarm__index_key *key = (struct swarm__index_key *)swarm__map_find(&index->keys, key_text);
    struct swarm__index_value *value = (struct swarm__index_value *)swarm__map_find(&key->values, value_text);
    swarm__posting_remove(&value->nodes, slot);
    swarm__posting_remove(&key->nodes, slot);
    drop_value_if_empty(key, value);
    drop_key_if_empty(index, key);
}

const struct swarm__index_key *swarm__index_find(const struct swarm__index *index, const char *key)
{
    return (const struct swarm__index_key *)swarm__map_find(&index->keys, key);
}

const struct swarm__posting *swarm__index_value(const struct swarm__index_key *key, const char *value)
{
    const struct swarm__map_item *found = key ? swarm__map_find(&key->values, value) : NULL;
    return found ? &((const struct swarm__index_value *)found)->nodes : NULL;
}

const char *swarm__index_text(const struct swarm__index_key *key, const char *value)
{
    return swarm__map_find(&key->values, value)->key;
}

int swarm__index_mark(const struct swarm__index_key *key, const struct swarm__expr *expr,
                      struct swarm__matcher *matcher, struct swarm__nodeset *set)
{
    if (!key || expr->kind == SWARM__EXPR_NEVER)
        return 0;
    if (expr->kind == SWARM__EXPR_LITERAL) {
        const struct swarm__posting *nodes = swarm__index_value(key, expr->value);
        if (nodes)
            swarm__posting_mark(nodes, set);
        return 0;
    }
    size_t position = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&key->values, &position));) {
        int matched = swarm__expr_match(expr, matcher, item->key, strlen(item->key));
        if (matched < 0)
            return matched;
        if (matched)
            swarm__posting_mark(&((struct swarm__index_value *)item)->nodes, set);
    }
    return 0;
}
