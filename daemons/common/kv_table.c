/* SPDX-License-Identifier: Apache-2.0 */
#include "kv_table.h"

#include <stdlib.h>
#include <string.h>

/* Where @p key is, or would have to go. */
static size_t position(const struct kv_table *table, const char *key, bool *ret_found)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(table->pairs[middle].key, key);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

static int insert(struct kv_table *table, size_t at, const char *key, char *value)
{
    char *copy = strdup(key);
    if (copy && table->count == table->capacity) {
        size_t capacity = table->capacity * 2 + 16;
        struct kv_pair *longer = reallocarray(table->pairs, capacity, sizeof *longer);
        if (!longer) {
            free(copy);
            return -1;
        }
        table->pairs = longer;
        table->capacity = capacity;
    }
    if (!copy)
        return -1;
    memmove(table->pairs + at + 1, table->pairs + at, (table->count - at) * sizeof *table->pairs);
    table->pairs[at] = (struct kv_pair){copy, value};
    table->count++;
    return 0;
}

const char *kv_table_get(const struct kv_table *table, const char *key)
{
    bool found;
    size_t at = position(table, key, &found);
    return found ? table->pairs[at].value : NULL;
}

int kv_table_put(struct kv_table *table, const char *key, const char *value)
{
    bool found;
    size_t at = position(table, key, &found);
    char *copy = strdup(value);
    if (!copy)
        return -1;
    if (found) {
        free(table->pairs[at].value);
        table->pairs[at].value = copy;
        return 0;
    }
    if (insert(table, at, key, copy) != 0) {
        free(copy);
        return -1;
    }
    return 0;
}

void kv_table_remove(struct kv_table *table, const char *key)
{
    bool found;
    size_t at = position(table, key, &found);
    if (!found)
        return;
    free(table->pairs[at].key);
    free(table->pairs[at].value);
    table->count--;
    memmove(table->pairs + at, table->pairs + at + 1, (table->count - at) * sizeof *table->pairs);
}

void kv_table_clear(struct kv_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->pairs[i].key);
        free(table->pairs[i].value);
    }
    free(table->pairs);
    *table = (struct kv_table){0};
}
