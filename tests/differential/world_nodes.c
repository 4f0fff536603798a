/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "vocabulary.h"

static size_t count_nodes(const struct world *world)
{
    size_t count = 0;
    for (const struct oracle_node *at = world->oracle->nodes; at; at = at->next)
        count++;
    return count;
}

static struct oracle_node *find_node(const struct world *world, const char *id)
{
    struct oracle_node *at = world->oracle->nodes;
    while (at && strcmp(at->id, id) != 0)
        at = at->next;
    return at;
}

static void remove_node(struct world *world)
{
    struct oracle_node *node = world_any_node(world);
    world_log(world, "remove node %s\n", node->id);
    swarm_cluster_remove_node(world->cluster, node->twin);
    for (size_t i = 0; i < WORLD_PLACES; i++)
        if (world->places[i].node == node)
            world->places[i].node = NULL;
    for (struct oracle_container *at = world->oracle->containers, *next; at; at = next) {
        next = at->next;
        if (at->node == node)
            world_forget(world, at);
    }
    oracle_remove_node(world->oracle, node);
}

static void set_labels(struct world *world, struct oracle_node *node)
{
    struct oracle_pairs labels;
    const char *keys[ORACLE_ITEMS], *values[ORACLE_ITEMS];
    int code;
    any_node_labels(world, &labels);
    world_log(world, "node %s: labels", node->id);
    for (size_t i = 0; i < labels.count; i++) {
        keys[i] = labels.items[i].key;
        values[i] = labels.items[i].value;
        world_log(world, " %s='%s'", keys[i], values[i]);
    }
    world_log(world, "\n");
    WORLD_CALL(world, code, swarm_node_set_labels(node->twin, keys, values, labels.count, &world->error));
    world_expect(world, "labels", code, 0);
    node->labels = labels;
}

static struct swarm_image *image_for(struct world *world, const struct oracle_image *from)
{
    struct swarm_image *image = NULL;
    int code;
    world_log(world, " %s", from->id);
    WORLD_CALL(world, code, swarm_image_new(&image, from->id, &world->error));
    world_expect(world, "image", code, 0);
    for (size_t i = 0; i < from->tags.count && code == 0; i++) {
        world_log(world, ",%s", from->tags.items[i]);
        WORLD_CALL(world, code, swarm_image_add_tag(image, from->tags.items[i], &world->error));
        world_expect(world, "tag", code, 0);
    }
    if (code == 0)
        WORLD_CALL(world, code, swarm_image_add_digest(image, "app@sha256:1", &world->error));
    return image;
}

static void set_images(struct world *world, struct oracle_node *node)
{
    struct swarm_image *images[ORACLE_ITEMS];
    int code;
    any_images(world, node);
    world_log(world, "node %s: images", node->id);
    for (size_t i = 0; i < node->image_count; i++)
        images[i] = image_for(world, &node->images[i]);
    world_log(world, "\n");
    WORLD_CALL(
        world, code,
        swarm_node_set_images(node->twin, (const struct swarm_image *const *)images, node->image_count, &world->error));
    world_expect(world, "images", code, 0);
    for (size_t i = 0; i < node->image_count; i++)
        swarm_image_free(images[i]);
}

static void set_capacity(struct world *world, struct oracle_node *node)
{
    static const int64_t cpus[] = {64000, 8000, 4000, 0, 1000, 1500, INT64_C(5000000000000000)};
    static const int64_t memory[] = {INT64_C(64) << 30, INT64_C(8) << 30, INT64_C(4) << 30, 512, 0, INT64_C(3) << 60};
    static const double ratios[] = {0, 0, 0.05, 0.1, -0.5, 1, 0.333};
    int code;
    node->cpus_milli = cpus[world_draw(world, 7)];
    node->memory = memory[world_draw(world, 6)];
    node->overcommit = 0;
    WORLD_CALL(world, code, swarm_node_set_overcommit(node->twin, 0, &world->error));
    world_expect(world, "overcommit", code, 0);
    WORLD_CALL(world, code, swarm_node_set_capacity(node->twin, node->cpus_milli, node->memory, &world->error));
    world_expect(world, "capacity", code, 0);
    if (node->memory <= INT64_C(64) << 30)
        node->overcommit = ratios[world_draw(world, 7)];
    WORLD_CALL(world, code, swarm_node_set_overcommit(node->twin, node->overcommit, &world->error));
    world_expect(world, "overcommit", code, 0);
    world_log(world, "node %s: %lld milli-CPU, %lld bytes, overcommit %g\n", node->id, (long long)node->cpus_milli,
              (long long)node->memory, node->overcommit);
}

static void set_resources(struct world *world, struct oracle_node *node)
{
    int code;
    any_resources(world, &node->resources);
    world_log(world, "node %s: resources", node->id);
    for (size_t i = 0; resource_names[i]; i++) {
        int64_t total = oracle_amount(&node->resources, resource_names[i]);
        world_log(world, " %lld %s", (long long)total, resource_names[i]);
        WORLD_CALL(world, code, swarm_node_set_resource(node->twin, resource_names[i], total, &world->error));
        world_expect(world, "resource", code, 0);
    }
    world_log(world, "\n");
}

static void set_health(struct world *world, struct oracle_node *node)
{
    static const int healths[] = {100, 100, 67, 0, 1, 34};
    int code;
    node->health = healths[world_draw(world, 6)];
    world_log(world, "node %s: health %d\n", node->id, node->health);
    WORLD_CALL(world, code, swarm_node_set_health(node->twin, node->health, &world->error));
    world_expect(world, "health", code, 0);
}

static void set_availability(struct world *world, struct oracle_node *node)
{
    int code;
    node->availability = world_draw(world, 3) ? 0 : (int)world_draw(world, 3);
    world_log(world, "node %s: availability %d\n", node->id, node->availability);
    WORLD_CALL(world, code, swarm_node_set_availability(node->twin, node->availability, &world->error));
    world_expect(world, "availability", code, 0);
}

static void rename_node(struct world *world, struct oracle_node *node)
{
    int code;
    node->name = any_node_name(world);
    world_log(world, "node %s: name %s\n", node->id, node->name);
    WORLD_CALL(world, code, swarm_node_set_name(node->twin, node->name, &world->error));
    world_expect(world, "name", code, 0);
    WORLD_CALL(world, code, swarm_node_set_address(node->twin, node->name, &world->error));
    world_expect(world, "address", code, 0);
}

static void add_node(struct world *world)
{
    const char *id = any_node_id(world), *name = any_node_name(world);
    struct swarm_node *twin = NULL;
    bool exists = find_node(world, id) != NULL;
    int code;
    world_log(world, "add node %s (%s)\n", id, name);
    WORLD_CALL(world, code, swarm_cluster_add_node(world->cluster, id, name, "10.0.0.1:1", &twin, &world->error));
    world_expect(world, "add node", code, exists ? SWARM_ERR_EXISTS : 0);
    if (code != 0 || exists)
        return;
    struct oracle_node *node = oracle_add_node(world->oracle, id, name);
    node->twin = twin;
    if (world_draw(world, 8) == 0)
        return;
    set_capacity(world, node);
    set_labels(world, node);
    set_images(world, node);
    set_resources(world, node);
}

void world_change_node(struct world *world)
{
    size_t count = count_nodes(world);
    unsigned what = world_draw(world, 16);
    if (count == 0 || (count < ORACLE_NODES && (what < 4 || (count < 4 && what < 8))))
        add_node(world);
    else if (what == 4)
        remove_node(world);
    else if (what < 8)
        set_labels(world, world_any_node(world));
    else if (what < 10)
        set_images(world, world_any_node(world));
    else if (what == 12)
        set_resources(world, world_any_node(world));
    else if (what < 13)
        set_capacity(world, world_any_node(world));
    else if (what == 13)
        set_health(world, world_any_node(world));
    else if (what == 14)
        set_availability(world, world_any_node(world));
    else
        rename_node(world, world_any_node(world));
}
