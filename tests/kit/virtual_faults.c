/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, and what users do meanwhile. */
#include <stdlib.h>

#include "virtual_world.h"

static struct engine *any_engine(struct world *world)
{
    return &world->engines[virtual_roll(&world->clock, world->engine_count)];
}

/* ---- engines ---- */

static void power_on(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct engine *engine = subject;
    if (engine->power || engine->destroyed)
        return;
    engine->power = true;
    trace(world, "engine %zu has power", engine->number);
    /* Containers with a restart policy run again. */
    bool restart = virtual_chance(&world->clock, 50);
    for (struct copy *copy = engine->copies; copy != NULL && restart; copy = copy->next)
        if (copy->ran_once && virtual_chance(&world->clock, 80))
            copy_set_running(world, copy, true);
    manager_will_notice(world, engine);
}

static void power_off(struct world *world, struct engine *engine)
{
    if (!engine->power)
        return;
    engine->power = false;
    trace(world, "engine %zu has no power", engine->number);
    for (struct copy *copy = engine->copies; copy != NULL; copy = copy->next)
        copy_set_running(world, copy, false);
    manager_will_notice(world, engine);
}

static void crash(struct world *world)
{
    struct engine *engine = any_engine(world);
    power_off(world, engine);
    virtual_after(&world->clock, virtual_between(&world->clock, 1000, 600000), power_on, engine, 0);
}

static void destroy(struct world *world)
{
    struct engine *engine = any_engine(world);
    if (engine->destroyed)
        return;
    power_off(world, engine);
    engine->destroyed = true;
    trace(world, "engine %zu is destroyed", engine->number);
    while (engine->copies != NULL)
        copy_remove(world, engine->copies);
    manager_will_notice(world, engine);
    manager_will_part(world, engine);
}

static void daemon_on(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct engine *engine = subject;
    if (engine->daemon)
        return;
    engine->daemon = true;
    trace(world, "engine %zu accepts", engine->number);
    manager_will_notice(world, engine);
}

/** Its containers run on. */
static void stop_daemon(struct world *world)
{
    struct engine *engine = any_engine(world);
    engine->daemon = false;
    trace(world, "engine %zu refuses", engine->number);
    manager_will_notice(world, engine);
    virtual_after(&world->clock, virtual_between(&world->clock, 100, 300000), daemon_on, engine, 0);
}

static void join(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct engine *engine = subject;
    if (!engine->cut)
        return;
    engine->cut = false;
    trace(world, "engine %zu is within reach", engine->number);
    manager_will_notice(world, engine);
}

static void cut_off(struct world *world, struct engine *engine, int64_t for_ms)
{
    engine->cut = true;
    trace(world, "engine %zu is cut off", engine->number);
    manager_will_notice(world, engine);
    virtual_after(&world->clock, for_ms, join, engine, 0);
}

/** A rack, or far more. */
static void cut_many(struct world *world, int64_t low, int64_t high)
{
    unsigned percent = (unsigned)virtual_between(&world->clock, low, high);
    int64_t for_ms = virtual_between(&world->clock, 500, 400000);
    for (size_t i = 0; i < world->engine_count; i++)
        if (virtual_chance(&world->clock, percent))
            cut_off(world, &world->engines[i], for_ms + virtual_between(&world->clock, 0, 3000));
}

static void hurry(void *data, void *subject, uint64_t number)
{
    ((struct engine *)subject)->slow = false;
}

static void slow_down(struct world *world)
{
    struct engine *engine = any_engine(world);
    engine->slow = true;
    trace(world, "engine %zu is slow", engine->number);
    virtual_after(&world->clock, virtual_between(&world->clock, 10000, 300000), hurry, engine, 0);
}

/* ---- the manager ---- */

static void restart_manager(struct world *world)
{
    trace(world, "the manager starts anew");
    world->result->restarts++;
    world->term++;
    manager_stop(world);
    manager_start(world);
    for (size_t i = 0; i < world->engine_count; i++)
        manager_will_notice(world, &world->engines[i]);
    manager_turn(world);
}

static void announce_twice(struct world *world)
{
    struct engine *engine = any_engine(world);
    if (!engine->doubled && !engine->destroyed)
        manager_add(world, engine, 1);
}

/* ---- users ---- */

/** The one copy of an app that a user gets hold of through the manager; NULL: none, or they are two. */
static struct swarm_container *user_finds(struct world *world, const struct app *app)
{
    struct swarm_container *container = NULL;
    if (swarm_cluster_look_up(world->cluster, app->name, &container, NULL) != 0)
        return NULL;
    const struct engine *engine = swarm_node_data(swarm_container_node(container));
    const struct copy *copy = copy_by_id(world, swarm_container_id(container));
    return engine_reachable(engine) && copy->alive && copy->engine == engine ? container : NULL;
}

static void user_changes(struct world *world, bool remove)
{
    struct app *app = world->apps[virtual_roll(&world->clock, world->app_count)];
    struct swarm_container *container = user_finds(world, app);
    if (container == NULL)
        return;
    struct copy *copy = copy_by_id(world, swarm_container_id(container));
    trace(world, "a user %s %s (%s)", remove ? "removes" : copy->running ? "stops" : "starts", app->name, copy->id);
    if (remove) {
        app->wanted = false;
        copy_remove(world, copy);
        manager_forget(world, container);
    } else {
        copy_set_running(world, copy, !copy->running);
    }
    manager_will_hear(world, copy);
    manager_turn(world);
}

static void user_creates(struct world *world)
{
    struct app *app = app_new(world, virtual_chance(&world->clock, 70));
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_reservation *reservation = NULL;
    struct swarm_container *container = NULL;
    options.seed = virtual_roll(&world->clock, UINT64_MAX);
    app->wanted = false;
    if (swarm_scheduler_place(world->scheduler, world->cluster, app->request, &options, &reservation, NULL) != 0)
        return;
    struct engine *engine = swarm_node_data(swarm_reservation_node(reservation));
    if (!engine_reachable(engine)) {
        swarm_reservation_abort(reservation);
        return;
    }
    struct copy *copy = copy_new(world, engine, app, false);
    trace(world, "a user creates %s on engine %zu", app->name, engine->number);
    app->home = engine->number;
    app->wanted = true;
    copy_set_running(world, copy, true);
    if (swarm_reservation_commit(reservation, copy->id, &container, NULL) != 0) {
        breach(world, "%s: a user's container cannot take its place", app->name);
        return;
    }
    swarm_container_set_data(container, app);
    manager_apply(world, &engine->addresses[0], copy);
}

/* ---- the schedule ---- */

static void happen(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    uint64_t kind = virtual_roll(&world->clock, 100);
    if (world->calm)
        return;
    if (kind < 18)
        crash(world);
    else if (kind < 20)
        destroy(world);
    else if (kind < 32)
        stop_daemon(world);
    else if (kind < 50)
        cut_off(world, any_engine(world), virtual_between(&world->clock, 200, 600000));
    else if (kind < 56)
        cut_many(world, 2, 40);
    else if (kind < 59)
        cut_many(world, 50, 100);
    else if (kind < 65)
        slow_down(world);
    else if (kind < 70)
        manager_begin_term(world);
    else if (kind < 72)
        announce_twice(world);
    else if (kind < 75)
        manager_release(world);
    else if (kind < 77 && world->options->seed % 5 == 0)
        restart_manager(world);
    else
        (kind < 90) ? user_changes(world, kind < 80) : user_creates(world);
    audit(world);
}

static void end_calmly(void *data, void *subject, uint64_t number)
{
    mend(data);
}

void set_up_faults(struct world *world, int64_t for_ms)
{
    int64_t count = virtual_between(&world->clock, 5, 60);
    for (int64_t i = 0; i < count; i++)
        virtual_after(&world->clock, virtual_between(&world->clock, 0, for_ms), happen, NULL, 0);
    virtual_after(&world->clock, for_ms, end_calmly, NULL, 0);
}

void mend(struct world *world)
{
    world->calm = true;
    trace(world, "everything is mended");
    for (size_t i = 0; i < world->engine_count; i++) {
        struct engine *engine = &world->engines[i];
        if (engine->destroyed)
            continue;
        engine->slow = false;
        join(world, engine, 0);
        daemon_on(world, engine, 0);
        power_on(world, engine, 0);
    }
}
