/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

/*
 * Random clusters, written and read: the copy is written as the same text, and each request gets the same answer on
 * both, now and after the same further changes. The seed is printed; give it as the argument to see a failure again.
 */

#define CLUSTERS 120
#define QUESTIONS 25

static uint64_t random_state;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static const char *pick(const char *const *words, size_t count)
{
    return words[draw((unsigned)count)];
}

static const char *const shapes[] = {"cpus=1",
                                     "cpus=2 memory=1",
                                     "memory=3",
                                     "resource=gpu:1",
                                     "resource=gpu:2 resource=licence:1",
                                     "label=app=web",
                                     "label=app=db label=tier=back",
                                     "port=80",
                                     "port=10.0.0.1:81",
                                     "port=8000-8010",
                                     "net=host expose=80/tcp",
                                     "expose=53/udp",
                                     "kept=1bad==x",
                                     "constraint=zone==a",
                                     "constraint=zone==~b",
                                     "affinity=app!=web",
                                     "whitelist=node==n1|n2|n3|n4"};
static const char *const wishes[] = {"affinity=app==web",
                                     "affinity=app==~/^d/",
                                     "affinity=container==c1*",
                                     "affinity=image==app",
                                     "affinity=image!=app:2",
                                     "constraint=zone!=a",
                                     "constraint=node==/^n[1-4]$/",
                                     "constraint=rack==~/x$/",
                                     "volumes=w1",
                                     "link=w2:alias",
                                     "net=container:w3"};

static struct swarm_request *random_request(bool wish)
{
    char text[512] = "";
    for (unsigned i = draw(4); i > 0; i--) {
        strcat(text, pick(shapes, COUNT(shapes)));
        strcat(text, " ");
    }
    if (wish && draw(2)) {
        strcat(text, pick(wishes, COUNT(wishes)));
        strcat(text, " ");
    }
    if (draw(3) == 0)
        sprintf(text + strlen(text), "swarmid=s%u ", draw(30));
    if (draw(3) == 0)
        sprintf(text + strlen(text), "name=w%u", draw(40));
    return request_of(text);
}

static struct swarm_node *random_node(const struct swarm_cluster *cluster)
{
    struct swarm_node *node = NULL;
    for (unsigned i = draw((unsigned)swarm_cluster_node_count(cluster)) + 1; i > 0; i--)
        node = swarm_cluster_next_node(cluster, node);
    return node;
}

static void random_node_facts(struct swarm_node *node)
{
    static const char *const labels[] = {"zone=a", "zone=b rack=x", "", "containerslots=3", "zone=a containerslots=x"};
    static const char *const images[] = {"app:1", "app:1 app:2", "db:1", ""};
    label_node(node, pick(labels, COUNT(labels)));
    add_image_to(node, draw(2) ? "sha256:1" : "sha256:2", pick(images, COUNT(images)));
    assert_int_equal(swarm_node_set_resource(node, "gpu", draw(5), NULL), 0);
    assert_int_equal(swarm_node_set_resource(node, "licence", draw(2), NULL), 0);
    assert_int_equal(swarm_node_set_overcommit(node, draw(3) * 0.07 - 0.05, NULL), 0);
    assert_int_equal(swarm_node_set_health(node, (int)draw(4) * 33, NULL), 0);
    if (draw(6) == 0)
        assert_int_equal(swarm_node_set_availability(node, (int)draw(3), NULL), 0);
}

static void random_container(struct swarm_node *node, struct swarm_cluster *cluster)
{
    static const struct swarm_bound_port bound[] = {{"", "80"}, {"10.0.0.1", "81"}, {"::", "82"}};
    struct swarm_request *request = random_request(false);
    struct swarm_container *container = NULL;
    char id[16];
    sprintf(id, "c%u", draw(100));
    if (swarm_cluster_add_container(cluster, node, id, request, &container, NULL) == 0) {
        assert_int_equal(swarm_container_set_state(container, (int)draw(6), NULL), 0);
        if (draw(4) == 0)
            assert_int_equal(swarm_container_set_bound_ports(container, bound, draw(4), NULL), 0);
        if (draw(5) == 0)
            assert_int_equal(swarm_container_set_names(container, (const char *[]){"w1", "w2/x"}, draw(3), NULL), 0);
    }
    swarm_request_unref(request);
}

/* With some that came and went, so that what is inside is not as if it were new. */
static struct swarm_cluster *random_cluster(void)
{
    struct swarm_cluster *cluster = new_cluster();
    unsigned nodes = 1 + draw(12);
    for (unsigned i = 0; i < nodes; i++) {
        char id[16];
        sprintf(id, "n%u", i);
        random_node_facts(add_sized_node(cluster, id, 1 + draw(8), 1 + draw(8)));
    }
    for (unsigned i = draw(60); i > 0; i--)
        random_container(random_node(cluster), cluster);
    for (unsigned i = draw(10); i > 0; i--) {
        struct swarm_container *container = swarm_node_next_container(random_node(cluster), NULL);
        if (container)
            swarm_cluster_remove_container(cluster, container);
    }
    if (nodes > 3 && draw(2)) {
        swarm_cluster_remove_node(cluster, random_node(cluster));
        add_sized_node(cluster, "late", 4, 4);
    }
    for (unsigned i = draw(6); i > 0; i--) {
        struct swarm_request *request = random_request(false);
        struct swarm_reservation *place;
        assert_int_equal(swarm_cluster_reserve(cluster, random_node(cluster), request, &place, NULL), 0);
        swarm_request_unref(request);
    }
    if (draw(2))
        assert_int_equal(swarm_cluster_set_stopped_counts(cluster, (int)draw(SWARM_COUNT_ALL + 1), NULL), 0);
    for (unsigned i = draw(3); i > 0; i--) {
        char name[16];
        sprintf(name, "w%u", draw(40));
        swarm_cluster_hold_name(cluster, name, NULL);
    }
    return cluster;
}

/* The node's id, or the whole refusal. */
static char *answer(const struct swarm_cluster *cluster, const struct swarm_scheduler *scheduler,
                    const struct swarm_request *request, uint64_t seed)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    options.seed = seed;
    int code = swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, &error);
    char *text = NULL;
    if (code != 0)
        assert_true(asprintf(&text, "%d: %s", code, swarm_error_message(error)) > 0);
    else
        assert_true(asprintf(&text, "%s, one of %zu of %zu, %d", swarm_node_id(swarm_decision_node(decision)),
                             swarm_decision_best_count(decision), swarm_decision_candidate_count(decision),
                             swarm_decision_soft_dropped(decision)) > 0);
    swarm_error_free(error);
    swarm_decision_free(decision);
    return text;
}

static char *written(const struct swarm_cluster *cluster)
{
    char *json = NULL;
    assert_int_equal(swarm_cluster_write(cluster, &json, NULL, NULL), 0);
    return json;
}

static struct swarm_cluster *copy_of(const struct swarm_cluster *cluster)
{
    char *json = written(cluster);
    struct swarm_cluster *copy = NULL;
    struct swarm_error *error = NULL;
    if (swarm_cluster_read(&copy, json, strlen(json), &error) != 0)
        fail_msg("%s in %s", swarm_error_message(error), json);
    char *again = written(copy);
    assert_string_equal(again, json);
    swarm_free(json);
    swarm_free(again);
    return copy;
}

/* The same request goes through its own text, too. */
static struct swarm_request *copy_of_request(const struct swarm_request *request)
{
    struct swarm_request *copy = NULL;
    char *json = NULL;
    size_t length;
    assert_int_equal(swarm_request_write(request, &json, &length, NULL), 0);
    assert_int_equal(swarm_request_read(&copy, json, length, NULL), 0);
    swarm_free(json);
    return copy;
}

/* Where both say yes, it is placed on both: later questions see it. */
static void ask_both(struct swarm_cluster *cluster, struct swarm_cluster *copy, const struct swarm_scheduler *scheduler)
{
    struct swarm_request *request = random_request(true), *same = copy_of_request(request);
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_reservation *place = NULL, *there = NULL;
    options.seed = draw(1000);
    char *here = answer(cluster, scheduler, request, options.seed),
         *other = answer(copy, scheduler, same, options.seed);
    assert_string_equal(here, other);
    int code = swarm_scheduler_place(scheduler, cluster, request, &options, &place, NULL);
    assert_int_equal(code, swarm_scheduler_place(scheduler, copy, same, &options, &there, NULL));
    if (code == 0)
        assert_string_equal(swarm_node_id(swarm_reservation_node(place)), swarm_node_id(swarm_reservation_node(there)));
    free(here);
    free(other);
    swarm_request_unref(request);
    swarm_request_unref(same);
}

static void test_the_copy_decides_as_the_original(void **state)
{
    static const char *const strategies[] = {"spread", "binpack", "random"};
    for (int i = 0; i < CLUSTERS; i++) {
        struct swarm_cluster *cluster = random_cluster(), *copy = copy_of(cluster);
        struct swarm_scheduler *scheduler = new_scheduler(strategies[i % 3], NULL);
        for (int q = 0; q < QUESTIONS; q++)
            ask_both(cluster, copy, scheduler);
        char *json = written(cluster), *same = written(copy);
        assert_string_equal(json, same);
        swarm_free(json);
        swarm_free(same);
        swarm_scheduler_free(scheduler);
        swarm_cluster_free(copy);
        swarm_cluster_free(cluster);
    }
}

int main(int argc, char **argv)
{
    random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : 20260102;
    printf("seed %llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_copy_decides_as_the_original),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
