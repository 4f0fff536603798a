/* SPDX-License-Identifier: Apache-2.0 */
#include "rebuild.h"

#include <stdlib.h>

#include "container.h"

static void copy_container(struct swarm_node *to, struct swarm_container *from)
{
    struct swarm_container *made = NULL;
    assert_int_equal(swarm_cluster_add_container(to->cluster, to, from->id, from->request, &made, NULL), 0);
    assert_int_equal(swarm_container_set_state(made, from->state, NULL), 0);
    const char *names[8];
    size_t count = 0;
    for (const struct swarm__name *name = from->names; name; name = name->next)
        names[count++] = name->text;
    assert_int_equal(swarm_container_set_names(made, names, count, NULL), 0);
    struct swarm_bound_port bound[8];
    for (uint32_t i = 0; i < from->bound_count; i++)
        bound[i] = (struct swarm_bound_port){from->bound[i].host_ip, from->bound[i].host_port};
    assert_int_equal(swarm_container_set_bound_ports(made, bound, from->bound_count, NULL), 0);
}

/* Each text of an image as the id of one: decisions do not tell them apart. */
static void copy_images(struct swarm_node *to, const struct swarm_node *from)
{
    struct swarm_image **images = calloc(from->image_count + 1, sizeof(struct swarm_image *));
    for (size_t i = 0; i < from->image_count; i++)
        assert_int_equal(swarm_image_new(&images[i], from->images[i], NULL), 0);
    assert_int_equal(swarm_node_set_images(to, (const struct swarm_image *const *)images, from->image_count, NULL), 0);
    for (size_t i = 0; i < from->image_count; i++)
        swarm_image_free(images[i]);
    free(images);
}

static void copy_node(struct swarm_cluster *to, const struct swarm_node *node)
{
    struct swarm_node *copy = add_node(to, node->id, node->name->text);
    const char *keys[16], *values[16];
    for (size_t i = 0; i < node->label_count; i++)
        swarm_node_label_at(node, i, &keys[i], &values[i]);
    assert_int_equal(swarm_node_set_labels(copy, keys, values, node->label_count, NULL), 0);
    assert_int_equal(swarm_node_set_capacity(copy, node->cpus_milli, node->memory_bytes, NULL), 0);
    assert_int_equal(swarm_node_set_health(copy, swarm_node_health(node), NULL), 0);
    const char *resource;
    int64_t total;
    for (size_t i = 0; swarm_node_resource_at(node, i, &resource, &total, NULL); i++)
        assert_int_equal(swarm_node_set_resource(copy, resource, total, NULL), 0);
    copy_images(copy, node);
    for (struct swarm_container *at = node->containers.first; at; at = at->next)
        copy_container(copy, at);
    struct swarm_reservation *place;
    for (struct swarm_container *at = node->pending.first; at; at = at->next)
        assert_int_equal(swarm_cluster_reserve(to, copy, at->request, &place, NULL), 0);
}

struct swarm_cluster *rebuilt(const struct swarm_cluster *cluster)
{
    struct swarm_cluster *fresh = new_cluster();
    assert_int_equal(swarm_cluster_set_stopped_counts(fresh, swarm_cluster_stopped_counts(cluster), NULL), 0);
    for (const struct swarm_node *node = cluster->first_node; node; node = node->next)
        copy_node(fresh, node);
    return fresh;
}
