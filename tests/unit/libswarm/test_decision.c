/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision tells beside its causes: scores, dropped expressions, text, JSON, and whether it would ever fit. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "explain_fixture.h"

static void size_nodes(void)
{
    for (size_t i = 0; i < COUNT(nodes); i++)
        assert_int_equal(swarm_node_set_capacity(nodes[i], 4000, 4 * GIB, NULL), 0);
}

static struct swarm_decision *explain_first(const char *strategy, const char *words, size_t ranked, uint64_t seed)
{
    struct swarm_scheduler *scheduler = new_scheduler(strategy, NULL);
    struct swarm_request *request = request_of(words);
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.ranked = ranked;
    options.seed = seed;
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, &options, &decision, NULL), 0);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return decision;
}

static const char *ranked_of(const struct swarm_decision *decision)
{
    static char text[1024];
    text[0] = '\0';
    struct swarm_node *node;
    for (size_t i = 0; (node = swarm_decision_ranked(decision, i, NULL)); i++)
        strcat(strcat(text, i ? " " : ""), swarm_node_id(node));
    return text;
}

static void test_first_nodes_with_their_parts(void **state)
{
    size_nodes();
    add_container(nodes[0], "c0", "cpus=2");
    add_container(nodes[1], "c1", "cpus=1");
    add_container(nodes[1], "c2", "");
    struct swarm_decision *decision = explain_first("spread", "cpus=1", 5, 0);
    assert_string_equal(ranked_of(decision), "n2 n1 n0");
    assert_ptr_equal(swarm_decision_node(decision), nodes[2]);
    assert_int_equal(swarm_decision_ranked_count(decision), 3);
    static const char *const names[] = {"cpu", "memory", "health", "containers"};
    static const int64_t values[] = {50, 100, 100, 2};
    const char *name = NULL;
    int64_t value = 0, first = 0, second = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(swarm_decision_part(decision, 1, i, &name, &value), 1);
        assert_string_equal(name, names[i]);
        assert_int_equal(value, values[i]);
    }
    assert_int_equal(swarm_decision_part(decision, 1, COUNT(names), &name, &value), 0);
    assert_int_equal(swarm_decision_part(decision, 3, 0, &name, &value), 0);
    swarm_decision_ranked(decision, 0, &first);
    swarm_decision_ranked(decision, 1, &second);
    assert_true(first > second);
    swarm_decision_free(decision);
    decision = explain_first("binpack", "cpus=1", 2, 0);
    assert_string_equal(ranked_of(decision), "n0 n1");
    swarm_decision_free(decision);
    decision = explain_first("binpack", "cpus=1", 0, 0);
    assert_string_equal(ranked_of(decision), "");
    assert_ptr_equal(swarm_decision_node(decision), nodes[0]);
    swarm_decision_free(decision);
}

static void test_first_nodes_among_many_that_tie(void **state)
{
    for (int i = 3; i < 150; i++) {
        char id[8];
        snprintf(id, sizeof(id), "n%d", i);
        swarm_node_set_health(add_node(cluster, id, id), i % 3 ? 100 : 50, NULL);
    }
    static const char *const strategies[] = {"spread", "binpack", "random"};
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct swarm_decision *few = explain_first(strategies[seed % 3], "", 7, seed);
        struct swarm_decision *all = explain_first(strategies[seed % 3], "", SIZE_MAX, seed);
        assert_int_equal(swarm_decision_ranked_count(few), 7);
        assert_int_equal(swarm_decision_ranked_count(all), 150);
        assert_ptr_equal(swarm_decision_ranked(few, 0, NULL), swarm_decision_node(few));
        assert_ptr_equal(swarm_decision_node(all), swarm_decision_node(few));
        assert_int_equal(swarm_decision_candidate_count(all), 150);
        int64_t before = INT64_MAX, score = 0;
        for (size_t i = 0; i < 150; i++) {
            struct swarm_node *node = swarm_decision_ranked(all, i, &score);
            if (i < 7)
                assert_ptr_equal(swarm_decision_ranked(few, i, NULL), node);
            assert_true(score <= before);
            before = score;
            assert_ptr_equal(swarm_decision_ranked(all, i, NULL), node);
            /* What would be chosen without those before it. */
            swarm_node_set_availability(node, SWARM_AVAILABILITY_PAUSED, NULL);
            if (i < 6)
                assert_string_equal(planned(cluster, strategies[seed % 3], "", seed),
                                    swarm_node_id(swarm_decision_ranked(all, i + 1, NULL)));
        }
        for (size_t i = 0; i < 150; i++)
            swarm_node_set_availability(swarm_decision_ranked(all, i, NULL), SWARM_AVAILABILITY_ACTIVE, NULL);
        swarm_decision_free(few);
        swarm_decision_free(all);
    }
}

static void check_text(const struct swarm_decision *decision, const char *expected)
{
    char *text = NULL;
    assert_int_equal(swarm_decision_text(decision, &text, NULL), 0);
    assert_string_equal(text, expected);
    swarm_free(text);
}

static void test_text_of_a_granted_one(void **state)
{
    size_nodes();
    swarm_node_set_name(nodes[1], "node-1", NULL);
    struct swarm_decision *decision = explain("spread", NULL, "cpus=1 constraint=node==n1");
    check_text(decision, "node-1 is chosen: cpu 25, memory 100, health 100, containers 0\n"
                         "1/3 nodes fit: 2 constraint node==n1");
    assert_int_equal(swarm_decision_code(decision), 0);
    assert_null(swarm_decision_message(decision));
    assert_null(swarm_decision_cause_of(decision, nodes[1]));
    assert_null(swarm_decision_cause_of(decision, NULL));
    swarm_decision_free(decision);
    decision = explain("random", NULL, "constraint=node==n1");
    check_text(decision, "node-1 is chosen\n1/3 nodes fit: 2 constraint node==n1");
    swarm_decision_free(decision);
}

static void test_text_of_a_refusal_begins_as_in_classic_swarm(void **state)
{
    struct swarm_decision *decision = explain("spread", NULL, "port=80 constraint=zone==a affinity=image==~x");
    check_text(decision, "Unable to find a node that satisfies the following conditions \n"
                         "[port 80 (Bridge mode)]\n[available container slots]\n[image==x (soft=true)]\n[zone==a]\n"
                         "0/3 nodes fit: 3 constraint zone==a\n"
                         "soft expressions dropped: affinity:image==~x");
    swarm_decision_free(decision);
}

static void test_dropped_soft_expressions(void **state)
{
    struct swarm_decision *decision =
        explain("spread", NULL, "constraint=zone==~a affinity=app!=~x affinity=image!=y whitelist=node==~n7");
    assert_int_equal(swarm_decision_soft_dropped(decision), 1);
    assert_string_equal(swarm_decision_dropped(decision, 0), "affinity:app!=~x");
    assert_string_equal(swarm_decision_dropped(decision, 1), "constraint:zone==~a");
    assert_string_equal(swarm_decision_dropped(decision, 2), "whitelist:node==~n7");
    assert_null(swarm_decision_dropped(decision, 3));
    assert_string_equal(summary_of(decision), "3/3 nodes fit\nsoft expressions dropped: affinity:app!=~x, "
                                              "constraint:zone==~a, whitelist:node==~n7");
    swarm_decision_free(decision);
    decision = explain("spread", NULL, "constraint=zone!=~a");
    assert_int_equal(swarm_decision_soft_dropped(decision), 0);
    assert_null(swarm_decision_dropped(decision, 0));
    swarm_decision_free(decision);
}

static void test_plan_is_not_explained(void **state)
{
    struct swarm_scheduler *scheduler = new_scheduler(NULL, NULL);
    struct swarm_request *request = request_of("constraint=node==n1");
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.seed = UINT64_MAX;
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, NULL), 0);
    check_text(decision, "n1 is chosen");
    assert_null(swarm_decision_cause(decision, 0));
    assert_null(swarm_decision_cause_of(decision, nodes[0]));
    assert_null(swarm_decision_ranked(decision, 0, NULL));
    assert_int_equal(swarm_decision_ranked_count(decision), 0);
    assert_int_equal(swarm_decision_fit_count(decision), 0);
    assert_true(swarm_decision_seed(decision) == UINT64_MAX);
    assert_int_equal(swarm_decision_generation(decision), swarm_cluster_generation(cluster));
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static json_t *json_of(const struct swarm_decision *decision)
{
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(swarm_decision_json(decision, &text, &length, NULL), 0);
    assert_int_equal(strlen(text), length);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    swarm_free(text);
    return root;
}

static void check_json(json_t *got, const char *expected)
{
    json_t *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);
    assert_non_null(wanted);
    if (!json_equal(got, wanted)) {
        char *text = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);
        fail_msg("%s instead of %s", text, expected);
    }
    json_decref(wanted);
}

static void test_json_of_a_refusal(void **state)
{
    add_container(nodes[0], "c0", "name=web port=443");
    assert_int_equal(swarm_node_set_capacity(nodes[1], 500, GIB, NULL), 0);
    swarm_node_set_availability(nodes[2], SWARM_AVAILABILITY_DRAINING, NULL);
    struct swarm_decision *decision = explain("spread", NULL, "port=443 cpus=2 affinity=image==~x");
    json_t *root = json_of(decision);
    check_json(json_object_get(root, "granted"), "false");
    check_json(json_object_get(root, "code"), "-3");
    check_json(json_object_get(root, "message"), "\"no resources available to schedule container\"");
    check_json(json_object_get(root, "node"), "null");
    check_json(json_object_get(root, "nodes"), "3");
    check_json(json_object_get(root, "fit"), "0");
    check_json(json_object_get(root, "ranked"), "[]");
    check_json(json_object_get(root, "soft_dropped"), "[\"affinity:image==~x\"]");
    check_json(json_object_get(root, "seed"), "\"0\"");
    check_json(json_object_get(root, "causes"),
               "[{\"reason\":\"draining\",\"filter\":null,\"detail\":null,\"count\":1,\"nearest\":null,"
               "\"blocker\":null,\"nodes\":[{\"id\":\"n2\",\"name\":\"n2\"}]},"
               "{\"reason\":\"port\",\"filter\":\"port\",\"detail\":\"443\",\"count\":1,\"nearest\":null,"
               "\"blocker\":{\"id\":\"c0\",\"name\":\"web\",\"node\":{\"id\":\"n0\",\"name\":\"n0\"}},"
               "\"nodes\":[{\"id\":\"n0\",\"name\":\"n0\"}]},"
               "{\"reason\":\"cpu\",\"filter\":\"spread\",\"detail\":null,\"count\":1,\"nearest\":{\"id\":\"n1\","
               "\"name\":\"n1\",\"shortage\":1500,\"unit\":\"milli-cpu\"},\"blocker\":null,"
               "\"nodes\":[{\"id\":\"n1\",\"name\":\"n1\",\"shortage\":1500}]}]");
    const char *text = json_string_value(json_object_get(root, "text"));
    assert_non_null(strstr(text, "0/3 nodes fit: 1 draining, 1 port 443 taken by web on n0, 1 CPU short (nearest n1 "
                                 "lacks 1.5 CPUs)"));
    json_decref(root);
    swarm_decision_free(decision);
}

static void test_json_of_a_granted_one(void **state)
{
    size_nodes();
    swarm_node_set_availability(nodes[2], SWARM_AVAILABILITY_PAUSED, NULL);
    add_container(nodes[0], "c0", "memory=1");
    struct swarm_decision *decision = explain_first("spread", "cpus=1", 9, UINT64_MAX);
    json_t *root = json_of(decision);
    check_json(json_object_get(root, "granted"), "true");
    check_json(json_object_get(root, "code"), "0");
    check_json(json_object_get(root, "message"), "null");
    check_json(json_object_get(root, "node"), "{\"id\":\"n1\",\"name\":\"n1\"}");
    check_json(json_object_get(root, "fit"), "2");
    check_json(json_object_get(root, "candidates"), "2");
    check_json(json_object_get(root, "seed"), "\"18446744073709551615\"");
    check_json(json_object_get(json_array_get(json_object_get(root, "ranked"), 1), "parts"),
               "{\"cpu\":25,\"memory\":100,\"health\":100,\"containers\":1}");
    check_json(json_object_get(json_array_get(json_object_get(root, "ranked"), 1), "id"), "\"n0\"");
    assert_true(json_is_integer(json_object_get(json_array_get(json_object_get(root, "ranked"), 0), "score")));
    assert_int_equal(json_integer_value(json_object_get(root, "generation")), swarm_cluster_generation(cluster));
    json_decref(root);
    swarm_decision_free(decision);
}

static void test_json_holds_any_text(void **state)
{
    static const char name[] =
        "\xff\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc3(\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80\n\xe2\x82";
    add_node(cluster, "n3", name);
    struct swarm_decision *decision = explain("spread", NULL, "constraint=node==n3");
    json_t *root = json_of(decision);
    check_json(json_object_get(root, "node"),
               "{\"id\":\"n3\",\"name\":\"?\\\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80?(?????????\\n??\"}");
    json_decref(root);
    swarm_decision_free(decision);
}

static void check_would_fit(const char *strategy, const char *words, int code, const char *expected)
{
    struct swarm_scheduler *scheduler = new_scheduler(strategy, NULL);
    struct swarm_request *request = request_of(words);
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_would_fit(scheduler, cluster, request, &decision, NULL), 0);
    assert_int_equal(swarm_decision_code(decision), code);
    assert_null(swarm_decision_node(decision));
    if (strcmp(summary_of(decision), expected) != 0)
        fail_msg("%s: %s instead of %s", words, summary_of(decision), expected);
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static void test_would_fit_asks_for_what_lasts_only(void **state)
{
    size_nodes();
    label_node(nodes[0], "zone=a containerslots=1");
    label_node(nodes[1], "zone=b containerslots=0");
    add_container(nodes[0], "c0", "name=web port=443 cpus=4 memory=4");
    swarm_node_set_health(nodes[0], 0, NULL);
    swarm_node_set_availability(nodes[2], SWARM_AVAILABILITY_DRAINING, NULL);
    check_would_fit(
        "spread", "constraint=zone==a port=443 name=web cpus=4 memory=4 link=db affinity=app==x", 0,
        "1/3 nodes could ever fit: 1 container slots short (nearest n1 lacks 1 slot), 1 constraint zone==a");
    check_would_fit(
        "spread", "constraint=zone==b", SWARM_ERR_NO_NODE,
        "0/3 nodes could ever fit: 2 constraint zone==b, 1 container slots short (nearest n1 lacks 1 slot)");
    check_would_fit("spread", "memory=5", SWARM_ERR_NO_NODE,
                    "0/3 nodes could ever fit: 2 memory short (nearest n0 lacks 1 GiB), "
                    "1 container slots short (nearest n1 lacks 1 slot)");
    check_would_fit("binpack", "cpus=6 whitelist=node==n0", SWARM_ERR_NO_NODE,
                    "0/3 nodes could ever fit: 1 container slots short (nearest n1 lacks 1 slot), 1 whitelist "
                    "node==n0, 1 CPU short (nearest n0 lacks 2 CPUs)");
    check_would_fit("random", "memory=5", 0,
                    "2/3 nodes could ever fit: 1 container slots short (nearest n1 lacks 1 slot)");
    check_would_fit("spread", "constraint=zone==~x", 0,
                    "2/3 nodes could ever fit: 1 container slots short (nearest n1 lacks 1 slot)");
}

static void test_would_fit_looks_at_all_that_a_node_has_of_a_resource(void **state)
{
    assert_int_equal(swarm_node_set_resource(nodes[0], "gpu", 4, NULL), 0);
    add_container(nodes[0], "c0", "resource=gpu:4");
    check_would_fit("random", "resource=gpu:4", 0, "1/3 nodes could ever fit: 2 gpu short (nearest n1 lacks 4)");
    check_would_fit("spread", "resource=gpu:5", SWARM_ERR_NO_NODE,
                    "0/3 nodes could ever fit: 3 gpu short (nearest n0 lacks 1)");
}

static void test_would_fit_in_an_empty_cluster(void **state)
{
    for (size_t i = 0; i < COUNT(nodes); i++)
        swarm_cluster_remove_node(cluster, nodes[i]);
    check_would_fit("spread", "", SWARM_ERR_NO_NODE, "0/0 nodes could ever fit");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_nodes, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_first_nodes_with_their_parts),
        TEST(test_first_nodes_among_many_that_tie),
        TEST(test_text_of_a_granted_one),
        TEST(test_text_of_a_refusal_begins_as_in_classic_swarm),
        TEST(test_dropped_soft_expressions),
        TEST(test_plan_is_not_explained),
        TEST(test_json_of_a_refusal),
        TEST(test_json_of_a_granted_one),
        TEST(test_json_holds_any_text),
        TEST(test_would_fit_asks_for_what_lasts_only),
        TEST(test_would_fit_looks_at_all_that_a_node_has_of_a_resource),
        TEST(test_would_fit_in_an_empty_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
