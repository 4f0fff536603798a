/* SPDX-License-Identifier: Apache-2.0 */
#include "virtual_cluster.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "virtual_world.h"

/* After the last fault: engines have been noticed, what waits was tried again, and two copies are one. */
#define SETTLE_MS (40 * 60000)
#define AUDIT_MS 30000

/* ---- words ---- */

void trace(struct world *world, const char *format, ...)
{
    va_list arguments;
    if (world->options->trace == NULL)
        return;
    fprintf(world->options->trace, "%10.3f ", (double)world->clock.now_ms / 1000);
    va_start(arguments, format);
    vfprintf(world->options->trace, format, arguments);
    va_end(arguments);
    fputc('\n', world->options->trace);
}

void breach(struct world *world, const char *format, ...)
{
    va_list arguments;
    char text[400];
    if (world->result->broken)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    world->result->broken = true;
    snprintf(world->result->breach, sizeof(world->result->breach), "at %.3f s: %s", (double)world->clock.now_ms / 1000,
             text);
    trace(world, "BREACH: %s", text);
}

void *must_allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        fputs("virtual cluster: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

void *must_grow(void *array, size_t *capacity, size_t count, size_t element_size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity != 0 ? *capacity * 2 : 64;
    array = realloc(array, *capacity * element_size);
    if (array == NULL) {
        fputs("virtual cluster: out of memory\n", stderr);
        exit(1);
    }
    return array;
}

/* ---- the beginning ---- */

static void choose_settings(struct world *world)
{
    static const int shares[] = {20, 50, 50, 80, 100};
    struct swarm_rescheduler_options settings = SWARM_RESCHEDULER_OPTIONS_INIT;
    settings.grace_ms = virtual_between(&world->clock, 0, 20000);
    settings.retry_max_ms = virtual_between(&world->clock, 1000, 60000);
    settings.parallel = (int)virtual_between(&world->clock, 1, 32);
    settings.parallel_per_node = (int)virtual_between(&world->clock, 1, 8);
    settings.seed = virtual_roll(&world->clock, UINT64_MAX);
    settings.retry_limit = virtual_chance(&world->clock, 60) ? 0 : (int)virtual_between(&world->clock, 1, 5);
    settings.reconcile = (int)virtual_roll(&world->clock, 3);
    settings.mass_share_percent = shares[virtual_roll(&world->clock, 5)];
    settings.mass_min_nodes = (int)virtual_between(&world->clock, 1, 6);
    settings.mass_window_ms = virtual_between(&world->clock, 1000, 120000);
    world->settings = settings;
}

static void make_engines(struct world *world)
{
    world->engine_count = world->options->nodes;
    world->engines = must_allocate(world->engine_count * sizeof(world->engines[0]));
    for (size_t i = 0; i < world->engine_count; i++) {
        struct engine *engine = &world->engines[i];
        engine->number = i;
        engine->power = engine->daemon = true;
        /* Not much more than twice of what they are to hold. */
        int64_t share = (int64_t)(world->options->containers / world->engine_count) + 1;
        engine->cpus = share * virtual_between(&world->clock, 450, 700) + 500;
        engine->memory = (share * virtual_between(&world->clock, 15, 22) + 16) << 26;
        for (size_t a = 0; a < ADDRESSES; a++)
            snprintf(engine->addresses[a].id, sizeof(engine->addresses[a].id), "e%zu|%zu", i, a);
    }
}

/** On any engine with room for it. */
static void place_first(struct world *world, struct app *app)
{
    size_t at = virtual_roll(&world->clock, world->engine_count);
    for (size_t i = 0; i < world->engine_count; i++, at = (at + 1) % world->engine_count) {
        struct engine *engine = &world->engines[at];
        if (engine->used_cpus + swarm_request_cpus_milli(app->request) > engine->cpus ||
            engine->used_memory + swarm_request_memory(app->request) > engine->memory)
            continue;
        app->home = engine->number;
        copy_set_running(world, copy_new(world, engine, app, false), virtual_chance(&world->clock, 90));
        return;
    }
    app->wanted = false;
}

static void begin(struct world *world)
{
    virtual_clock_init(&world->clock, world->options->seed * UINT64_C(0x9e3779b97f4a7c15) + 1);
    world->clock.now_ms = 1;
    choose_settings(world);
    make_engines(world);
    for (size_t i = 0; i < world->options->containers; i++)
        place_first(world, app_new(world, virtual_chance(&world->clock, 80)));
    trace(
        world,
        "%zu engines, %zu containers; grace %lld, retries %d, parallel %d/%d, reconcile %d, guard %d %% of %d in %lld",
        world->engine_count, world->app_count, (long long)world->settings.grace_ms, world->settings.retry_limit,
        world->settings.parallel, world->settings.parallel_per_node, world->settings.reconcile,
        world->settings.mass_share_percent, world->settings.mass_min_nodes, (long long)world->settings.mass_window_ms);
    manager_start(world);
}

static void finish(struct world *world)
{
    orders_drop(world);
    manager_stop(world);
    for (size_t i = 0; i < world->app_count; i++) {
        swarm_request_unref(world->apps[i]->request);
        free(world->apps[i]);
    }
    for (size_t i = 0; i < world->copy_count; i++)
        free(world->copies[i]);
    free(world->apps);
    free(world->copies);
    free(world->engines);
    virtual_clock_finish(&world->clock);
}

/* ---- the run ---- */

static void run_until(struct world *world, int64_t until_ms)
{
    while (!world->result->broken && virtual_step(&world->clock, until_ms, world))
        world->result->events++;
}

void virtual_cluster_run(const struct virtual_options *options, struct virtual_result *result)
{
    struct world world = {.options = options, .result = result};
    memset(result, 0, sizeof(*result));
    begin(&world);
    int64_t faults_ms = virtual_between(&world.clock, 60000, 30 * 60000), end_ms = faults_ms + SETTLE_MS;
    set_up_faults(&world, faults_ms);
    for (int64_t at_ms = AUDIT_MS; at_ms < end_ms && !result->broken; at_ms += AUDIT_MS) {
        run_until(&world, at_ms);
        if (at_ms < faults_ms && !result->broken)
            audit(&world);
        /* What never comes back must not hold the rest for ever: somebody looks after a while. */
        if (at_ms > faults_ms + SETTLE_MS / 2 && at_ms <= faults_ms + SETTLE_MS / 2 + AUDIT_MS)
            manager_release(&world);
    }
    run_until(&world, end_ms);
    if (!result->broken)
        check_end(&world);
    result->virtual_ms = world.clock.now_ms;
    finish(&world);
}
