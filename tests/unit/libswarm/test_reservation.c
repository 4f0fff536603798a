/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cluster_fixture.h"

static struct swarm_node *node;

static int set_up(void **state)
{
    set_up_cluster(state);
    node = add_sized_node(cluster, "a", 8, 8);
    return 0;
}

static void test_place_counts_at_once(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2 memory=3 name=web port=80");
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
    assert_int_equal(swarm_node_used_memory(node), 3 * GIB);
    assert_int_equal(swarm_node_container_count(node), 0);
    assert_int_equal(swarm_cluster_container_count(cluster), 0);
    assert_non_null(strstr(planned(cluster, "spread", "name=web", 0), "Conflict: The name web is already assigned."));
    assert_non_null(strstr(planned(cluster, "spread", "port=80", 0), "[port 80 (Bridge mode)]"));
    assert_ptr_equal(swarm_reservation_node(place), node);
    swarm_reservation_abort(place);
}

static void test_abort_gives_everything_back(void **state)
{
    char *before = state_of(cluster);
    uint64_t generation = swarm_cluster_generation(cluster);
    swarm_reservation_abort(take_place(node, "cpus=2 memory=3 name=web port=80 label=a=b swarmid=s1"));
    assert_true(swarm_cluster_generation(cluster) > generation);
    char *after = state_of(cluster);
    assert_string_equal(strchr(before, '\n'), strchr(after, '\n')); /* all but the generation */
    free(before);
    free(after);
    swarm_reservation_abort(NULL);
}

static void test_commit_makes_the_container(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2 name=web swarmid=s1");
    struct swarm_container *container = NULL;
    assert_int_equal(swarm_reservation_commit(place, "c1", &container, NULL), 0);
    assert_string_equal(swarm_container_id(container), "c1");
    assert_string_equal(swarm_container_name(container), "web");
    assert_ptr_equal(swarm_container_node(container), node);
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
    assert_int_equal(swarm_node_container_count(node), 1);
    assert_string_equal(looked_up(cluster, "s1"), "c1");
}

static void test_host_mode_ports_are_taken_with_the_commit(void **state)
{
    struct swarm_reservation *place = take_place(node, "net=host expose=80/tcp");
    assert_string_equal(left_by(cluster, "port", "net=host expose=80/tcp"), "a");
    assert_int_equal(swarm_reservation_commit(place, "c1", NULL, NULL), 0);
    assert_non_null(strstr(left_by(cluster, "port", "net=host expose=80/tcp"), "[port 80/tcp (Host mode)]"));
    swarm_cluster_remove_container(cluster, swarm_cluster_find_container(cluster, node, "c1"));
    assert_string_equal(left_by(cluster, "port", "net=host expose=80/tcp"), "a");
}

static void test_reported_container_takes_the_place_of_its_reservation(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2 memory=1 swarmid=s1 name=web");
    struct swarm_container *reported = add_container(node, "c1", "cpus=2 memory=1 swarmid=s1 name=web");
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
    struct swarm_container *committed = NULL;
    assert_int_equal(swarm_reservation_commit(place, "c1", &committed, NULL), 0);
    assert_ptr_equal(committed, reported);
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
    assert_int_equal(swarm_node_container_count(node), 1);
}

static void test_reported_container_elsewhere_is_another(void **state)
{
    struct swarm_node *other = add_node(cluster, "b", "b");
    struct swarm_reservation *place = take_place(node, "cpus=2 swarmid=s1");
    add_container(other, "c1", "cpus=2 swarmid=s1");
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
    assert_int_equal(swarm_node_used_cpus_milli(other), 2000);
    swarm_reservation_abort(place);
    assert_int_equal(swarm_node_used_cpus_milli(node), 0);
    assert_int_equal(swarm_node_used_cpus_milli(other), 2000);
}

static void test_container_reported_under_no_swarm_id_is_found_by_its_id(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2");
    struct swarm_container *reported = add_container(node, "c1", "cpus=2"), *committed = NULL;
    assert_int_equal(swarm_reservation_commit(place, "c1", &committed, NULL), 0);
    assert_ptr_equal(committed, reported);
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
}

static void test_abort_leaves_a_reported_container(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2 swarmid=s1");
    add_container(node, "c1", "cpus=2 swarmid=s1");
    swarm_reservation_abort(place);
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
    assert_string_equal(looked_up(cluster, "c1"), "c1");
}

static void test_reported_container_that_went_again(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2 swarmid=s1");
    swarm_cluster_remove_container(cluster, add_container(node, "c1", "cpus=2 swarmid=s1"));
    struct swarm_container *committed = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_reservation_commit(place, "c1", &committed, &error), SWARM_ERR_STATE);
    assert_string_equal(swarm_error_message(error), "container c1 has been removed meanwhile");
    assert_null(committed);
    assert_int_equal(swarm_node_used_cpus_milli(node), 0);
    swarm_error_free(error);
}

static void test_place_that_another_container_took(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2 swarmid=s1");
    add_container(node, "c1", "cpus=2 swarmid=s1");
    assert_int_equal(swarm_reservation_commit(place, "c2", NULL, NULL), SWARM_ERR_STATE);
    assert_string_equal(looked_up(cluster, "c1"), "c1");
    assert_int_equal(swarm_cluster_container_count(cluster), 1);
}

static void test_removing_the_node_voids_the_reservation(void **state)
{
    struct swarm_reservation *place = take_place(node, "cpus=2 name=web");
    swarm_cluster_remove_node(cluster, node);
    assert_null(swarm_reservation_node(place));
    assert_int_equal(swarm_request_cpus_milli(swarm_reservation_request(place)), 2000);
    struct swarm_container *container = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_reservation_commit(place, "c1", &container, &error), SWARM_ERR_STATE);
    assert_string_equal(swarm_error_message(error), "container c1: its node has been removed meanwhile");
    assert_null(container);
    swarm_error_free(error);
    node = add_node(cluster, "a", "a");
    assert_string_equal(planned(cluster, "random", "name=web", 0), "a");
}

static void test_void_reservation_may_be_aborted(void **state)
{
    struct swarm_reservation *place = take_place(node, "");
    swarm_cluster_remove_node(cluster, node);
    add_node(cluster, "b", "b");
    swarm_reservation_abort(place);
    assert_int_equal(swarm_cluster_node_count(cluster), 1);
}

static void test_commit_without_an_id_gives_the_place_back(void **state)
{
    assert_int_equal(swarm_reservation_commit(take_place(node, "cpus=1"), "", NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_reservation_commit(take_place(node, "cpus=1"), NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_reservation_commit(NULL, "c1", NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_used_cpus_milli(node), 0);
}

static void test_reservations_end_in_any_order(void **state)
{
    struct swarm_reservation *places[4];
    for (size_t i = 0; i < COUNT(places); i++)
        places[i] = take_place(node, "cpus=1");
    swarm_reservation_abort(places[1]);
    swarm_reservation_abort(places[3]);
    assert_int_equal(swarm_reservation_commit(places[0], "c0", NULL, NULL), 0);
    assert_int_equal(swarm_node_used_cpus_milli(node), 2000);
    swarm_reservation_abort(places[2]);
    assert_int_equal(swarm_node_used_cpus_milli(node), 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_place_counts_at_once),
        TEST(test_abort_gives_everything_back),
        TEST(test_commit_makes_the_container),
        TEST(test_host_mode_ports_are_taken_with_the_commit),
        TEST(test_reported_container_takes_the_place_of_its_reservation),
        TEST(test_reported_container_elsewhere_is_another),
        TEST(test_container_reported_under_no_swarm_id_is_found_by_its_id),
        TEST(test_abort_leaves_a_reported_container),
        TEST(test_reported_container_that_went_again),
        TEST(test_place_that_another_container_took),
        TEST(test_removing_the_node_voids_the_reservation),
        TEST(test_void_reservation_may_be_aborted),
        TEST(test_commit_without_an_id_gives_the_place_back),
        TEST(test_reservations_end_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
