/* SPDX-License-Identifier: Apache-2.0 */
/* Actions without an answer: what they were to do may be done all the same, or later. */
#include <stdbool.h>

#include "rescheduler_story.h"

static void changed(struct story *story, struct swarm_container *container)
{
    assert_int_equal(swarm_rescheduler_container_changed(story->rescheduler, story->now_ms, container, NULL), 0);
}

static void pause_node(struct swarm_node *node, bool paused)
{
    int availability = paused ? SWARM_AVAILABILITY_PAUSED : SWARM_AVAILABILITY_ACTIVE;
    assert_int_equal(swarm_node_set_availability(node, availability, NULL), 0);
}

/** c1 of node a is lost; its move onto node b is not answered. */
static void begin_unanswered(struct story *story, const struct swarm_rescheduler_options *options)
{
    story_begin_with(story, options);
    pause_node(story->c, true);
    run(story, story->a, "c1", "web");
    lose(story, story->a, SWARM_NODE_STOPPED);
    assert_string_equal(take(story), "move c1 to b, start");
    unanswered(story);
    pause_node(story->c, false);
}

/** … and the next one, onto node c, is. */
static struct swarm_container *move_to_c(struct story *story)
{
    pause_node(story->b, true);
    elapse(story, 1000);
    assert_string_equal(take(story), "move c1 to c, start");
    struct swarm_container *made = moved(story);
    pause_node(story->b, false);
    return made;
}

/* ---- late products of moves ---- */

static void test_late_product_of_a_failed_move_goes(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *first = swarm_reservation_node(story.action.reservation);
    unanswered(&story);
    elapse(&story, 1000);
    /* So that it goes elsewhere this time. */
    assert_int_equal(swarm_node_set_availability(first, SWARM_AVAILABILITY_PAUSED, NULL), 0);
    expect_move(&story, "c1");
    struct swarm_container *made = moved(&story);
    assert_ptr_not_equal(swarm_container_node(made), first);
    struct swarm_container *late = run(&story, first, "late", "web");
    assert_int_equal(swarm_rescheduler_container_changed(story.rescheduler, story.now_ms, late, NULL), 0);
    assert_non_null(strstr(take(&story), "remove late from "));
    assert_ptr_equal(story.action.kept, made);
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_late_product_stands_in_where_the_move_waits_still(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *first = swarm_reservation_node(story.action.reservation);
    unanswered(&story);
    struct swarm_container *late = run(&story, first, "late", "web");
    assert_int_equal(swarm_rescheduler_container_changed(story.rescheduler, story.now_ms, late, NULL), 0);
    assert_int_equal(due_in(&story), 0);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

static void test_copy_nobody_here_made_is_left_alone(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    struct swarm_container *other = run(&story, story.b, "c2", "web");
    assert_int_equal(swarm_rescheduler_container_changed(story.rescheduler, story.now_ms, other, NULL), 0);
    expect_nothing(&story);
    story_end(&story);
}

static void test_stand_in_yields_to_a_copy_that_showed_up_meanwhile(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_action action = story.action;
    struct swarm_node *to = swarm_reservation_node(action.reservation);
    struct swarm_container *made = make(&story, &action);
    struct swarm_container *other = run(&story, to == story.b ? story.c : story.b, "c2", "web");
    report_moved(&story, &action, made);
    assert_non_null(strstr(take(&story), "remove new1 from "));
    assert_ptr_equal(story.action.kept, other);
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_late_product_known_while_the_other_copy_is_away_goes_later(void **state)
{
    struct story story;
    begin_unanswered(&story, NULL);
    move_to_c(&story);
    lose(&story, story.c, SWARM_NODE_SILENT);
    struct swarm_container *late = run(&story, story.b, "late", "web");
    assert_int_equal(swarm_container_set_state(late, SWARM_CONTAINER_CREATED, NULL), 0);
    changed(&story, late);
    expect_nothing(&story);
    come_back(&story, story.c);
    assert_string_equal(take(&story), "remove late from b, keep new1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_late_product_on_a_node_that_was_away_long_is_known(void **state)
{
    struct story story;
    begin_unanswered(&story, NULL);
    lose(&story, story.b, SWARM_NODE_STOPPED);
    struct swarm_container *made = move_to_c(&story);
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_EXITED, NULL), 0);
    for (int hour = 0; hour < 3; hour++)
        elapse(&story, 3600000);
    struct swarm_container *late = run(&story, story.b, "late", "web");
    assert_int_equal(swarm_container_set_state(late, SWARM_CONTAINER_CREATED, NULL), 0);
    come_back(&story, story.b);
    assert_string_equal(take(&story), "remove late from b, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_what_never_came_is_forgotten(void **state)
{
    struct story story;
    begin_unanswered(&story, NULL);
    move_to_c(&story);
    elapse(&story, 600000);
    elapse(&story, 600000);
    /* Whoever made this one, it was no move from here. */
    changed(&story, run(&story, story.b, "other", "web"));
    expect_nothing(&story);
    story_end(&story);
}

static void test_what_did_not_come_within_a_day_is_forgotten(void **state)
{
    struct story story;
    begin_unanswered(&story, NULL);
    move_to_c(&story);
    lose(&story, story.b, SWARM_NODE_STOPPED);
    for (int hour = 0; hour < 25; hour++)
        elapse(&story, 3600000);
    run(&story, story.b, "other", "web");
    /* All that is known is that it looks the same, and was away while the other one ran. */
    struct swarm_container *made = swarm_cluster_find_container(story.cluster, story.c, "new1");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_EXITED, NULL), 0);
    come_back(&story, story.b);
    expect_nothing(&story);
    story_end(&story);
}

static void test_product_without_a_swarm_id_cannot_be_known(void **state)
{
    struct story story;
    story_begin(&story);
    pause_node(story.c, true);
    struct swarm_request *request = request_of("name=web");
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    swarm_node_set_data(story.a, &story.cluster);
    swarm_node_set_data(story.b, &story.cluster);
    run_request(story.a, "c1", swarm_request_ref(request));
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_string_equal(take(&story), "move c1 to b, start");
    unanswered(&story);
    pause_node(story.c, false);
    move_to_c(&story);
    changed(&story, run_request(story.b, "late", request));
    expect_nothing(&story);
    story_end(&story);
}

static void test_product_known_before_its_move_fails_goes_where_the_container_is_back(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_container *made = run(&story, swarm_reservation_node(story.action.reservation), "made", "web");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_CREATED, NULL), 0);
    changed(&story, made);
    come_back(&story, story.a);
    unanswered(&story);
    assert_non_null(strstr(take(&story), "remove made from "));
    assert_string_equal(swarm_container_id(story.action.kept), "c1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_move_of_an_old_term_may_have_made_something(void **state)
{
    struct story story;
    story_begin(&story);
    pause_node(story.c, true);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_string_equal(take(&story), "move c1 to b, start");
    assert_int_equal(swarm_rescheduler_set_term(story.rescheduler, story.now_ms, 1, NULL), 0);
    swarm_reservation_abort(story.action.reservation);
    assert_int_equal(swarm_rescheduler_failed(story.rescheduler, story.now_ms, story.action.id, "no answer", NULL),
                     SWARM_ERR_STATE);
    pause_node(story.c, false);
    pause_node(story.b, true);
    assert_string_equal(take(&story), "move c1 to c, start");
    moved(&story);
    changed(&story, run(&story, story.b, "late", "web"));
    assert_string_equal(take(&story), "remove late from b, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_product_of_a_move_under_way_is_not_judged(void **state)
{
    struct story story;
    begin_unanswered(&story, NULL);
    pause_node(story.c, true);
    elapse(&story, 1000);
    assert_string_equal(take(&story), "move c1 to b, start");
    struct swarm_action action = story.action;
    /* Its engine tells of it first, and the lost one comes back. */
    struct swarm_container *made = make(&story, &action);
    changed(&story, made);
    come_back(&story, story.a);
    expect_nothing(&story);
    report_moved(&story, &action, made);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

/* ---- late removals ---- */

static void test_copy_that_may_be_removed_yet_does_not_win(void **state)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct story story;
    options.reconcile = SWARM_RECONCILE_LONGEST_RUNNING;
    story_begin_with(&story, &options);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_container *made = moved(&story);
    struct swarm_container *old = run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    unanswered(&story);
    /* Now it turns out to be the one that has run longer; but should it be removed yet, both would be gone. */
    assert_int_equal(swarm_container_set_running_since(old, 1000, NULL), 0);
    assert_int_equal(swarm_container_set_running_since(made, 2000, NULL), 0);
    elapse(&story, 1000);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    failed(&story, "busy");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_EXITED, NULL), 0);
    elapse(&story, 60000);
    expect_nothing(&story);
    /* When that time has passed it may be. */
    elapse(&story, 600000);
    assert_non_null(strstr(take(&story), "remove new1 from "));
    removed(&story);
    story_end(&story);
}

/** c1 was moved as new1, and is back; its removal is not answered, and then the node of new1 is lost. */
static struct swarm_container *begin_doomed(struct story *story)
{
    story_begin(story);
    run(story, story->a, "c1", "web");
    lose(story, story->a, SWARM_NODE_STOPPED);
    expect_move(story, "c1");
    struct swarm_node *second = swarm_container_node(moved(story));
    struct swarm_container *old = run(story, story->a, "c1", "web");
    come_back(story, story->a);
    assert_string_equal(take(story), "remove c1 from a, keep new1");
    unanswered(story);
    lose(story, second, SWARM_NODE_STOPPED);
    expect_nothing(story);
    assert_int_equal(waiting(story, second), 1);
    assert_non_null(strstr(reason(story, second), "already assigned"));
    return old;
}

static void test_copy_that_is_removed_late_has_stood_in_for_nothing(void **state)
{
    struct story story;
    remove_container(&story, begin_doomed(&story));
    elapse(&story, 60000);
    expect_move(&story, "new1");
    moved(&story);
    story_end(&story);
}

static void test_copy_that_is_not_removed_in_time_stands_in(void **state)
{
    struct story story;
    begin_doomed(&story);
    elapse(&story, 599999);
    expect_nothing(&story);
    elapse(&story, 60001);
    expect_nothing(&story);
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    assert_int_equal(swarm_rescheduler_status(story.rescheduler, &status), 0);
    assert_int_equal(status.moves, 0);
    assert_int_equal(swarm_cluster_container_count(story.cluster), 1);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_product_of_a_failed_move_goes),
        cmocka_unit_test(test_late_product_stands_in_where_the_move_waits_still),
        cmocka_unit_test(test_copy_nobody_here_made_is_left_alone),
        cmocka_unit_test(test_stand_in_yields_to_a_copy_that_showed_up_meanwhile),
        cmocka_unit_test(test_late_product_known_while_the_other_copy_is_away_goes_later),
        cmocka_unit_test(test_late_product_on_a_node_that_was_away_long_is_known),
        cmocka_unit_test(test_what_never_came_is_forgotten),
        cmocka_unit_test(test_what_did_not_come_within_a_day_is_forgotten),
        cmocka_unit_test(test_product_without_a_swarm_id_cannot_be_known),
        cmocka_unit_test(test_product_known_before_its_move_fails_goes_where_the_container_is_back),
        cmocka_unit_test(test_move_of_an_old_term_may_have_made_something),
        cmocka_unit_test(test_product_of_a_move_under_way_is_not_judged),
        cmocka_unit_test(test_copy_that_may_be_removed_yet_does_not_win),
        cmocka_unit_test(test_copy_that_is_removed_late_has_stood_in_for_nothing),
        cmocka_unit_test(test_copy_that_is_not_removed_in_time_stands_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
