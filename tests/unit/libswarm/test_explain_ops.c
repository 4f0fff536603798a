/* SPDX-License-Identifier: Apache-2.0 */
/* What filters and strategies of one's own tell of their reasons. */
#include <stdio.h>
#include <stdlib.h>

#include "explain_fixture.h"

static struct swarm_registry *registry;
static int calls;

static int set_up(void **state)
{
    calls = 0;
    assert_int_equal(swarm_registry_new(&registry, NULL), 0);
    return set_up_nodes(state);
}

static int tear_down(void **state)
{
    swarm_registry_free(registry);
    return tear_down_cluster(state);
}

static void take_out(struct swarm_candidates *candidates, const char *id)
{
    swarm_candidates_remove(candidates, swarm_cluster_find_node(cluster, id));
}

static int say_nothing(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                       struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    take_out(candidates, "n0");
    return 0;
}

static int say_something(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                         struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    swarm_candidates_refuse(candidates, SWARM_REASON_OTHER, "nobody went");
    take_out(candidates, "n2");
    swarm_candidates_refuse(candidates, SWARM_REASON_MEMORY, "of the GPU");
    take_out(candidates, "n1");
    swarm_candidates_refuse(candidates, 4711, "the rack is full");
    take_out(candidates, "n0");
    swarm_candidates_refuse(candidates, SWARM_REASON_OTHER, "the rack is full");
    return 0;
}

/* A detail of its own for each node. */
static int say_much(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                    struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));) {
        swarm_candidates_remove(candidates, node);
        swarm_candidates_refuse(candidates, SWARM_REASON_CONSTRAINT, swarm_node_id(node));
    }
    return 0;
}

static int fail_hard(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                     struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    calls++;
    return swarm_error_new(reterr, *(int *)data, "the table of racks is gone");
}

struct said {
    int reason;
    const char *detail;
    const char *expected;
};

static int say_that(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                    struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    const struct said *said = data;
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        swarm_candidates_remove(candidates, node);
    swarm_candidates_refuse(candidates, said->reason, said->detail);
    return 0;
}

static int lasting(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                   struct swarm_candidates *candidates, struct swarm_error **reterr)
{
    if (data)
        return fail_hard(data, request, of, candidates, 0, reterr);
    take_out(candidates, "n1");
    return 0;
}

/* Offers n1 only, and says of n0 why not. */
static int rank(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr)
{
    calls++;
    swarm_ranking_offer(ranking, swarm_cluster_find_node(of, "n1"), 5);
    swarm_ranking_refuse(ranking, swarm_cluster_find_node(of, "n1"), SWARM_REASON_OTHER, "offered already");
    swarm_ranking_refuse(ranking, swarm_cluster_find_node(of, "n0"), SWARM_REASON_RESOURCE, "gpu");
    swarm_ranking_refuse(ranking, NULL, SWARM_REASON_OTHER, "none");
    return 0;
}

static int fail_to_rank(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                        const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                        struct swarm_error **reterr)
{
    return swarm_error_new(reterr, *(int *)data, "the licence has run out\nsee the manual");
}

static int parts(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                 const struct swarm_node *node, struct swarm_parts *into, struct swarm_error **reterr)
{
    if (data)
        return swarm_error_new(reterr, *(int *)data, "no parts");
    assert_int_equal(swarm_parts_add(into, NULL, 1), SWARM_ERR_INVALID);
    assert_int_equal(swarm_parts_add(NULL, "x", 1), SWARM_ERR_INVALID);
    return swarm_parts_add(into, "luck", 7);
}

static struct swarm_scheduler *scheduler_of(const struct swarm_filter_ops *filter,
                                            const struct swarm_strategy_ops *strategy, void *data)
{
    static const char *const names[] = {"mine"};
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    options.registry = registry;
    options.filters = names;
    if (filter) {
        assert_int_equal(swarm_registry_add_filter(registry, filter, data, NULL), 0);
        options.filter_count = 1;
    }
    if (strategy) {
        assert_int_equal(swarm_registry_add_strategy(registry, strategy, data, NULL), 0);
        options.strategy = "mine";
    }
    assert_int_equal(swarm_scheduler_new(&scheduler, &options, NULL), 0);
    return scheduler;
}

static struct swarm_scheduler *
scheduler_with_filter(int (*filter)(void *, const struct swarm_request *, const struct swarm_cluster *,
                                    struct swarm_candidates *, int, struct swarm_error **),
                      void *data)
{
    struct swarm_filter_ops ops = SWARM_FILTER_OPS_INIT;
    ops.name = "mine";
    ops.filter = filter;
    return scheduler_of(&ops, NULL, data);
}

/* The decision, and the scheduler is gone. */
static struct swarm_decision *decide(struct swarm_scheduler *scheduler, const char *words)
{
    struct swarm_request *request = request_of(words);
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, NULL), 0);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return decision;
}

static void check_decision(struct swarm_scheduler *scheduler, const char *words, const char *expected)
{
    struct swarm_decision *decision = decide(scheduler, words);
    assert_string_equal(summary_of(decision), expected);
    swarm_decision_free(decision);
}

static void test_filter_that_says_nothing(void **state)
{
    check_decision(scheduler_with_filter(say_nothing, NULL), "", "2/3 nodes fit: 1 mine");
}

static void test_filter_that_gives_reasons(void **state)
{
    struct swarm_decision *decision = decide(scheduler_with_filter(say_something, NULL), "");
    assert_string_equal(summary_of(decision), "0/3 nodes fit: 2 mine: the rack is full, 1 memory short: of the GPU");
    const struct swarm_cause *cause = swarm_decision_cause_of(decision, nodes[2]);
    assert_string_equal(swarm_cause_filter(cause), "mine");
    assert_string_equal(swarm_cause_detail(cause), "of the GPU");
    assert_null(swarm_cause_nearest(cause));
    swarm_decision_free(decision);
}

/* Reasons of built-in filters, given by one that means something else by them. */
static void test_filter_that_gives_any_reason(void **state)
{
    static const struct said said[] = {
        {SWARM_REASON_NAME, NULL, "0/3 nodes fit: 3 name"},
        {SWARM_REASON_NAME, "of the week", "0/3 nodes fit: 3 name of the week"},
        {SWARM_REASON_PORT, NULL, "0/3 nodes fit: 3 port taken"},
        {SWARM_REASON_PORT, "COM1\nagain", "0/3 nodes fit: 3 port COM1 taken"},
        {SWARM_REASON_RESOURCE, NULL, "0/3 nodes fit: 3 resource short"},
        {SWARM_REASON_RESOURCE, "ink\npaper", "0/3 nodes fit: 3 ink short"},
        {SWARM_REASON_CPU, "of the GPU", "0/3 nodes fit: 3 CPU short: of the GPU"},
        {SWARM_REASON_SLOTS, "of the rack", "0/3 nodes fit: 3 container slots short: of the rack"},
        {SWARM_REASON_PAUSED, "until\nnoon", "0/3 nodes fit: 3 paused until"},
        {SWARM_REASON_REPLACED, "soon", "0/3 nodes fit: 3 to be replaced soon"},
    };
    struct said now;
    struct swarm_scheduler *scheduler = scheduler_with_filter(say_that, &now);
    struct swarm_request *request = request_of("");
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct swarm_decision *decision = NULL;
        now = said[i];
        assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, NULL), 0);
        assert_string_equal(summary_of(decision), now.expected);
        swarm_decision_free(decision);
    }
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static void test_reasons_are_for_explained_decisions_only(void **state)
{
    struct swarm_scheduler *scheduler = scheduler_with_filter(say_something, NULL);
    struct swarm_request *request = request_of("");
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, &error), SWARM_ERR_NO_NODE);
    assert_string_equal(swarm_error_message(error), "Unable to find a node that satisfies the following conditions ");
    swarm_error_free(error);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static void test_filter_with_too_many_details(void **state)
{
    for (int i = 3; i < 100; i++) {
        char id[8];
        snprintf(id, sizeof(id), "n%d", i);
        add_node(cluster, id, id);
    }
    struct swarm_decision *decision = decide(scheduler_with_filter(say_much, NULL), "");
    const struct swarm_cause *rest = swarm_decision_cause(decision, 0);
    assert_int_equal(swarm_cause_count(rest), 36);
    assert_null(swarm_cause_detail(rest));
    assert_string_equal(swarm_cause_detail(swarm_decision_cause(decision, 1)), "n0");
    assert_string_equal(swarm_cause_detail(swarm_decision_cause(decision, 64)), "n63");
    assert_null(swarm_decision_cause(decision, 65));
    swarm_decision_free(decision);
}

static void test_filter_that_refuses_with_a_text(void **state)
{
    int code = SWARM_ERR_NO_NODE;
    struct swarm_decision *decision = decide(scheduler_with_filter(fail_hard, &code), "");
    assert_string_equal(swarm_decision_message(decision), "the table of racks is gone");
    assert_string_equal(summary_of(decision), "0/3 nodes fit: 3 mine: the table of racks is gone");
    swarm_decision_free(decision);
}

/* Whichever pass it is in, and whether it is explained. */
static void test_hard_error_keeps_its_text_where_there_are_soft_expressions(void **state)
{
    int code = SWARM_ERR_STATE;
    struct swarm_scheduler *scheduler = scheduler_with_filter(fail_hard, &code);
    for (int explained = 0; explained < 2; explained++) {
        struct swarm_request *request = request_of("constraint=zone==~a");
        struct swarm_decision *decision = NULL;
        struct swarm_error *error = NULL;
        int got = explained ? swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, &error)
                            : swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, &error);
        assert_int_equal(got, SWARM_ERR_STATE);
        assert_string_equal(swarm_error_message(error), "filter mine: the table of racks is gone");
        assert_null(decision);
        swarm_error_free(error);
        swarm_request_unref(request);
    }
    assert_int_equal(calls, 2);
    swarm_scheduler_free(scheduler);
}

static struct swarm_strategy_ops own_strategy(void)
{
    struct swarm_strategy_ops ops = SWARM_STRATEGY_OPS_INIT;
    ops.name = "mine";
    ops.rank = rank;
    return ops;
}

static void test_strategy_that_gives_reasons(void **state)
{
    struct swarm_strategy_ops ops = own_strategy();
    ops.parts = parts;
    struct swarm_decision *decision = decide(scheduler_of(NULL, &ops, NULL), "memory=9");
    assert_string_equal(summary_of(decision), "1/3 nodes fit: 1 gpu short, 1 mine");
    assert_string_equal(swarm_cause_filter(swarm_decision_cause_of(decision, nodes[2])), "mine");
    assert_null(swarm_decision_cause_of(decision, nodes[1]));
    int64_t score = 0, value = 0;
    const char *name = NULL;
    assert_ptr_equal(swarm_decision_ranked(decision, 0, &score), nodes[1]);
    assert_int_equal(score, 5);
    assert_int_equal(swarm_decision_part(decision, 0, 0, &name, &value), 1);
    assert_string_equal(name, "luck");
    assert_int_equal(value, 7);
    assert_int_equal(swarm_decision_ranked_count(decision), 1);
    assert_int_equal(calls, 2);
    swarm_decision_free(decision);
}

static void test_strategy_that_needs_room(void **state)
{
    struct swarm_strategy_ops ops = own_strategy();
    ops.needs_room = 1;
    check_decision(scheduler_of(NULL, &ops, NULL), "memory=9",
                   "1/3 nodes fit: 1 gpu short, 1 memory short (nearest n2 lacks 9 GiB)");
}

static void test_strategy_that_refuses_with_a_text(void **state)
{
    int code = SWARM_ERR_NO_NODE;
    struct swarm_strategy_ops ops = own_strategy();
    ops.rank = fail_to_rank;
    check_decision(scheduler_of(NULL, &ops, &code), "", "0/3 nodes fit: 3 mine: the licence has run out");
}

static void test_parts_that_fail_end_the_decision(void **state)
{
    int code = SWARM_ERR_STATE;
    struct swarm_strategy_ops ops = own_strategy();
    ops.parts = parts;
    struct swarm_scheduler *scheduler = scheduler_of(NULL, &ops, &code);
    struct swarm_request *request = request_of("");
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, &error), SWARM_ERR_STATE);
    assert_string_equal(swarm_error_message(error), "strategy mine: no parts");
    swarm_error_free(error);
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, NULL), SWARM_ERR_STATE);
    assert_null(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static int would_fit(int (*says)(void *, const struct swarm_request *, const struct swarm_cluster *,
                                 struct swarm_candidates *, struct swarm_error **),
                     void *data, struct swarm_decision **ret_decision, struct swarm_error **reterr)
{
    struct swarm_filter_ops ops = SWARM_FILTER_OPS_INIT;
    ops.name = "mine";
    ops.filter = say_something;
    ops.lasting = says;
    struct swarm_scheduler *scheduler = scheduler_of(&ops, NULL, data);
    struct swarm_request *request = request_of("");
    int code = swarm_scheduler_would_fit(scheduler, cluster, request, ret_decision, reterr);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return code;
}

static void check_would_fit(int code, int expected, const char *text)
{
    struct swarm_decision *decision = NULL;
    assert_int_equal(would_fit(lasting, code ? &code : NULL, &decision, NULL), 0);
    assert_int_equal(swarm_decision_code(decision), expected);
    assert_string_equal(summary_of(decision), text);
    swarm_decision_free(decision);
}

static void test_what_lasts_is_for_the_filter_to_say(void **state)
{
    check_would_fit(0, 0, "2/3 nodes could ever fit: 1 mine");
}

static void test_filter_that_never_takes_any(void **state)
{
    check_would_fit(SWARM_ERR_NO_NODE, SWARM_ERR_NO_NODE,
                    "0/3 nodes could ever fit: 3 mine: the table of racks is gone");
}

static void test_filter_that_takes_the_request_for_flawed(void **state)
{
    check_would_fit(SWARM_ERR_PARSE, SWARM_ERR_PARSE, "0/3 nodes could ever fit: 3 mine: the table of racks is gone");
}

static void test_filter_of_which_nothing_lasts(void **state)
{
    struct swarm_decision *decision = NULL;
    assert_int_equal(would_fit(NULL, NULL, &decision, NULL), 0);
    assert_string_equal(summary_of(decision), "3/3 nodes could ever fit");
    swarm_decision_free(decision);
}

static void test_filter_that_fails_to_say_what_lasts(void **state)
{
    int code = SWARM_ERR_STATE;
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(would_fit(lasting, &code, &decision, &error), SWARM_ERR_STATE);
    assert_string_equal(swarm_error_message(error), "filter mine: the table of racks is gone");
    swarm_error_free(error);
    assert_null(decision);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_filter_that_says_nothing),
        TEST(test_filter_that_gives_reasons),
        TEST(test_filter_that_gives_any_reason),
        TEST(test_reasons_are_for_explained_decisions_only),
        TEST(test_filter_with_too_many_details),
        TEST(test_filter_that_refuses_with_a_text),
        TEST(test_hard_error_keeps_its_text_where_there_are_soft_expressions),
        TEST(test_strategy_that_gives_reasons),
        TEST(test_strategy_that_needs_room),
        TEST(test_strategy_that_refuses_with_a_text),
        TEST(test_parts_that_fail_end_the_decision),
        TEST(test_what_lasts_is_for_the_filter_to_say),
        TEST(test_filter_that_never_takes_any),
        TEST(test_filter_that_takes_the_request_for_flawed),
        TEST(test_filter_of_which_nothing_lasts),
        TEST(test_filter_that_fails_to_say_what_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
