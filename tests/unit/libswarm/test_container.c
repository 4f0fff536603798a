/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cluster_fixture.h"
#include "heap.h"

static struct swarm_node *node;

static int set_up(void **state)
{
    set_up_cluster(state);
    node = add_sized_node(cluster, "a", 8, 8);
    return 0;
}

static void check_used(int64_t cpus, int64_t memory_gib)
{
    assert_int_equal(swarm_node_used_cpus_milli(node), cpus * 1000);
    assert_int_equal(swarm_node_used_memory(node), memory_gib * GIB);
}

static void test_containers_add_up(void **state)
{
    struct swarm_container *first = add_container(node, "c1", "cpus=1 memory=2");
    add_container(node, "c2", "cpus=2 memory=1");
    check_used(3, 3);
    assert_int_equal(swarm_node_container_count(node), 2);
    swarm_cluster_remove_container(cluster, first);
    check_used(2, 1);
    assert_int_equal(swarm_cluster_container_count(cluster), 1);
}

static void test_stopped_containers_count(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "cpus=1");
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_EXITED, NULL), 0);
    check_used(1, 0);
}

static void test_update_replaces_the_request(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "cpus=1 memory=1 label=app=old port=80 swarmid=s1");
    struct swarm_request *request = request_of("cpus=3 memory=2 label=app=new port=81 swarmid=s2");
    assert_int_equal(swarm_container_set_request(container, request, NULL), 0);
    swarm_request_unref(request);
    check_used(3, 2);
    assert_string_equal(left_by(cluster, NULL, "affinity=app==new port=80"), "a");
    assert_string_equal(swarm_container_swarm_id(container), "s2");
    assert_string_equal(looked_up(cluster, "s2"), "c1");
    assert_string_equal(looked_up(cluster, "s1"), "error: No such container: s1");
}

static void test_update_to_the_same_request_changes_nothing(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "cpus=1 port=80 swarmid=s1 label=app=x");
    assert_int_equal(swarm_container_set_request(container, swarm_container_request(container), NULL), 0);
    check_used(1, 0);
    assert_string_equal(looked_up(cluster, "s1"), "c1");
}

static void test_name_outlives_its_request(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "name=web");
    struct swarm_request *request = request_of("name=web cpus=1");
    assert_int_equal(swarm_container_set_request(container, request, NULL), 0);
    swarm_request_unref(request);
    assert_string_equal(looked_up(cluster, "web"), "c1");
    request = request_of("name=other cpus=2");
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        heap_fail(n, false);
        int code = swarm_container_set_request(container, request, NULL);
        failed = heap_failed();
        heap_restore();
        assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
        check_used(failed ? 1 : 2, 0);
        assert_string_equal(swarm_container_name(container), "web");
    }
    swarm_request_unref(request);
    assert_string_equal(swarm_request_name(swarm_container_request(container)), "other");
    assert_string_equal(looked_up(cluster, "web"), "c1");
    assert_string_equal(looked_up(cluster, "other"), "error: No such container: other");
}

/* Setters cut one slash off, and only one. */
static void test_name_of_slashes_outlives_its_request(void **state)
{
    struct swarm_request *request = request_of(""), *none = request_of("");
    assert_int_equal(swarm_request_set_name(request, "///web", NULL), 0);
    struct swarm_container *container = NULL, *empty = NULL;
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c1", request, &container, NULL), 0);
    swarm_request_unref(request);
    request = request_of("");
    assert_int_equal(swarm_request_set_name(request, "//", NULL), 0);
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c2", request, &empty, NULL), 0);
    swarm_request_unref(request);
    assert_int_equal(swarm_container_set_request(container, none, NULL), 0);
    assert_int_equal(swarm_container_set_request(empty, none, NULL), 0);
    swarm_request_unref(none);
    assert_string_equal(swarm_container_name_at(container, 0), "/web");
    assert_string_equal(swarm_container_name_at(empty, 0), "");
}

static void test_same_name_again_needs_no_memory(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "name=web");
    heap_fail(0, false);
    int code = swarm_container_set_names(container, (const char *[]){"/web"}, 1, NULL);
    heap_restore();
    assert_int_equal(code, 0);
    assert_int_equal(swarm_container_set_names(container, (const char *[]){"/web", "db/alias"}, 2, NULL), 0);
    assert_string_equal(swarm_container_name_at(container, 1), "db/alias");
    assert_string_equal(looked_up(cluster, "web"), "c1");
}

static void test_id_is_unique_on_a_node(void **state)
{
    add_container(node, "c1", "cpus=1");
    struct swarm_request *request = request_of("cpus=1");
    struct swarm_container *container = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c1", request, &container, &error), SWARM_ERR_EXISTS);
    assert_string_equal(swarm_error_message(error), "node a has a container c1 already");
    assert_null(container);
    check_used(1, 0);
    swarm_error_free(error);
    swarm_request_unref(request);
}

static void test_same_id_on_two_nodes(void **state)
{
    struct swarm_node *other = add_node(cluster, "b", "b");
    struct swarm_container *here = add_container(node, "c1", ""), *there = add_container(other, "c1", "");
    assert_ptr_equal(swarm_cluster_find_container(cluster, node, "c1"), here);
    assert_ptr_equal(swarm_cluster_find_container(cluster, other, "c1"), there);
    swarm_cluster_remove_container(cluster, here);
    assert_null(swarm_cluster_find_container(cluster, node, "c1"));
    assert_ptr_equal(swarm_cluster_find_container(cluster, other, "c1"), there);
}

static void test_sums_past_the_greatest_number_are_refused(void **state)
{
    struct swarm_request *request = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_request_new(&request, NULL), 0);
    assert_int_equal(swarm_request_set_memory(request, INT64_MAX, NULL), 0);
    add_container(node, "c1", "memory=1");
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c2", request, NULL, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "memory used on node a would pass the greatest number");
    check_used(0, 1);
    assert_int_equal(swarm_cluster_container_count(cluster), 1);
    swarm_error_free(error);
    swarm_request_unref(request);
}

static void test_names(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "name=first");
    assert_string_equal(swarm_container_name(container), "first");
    assert_int_equal(swarm_container_set_names(container, (const char *[]){"/web", "db/alias"}, 2, NULL), 0);
    assert_string_equal(swarm_container_name(container), "web");
    assert_string_equal(looked_up(cluster, "db/alias"), "c1");
    assert_string_equal(looked_up(cluster, "first"), "error: No such container: first");
    assert_int_equal(swarm_container_set_names(container, NULL, 0, NULL), 0);
    assert_string_equal(swarm_container_name(container), "");
}

static void test_walk_of_names(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "name=first");
    assert_string_equal(swarm_container_name_at(container, 0), "first");
    assert_int_equal(swarm_container_set_names(container, (const char *[]){"/web", "db/alias"}, 2, NULL), 0);
    assert_string_equal(swarm_container_name_at(container, 0), "web");
    assert_string_equal(swarm_container_name_at(container, 1), "db/alias");
    assert_null(swarm_container_name_at(container, 2));
    assert_null(swarm_container_name_at(container, SIZE_MAX));
}

static void test_walk_of_bound_ports(void **state)
{
    static const struct swarm_bound_port ports[] = {{"10.0.0.1", "81"}, {NULL, "0"}, {"0.0.0.0", "80"}, {"::", ""}};
    struct swarm_container *container = add_container(node, "c1", "port=90");
    const char *ip = NULL, *port = NULL;
    assert_int_equal(swarm_container_bound_port_at(container, 0, &ip, &port), 0);
    assert_int_equal(swarm_container_set_bound_ports(container, ports, 4, NULL), 0);
    assert_int_equal(swarm_container_bound_port_at(container, 0, &ip, &port), 1);
    assert_string_equal(ip, "10.0.0.1");
    assert_string_equal(port, "81");
    assert_int_equal(swarm_container_bound_port_at(container, 1, &ip, &port), 1);
    assert_string_equal(ip, "");
    assert_string_equal(port, "80");
    assert_int_equal(swarm_container_bound_port_at(container, 2, &ip, &port), 0);
    assert_int_equal(swarm_container_bound_port_at(container, 0, NULL, NULL), 1);
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_container_set_bound_ports(container, ports, 1000001, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "container c1: 1000001 bound ports: 1000000 at most are expected");
    swarm_error_free(error);
    assert_int_equal(swarm_container_set_bound_ports(container, NULL, 1, NULL), SWARM_ERR_INVALID);
}

static void test_more_bound_ports_than_one_protocol_has(void **state)
{
    enum { MANY = 131072 };
    struct swarm_bound_port *ports = calloc(MANY, sizeof(*ports));
    struct swarm_container *container = add_container(node, "c1", "");
    for (size_t i = 0; i < MANY; i++)
        ports[i] = (struct swarm_bound_port){i % 2 ? "::" : "0.0.0.0", "8080"};
    assert_int_equal(swarm_container_set_bound_ports(container, ports, MANY, NULL), 0);
    assert_int_equal(swarm_container_bound_port_at(container, MANY - 1, NULL, NULL), 1);
    assert_int_equal(swarm_container_set_bound_ports(container, NULL, 0, NULL), 0);
    assert_string_equal(left_by(cluster, "port", "port=8080"), "a");
    free(ports);
}

static void test_request_is_shared_from_then_on(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "cpus=1");
    struct swarm_request *request = swarm_container_request(container);
    assert_int_equal(swarm_request_set_cpus_milli(request, 5, NULL), SWARM_ERR_STATE);
}

static void test_states(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "");
    assert_int_equal(swarm_container_state(container), SWARM_CONTAINER_CREATED);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    assert_int_equal(swarm_container_set_state(container, 6, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_container_set_state(container, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_container_state(container), SWARM_CONTAINER_RUNNING);
}

static void test_walk_of_a_nodes_containers(void **state)
{
    struct swarm_container *first = add_container(node, "c1", ""), *second = add_container(node, "c2", "");
    struct swarm_container *third = add_container(node, "c3", "");
    struct swarm_reservation *place = take_place(node, "");
    struct swarm_container *at = swarm_node_next_container(node, NULL);
    assert_ptr_equal(at, first);
    struct swarm_container *next = swarm_node_next_container(node, at);
    swarm_cluster_remove_container(cluster, at);
    assert_ptr_equal(next, second);
    assert_ptr_equal(swarm_node_next_container(node, next), third);
    assert_null(swarm_node_next_container(node, third));
    swarm_reservation_abort(place);
}

static void test_container_needs_a_node_of_the_cluster(void **state)
{
    struct swarm_cluster *other = new_cluster();
    struct swarm_request *request = request_of("");
    assert_int_equal(swarm_cluster_add_container(other, node, "c1", request, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_cluster_add_container(cluster, node, "", request, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c1", NULL, NULL, NULL), SWARM_ERR_INVALID);
    swarm_request_unref(request);
    swarm_cluster_free(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_containers_add_up),
        TEST(test_stopped_containers_count),
        TEST(test_update_replaces_the_request),
        TEST(test_update_to_the_same_request_changes_nothing),
        TEST(test_name_outlives_its_request),
        TEST(test_name_of_slashes_outlives_its_request),
        TEST(test_same_name_again_needs_no_memory),
        TEST(test_id_is_unique_on_a_node),
        TEST(test_same_id_on_two_nodes),
        TEST(test_sums_past_the_greatest_number_are_refused),
        TEST(test_names),
        TEST(test_walk_of_names),
        TEST(test_walk_of_bound_ports),
        TEST(test_more_bound_ports_than_one_protocol_has),
        TEST(test_request_is_shared_from_then_on),
        TEST(test_states),
        TEST(test_walk_of_a_nodes_containers),
        TEST(test_container_needs_a_node_of_the_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
