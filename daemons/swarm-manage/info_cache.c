/* SPDX-License-Identifier: Apache-2.0 */
#include "info_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "image_list.h"
#include "info_node.h"
#include "info_shared.h"
#include "pool.h"
#include "saturate.h"

struct info_cache {
    pthread_mutex_t lock; /* of what follows and of all blocks; taken after the pool's */
    json_t *shared;
    uint64_t shared_hash; /* of what it was made from */
};

struct info_block {
    struct info_node shown; /* numbers only, and the error as a text of its own */
    char *error;
    unsigned info_changes;
    uint64_t images_ticket;
    size_t images;
    uint64_t shared_hash;
    struct bytes text;
};

int info_cache_new(struct info_cache **ret)
{
    struct info_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL || pthread_mutex_init(&cache->lock, NULL) != 0) {
        free(cache);
        return -1;
    }
    *ret = cache;
    return 0;
}

void info_cache_free(struct info_cache *cache)
{
    if (cache == NULL)
        return;
    json_decref(cache->shared);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void info_block_free(struct info_block *block)
{
    if (block == NULL)
        return;
    bytes_free(&block->text);
    free(block->error);
    free(block);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_current(const struct info_block *block, const struct engine *engine, const struct info_node *node)
{
    const struct info_node *shown = &block->shown;

    /* What counts down is never. */
    return bytes_length(&block->text) > 0 && block->info_changes == engine->info_changes && !node->unannounced &&
           !shown->unannounced && node->rescheduling == NULL && shown->rescheduling == NULL &&
           shown->state == node->state && shown->updated_at == node->updated_at && shown->running == node->running &&
           shown->paused == node->paused && shown->stopped == node->stopped &&
           shown->used_cpus_milli == node->used_cpus_milli && shown->total_cpus_milli == node->total_cpus_milli &&
           shown->used_memory == node->used_memory && shown->total_memory == node->total_memory &&
           same_text(block->error, node->error);
}

/* The engine's text anew. */
static int renew(struct info_block *block, const struct engine *engine, struct info_node *node)
{
    char *labels = info_node_labels(engine);
    int r = -1;

    bytes_consume(&block->text, bytes_length(&block->text));
    free(block->error);
    block->error = node->error == NULL ? NULL : strdup(node->error);
    node->labels = labels;
    if (labels != NULL && (node->error == NULL || block->error != NULL))
        r = info_node_write(&block->text, node);
    if (r != 0)
        bytes_free(&block->text);
    if (block->info_changes != engine->info_changes || block->shared_hash == 0)
        block->shared_hash = info_shared_hash(node);
    block->info_changes = engine->info_changes;
    block->shown = *node;
    free(labels);
    return r;
}

static int write_engine(struct engine *engine, const struct info_waiting *waiting, struct bytes *out,
                        struct info_totals *totals, uint64_t *shared_hash)
{
    struct info_block *block = engine->info_block;
    struct info_node node;
    char *rescheduling;
    int r = 0;

    if (block == NULL)
        block = engine->info_block = calloc(1, sizeof(*block));
    if (block == NULL)
        return -1;
    info_node_read(&node, engine);
    node.rescheduling = rescheduling = waiting->text(waiting->watchdog, engine);
    if (!is_current(block, engine, &node))
        r = renew(block, engine, &node);
    free(rescheduling);
    if (block->images_ticket != engine->images_ticket) {
        block->images = image_list_count(engine->images);
        block->images_ticket = engine->images_ticket;
    }
    totals->running += node.running;
    totals->paused += node.paused;
    totals->stopped += node.stopped;
    totals->images += block->images;
    totals->cpus += node.total_cpus_milli / 1000;
    totals->memory = saturating_add(totals->memory, node.total_memory);
    *shared_hash = info_shared_join(*shared_hash, block->shared_hash, node.state == ENGINE_HEALTHY);
    return r == 0 ? bytes_append(out, bytes_at(&block->text), bytes_length(&block->text)) : -1;
}

static int renew_shared(struct info_cache *cache, const struct pool *pool, uint64_t hash)
{
    struct info_node *nodes = calloc(pool->engine_count + 1, sizeof(*nodes));
    json_t *shared = json_object();

    if (nodes == NULL || shared == NULL) {
        free(nodes);
        json_decref(shared);
        return -1;
    }
    for (size_t i = 0; i < pool->engine_count; i++)
        info_node_read(&nodes[i], pool->engines[i]);
    info_shared_set(shared, nodes, pool->engine_count);
    free(nodes);
    json_decref(cache->shared);
    cache->shared = shared;
    cache->shared_hash = hash;
    return 0;
}

int info_cache_write(struct pool *pool, const struct info_waiting *waiting, struct bytes *out,
                     struct info_totals *totals, json_t **ret_shared)
{
    struct info_cache *cache = pool->info;
    uint64_t hash = 0;
    int r = 0;

    pool_read_lock(pool);
    pthread_mutex_lock(&cache->lock);
    totals->nodes = pool->engine_count;
    for (size_t i = 0; r == 0 && i < pool->engine_count; i++)
        r = write_engine(pool->engines[i], waiting, out, totals, &hash);
    if (r == 0 && (cache->shared == NULL || cache->shared_hash != hash))
        r = renew_shared(cache, pool, hash);
    *ret_shared = r == 0 ? json_deep_copy(cache->shared) : NULL; /* clients' versions differ in it */
    pthread_mutex_unlock(&cache->lock);
    pool_unlock(pool);
    return *ret_shared == NULL ? -1 : 0;
}
