/* SPDX-License-Identifier: Apache-2.0 */
/* One action of the library, from the manager to an engine and back, and what must hold of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtual_world.h"

/* What the manager may not have heard of yet. */
#define HEARSAY_MS 60000

int64_t travel_ms(struct world *world, const struct engine *engine)
{
    return engine->slow ? virtual_between(&world->clock, 1000, 60000) : virtual_between(&world->clock, 5, 400);
}

static struct app *app_of(const struct swarm_container *container)
{
    return swarm_container_data(container);
}

static struct engine *engine_of(const struct swarm_node *node)
{
    return swarm_node_data(node);
}

/* ---- what must hold of an action ---- */

static bool believed_to_run(const struct swarm_container *container)
{
    int state = swarm_container_state(container);
    return state == SWARM_CONTAINER_RUNNING || state == SWARM_CONTAINER_PAUSED || state == SWARM_CONTAINER_RESTARTING;
}

static void check_removal(struct world *world, const struct swarm_action *action)
{
    const struct app *app = app_of(action->container);
    const struct copy *kept = action->kept != NULL ? copy_by_id(world, swarm_container_id(action->kept)) : NULL;
    const struct copy *gone = copy_by_id(world, swarm_container_id(action->container));
    if (kept == NULL || kept == gone || kept->app != app) {
        breach(world, "%s: to be removed for what is no copy of it", app->name);
        return;
    }
    if (engine_of(swarm_container_node(action->kept)) == engine_of(swarm_container_node(action->container)))
        breach(world, "%s: to be removed for a copy on the same engine", app->name);
    if (!kept->alive && world->clock.now_ms - kept->died_ms > HEARSAY_MS)
        breach(world, "%s: to be removed for %s, which is long gone", app->name, kept->id);
    if (believed_to_run(action->container) && !believed_to_run(action->kept))
        breach(world, "%s: one that runs is to be removed for one that does not", app->name);
    if (world->removals_open > (size_t)world->settings.parallel)
        breach(world, "%zu removals at once", world->removals_open);
}

static void check_guard(struct world *world)
{
    size_t lost = 0, live = 0;
    for (size_t i = 0; i < world->engine_count * ADDRESSES; i++) {
        const struct address *address = &world->engines[i / ADDRESSES].addresses[i % ADDRESSES];
        live += address->node != NULL && address->connected;
        lost += address->node != NULL && address->counts && !address->connected &&
                address->lost_ms >= world->clock.now_ms - world->settings.mass_window_ms;
    }
    if (lost + live >= (size_t)world->settings.mass_min_nodes &&
        lost * 100 > (lost + live) * (size_t)world->settings.mass_share_percent)
        breach(world, "a move although %zu of %zu nodes were lost at once", lost, lost + live);
}

static struct address *address_of(const struct swarm_node *node)
{
    struct engine *engine = engine_of(node);
    return engine->addresses[0].node == node ? &engine->addresses[0] : &engine->addresses[1];
}

static void check_move(struct world *world, const struct swarm_action *action)
{
    const struct app *app = app_of(action->container);
    const struct address *from = address_of(swarm_container_node(action->container));
    if (!app->policy)
        breach(world, "%s has no policy and is to be moved", app->name);
    if (app->actions != 1 && !app->excused)
        breach(world, "%s: %zu actions at once", app->name, app->actions);
    if (from->connected)
        breach(world, "%s is to be moved off %s, which is not lost", app->name, from->id);
    if (world->clock.now_ms < from->due_ms)
        breach(world, "%s is to be moved off %s before its grace is over", app->name, from->id);
    if (world->moves_open > (size_t)world->settings.parallel)
        breach(world, "%zu moves at once", world->moves_open);
    check_guard(world);
    if (action->kind == SWARM_ACTION_START)
        return;
    const struct address *onto = address_of(swarm_reservation_node(action->reservation));
    if (!onto->connected)
        breach(world, "%s is to be moved onto %s, which is lost", app->name, onto->id);
    if (onto->moves_onto > world->settings.parallel_per_node)
        breach(world, "%d moves onto %s at once", onto->moves_onto, onto->id);
}

/* ---- the end of an action ---- */

static void unref(struct order *order)
{
    if (--order->references == 0)
        free(order);
}

static void after(struct world *world, int64_t in_ms, virtual_event_fn fn, struct order *order)
{
    order->references++;
    virtual_after(&world->clock, in_ms, fn, order, 0);
}

/** The manager does not wait for it any more, whatever becomes of it. */
static void close_order(struct world *world, struct order *order)
{
    order->reported = true;
    order->app->actions--;
    if (order->kind == SWARM_ACTION_REMOVE)
        world->removals_open--;
    else
        world->moves_open--;
    if (order->counted)
        order->engine->addresses[order->address].moves_onto--;
}

static void check_report(struct world *world, const struct order *order, const char *call, int rc)
{
    int wanted = order->term == world->term ? 0 : SWARM_ERR_STATE;
    if (rc != wanted)
        breach(world, "%s of action %llu: %s", call, (unsigned long long)order->id, swarm_strerror(rc));
}

static bool waited_for(const struct world *world, const struct order *order)
{
    return !order->reported && order->life == world->life;
}

static void fail(struct world *world, struct order *order, const char *reason, bool answered)
{
    trace(world, "action %llu about %s fails: %s", (unsigned long long)order->id, order->app->name, reason);
    world->result->failures++;
    swarm_reservation_abort(order->reservation);
    order->reservation = NULL;
    /* What it made was not known of when its place was given back. */
    if (order->kind == SWARM_ACTION_MOVE && order->made != NULL)
        order->made->late = true;
    close_order(world, order);
    check_report(world, order, "failed",
                 (answered ? swarm_rescheduler_failed : swarm_rescheduler_unanswered)(
                     world->rescheduler, world->clock.now_ms, order->id, reason, NULL));
    manager_turn(world);
}

static void time_out(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct order *order = subject;
    if (waited_for(world, order))
        fail(world, order, "no answer in time", false);
    unref(order);
}

/* ---- the answer ---- */

static void start(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct copy *copy = subject;
    if (!engine_reachable(copy->engine) || !copy->alive || virtual_chance(&world->clock, 4))
        return;
    copy_set_running(world, copy, true);
    manager_will_hear(world, copy);
}

/** The engine has answered a create with an id: as the manager asks it for the container first, that may be gone. */
static void finish_create(struct world *world, struct order *order)
{
    struct address *address = &order->engine->addresses[order->address];
    struct swarm_container *container = NULL;
    struct swarm_reservation *reservation = order->reservation;
    order->reservation = NULL;
    if (address->node == NULL || !order->made->alive) {
        swarm_reservation_abort(reservation);
        fail(world, order, "the container made for it is gone again", false);
        return;
    }
    manager_apply(world, address, order->made);
    if (swarm_reservation_commit(reservation, order->made->id, &container, NULL) != 0) {
        fail(world, order, "the container made for it cannot take its place", false);
        return;
    }
    if (order->start)
        swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL);
    world->result->moves++;
    close_order(world, order);
    check_report(world, order, "moved",
                 swarm_rescheduler_moved(world->rescheduler, world->clock.now_ms, order->id, container, NULL));
    if (order->start)
        virtual_after(&world->clock, travel_ms(world, order->engine), start, order->made, 0);
    manager_turn(world);
}

static void finish_start(struct world *world, struct order *order)
{
    struct address *address = &order->engine->addresses[order->address];
    struct swarm_container *kept =
        address->node != NULL ? swarm_cluster_find_container(world->cluster, address->node, order->made->id) : NULL;
    if (kept == NULL || !order->made->alive) {
        fail(world, order, "the copy that was started is gone again", false);
        return;
    }
    manager_apply(world, address, order->made);
    world->result->starts++;
    close_order(world, order);
    check_report(world, order, "moved",
                 swarm_rescheduler_moved(world->rescheduler, world->clock.now_ms, order->id, kept, NULL));
    manager_turn(world);
}

static void finish_removal(struct world *world, struct order *order)
{
    world->result->removals++;
    close_order(world, order);
    check_report(world, order, "removed",
                 swarm_rescheduler_removed(world->rescheduler, world->clock.now_ms, order->id, NULL));
    manager_turn(world);
}

static void answer(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct order *order = subject;
    if (waited_for(world, order) && !order->engine->cut) {
        if (!engine_reachable(order->engine))
            fail(world, order, "connection reset", false);
        else if (order->kind == SWARM_ACTION_MOVE)
            finish_create(world, order);
        else if (order->kind == SWARM_ACTION_START)
            finish_start(world, order);
        else
            finish_removal(world, order);
    }
    unref(order);
}

static void refuse(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct order *order = subject;
    if (waited_for(world, order) && !order->engine->cut)
        fail(world, order, "the engine refuses", true);
    unref(order);
}

/* ---- at the engine ---- */

/** The same: what is removed by a manager is never the last one. */
static void remove_copy(struct world *world, struct copy *gone)
{
    bool others = false;
    for (const struct copy *copy = gone->app->copies; copy != NULL; copy = copy->sibling)
        others |= copy != gone && (copy->alive || world->clock.now_ms - copy->died_ms < HEARSAY_MS);
    if (!others && gone->alive && gone->app->wanted)
        breach(world, "%s: the last copy is removed from engine %zu", gone->app->name, gone->engine->number);
    copy_remove(world, gone);
}

/** Carry it out. @return Whether the engine says yes. */
static bool carry_out(struct world *world, struct order *order)
{
    bool fails = virtual_chance(&world->clock, world->calm ? 0 : 7);
    if (order->kind == SWARM_ACTION_MOVE) {
        if (fails || copy_on(order->app, order->engine) != NULL)
            return false;
        order->made = copy_new(world, order->engine, order->app, !waited_for(world, order));
        manager_will_hear(world, order->made);
        return true;
    }
    struct copy *copy = order->kind == SWARM_ACTION_START ? order->made : order->subject;
    if (fails || (!copy->alive && order->kind == SWARM_ACTION_START))
        return false;
    if (order->kind == SWARM_ACTION_START)
        copy_set_running(world, copy, true);
    else
        remove_copy(world, copy);
    manager_will_hear(world, copy);
    return true;
}

static void arrive(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct order *order = subject;
    const struct engine *engine = order->engine;
    order->app->travelling--;
    if (engine_reachable(engine)) {
        bool done = carry_out(world, order);
        trace(world, "action %llu about %s arrives at engine %zu: %s %s", (unsigned long long)order->id,
              order->app->name, engine->number, done ? "done" : "refused",
              done && order->made != NULL ? order->made->id : "");
        after(world, travel_ms(world, engine), done ? answer : refuse, order);
    } else if (!engine->cut) {
        after(world, travel_ms(world, engine), refuse, order);
    }
    unref(order);
}

/** Right before it is sent the manager may ask whether it is wanted still. */
static void send(void *data, void *subject, uint64_t number)
{
    struct world *world = data;
    struct order *order = subject;
    if (waited_for(world, order)) {
        if (virtual_chance(&world->clock, 50) && !swarm_rescheduler_wanted(world->rescheduler, order->id)) {
            fail(world, order, "not wanted any more", true);
        } else {
            order->app->travelling++;
            after(world, travel_ms(world, order->engine), arrive, order);
            after(world, virtual_between(&world->clock, 15000, 40000), time_out, order);
        }
    }
    unref(order);
}

static void trace_action(struct world *world, const struct swarm_action *action, const struct order *order)
{
    if (action->kind == SWARM_ACTION_MOVE)
        trace(world, "action %llu: move %s to engine %zu", (unsigned long long)order->id, order->app->name,
              order->engine->number);
    else if (action->kind == SWARM_ACTION_START)
        trace(world, "action %llu: start %s of %s on engine %zu", (unsigned long long)order->id, order->made->id,
              order->app->name, order->engine->number);
    else
        trace(world, "action %llu: remove %s of %s from engine %zu, keep %s on engine %zu",
              (unsigned long long)order->id, order->subject->id, order->app->name, order->engine->number,
              swarm_container_id(action->kept), engine_of(swarm_container_node(action->kept))->number);
}

void order_begin(struct world *world, const struct swarm_action *action)
{
    struct order *order = must_allocate(sizeof(*order));
    const struct swarm_node *at = action->kind == SWARM_ACTION_MOVE    ? swarm_reservation_node(action->reservation)
                                  : action->kind == SWARM_ACTION_START ? swarm_container_node(action->kept)
                                                                       : swarm_container_node(action->container);
    order->id = action->id;
    order->term = action->term;
    order->life = world->life;
    order->kind = action->kind;
    order->start = action->start != 0;
    order->app = app_of(action->container);
    order->engine = engine_of(at);
    order->address = (size_t)(address_of(at) - order->engine->addresses);
    order->reservation = action->reservation;
    order->counted = action->kind == SWARM_ACTION_MOVE;
    if (action->kind == SWARM_ACTION_REMOVE)
        order->subject = copy_by_id(world, swarm_container_id(action->container));
    else if (action->kind == SWARM_ACTION_START)
        order->made = copy_by_id(world, swarm_container_id(action->kept));
    order->app->actions++;
    order->engine->addresses[order->address].moves_onto += order->counted;
    ++*(action->kind == SWARM_ACTION_REMOVE ? &world->removals_open : &world->moves_open);
    trace_action(world, action, order);
    if (action->term != world->term)
        breach(world, "action %llu is of term %llu", (unsigned long long)action->id, (unsigned long long)action->term);
    if (action->kind == SWARM_ACTION_REMOVE)
        check_removal(world, action);
    else
        check_move(world, action);
    after(world, virtual_between(&world->clock, 0, 20), send, order);
}

void orders_drop(struct world *world)
{
    for (size_t i = 0; i < world->clock.count; i++) {
        const struct virtual_event *event = &world->clock.heap[i];
        if (event->fn == send || event->fn == arrive || event->fn == answer || event->fn == refuse ||
            event->fn == time_out)
            unref(event->subject);
    }
}
