/* SPDX-License-Identifier: Apache-2.0 */
/* What holds moves back: the mass-failure guard, and a limit of tries. */
#include <stdio.h>

#include "rescheduler_story.h"

/** Six nodes, and what was told. */
struct pool {
    struct story story;
    struct swarm_node *d, *e, *f;
    char told[256];
};

static void hear(void *data, const struct swarm_report *report)
{
    struct pool *pool = data;
    size_t used = strlen(pool->told);
    char *end = pool->told + used;
    size_t room = sizeof(pool->told) - used;
    if (report->kind == SWARM_REPORT_GIVEN_UP)
        snprintf(end, room, "given up %s: %s; ", swarm_container_id(report->container), report->reason);
    else
        snprintf(end, room, "%s %zu/%zu; ", report->kind == SWARM_REPORT_HELD ? "held" : "released", report->nodes_lost,
                 report->nodes_counted);
}

static void pool_begin(struct pool *pool, const struct swarm_rescheduler_options *options)
{
    memset(pool, 0, sizeof(*pool));
    story_begin_with(&pool->story, options);
    pool->d = add_sized_node(pool->story.cluster, "d", 8, 16);
    pool->e = add_sized_node(pool->story.cluster, "e", 8, 16);
    pool->f = add_sized_node(pool->story.cluster, "f", 8, 16);
    swarm_rescheduler_set_report(pool->story.rescheduler, hear, pool);
}

static struct swarm_rescheduler_status status_of(const struct story *story)
{
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    assert_int_equal(swarm_rescheduler_status(story->rescheduler, &status), 0);
    return status;
}

static void note_wait(void *data, const struct swarm_waiting *waiting)
{
    static const char *const words[] = {"time", "turn", "guard", "given-up", "end"};
    char *text = data;
    size_t used = strlen(text);
    snprintf(text + used, 128 - used, "%s%s %s %u %lld", used != 0 ? ", " : "", swarm_container_id(waiting->container),
             words[waiting->wait], waiting->attempts, (long long)waiting->next_ms);
}

static const char *waits(const struct story *story, const struct swarm_node *node)
{
    static char text[128];
    text[0] = '\0';
    swarm_rescheduler_each_waiting(story->rescheduler, node, note_wait, text);
    return text;
}

/* ---- the guard ---- */

static void test_half_of_the_nodes_lost_is_moved_at_once(void **state)
{
    struct pool pool;
    pool_begin(&pool, NULL);
    run(&pool.story, pool.story.a, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.story.b, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.story.c, SWARM_NODE_STOPPED);
    expect_move(&pool.story, "c1");
    assert_string_equal(pool.told, "");
    assert_int_equal(status_of(&pool.story).held, 0);
    moved(&pool.story);
    story_end(&pool.story);
}

static void test_more_than_the_share_is_held_until_enough_return(void **state)
{
    struct pool pool;
    pool_begin(&pool, NULL);
    run(&pool.story, pool.story.a, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_SILENT);
    lose(&pool.story, pool.story.b, SWARM_NODE_SILENT);
    lose(&pool.story, pool.story.c, SWARM_NODE_SILENT);
    assert_string_equal(waits(&pool.story, pool.story.a), "c1 time 0 1010000");
    lose(&pool.story, pool.d, SWARM_NODE_SILENT);
    assert_string_equal(pool.told, "held 4/6; ");
    assert_string_equal(waits(&pool.story, pool.story.a), "c1 guard 0 -1");
    /* However long that takes: they count until it is settled. */
    elapse(&pool.story, 3600000);
    expect_nothing(&pool.story);
    assert_int_equal(due_in(&pool.story), -1);
    struct swarm_rescheduler_status status = status_of(&pool.story);
    assert_int_equal(status.held, 1);
    assert_int_equal(status.held_since_ms, 1000000);
    assert_int_equal(status.nodes_lost, 4);
    assert_int_equal(status.nodes_counted, 6);
    assert_int_equal(status.moves, 1);
    come_back(&pool.story, pool.d);
    assert_string_equal(pool.told, "held 4/6; released 3/6; ");
    assert_int_equal(status_of(&pool.story).held_since_ms, -1);
    expect_move(&pool.story, "c1");
    moved(&pool.story);
    story_end(&pool.story);
}

static void test_what_is_held_goes_when_released_by_hand(void **state)
{
    struct pool pool;
    pool_begin(&pool, NULL);
    run(&pool.story, pool.story.a, "c1", "web");
    run(&pool.story, pool.e, "c2", "db");
    lose(&pool.story, pool.story.a, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.story.b, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.story.c, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.d, SWARM_NODE_STOPPED);
    expect_nothing(&pool.story);
    assert_int_equal(swarm_rescheduler_release(pool.story.rescheduler, pool.story.now_ms, NULL), 0);
    assert_string_equal(pool.told, "held 4/6; released 0/2; ");
    expect_move(&pool.story, "c1");
    moved(&pool.story);
    /* What is lost from now on counts anew: one of two, in a pool too small for the guard. */
    lose(&pool.story, pool.e, SWARM_NODE_STOPPED);
    expect_move(&pool.story, NULL);
    moved(&pool.story);
    story_end(&pool.story);
}

static void test_nodes_lost_one_after_the_other_are_no_mass_failure(void **state)
{
    struct pool pool;
    pool_begin(&pool, NULL);
    run(&pool.story, pool.d, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.story.b, SWARM_NODE_STOPPED);
    elapse(&pool.story, 60001);
    /* One of the four that were left. */
    lose(&pool.story, pool.story.c, SWARM_NODE_STOPPED);
    assert_int_equal(status_of(&pool.story).nodes_counted, 4);
    lose(&pool.story, pool.d, SWARM_NODE_STOPPED);
    assert_string_equal(pool.told, "");
    expect_move(&pool.story, "c1");
    moved(&pool.story);
    lose(&pool.story, pool.e, SWARM_NODE_STOPPED);
    assert_string_equal(pool.told, "held 3/4; ");
    story_end(&pool.story);
}

static void test_small_pools_have_no_guard(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.b, SWARM_NODE_STOPPED);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_string_equal(take(&story), "move c1 to c, start");
    moved(&story);
    story_end(&story);
}

static void test_nodes_that_leave_the_pool_count_on(void **state)
{
    struct pool pool;
    pool_begin(&pool, NULL);
    run(&pool.story, pool.story.a, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_SILENT);
    lose(&pool.story, pool.story.b, SWARM_NODE_SILENT);
    lose(&pool.story, pool.story.c, SWARM_NODE_SILENT);
    lose(&pool.story, pool.d, SWARM_NODE_SILENT);
    struct swarm_node *leaving[] = {pool.story.b, pool.story.c, pool.d};
    for (size_t i = 0; i < COUNT(leaving); i++) {
        assert_int_equal(swarm_rescheduler_node_removed(pool.story.rescheduler, pool.story.now_ms, leaving[i], NULL),
                         0);
        swarm_cluster_remove_node(pool.story.cluster, leaving[i]);
    }
    assert_int_equal(status_of(&pool.story).nodes_lost, 4);
    assert_int_equal(status_of(&pool.story).nodes_counted, 6);
    elapse(&pool.story, 100000);
    expect_nothing(&pool.story);
    /* One of them joins again. */
    struct swarm_node *again = add_sized_node(pool.story.cluster, "d", 8, 16);
    come_back(&pool.story, again);
    assert_string_equal(pool.told, "held 4/6; released 3/6; ");
    expect_move(&pool.story, "c1");
    moved(&pool.story);
    /* Lost and gone long ago, the others are forgotten. */
    elapse(&pool.story, 100000);
    assert_int_equal(status_of(&pool.story).nodes_lost, 0);
    assert_int_equal(status_of(&pool.story).nodes_counted, 3);
    story_end(&pool.story);
}

/** c1 was moved as new1, whose node is lost with most of the others; the old node is back with c1. */
static struct swarm_node *begin_held_copy(struct story *story)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    options.mass_share_percent = 40;
    options.mass_min_nodes = 1;
    story_begin_with(story, &options);
    add_sized_node(story->cluster, "d", 8, 16);
    run(story, story->a, "c1", "web");
    assert_int_equal(swarm_node_set_availability(story->c, SWARM_AVAILABILITY_PAUSED, NULL), 0);
    assert_int_equal(
        swarm_node_set_availability(swarm_cluster_find_node(story->cluster, "d"), SWARM_AVAILABILITY_PAUSED, NULL), 0);
    lose(story, story->a, SWARM_NODE_STOPPED);
    assert_string_equal(take(story), "move c1 to b, start");
    moved(story);
    elapse(story, 100000);
    lose(story, story->c, SWARM_NODE_STOPPED);
    return story->b;
}

static void test_held_move_is_not_needed_where_a_copy_lives(void **state)
{
    struct story story;
    struct swarm_node *second = begin_held_copy(&story);
    lose(&story, second, SWARM_NODE_SILENT);
    assert_int_equal(status_of(&story).held, 1);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_int_equal(status_of(&story).held, 1);
    /* Its grace goes on. */
    expect_nothing(&story);
    assert_int_equal(due_in(&story), 10000);
    assert_int_equal(waiting(&story, second), 1);
    elapse(&story, 10000);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, second), 0);
    assert_int_equal(due_in(&story), -1);
    assert_int_equal(status_of(&story).held, 1);
    assert_int_equal(swarm_cluster_container_count(story.cluster), 1);
    story_end(&story);
}

static void test_held_move_stays_held_where_the_copy_goes_again(void **state)
{
    struct story story;
    struct swarm_node *second = begin_held_copy(&story);
    lose(&story, second, SWARM_NODE_SILENT);
    struct swarm_container *copy = run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    remove_container(&story, copy);
    elapse(&story, 10000);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, second), 1);
    assert_int_equal(due_in(&story), -1);
    story_end(&story);
}

static void test_guard_looks_again_when_a_node_joins(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    lose(&story, story.b, SWARM_NODE_SILENT);
    lose(&story, story.c, SWARM_NODE_SILENT);
    assert_int_equal(status_of(&story).held, 0);
    /* The fourth one: the pool is large enough now, and most of it is lost. */
    come_back(&story, add_sized_node(story.cluster, "d", 8, 16));
    assert_int_equal(status_of(&story).held, 1);
    elapse(&story, 10000);
    expect_nothing(&story);
    story_end(&story);
}

static void test_move_under_way_is_not_wanted_while_the_guard_holds(void **state)
{
    struct pool pool;
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    options.retry_limit = 1;
    pool_begin(&pool, &options);
    run(&pool.story, pool.story.a, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_STOPPED);
    expect_move(&pool.story, "c1");
    assert_int_equal(swarm_rescheduler_wanted(pool.story.rescheduler, pool.story.action.id), 1);
    lose(&pool.story, pool.story.b, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.story.c, SWARM_NODE_STOPPED);
    lose(&pool.story, pool.d, SWARM_NODE_STOPPED);
    assert_int_equal(swarm_rescheduler_wanted(pool.story.rescheduler, pool.story.action.id), 0);
    failed(&pool.story, "called off");
    /* That was no try. */
    assert_string_equal(waits(&pool.story, pool.story.a), "c1 guard 0 -1");
    come_back(&pool.story, pool.d);
    expect_move(&pool.story, "c1");
    moved(&pool.story);
    story_end(&pool.story);
}

/* ---- the limit of tries ---- */

static void test_move_is_given_up_after_so_many_tries(void **state)
{
    struct pool pool;
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    options.retry_limit = 2;
    pool_begin(&pool, &options);
    run(&pool.story, pool.story.a, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_STOPPED);
    expect_move(&pool.story, "c1");
    failed(&pool.story, "no such image");
    assert_string_equal(waits(&pool.story, pool.story.a), "c1 time 1 1001000");
    elapse(&pool.story, 1000);
    expect_move(&pool.story, "c1");
    assert_string_equal(waits(&pool.story, pool.story.a), "c1 end 1 -1");
    failed(&pool.story, "still no such image");
    assert_string_equal(pool.told, "given up c1: still no such image; ");
    assert_string_equal(waits(&pool.story, pool.story.a), "c1 given-up 2 -1");
    assert_string_equal(reason(&pool.story, pool.story.a), "still no such image");
    assert_int_equal(status_of(&pool.story).moves_given_up, 1);
    elapse(&pool.story, 3600000);
    expect_nothing(&pool.story);
    assert_int_equal(due_in(&pool.story), -1);
    assert_int_equal(waiting(&pool.story, pool.story.a), 1);
    assert_int_equal(swarm_rescheduler_node_removed(pool.story.rescheduler, pool.story.now_ms, pool.story.a, NULL),
                     SWARM_ERR_STATE);
    story_end(&pool.story);
}

static void test_what_was_given_up_is_tried_when_a_node_comes_back(void **state)
{
    struct pool pool;
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    options.retry_limit = 1;
    pool_begin(&pool, &options);
    run(&pool.story, pool.story.a, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_STOPPED);
    expect_move(&pool.story, "c1");
    failed(&pool.story, "no");
    expect_nothing(&pool.story);
    come_back(&pool.story, pool.story.b);
    assert_int_equal(status_of(&pool.story).moves_given_up, 0);
    expect_move(&pool.story, "c1");
    failed(&pool.story, "never");
    assert_int_equal(status_of(&pool.story).moves_given_up, 1);
    assert_int_equal(swarm_rescheduler_release(pool.story.rescheduler, pool.story.now_ms, NULL), 0);
    expect_move(&pool.story, "c1");
    moved(&pool.story);
    assert_string_equal(pool.told, "given up c1: no; given up c1: never; ");
    assert_int_equal(status_of(&pool.story).moves, 0);
    story_end(&pool.story);
}

static void test_node_that_returns_keeps_what_was_given_up(void **state)
{
    struct pool pool;
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    options.retry_limit = 1;
    pool_begin(&pool, &options);
    run(&pool.story, pool.story.a, "c1", "web");
    lose(&pool.story, pool.story.a, SWARM_NODE_STOPPED);
    expect_move(&pool.story, "c1");
    failed(&pool.story, "no");
    come_back(&pool.story, pool.story.a);
    assert_int_equal(status_of(&pool.story).moves_given_up, 0);
    assert_int_equal(waiting(&pool.story, pool.story.a), 0);
    elapse(&pool.story, 100000);
    expect_nothing(&pool.story);
    story_end(&pool.story);
}

static void test_options_of_the_guard_are_checked(void **state)
{
    struct story story;
    struct swarm_rescheduler *rescheduler = NULL;
    struct swarm_error *error = NULL;
    const struct swarm_rescheduler_options good = SWARM_RESCHEDULER_OPTIONS_INIT;
    story_begin(&story);
    for (int i = 0; i < 6; i++) {
        static const char *const wanted[] = {
            "retry_limit -1: 0 to ",          "reconcile 3: 0 to 2 is expected", "mass_share_percent 0: 1 to 100 is",
            "mass_share_percent 101: 1 to 1", "mass_min_nodes 0: 1 to ",         "mass_window_ms -1: 0 to "};
        struct swarm_rescheduler_options options = good;
        options.retry_limit = i == 0 ? -1 : 0;
        options.reconcile = i == 1 ? 3 : 0;
        options.mass_share_percent = i == 2 ? 0 : i == 3 ? 101 : 50;
        options.mass_min_nodes = i == 4 ? 0 : 1;
        options.mass_window_ms = i == 5 ? -1 : 0;
        assert_int_equal(swarm_rescheduler_new(&rescheduler, story.cluster, story.scheduler, &options, &error),
                         SWARM_ERR_INVALID);
        assert_non_null(strstr(swarm_error_message(error), wanted[i]));
        swarm_error_free(error);
    }
    assert_null(rescheduler);
    assert_int_equal(swarm_rescheduler_release(NULL, 0, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_status(story.rescheduler, NULL), SWARM_ERR_INVALID);
    swarm_rescheduler_set_report(NULL, hear, NULL);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_of_the_nodes_lost_is_moved_at_once),
        cmocka_unit_test(test_more_than_the_share_is_held_until_enough_return),
        cmocka_unit_test(test_what_is_held_goes_when_released_by_hand),
        cmocka_unit_test(test_nodes_lost_one_after_the_other_are_no_mass_failure),
        cmocka_unit_test(test_small_pools_have_no_guard),
        cmocka_unit_test(test_nodes_that_leave_the_pool_count_on),
        cmocka_unit_test(test_held_move_is_not_needed_where_a_copy_lives),
        cmocka_unit_test(test_held_move_stays_held_where_the_copy_goes_again),
        cmocka_unit_test(test_guard_looks_again_when_a_node_joins),
        cmocka_unit_test(test_move_under_way_is_not_wanted_while_the_guard_holds),
        cmocka_unit_test(test_move_is_given_up_after_so_many_tries),
        cmocka_unit_test(test_what_was_given_up_is_tried_when_a_node_comes_back),
        cmocka_unit_test(test_node_that_returns_keeps_what_was_given_up),
        cmocka_unit_test(test_options_of_the_guard_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
