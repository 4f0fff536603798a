/* SPDX-License-Identifier: Apache-2.0 */
#include "traits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client.h"
#include "pool.h"

#define FRESH_MS 100

struct traits_cache {
    pthread_mutex_t lock;
    int64_t taken_ms; /* -1: never */
    struct traits traits;
};

int traits_cache_new(struct traits_cache **ret)
{
    struct traits_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL)
        return -1;
    if (pthread_mutex_init(&cache->lock, NULL) != 0) {
        free(cache);
        return -1;
    }
    cache->taken_ms = -1;
    *ret = cache;
    return 0;
}

void traits_cache_free(struct traits_cache *cache)
{
    if (cache == NULL)
        return;
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static void survey(struct pool *pool, struct traits *ret)
{
    size_t healthy = 0, windows = 0, experimental = 0, buildkit = 0;

    pool_api_version(pool, ret->api_version);
    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        const struct engine *engine = pool->engines[i];
        const char *os;

        if (engine->state != ENGINE_HEALTHY)
            continue;
        os = json_string_value(json_object_get(engine->info, "OSType"));
        healthy++;
        windows += os != NULL && strcmp(os, "windows") == 0;
        experimental += json_is_true(json_object_get(engine->info, "ExperimentalBuild"));
        buildkit += strcmp(engine->builder_version, "2") == 0;
    }
    pool_unlock(pool);
    snprintf(ret->ostype, sizeof(ret->ostype), "%s", healthy > 0 && windows == healthy ? "windows" : "linux");
    snprintf(ret->builder, sizeof(ret->builder), "%s", healthy > 0 && buildkit == healthy ? "2" : "1");
    ret->experimental = healthy > 0 && experimental == healthy;
}

void traits_get(struct manager *manager, struct traits *ret)
{
    struct traits_cache *cache = manager->traits;
    int64_t now = monotonic_ms();

    pthread_mutex_lock(&cache->lock);
    if (cache->taken_ms < 0 || now - cache->taken_ms >= FRESH_MS) {
        survey(manager->pool, &cache->traits);
        cache->taken_ms = now;
    }
    *ret = cache->traits;
    pthread_mutex_unlock(&cache->lock);
}
