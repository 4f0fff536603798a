/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "vocabulary.h"

/* The library's cluster is written down, read again and from then on replaced by what was read, so that all that
 * follows is asked of it. Reservations that are about nothing any more are not part of a state: they are ended first.
 */

static void end_stale_places(struct world *world)
{
    for (size_t i = 0; i < WORLD_PLACES; i++) {
        struct place *place = &world->places[i];
        if (!place->reservation || (place->container && *place->container->id == '\0'))
            continue;
        swarm_reservation_abort(place->reservation);
        *place = (struct place){NULL, NULL, NULL};
    }
}

static char *written(struct world *world, const struct swarm_cluster *cluster)
{
    char *text = NULL;
    size_t length = 0;
    int code;
    WORLD_CALL(world, code, swarm_cluster_write(cluster, &text, &length, &world->error));
    world_expect(world, "write", code, 0);
    if (code == 0 && strlen(text) != length)
        world_differ(world, "a state of %zu bytes is said to have %zu", strlen(text), length);
    return text;
}

/* Whether two requests are the same to the library. */
static bool same_request(struct world *world, const struct swarm_request *a, const struct swarm_request *b)
{
    char *first = NULL, *second = NULL;
    int code;
    WORLD_CALL(world, code, swarm_request_write(a, &first, NULL, &world->error));
    world_expect(world, "write a request", code, 0);
    WORLD_CALL(world, code, swarm_request_write(b, &second, NULL, &world->error));
    world_expect(world, "write a request", code, 0);
    bool same = first && second && strcmp(first, second) == 0;
    swarm_free(first);
    swarm_free(second);
    return same;
}

static bool is_used(const struct world *world, const struct swarm_reservation *reservation, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (world->places[i].reservation == reservation)
            return true;
    return false;
}

/* The reservation of a place in the cluster that was read. */
static struct swarm_reservation *counterpart(struct world *world, size_t index, const struct swarm_cluster *fresh)
{
    const struct place *place = &world->places[index];
    struct swarm_reservation *at = NULL;
    while ((at = swarm_cluster_next_reservation(fresh, at)))
        if (strcmp(swarm_node_id(swarm_reservation_node(at)), place->node->id) == 0 && !is_used(world, at, index) &&
            same_request(world, swarm_reservation_request(at), swarm_reservation_request(place->reservation)))
            return at;
    return NULL;
}

static void find_places(struct world *world, const struct swarm_cluster *fresh)
{
    size_t wanted = 0, found = 0;
    for (struct swarm_reservation *at = NULL; (at = swarm_cluster_next_reservation(fresh, at));)
        found++;
    for (size_t i = 0; i < WORLD_PLACES && !world->differs; i++) {
        if (!world->places[i].reservation)
            continue;
        wanted++;
        struct swarm_reservation *other = counterpart(world, i, fresh);
        if (!other)
            world_differ(world, "a reservation on %s is not in what was read", world->places[i].node->id);
        else
            world->places[i].reservation = other; /* the old one goes with its cluster */
    }
    if (wanted != found)
        world_differ(world, "%zu reservations were written, %zu are in what was read", wanted, found);
}

static void find_twins(struct world *world, const struct swarm_cluster *fresh)
{
    for (struct oracle_node *at = world->oracle->nodes; at; at = at->next)
        if (!(at->twin = swarm_cluster_find_node(fresh, at->id)))
            world_differ(world, "node %s is not in what was read", at->id);
    for (struct oracle_container *at = world->oracle->containers; at && !world->differs; at = at->next) {
        if (*at->id == '\0')
            continue;
        struct swarm_container *twin = swarm_cluster_find_container(fresh, at->node->twin, at->id);
        if (!twin)
            world_differ(world, "container %s is not in what was read", at->id);
        else
            world_tie(at, twin);
    }
}

/* Which node a seed gives must not depend on how the cluster came about. */
static void compare_choices(struct world *world, const struct swarm_cluster *fresh)
{
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_request *request = NULL;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    kit_check(swarm_scheduler_new(&scheduler, NULL, NULL) == 0 && swarm_request_new(&request, NULL) == 0);
    for (options.seed = 0; options.seed < 4; options.seed++) {
        struct swarm_decision *a = NULL, *b = NULL;
        int code = swarm_scheduler_plan(scheduler, world->cluster, request, &options, &a, NULL);
        if (swarm_scheduler_plan(scheduler, fresh, request, &options, &b, NULL) != code)
            world_differ(world, "a plan ended with %d before and otherwise on what was read", code);
        else if (code == 0 && strcmp(swarm_node_id(swarm_decision_node(a)), swarm_node_id(swarm_decision_node(b))) != 0)
            world_differ(world, "seed %llu chose %s before and %s on what was read", (unsigned long long)options.seed,
                         swarm_node_id(swarm_decision_node(a)), swarm_node_id(swarm_decision_node(b)));
        swarm_decision_free(a);
        swarm_decision_free(b);
    }
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

void world_reload(struct world *world)
{
    struct swarm_cluster *fresh = NULL;
    char *text, *again = NULL;
    int code = 0;
    world_log(world, "write the state down and go on with what is read of it\n");
    end_stale_places(world);
    text = written(world, world->cluster);
    if (text)
        WORLD_CALL(world, code, swarm_cluster_read(&fresh, text, strlen(text), &world->error));
    world_expect(world, "read", code, 0);
    if (fresh)
        again = written(world, fresh);
    if (again && strcmp(text, again) != 0)
        world_differ(world, "what was read of a state is written otherwise:\n%.2000s\n%.2000s", text, again);
    if (again && !world->differs) {
        compare_choices(world, fresh);
        find_places(world, fresh);
        swarm_cluster_free(world->cluster);
        world->cluster = fresh;
        swarm_cluster_set_container_destroy(fresh, world_note_destroyed);
        find_twins(world, fresh);
    } else {
        swarm_cluster_free(fresh);
    }
    swarm_free(text);
    swarm_free(again);
}
