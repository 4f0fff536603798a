/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <string.h>

#include "mem.h"

static void free_value(struct swarm__index_value *value)
{
    swarm__posting_finish(&value->nodes);
    swarm__free(value);
}

static struct swarm__index_value *value_of(const struct swarm__subject *subject)
{
    return (struct swarm__index_value *)((uintptr_t)subject - offsetof(struct swarm__index_value, subject));
}

static int match_value(const struct swarm__subject *subject, const struct swarm__question *question,
                       struct swarm__matcher *matcher)
{
    const char *text = value_of(subject)->text;
    return swarm__expr_match(question->pattern, matcher, text, strlen(text));
}

static const struct swarm__posting *nodes_of_value(const struct swarm__subject *subject, struct swarm__posting *one)
{
    return &value_of(subject)->nodes;
}

static const struct swarm__memo_kind values = {match_value, nodes_of_value};

static void free_key(struct swarm__index_key *key)
{
    size_t position = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&key->values, &position));)
        free_value((struct swarm__index_value *)item);
    swarm__map_finish(&key->values);
    swarm__posting_finish(&key->nodes);
    swarm__memo_free(key->memo);
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
    swarm__memo_gone(key->memo, &value->subject);
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
    if (swarm__map_add(&key->values, &value->item) != 0) {
        free_value(value);
        return NULL;
    }
    swarm__memo_born(key->memo, &value->subject);
    return value;
}

static int add_to_key(struct swarm__index_key *key, const char *text, uint32_t slot)
{
    struct swarm__index_value *value = ensure_value(key, text);
    if (!value)
        return -1;
    uint32_t before = value->nodes.length;
    if (swarm__posting_add(&value->nodes, slot) == 0) {
        if (swarm__posting_add(&key->nodes, slot) == 0) {
            if (value->nodes.length != before)
                swarm__memo_on(key->memo, &value->subject, slot);
            return 0;
        }
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
    uint32_t before = value->nodes.length;
    swarm__posting_remove(&value->nodes, slot);
    if (value->nodes.length != before)
        swarm__memo_off(key->memo, &value->subject, slot);
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

static int wake(struct swarm__index_key *key, struct swarm__memo_pool *pool)
{
    if (swarm__memo_awake(key->memo))
        return 0;
    if (swarm__memo_wake(key->memo, &values, pool, key->values.count) != 0)
        return -1;
    size_t position = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&key->values, &position));)
        swarm__memo_born(key->memo, &((struct swarm__index_value *)item)->subject);
    return 0;
}

void swarm__index_learn(struct swarm__index *index, const char *key_text, const struct swarm__expr *expr,
                        struct swarm__matcher *matcher, struct swarm__memo_pool *pool, size_t slots)
{
    struct swarm__index_key *key = (struct swarm__index_key *)swarm__map_find(&index->keys, key_text);
    if (!key || expr->kind != SWARM__EXPR_PATTERN)
        return;
    if (!key->memo)
        key->memo = swarm__calloc(1, sizeof(*key->memo));
    struct swarm__question question = swarm__question_of(expr);
    if (key->memo && wake(key, pool) == 0)
        (void)swarm__memo_learn(key->memo, &question, matcher, slots);
}

/* Match each value: where nothing is remembered. */
static int mark_matching(const struct swarm__index_key *key, const struct swarm__expr *expr,
                         struct swarm__matcher *matcher, struct swarm__nodeset *set)
{
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

int swarm__index_mark(const struct swarm__index_key *key, const struct swarm__expr *expr,
                      struct swarm__matcher *matcher, struct swarm__nodeset *set)
{
    int code = 0;
    if (key && expr->kind == SWARM__EXPR_LITERAL) {
        const struct swarm__posting *nodes = swarm__index_value(key, expr->value);
        if (nodes)
            swarm__posting_mark(nodes, set);
    } else if (key && expr->kind == SWARM__EXPR_PATTERN) {
        struct swarm__question question = swarm__question_of(expr);
        const struct swarm__memo_entry *known = swarm__memo_find(key->memo, &question);
        code = known ? swarm__memo_mark(known, matcher, set, NULL) : mark_matching(key, expr, matcher, set);
        if (code == 0 && known)
            return known->matches_nothing;
    }
    return code != 0 ? code : swarm__expr_match(expr, matcher, "", 0);
}
