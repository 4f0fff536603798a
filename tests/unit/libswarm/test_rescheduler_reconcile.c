/* SPDX-License-Identifier: Apache-2.0 */
/* A node returns whose containers were moved: which copy stays. */
#include "rescheduler_story.h"

/** c1 was moved, as new1, and its node has come back with c1 on it. */
struct twins {
    struct story story;
    struct swarm_container *old, *made;
};

static void twins_begin(struct twins *twins, int reconcile, const char *label)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    memset(twins, 0, sizeof(*twins));
    options.reconcile = reconcile;
    struct story *story = &twins->story;
    story_begin_with(story, &options);
    struct swarm_request *request = request_of("name=web swarmid=s-web");
    assert_int_equal(swarm_request_set_image(request, "img", NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    if (label != NULL)
        assert_int_equal(swarm_request_set_label(request, SWARM_RECONCILE_LABEL, label, NULL), 0);
    swarm_node_set_data(story->a, &story->cluster);
    run_request(story->a, "c1", swarm_request_ref(request));
    lose(story, story->a, SWARM_NODE_STOPPED);
    expect_move(story, "c1");
    twins->made = moved(story);
    twins->old = run_request(story->a, "c1", request);
}

static void set_state(struct swarm_container *container, int state)
{
    assert_int_equal(swarm_container_set_state(container, state, NULL), 0);
}

static void since(struct swarm_container *container, int64_t ms)
{
    assert_int_equal(swarm_container_set_running_since(container, ms, NULL), 0);
}

static void expect_removal(struct twins *twins, const struct swarm_container *gone)
{
    assert_non_null(strstr(take(&twins->story), "remove "));
    assert_string_equal(swarm_container_id(twins->story.action.container), swarm_container_id(gone));
    removed(&twins->story);
    expect_nothing(&twins->story);
    story_end(&twins->story);
}

/* ---- policies ---- */

static void test_keep_old_removes_the_stand_in(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_OLD, NULL);
    come_back(&twins.story, twins.story.a);
    assert_non_null(strstr(take(&twins.story), "remove new1 from "));
    assert_ptr_equal(twins.story.action.kept, twins.old);
    removed(&twins.story);
    expect_nothing(&twins.story);
    /* From then on it is the one that counts, and moved again like any other. */
    lose(&twins.story, twins.story.a, SWARM_NODE_STOPPED);
    expect_move(&twins.story, "c1");
    moved(&twins.story);
    story_end(&twins.story);
}

static void test_keep_old_does_not_keep_one_that_does_not_run(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_OLD, NULL);
    set_state(twins.old, SWARM_CONTAINER_EXITED);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.old);
}

static void test_keep_old_of_two_that_do_not_run(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_OLD, NULL);
    set_state(twins.old, SWARM_CONTAINER_EXITED);
    set_state(twins.made, SWARM_CONTAINER_EXITED);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.made);
}

static void test_longest_running_stays(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_LONGEST_RUNNING, NULL);
    since(twins.old, 1000);
    since(twins.made, 2000);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.made);
    /* It was started again with its host. */
    twins_begin(&twins, SWARM_RECONCILE_LONGEST_RUNNING, NULL);
    since(twins.old, 3000);
    since(twins.made, 2000);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.old);
}

static void test_longest_running_needs_to_know_both_times(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_LONGEST_RUNNING, NULL);
    since(twins.old, 1000);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.old);
}

static void test_longest_running_is_none_that_does_not_run(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_LONGEST_RUNNING, NULL);
    since(twins.old, 1000);
    since(twins.made, 2000);
    set_state(twins.old, SWARM_CONTAINER_EXITED);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.old);
    twins_begin(&twins, SWARM_RECONCILE_LONGEST_RUNNING, NULL);
    since(twins.old, 3000);
    since(twins.made, 2000);
    set_state(twins.made, SWARM_CONTAINER_EXITED);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.made);
}

static void test_label_chooses_over_the_option(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_NEW, "keep-old");
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.made);
    twins_begin(&twins, SWARM_RECONCILE_KEEP_OLD, "keep-new");
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.old);
    twins_begin(&twins, SWARM_RECONCILE_KEEP_OLD, "keep-whatever");
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.made);
}

/* ---- the one that runs is never removed for one that does not ---- */

static void test_old_copy_stays_while_its_stand_in_does_not_run(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_NEW, NULL);
    set_state(twins.made, SWARM_CONTAINER_EXITED);
    come_back(&twins.story, twins.story.a);
    expect_nothing(&twins.story);
    assert_int_equal(due_in(&twins.story), 1000);
    elapse(&twins.story, 600000);
    expect_nothing(&twins.story);
    /* It runs again: that is seen at once. */
    set_state(twins.made, SWARM_CONTAINER_RUNNING);
    assert_int_equal(swarm_rescheduler_container_changed(twins.story.rescheduler, twins.story.now_ms, twins.made, NULL),
                     0);
    expect_removal(&twins, twins.old);
}

static void test_stand_in_that_never_ran_goes(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_NEW, NULL);
    set_state(twins.made, SWARM_CONTAINER_CREATED);
    come_back(&twins.story, twins.story.a);
    expect_removal(&twins, twins.made);
}

static void test_old_copy_that_ends_while_it_waits_goes(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_NEW, NULL);
    set_state(twins.made, SWARM_CONTAINER_EXITED);
    come_back(&twins.story, twins.story.a);
    expect_nothing(&twins.story);
    set_state(twins.old, SWARM_CONTAINER_EXITED);
    assert_int_equal(swarm_rescheduler_container_changed(twins.story.rescheduler, twins.story.now_ms, twins.old, NULL),
                     0);
    expect_removal(&twins, twins.old);
}

static void test_one_of_two_old_copies_that_run_stays(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_NEW, NULL);
    struct story *story = &twins.story;
    remove_container(story, twins.old);
    struct swarm_node *second = swarm_container_node(twins.made);
    lose(story, second, SWARM_NODE_STOPPED);
    expect_move(story, "new1");
    struct swarm_container *last = moved(story);
    set_state(last, SWARM_CONTAINER_EXITED);
    since(run(story, story->a, "c1", "web"), 1000);
    come_back(story, story->a);
    expect_nothing(story);
    since(run(story, second, "new1", "web"), 2000);
    come_back(story, second);
    elapse(story, 1000);
    assert_string_equal(take(story), "remove c1 from a, keep new1");
    removed(story);
    /* That one waits for its stand-in to run. */
    expect_nothing(story);
    assert_int_equal(due_in(story), 1000);
    story_end(story);
}

static void test_copy_that_is_being_removed_wins_no_more(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_LONGEST_RUNNING, NULL);
    struct story *story = &twins.story;
    since(twins.old, 1000);
    come_back(story, story->a);
    /* Nothing was known of the other one then. */
    assert_string_equal(take(story), "remove c1 from a, keep new1");
    since(twins.made, 2000);
    /* The same engine by its other address, which lists it still. */
    struct swarm_node *alias = add_sized_node(story->cluster, "a|2", 8, 16);
    assert_int_equal(swarm_node_set_availability(alias, SWARM_AVAILABILITY_PAUSED, NULL), 0);
    since(run(story, alias, "c1", "web"), 1000);
    struct swarm_action first = story->action;
    come_back(story, alias);
    expect_nothing(story);
    story->action = first;
    removed(story);
    elapse(story, 1000);
    expect_nothing(story);
    story_end(story);
}

/* ---- things change while a removal waits ---- */

static void test_keep_old_whose_node_is_lost_again_loses_nothing(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_OLD, NULL);
    come_back(&twins.story, twins.story.a);
    assert_non_null(strstr(take(&twins.story), "remove new1 from "));
    failed(&twins.story, "busy");
    lose(&twins.story, twins.story.a, SWARM_NODE_STOPPED);
    elapse(&twins.story, 60000);
    /* The stand-in takes over again. */
    expect_nothing(&twins.story);
    assert_int_equal(waiting(&twins.story, twins.story.a), 0);
    run(&twins.story, twins.story.a, "c1", "web");
    come_back(&twins.story, twins.story.a);
    assert_non_null(strstr(take(&twins.story), "remove new1 from "));
    removed(&twins.story);
    story_end(&twins.story);
}

static void test_keep_old_after_two_moves(void **state)
{
    struct twins twins;
    twins_begin(&twins, SWARM_RECONCILE_KEEP_OLD, NULL);
    remove_container(&twins.story, twins.old);
    struct swarm_node *second = swarm_container_node(twins.made);
    lose(&twins.story, second, SWARM_NODE_STOPPED);
    expect_move(&twins.story, "new1");
    moved(&twins.story);
    run(&twins.story, twins.story.a, "c1", "web");
    come_back(&twins.story, twins.story.a);
    assert_non_null(strstr(take(&twins.story), "remove new2 from "));
    removed(&twins.story);
    run(&twins.story, second, "new1", "web");
    come_back(&twins.story, second);
    /* It is the younger one of those two. */
    assert_non_null(strstr(take(&twins.story), "remove new1 from "));
    removed(&twins.story);
    expect_nothing(&twins.story);
    story_end(&twins.story);
}

static void test_stand_in_found_again_removes_unlabelled_old_copies(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_request *request = request_of("name=web");
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    swarm_node_set_data(story.a, &story.cluster);
    run_request(story.a, "c1", swarm_request_ref(request));
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_node *to = swarm_container_node(moved(&story));
    lose(&story, to, SWARM_NODE_SILENT);
    run_request(story.a, "c1", request);
    come_back(&story, story.a);
    expect_nothing(&story);
    come_back(&story, to);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    story_end(&story);
}

static void test_time_of_running_is_checked(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_container_running_since(container), 0);
    assert_int_equal(swarm_container_set_running_since(container, 5, NULL), 0);
    assert_int_equal(swarm_container_set_running_since(container, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_container_set_running_since(NULL, 1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_container_running_since(container), 5);
    assert_int_equal(swarm_rescheduler_container_changed(story.rescheduler, 0, NULL, NULL), SWARM_ERR_INVALID);
    story_end(&story);
}

/* What is removed by one address of its engine is gone by the other one too, whatever that one says of it still. */
static void test_removed_by_one_address_is_not_kept_by_the_other(void **state)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct story story;
    options.reconcile = SWARM_RECONCILE_KEEP_OLD;
    story_begin_with(&story, &options);
    run(&story, story.a, "c1", "web");
    run(&story, story.b, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    lose(&story, story.b, SWARM_NODE_STOPPED);
    assert_string_equal(take(&story), "move c1 to c, start");
    moved(&story);
    set_state(run(&story, story.a, "c1", "web"), SWARM_CONTAINER_EXITED);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    run(&story, story.b, "c1", "web");
    come_back(&story, story.b);
    expect_nothing(&story);
    removed(&story);
    assert_null(swarm_cluster_find_container(story.cluster, story.b, "c1"));
    elapse(&story, 120000);
    expect_nothing(&story);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_old_removes_the_stand_in),
        cmocka_unit_test(test_keep_old_does_not_keep_one_that_does_not_run),
        cmocka_unit_test(test_keep_old_of_two_that_do_not_run),
        cmocka_unit_test(test_longest_running_stays),
        cmocka_unit_test(test_longest_running_needs_to_know_both_times),
        cmocka_unit_test(test_longest_running_is_none_that_does_not_run),
        cmocka_unit_test(test_label_chooses_over_the_option),
        cmocka_unit_test(test_old_copy_stays_while_its_stand_in_does_not_run),
        cmocka_unit_test(test_stand_in_that_never_ran_goes),
        cmocka_unit_test(test_old_copy_that_ends_while_it_waits_goes),
        cmocka_unit_test(test_one_of_two_old_copies_that_run_stays),
        cmocka_unit_test(test_copy_that_is_being_removed_wins_no_more),
        cmocka_unit_test(test_keep_old_whose_node_is_lost_again_loses_nothing),
        cmocka_unit_test(test_keep_old_after_two_moves),
        cmocka_unit_test(test_stand_in_found_again_removes_unlabelled_old_copies),
        cmocka_unit_test(test_time_of_running_is_checked),
        cmocka_unit_test(test_removed_by_one_address_is_not_kept_by_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
