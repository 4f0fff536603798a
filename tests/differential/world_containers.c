/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "translate.h"
#include "vocabulary.h"

void world_log_request(struct world *world, const struct oracle_request *request)
{
    world_log(world, " [name=%s swarm=%s net=%s cpus=%lld memory=%lld", request->name, request->swarm_id,
              request->network_mode, (long long)request->cpus_milli, (long long)request->memory);
    for (size_t i = 0; i < request->labels.count; i++)
        world_log(world, " label:%s='%s'", request->labels.items[i].key, request->labels.items[i].value);
    for (size_t i = 0; i < request->ports.count; i++)
        world_log(world, " port=%s:%s", request->ports.items[i].host_ip, request->ports.items[i].host_port);
    for (size_t i = 0; i < request->resources.count; i++)
        world_log(world, " %lld %s", (long long)request->resources.items[i].amount, request->resources.items[i].name);
    for (size_t i = 0; i < request->exposed.count; i++)
        world_log(world, " exposed=%s", request->exposed.items[i]);
    world_log(world, "]\n");
}

/* Whether the sums of a node would pass the greatest number. */
static bool too_much(const struct world *world, const struct oracle_node *node, const struct oracle_request *request)
{
    struct oracle_sums sums = oracle_sums(world->oracle, node);
    for (size_t i = 0; i < request->resources.count; i++)
        if (request->resources.items[i].amount >
            INT64_MAX - oracle_used(world->oracle, node, request->resources.items[i].name))
            return true;
    return request->cpus_milli > INT64_MAX - sums.cpus_milli || request->memory > INT64_MAX - sums.memory;
}

/* The place on that node for that swarm id; NULL where there is none. */
static struct place *place_for(struct world *world, const struct oracle_node *node, const char *swarm_id)
{
    for (size_t i = 0; *swarm_id && i < WORLD_PLACES; i++) {
        struct place *place = &world->places[i];
        if (place->node == node && place->container && *place->container->id == '\0' &&
            strcmp(place->container->request.swarm_id, swarm_id) == 0)
            return place;
    }
    return NULL;
}

static void add_container(struct world *world)
{
    struct oracle_node *node = world_any_node(world);
    struct oracle_request facts;
    const char *id = any_container_id(world);
    struct swarm_container *twin = NULL;
    int code;
    any_request(world, &facts);
    struct place *place = place_for(world, node, facts.swarm_id);
    int expected = oracle_find(world->oracle, node, id) ? SWARM_ERR_EXISTS
                   : too_much(world, node, &facts)      ? SWARM_ERR_INVALID
                                                        : 0;
    world_log(world, "add container %s on %s", id, node->id);
    world_log_request(world, &facts);
    struct swarm_request *request = request_for(world, &facts);
    if (!request)
        return;
    WORLD_CALL(world, code, swarm_cluster_add_container(world->cluster, node->twin, id, request, &twin, &world->error));
    swarm_request_unref(request);
    world_expect(world, "add container", code, expected);
    if (code != 0 || expected != 0)
        return;
    struct oracle_container *container = oracle_add_container(world->oracle, node, id, &facts);
    world_tie(container, twin);
    if (place) {
        world_forget(world, place->container);
        place->container = container;
    }
}

static void set_names(struct world *world, struct oracle_container *container)
{
    struct oracle_list names = {.count = world_draw(world, 4)};
    const char *given[ORACLE_ITEMS];
    int code;
    for (size_t i = 0; i < names.count; i++) {
        names.items[i] = any_name(world, i > 0);
        given[i] = world_draw(world, 2) ? names.items[i] : oracle_text(world->oracle, "/%s", names.items[i]);
        world_log(world, "%s%s", i ? ", " : "names ", given[i]);
    }
    world_log(world, " for %s on %s\n", container->id, container->node->id);
    WORLD_CALL(world, code, swarm_container_set_names(container->twin, given, names.count, &world->error));
    world_expect(world, "names", code, 0);
    container->names = names;
}

/* While both count for a moment they must not pass the greatest number either. */
static void set_request(struct world *world, struct oracle_container *container)
{
    struct oracle_request facts;
    int code;
    any_request(world, &facts);
    bool counts = !oracle_stopped(container) || !world->oracle->resources_excepted;
    world_log(world, "update container %s on %s", container->id, container->node->id);
    world_log_request(world, &facts);
    struct swarm_request *request = request_for(world, &facts);
    if (!request)
        return;
    bool unsure = counts && too_much(world, container->node, &facts);
    WORLD_CALL(world, code, swarm_container_set_request(container->twin, request, &world->error));
    swarm_request_unref(request);
    if (!unsure || code != SWARM_ERR_INVALID)
        world_expect(world, "update", code, 0);
    if (code == 0)
        container->request = facts;
}

static void set_bound(struct world *world, struct oracle_container *container)
{
    struct swarm_bound_port ports[ORACLE_ITEMS];
    int code;
    any_bound_ports(world, &container->bound);
    world_log(world, "bound ports of %s on %s:", container->id, container->node->id);
    for (size_t i = 0; i < container->bound.count; i++) {
        ports[i].host_ip = container->bound.items[i].host_ip;
        ports[i].host_port = container->bound.items[i].host_port;
        world_log(world, " %s:%s", ports[i].host_ip, ports[i].host_port);
    }
    world_log(world, "\n");
    WORLD_CALL(world, code,
               swarm_container_set_bound_ports(container->twin, ports, container->bound.count, &world->error));
    world_expect(world, "bound ports", code, 0);
}

static void set_state(struct world *world, struct oracle_container *container)
{
    int state = (int)world_draw(world, 6), before = container->state, code;
    bool came_back = oracle_stopped(container) && state < 4 && world->oracle->resources_excepted;
    int expected = came_back && too_much(world, container->node, &container->request) ? SWARM_ERR_INVALID : 0;
    world_log(world, "state of %s on %s: %d\n", container->id, container->node->id, state);
    WORLD_CALL(world, code, swarm_container_set_state(container->twin, state, &world->error));
    world_expect(world, "state", code, expected);
    container->state = expected == 0 ? state : before;
}

static void remove_container(struct world *world, struct oracle_container *container)
{
    world_log(world, "remove container %s on %s\n", container->id, container->node->id);
    swarm_cluster_remove_container(world->cluster, container->twin);
    world_forget(world, container);
}

void world_change_container(struct world *world)
{
    unsigned what = world_draw(world, 16);
    struct oracle_container *container = what < 8 ? NULL : world_any_container(world);
    if (!container)
        add_container(world);
    else if (what < 11)
        remove_container(world, container);
    else if (what == 11)
        set_names(world, container);
    else if (what == 12)
        set_request(world, container);
    else if (what < 15)
        set_state(world, container);
    else
        set_bound(world, container);
}

/* ---- places ---- */

static void reserve(struct world *world, struct place *place)
{
    struct oracle_node *node = world_any_node(world);
    struct oracle_request facts;
    int code;
    any_request(world, &facts);
    if (place_for(world, node, facts.swarm_id))
        facts.swarm_id = ""; /* which of two places a container takes is not said */
    int expected = too_much(world, node, &facts) ? SWARM_ERR_INVALID : 0;
    world_log(world, "reserve on %s", node->id);
    world_log_request(world, &facts);
    struct swarm_request *request = request_for(world, &facts);
    if (!request)
        return;
    WORLD_CALL(world, code,
               swarm_cluster_reserve(world->cluster, node->twin, request, &place->reservation, &world->error));
    swarm_request_unref(request);
    world_expect(world, "reserve", code, expected);
    if (code != 0 || expected != 0)
        return;
    place->node = node;
    place->container = oracle_add_container(world->oracle, node, "", &facts);
}

/* What becomes of the place when it ends without a container of its own. */
static void give_back(struct world *world, struct place *place)
{
    if (place->container && *place->container->id == '\0')
        world_forget(world, place->container);
    *place = (struct place){NULL, NULL, NULL};
}

static void commit(struct world *world, struct place *place)
{
    const char *id = world_draw(world, 20) ? any_container_id(world) : "";
    struct oracle_container *container = place->container;
    struct oracle_container *known = place->node ? oracle_find(world->oracle, place->node, id) : NULL;
    bool pending = container && *container->id == '\0';
    int expected = !*id ? SWARM_ERR_INVALID : !place->node || (!known && !pending) ? SWARM_ERR_STATE : 0, code;
    struct swarm_container *twin = NULL;
    world_log(world, "commit a place on %s as %s\n", place->node ? place->node->id : "a node that is gone", id);
    world_arm(world);
    code = swarm_reservation_commit(place->reservation, id, &twin, &world->error);
    bool failed = world->ops.disarm && world->ops.disarm(world->ops.data);
    if (failed && code == SWARM_ERR_NOMEM) {
        give_back(world, place); /* the reservation is gone, whatever is answered */
        return;
    }
    world_expect(world, "commit", code, expected);
    if (code == 0 && known && twin != known->twin)
        world_differ(world, "commit as %s gave another container than that of the id", id);
    if (code == 0 && expected == 0 && !known) {
        container->id = id;
        world_tie(container, twin);
    }
    give_back(world, place);
}

void world_change_place(struct world *world)
{
    struct place *place = &world->places[world_draw(world, WORLD_PLACES)];
    if (!place->reservation) {
        reserve(world, place);
        return;
    }
    if (swarm_reservation_node(place->reservation) != (place->node ? place->node->twin : NULL))
        world_differ(world, "a reservation says another node than it was made on");
    if (world_draw(world, 3)) {
        commit(world, place);
        return;
    }
    world_log(world, "abort a place on %s\n", place->node ? place->node->id : "a node that is gone");
    swarm_reservation_abort(place->reservation);
    give_back(world, place);
}

/* Whether nothing passes the greatest number where all containers count. */
static bool all_would_fit(struct world *world)
{
    struct oracle *oracle = world->oracle;
    bool fit = true;
    for (struct oracle_container *at = oracle->containers; at; at = at->next) {
        if (!oracle_stopped(at))
            continue;
        fit = fit && !too_much(world, at->node, &at->request);
        if (!fit)
            break;
        at->state += 16; /* it counts */
    }
    for (struct oracle_container *at = oracle->containers; at; at = at->next)
        at->state %= 16;
    return fit;
}

void world_except_stopped(struct world *world)
{
    struct oracle *oracle = world->oracle;
    int flags = (int)world_draw(world, 8), code;
    bool more = oracle->resources_excepted && (flags & SWARM_COUNT_RESOURCES);
    int expected = more && !all_would_fit(world) ? SWARM_ERR_INVALID : 0;
    world_log(world, "stopped containers count for %d\n", flags);
    WORLD_CALL(world, code, swarm_cluster_set_stopped_counts(world->cluster, flags, &world->error));
    world_expect(world, "what stopped containers count for", code, expected);
    if (expected != 0)
        return;
    oracle->ports_excepted = !(flags & SWARM_COUNT_PORTS);
    oracle->slots_excepted = !(flags & SWARM_COUNT_SLOTS);
    oracle->resources_excepted = !(flags & SWARM_COUNT_RESOURCES);
    if (swarm_cluster_stopped_counts(world->cluster) != flags)
        world_differ(world, "what stopped containers count for is %d", swarm_cluster_stopped_counts(world->cluster));
}

void world_hold(struct world *world)
{
    struct oracle_list *held = &world->oracle->held;
    const char *name = any_name(world, false);
    size_t at = 0;
    int code;
    while (at < held->count && strcmp(held->items[at], name) != 0)
        at++;
    if (at < held->count) {
        world_log(world, "release %s\n", name);
        swarm_cluster_release_name(world->cluster, name);
        held->items[at] = held->items[--held->count];
    } else if (held->count < ORACLE_ITEMS) {
        int expected = oracle_name_taken(world->oracle, name, NULL) ? SWARM_ERR_NAME_TAKEN : 0;
        world_log(world, "hold %s\n", name);
        WORLD_CALL(world, code, swarm_cluster_hold_name(world->cluster, name, &world->error));
        world_expect(world, "hold", code, expected);
        if (code == 0)
            held->items[held->count++] = name;
    } else {
        swarm_cluster_release_name(world->cluster, held->items[0]);
        held->items[0] = held->items[--held->count];
    }
}
