/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "pool_private.h"

struct manager manager;

int pool_set_up(void **state)
{
    memset(&manager, 0, sizeof(manager));
    manager.options.failure_retry = 3;
    manager.options.overcommit = 0.05;
    manager.options.stopped_counts = SWARM_COUNT_ALL;
    return pool_new(&manager.pool, &manager) ||
           swarm_scheduler_new(&manager.scheduler, &(struct swarm_scheduler_options)SWARM_SCHEDULER_OPTIONS_INIT, NULL);
}

int pool_tear_down(void **state)
{
    pool_free(manager.pool);
    swarm_scheduler_free(manager.scheduler);
    return 0;
}

struct engine *added(const char *address)
{
    struct failure failure = {0};
    struct engine *engine = pool_add_engine(manager.pool, address, &failure);

    assert_non_null(engine);
    return engine;
}

int apply_info(struct engine *engine, json_t *info, struct failure *failure)
{
    json_t *version = canned_json("version");
    int result = pool_apply_specs(manager.pool, engine, info, version, "1", failure);

    json_decref(version);
    json_decref(info);
    return result;
}

struct engine *node(const char *address, const char *id, const char *name)
{
    struct engine *engine = added(address);
    struct failure failure = {0};

    assert_int_equal(apply_info(engine, canned_info(id, name), &failure), 0);
    pool_set_state(manager.pool, engine, ENGINE_HEALTHY, 0, NULL);
    return engine;
}

void apply(struct engine *engine, uint64_t ticket, const char *container)
{
    json_t *entry = canned_entry(container);
    char file[64], *text;
    size_t length;

    snprintf(file, sizeof(file), "inspect_%s", container);
    text = canned_text(file, &length);
    assert_int_equal(pool_apply_container(manager.pool, engine, ticket, entry, text, length), 0);
    free(text);
    json_decref(entry);
}

bool has(const struct engine *engine, const char *id)
{
    return swarm_cluster_find_container(manager.pool->cluster, engine->node, id);
}
