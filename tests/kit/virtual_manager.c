/* SPDX-License-Identifier: Apache-2.0 */
/* The manager: what it hears of engines goes into the library, and what the library wants is carried out. */
#include <stdlib.h>
#include <string.h>

#include "virtual_world.h"

#define PART_MS 5000

static void expect_ok(struct world *world, const char *call, int rc)
{
    if (rc != 0)
        breach(world, "%s: %s", call, swarm_strerror(rc));
}

/* ---- containers ---- */

static void renew(struct world *world, struct swarm_container *container, const struct copy *copy)
{
    const char *name = copy->app->name;
    int state = copy->running    ? SWARM_CONTAINER_RUNNING
                : copy->ran_once ? SWARM_CONTAINER_EXITED
                                 : SWARM_CONTAINER_CREATED;
    expect_ok(world, "set_names", swarm_container_set_names(container, &name, 1, NULL));
    expect_ok(world, "set_state", swarm_container_set_state(container, state, NULL));
    expect_ok(world, "set_running_since", swarm_container_set_running_since(container, copy->since_ms, NULL));
}

struct swarm_container *manager_apply(struct world *world, const struct address *address, const struct copy *copy)
{
    struct swarm_container *container = swarm_cluster_find_container(world->cluster, address->node, copy->id);
    if (container == NULL) {
        expect_ok(
            world, "add_container",
            swarm_cluster_add_container(world->cluster, address->node, copy->id, copy->app->request, &container, NULL));
        swarm_container_set_data(container, copy->app);
    }
    renew(world, container, copy);
    return container;
}

void manager_forget(struct world *world, struct swarm_container *container)
{
    swarm_rescheduler_container_removed(world->rescheduler, container);
    swarm_cluster_remove_container(world->cluster, container);
}

/** The engine's list: what is not in it is gone. */
static void sync_all(struct world *world, const struct engine *engine, const struct address *address)
{
    struct swarm_container *container = swarm_node_next_container(address->node, NULL), *next;
    for (; container != NULL; container = next) {
        const struct copy *copy = copy_by_id(world, swarm_container_id(container));
        next = swarm_node_next_container(address->node, container);
        if (!copy->alive || copy->engine != engine)
            manager_forget(world, container);
    }
    for (const struct copy *copy = engine->copies; copy != NULL; copy = copy->next)
        manager_apply(world, address, copy);
}

/* ---- engines ---- */

static void watch_all_doubles(struct world *world, const struct engine *engine)
{
    for (const struct copy *copy = engine->copies; copy != NULL; copy = copy->next)
        app_watch_doubles(world, copy->app);
}

static void connect_to(struct world *world, struct engine *engine, struct address *address)
{
    if (address->node == NULL) {
        expect_ok(
            world, "add_node",
            swarm_cluster_add_node(world->cluster, address->id, address->id, "10.0.0.1:2375", &address->node, NULL));
        expect_ok(world, "set_overcommit", swarm_node_set_overcommit(address->node, 0, NULL));
        expect_ok(world, "set_capacity", swarm_node_set_capacity(address->node, engine->cpus, engine->memory, NULL));
        swarm_node_set_data(address->node, engine);
        /* Nothing is placed by way of a second address: it would count the engine's room twice. */
        if (address != &engine->addresses[0])
            expect_ok(world, "set_availability",
                      swarm_node_set_availability(address->node, SWARM_AVAILABILITY_PAUSED, NULL));
    }
    sync_all(world, engine, address);
    address->connected = true;
    address->missed = address->counts = false;
    expect_ok(world, "set_health", swarm_node_set_health(address->node, 100, NULL));
    trace(world, "%s answers", address->id);
    expect_ok(world, "node_back",
              swarm_rescheduler_node_back(world->rescheduler, world->clock.now_ms, address->node, NULL));
    watch_all_doubles(world, engine);
}

static void lose(struct world *world, struct engine *engine, struct address *address)
{
    int loss = engine->cut || virtual_chance(&world->clock, 10) ? SWARM_NODE_SILENT : SWARM_NODE_STOPPED;
    int64_t due_ms = world->clock.now_ms + (loss == SWARM_NODE_SILENT ? world->settings.grace_ms : 0);
    if (address->connected) {
        address->lost_ms = world->clock.now_ms;
        address->due_ms = due_ms;
        address->counts = true;
    } else if (due_ms < address->due_ms) {
        address->due_ms = due_ms;
    }
    address->connected = false;
    expect_ok(world, "set_health", swarm_node_set_health(address->node, 0, NULL));
    trace(world, "%s is lost, %s", address->id, loss == SWARM_NODE_SILENT ? "silent" : "stopped");
    expect_ok(world, "node_lost",
              swarm_rescheduler_node_lost(world->rescheduler, world->clock.now_ms, address->node, loss, NULL));
    watch_all_doubles(world, engine);
}

static void notice(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct engine *engine = subject;
    struct address *address = &engine->addresses[number];
    if (number > 0 && !engine->doubled)
        return;
    if (engine_reachable(engine) && (!address->connected || address->missed))
        connect_to(world, engine, address);
    else if (!engine_reachable(engine) && address->node != NULL && (address->connected || !engine->cut))
        lose(world, engine, address);
    else
        return;
    manager_turn(world);
}

void manager_will_notice(struct world *world, struct engine *engine)
{
    for (size_t i = 0; i < ADDRESSES; i++) {
        int64_t in_ms = engine_reachable(engine) ? virtual_between(&world->clock, 300, 5000)
                        : engine->cut            ? virtual_between(&world->clock, 3000, 10000)
                                                 : virtual_between(&world->clock, 200, 1500);
        if (!engine_reachable(engine))
            engine->addresses[i].missed = true;
        virtual_after(&world->clock, in_ms, notice, engine, i);
    }
}

void manager_add(struct world *world, struct engine *engine, size_t address)
{
    if (address > 0)
        engine->doubled = true;
    virtual_after(&world->clock, virtual_between(&world->clock, 0, 500), notice, engine, address);
}

/* ---- engines that leave ---- */

static bool part_address(struct world *world, struct engine *engine, struct address *address)
{
    struct swarm_container *container;
    if (address->node == NULL)
        return true;
    if (address->connected)
        lose(world, engine, address);
    if (swarm_rescheduler_node_removed(world->rescheduler, world->clock.now_ms, address->node, NULL) != 0)
        return false;
    trace(world, "%s leaves", address->id);
    while ((container = swarm_node_next_container(address->node, NULL)) != NULL)
        manager_forget(world, container);
    expect_ok(world, "node_removed",
              swarm_rescheduler_node_removed(world->rescheduler, world->clock.now_ms, address->node, NULL));
    swarm_cluster_remove_node(world->cluster, address->node);
    address->node = NULL;
    return true;
}

static void part(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct engine *engine = subject;
    bool gone = true;
    for (size_t i = 0; i < ADDRESSES; i++)
        gone &= part_address(world, engine, &engine->addresses[i]);
    if (!gone)
        virtual_after(&world->clock, PART_MS, part, engine, 0);
    manager_turn(world);
}

void manager_will_part(struct world *world, struct engine *engine)
{
    virtual_after(&world->clock, virtual_between(&world->clock, 1000, 60000), part, engine, 0);
}

/* ---- events of containers ---- */

static void hear(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct copy *copy = subject;
    struct engine *engine = copy->engine;
    for (size_t i = 0; i < ADDRESSES; i++) {
        struct address *address = &engine->addresses[i];
        if (address->node == NULL || !address->connected || !engine_reachable(engine))
            continue;
        struct swarm_container *container = swarm_cluster_find_container(world->cluster, address->node, copy->id);
        if (copy->alive)
            expect_ok(world, "container_changed",
                      swarm_rescheduler_container_changed(world->rescheduler, world->clock.now_ms,
                                                          manager_apply(world, address, copy), NULL));
        else if (container != NULL)
            manager_forget(world, container);
    }
    manager_turn(world);
}

void manager_will_hear(struct world *world, struct copy *copy)
{
    virtual_after(&world->clock, virtual_between(&world->clock, 1, copy->engine->slow ? 20000 : 200), hear, copy, 0);
}

/* ---- acting ---- */

static void wake(void *data, void *subject, uint64_t at_ms)
{
    struct world *world = data;
    if (world->wake_ms != (int64_t)at_ms)
        return; /* an earlier one was set up after it */
    world->wake_ms = INT64_MAX;
    manager_turn(world);
}

void manager_turn(struct world *world)
{
    struct swarm_action action = SWARM_ACTION_INIT;
    int64_t now_ms = world->clock.now_ms;
    int rc;
    expect_ok(world, "advance", swarm_rescheduler_advance(world->rescheduler, now_ms, NULL));
    while ((rc = swarm_rescheduler_next(world->rescheduler, &action, NULL)) == 1 && !world->result->broken)
        order_begin(world, &action);
    if (rc < 0)
        breach(world, "next: %s", swarm_strerror(rc));
    int64_t due_ms = swarm_rescheduler_timeout(world->rescheduler);
    if (due_ms < 0 || due_ms >= world->wake_ms)
        return;
    world->wake_ms = due_ms > now_ms ? due_ms : now_ms;
    virtual_after(&world->clock, world->wake_ms - now_ms, wake, NULL, (uint64_t)world->wake_ms);
}

void manager_begin_term(struct world *world)
{
    world->result->terms++;
    trace(world, "term %llu begins", (unsigned long long)world->term + 1);
    expect_ok(world, "set_term",
              swarm_rescheduler_set_term(world->rescheduler, world->clock.now_ms, ++world->term, NULL));
    if (swarm_rescheduler_set_term(world->rescheduler, world->clock.now_ms, world->term - 1, NULL) != SWARM_ERR_INVALID)
        breach(world, "a term before %llu was taken", (unsigned long long)world->term);
    manager_turn(world);
}

void manager_release(struct world *world)
{
    trace(world, "released by hand");
    for (size_t i = 0; i < world->engine_count * ADDRESSES; i++)
        world->engines[i / ADDRESSES].addresses[i % ADDRESSES].counts = false;
    expect_ok(world, "release", swarm_rescheduler_release(world->rescheduler, world->clock.now_ms, NULL));
    manager_turn(world);
}

/* ---- life ---- */

static void report(void *data, const struct swarm_report *said)
{
    struct world *world = data;
    if (said->kind == SWARM_REPORT_GIVEN_UP) {
        world->result->given_up++;
        trace(world, "given up: %s", ((struct app *)swarm_container_data(said->container))->name);
    } else {
        world->result->held += said->kind == SWARM_REPORT_HELD;
        trace(world, "%s: %zu of %zu nodes lost", said->kind == SWARM_REPORT_HELD ? "held" : "released",
              said->nodes_lost, said->nodes_counted);
    }
}

/** What a manager that starts anew cannot know. */
static void excuse_what_is_away(struct world *world)
{
    for (size_t i = 0; i < world->app_count; i++) {
        struct app *app = world->apps[i];
        app->excused |= app->actions != 0 || app->travelling != 0 || app->alive != 1;
        app->actions = 0;
        for (const struct copy *copy = app->copies; copy != NULL; copy = copy->sibling)
            app->excused |= copy->alive && (!engine_reachable(copy->engine) || copy->late);
    }
}

void manager_start(struct world *world)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    world->wake_ms = INT64_MAX;
    expect_ok(world, "cluster_new", swarm_cluster_new(&world->cluster, NULL));
    expect_ok(world, "scheduler_new", swarm_scheduler_new(&world->scheduler, &options, NULL));
    expect_ok(world, "rescheduler_new",
              swarm_rescheduler_new(&world->rescheduler, world->cluster, world->scheduler, &world->settings, NULL));
    swarm_rescheduler_set_report(world->rescheduler, report, world);
    expect_ok(world, "set_term",
              swarm_rescheduler_set_term(world->rescheduler, world->clock.now_ms, world->term, NULL));
    for (size_t i = 0; i < world->engine_count; i++) {
        struct engine *engine = &world->engines[i];
        for (size_t a = 0; a < ADDRESSES; a++)
            if (engine_reachable(engine) && (a == 0 || engine->doubled))
                connect_to(world, engine, &engine->addresses[a]);
    }
}

void manager_stop(struct world *world)
{
    world->life++;
    excuse_what_is_away(world);
    swarm_rescheduler_free(world->rescheduler);
    swarm_scheduler_free(world->scheduler);
    swarm_cluster_free(world->cluster);
    world->moves_open = world->removals_open = 0;
    for (size_t i = 0; i < world->engine_count * ADDRESSES; i++) {
        struct address *address = &world->engines[i / ADDRESSES].addresses[i % ADDRESSES];
        address->node = NULL;
        address->connected = address->missed = address->counts = false;
        address->moves_onto = 0;
    }
}
