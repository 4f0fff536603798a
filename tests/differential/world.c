/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vocabulary.h"

void world_note_destroyed(void *data)
{
    *(bool *)data = true;
}

void world_init(struct world *world, const struct world_ops *ops)
{
    int code;
    memset(world, 0, sizeof(*world));
    world->ops = *ops;
    world->oracle = oracle_new();
    WORLD_CALL(world, code, swarm_cluster_new(&world->cluster, &world->error));
    world_expect(world, "new cluster", code, 0);
    kit_check(code == 0);
    swarm_cluster_set_container_destroy(world->cluster, world_note_destroyed);
    world->patterns = world_draw(world, 4) == 0;
}

void world_finish(struct world *world)
{
    for (size_t i = 0; i < WORLD_PLACES && !world->differs; i += 2)
        swarm_reservation_abort(world->places[i].reservation);
    swarm_cluster_free(world->cluster); /* with the reservations that are left */
    swarm_error_free(world->error);
    for (struct oracle_container *at = world->oracle->containers; at; at = at->next)
        free(at->flag);
    oracle_free(world->oracle);
}

unsigned world_draw(struct world *world, unsigned below)
{
    return below > 1 ? world->ops.draw(world->ops.data, below) : 0;
}

void world_differ(struct world *world, const char *format, ...)
{
    va_list arguments;
    if (world->differs)
        return; /* the first is the one to look at */
    world->differs = true;
    va_start(arguments, format);
    vsnprintf(world->difference, sizeof(world->difference), format, arguments);
    va_end(arguments);
}

void world_arm(struct world *world)
{
    swarm_error_free(world->error);
    world->error = NULL;
    if (world->cluster)
        world->generation = swarm_cluster_generation(world->cluster);
    if (world->ops.arm)
        world->ops.arm(world->ops.data);
}

bool world_again(struct world *world, int code)
{
    bool failed = world->ops.disarm && world->ops.disarm(world->ops.data);
    if (swarm_error_code(world->error) != code)
        world_differ(world, "code %d with an error of code %d: %s", code, swarm_error_code(world->error),
                     swarm_error_message(world->error));
    if (code != SWARM_ERR_NOMEM)
        return false;
    if (!failed)
        world_differ(world, "out of memory, though there was enough");
    if (world->cluster && swarm_cluster_generation(world->cluster) != world->generation)
        world_differ(world, "the cluster has changed, though memory ran out");
    return !world->differs;
}

void world_expect(struct world *world, const char *what, int code, int expected)
{
    if (code != expected)
        world_differ(world, "%s: %d (%s), but %d (%s) is expected", what, code, swarm_error_message(world->error),
                     expected, swarm_strerror(expected));
}

struct oracle_node *world_any_node(struct world *world)
{
    unsigned count = 0;
    for (struct oracle_node *at = world->oracle->nodes; at; at = at->next)
        count++;
    struct oracle_node *node = world->oracle->nodes;
    for (unsigned i = world_draw(world, count); i > 0; i--)
        node = node->next;
    return node;
}

struct oracle_container *world_any_container(struct world *world)
{
    unsigned count = 0;
    for (struct oracle_container *at = world->oracle->containers; at; at = at->next)
        count += *at->id != '\0';
    unsigned left = count > 0 ? world_draw(world, count) : 0;
    for (struct oracle_container *at = world->oracle->containers; at; at = at->next)
        if (*at->id != '\0' && left-- == 0)
            return at;
    return NULL;
}

void world_forget(struct world *world, struct oracle_container *container)
{
    if (container->flag && !*container->flag)
        world_differ(world, "nobody was told that container %s is gone", container->id);
    for (size_t i = 0; i < WORLD_PLACES; i++)
        if (world->places[i].container == container)
            world->places[i].container = NULL;
    free(container->flag);
    oracle_remove_container(world->oracle, container);
}

void world_tie(struct oracle_container *container, struct swarm_container *twin)
{
    container->twin = twin;
    free(container->flag);
    container->flag = calloc(1, sizeof(*container->flag));
    kit_check(container->flag != NULL);
    swarm_container_set_data(twin, container->flag);
}

static void compare_container(struct world *world, const struct oracle_container *container)
{
    const struct swarm_container *twin = container->twin;
    const char *name = container->names.count > 0 ? container->names.items[0] : "";
    if (*container->flag)
        world_differ(world, "container %s was said to be gone", container->id);
    else if (strcmp(swarm_container_id(twin), container->id) != 0 || strcmp(swarm_container_name(twin), name) != 0 ||
             strcmp(swarm_container_swarm_id(twin), container->request.swarm_id) != 0 ||
             swarm_container_node(twin) != container->node->twin || swarm_container_state(twin) != container->state ||
             swarm_cluster_find_container(world->cluster, container->node->twin, container->id) != twin)
        world_differ(world, "container %s/%s: the library has it as %s/%s", container->id, name,
                     swarm_container_id(twin), swarm_container_name(twin));
}

static void compare_resources(struct world *world, const struct oracle_node *node)
{
    for (size_t i = 0; resource_names[i]; i++) {
        long long total = swarm_node_resource_total(node->twin, resource_names[i]);
        long long used = swarm_node_resource_used(node->twin, resource_names[i]);
        if (total != oracle_amount(&node->resources, resource_names[i]) ||
            used != oracle_used(world->oracle, node, resource_names[i]))
            world_differ(world, "node %s: library has %lld of %lld %s used, oracle %lld of %lld", node->id, used, total,
                         resource_names[i], (long long)oracle_used(world->oracle, node, resource_names[i]),
                         (long long)oracle_amount(&node->resources, resource_names[i]));
    }
}

static void compare_node(struct world *world, const struct oracle_node *node)
{
    const struct swarm_node *twin = node->twin;
    struct oracle_sums sums = oracle_sums(world->oracle, node);
    if (swarm_node_used_cpus_milli(twin) != sums.cpus_milli || swarm_node_used_memory(twin) != sums.memory ||
        swarm_node_total_cpus_milli(twin) != sums.total_cpus_milli ||
        swarm_node_total_memory(twin) != sums.total_memory || swarm_node_container_count(twin) != sums.containers)
        world_differ(world,
                     "node %s: library has %lld/%lld milli-CPU, %lld/%lld bytes, %zu containers; oracle %lld/%lld, "
                     "%lld/%lld, %zu",
                     node->id, (long long)swarm_node_used_cpus_milli(twin),
                     (long long)swarm_node_total_cpus_milli(twin), (long long)swarm_node_used_memory(twin),
                     (long long)swarm_node_total_memory(twin), swarm_node_container_count(twin),
                     (long long)sums.cpus_milli, (long long)sums.total_cpus_milli, (long long)sums.memory,
                     (long long)sums.total_memory, sums.containers);
    if (strcmp(swarm_node_name(twin), node->name) != 0 || swarm_node_health(twin) != node->health ||
        swarm_node_availability(twin) != node->availability ||
        swarm_cluster_find_node(world->cluster, node->id) != twin)
        world_differ(world, "node %s: name, health or availability differ", node->id);
    compare_resources(world, node);
}

void world_compare(struct world *world)
{
    size_t nodes = 0, containers = 0;
    for (const struct oracle_node *at = world->oracle->nodes; at; at = at->next, nodes++)
        compare_node(world, at);
    for (const struct oracle_container *at = world->oracle->containers; at; at = at->next) {
        if (*at->id == '\0')
            continue;
        compare_container(world, at);
        containers++;
    }
    if (swarm_cluster_node_count(world->cluster) != nodes ||
        swarm_cluster_container_count(world->cluster) != containers)
        world_differ(world, "library has %zu nodes and %zu containers, oracle %zu and %zu",
                     swarm_cluster_node_count(world->cluster), swarm_cluster_container_count(world->cluster), nodes,
                     containers);
}

void world_step(struct world *world)
{
    if (world->differs)
        return;
    unsigned what = world_draw(world, 32);
    if (what == 31 && world_draw(world, 4) == 0)
        world_reload(world);
    else if (!world->oracle->nodes || what < 6)
        world_change_node(world);
    else if (what < 14)
        world_change_container(world);
    else if (what < 19)
        world_change_place(world);
    else if (what < 20)
        world_draw(world, 2) ? world_hold(world) : world_except_stopped(world);
    else if (what < 22)
        world_look_up(world);
    else if (what < 23)
        world_batch(world);
    else
        world_decide(world);
    world_compare(world);
}
