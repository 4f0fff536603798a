/* SPDX-License-Identifier: Apache-2.0 */
/* What there really is, and what must hold of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtual_world.h"

/* Two copies that run within reach are one by then. */
#define SETTLED_MS (15 * 60000)

bool engine_reachable(const struct engine *engine)
{
    return engine->power && engine->daemon && !engine->cut && !engine->destroyed;
}

/* ---- copies ---- */

struct copy *copy_by_id(const struct world *world, const char *id)
{
    size_t number = strtoull(id + 8, NULL, 16);
    if (number >= world->copy_count || strcmp(world->copies[number]->id, id) != 0)
        return NULL;
    return world->copies[number];
}

static void list_copy(struct copy *copy)
{
    copy->next = copy->engine->copies;
    if (copy->next != NULL)
        copy->next->previous = copy;
    copy->engine->copies = copy;
}

static void unlist_copy(struct copy *copy)
{
    *(copy->previous != NULL ? &copy->previous->next : &copy->engine->copies) = copy->next;
    if (copy->next != NULL)
        copy->next->previous = copy->previous;
    copy->previous = copy->next = NULL;
}

/** As strategies count, who like classic Swarm leave out parts of a percent. */
static bool too_full(int64_t used, int64_t total)
{
    return (double)used * 100 / (double)total >= 101;
}

static bool hosts_late_ones(const struct engine *engine)
{
    const struct copy *copy = engine->copies;
    while (copy != NULL && !copy->late)
        copy = copy->next;
    return copy != NULL;
}

struct copy *copy_new(struct world *world, struct engine *engine, struct app *app, bool late)
{
    struct copy *copy = must_allocate(sizeof(*copy));
    size_t number = world->copy_count;
    world->copies = must_grow(world->copies, &world->copy_capacity, number, sizeof(struct copy *));
    world->copies[world->copy_count++] = copy;
    snprintf(copy->id, sizeof(copy->id), "%08x%08x", (unsigned)number * 2654435761u, (unsigned)number);
    copy->app = app;
    copy->engine = engine;
    copy->alive = true;
    copy->late = late;
    copy->sibling = app->copies;
    app->copies = copy;
    app->alive++;
    list_copy(copy);
    engine->used_cpus += swarm_request_cpus_milli(app->request);
    engine->used_memory += swarm_request_memory(app->request);
    if ((too_full(engine->used_cpus, engine->cpus) || too_full(engine->used_memory, engine->memory)) &&
        !hosts_late_ones(engine))
        breach(world, "engine %zu: %lld of %lld milli-CPU, %lld of %lld bytes", engine->number,
               (long long)engine->used_cpus, (long long)engine->cpus, (long long)engine->used_memory,
               (long long)engine->memory);
    return copy;
}

void copy_set_running(struct world *world, struct copy *copy, bool running)
{
    if (copy->running == running)
        return;
    copy->running = running;
    copy->ran_once |= running;
    copy->since_ms = running ? world->clock.now_ms + 1 : 0;
    app_watch_doubles(world, copy->app);
}

void copy_remove(struct world *world, struct copy *copy)
{
    if (!copy->alive)
        return;
    copy->alive = copy->running = false;
    copy->died_ms = world->clock.now_ms;
    copy->app->alive--;
    copy->engine->used_cpus -= swarm_request_cpus_milli(copy->app->request);
    copy->engine->used_memory -= swarm_request_memory(copy->app->request);
    unlist_copy(copy);
    app_watch_doubles(world, copy->app);
}

struct copy *copy_on(const struct app *app, const struct engine *engine)
{
    struct copy *copy = app->copies;
    while (copy != NULL && (!copy->alive || copy->engine != engine))
        copy = copy->sibling;
    return copy;
}

/* ---- apps ---- */

static void must(int rc)
{
    if (rc == 0)
        return;
    fprintf(stderr, "virtual cluster: %s\n", swarm_strerror(rc));
    exit(1);
}

static void ask_for(struct world *world, struct swarm_request *request, bool policy)
{
    static const char *const words[] = {"keep-new", "keep-old", "longest-running"};
    must(swarm_request_set_image(request, "img", NULL));
    must(swarm_request_set_cpus_milli(request, virtual_between(&world->clock, 1, 10) * 50, NULL));
    must(swarm_request_set_memory(request, virtual_between(&world->clock, 1, 16) << 26, NULL));
    must(swarm_request_set_reschedule_policy(request, policy ? SWARM_RESCHEDULE_ON_NODE_FAILURE : SWARM_RESCHEDULE_OFF,
                                             NULL));
    if (virtual_chance(&world->clock, 15))
        must(swarm_request_set_label(request, SWARM_RECONCILE_LABEL, words[virtual_roll(&world->clock, 3)], NULL));
}

struct app *app_new(struct world *world, bool policy)
{
    struct app *app = must_allocate(sizeof(*app));
    char swarm_id[24];
    app->number = world->app_count;
    app->policy = policy;
    app->wanted = true;
    app->doubled_ms = -1;
    snprintf(app->name, sizeof(app->name), "w%zu", app->number);
    snprintf(swarm_id, sizeof(swarm_id), "s%08x%zu", (unsigned)app->number * 2654435761u, app->number);
    must(swarm_request_new(&app->request, NULL));
    must(swarm_request_set_name(app->request, app->name, NULL));
    must(swarm_request_set_swarm_id(app->request, swarm_id, NULL));
    ask_for(world, app->request, policy);
    world->apps = must_grow(world->apps, &world->app_capacity, world->app_count, sizeof(struct app *));
    world->apps[world->app_count++] = app;
    return app;
}

void app_trace(struct world *world, const struct app *app)
{
    for (const struct copy *copy = app->copies; copy != NULL; copy = copy->sibling)
        trace(world, "  %s: %s on engine %zu%s%s%s%s", app->name, copy->id, copy->engine->number,
              copy->alive ? "" : ", gone",
              copy->running    ? ", runs"
              : copy->ran_once ? ", ended"
                               : ", never ran",
              copy->late ? ", late" : "", engine_reachable(copy->engine) ? "" : ", out of reach");
}

/* ---- two at once ---- */

static bool within_reach(const struct engine *engine)
{
    return engine_reachable(engine) && (engine->addresses[0].connected || engine->addresses[1].connected);
}

static bool is_doubled(const struct app *app)
{
    size_t count = 0;
    if (app->alive < 2 || !app->wanted || !app->policy || app->excused)
        return false;
    for (const struct copy *copy = app->copies; copy != NULL; copy = copy->sibling)
        count += copy->alive && copy->running && within_reach(copy->engine);
    return count > 1;
}

static void check_double(void *data, void *subject, uint64_t since_ms)
{
    const struct app *app = subject;
    struct world *world = data;
    if (app->doubled_ms != (int64_t)since_ms)
        return;
    app_trace(world, app);
    breach(world, "%s: %zu copies, two of which run within reach since %lld ms", app->name, app->alive,
           (long long)(world->clock.now_ms - app->doubled_ms));
}

void app_watch_doubles(struct world *world, struct app *app)
{
    bool doubled = is_doubled(app);
    if (doubled == (app->doubled_ms >= 0))
        return;
    app->doubled_ms = doubled ? world->clock.now_ms : -1;
    if (!doubled)
        return;
    world->result->doubles++;
    virtual_after(&world->clock, SETTLED_MS, check_double, app, (uint64_t)app->doubled_ms);
}

/* ---- what must hold at any time ---- */

struct audit {
    struct world *world;
    uint64_t number;
};

static void see_waiting(void *data, const struct swarm_waiting *waiting)
{
    struct audit *audit = data;
    struct world *world = audit->world;
    struct app *app = swarm_container_data(waiting->container);
    if (waiting->kind != SWARM_ACTION_MOVE)
        return;
    app->seen = audit->number;
    if (!app->policy)
        breach(world, "%s has no policy and waits to be moved", app->name);
    if (waiting->wait == SWARM_WAIT_GIVEN_UP && world->settings.retry_limit == 0)
        breach(world, "%s is given up without a limit of tries", app->name);
    if (waiting->wait == SWARM_WAIT_GIVEN_UP && waiting->reason == NULL)
        breach(world, "%s is given up for no reason", app->name);
    if (waiting->wait == SWARM_WAIT_TIME && waiting->attempts > 0 && waiting->reason == NULL)
        breach(world, "%s was tried, and nobody says what went wrong", app->name);
    if (waiting->wait == SWARM_WAIT_TIME && waiting->next_ms <= world->clock.now_ms)
        breach(world, "%s is to wait for a time that has passed", app->name);
}

static void audit_lost(struct audit *audit, struct engine *engine, const struct address *address)
{
    struct world *world = audit->world;
    swarm_rescheduler_each_waiting(world->rescheduler, address->node, see_waiting, audit);
    for (struct swarm_container *c = NULL; (c = swarm_node_next_container(address->node, c)) != NULL;) {
        const struct app *app = swarm_container_data(c);
        if (app->policy && app->seen != audit->number && !engine->doubled)
            breach(world, "%s is on engine %zu, which is lost, and does not wait", app->name, engine->number);
    }
}

static void see_all(struct audit *audit, const struct address *address)
{
    for (struct swarm_container *c = NULL; (c = swarm_node_next_container(address->node, c)) != NULL;)
        ((struct app *)swarm_container_data(c))->seen = audit->number;
}

/** Whether an engine will tell of one that the manager does not list. */
static bool will_be_heard_of(const struct app *app)
{
    for (const struct copy *copy = app->copies; copy != NULL; copy = copy->sibling)
        if (copy->alive)
            return true;
    return false;
}

void audit(struct world *world)
{
    struct audit audit = {world, ++world->audits};
    if (swarm_rescheduler_advance(world->rescheduler, world->clock.now_ms, NULL) != 0)
        breach(world, "advance failed");
    for (size_t i = 0; i < world->engine_count * ADDRESSES; i++) {
        struct engine *engine = &world->engines[i / ADDRESSES];
        const struct address *address = &engine->addresses[i % ADDRESSES];
        if (address->node != NULL && !address->connected)
            audit_lost(&audit, engine, address);
    }
    audit.number = ++world->audits;
    for (size_t i = 0; i < world->engine_count * ADDRESSES; i++)
        if (world->engines[i / ADDRESSES].addresses[i % ADDRESSES].node != NULL)
            see_all(&audit, &world->engines[i / ADDRESSES].addresses[i % ADDRESSES]);
    for (size_t i = 0; i < world->app_count; i++) {
        const struct app *app = world->apps[i];
        if (app->policy && app->wanted && !app->excused && app->seen != audit.number && app->actions == 0 &&
            !will_be_heard_of(app))
            breach(world, "%s is lost, and nothing is said of it", app->name);
    }
}

/* ---- what must hold at the end ---- */

struct excuse {
    const struct app *app;
    bool moves, removals;
};

static void look_for_excuse(void *data, const struct swarm_waiting *waiting)
{
    struct excuse *excuse = data;
    if (swarm_container_data(waiting->container) != excuse->app || waiting->reason == NULL)
        return;
    excuse->moves |= waiting->kind == SWARM_ACTION_MOVE;
    excuse->removals |= waiting->kind == SWARM_ACTION_REMOVE;
}

static struct excuse excuse_of(const struct world *world, const struct app *app)
{
    struct excuse excuse = {app, false, false};
    for (size_t i = 0; i < world->engine_count * ADDRESSES; i++)
        swarm_rescheduler_each_waiting(world->rescheduler, world->engines[i / ADDRESSES].addresses[i % ADDRESSES].node,
                                       look_for_excuse, &excuse);
    return excuse;
}

static void check_one(struct world *world, const struct app *app)
{
    const struct copy *copy = app->copies;
    struct swarm_container *found = NULL;
    while (copy != NULL && !copy->alive)
        copy = copy->sibling;
    if (app->policy && app->alive == 0 && !excuse_of(world, app).moves)
        breach(world, "%s is nowhere at the end", app->name);
    if (app->alive != 1)
        app_trace(world, app);
    if (app->alive > 1 && !excuse_of(world, app).removals)
        breach(world, "%s: %zu copies at the end", app->name, app->alive);
    if (app->alive != 1)
        return;
    if (!app->policy && copy->engine->number != app->home)
        breach(world, "%s has no policy and went from engine %zu to %zu", app->name, app->home, copy->engine->number);
    if (swarm_cluster_look_up(world->cluster, app->name, &found, NULL) != 0 ||
        strcmp(swarm_container_id(found), copy->id) != 0)
        breach(world, "%s is not found by its name at the end", app->name);
}

static void check_lists(struct world *world, const struct engine *engine)
{
    size_t listed = 0, there = 0;
    const struct address *address = &engine->addresses[0];
    if (address->node == NULL || !address->connected) {
        if (!engine->destroyed)
            breach(world, "engine %zu is not connected at the end", engine->number);
        return;
    }
    for (struct swarm_container *c = NULL; (c = swarm_node_next_container(address->node, c)) != NULL; listed++) {
        const struct copy *copy = copy_by_id(world, swarm_container_id(c));
        if (copy == NULL || !copy->alive || copy->engine != engine)
            breach(world, "%s is listed on engine %zu, and is not there", swarm_container_id(c), engine->number);
    }
    for (const struct copy *copy = engine->copies; copy != NULL; copy = copy->next)
        there++;
    if (listed != there)
        breach(world, "engine %zu has %zu containers, and %zu are listed", engine->number, there, listed);
}

void check_end(struct world *world)
{
    audit(world);
    for (size_t i = 0; i < world->app_count; i++)
        if (world->apps[i]->wanted && !world->apps[i]->excused)
            check_one(world, world->apps[i]);
    for (size_t i = 0; i < world->engine_count; i++)
        check_lists(world, &world->engines[i]);
}
