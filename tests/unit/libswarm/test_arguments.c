/* SPDX-License-Identifier: Apache-2.0 */
/* Impossible arguments: an error that names the value where a code is answered, NULL or 0 elsewhere, no change. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster_fixture.h"

static struct swarm_node *node;
static struct swarm_container *container;
static char *before;

static int set_up(void **state)
{
    set_up_cluster(state);
    node = add_sized_node(cluster, "a", 4, 4);
    label_node(node, "zone=eu");
    container = add_container(node, "c1", "name=web cpus=1 port=80 swarmid=s1");
    before = state_of(cluster);
    return 0;
}

static int tear_down(void **state)
{
    char *after = state_of(cluster);
    assert_string_equal(before, after);
    free(before);
    free(after);
    return tear_down_cluster(state);
}

/* The call answers SWARM_ERR_INVALID with that text. */
#define INVALID(call, text)                                                                                            \
    do {                                                                                                               \
        struct swarm_error *told = NULL;                                                                               \
        assert_int_equal(call, SWARM_ERR_INVALID);                                                                     \
        assert_string_equal(swarm_error_message(told), text);                                                          \
        swarm_error_free(told);                                                                                        \
    } while (0)

static void test_nodes_name_what_cannot_be(void **state)
{
    static const char *const keys[] = {"a", NULL}, *const values[] = {"1", "2"};
    INVALID(swarm_node_set_capacity(node, -5, 1, &told),
            "node a: capacity of -5 milli-CPU and 1 bytes: 0 or more is expected");
    INVALID(swarm_node_set_capacity(node, 1, INT64_MIN, &told),
            "node a: capacity of 1 milli-CPU and -9223372036854775808 bytes: 0 or more is expected");
    INVALID(swarm_node_set_overcommit(node, NAN, &told),
            "node a: overcommit nan: more than -1 and less than 1000000 is expected");
    INVALID(swarm_node_set_overcommit(node, INFINITY, &told),
            "node a: overcommit inf: more than -1 and less than 1000000 is expected");
    INVALID(swarm_node_set_overcommit(node, -1, &told),
            "node a: overcommit -1: more than -1 and less than 1000000 is expected");
    INVALID(swarm_node_set_health(node, 101, &told), "node a: health 101: 0 to 100 is expected");
    INVALID(swarm_node_set_health(node, -1, &told), "node a: health -1: 0 to 100 is expected");
    INVALID(swarm_node_set_availability(node, 4, &told), "node a: unknown availability 4: 0 to 3 is expected");
    INVALID(swarm_node_set_name(node, NULL, &told), "node a: name is NULL");
    INVALID(swarm_node_set_address(node, NULL, &told), "node a: address is NULL");
    INVALID(swarm_node_set_labels(node, keys, values, 2, &told), "node a: label 1 is NULL");
    INVALID(swarm_node_set_labels(node, NULL, values, 1, &told), "node labels: NULL");
    INVALID(swarm_node_set_labels(node, (const char *const[]){"x", "y", "x"}, (const char *const[]){"1", "2", "3"}, 3,
                                  &told),
            "node a: label x is given twice");
    INVALID(swarm_node_set_images(node, NULL, 2, &told), "node images: NULL");
    INVALID(swarm_node_set_images(node, (const struct swarm_image *const[]){NULL}, 1, &told),
            "node a: image 0 is NULL");
}

static void test_setters_need_a_node(void **state)
{
    INVALID(swarm_node_set_capacity(NULL, 1, 1, &told), "node: NULL");
    INVALID(swarm_node_set_overcommit(NULL, 0, &told), "node: NULL");
    INVALID(swarm_node_set_health(NULL, 1, &told), "node: NULL");
    INVALID(swarm_node_set_availability(NULL, 1, &told), "node: NULL");
    INVALID(swarm_node_set_name(NULL, "x", &told), "node: NULL");
    INVALID(swarm_node_set_address(NULL, "x", &told), "node: NULL");
    INVALID(swarm_node_set_labels(NULL, NULL, NULL, 0, &told), "node labels: NULL");
    INVALID(swarm_node_set_images(NULL, NULL, 0, &told), "node images: NULL");
    swarm_node_set_data(NULL, node);
}

static void test_getters_give_nothing_without_a_node(void **state)
{
    const char *text = NULL;
    assert_null(swarm_node_id(NULL));
    assert_null(swarm_node_name(NULL));
    assert_null(swarm_node_address(NULL));
    assert_null(swarm_node_data(NULL));
    assert_null(swarm_node_label(NULL, "zone"));
    assert_null(swarm_node_label(node, NULL));
    assert_null(swarm_node_next_container(NULL, NULL));
    assert_int_equal(swarm_node_label_at(NULL, 0, &text, &text), 0);
    assert_int_equal(swarm_node_label_at(node, 1, &text, &text), 0);
    assert_null(text);
    assert_int_equal(swarm_node_label_at(node, 0, NULL, NULL), 1);
    assert_int_equal(swarm_node_capacity_cpus_milli(NULL), 0);
    assert_int_equal(swarm_node_capacity_memory(NULL), 0);
    assert_true(swarm_node_overcommit(NULL) == 0);
    assert_int_equal(swarm_node_total_cpus_milli(NULL), 0);
    assert_int_equal(swarm_node_total_memory(NULL), 0);
    assert_int_equal(swarm_node_used_cpus_milli(NULL), 0);
    assert_int_equal(swarm_node_used_memory(NULL), 0);
    assert_int_equal(swarm_node_health(NULL), 0);
    assert_int_equal(swarm_node_availability(NULL), 0);
    assert_int_equal(swarm_node_slots_used(NULL), 0);
    assert_int_equal(swarm_node_slots_limit(NULL), 0);
    assert_int_equal(swarm_node_container_count(NULL), 0);
    assert_int_equal(swarm_node_has_image(NULL, "app"), 0);
    assert_int_equal(swarm_node_has_image(node, NULL), 0);
}

static void test_containers_name_what_cannot_be(void **state)
{
    INVALID(swarm_container_set_state(container, 6, &told), "container c1: unknown state 6: 0 to 5 is expected");
    INVALID(swarm_container_set_state(container, -1, &told), "container c1: unknown state -1: 0 to 5 is expected");
    INVALID(swarm_container_set_state(NULL, 0, &told), "container: NULL");
    INVALID(swarm_container_set_names(container, (const char *const[]){"a", NULL}, 2, &told),
            "container c1: name 1 is NULL");
    INVALID(swarm_container_set_names(container, NULL, 1, &told), "container names: NULL");
    INVALID(swarm_container_set_names(NULL, NULL, 0, &told), "container names: NULL");
    INVALID(swarm_container_set_request(container, NULL, &told), "container request: NULL");
    INVALID(swarm_container_set_request(NULL, swarm_container_request(container), &told), "container request: NULL");
    INVALID(swarm_container_set_bound_ports(container, NULL, 1, &told), "bound ports: NULL");
    INVALID(swarm_container_set_bound_ports(NULL, NULL, 0, &told), "bound ports: NULL");
    swarm_container_set_data(NULL, node);
}

static void test_getters_give_nothing_without_a_container(void **state)
{
    assert_null(swarm_container_id(NULL));
    assert_null(swarm_container_swarm_id(NULL));
    assert_null(swarm_container_name(NULL));
    assert_null(swarm_container_name_at(NULL, 0));
    assert_null(swarm_container_node(NULL));
    assert_null(swarm_container_request(NULL));
    assert_int_equal(swarm_container_state(NULL), 0);
    assert_int_equal(swarm_container_bound_port_at(NULL, 0, NULL, NULL), 0);
    assert_null(swarm_container_data(NULL));
}

static void test_clusters_name_what_cannot_be(void **state)
{
    struct swarm_cluster *other = new_cluster();
    struct swarm_request *request = request_of("");
    struct swarm_error *error = NULL;
    INVALID(swarm_cluster_new(NULL, &told), "ret_cluster is NULL");
    INVALID(swarm_cluster_add_node(cluster, "", "x", "", NULL, &told), "node: a cluster and an id are needed");
    INVALID(swarm_cluster_add_node(NULL, "x", "x", "", NULL, &told), "node: a cluster and an id are needed");
    assert_int_equal(swarm_cluster_add_node(cluster, "a", "x", "", NULL, &error), SWARM_ERR_EXISTS);
    assert_string_equal(swarm_error_message(error), "node a exists already");
    swarm_error_free(error);
    INVALID(swarm_cluster_add_container(other, node, "c2", request, NULL, &told),
            "container: a node of this cluster, an id and a request are needed");
    INVALID(swarm_cluster_add_container(cluster, NULL, "c2", request, NULL, &told),
            "container: a node of this cluster, an id and a request are needed");
    INVALID(swarm_cluster_hold_name(cluster, "/", &told), "hold: a cluster and a name are needed");
    INVALID(swarm_cluster_hold_name(cluster, NULL, &told), "hold: a cluster and a name are needed");
    swarm_cluster_remove_node(other, node);
    swarm_cluster_remove_container(other, container);
    swarm_cluster_release_name(cluster, "web"); /* taken, but no hold */
    swarm_request_unref(request);
    swarm_cluster_free(other);
}

static void test_functions_give_nothing_without_a_cluster(void **state)
{
    swarm_cluster_free(NULL);
    swarm_cluster_set_container_destroy(NULL, free);
    swarm_cluster_remove_node(NULL, node);
    swarm_cluster_remove_node(cluster, NULL);
    swarm_cluster_remove_container(NULL, container);
    swarm_cluster_remove_container(cluster, NULL);
    swarm_cluster_release_name(NULL, "web");
    swarm_cluster_release_name(cluster, NULL);
    assert_true(swarm_cluster_generation(NULL) == 0);
    assert_null(swarm_cluster_find_node(NULL, "a"));
    assert_null(swarm_cluster_find_node(cluster, NULL));
    assert_int_equal(swarm_cluster_node_count(NULL), 0);
    assert_null(swarm_cluster_next_node(NULL, NULL));
    assert_int_equal(swarm_cluster_container_count(NULL), 0);
    assert_null(swarm_cluster_find_container(NULL, node, "c1"));
    assert_null(swarm_cluster_find_container(cluster, NULL, "c1"));
    assert_null(swarm_cluster_find_container(cluster, node, NULL));
}

static void test_schedulers_name_what_cannot_be(void **state)
{
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = "best";
    INVALID(swarm_scheduler_new(&scheduler, &options, &told), "strategy not supported: 'best'");
    options.strategy = NULL;
    options.filters = (const char *const[]){"health", "healht"};
    options.filter_count = 2;
    INVALID(swarm_scheduler_new(&scheduler, &options, &told), "filter not supported: 'healht'");
    options.filters = (const char *const[]){NULL};
    options.filter_count = 1;
    INVALID(swarm_scheduler_new(&scheduler, &options, &told), "filter not supported: NULL");
    options.size = 8;
    INVALID(swarm_scheduler_new(&scheduler, &options, &told),
            "scheduler options: size 8: start with SWARM_SCHEDULER_OPTIONS_INIT");
    INVALID(swarm_scheduler_new(NULL, NULL, &told), "scheduler: ret_scheduler is NULL");
    assert_null(scheduler);
}

static void test_schedulers_and_reservations_of_none(void **state)
{
    assert_null(swarm_scheduler_strategy(NULL));
    assert_null(swarm_scheduler_filter(NULL, 0));
    assert_null(swarm_reservation_node(NULL));
    assert_null(swarm_reservation_request(NULL));
    swarm_reservation_abort(NULL);
    swarm_scheduler_free(NULL);
    INVALID(swarm_reservation_commit(NULL, "c2", NULL, &told), "reservation: NULL");
    assert_null(swarm_image_id(NULL));
}

static void test_placements_need_everything(void **state)
{
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    struct swarm_request *request = request_of("");
    struct swarm_reservation *place = NULL;
    struct swarm_decision *decision = NULL;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    INVALID(swarm_scheduler_place(NULL, cluster, request, NULL, &place, &told),
            "placement: a scheduler, cluster and request are needed");
    INVALID(swarm_scheduler_place(scheduler, NULL, request, NULL, &place, &told),
            "placement: a scheduler, cluster and request are needed");
    INVALID(swarm_scheduler_place(scheduler, cluster, NULL, NULL, &place, &told),
            "placement: a scheduler, cluster and request are needed");
    INVALID(swarm_scheduler_place(scheduler, cluster, request, NULL, NULL, &told),
            "placement: ret_reservation is NULL");
    INVALID(swarm_scheduler_plan(scheduler, cluster, request, NULL, NULL, &told), "plan: ret_decision is NULL");
    options.size = 3;
    INVALID(swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, &told),
            "place options: size 3: start with SWARM_PLACE_OPTIONS_INIT");
    INVALID(swarm_cluster_reserve(cluster, NULL, request, &place, &told),
            "reservation: NULL, or a node of another cluster");
    assert_null(place);
    assert_null(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static void test_values_of_a_slash_and_patterns_that_explode(void **state)
{
    static const char *const bad[] = {"zone==/", "zone!=~/", "zone==/(/", "zone==/a{1,99999}/", "zone==/(?P<x/"};
    struct swarm_request *request = request_of("");
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct swarm_error *error = NULL;
        int code = swarm_request_add_constraint(request, bad[i], &error);
        if (code != SWARM_ERR_PARSE)
            fail_msg("%s: %d", bad[i], code);
        assert_non_null(strstr(swarm_error_message(error), bad[i]));
        swarm_error_free(error);
    }
    assert_null(swarm_request_constraint_at(request, 0));
    swarm_request_unref(request);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nodes_name_what_cannot_be),
        TEST(test_setters_need_a_node),
        TEST(test_getters_give_nothing_without_a_node),
        TEST(test_containers_name_what_cannot_be),
        TEST(test_getters_give_nothing_without_a_container),
        TEST(test_clusters_name_what_cannot_be),
        TEST(test_functions_give_nothing_without_a_cluster),
        TEST(test_schedulers_name_what_cannot_be),
        TEST(test_schedulers_and_reservations_of_none),
        TEST(test_placements_need_everything),
        TEST(test_values_of_a_slash_and_patterns_that_explode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
