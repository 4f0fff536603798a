/* SPDX-License-Identifier: Apache-2.0 */
#include "strategy.h"

#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "node.h"

/* Capacities are given with classic Swarm's default overcommit of 5 %. */
static struct swarm_node *add_machine(struct swarm_cluster *cluster, const char *id, int64_t cpus, int64_t memory_gib)
{
    struct swarm_node *node = add_sized_node(cluster, id, cpus, memory_gib);
    assert_int_equal(swarm_node_set_overcommit(node, 0.05, NULL), 0);
    return node;
}

static struct swarm_cluster *two_machines(int64_t cpus, int64_t memory_gib)
{
    struct swarm_cluster *cluster = new_cluster();
    add_machine(cluster, "n0", cpus, memory_gib);
    add_machine(cluster, "n1", cpus, memory_gib);
    return cluster;
}

#define FULL "error: no resources available to schedule container"

static void test_container_counts_decide_between_equal_weights(void **state)
{
    static const char *const expected[][2] = {{"binpack", "n1"}, {"spread", "n0"}};
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct swarm_cluster *cluster = two_machines(0, 4);
        add_container(swarm_cluster_find_node(cluster, "n0"), "c0", "memory=2");
        add_container(swarm_cluster_find_node(cluster, "n1"), "c1", "memory=1");
        add_container(swarm_cluster_find_node(cluster, "n1"), "c2", "memory=1");
        assert_string_equal(placed(cluster, expected[i][0], "new", "memory=1"), expected[i][1]);
        swarm_cluster_free(cluster);
    }
}

static void place_two(const char *strategy, const char *words, bool same)
{
    struct swarm_cluster *cluster = two_machines(2, 2);
    char *first = strdup(placed(cluster, strategy, "c1", words));
    const char *second = placed(cluster, strategy, "c2", words);
    assert_true((strcmp(first, second) == 0) == same);
    free(first);
    swarm_cluster_free(cluster);
}

static void test_two_containers_go_together_or_apart(void **state)
{
    place_two("binpack", "memory=1", true);
    place_two("spread", "memory=1", false);
    place_two("binpack", "cpus=1", true);
    place_two("spread", "cpus=1", false);
    place_two("binpacking", "cpus=1", true);
}

static void fill_hundred_nodes(const char *strategy)
{
    struct swarm_cluster *cluster = new_cluster();
    char id[32];
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof(id), "n%d", i);
        add_machine(cluster, id, 1, 1);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof(id), "cpu%d", i);
        assert_null(strstr(placed(cluster, strategy, id, "cpus=1"), "error"));
    }
    assert_string_equal(placed(cluster, strategy, "x", "cpus=1"), FULL);
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof(id), "memory%d", i);
        assert_null(strstr(placed(cluster, strategy, id, "memory=1"), "error"));
    }
    assert_string_equal(placed(cluster, strategy, "y", "memory=1"), FULL);
    swarm_cluster_free(cluster);
}

static void test_hundred_nodes_hold_a_hundred_of_each(void **state)
{
    fill_hundred_nodes("spread");
    fill_hundred_nodes("binpack");
}

static void check_overcommit(const char *strategy)
{
    struct swarm_cluster *cluster = new_cluster();
    add_machine(cluster, "n0", 0, 100);
    assert_string_equal(planned(cluster, strategy, "memory=90", 0), "n0");
    assert_string_equal(planned(cluster, strategy, "memory=100", 0), "n0");
    assert_string_equal(planned(cluster, strategy, "memory=105", 0), "n0");
    assert_string_equal(planned(cluster, strategy, "memory=106", 0), FULL);
    swarm_cluster_free(cluster);
}

static void test_overcommit_has_its_limit(void **state)
{
    check_overcommit("spread");
    check_overcommit("binpack");
}

static void test_binpack_fills_one_node_after_the_other(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    static const char *const ids[] = {"n0", "n1", "n2"};
    for (size_t i = 0; i < COUNT(ids); i++)
        add_machine(cluster, ids[i], 0, 2);
    assert_string_equal(placed(cluster, "binpack", "x", "memory=10"), FULL);
    char *first = strdup(placed(cluster, "binpack", "c1", "memory=1"));
    assert_string_equal(placed(cluster, "binpack", "c2", "memory=1"), first);
    char *second = strdup(placed(cluster, "binpack", "c3", "memory=2"));
    assert_string_not_equal(first, second);
    char *third = strdup(placed(cluster, "binpack", "c4", "memory=1"));
    assert_string_not_equal(third, first);
    assert_string_not_equal(third, second);
    assert_string_equal(placed(cluster, "binpack", "c5", "memory=1"), third);
    assert_string_equal(placed(cluster, "binpack", "c6", "memory=1"), FULL);
    struct swarm_node *emptied = swarm_cluster_find_node(cluster, second);
    swarm_cluster_remove_container(cluster, swarm_cluster_find_container(cluster, emptied, "c3"));
    assert_string_equal(placed(cluster, "binpack", "c6", "memory=1"), second);
    free(first);
    free(second);
    free(third);
    swarm_cluster_free(cluster);
}

static void place_three(const char *strategy, bool joins_the_big_one)
{
    struct swarm_cluster *cluster = two_machines(0, 4);
    char *small = strdup(placed(cluster, strategy, "small", "memory=2"));
    char *big = strdup(placed(cluster, strategy, "big", "memory=3"));
    assert_string_not_equal(small, big);
    assert_string_equal(placed(cluster, strategy, "new", "memory=1"), joins_the_big_one ? big : small);
    free(small);
    free(big);
    swarm_cluster_free(cluster);
}

static void test_third_container_joins_the_fuller_or_the_emptier_node(void **state)
{
    place_three("binpack", true);
    place_three("spread", false);
}

static void place_sixty(const char *words, size_t small, size_t big)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *n0 = add_machine(cluster, "n0", 21, 64), *n1 = add_machine(cluster, "n1", 42, 128);
    for (int i = 0; i < 60; i++) {
        char id[32];
        snprintf(id, sizeof(id), "c%d", i);
        assert_null(strstr(placed(cluster, "spread", id, words), "error"));
    }
    assert_int_equal(swarm_node_container_count(n0), small);
    assert_int_equal(swarm_node_container_count(n1), big);
    swarm_cluster_free(cluster);
}

static void test_spread_by_count_and_by_share(void **state)
{
    place_sixty("", 30, 30);
    place_sixty("cpus=1", 20, 40);
}

static void test_health_outweighs_room(void **state)
{
    static const char *const strategies[] = {"spread", "binpack"};
    for (size_t i = 0; i < COUNT(strategies); i++) {
        struct swarm_cluster *cluster = two_machines(2, 2);
        struct swarm_node *other = swarm_cluster_find_node(cluster, i ? "n1" : "n0");
        add_container(other, "c", "memory=1");
        assert_int_equal(swarm_node_set_health(other, 67, NULL), 0);
        assert_string_equal(planned(cluster, strategies[i], "memory=1", 0), i ? "n0" : "n1");
        swarm_cluster_free(cluster);
    }
}

static void test_random_asks_for_no_room(void **state)
{
    struct swarm_cluster *cluster = two_machines(1, 1);
    assert_null(strstr(planned(cluster, "random", "memory=100 cpus=100", 5), "error"));
    swarm_cluster_free(cluster);
}

static void test_random_reaches_every_node_about_as_often(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *nodes[4];
    int hits[4] = {0};
    for (int i = 0; i < 4; i++) {
        char id[] = {'n', (char)('0' + i), '\0'};
        nodes[i] = add_node(cluster, id, id);
    }
    for (uint64_t seed = 0; seed < 4000; seed++) {
        const char *id = planned(cluster, "random", "", seed);
        for (int i = 0; i < 4; i++)
            hits[i] += strcmp(id, swarm_node_id(nodes[i])) == 0;
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(hits[i], 850, 1150);
    swarm_cluster_free(cluster);
}

static void test_ties_do_not_depend_on_the_order_of_nodes(void **state)
{
    static const char *const orders[][3] = {{"n0", "n1", "n2"}, {"n2", "n0", "n1"}, {"n1", "n2", "n0"}};
    for (uint64_t seed = 0; seed < 50; seed++) {
        char *chosen = NULL;
        for (size_t i = 0; i < COUNT(orders); i++) {
            struct swarm_cluster *cluster = new_cluster();
            for (size_t j = 0; j < 3; j++)
                add_sized_node(cluster, orders[i][j], 2, 2);
            const char *id = planned(cluster, "spread", "cpus=1", seed);
            if (chosen)
                assert_string_equal(id, chosen);
            else
                chosen = strdup(id);
            swarm_cluster_free(cluster);
        }
        free(chosen);
    }
}

static void test_shares_of_great_amounts_do_not_overflow(void **state)
{
    struct swarm__slot slot = {.total_memory = INT64_MAX, .used_memory = INT64_MAX / 2};
    int weight = 0;
    assert_true(swarm__strategy_weigh(&slot, 0, INT64_MAX / 4, &weight));
    assert_int_equal(weight, 100 + 74);
    slot.used_memory = INT64_MAX;
    assert_false(swarm__strategy_weigh(&slot, 0, INT64_MAX, &weight));
}

static void test_node_fills_up_to_just_under_101_percent(void **state)
{
    struct swarm__slot slot = {.total_memory = 1000, .used_memory = 9};
    int weight = 0;
    assert_true(swarm__strategy_weigh(&slot, 0, 1000, &weight));
    slot.used_memory = 10;
    assert_false(swarm__strategy_weigh(&slot, 0, 1000, &weight));
}

static void test_names(void **state)
{
    assert_string_equal(swarm_strategy_name(0), "spread");
    assert_string_equal(swarm_strategy_name(1), "binpack");
    assert_string_equal(swarm_strategy_name(2), "random");
    assert_null(swarm_strategy_name(3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_container_counts_decide_between_equal_weights),
        cmocka_unit_test(test_two_containers_go_together_or_apart),
        cmocka_unit_test(test_hundred_nodes_hold_a_hundred_of_each),
        cmocka_unit_test(test_overcommit_has_its_limit),
        cmocka_unit_test(test_binpack_fills_one_node_after_the_other),
        cmocka_unit_test(test_third_container_joins_the_fuller_or_the_emptier_node),
        cmocka_unit_test(test_spread_by_count_and_by_share),
        cmocka_unit_test(test_health_outweighs_room),
        cmocka_unit_test(test_random_asks_for_no_room),
        cmocka_unit_test(test_random_reaches_every_node_about_as_often),
        cmocka_unit_test(test_ties_do_not_depend_on_the_order_of_nodes),
        cmocka_unit_test(test_shares_of_great_amounts_do_not_overflow),
        cmocka_unit_test(test_node_fills_up_to_just_under_101_percent),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
