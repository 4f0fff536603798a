/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that come back, and nodes and containers that are removed, while their containers are moved. */
#include <stdbool.h>

#include "rescheduler_story.h"

/* ---- the node comes back ---- */

static void test_old_copy_is_removed_when_the_node_comes_back(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    run(&story, story.a, "c1", "web");
    run(&story, story.a, "c2", "other");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    expect_nothing(&story);
    removed(&story);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c2"));
    come_back(&story, story.a);
    expect_nothing(&story);
    story_end(&story);
}

static void test_old_copy_of_an_unlabelled_container_is_known_by_its_id(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_request *request = request_of("name=web");
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    swarm_node_set_data(story.a, &story.cluster);
    run_request(story.a, "c1", swarm_request_ref(request));
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    /* Whoever creates the stand-in gives it a swarm id. */
    swarm_reservation_abort(story.action.reservation);
    struct swarm_container *made = run(&story, story.b, "new1", "web");
    report_moved(&story, &story.action, made);
    run_request(story.a, "c1", request);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_old_copy_stays_while_its_stand_in_is_out_of_reach(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *other = swarm_container_node(moved(&story));
    lose(&story, other, SWARM_NODE_SILENT);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    expect_nothing(&story);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    /* The stand-in is back as well: now the old copy goes. */
    elapse(&story, 3000);
    come_back(&story, other);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_old_copy_takes_over_when_its_stand_in_is_lost(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *other = swarm_container_node(moved(&story));
    lose(&story, other, SWARM_NODE_SILENT);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    elapse(&story, 10000);
    /* No third one is made, and the lost stand-in is the old copy from now on. */
    expect_nothing(&story);
    assert_int_equal(waiting(&story, other), 0);
    run(&story, other, "new1", "web");
    come_back(&story, other);
    assert_non_null(strstr(take(&story), "remove new1 from "));
    assert_string_equal(swarm_container_id(story.action.kept), "c1");
    removed(&story);
    story_end(&story);
}

/** Its engine had listed c1 before the move was reported, and is back after that. */
static void test_old_copy_that_is_taken_off_the_list_too_late_is_not_forgotten(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    come_back(&story, story.a);
    expect_nothing(&story);
    struct swarm_container *old = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_rescheduler_container_changed(story.rescheduler, story.now_ms, old, NULL), 0);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    story_end(&story);
}

/** Container c1 of node a was moved to b, changed there by its user, and b is lost when a is back with the old copy. */
static struct swarm_container *lose_changed_stand_in(struct story *story, const char *name, bool stopped)
{
    story_begin(story);
    run(story, story->a, "c1", "web");
    lose(story, story->a, SWARM_NODE_STOPPED);
    expect_move(story, "c1");
    struct swarm_container *made = moved(story);
    assert_int_equal(swarm_container_set_names(made, &name, 1, NULL), 0);
    if (stopped) {
        assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_EXITED, NULL), 0);
        assert_int_equal(swarm_container_set_stopped(made, 1, NULL), 0);
    }
    lose(story, swarm_container_node(made), SWARM_NODE_STOPPED);
    struct swarm_container *old = run(story, story->a, "c1", "web");
    come_back(story, story->a);
    return old;
}

static void test_old_copy_that_takes_over_gets_the_name_of_today(void **state)
{
    struct story story;
    struct swarm_container *old = lose_changed_stand_in(&story, "app", false);
    assert_string_equal(take(&story), "adopt c1 on a for new1, start");
    expect_nothing(&story);
    assert_int_equal(swarm_container_set_names(old, (const char *const[]){"app"}, 1, NULL), 0);
    report_moved(&story, &story.action, old);
    expect_nothing(&story);
    assert_int_equal(swarm_cluster_container_count(story.cluster), 1);
    story_end(&story);
}

static void test_old_copy_that_takes_over_is_stopped_as_its_stand_in_was(void **state)
{
    struct story story;
    struct swarm_container *old = lose_changed_stand_in(&story, "web", true);
    assert_string_equal(take(&story), "adopt c1 on a for new1");
    failed(&story, "no answer");
    elapse(&story, 1000);
    assert_string_equal(take(&story), "adopt c1 on a for new1");
    assert_int_equal(swarm_container_set_state(old, SWARM_CONTAINER_EXITED, NULL), 0);
    report_moved(&story, &story.action, old);
    expect_nothing(&story);
    assert_int_equal(swarm_cluster_container_count(story.cluster), 1);
    story_end(&story);
}

static void test_node_back_while_its_move_is_under_way(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    run(&story, story.a, "c2", "waits");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    come_back(&story, story.a);
    /* The other one was not begun. */
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 1);
    moved(&story);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_node_back_twice_while_its_move_is_under_way(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    come_back(&story, story.a);
    come_back(&story, story.a);
    moved(&story);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_node_back_while_its_move_fails(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    come_back(&story, story.a);
    failed(&story, "engine went away");
    assert_int_equal(due_in(&story), -1);
    elapse(&story, 100000);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    story_end(&story);
}

static void test_node_back_and_lost_again_while_its_move_is_under_way(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    come_back(&story, story.a);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_nothing(&story);
    failed(&story, "no such image");
    elapse(&story, 1000);
    expect_move(&story, "c1");
    moved(&story);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

static void test_failed_removal_is_tried_again(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    failed(&story, "busy");
    expect_nothing(&story);
    assert_int_equal(due_in(&story), 1000);
    elapse(&story, 1000);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_removal_is_dropped_when_the_stand_in_goes(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_container *made = moved(&story);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    remove_container(&story, made);
    expect_nothing(&story);
    story_end(&story);
}

static void test_removal_waits_for_no_unhealthy_stand_in(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_container *made = moved(&story);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    /* Unhealthy, though nobody has called it lost yet. */
    assert_int_equal(swarm_node_set_health(swarm_container_node(made), 0, NULL), 0);
    expect_nothing(&story);
    story_end(&story);
}

static void test_node_lost_again_drops_its_removals(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    /* Nothing to remove, and the stand-in lives: nothing to move. */
    expect_nothing(&story);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_two_moves_later_both_old_copies_go(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *second = swarm_container_node(moved(&story));
    lose(&story, second, SWARM_NODE_STOPPED);
    expect_move(&story, "new1");
    moved(&story);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new2");
    removed(&story);
    run(&story, second, "new1", "web");
    come_back(&story, second);
    assert_non_null(strstr(take(&story), "remove new1 from "));
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_stand_in_made_on_a_node_lost_meanwhile_is_moved_on(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_container *made = make(&story, &story.action);
    assert_int_equal(swarm_node_set_health(swarm_container_node(made), 0, NULL), 0);
    /* Lost before its container was known there. */
    struct swarm_node *target = swarm_container_node(made);
    assert_int_equal(swarm_rescheduler_node_lost(story.rescheduler, story.now_ms, target, SWARM_NODE_STOPPED, NULL), 0);
    report_moved(&story, &story.action, made);
    expect_move(&story, "new1");
    moved(&story);
    story_end(&story);
}

static void test_stand_in_made_on_a_silent_node_has_its_grace(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_container *made = make(&story, &story.action);
    elapse(&story, 1000);
    struct swarm_node *target = swarm_container_node(made);
    assert_int_equal(swarm_node_set_health(target, 0, NULL), 0);
    assert_int_equal(swarm_rescheduler_node_lost(story.rescheduler, story.now_ms, target, SWARM_NODE_SILENT, NULL), 0);
    elapse(&story, 4000);
    report_moved(&story, &story.action, made);
    assert_int_equal(due_in(&story), 6000);
    expect_nothing(&story);
    story_end(&story);
}

static void test_move_that_fails_after_its_node_was_lost_anew_has_its_grace(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    come_back(&story, story.a);
    lose(&story, story.a, SWARM_NODE_SILENT);
    failed(&story, "no such image");
    assert_int_equal(due_in(&story), 10000);
    /* Nor does another node that comes back hasten it. */
    come_back(&story, story.b);
    expect_nothing(&story);
    elapse(&story, 10000);
    expect_move(&story, "c1");
    moved(&story);
    story_end(&story);
}

/* ---- removals by others ---- */

static void test_container_removed_while_its_move_waits(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    remove_container(&story, container);
    assert_int_equal(waiting(&story, story.a), 0);
    elapse(&story, 100000);
    expect_nothing(&story);
    story_end(&story);
}

static void test_container_removed_while_its_move_is_under_way(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    remove_container(&story, container);
    struct swarm_action action = story.action;
    struct swarm_container *made = make(&story, &action);
    report_moved(&story, &action, made);
    assert_int_equal(waiting(&story, story.a), 0);
    assert_non_null(swarm_cluster_find_container(story.cluster, swarm_container_node(made), "new1"));
    story_end(&story);
}

static void test_container_removed_while_its_move_fails(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    remove_container(&story, container);
    failed(&story, "gone");
    elapse(&story, 100000);
    expect_nothing(&story);
    story_end(&story);
}

static void test_old_copy_removed_by_its_user_first(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    struct swarm_container *old = run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    remove_container(&story, old);
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_node_is_kept_until_its_containers_are_moved(void **state)
{
    struct story story;
    struct swarm_error *error = NULL;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_int_equal(swarm_rescheduler_node_removed(story.rescheduler, story.now_ms, story.a, &error), SWARM_ERR_STATE);
    assert_string_equal(swarm_error_message(error), "1 containers of node a are still to be moved");
    swarm_error_free(error);
    expect_move(&story, "c1");
    assert_int_equal(swarm_rescheduler_node_removed(story.rescheduler, story.now_ms, story.a, NULL), SWARM_ERR_STATE);
    moved(&story);
    assert_int_equal(swarm_rescheduler_node_removed(story.rescheduler, story.now_ms, story.a, NULL), 0);
    swarm_cluster_remove_node(story.cluster, story.a);
    /* It joins again later, with the old copy on it. */
    struct swarm_node *again = add_sized_node(story.cluster, "a", 8, 16);
    run(&story, again, "c1", "web");
    come_back(&story, again);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_node_removed_while_a_removal_on_it_is_under_way(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    assert_int_equal(swarm_rescheduler_node_removed(story.rescheduler, story.now_ms, story.a, NULL), 0);
    swarm_cluster_remove_node(story.cluster, story.a);
    failed(&story, "node is gone");
    expect_nothing(&story);
    story_end(&story);
}

static void test_target_removed_while_a_move_onto_it_is_under_way(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *target = swarm_reservation_node(story.action.reservation);
    assert_int_equal(swarm_rescheduler_node_removed(story.rescheduler, story.now_ms, target, NULL), 0);
    swarm_cluster_remove_node(story.cluster, target);
    failed(&story, "node is gone");
    elapse(&story, 1000);
    expect_move(&story, "c1");
    moved(&story);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_copy_is_removed_when_the_node_comes_back),
        cmocka_unit_test(test_old_copy_of_an_unlabelled_container_is_known_by_its_id),
        cmocka_unit_test(test_old_copy_stays_while_its_stand_in_is_out_of_reach),
        cmocka_unit_test(test_old_copy_takes_over_when_its_stand_in_is_lost),
        cmocka_unit_test(test_old_copy_that_is_taken_off_the_list_too_late_is_not_forgotten),
        cmocka_unit_test(test_old_copy_that_takes_over_gets_the_name_of_today),
        cmocka_unit_test(test_old_copy_that_takes_over_is_stopped_as_its_stand_in_was),
        cmocka_unit_test(test_node_back_while_its_move_is_under_way),
        cmocka_unit_test(test_node_back_twice_while_its_move_is_under_way),
        cmocka_unit_test(test_node_back_while_its_move_fails),
        cmocka_unit_test(test_node_back_and_lost_again_while_its_move_is_under_way),
        cmocka_unit_test(test_failed_removal_is_tried_again),
        cmocka_unit_test(test_removal_is_dropped_when_the_stand_in_goes),
        cmocka_unit_test(test_removal_waits_for_no_unhealthy_stand_in),
        cmocka_unit_test(test_node_lost_again_drops_its_removals),
        cmocka_unit_test(test_two_moves_later_both_old_copies_go),
        cmocka_unit_test(test_stand_in_made_on_a_node_lost_meanwhile_is_moved_on),
        cmocka_unit_test(test_stand_in_made_on_a_silent_node_has_its_grace),
        cmocka_unit_test(test_move_that_fails_after_its_node_was_lost_anew_has_its_grace),
        cmocka_unit_test(test_container_removed_while_its_move_waits),
        cmocka_unit_test(test_container_removed_while_its_move_is_under_way),
        cmocka_unit_test(test_container_removed_while_its_move_fails),
        cmocka_unit_test(test_old_copy_removed_by_its_user_first),
        cmocka_unit_test(test_node_is_kept_until_its_containers_are_moved),
        cmocka_unit_test(test_node_removed_while_a_removal_on_it_is_under_way),
        cmocka_unit_test(test_target_removed_while_a_move_onto_it_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
