/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "check.h"
#include "decisions.h"
#include "http_client.h"
#include "log.h"

void fake_pool_global_init(void)
{
    log_init(stderr, LOG_LEVEL_DEBUG);
    if (http_client_global_init()) {
        kit_give_up("fake pool: curl cannot be initialised");
    }
}

static void identify(int number, char id[24], char name[24])
{
    snprintf(id, 24, "ID-%d", number);
    snprintf(name, 24, "node-%d", number);
}

static void apply_specs(struct fake_pool *pool, struct engine *engine, int number, const char *os)
{
    struct failure failure = {0};
    json_t *info, *version = canned_json("version");
    char id[24], name[24];

    identify(number, id, name);
    info = canned_info(id, name);
    json_object_set_new(info, "OSType", json_string(os));
    json_object_set_new(info, "Labels", json_array());
    if (pool_apply_specs(pool->manager.pool, engine, info, version, "", &failure)) {
        kit_give_up("fake pool: %s", failure.message);
    }
    json_decref(info);
    json_decref(version);
}

void fake_pool_init(struct fake_pool *pool, int engines)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct failure failure = {0};

    memset(pool, 0, sizeof(*pool));
    pool->manager.options.failure_retry = 3;
    pool->manager.options.reschedule = (struct swarm_rescheduler_options)SWARM_RESCHEDULER_OPTIONS_INIT;
    if (pool_new(&pool->manager.pool, &pool->manager) || decisions_new(&pool->manager.decisions) ||
        swarm_scheduler_new(&pool->manager.scheduler, &options, NULL)) {
        kit_give_up("fake pool: out of memory");
    }
    for (; pool->count < engines; pool->count++) {
        struct engine *engine;
        char id[24], name[24];

        identify(pool->count, id, name);
        pool->engines[pool->count] = engine_peer_new(id, name);
        engine = pool_add_engine(pool->manager.pool, engine_peer_address(pool->engines[pool->count]), &failure);
        if (!engine) {
            kit_give_up("fake pool: %s", failure.message);
        }
        apply_specs(pool, engine, pool->count, "linux");
        pool_set_state(pool->manager.pool, engine, ENGINE_HEALTHY, 0, NULL);
    }
}

void fake_pool_finish(struct fake_pool *pool)
{
    pool_free(pool->manager.pool);
    swarm_scheduler_free(pool->manager.scheduler);
    decisions_free(pool->manager.decisions);
    for (int i = 0; i < pool->count; i++) {
        engine_peer_free(pool->engines[i]);
    }
}

struct engine *fake_pool_engine(struct fake_pool *pool, int number)
{
    struct engine *engine = pool_find_engine_by_address(pool->manager.pool, engine_peer_address(pool->engines[number]));

    engine_unref(engine); /* the pool holds it */
    return engine;
}

void fake_pool_renumber(struct fake_pool *pool, int number)
{
    struct failure failure = {0};
    struct engine *engine;
    char id[24], name[24];

    identify(number, id, name);
    engine_peer_free(pool->engines[number]);
    pool->engines[number] = engine_peer_new(id, name);
    engine = pool_add_engine(pool->manager.pool, engine_peer_address(pool->engines[number]), &failure);
    if (!engine) {
        kit_give_up("fake pool: %s", failure.message);
    }
    apply_specs(pool, engine, number, "linux");
}

void fake_pool_refresh(struct fake_pool *pool, int number)
{
    struct failure failure = {0};

    if (pool_refresh_engine(pool->manager.pool, fake_pool_engine(pool, number), true, &failure)) {
        kit_give_up("fake pool: %s", failure.message);
    }
}

static void set_images(struct fake_pool *pool, int number, json_t *images)
{
    pool_apply_images(pool->manager.pool, fake_pool_engine(pool, number), pool_ticket(pool->manager.pool), images);
    json_decref(images);
}

void fake_pool_set_images(struct fake_pool *pool, int number, const char *tag)
{
    set_images(pool, number, json_pack("[{s:s,s:[s],s:[]}]", "Id", "sha256:0a6d", "RepoTags", tag, "RepoDigests"));
}

void fake_pool_set_pulled(struct fake_pool *pool, int number, const char *tag, const char *digest)
{
    set_images(pool, number,
               json_pack("[{s:s,s:[s],s:[s]}]", "Id", "sha256:0a6d", "RepoTags", tag, "RepoDigests", digest));
}

void fake_pool_set_os(struct fake_pool *pool, int number, const char *os)
{
    apply_specs(pool, fake_pool_engine(pool, number), number, os);
}

json_t *fake_pool_body(struct fake_pool *pool, const char *name)
{
    for (int i = 0; i < pool->count; i++) {
        json_t *body = engine_peer_body(pool->engines[i], name);

        if (body) {
            return body;
        }
    }
    kit_give_up("fake pool: no such container: %s", name);
}
