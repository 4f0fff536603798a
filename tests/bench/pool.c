/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

#define ZONES 10
#define NODES_A_RACK 20
#define SERVICES 100
#define NODES_A_PORT 3 /* on every third node, some container has host port 443 */

static const char *const images[] = {
    "redis:7", "nginx:1.25", "postgres:16", "registry.example/shop/web:2.1", "registry.example/shop/cart:2.1",
};
#define IMAGES (sizeof(images) / sizeof(images[0]))

void must(int code, struct swarm_error *error)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s\n", error ? swarm_error_message(error) : swarm_strerror(code));
    exit(1);
}

static uint64_t scramble(uint64_t x)
{
    x = (x ^ (x >> 31)) * UINT64_C(0x7fb5d329728ea185);
    x = (x ^ (x >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
    return x ^ (x >> 33);
}

void pool_id(char id[POOL_ID_LENGTH + 1], size_t number)
{
    uint64_t word = number + 1;
    for (size_t i = 0; i < POOL_ID_LENGTH; i++) {
        if (i % 16 == 0)
            word = scramble(word + i);
        id[i] = "0123456789abcdef"[word >> (4 * (i % 16)) & 15];
    }
    id[POOL_ID_LENGTH] = '\0';
}

static void set_labels(struct swarm_node *node, size_t number)
{
    char zone[32], rack[32];
    snprintf(zone, sizeof(zone), "zone-%zu", number % ZONES);
    snprintf(rack, sizeof(rack), "rack-%zu", number / NODES_A_RACK);
    const char *keys[] = {"operatingsystem", "rack", "storage", "zone"};
    const char *values[] = {"Debian GNU/Linux 12", rack, number % 2 ? "disk" : "ssd", zone};
    struct swarm_error *error = NULL;
    must(swarm_node_set_labels(node, keys, values, sizeof(keys) / sizeof(keys[0]), &error), error);
}

/* Three of the images on each node. */
static void set_images(struct swarm_node *node, size_t number, struct swarm_image *const *facts)
{
    const struct swarm_image *there[] = {facts[number % IMAGES], facts[(number + 1) % IMAGES],
                                         facts[(number + 2) % IMAGES]};
    struct swarm_error *error = NULL;
    must(swarm_node_set_images(node, there, 3, &error), error);
}

static void add_nodes(struct pool *pool, size_t nodes)
{
    struct swarm_error *error = NULL;
    struct swarm_image *facts[IMAGES];
    char id[POOL_ID_LENGTH + 1], name[32];
    for (size_t i = 0; i < IMAGES; i++) {
        pool_id(id, i);
        must(swarm_image_new(&facts[i], id, &error), error);
        must(swarm_image_add_tag(facts[i], images[i], &error), error);
    }
    size_t before = heap_bytes();
    for (size_t i = 0; i < nodes; i++) {
        struct swarm_node *node;
        pool_id(id, i);
        snprintf(name, sizeof(name), "node-%zu", i);
        must(swarm_cluster_add_node(pool->cluster, id, name, "192.0.2.1:2375", &node, &error), error);
        int64_t size = 1 + (int64_t)(i % 4);
        must(swarm_node_set_capacity(node, size * 32000, size << 37, &error), error);
        set_labels(node, i);
        set_images(node, i, facts);
    }
    pool->nodes = nodes;
    pool->node_bytes = heap_bytes() - before;
    for (size_t i = 0; i < IMAGES; i++)
        swarm_image_free(facts[i]);
}

/* Texts of its own, with the NUL of each. */
static void count_text(struct pool *pool, const char *text)
{
    pool->container_strings += strlen(text) + 1;
}

static void set_label(struct pool *pool, struct swarm_request *request, const char *key, const char *value)
{
    struct swarm_error *error = NULL;
    must(swarm_request_set_label(request, key, value, &error), error);
    count_text(pool, key);
    count_text(pool, value);
}

static struct swarm_request *new_request(struct pool *pool, size_t number)
{
    struct swarm_error *error = NULL;
    struct swarm_request *request;
    char text[POOL_ID_LENGTH + 1];
    must(swarm_request_new(&request, &error), error);
    size_t service = scramble(number) % SERVICES;
    snprintf(text, sizeof(text), "service-%zu.%zu", service, number);
    must(swarm_request_set_name(request, text, &error), error);
    count_text(pool, text);
    const char *image = images[service % IMAGES];
    must(swarm_request_set_image(request, image, &error), error);
    count_text(pool, image);
    pool_id(text, ~number);
    set_label(pool, request, "com.docker.swarm.id", text);
    snprintf(text, sizeof(text), "service-%zu", service);
    set_label(pool, request, "service", text);
    int64_t size = 1 + (int64_t)(scramble(number) >> 32) % 8;
    must(swarm_request_set_cpus_milli(request, size * 25, &error), error);
    must(swarm_request_set_memory(request, size << 26, &error), error);
    return request;
}

static void add_container(struct pool *pool, struct swarm_node *node, bool with_port)
{
    struct swarm_error *error = NULL;
    size_t number = pool->containers++;
    struct swarm_request *request = new_request(pool, number);
    if (with_port) {
        must(swarm_request_add_port(request, "443/tcp", "", "443", &error), error);
        count_text(pool, "443/tcp");
        count_text(pool, "");
        count_text(pool, "443");
    }
    char id[POOL_ID_LENGTH + 1];
    pool_id(id, number);
    count_text(pool, id);
    struct swarm_container *container;
    must(swarm_cluster_add_container(pool->cluster, node, id, request, &container, &error), error);
    must(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, &error), error);
    swarm_request_unref(request);
}

/* One round after the other over all nodes, as they come to be. */
static void add_containers(struct pool *pool, size_t each)
{
    size_t before = heap_bytes();
    for (size_t i = 0; i < each; i++) {
        size_t number = 0;
        struct swarm_node *node = NULL;
        while ((node = swarm_cluster_next_node(pool->cluster, node)))
            add_container(pool, node, i == 0 && number++ % NODES_A_PORT == 1);
    }
    pool->container_bytes = heap_bytes() - before;
}

void pool_init(struct pool *pool, size_t nodes, size_t containers_each)
{
    struct swarm_error *error = NULL;
    memset(pool, 0, sizeof(*pool));
    must(swarm_cluster_new(&pool->cluster, &error), error);
    add_nodes(pool, nodes);
    add_containers(pool, containers_each);
}

void pool_free(struct pool *pool)
{
    swarm_cluster_free(pool->cluster);
    memset(pool, 0, sizeof(*pool));
}
