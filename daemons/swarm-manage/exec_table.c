/* SPDX-License-Identifier: Apache-2.0 */
#include "exec_table.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define BUCKETS 1024
#define ENTRIES_MAX 16384

struct entry {
    struct entry *next;          /* in the bucket */
    struct entry *older, *newer; /* in order of age */
    struct engine *engine;       /* reference */
    char *container_id;
    char id[];
};

struct exec_table {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    struct entry *oldest, *newest;
    size_t count;
};

static size_t bucket_of(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return hash % BUCKETS;
}

static struct entry **find(struct exec_table *table, const char *id)
{
    struct entry **at = &table->buckets[bucket_of(id)];

    while (*at != NULL && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    return at;
}

static void free_entry(struct entry *entry)
{
    if (entry == NULL)
        return;
    engine_unref(entry->engine);
    free(entry->container_id);
    free(entry);
}

/* Out of the bucket and the order of age; the caller frees it. */
static struct entry *take_out(struct exec_table *table, struct entry **at)
{
    struct entry *entry = *at;

    if (entry == NULL)
        return NULL;
    *at = entry->next;
    *(entry->older == NULL ? &table->oldest : &entry->older->newer) = entry->newer;
    *(entry->newer == NULL ? &table->newest : &entry->newer->older) = entry->older;
    table->count--;
    return entry;
}

static void put_in(struct exec_table *table, struct entry *entry)
{
    struct entry **bucket = &table->buckets[bucket_of(entry->id)];

    entry->next = *bucket;
    *bucket = entry;
    entry->older = table->newest;
    *(table->newest == NULL ? &table->oldest : &table->newest->newer) = entry;
    table->newest = entry;
    table->count++;
}

int exec_table_new(struct exec_table **ret)
{
    struct exec_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return -1;
    if (pthread_mutex_init(&table->lock, NULL) != 0) {
        free(table);
        return -1;
    }
    *ret = table;
    return 0;
}

void exec_table_free(struct exec_table *table)
{
    struct entry *entry, *newer;

    if (table == NULL)
        return;
    for (entry = table->oldest; entry != NULL; entry = newer) {
        newer = entry->newer;
        free_entry(entry);
    }
    pthread_mutex_destroy(&table->lock);
    free(table);
}

void exec_table_add(struct exec_table *table, const char *id, const char *container_id, struct engine *engine)
{
    struct entry *entry = calloc(1, sizeof(*entry) + strlen(id) + 1);
    struct entry *same, *aged = NULL;

    if (entry == NULL || (entry->container_id = strdup(container_id)) == NULL) {
        free(entry);
        return;
    }
    strcpy(entry->id, id);
    entry->engine = engine_ref(engine);
    pthread_mutex_lock(&table->lock);
    same = take_out(table, find(table, id));
    if (table->count == ENTRIES_MAX)
        aged = take_out(table, find(table, table->oldest->id));
    put_in(table, entry);
    pthread_mutex_unlock(&table->lock);
    free_entry(same);
    free_entry(aged);
}

struct engine *exec_table_find(struct exec_table *table, const char *id, char **ret_container)
{
    struct engine *engine = NULL;
    struct entry *entry;

    pthread_mutex_lock(&table->lock);
    entry = *find(table, id);
    if (entry != NULL && (*ret_container = strdup(entry->container_id)) != NULL)
        engine = engine_ref(entry->engine);
    pthread_mutex_unlock(&table->lock);
    return engine;
}

void exec_table_remove(struct exec_table *table, const char *id)
{
    struct entry *entry;

    pthread_mutex_lock(&table->lock);
    entry = take_out(table, find(table, id));
    pthread_mutex_unlock(&table->lock);
    free_entry(entry);
}
