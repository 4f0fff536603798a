/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_fixture.h"

/* Filters health and containerslots, and the chain of all. */

static struct swarm_node *node[2];

static int set_up(void **state)
{
    set_up_cluster(state);
    node[0] = add_node(cluster, "n0", "n0");
    node[1] = add_node(cluster, "n1", "n1");
    return 0;
}

static void add_containers(struct swarm_node *to, int count)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < count; i++)
        add_container(to, ids[i], "");
}

static void set_health(int first, int second)
{
    assert_int_equal(swarm_node_set_health(node[0], first, NULL), 0);
    assert_int_equal(swarm_node_set_health(node[1], second, NULL), 0);
}

static void test_health_keeps_the_healthy(void **state)
{
    assert_string_equal(left_by(cluster, "health", ""), "n0 n1");
    set_health(0, 100);
    assert_string_equal(left_by(cluster, "health", ""), "n1");
    set_health(1, 0);
    assert_string_equal(left_by(cluster, "health", ""), "n0");
}

static void test_health_says_so_where_none_is(void **state)
{
    set_health(0, 0);
    assert_string_equal(left_by(cluster, "health", ""), "error: No healthy node available in the cluster");
}

static void test_health_refuses_for_all_filters_before_it(void **state)
{
    set_health(0, 0);
    assert_string_equal(left_by(cluster, "containerslots health", ""),
                        "error: No healthy node available in the cluster");
}

#define NO_SLOTS "error: Unable to find a node that satisfies the following conditions \n[available container slots]"

static void test_slots_limit_containers(void **state)
{
    label_node(node[0], "containerslots=3");
    label_node(node[1], "containerslots=3");
    add_containers(node[0], 1);
    assert_string_equal(left_by(cluster, "containerslots", ""), "n0 n1");
    add_container(node[0], "x", "");
    add_container(node[0], "y", "");
    assert_string_equal(left_by(cluster, "containerslots", ""), "n1");
    add_containers(node[1], 3);
    assert_string_equal(left_by(cluster, "containerslots", ""), NO_SLOTS);
}

static void test_slots_count_places_taken(void **state)
{
    label_node(node[0], "containerslots=1");
    struct swarm_reservation *place = take_place(node[0], "");
    assert_string_equal(left_by(cluster, "containerslots", ""), "n1");
    swarm_reservation_abort(place);
    assert_string_equal(left_by(cluster, "containerslots", ""), "n0 n1");
}

static void test_no_label_is_no_limit(void **state)
{
    add_containers(node[0], 3);
    assert_string_equal(left_by(cluster, "containerslots", ""), "n0 n1");
}

static void test_label_that_is_no_number_is_no_limit(void **state)
{
    static const char *const labels[] = {"containerslots=foo", "containerslots=", "containerslots=3x",
                                         "containerslots=1.5", "containerslots=99999999999999999999"};
    label_node(node[0], "containerslots=3");
    add_containers(node[0], 3);
    add_containers(node[1], 3);
    for (size_t i = 0; i < COUNT(labels); i++) {
        label_node(node[1], labels[i]);
        assert_string_equal(left_by(cluster, "containerslots", ""), "n1");
    }
}

static void test_slots_of_zero_and_less_take_none(void **state)
{
    label_node(node[0], "containerslots=0");
    label_node(node[1], "containerslots=-1");
    assert_string_equal(left_by(cluster, "containerslots", ""), NO_SLOTS);
    label_node(node[1], "containerslots=+1");
    assert_string_equal(left_by(cluster, "containerslots", ""), "n1");
}

static void test_chain_of_all_filters_drops_a_soft_affinity_to_an_unhealthy_node(void **state)
{
    add_image_to(node[0], "image-0-id", "image-0:tag1 image-0:tag2");
    add_image_to(node[1], "image-1-id", "image-0:tag3");
    set_health(100, 0);
    assert_string_equal(left_by(cluster, NULL, "affinity=image==~image-0:tag3"), "n0");
    assert_string_equal(left_by(cluster, NULL, "affinity=image==image-0:tag3"),
                        "error: Unable to find a node that satisfies the following conditions \n"
                        "[available container slots]\n[image==image-0:tag3 (soft=false)]");
}

static void test_refusal_lists_filters_up_to_the_failing_one_in_their_order(void **state)
{
    label_node(node[0], "zone=a");
    const char *words = "affinity=container!=zz constraint=zone==b constraint=zone==c port=80";
    assert_string_equal(left_by(cluster, NULL, words),
                        "error: Unable to find a node that satisfies the following conditions \n"
                        "[port 80 (Bridge mode)]\n[available container slots]\n[container!=zz (soft=false)]\n"
                        "[zone==b zone==c]");
    assert_string_equal(left_by(cluster, "constraint affinity port", words),
                        "error: Unable to find a node that satisfies the following conditions \n[zone==b zone==c]");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_health_keeps_the_healthy),
        TEST(test_health_says_so_where_none_is),
        TEST(test_health_refuses_for_all_filters_before_it),
        TEST(test_slots_limit_containers),
        TEST(test_slots_count_places_taken),
        TEST(test_no_label_is_no_limit),
        TEST(test_label_that_is_no_number_is_no_limit),
        TEST(test_slots_of_zero_and_less_take_none),
        TEST(test_chain_of_all_filters_drops_a_soft_affinity_to_an_unhealthy_node),
        TEST(test_refusal_lists_filters_up_to_the_failing_one_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
