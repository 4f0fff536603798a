/* SPDX-License-Identifier: Apache-2.0 */
/* What a rescheduler tells to be remembered, and what a later one makes of it; containers that were removed while an
 * old copy was away; containers that come back stopped. */
#include <stdio.h>

#include "heap.h"
#include "rescheduler_story.h"

#define NOTES_MAX 32

/* What was told, as another rescheduler would be handed it. */
struct notes {
    struct note {
        char container[32], node[32], by[32];
        int judged;
    } items[NOTES_MAX];
    size_t count;
};

static struct note *note_of(struct notes *notes, const char *container)
{
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->items[i].container, container) == 0)
            return &notes->items[i];
    return NULL;
}

static void take_note(void *data, const struct swarm_memory *memory)
{
    struct notes *notes = data;
    struct note *note = note_of(notes, memory->container_id);
    if (memory->by == NULL) {
        if (note != NULL)
            *note = notes->items[--notes->count];
        return;
    }
    if (note == NULL)
        note = &notes->items[notes->count++];
    snprintf(note->container, sizeof(note->container), "%s", memory->container_id);
    snprintf(note->node, sizeof(note->node), "%s", memory->node_id);
    snprintf(note->by, sizeof(note->by), "%s", memory->by);
    note->judged = memory->judged;
}

static void listen(struct story *story, struct notes *notes)
{
    memset(notes, 0, sizeof(*notes));
    swarm_rescheduler_set_memory(story->rescheduler, take_note, notes);
}

static void remember(struct story *story, const struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        struct swarm_memory memory = SWARM_MEMORY_INIT;
        memory.container_id = notes->items[i].container;
        memory.node_id = notes->items[i].node;
        memory.by = notes->items[i].by;
        memory.judged = notes->items[i].judged;
        assert_int_equal(swarm_rescheduler_remember(story->rescheduler, &memory, NULL), 0);
    }
}

/** The manager ends and starts again: nothing but the notes is left of it. */
static void start_anew(struct story *story, struct notes *notes)
{
    struct notes kept = *notes;
    swarm_rescheduler_free(story->rescheduler);
    assert_int_equal(swarm_rescheduler_new(&story->rescheduler, story->cluster, story->scheduler, NULL, NULL), 0);
    remember(story, &kept);
    swarm_rescheduler_set_memory(story->rescheduler, take_note, notes);
}

static void delete_container(struct story *story, struct swarm_container *container)
{
    assert_int_equal(swarm_rescheduler_container_deleted(story->rescheduler, story->now_ms, container, NULL), 0);
    swarm_cluster_remove_container(story->cluster, container);
}

/** c1 of node a is moved, to new1. */
static struct swarm_container *begin_moved(struct story *story, struct notes *notes)
{
    story_begin(story);
    listen(story, notes);
    run(story, story->a, "c1", "web");
    lose(story, story->a, SWARM_NODE_STOPPED);
    expect_move(story, "c1");
    return moved(story);
}

static void test_move_is_told(void **state)
{
    struct story story;
    struct notes notes;
    begin_moved(&story, &notes);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.items[0].container, "c1");
    assert_string_equal(notes.items[0].node, "a");
    assert_string_equal(notes.items[0].by, "new1");
    story_end(&story);
}

static void test_old_copy_goes_by_what_was_remembered(void **state)
{
    struct story story;
    struct notes notes;
    begin_moved(&story, &notes);
    start_anew(&story, &notes);
    /* Both run, and it was not lost to this one: nothing but what is remembered tells which is which. */
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_container_removed_meanwhile_goes_with_its_node(void **state)
{
    struct story story;
    struct notes notes;
    delete_container(&story, begin_moved(&story, &notes));
    assert_string_equal(note_of(&notes, "new1")->by, "");
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a");
    assert_null(story.action.kept);
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, story.action.id), 1);
    removed(&story);
    expect_nothing(&story);
    assert_int_equal(notes.count, 0);
    story_end(&story);
}

static void test_removal_is_remembered(void **state)
{
    struct story story;
    struct notes notes;
    delete_container(&story, begin_moved(&story, &notes));
    start_anew(&story, &notes);
    start_anew(&story, &notes);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a");
    failed(&story, "busy");
    expect_nothing(&story);
    elapse(&story, 1000);
    assert_string_equal(take(&story), "remove c1 from a");
    removed(&story);
    assert_int_equal(notes.count, 0);
    story_end(&story);
}

static void test_removed_container_on_a_lost_node_is_not_moved(void **state)
{
    struct story story;
    struct notes notes;
    delete_container(&story, begin_moved(&story, &notes));
    start_anew(&story, &notes);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_nothing(&story);
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

static void test_node_that_comes_back_without_it_ends_the_matter(void **state)
{
    struct story story;
    struct notes notes;
    delete_container(&story, begin_moved(&story, &notes));
    assert_int_equal(notes.count, 2);
    come_back(&story, story.a);
    expect_nothing(&story);
    assert_int_equal(notes.count, 2); /* it was taken off the list here: it may be there all the same */
    come_back(&story, story.a);
    expect_nothing(&story);
    assert_int_equal(notes.count, 0);
    story_end(&story);
}

static void test_another_container_of_that_name_stays(void **state)
{
    struct story story;
    struct notes notes;
    delete_container(&story, begin_moved(&story, &notes));
    run(&story, story.b, "c9", "web"); /* made since, even with the same labels */
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a");
    removed(&story);
    expect_nothing(&story);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.b, "c9"));
    story_end(&story);
}

static void test_copy_that_people_see_stays_where_the_other_is_removed(void **state)
{
    struct story story;
    struct notes notes;
    struct swarm_container *made = begin_moved(&story, &notes);
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_EXITED, NULL), 0);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    expect_nothing(&story); /* the stand-in does not run */
    elapse(&story, 1000);
    expect_nothing(&story);
    delete_container(&story, made);
    elapse(&story, 60000);
    expect_nothing(&story);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

static void test_old_copy_goes_where_the_other_was_stopped(void **state)
{
    struct story story;
    struct notes notes;
    struct swarm_container *made = begin_moved(&story, &notes);
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_EXITED, NULL), 0);
    assert_int_equal(swarm_container_set_stopped(made, 1, NULL), 0);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a, keep new1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_copy_that_was_about_to_go_goes_all_the_same(void **state)
{
    struct story story;
    struct notes notes;
    struct swarm_container *made = begin_moved(&story, &notes);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    delete_container(&story, made);
    assert_string_equal(take(&story), "remove c1 from a");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_all_earlier_copies_go(void **state)
{
    struct story story;
    struct notes notes;
    struct swarm_container *made = begin_moved(&story, &notes);
    struct swarm_node *second = swarm_container_node(made);
    lose(&story, second, SWARM_NODE_STOPPED);
    elapse(&story, 120000);
    expect_move(&story, "new1");
    delete_container(&story, moved(&story));
    start_anew(&story, &notes);
    run(&story, second, "new1", "web");
    run(&story, story.a, "c1", "web");
    come_back(&story, second);
    assert_non_null(strstr(take(&story), "remove new1 from "));
    removed(&story);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c1 from a");
    removed(&story);
    expect_nothing(&story);
    assert_int_equal(notes.count, 0);
    story_end(&story);
}

static void test_removal_waits_where_the_container_is_seen_twice(void **state)
{
    struct story story;
    struct notes notes;
    delete_container(&story, begin_moved(&story, &notes));
    run(&story, story.a, "c1", "web");
    run(&story, story.c, "c1", "web");
    come_back(&story, story.a);
    expect_nothing(&story);
    story_end(&story);
}

/* ---- moves whose end nobody saw ---- */

static void remember_move(struct story *story, struct swarm_node *node)
{
    assert_int_equal(
        swarm_rescheduler_remember_move(story->rescheduler, story->now_ms, "s-web", swarm_node_id(node), 1, NULL), 0);
}

static void test_stand_in_that_was_not_started_is(void **state)
{
    struct story story;
    story_begin(&story);
    remember_move(&story, story.b);
    run(&story, story.a, "c1", "web");
    struct swarm_container *made = run(&story, story.b, "c2", "web");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_CREATED, NULL), 0);
    come_back(&story, story.b);
    lose(&story, story.a, SWARM_NODE_SILENT);
    elapse(&story, 10000);
    assert_string_equal(take(&story), "start c2 on b for c1");
    story_end(&story);
}

static void test_stand_in_that_is_all_there_is_is_started(void **state)
{
    struct story story;
    story_begin(&story);
    remember_move(&story, story.b);
    struct swarm_container *made = run(&story, story.b, "c2", "web");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_CREATED, NULL), 0);
    come_back(&story, story.b);
    assert_string_equal(take(&story), "start c2 on b for c2");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_RUNNING, NULL), 0);
    report_moved(&story, &story.action, made);
    expect_nothing(&story);
    come_back(&story, story.b);
    expect_nothing(&story);
    story_end(&story);
}

/** It had been made by the manager before, on a node that was away since. */
static void test_stand_in_of_one_that_was_removed_goes(void **state)
{
    struct story story;
    struct notes notes;
    story_begin(&story);
    listen(&story, &notes);
    remember_move(&story, story.b);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    delete_container(&story, container);
    struct swarm_container *made = run(&story, story.b, "c2", "web");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_CREATED, NULL), 0);
    come_back(&story, story.b);
    assert_string_equal(take(&story), "remove c2 from b");
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, story.action.id), 1);
    removed(&story);
    expect_nothing(&story);
    assert_int_equal(notes.count, 0);
    story_end(&story);
}

static void test_stand_in_waits_for_what_is_known_of_the_other(void **state)
{
    struct story story;
    story_begin(&story);
    remember_move(&story, story.b);
    assert_int_equal(swarm_node_set_health(story.a, 0, NULL), 0);
    run(&story, story.a, "c1", "web"); /* by the record: its node has not been heard of yet */
    struct swarm_container *made = run(&story, story.b, "c2", "web");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_CREATED, NULL), 0);
    come_back(&story, story.b);
    expect_nothing(&story);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "remove c2 from b, keep c1");
    story_end(&story);
}

static void test_half_a_move_is_undone_where_the_container_lives(void **state)
{
    struct story story;
    story_begin(&story);
    remember_move(&story, story.b);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.a);
    run(&story, story.b, "c2", "web"); /* started, and nobody was told */
    come_back(&story, story.b);
    assert_string_equal(take(&story), "remove c2 from b, keep c1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_half_a_move_is_undone_where_the_container_was_renamed(void **state)
{
    struct story story;
    story_begin(&story);
    remember_move(&story, story.b);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_container_set_names(container, (const char *const[]){"app"}, 1, NULL), 0);
    come_back(&story, story.a);
    struct swarm_container *made = run(&story, story.b, "c2", "web");
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_CREATED, NULL), 0);
    come_back(&story, story.b);
    assert_string_equal(take(&story), "remove c2 from b, keep c1");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
}

static void test_move_that_was_not_begun_is_made(void **state)
{
    struct story story;
    story_begin(&story);
    remember_move(&story, story.b);
    run(&story, story.a, "c1", "web");
    come_back(&story, story.b);
    lose(&story, story.a, SWARM_NODE_SILENT);
    elapse(&story, 10000);
    expect_move(&story, "c1");
    moved(&story);
    expect_nothing(&story);
    story_end(&story);
}

/* ---- what comes back stopped ---- */

static struct swarm_container *begin_returned(struct story *story, int restart)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    options.restart_returned = restart;
    story_begin_with(story, &options);
    struct swarm_container *container = run(story, story->a, "c1", "web");
    lose(story, story->a, SWARM_NODE_SILENT);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_EXITED, NULL), 0);
    return container;
}

static void test_container_that_comes_back_stopped_is_started(void **state)
{
    struct story story;
    struct swarm_container *container = begin_returned(&story, 1);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "start c1 on a for c1");
    assert_int_equal(swarm_rescheduler_wanted(story.rescheduler, story.action.id), 1);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    report_moved(&story, &story.action, container);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    story_end(&story);
}

static void test_it_is_started_only_where_that_is_asked_for(void **state)
{
    struct story story;
    begin_returned(&story, 0);
    come_back(&story, story.a);
    expect_nothing(&story);
    story_end(&story);
}

static void test_start_is_tried_once(void **state)
{
    struct story story;
    begin_returned(&story, 1);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "start c1 on a for c1");
    failed(&story, "its port is taken");
    elapse(&story, 100000);
    expect_nothing(&story);
    story_end(&story);
}

static void test_one_that_runs_by_then_is_left_alone(void **state)
{
    struct story story;
    struct swarm_container *container = begin_returned(&story, 1);
    come_back(&story, story.a);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    story_end(&story);
}

/* As a manager sees it that does not act: another one starts it. */
static void test_one_that_was_started_by_another_waits_no_longer(void **state)
{
    struct story story;
    struct swarm_container *container = begin_returned(&story, 1);
    come_back(&story, story.a);
    assert_int_equal(swarm_rescheduler_settle(story.rescheduler, story.now_ms, NULL), 0);
    assert_int_equal(waiting(&story, story.a), 1);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    assert_int_equal(swarm_rescheduler_settle(story.rescheduler, story.now_ms, NULL), 0);
    assert_int_equal(waiting(&story, story.a), 0);
    story_end(&story);
}

static void test_one_that_its_user_has_stopped_since_is_not_started(void **state)
{
    struct story story;
    struct swarm_container *container = begin_returned(&story, 1);
    come_back(&story, story.a);
    assert_int_equal(swarm_container_set_stopped(container, 1, NULL), 0);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    story_end(&story);
}

static void test_node_lost_again_during_the_start_is_moved_from(void **state)
{
    struct story story;
    begin_returned(&story, 1);
    come_back(&story, story.a);
    assert_string_equal(take(&story), "start c1 on a for c1");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    failed(&story, "gone");
    elapse(&story, 1000);
    expect_move(&story, "c1");
    story_end(&story);
}

/* ---- memory ---- */

static void test_removal_without_memory_is_tried_again(void **state)
{
    for (size_t nth = 0;; nth++) {
        struct story story;
        struct notes notes;
        struct swarm_container *made = begin_moved(&story, &notes);
        heap_fail(nth, true);
        int rc = swarm_rescheduler_container_deleted(story.rescheduler, story.now_ms, made, NULL);
        heap_restore();
        assert_true(rc == 0 || rc == SWARM_ERR_NOMEM);
        swarm_cluster_remove_container(story.cluster, made);
        story_end(&story);
        if (rc == 0)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_move_is_told),
        cmocka_unit_test(test_old_copy_goes_by_what_was_remembered),
        cmocka_unit_test(test_container_removed_meanwhile_goes_with_its_node),
        cmocka_unit_test(test_removal_is_remembered),
        cmocka_unit_test(test_removed_container_on_a_lost_node_is_not_moved),
        cmocka_unit_test(test_node_that_comes_back_without_it_ends_the_matter),
        cmocka_unit_test(test_another_container_of_that_name_stays),
        cmocka_unit_test(test_copy_that_people_see_stays_where_the_other_is_removed),
        cmocka_unit_test(test_old_copy_goes_where_the_other_was_stopped),
        cmocka_unit_test(test_copy_that_was_about_to_go_goes_all_the_same),
        cmocka_unit_test(test_all_earlier_copies_go),
        cmocka_unit_test(test_removal_waits_where_the_container_is_seen_twice),
        cmocka_unit_test(test_stand_in_that_was_not_started_is),
        cmocka_unit_test(test_stand_in_that_is_all_there_is_is_started),
        cmocka_unit_test(test_stand_in_of_one_that_was_removed_goes),
        cmocka_unit_test(test_stand_in_waits_for_what_is_known_of_the_other),
        cmocka_unit_test(test_half_a_move_is_undone_where_the_container_lives),
        cmocka_unit_test(test_half_a_move_is_undone_where_the_container_was_renamed),
        cmocka_unit_test(test_move_that_was_not_begun_is_made),
        cmocka_unit_test(test_container_that_comes_back_stopped_is_started),
        cmocka_unit_test(test_it_is_started_only_where_that_is_asked_for),
        cmocka_unit_test(test_start_is_tried_once),
        cmocka_unit_test(test_one_that_runs_by_then_is_left_alone),
        cmocka_unit_test(test_one_that_was_started_by_another_waits_no_longer),
        cmocka_unit_test(test_one_that_its_user_has_stopped_since_is_not_started),
        cmocka_unit_test(test_node_lost_again_during_the_start_is_moved_from),
        cmocka_unit_test(test_removal_without_memory_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
