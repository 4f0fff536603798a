/* SPDX-License-Identifier: Apache-2.0 */
/* Terms: what an older one began is of no use to a newer one. */
#include "rescheduler_story.h"

static void begin_term(struct story *story, uint64_t term)
{
    assert_int_equal(swarm_rescheduler_set_term(story->rescheduler, story->now_ms, term, NULL), 0);
}

static void expect_refusal(int rc, struct swarm_error *error, const char *text)
{
    assert_int_equal(rc, SWARM_ERR_STATE);
    assert_non_null(strstr(swarm_error_message(error), text));
    swarm_error_free(error);
}

static void test_actions_carry_their_term(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    begin_term(&story, 7);
    assert_int_equal(swarm_rescheduler_term(story.rescheduler), 7);
    expect_move(&story, "c1");
    assert_int_equal(story.action.term, 7);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, story.action.id), 1);
    begin_term(&story, 7);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, story.action.id), 1);
    moved(&story);
    story_end(&story);
}

static void test_term_only_rises(void **state)
{
    struct story story;
    struct swarm_error *error = NULL;
    story_begin(&story);
    begin_term(&story, 7);
    assert_int_equal(swarm_rescheduler_set_term(story.rescheduler, story.now_ms, 6, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "term 6 is older than the present term 7");
    swarm_error_free(error);
    assert_int_equal(swarm_rescheduler_term(story.rescheduler), 7);
    assert_int_equal(swarm_rescheduler_set_term(NULL, 0, 6, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_term(NULL), 0);
    story_end(&story);
}

static void test_move_of_an_old_term_is_not_believed(void **state)
{
    struct story story;
    struct swarm_error *error = NULL;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_action action = story.action;
    begin_term(&story, 1);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, action.id), 0);
    /* Its container stays until it is reported: no second stand-in is made meanwhile. */
    expect_nothing(&story);
    struct swarm_container *made = make(&story, &action);
    int rc = swarm_rescheduler_moved(story.rescheduler, story.now_ms, action.id, made, &error);
    expect_refusal(rc, error, "is of term 0, which ended: it is term 1 now");
    assert_int_equal(waiting(&story, story.a), 1);
    /* Decided anew: it is found to be there. */
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    assert_int_equal(swarm_rescheduler_moved(story.rescheduler, story.now_ms, action.id, made, NULL),
                     SWARM_ERR_INVALID);
    story_end(&story);
}

static void test_failure_of_an_old_term_is_no_try(void **state)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct story story;
    struct swarm_error *error = NULL;
    options.retry_limit = 1;
    story_begin_with(&story, &options);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    begin_term(&story, 1);
    swarm_reservation_abort(story.action.reservation);
    int rc = swarm_rescheduler_failed(story.rescheduler, story.now_ms, story.action.id, "old", &error);
    expect_refusal(rc, error, "of term 0");
    expect_move(&story, "c1");
    assert_int_equal(story.action.term, 1);
    moved(&story);
    story_end(&story);
}

static void test_removal_of_an_old_term_is_made_again(void **state)
{
    struct story story;
    struct swarm_error *error = NULL;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    begin_term(&story, 1);
    int rc = swarm_rescheduler_removed(story.rescheduler, story.now_ms, story.action.id, &error);
    expect_refusal(rc, error, "of term 0");
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

/* One who takes no actions sees what the one who does has made. */
static void test_moves_that_another_made_are_settled(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    run(&story, story.a, "c2", "db");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_int_equal(waiting(&story, story.a), 2);
    assert_int_equal(swarm_rescheduler_settle(story.rescheduler, story.now_ms, NULL), 0);
    assert_int_equal(waiting(&story, story.a), 2);
    run(&story, story.b, "other1", "web");
    assert_int_equal(swarm_rescheduler_settle(story.rescheduler, story.now_ms, NULL), 0);
    assert_int_equal(waiting(&story, story.a), 1);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    expect_move(&story, "c2");
    moved(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_grace_is_kept_when_settling(void **state)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct story story;
    options.grace_ms = 5000;
    story_begin_with(&story, &options);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    run(&story, story.b, "other1", "web");
    assert_int_equal(swarm_rescheduler_settle(story.rescheduler, story.now_ms + 4999, NULL), 0);
    assert_int_equal(waiting(&story, story.a), 1);
    assert_int_equal(swarm_rescheduler_settle(story.rescheduler, story.now_ms + 5000, NULL), 0);
    assert_int_equal(waiting(&story, story.a), 0);
    story_end(&story);
}

static void test_action_is_not_wanted_once_its_reason_is_gone(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    run(&story, story.a, "c2", "db");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_action first = story.action;
    expect_move(&story, "c2");
    remove_container(&story, container);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, first.id), 0);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, story.action.id), 1);
    come_back(&story, story.a);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, story.action.id), 0);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, 99), 0);
    assert_int_equal(swarm_rescheduler_wanted(NULL, 1), 0);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions_carry_their_term),
        cmocka_unit_test(test_term_only_rises),
        cmocka_unit_test(test_move_of_an_old_term_is_not_believed),
        cmocka_unit_test(test_failure_of_an_old_term_is_no_try),
        cmocka_unit_test(test_removal_of_an_old_term_is_made_again),
        cmocka_unit_test(test_moves_that_another_made_are_settled),
        cmocka_unit_test(test_grace_is_kept_when_settling),
        cmocka_unit_test(test_action_is_not_wanted_once_its_reason_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
