/* SPDX-License-Identifier: Apache-2.0 */
/* Named integer resources: what nodes have, what is taken, and that no strategy places beyond it. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster.h"
#include "cluster_fixture.h"
#include "heap.h"

static int tear_down(void **state)
{
    heap_restore();
    return tear_down_cluster(state);
}

static void give(struct swarm_node *node, const char *name, int64_t total)
{
    assert_int_equal(swarm_node_set_resource(node, name, total, NULL), 0);
    assert_int_equal(swarm_node_resource_total(node, name), total);
}

#define NO_ROOM "error: no resources available to schedule container"

static void test_nodes_without_room_are_no_candidates(void **state)
{
    static const char *const strategies[] = {"spread", "binpack", "random"};
    give(nodes[1], "gpu", 2);
    give(nodes[2], "gpu", 1);
    for (size_t i = 0; i < COUNT(strategies); i++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            assert_string_equal(planned(cluster, strategies[i], "resource=gpu:2", seed), "n1");
            assert_string_equal(planned(cluster, strategies[i], "resource=gpu:3", seed), NO_ROOM);
            assert_string_equal(planned(cluster, strategies[i], "resource=tpu:1", seed), NO_ROOM);
        }
    check_left(NULL, "resource=gpu:1", "n1 n2");
    check_left(NULL, "", "n0 n1 n2");
}

static void test_all_that_is_asked_for_must_be_there(void **state)
{
    give(nodes[0], "gpu", 1);
    give(nodes[1], "gpu", 1);
    give(nodes[1], "licence", 3);
    give(nodes[2], "licence", 3);
    check_left(NULL, "resource=gpu:1 resource=licence:3", "n1");
    check_left(NULL, "resource=licence:3 resource=gpu:2", NO_ROOM);
}

static void test_taken_to_the_last_and_given_back(void **state)
{
    give(nodes[1], "gpu", 2);
    assert_string_equal(placed(cluster, "random", "c1", "resource=gpu:1"), "n1");
    struct swarm_reservation *place = take_place(nodes[1], "resource=gpu:1");
    assert_int_equal(swarm_node_resource_used(nodes[1], "gpu"), 2);
    assert_string_equal(placed(cluster, "random", "c2", "resource=gpu:1"), NO_ROOM);
    swarm_reservation_abort(place);
    assert_string_equal(placed(cluster, "random", "c2", "resource=gpu:1"), "n1");
    swarm_cluster_remove_container(cluster, swarm_cluster_find_container(cluster, nodes[1], "c1"));
    assert_int_equal(swarm_node_resource_used(nodes[1], "gpu"), 1);
    assert_int_equal(swarm_node_resource_total(nodes[1], "gpu"), 2);
}

static void test_update_takes_what_is_asked_for_now(void **state)
{
    struct swarm_container *container = add_container(nodes[0], "c1", "resource=gpu:1 resource=disk:10");
    struct swarm_request *request = request_of("resource=disk:30 resource=net:5");
    assert_int_equal(swarm_container_set_request(container, request, NULL), 0);
    assert_int_equal(swarm_node_resource_used(nodes[0], "gpu"), 0);
    assert_int_equal(swarm_node_resource_used(nodes[0], "disk"), 30);
    assert_int_equal(swarm_node_resource_used(nodes[0], "net"), 5);
    swarm_request_unref(request);
}

static void test_stopped_containers_count_as_with_cpus(void **state)
{
    struct swarm_container *container = add_container(nodes[0], "c1", "resource=gpu:1");
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_EXITED, NULL), 0);
    assert_int_equal(swarm_node_resource_used(nodes[0], "gpu"), 1);
    assert_int_equal(swarm_cluster_set_stopped_counts(cluster, SWARM_COUNT_PORTS | SWARM_COUNT_SLOTS, NULL), 0);
    assert_int_equal(swarm_node_resource_used(nodes[0], "gpu"), 0);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    assert_int_equal(swarm_node_resource_used(nodes[0], "gpu"), 1);
}

static void test_a_node_may_have_less_than_is_used(void **state)
{
    give(nodes[0], "gpu", 2);
    add_container(nodes[0], "c1", "resource=gpu:2");
    give(nodes[0], "gpu", 1);
    check_left(NULL, "resource=gpu:1", NO_ROOM);
    give(nodes[0], "gpu", 0);
    assert_int_equal(swarm_node_resource_used(nodes[0], "gpu"), 2);
    check_left(NULL, "resource=gpu:1", NO_ROOM);
    give(nodes[0], "gpu", 3);
    check_left(NULL, "resource=gpu:1", "n0");
}

static void test_overcommit_does_not_apply(void **state)
{
    give(nodes[0], "gpu", 10);
    assert_int_equal(swarm_node_set_overcommit(nodes[0], 1.0, NULL), 0);
    assert_int_equal(swarm_node_resource_total(nodes[0], "gpu"), 10);
    check_left(NULL, "resource=gpu:11", NO_ROOM);
}

static void check_at(const struct swarm_node *node, size_t index, const char *name, int64_t total, int64_t used)
{
    const char *got;
    int64_t got_total, got_used;
    assert_int_equal(swarm_node_resource_at(node, index, &got, &got_total, &got_used), 1);
    assert_string_equal(got, name);
    assert_int_equal(got_total, total);
    assert_int_equal(got_used, used);
}

static void test_walk_of_a_nodes_resources(void **state)
{
    const char *name = "untouched";
    give(nodes[0], "net", 100);
    give(nodes[0], "disk", 7);
    give(nodes[1], "gpu", 1);
    add_container(nodes[0], "c1", "resource=disk:2 resource=fan:1");
    check_at(nodes[0], 0, "disk", 7, 2);
    check_at(nodes[0], 1, "fan", 0, 1);
    check_at(nodes[0], 2, "net", 100, 0);
    assert_int_equal(swarm_node_resource_at(nodes[0], 3, &name, NULL, NULL), 0);
    assert_int_equal(swarm_node_resource_at(nodes[0], SIZE_MAX, &name, NULL, NULL), 0);
    assert_int_equal(swarm_node_resource_at(NULL, 0, &name, NULL, NULL), 0);
    assert_string_equal(name, "untouched");
    assert_int_equal(swarm_node_resource_at(nodes[0], 0, NULL, NULL, NULL), 1);
    assert_int_equal(swarm_node_resource_at(nodes[2], 0, NULL, NULL, NULL), 0);
}

static void test_walk_of_a_requests_resources(void **state)
{
    struct swarm_request *request = request_of("resource=b:2 resource=a:1 resource=c:3"), *copy = NULL;
    const char *name = NULL;
    int64_t amount = 0;
    assert_int_equal(swarm_request_set_resource(request, "b", 5, NULL), 0);
    assert_int_equal(swarm_request_set_resource(request, "a", 0, NULL), 0);
    assert_int_equal(swarm_request_set_resource(request, "never", 0, NULL), 0);
    assert_int_equal(swarm_request_copy(&copy, request, NULL), 0);
    swarm_request_unref(request);
    assert_int_equal(swarm_request_resource_at(copy, 0, &name, &amount), 1);
    assert_string_equal(name, "b");
    assert_int_equal(amount, 5);
    assert_int_equal(swarm_request_resource_at(copy, 1, &name, NULL), 1);
    assert_string_equal(name, "c");
    assert_int_equal(swarm_request_resource_at(copy, 2, &name, &amount), 0);
    assert_int_equal(swarm_request_resource_at(NULL, 0, &name, &amount), 0);
    assert_int_equal(swarm_request_resource(copy, "c"), 3);
    assert_int_equal(swarm_request_resource(copy, "a"), 0);
    assert_int_equal(swarm_request_resource(copy, NULL), 0);
    assert_int_equal(swarm_request_resource(NULL, "c"), 0);
    swarm_request_unref(copy);
}

/* The call's error is that one. */
#define CHECK_ERROR(call, code, text)                                                                                  \
    do {                                                                                                               \
        struct swarm_error *error = NULL;                                                                              \
        assert_int_equal(call, code);                                                                                  \
        assert_string_equal(swarm_error_message(error), text);                                                         \
        swarm_error_free(error);                                                                                       \
    } while (0)

static void test_bad_arguments_are_named(void **state)
{
    struct swarm_request *request = request_of("");
    char longest[256], longer[257];
    memset(longest, 'x', sizeof(longest));
    longest[255] = '\0';
    memset(longer, 'x', sizeof(longer));
    longer[256] = '\0';
    CHECK_ERROR(swarm_node_set_resource(NULL, "gpu", 1, &error), SWARM_ERR_INVALID, "node: NULL");
    CHECK_ERROR(swarm_node_set_resource(nodes[0], NULL, 1, &error), SWARM_ERR_INVALID, "resource: the name is NULL");
    CHECK_ERROR(swarm_node_set_resource(nodes[0], "", 1, &error), SWARM_ERR_INVALID, "resource: the name is empty");
    CHECK_ERROR(swarm_node_set_resource(nodes[0], longer, 1, &error), SWARM_ERR_INVALID,
                "resource xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: a name of 256 bytes: 255 at most are expected");
    CHECK_ERROR(swarm_node_set_resource(nodes[0], "gpu", -1, &error), SWARM_ERR_INVALID,
                "node n0: -1 of gpu: 0 or more is expected");
    CHECK_ERROR(swarm_request_set_resource(NULL, "gpu", 1, &error), SWARM_ERR_INVALID, "request is NULL");
    CHECK_ERROR(swarm_request_set_resource(request, NULL, 1, &error), SWARM_ERR_INVALID, "resource: the name is NULL");
    CHECK_ERROR(swarm_request_set_resource(request, "", 1, &error), SWARM_ERR_INVALID, "resource: the name is empty");
    CHECK_ERROR(swarm_request_set_resource(request, "gpu", INT64_MIN, &error), SWARM_ERR_INVALID,
                "resource gpu: -9223372036854775808: 0 or more is expected");
    assert_int_equal(swarm_node_resource_at(nodes[0], 0, NULL, NULL, NULL), 0);
    assert_int_equal(swarm_request_resource_at(request, 0, NULL, NULL), 0);
    assert_int_equal(swarm_request_set_resource(request, longest, INT64_MAX, NULL), 0);
    give(nodes[0], longest, INT64_MAX);
    assert_int_equal(swarm_node_resource_total(nodes[0], NULL), 0);
    assert_int_equal(swarm_node_resource_used(NULL, longest), 0);
    struct swarm_container *container = NULL;
    assert_int_equal(swarm_cluster_add_container(cluster, nodes[0], "c1", request, &container, NULL), 0);
    CHECK_ERROR(swarm_request_set_resource(request, "gpu", 1, &error), SWARM_ERR_STATE,
                "the request is in use by a placement or a container: change a copy of it");
    swarm_request_unref(request);
}

static void test_sums_past_the_greatest_number_are_refused_whole(void **state)
{
    struct swarm_request *request = request_of("cpus=1 resource=disk:5 label=a=b");
    assert_int_equal(swarm_request_set_resource(request, "gpu", INT64_MAX, NULL), 0);
    add_container(nodes[0], "c1", "resource=gpu:1");
    char *before = state_of(cluster);
    CHECK_ERROR(swarm_cluster_add_container(cluster, nodes[0], "c2", request, NULL, &error), SWARM_ERR_INVALID,
                "gpu used on node n0 would pass the greatest number");
    char *after = state_of(cluster);
    assert_string_equal(before, after);
    free(before);
    free(after);
    swarm_request_unref(request);
}

static void test_names_are_kept_as_long_as_they_are_needed(void **state)
{
    give(nodes[0], "gpu", 1);
    give(nodes[1], "gpu", 1);
    struct swarm_container *container = add_container(nodes[2], "c1", "resource=gpu:1 resource=disk:1");
    assert_int_equal(cluster->resources.count, 2);
    swarm_cluster_remove_node(cluster, nodes[0]);
    give(nodes[1], "gpu", 0);
    assert_int_equal(cluster->resources.count, 2);
    swarm_cluster_remove_container(cluster, container);
    assert_int_equal(cluster->resources.count, 0);
    give(nodes[2], "gpu", 1);
    swarm_cluster_remove_node(cluster, nodes[2]);
    assert_int_equal(cluster->resources.count, 0);
}

static void test_a_slot_that_is_used_again_has_nothing(void **state)
{
    give(nodes[0], "gpu", 4);
    give(nodes[1], "gpu", 4);
    add_container(nodes[0], "c1", "resource=gpu:3");
    swarm_cluster_remove_node(cluster, nodes[0]);
    struct swarm_node *fresh = add_node(cluster, "n3", "n3");
    assert_int_equal(swarm_node_resource_total(fresh, "gpu"), 0);
    assert_int_equal(swarm_node_resource_used(fresh, "gpu"), 0);
}

static void test_many_nodes_and_names(void **state)
{
    struct swarm_node *many[300];
    char id[16], name[16], words[32];
    for (int i = 0; i < (int)COUNT(many); i++) {
        snprintf(id, sizeof(id), "m%d", i);
        snprintf(name, sizeof(name), "r%d", i % 50);
        many[i] = add_node(cluster, id, id);
        give(many[i], name, i + 1);
    }
    assert_int_equal(cluster->resources.count, 50);
    for (int i = 0; i < (int)COUNT(many); i++) {
        snprintf(name, sizeof(name), "r%d", i % 50);
        assert_int_equal(swarm_node_resource_total(many[i], name), i + 1);
    }
    snprintf(words, sizeof(words), "resource=r49:300");
    check_left(NULL, words, "m299");
}

/* ---- out of memory ---- */

static struct swarm_request *request;

static int set_total(struct swarm_error **reterr)
{
    return swarm_node_set_resource(nodes[0], "gpu", 4, reterr);
}

static int add_one(struct swarm_error **reterr)
{
    return swarm_cluster_add_container(cluster, nodes[0], "c1", request, NULL, reterr);
}

static int add_a_node_that_moves_the_tables(struct swarm_error **reterr)
{
    return swarm_cluster_add_node(cluster, "n4", "n4", "", NULL, reterr);
}

static int ask_for_more(struct swarm_error **reterr)
{
    return swarm_request_set_resource(request, "another", 1, reterr);
}

/* Each allocation failing in turn, once or for good: all or nothing. */
static void walk(int (*step)(struct swarm_error **reterr), bool once)
{
    for (size_t n = 0; n < 1000; n++) {
        swarm_cluster_free(cluster);
        set_up_nodes(NULL);
        add_node(cluster, "n3", "n3"); /* the next one moves the tables */
        give(nodes[1], "disk", 10);
        request = request_of("resource=disk:1 resource=gpu:2 resource=net:3 resource=fan:4 label=a=b");
        char *before = state_of(cluster);
        struct swarm_error *error = NULL;
        heap_fail(n, once);
        int code = step(&error);
        bool failed = heap_failed();
        heap_restore();
        char *after = state_of(cluster);
        assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
        assert_int_equal(swarm_error_code(error), code);
        if (failed)
            assert_string_equal(before, after);
        assert_int_equal(swarm_request_resource(request, "another"), code == 0 && step == ask_for_more);
        swarm_error_free(error);
        swarm_request_unref(request);
        free(before);
        free(after);
        if (!failed) {
            assert_true(n > 0);
            return;
        }
    }
    fail_msg("it never gets through");
}

static void test_out_of_memory_changes_nothing(void **state)
{
    for (int once = 0; once < 2; once++) {
        walk(set_total, once);
        walk(add_one, once);
        walk(add_a_node_that_moves_the_tables, once);
        walk(ask_for_more, once);
    }
}

static void test_taking_away_needs_no_memory(void **state)
{
    give(nodes[0], "gpu", 1);
    struct swarm_container *container = add_container(nodes[0], "c1", "resource=gpu:1 resource=disk:1");
    heap_fail(0, false);
    give(nodes[0], "gpu", 0);
    swarm_cluster_remove_container(cluster, container);
    assert_int_equal(swarm_node_set_resource(nodes[0], "never", 0, NULL), 0);
    assert_false(heap_failed());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_nodes, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nodes_without_room_are_no_candidates),
        TEST(test_all_that_is_asked_for_must_be_there),
        TEST(test_taken_to_the_last_and_given_back),
        TEST(test_update_takes_what_is_asked_for_now),
        TEST(test_stopped_containers_count_as_with_cpus),
        TEST(test_a_node_may_have_less_than_is_used),
        TEST(test_overcommit_does_not_apply),
        TEST(test_walk_of_a_nodes_resources),
        TEST(test_walk_of_a_requests_resources),
        TEST(test_bad_arguments_are_named),
        TEST(test_sums_past_the_greatest_number_are_refused_whole),
        TEST(test_names_are_kept_as_long_as_they_are_needed),
        TEST(test_a_slot_that_is_used_again_has_nothing),
        TEST(test_many_nodes_and_names),
        TEST(test_out_of_memory_changes_nothing),
        TEST(test_taking_away_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
