/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cluster_fixture.h"
#include "request.h"

static void test_soft_constraint_gives_way_to_resources(void **state)
{
    label_node(add_sized_node(cluster, "n0", 1, 4), "group=1");
    label_node(add_sized_node(cluster, "n1", 2, 4), "group=2");
    assert_string_equal(planned(cluster, "spread", "cpus=2 memory=1 constraint=group==~1", 0), "n1");
}

static void test_decision_says_that_soft_expressions_were_dropped(void **state)
{
    label_node(add_sized_node(cluster, "n0", 1, 4), "group=1");
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    static const char *const words[] = {"constraint=group==~1", "constraint=group==~2"};
    for (int i = 0; i < 2; i++) {
        struct swarm_request *request = request_of(words[i]);
        struct swarm_decision *decision = NULL;
        assert_int_equal(swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, NULL), 0);
        assert_int_equal(swarm_decision_soft_dropped(decision), i);
        swarm_decision_free(decision);
        swarm_request_unref(request);
    }
    swarm_scheduler_free(scheduler);
}

static void test_ostype_constraint(void **state)
{
    label_node(add_node(cluster, "n0", "n0"), "ostype=linux");
    label_node(add_node(cluster, "n1", "n1"), "ostype=windows");
    assert_string_equal(planned(cluster, "spread", "constraint=ostype==windows", 0), "n1");
    assert_string_equal(planned(cluster, "spread", "constraint=ostype==linux", 0), "n0");
}

static void test_decision_lists_candidates_and_ties(void **state)
{
    add_container(add_sized_node(cluster, "n0", 4, 4), "c", "cpus=2");
    add_sized_node(cluster, "n1", 4, 4);
    add_sized_node(cluster, "n2", 4, 4);
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    struct swarm_request *request = request_of("cpus=1");
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, NULL), 0);
    assert_int_equal(swarm_decision_candidate_count(decision), 3);
    assert_int_equal(swarm_decision_best_count(decision), 2);
    assert_string_equal(swarm_node_id(swarm_decision_best(decision, 0)), "n1");
    assert_string_equal(swarm_node_id(swarm_decision_best(decision, 1)), "n2");
    assert_null(swarm_decision_best(decision, 2));
    assert_null(swarm_decision_candidate(decision, 3));
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    swarm_decision_free(NULL);
}

static void test_same_seed_same_answer(void **state)
{
    for (int i = 0; i < 9; i++) {
        char id[] = {'n', (char)('0' + i), '\0'};
        add_node(cluster, id, id);
    }
    int changes = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        char *first = strdup(planned(cluster, "spread", "", seed));
        assert_string_equal(planned(cluster, "spread", "", seed), first);
        changes += strcmp(planned(cluster, "spread", "", seed + 1), first) != 0;
        free(first);
    }
    assert_true(changes > 20);
}

static void test_empty_cluster(void **state)
{
    assert_string_equal(planned(cluster, "spread", "", 0), "error: No healthy node available in the cluster");
    assert_string_equal(left_by(cluster, "containerslots", ""), "error: No nodes available in the cluster");
}

static void test_no_filters_at_all(void **state)
{
    label_node(add_node(cluster, "n0", "n0"), "containerslots=0");
    swarm_node_set_health(swarm_cluster_find_node(cluster, "n0"), 0, NULL);
    assert_string_equal(left_by(cluster, "", "constraint=zone==b"), "n0");
}

static void test_paused_and_draining_nodes_are_no_candidates(void **state)
{
    add_node(cluster, "n0", "n0");
    struct swarm_node *paused = add_node(cluster, "n1", "n1"), *draining = add_node(cluster, "n2", "n2");
    swarm_node_set_availability(paused, SWARM_AVAILABILITY_PAUSED, NULL);
    swarm_node_set_availability(draining, SWARM_AVAILABILITY_DRAINING, NULL);
    assert_string_equal(left_by(cluster, NULL, ""), "n0");
    assert_string_equal(left_by(cluster, "constraint", "constraint=node==n1"),
                        "error: Unable to find a node that satisfies the following conditions \n[node==n1]\n"
                        "[nodes not considered: 1 paused, 1 draining]");
    swarm_node_set_availability(paused, SWARM_AVAILABILITY_ACTIVE, NULL);
    assert_string_equal(left_by(cluster, NULL, ""), "n0 n1");
    swarm_node_set_availability(paused, SWARM_AVAILABILITY_UNANNOUNCED, NULL);
    assert_string_equal(left_by(cluster, NULL, ""), "n0");
    assert_string_equal(left_by(cluster, "constraint", "constraint=node==n1"),
                        "error: Unable to find a node that satisfies the following conditions \n[node==n1]\n"
                        "[nodes not considered: 1 draining, 1 unannounced]");
}

static void test_only_draining_nodes(void **state)
{
    swarm_node_set_availability(add_node(cluster, "n0", "n0"), SWARM_AVAILABILITY_DRAINING, NULL);
    assert_string_equal(left_by(cluster, NULL, ""), "error: No healthy node available in the cluster\n"
                                                    "[nodes not considered: 1 draining]");
    assert_string_equal(left_by(cluster, "port", ""), "error: No nodes available in the cluster\n"
                                                      "[nodes not considered: 1 draining]");
}

static int place_with(const struct swarm_place_options *options, const char *words, struct swarm_error **reterr,
                      const char **ret_node)
{
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    struct swarm_request *request = request_of(words);
    struct swarm_reservation *place = NULL;
    int code = swarm_scheduler_place(scheduler, cluster, request, options, &place, reterr);
    if (code == 0)
        *ret_node = swarm_node_id(swarm_reservation_node(place));
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return code;
}

static void test_stand_in_goes_elsewhere_under_the_same_name(void **state)
{
    struct swarm_node *lost = add_node(cluster, "n0", "n0");
    add_node(cluster, "n1", "n1");
    struct swarm_container *container = add_container(lost, "c1", "name=web");
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    const char *node = NULL;
    assert_int_equal(place_with(&options, "name=web", NULL, &node), SWARM_ERR_NAME_TAKEN);
    for (uint64_t seed = 0; seed < 20; seed++) {
        options.seed = seed;
        options.replaces = container;
        char name[] = {'w', (char)('a' + seed), '\0'};
        const char *names[] = {name};
        assert_int_equal(swarm_container_set_names(container, names, 1, NULL), 0);
        char words[] = {'n', 'a', 'm', 'e', '=', name[0], name[1], '\0'};
        assert_int_equal(place_with(&options, words, NULL, &node), 0);
        assert_string_equal(node, "n1");
    }
}

static void test_stand_in_with_no_other_node(void **state)
{
    struct swarm_container *container = add_container(add_node(cluster, "n0", "n0"), "c1", "name=web");
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.replaces = container;
    struct swarm_error *error = NULL;
    const char *node = NULL;
    assert_int_equal(place_with(&options, "name=web", &error, &node), SWARM_ERR_NO_NODE);
    assert_string_equal(swarm_error_message(error),
                        "No healthy node available in the cluster\n[nodes not considered: 1 to be replaced]");
    swarm_error_free(error);
}

static void test_extra_affinity_is_for_this_decision_only(void **state)
{
    add_node(cluster, "n0", "n0");
    add_image_to(add_node(cluster, "n1", "n1"), "sha256:1", "app:1");
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.extra_affinity = "image==app:1";
    const char *node = NULL;
    for (options.seed = 0; options.seed < 10; options.seed++) {
        assert_int_equal(place_with(&options, "", NULL, &node), 0);
        assert_string_equal(node, "n1");
    }
    options.extra_affinity = "image=app";
    struct swarm_error *error = NULL;
    assert_int_equal(place_with(&options, "", &error, &node), SWARM_ERR_PARSE);
    assert_non_null(strstr(swarm_error_message(error), "image=app"));
    swarm_error_free(error);
}

static void test_flawed_expression_is_listed_as_such(void **state)
{
    add_node(cluster, "n0", "n0");
    struct swarm_request *request = request_of("port=80 constraint=zone==b");
    assert_int_equal(swarm__request_keep_affinity(request, "container=x", strlen("container=x")), 0);
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error),
                        "Unable to find a node that satisfies the following conditions \n[port 80 (Bridge mode)]\n"
                        "[available container slots]\nerror from affinity filter: One of operator ==, != is expected");
    swarm_error_free(error);
    swarm_scheduler_free(scheduler);
    swarm_request_unref(request);
}

static void test_plan_has_no_effect(void **state)
{
    add_sized_node(cluster, "n0", 4, 4);
    char *before = state_of(cluster);
    assert_string_equal(planned(cluster, "spread", "cpus=1 name=web port=80", 0), "n0");
    char *after = state_of(cluster);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_refused_place_has_no_effect(void **state)
{
    add_sized_node(cluster, "n0", 4, 4);
    char *before = state_of(cluster);
    assert_string_equal(placed(cluster, "spread", "c1", "cpus=5 name=web"),
                        "error: no resources available to schedule container");
    char *after = state_of(cluster);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_names_of_filters_and_strategy(void **state)
{
    struct swarm_scheduler *scheduler = new_scheduler(NULL, NULL);
    static const char *const filters[] = {"health",   "port",       "containerslots", "dependency",
                                          "affinity", "constraint", "whitelist"};
    for (size_t i = 0; i < COUNT(filters); i++) {
        assert_string_equal(swarm_scheduler_filter(scheduler, i), filters[i]);
        assert_string_equal(swarm_filter_name(i), filters[i]);
    }
    assert_null(swarm_scheduler_filter(scheduler, COUNT(filters)));
    assert_null(swarm_filter_name(COUNT(filters)));
    assert_string_equal(swarm_scheduler_strategy(scheduler), "spread");
    swarm_scheduler_free(scheduler);
    scheduler = new_scheduler("binpacking", "port health port");
    assert_string_equal(swarm_scheduler_strategy(scheduler), "binpack");
    assert_string_equal(swarm_scheduler_filter(scheduler, 2), "port");
    swarm_scheduler_free(scheduler);
}

static void check_refused(const struct swarm_scheduler_options *options, const char *message)
{
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_scheduler_new(&scheduler, options, &error), SWARM_ERR_INVALID);
    assert_non_null(strstr(swarm_error_message(error), message));
    assert_null(scheduler);
    swarm_error_free(error);
}

static void test_unknown_names_are_refused(void **state)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = "fastest";
    check_refused(&options, "strategy not supported: 'fastest'");
    options.strategy = NULL;
    options.filters = (const char *[]){"health", "colour"};
    options.filter_count = 2;
    check_refused(&options, "filter not supported: 'colour'");
}

static void test_options_of_an_impossible_size_are_refused(void **state)
{
    struct {
        struct swarm_scheduler_options options;
        size_t later;
    } newer = {SWARM_SCHEDULER_OPTIONS_INIT, 0};
    newer.options.size = sizeof(newer);
    struct swarm_scheduler *scheduler = NULL;
    assert_int_equal(swarm_scheduler_new(&scheduler, &newer.options, NULL), 0);
    swarm_scheduler_free(scheduler);
    newer.later = 1;
    check_refused(&newer.options, "SWARM_SCHEDULER_OPTIONS_INIT");
    newer.options.size = sizeof(size_t);
    check_refused(&newer.options, "SWARM_SCHEDULER_OPTIONS_INIT");
}

static void test_null_arguments_are_refused(void **state)
{
    struct swarm_scheduler *scheduler = new_scheduler(NULL, NULL);
    struct swarm_decision *decision = NULL;
    struct swarm_request *request = request_of("");
    assert_int_equal(swarm_scheduler_plan(NULL, cluster, request, NULL, &decision, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_plan(scheduler, NULL, request, NULL, &decision, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_plan(scheduler, cluster, NULL, NULL, &decision, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_plan(scheduler, cluster, request, NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_new(NULL, NULL, NULL), SWARM_ERR_INVALID);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    swarm_scheduler_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_cluster, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_soft_constraint_gives_way_to_resources),
        TEST(test_decision_says_that_soft_expressions_were_dropped),
        TEST(test_ostype_constraint),
        TEST(test_decision_lists_candidates_and_ties),
        TEST(test_same_seed_same_answer),
        TEST(test_empty_cluster),
        TEST(test_no_filters_at_all),
        TEST(test_paused_and_draining_nodes_are_no_candidates),
        TEST(test_only_draining_nodes),
        TEST(test_stand_in_goes_elsewhere_under_the_same_name),
        TEST(test_stand_in_with_no_other_node),
        TEST(test_extra_affinity_is_for_this_decision_only),
        TEST(test_flawed_expression_is_listed_as_such),
        TEST(test_plan_has_no_effect),
        TEST(test_refused_place_has_no_effect),
        TEST(test_names_of_filters_and_strategy),
        TEST(test_unknown_names_are_refused),
        TEST(test_options_of_an_impossible_size_are_refused),
        TEST(test_null_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
