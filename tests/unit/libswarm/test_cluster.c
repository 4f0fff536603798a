/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cluster_fixture.h"

static void test_node_ids_are_unique(void **state)
{
    struct swarm_node *node = NULL;
    struct swarm_error *error = NULL;
    add_node(cluster, "a", "one");
    assert_int_equal(swarm_cluster_add_node(cluster, "a", "two", "", &node, &error), SWARM_ERR_EXISTS);
    assert_string_equal(swarm_error_message(error), "node a exists already");
    assert_null(node);
    assert_int_equal(swarm_cluster_node_count(cluster), 1);
    swarm_error_free(error);
}

static void test_node_needs_an_id(void **state)
{
    assert_int_equal(swarm_cluster_add_node(cluster, "", "x", "", NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_cluster_add_node(cluster, NULL, "x", "", NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_cluster_add_node(NULL, "a", "x", "", NULL, NULL), SWARM_ERR_INVALID);
}

static void test_nodes_are_found_by_id(void **state)
{
    struct swarm_node *node = add_node(cluster, "a", "one");
    assert_ptr_equal(swarm_cluster_find_node(cluster, "a"), node);
    assert_null(swarm_cluster_find_node(cluster, "one"));
    assert_null(swarm_cluster_find_node(cluster, NULL));
    swarm_cluster_remove_node(cluster, node);
    assert_null(swarm_cluster_find_node(cluster, "a"));
}

static void test_nodes_are_walked_in_the_order_they_came(void **state)
{
    struct swarm_node *a = add_node(cluster, "a", ""), *b = add_node(cluster, "b", ""), *c = add_node(cluster, "c", "");
    swarm_cluster_remove_node(cluster, a);
    struct swarm_node *d = add_node(cluster, "d", ""); /* on the slot that was a's */
    assert_ptr_equal(swarm_cluster_next_node(cluster, NULL), b);
    assert_ptr_equal(swarm_cluster_next_node(cluster, b), c);
    assert_ptr_equal(swarm_cluster_next_node(cluster, c), d);
    assert_null(swarm_cluster_next_node(cluster, d));
}

static void test_slot_that_is_used_again_starts_afresh(void **state)
{
    struct swarm_node *a = add_sized_node(cluster, "a", 4, 4);
    label_node(a, "containerslots=1 zone=a");
    swarm_node_set_health(a, 0, NULL);
    swarm_node_set_availability(a, SWARM_AVAILABILITY_DRAINING, NULL);
    add_container(a, "c", "cpus=1 memory=1 port=80");
    swarm_cluster_remove_node(cluster, a);
    struct swarm_node *b = add_node(cluster, "b", "");
    assert_int_equal(swarm_node_used_memory(b), 0);
    assert_int_equal(swarm_node_total_memory(b), 0);
    assert_int_equal(swarm_node_health(b), 100);
    assert_string_equal(left_by(cluster, NULL, "port=80 constraint=zone!=a"), "b");
}

static void test_many_nodes(void **state)
{
    for (int i = 0; i < 300; i++) {
        char id[32];
        snprintf(id, sizeof(id), "node-%d", i);
        label_node(add_node(cluster, id, id), i % 3 ? "third=no" : "third=yes");
    }
    for (int i = 0; i < 300; i += 2) {
        char id[32];
        snprintf(id, sizeof(id), "node-%d", i);
        swarm_cluster_remove_node(cluster, swarm_cluster_find_node(cluster, id));
    }
    assert_int_equal(swarm_cluster_node_count(cluster), 150);
    assert_string_equal(left_by(cluster, NULL, "constraint=third==yes constraint=node==/^node-2.*/"),
                        "node-21 node-27 node-201 node-207 node-213 node-219 node-225 node-231 node-237 node-243 "
                        "node-249 node-255 node-261 node-267 node-273 node-279 node-285 node-291 node-297");
}

static void test_removing_a_node_removes_its_containers(void **state)
{
    struct swarm_node *a = add_node(cluster, "a", "a"), *b = add_node(cluster, "b", "b");
    add_container(a, "id1", "name=web label=app=x");
    add_container(b, "id2", "name=db");
    swarm_cluster_remove_node(cluster, a);
    assert_int_equal(swarm_cluster_container_count(cluster), 1);
    assert_string_equal(looked_up(cluster, "web"), "error: No such container: web");
    assert_string_equal(looked_up(cluster, "id2"), "id2");
    assert_string_equal(left_by(cluster, "affinity", "affinity=app!=x"), "b");
}

static void test_generation_rises_with_changes_only(void **state)
{
    uint64_t before = swarm_cluster_generation(cluster);
    struct swarm_node *node = add_node(cluster, "a", "a");
    uint64_t after = swarm_cluster_generation(cluster);
    assert_true(after > before);
    assert_string_equal(left_by(cluster, NULL, ""), "a");
    assert_int_equal(swarm_cluster_generation(cluster), after);
    add_container(node, "id", "");
    assert_true(swarm_cluster_generation(cluster) > after);
}

static void test_hold_keeps_a_name_from_others(void **state)
{
    add_node(cluster, "a", "a");
    assert_int_equal(swarm_cluster_hold_name(cluster, "web", NULL), 0);
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_cluster_hold_name(cluster, "/web", &error), SWARM_ERR_NAME_TAKEN);
    swarm_error_free(error);
    assert_string_equal(planned(cluster, "spread", "name=web", 0),
                        "error: Conflict: The name web is already assigned. You have to delete (or rename) that "
                        "container to be able to assign web to a container again.");
    swarm_cluster_release_name(cluster, "web");
    assert_string_equal(planned(cluster, "spread", "name=web", 0), "a");
}

static void test_hold_of_a_name_in_use_is_refused(void **state)
{
    struct swarm_node *node = add_node(cluster, "a", "a");
    add_container(node, "id", "name=web");
    struct swarm_reservation *place = take_place(node, "name=db");
    assert_int_equal(swarm_cluster_hold_name(cluster, "web", NULL), SWARM_ERR_NAME_TAKEN);
    assert_int_equal(swarm_cluster_hold_name(cluster, "db", NULL), SWARM_ERR_NAME_TAKEN);
    assert_int_equal(swarm_cluster_hold_name(cluster, "", NULL), SWARM_ERR_INVALID);
    swarm_reservation_abort(place);
}

static void test_releasing_a_name_leaves_containers_alone(void **state)
{
    struct swarm_node *node = add_node(cluster, "a", "a");
    assert_int_equal(swarm_cluster_hold_name(cluster, "web", NULL), 0);
    add_container(node, "id", "name=web");
    swarm_cluster_release_name(cluster, "web");
    swarm_cluster_release_name(cluster, "web");
    swarm_cluster_release_name(cluster, "nobody");
    assert_string_equal(looked_up(cluster, "web"), "id");
}

static void test_freeing_gives_everything_back(void **state)
{
    struct swarm_cluster *other = new_cluster();
    struct swarm_node *node = add_sized_node(other, "a", 1, 1);
    add_container(node, "id", "name=web");
    take_place(node, "name=db port=80");
    swarm_cluster_hold_name(other, "held", NULL);
    swarm_cluster_free(other); /* the leak checker says whether */
    swarm_cluster_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_cluster, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_node_ids_are_unique),
        TEST(test_node_needs_an_id),
        TEST(test_nodes_are_found_by_id),
        TEST(test_nodes_are_walked_in_the_order_they_came),
        TEST(test_slot_that_is_used_again_starts_afresh),
        TEST(test_many_nodes),
        TEST(test_removing_a_node_removes_its_containers),
        TEST(test_generation_rises_with_changes_only),
        TEST(test_hold_keeps_a_name_from_others),
        TEST(test_hold_of_a_name_in_use_is_refused),
        TEST(test_releasing_a_name_leaves_containers_alone),
        TEST(test_freeing_gives_everything_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
