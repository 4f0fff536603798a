/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that are known more than once. */
#include <stdio.h>

#include "rescheduler.h"
#include "rescheduler_story.h"

static void test_engine_under_two_addresses_loses_nothing(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    run(&story, story.b, "c1", "web");
    come_back(&story, story.a);
    come_back(&story, story.b);
    expect_nothing(&story);
    /* One of the addresses is lost: the container runs still. */
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    come_back(&story, story.a);
    expect_nothing(&story);
    story_end(&story);
}

static void test_engine_under_two_addresses_both_lost_is_moved_once(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    run(&story, story.b, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    lose(&story, story.b, SWARM_NODE_STOPPED);
    assert_string_equal(take(&story), "move c1 to c, start");
    expect_nothing(&story);
    moved(&story);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.b), 0);
    story_end(&story);
}

static void test_nodes_of_one_engine_never_remove_each_others_containers(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_node *again = add_sized_node(story.cluster, "a|10.0.0.9:2375", 8, 16);
    struct swarm_container *old = run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    run(&story, again, "c2", "web");
    remove_container(&story, old);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    come_back(&story, again);
    expect_nothing(&story);
    story_end(&story);
}

static void test_nodes_that_share_a_container_never_remove_each_others(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *other = swarm_container_node(moved(&story));
    /* It turns out that both are one engine: each has the other's containers. */
    run(&story, story.a, "c1", "web");
    run(&story, story.a, "new1", "web");
    come_back(&story, story.a);
    run(&story, other, "c1", "web");
    come_back(&story, other);
    expect_nothing(&story);
    story_end(&story);
}

static void test_container_from_a_committed_image_is_no_copy(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    /* Run from an image made of web's container: the swarm id came along. */
    struct swarm_request *request = request_of("name=experiment swarmid=s-web");
    assert_int_equal(swarm_request_set_image(request, "img:committed", NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    run_request(story.b, "c2", (swarm_node_set_data(story.b, &story.cluster), request));
    lose(&story, story.b, SWARM_NODE_SILENT);
    come_back(&story, story.b);
    expect_nothing(&story);
    /* Nor does it stand in for web when web's node is lost. */
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_copy_made_by_another_manager_is_taken_for_the_stand_in(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    run(&story, story.b, "theirs", "web");
    elapse(&story, 10000);
    expect_nothing(&story);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep theirs");
    removed(&story);
    story_end(&story);
}

/** Container c1 of node a, which is lost, and a copy on b that was made but never started. */
static struct swarm_container *lose_with_idle_copy(struct story *story)
{
    story_begin(story);
    run(story, story->a, "c1", "web");
    lose(story, story->a, SWARM_NODE_SILENT);
    struct swarm_container *copy = run(story, story->b, "late", "web");
    assert_int_equal(swarm_container_set_state(copy, SWARM_CONTAINER_CREATED, NULL), 0);
    elapse(story, 10000);
    return copy;
}

static void test_idle_copy_is_started_instead_of_another_made(void **state)
{
    struct story story;
    struct swarm_container *copy = lose_with_idle_copy(&story);
    assert_string_equal(take(&story), "start late on b for c1");
    assert_null(story.action.reservation);
    expect_nothing(&story);
    report_moved(&story, &story.action, copy);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    assert_int_equal(waiting(&story, story.a), 0);
    assert_int_equal(swarm_container_set_state(copy, SWARM_CONTAINER_RUNNING, NULL), 0);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep late");
    removed(&story);
    story_end(&story);
}

static void test_idle_copy_that_does_not_start_is_tried_again(void **state)
{
    struct story story;
    struct swarm_container *copy = lose_with_idle_copy(&story);
    assert_string_equal(take(&story), "start late on b for c1");
    failed(&story, "no answer");
    assert_string_equal(reason(&story, story.a), "no answer");
    expect_nothing(&story);
    elapse(&story, 1000);
    assert_string_equal(take(&story), "start late on b for c1");
    report_moved(&story, &story.action, copy);
    story_end(&story);
}

static void test_idle_copy_that_goes_while_it_is_started_is_made_anew(void **state)
{
    struct story story;
    struct swarm_container *copy = lose_with_idle_copy(&story);
    assert_string_equal(take(&story), "start late on b for c1");
    remove_container(&story, copy);
    failed(&story, "no such container");
    elapse(&story, 1000);
    expect_move(&story, "c1");
    moved(&story);
    story_end(&story);
}

static void test_idle_copy_of_a_stopped_container_is_left_as_it_is(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *stopped = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_container_set_state(stopped, SWARM_CONTAINER_EXITED, NULL), 0);
    lose(&story, story.a, SWARM_NODE_SILENT);
    struct swarm_container *copy = run(&story, story.b, "late", "web");
    assert_int_equal(swarm_container_set_state(copy, SWARM_CONTAINER_CREATED, NULL), 0);
    elapse(&story, 10000);
    expect_nothing(&story);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

static void test_copies_that_are_both_lost_are_moved_as_one(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    struct swarm_container *copy = run(&story, story.b, "late", "web");
    assert_int_equal(swarm_container_set_state(copy, SWARM_CONTAINER_CREATED, NULL), 0);
    lose(&story, story.b, SWARM_NODE_STOPPED);
    elapse(&story, 10000);
    expect_move(&story, NULL);
    assert_int_equal(story.action.start, 1); /* whichever it is: one of them ran */
    assert_string_equal(swarm_node_id(swarm_reservation_node(story.action.reservation)), "c");
    moved(&story);
    expect_nothing(&story);
    assert_int_equal(swarm_cluster_container_count(story.cluster), 1);
    /* Both are old copies should they be seen again. */
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    run(&story, story.b, "late", "web");
    come_back(&story, story.b);
    assert_string_equal(take(&story), "remove late from b, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_copy_that_takes_over_is_known_to_whatever_stood_in_for_it(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *second = swarm_container_node(moved(&story));
    /* Another copy, which somebody else made, is lost as well, and another one is back that stands in for that one. */
    struct swarm_node *d = add_sized_node(story.cluster, "d", 8, 16);
    run(&story, d, "x1", "web");
    lose(&story, second, SWARM_NODE_SILENT);
    lose(&story, d, SWARM_NODE_STOPPED);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, d), 0);
    /* The stand-in comes back in time: it is an old copy of that one now. */
    come_back(&story, second);
    assert_non_null(strstr(take(&story), "remove new1 from "));
    assert_string_equal(swarm_container_id(story.action.kept), "c1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_unknown_copies_that_both_run_are_left_alone(void **state)
{
    struct story story;
    story_begin(&story);
    /* A manager has just been started: it cannot know which one is the old one. */
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    run(&story, story.b, "c2", "web");
    come_back(&story, story.b);
    expect_nothing(&story);
    story_end(&story);
}

static void test_unknown_copy_that_does_not_run_goes_when_its_node_comes(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.b, "c2", "web");
    come_back(&story, story.b);
    struct swarm_container *old = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_container_set_state(old, SWARM_CONTAINER_EXITED, NULL), 0);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep c2");
    removed(&story);
    story_end(&story);
}

static void test_what_is_gone_for_good_is_forgotten_in_time(void **state)
{
    struct story story;
    char id[32], by[32];
    story_begin(&story);
    /* One chain whose middle is gone, and very many that nobody needs any more. */
    assert_int_equal(swarm__replaced_add(story.rescheduler, "c1", "s1", false), 0);
    assert_int_equal(swarm__replaced_add(story.rescheduler, "s1", "s2", false), 0);
    swarm__replaced_gone(story.rescheduler, "s1");
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof(id), "old%d", i);
        snprintf(by, sizeof(by), "new%d", i);
        assert_int_equal(swarm__replaced_add(story.rescheduler, id, by, false), 0);
        swarm__replaced_gone(story.rescheduler, id);
    }
    assert_true(story.rescheduler->replaced.count < 600);
    run(&story, story.a, "c1", "web");
    struct swarm_container *kept = run(&story, story.b, "s2", "renamed");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep s2");
    assert_ptr_equal(story.action.kept, kept);
    removed(&story);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engine_under_two_addresses_loses_nothing),
        cmocka_unit_test(test_engine_under_two_addresses_both_lost_is_moved_once),
        cmocka_unit_test(test_nodes_of_one_engine_never_remove_each_others_containers),
        cmocka_unit_test(test_nodes_that_share_a_container_never_remove_each_others),
        cmocka_unit_test(test_container_from_a_committed_image_is_no_copy),
        cmocka_unit_test(test_copy_made_by_another_manager_is_taken_for_the_stand_in),
        cmocka_unit_test(test_idle_copy_is_started_instead_of_another_made),
        cmocka_unit_test(test_idle_copy_that_does_not_start_is_tried_again),
        cmocka_unit_test(test_idle_copy_that_goes_while_it_is_started_is_made_anew),
        cmocka_unit_test(test_idle_copy_of_a_stopped_container_is_left_as_it_is),
        cmocka_unit_test(test_copies_that_are_both_lost_are_moved_as_one),
        cmocka_unit_test(test_copy_that_takes_over_is_known_to_whatever_stood_in_for_it),
        cmocka_unit_test(test_unknown_copies_that_both_run_are_left_alone),
        cmocka_unit_test(test_unknown_copy_that_does_not_run_goes_when_its_node_comes),
        cmocka_unit_test(test_what_is_gone_for_good_is_forgotten_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
