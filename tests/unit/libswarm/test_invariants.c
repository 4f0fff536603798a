/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "container.h"
#include "fixture.h"
#include "rebuild.h"
#include "reservation.h"

/*
 * Random changes, and after each round everything that is kept up to date step by step must equal what a fresh cluster
 * has that is built from the facts. The seed is printed; give it as the argument to see a failure again.
 */

#define NODES 12
#define PLACES 16
#define STEPS 6000
#define ROUND 50

static uint64_t random_state;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static struct swarm_cluster *cluster;
static struct swarm_scheduler *scheduler;
static struct swarm_reservation *places[PLACES];
static int next_id;

static struct swarm_request *random_request(void)
{
    static const char *const words[] = {"label=app=web",
                                        "label=app=db",
                                        "label=tier=front",
                                        "port=80",
                                        "port=81",
                                        "port=10.0.0.1:80",
                                        "cpus=1",
                                        "memory=1",
                                        "net=host",
                                        "expose=80/tcp",
                                        "expose=53/udp",
                                        "constraint=zone==a",
                                        "affinity=app!=web",
                                        "port=",
                                        "resource=gpu:1",
                                        "resource=disk:30",
                                        "label=empty="};
    char text[256] = "";
    for (unsigned i = draw(5); i > 0; i--) {
        strcat(text, words[draw(COUNT(words))]);
        strcat(text, " ");
    }
    if (draw(3) == 0)
        sprintf(text + strlen(text), "swarmid=s%u ", draw(30));
    if (draw(3) == 0)
        sprintf(text + strlen(text), "name=w%u", draw(20));
    return request_of(text);
}

static struct swarm_node *random_node(void)
{
    struct swarm_node *node = NULL;
    for (unsigned i = draw((unsigned)swarm_cluster_node_count(cluster)) + 1; i > 0; i--)
        node = swarm_cluster_next_node(cluster, node);
    return node;
}

static struct swarm_container *random_container(void)
{
    struct swarm_node *node = random_node();
    if (swarm_node_container_count(node) == 0)
        return NULL;
    struct swarm_container *container = NULL;
    for (unsigned i = draw((unsigned)swarm_node_container_count(node)) + 1; i > 0; i--)
        container = swarm_node_next_container(node, container);
    return container;
}

static void change_node(void)
{
    static const char *const labels[] = {"zone=a", "zone=b rack=1", "", "containerslots=3", "zone=a containerslots=x"};
    if (swarm_cluster_node_count(cluster) < 3 || (draw(3) == 0 && swarm_cluster_node_count(cluster) < NODES)) {
        char id[32];
        sprintf(id, "node-%d", next_id++);
        label_node(add_sized_node(cluster, id, 4, 4), labels[draw(COUNT(labels))]);
        return;
    }
    struct swarm_node *node = random_node();
    switch (draw(6)) {
    case 0:
        swarm_cluster_remove_node(cluster, node);
        break;
    case 1:
        label_node(node, labels[draw(COUNT(labels))]);
        break;
    case 2:
        add_image_to(node, draw(2) ? "sha256:1" : "sha256:2", draw(2) ? "app:1 app:2" : "db:1");
        break;
    case 3:
        swarm_node_set_resource(node, draw(2) ? "gpu" : "disk", draw(4) * 30, NULL);
        break;
    case 4:
        swarm_node_set_health(node, (int)draw(3) * 50, NULL);
        break;
    default:
        swarm_node_set_name(node, draw(2) ? "same" : "other", NULL);
        break;
    }
}

static void change_container(void)
{
    struct swarm_container *container = random_container();
    if (!container || draw(3) == 0) {
        char id[32];
        sprintf(id, "id%u", draw(60));
        struct swarm_request *request = random_request();
        swarm_cluster_add_container(cluster, random_node(), id, request, NULL, NULL);
        swarm_request_unref(request);
        return;
    }
    struct swarm_request *request = random_request();
    struct swarm_bound_port bound[] = {{"", "80"}, {"10.0.0.1", "81"}, {"", "0"}};
    const char *names[] = {"w1", "w2", "w3/alias"};
    switch (draw(6)) {
    case 0:
        swarm_cluster_remove_container(cluster, container);
        break;
    case 1:
        assert_int_equal(swarm_container_set_request(container, request, NULL), 0);
        break;
    case 2:
        assert_int_equal(swarm_container_set_names(container, names + draw(2), draw(3), NULL), 0);
        break;
    case 3:
        assert_int_equal(swarm_container_set_state(container, (int)draw(SWARM_CONTAINER_DEAD + 1), NULL), 0);
        break;
    case 4:
        assert_int_equal(swarm_cluster_set_stopped_counts(cluster, (int)draw(SWARM_COUNT_ALL + 1), NULL), 0);
        break;
    default:
        assert_int_equal(swarm_container_set_bound_ports(container, bound, draw(4), NULL), 0);
        break;
    }
    swarm_request_unref(request);
}

static void change_place(void)
{
    struct swarm_reservation **place = &places[draw(PLACES)];
    if (!*place) {
        struct swarm_request *request = random_request();
        struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
        options.seed = draw(1000);
        swarm_scheduler_place(scheduler, cluster, request, &options, place, NULL);
        swarm_request_unref(request);
    } else if (draw(2)) {
        swarm_reservation_abort(*place);
        *place = NULL;
    } else {
        char id[32];
        sprintf(id, "id%u", draw(60));
        swarm_reservation_commit(*place, id, NULL, NULL);
        *place = NULL;
    }
}

/* What the indexes answer, beyond the sums in the slots: a few decisions and look-ups. */
static void check_answers(const struct swarm_cluster *fresh)
{
    static const char *const questions[] = {"port=80",
                                            "port=10.0.0.1:81",
                                            "affinity=app==web",
                                            "affinity=app!=/^$/",
                                            "constraint=zone==a",
                                            "constraint=node==same",
                                            "affinity=container==w1",
                                            "affinity=container==/^id1/",
                                            "net=host expose=80/tcp",
                                            "link=w2",
                                            "volumes=id1",
                                            "volumes=s1",
                                            "resource=gpu:1",
                                            "resource=disk:60 resource=gpu:2",
                                            "cpus=1 memory=1"};
    for (size_t i = 0; i < COUNT(questions); i++)
        for (uint64_t seed = 0; seed < 2; seed++) {
            char *incremental = strdup(planned(cluster, "spread", questions[i], seed));
            const char *rebuilt = planned(fresh, "spread", questions[i], seed);
            if (strcmp(incremental, rebuilt) != 0)
                fail_msg("%s: %s, rebuilt %s", questions[i], incremental, rebuilt);
            free(incremental);
        }
    for (unsigned i = 0; i < 60; i++) {
        static const char *const kinds[] = {"id", "w", "s"};
        char reference[32];
        sprintf(reference, "%s%u", kinds[i % 3], i / 2);
        struct swarm_container *a = NULL, *b = NULL;
        int code = swarm_cluster_look_up(cluster, reference, &a, NULL);
        assert_int_equal(code, swarm_cluster_look_up(fresh, reference, &b, NULL));
        if (code == 0 && strcmp(a->id, b->id) != 0 && strcmp(a->by_swarm_id.key, b->by_swarm_id.key) != 0)
            fail_msg("%s: %s, rebuilt %s", reference, a->id, b->id);
    }
}

static void check_resources(const struct swarm_node *node, const struct swarm_node *copy)
{
    const char *name, *other;
    int64_t total, used, other_total, other_used;
    size_t i = 0;
    for (; swarm_node_resource_at(node, i, &name, &total, &used); i++) {
        assert_int_equal(swarm_node_resource_at(copy, i, &other, &other_total, &other_used), 1);
        assert_string_equal(name, other);
        assert_true(total == other_total && used == other_used);
    }
    assert_int_equal(swarm_node_resource_at(copy, i, NULL, NULL, NULL), 0);
}

static void check_against_rebuilt(void)
{
    struct swarm_cluster *fresh = rebuilt(cluster);
    const struct swarm_node *copy = NULL;
    for (const struct swarm_node *node = cluster->first_node; node; node = node->next) {
        copy = swarm_cluster_next_node(fresh, copy);
        const struct swarm__slot *a = swarm__node_slot(node), *b = swarm__node_slot(copy);
        assert_true(a->used_cpus == b->used_cpus);
        assert_true(a->used_memory == b->used_memory);
        assert_int_equal(a->containers, b->containers);
        assert_true(a->open_limit == b->open_limit);
        assert_int_equal(node->containers.count, copy->containers.count);
        check_resources(node, copy);
    }
    assert_int_equal(swarm_cluster_container_count(cluster), swarm_cluster_container_count(fresh));
    assert_int_equal(cluster->container_names.count, fresh->container_names.count);
    check_answers(fresh);
    swarm_cluster_free(fresh);
}

static void test_kept_up_to_date_equals_rebuilt(void **state)
{
    cluster = new_cluster();
    scheduler = new_scheduler("spread", "health port containerslots dependency affinity");
    for (int i = 0; i < 3; i++)
        change_node();
    for (int step = 0; step < STEPS; step++) {
        unsigned what = draw(10);
        if (what < 2)
            change_node();
        else if (what < 7)
            change_container();
        else
            change_place();
        if (step % ROUND == 0)
            check_against_rebuilt();
    }
    for (size_t i = 0; i < PLACES; i++)
        swarm_reservation_abort(places[i]);
    while (cluster->first_node)
        swarm_cluster_remove_node(cluster, cluster->first_node);
    assert_int_equal(cluster->node_labels.keys.count, 0);
    assert_int_equal(cluster->container_labels.keys.count, 0);
    assert_int_equal(cluster->images.keys.count, 0);
    assert_int_equal(cluster->ports.keys.count, 0);
    assert_int_equal(cluster->host_exposed.keys.count, 0);
    assert_int_equal(cluster->resources.count, 0);
    assert_int_equal(cluster->container_names.count, 0);
    assert_null(cluster->container_ids.root);
    assert_null(cluster->swarm_ids.root);
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
}

int main(int argc, char **argv)
{
    random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : 20260101;
    printf("seed %llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_up_to_date_equals_rebuilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
