/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "fixture.h"

/* Filters and strategies that others write. */

static struct swarm_cluster *cluster;
static struct swarm_registry *registry;
static int destroyed;

static int set_up(void **state)
{
    destroyed = 0;
    cluster = new_cluster();
    assert_int_equal(swarm_registry_new(&registry, NULL), 0);
    for (int i = 0; i < 3; i++) {
        char id[] = {'n', (char)('0' + i), '\0'};
        add_node(cluster, id, id);
    }
    return 0;
}

static int tear_down(void **state)
{
    swarm_cluster_free(cluster);
    swarm_registry_free(registry);
    return 0;
}

static void count_destroy(void *data)
{
    destroyed++;
}

/* Takes out the node whose id is the data. */
static int avoid(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                 struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        if (strcmp(data, "all") == 0 || strcmp(swarm_node_id(node), data) == 0)
            swarm_candidates_remove(candidates, node);
    return 0;
}

static int list_avoided(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                        struct swarm_error **reterr)
{
    return swarm_conditions_add(conditions, "avoid") != 0 || swarm_conditions_add(conditions, data) != 0
               ? SWARM_ERR_NOMEM
               : 0;
}

static int answer_code(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                       struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    return *(int *)data;
}

/* Offers nodes by the last digit of their ids, n0 first or last. */
static int rank(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr)
{
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        swarm_ranking_offer(ranking, node, *(int *)data * (swarm_node_id(node)[1] - '0'));
    return 0;
}

/* Offers each node three times, and what is none of the candidates. */
static int rank_again(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                      const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                      struct swarm_error **reterr)
{
    swarm_ranking_offer(ranking, NULL, 9);
    swarm_ranking_offer(ranking, data, 9);
    for (int i = 0; i < 3; i++)
        for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
            swarm_ranking_offer(ranking, node, swarm_node_id(node)[1] == '1');
    return 0;
}

static int rank_none(void *data, const struct swarm_request *request, const struct swarm_cluster *of,
                     const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                     struct swarm_error **reterr)
{
    return *(int *)data;
}

static void register_filter(const char *name,
                            int (*filter)(void *, const struct swarm_request *, const struct swarm_cluster *,
                                          struct swarm_candidates *, int, struct swarm_error **),
                            void *data)
{
    struct swarm_filter_ops ops = SWARM_FILTER_OPS_INIT;
    ops.name = name;
    ops.filter = filter;
    ops.conditions = filter == avoid ? list_avoided : NULL;
    ops.destroy = count_destroy;
    assert_int_equal(swarm_registry_add_filter(registry, &ops, data, NULL), 0);
}

static void register_strategy(const char *name,
                              int (*strategy)(void *, const struct swarm_request *, const struct swarm_cluster *,
                                              const struct swarm_candidates *, struct swarm_ranking *,
                                              struct swarm_error **),
                              void *data)
{
    struct swarm_strategy_ops ops = SWARM_STRATEGY_OPS_INIT;
    ops.name = name;
    ops.rank = strategy;
    ops.destroy = count_destroy;
    assert_int_equal(swarm_registry_add_strategy(registry, &ops, data, NULL), 0);
}

static struct swarm_scheduler *scheduler_with(const char *strategy, const char *const *filters, size_t count)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = strategy;
    options.filters = filters;
    options.filter_count = count;
    options.registry = registry;
    struct swarm_scheduler *scheduler = NULL;
    assert_int_equal(swarm_scheduler_new(&scheduler, &options, NULL), 0);
    return scheduler;
}

/* The chosen node, or the error's text. */
static void check(const struct swarm_scheduler *scheduler, int code, const char *expected)
{
    struct swarm_request *request = request_of("");
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, &error), code);
    assert_string_equal(code ? swarm_error_message(error) : swarm_node_id(swarm_decision_node(decision)), expected);
    swarm_error_free(error);
    swarm_decision_free(decision);
    swarm_request_unref(request);
}

static void test_filter_and_strategy_of_ones_own(void **state)
{
    char avoided[] = "n2";
    int up = 1, down = -1;
    register_filter("avoid", avoid, avoided);
    register_strategy("last", rank, &up);
    register_strategy("first", rank, &down);
    static const char *const filters[] = {"health", "avoid"};
    struct swarm_scheduler *last = scheduler_with("last", filters, 2), *first = scheduler_with("first", NULL, 0);
    assert_string_equal(swarm_scheduler_filter(last, 1), "avoid");
    assert_string_equal(swarm_scheduler_strategy(last), "last");
    check(last, 0, "n1");
    check(first, 0, "n0");
    swarm_scheduler_free(last);
    swarm_scheduler_free(first);
}

static void test_refusal_lists_its_conditions(void **state)
{
    char all[] = "all";
    register_filter("avoid", avoid, all);
    static const char *const filters[] = {"containerslots", "avoid"};
    struct swarm_scheduler *scheduler = scheduler_with("spread", filters, 2);
    check(scheduler, SWARM_ERR_NO_NODE,
          "Unable to find a node that satisfies the following conditions \n[available container slots]\n[avoid all]");
    swarm_scheduler_free(scheduler);
}

static void test_strategy_that_offers_nothing(void **state)
{
    int code = 0;
    register_strategy("none", rank_none, &code);
    struct swarm_scheduler *scheduler = scheduler_with("none", NULL, 0);
    check(scheduler, SWARM_ERR_NO_NODE, "no resources available to schedule container");
    swarm_scheduler_free(scheduler);
}

static void test_offers_that_do_not_count(void **state)
{
    struct swarm_cluster *other = NULL;
    struct swarm_node *stranger = NULL;
    assert_int_equal(swarm_cluster_new(&other, NULL), 0);
    assert_int_equal(swarm_cluster_add_node(other, "n0", "n0", "", &stranger, NULL), 0);
    register_strategy("again", rank_again, stranger);
    struct swarm_scheduler *scheduler = scheduler_with("again", NULL, 0);
    check(scheduler, 0, "n1");
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(other);
}

static void test_code_without_an_error_gets_one(void **state)
{
    int code = SWARM_ERR_NO_NODE;
    register_strategy("silent", rank_none, &code);
    struct swarm_scheduler *scheduler = scheduler_with("silent", NULL, 0);
    check(scheduler, SWARM_ERR_NO_NODE, "strategy silent: no node fits");
    swarm_scheduler_free(scheduler);
}

static void test_codes_that_mean_nothing_are_errors(void **state)
{
    int code = -4711;
    register_filter("odd", answer_code, &code);
    register_strategy("odd", rank_none, &code);
    static const char *const filters[] = {"odd"};
    struct swarm_scheduler *scheduler = scheduler_with("spread", filters, 1);
    check(scheduler, SWARM_ERR_INVALID, "filter odd: it answered -4711 and no error");
    swarm_scheduler_free(scheduler);
    scheduler = scheduler_with("odd", NULL, 0);
    check(scheduler, SWARM_ERR_INVALID, "strategy odd: it answered -4711 and no error");
    swarm_scheduler_free(scheduler);
    code = 1;
    scheduler = scheduler_with("odd", NULL, 0);
    check(scheduler, SWARM_ERR_INVALID, "strategy odd: it answered 1 and no error");
    swarm_scheduler_free(scheduler);
}

static void test_scheduler_outlives_the_registry(void **state)
{
    char avoided[] = "n0";
    register_filter("avoid", avoid, avoided);
    register_filter("unused", avoid, avoided);
    static const char *const filters[] = {"avoid"};
    struct swarm_scheduler *one = scheduler_with("binpack", filters, 1), *two = scheduler_with("binpack", filters, 1);
    swarm_registry_free(registry);
    registry = NULL;
    assert_int_equal(destroyed, 1);
    swarm_scheduler_free(one);
    assert_int_equal(destroyed, 1);
    check(two, 0, planned(cluster, "binpack", "constraint=node!=n0", 0));
    swarm_scheduler_free(two);
    assert_int_equal(destroyed, 2);
}

static void test_names_that_are_taken_are_refused(void **state)
{
    struct swarm_filter_ops filter = SWARM_FILTER_OPS_INIT;
    struct swarm_strategy_ops strategy = SWARM_STRATEGY_OPS_INIT;
    int data = 0;
    filter.filter = answer_code;
    filter.destroy = count_destroy;
    strategy.rank = rank_none;
    filter.name = "constraint";
    assert_int_equal(swarm_registry_add_filter(registry, &filter, &data, NULL), SWARM_ERR_EXISTS);
    filter.name = "mine";
    assert_int_equal(swarm_registry_add_filter(registry, &filter, &data, NULL), 0);
    assert_int_equal(swarm_registry_add_filter(registry, &filter, &data, NULL), SWARM_ERR_EXISTS);
    strategy.name = "binpacking";
    assert_int_equal(swarm_registry_add_strategy(registry, &strategy, &data, NULL), SWARM_ERR_EXISTS);
    strategy.name = "mine";
    assert_int_equal(swarm_registry_add_strategy(registry, &strategy, &data, NULL), 0);
    assert_int_equal(swarm_registry_add_strategy(registry, &strategy, &data, NULL), SWARM_ERR_EXISTS);
    assert_int_equal(destroyed, 0);
}

static void test_incomplete_ops_are_refused(void **state)
{
    struct swarm_filter_ops filter = SWARM_FILTER_OPS_INIT;
    struct swarm_strategy_ops strategy = SWARM_STRATEGY_OPS_INIT;
    assert_int_equal(swarm_registry_add_filter(registry, &filter, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_registry_add_strategy(registry, &strategy, NULL, NULL), SWARM_ERR_INVALID);
    filter.name = strategy.name = "mine";
    assert_int_equal(swarm_registry_add_filter(registry, &filter, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_registry_add_strategy(registry, &strategy, NULL, NULL), SWARM_ERR_INVALID);
    filter.filter = answer_code;
    strategy.rank = rank_none;
    filter.size = strategy.size = 8;
    assert_int_equal(swarm_registry_add_filter(registry, &filter, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_registry_add_strategy(registry, &strategy, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_registry_add_filter(NULL, &filter, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_registry_add_strategy(registry, NULL, NULL, NULL), SWARM_ERR_INVALID);
}

static void test_without_the_registry_its_names_are_unknown(void **state)
{
    char avoided[] = "n0";
    register_filter("avoid", avoid, avoided);
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.filters = (const char *[]){"avoid"};
    options.filter_count = 1;
    struct swarm_scheduler *scheduler = NULL;
    assert_int_equal(swarm_scheduler_new(&scheduler, &options, NULL), SWARM_ERR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_filter_and_strategy_of_ones_own), TEST(test_refusal_lists_its_conditions),
        TEST(test_offers_that_do_not_count),        TEST(test_code_without_an_error_gets_one),
        TEST(test_strategy_that_offers_nothing),    TEST(test_codes_that_mean_nothing_are_errors),
        TEST(test_scheduler_outlives_the_registry), TEST(test_names_that_are_taken_are_refused),
        TEST(test_incomplete_ops_are_refused),      TEST(test_without_the_registry_its_names_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
