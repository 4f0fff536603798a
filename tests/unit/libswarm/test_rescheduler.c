/* SPDX-License-Identifier: Apache-2.0 */
/* What is moved off lost nodes, when, and where to. */
#include <stdio.h>
#include <stdlib.h>

#include "rescheduler_story.h"

/* ---- moves ---- */

static void test_stopped_node_loses_its_containers_at_once(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_int_equal(due_in(&story), 0);
    assert_int_equal(waiting(&story, story.a), 1);
    expect_move(&story, "c1");
    assert_int_equal(story.action.start, 1);
    struct swarm_container *made = moved(&story);
    assert_string_equal(swarm_container_name(made), "web");
    assert_string_equal(swarm_container_swarm_id(made), "s-web");
    assert_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    assert_int_equal(waiting(&story, story.a), 0);
    assert_int_equal(due_in(&story), -1);
    expect_nothing(&story);
    story_end(&story);
}

static void test_silent_node_gets_its_grace(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    assert_int_equal(due_in(&story), 10000);
    elapse(&story, 9999);
    expect_nothing(&story);
    elapse(&story, 1);
    expect_move(&story, "c1");
    moved(&story);
    story_end(&story);
}

static void test_silent_node_that_comes_back_in_time_keeps_everything(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    elapse(&story, 5000);
    come_back(&story, story.a);
    assert_int_equal(waiting(&story, story.a), 0);
    elapse(&story, 100000);
    expect_nothing(&story);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

static void test_silent_node_found_stopped_is_acted_on_at_once(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    elapse(&story, 2000);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_int_equal(due_in(&story), 0);
    expect_move(&story, "c1");
    moved(&story);
    story_end(&story);
}

static void test_loss_reported_again_neither_prolongs_nor_doubles(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    elapse(&story, 6000);
    lose(&story, story.a, SWARM_NODE_SILENT);
    assert_int_equal(due_in(&story), 4000);
    assert_int_equal(waiting(&story, story.a), 1);
    elapse(&story, 4000);
    expect_move(&story, "c1");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_nothing(&story);
    moved(&story);
    expect_nothing(&story);
    story_end(&story);
}

/* Lost nodes that the scheduler is not told of would else take from one another without an end. */
static void test_nothing_is_moved_to_a_node_that_is_lost(void **state)
{
    struct story story;
    const char *reason = NULL;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    struct swarm_node *node = NULL;
    while ((node = swarm_cluster_next_node(story.cluster, node)))
        assert_int_equal(swarm_rescheduler_node_lost(story.rescheduler, story.now_ms, node, SWARM_NODE_STOPPED, NULL),
                         0);
    assert_int_equal(swarm_rescheduler_release(story.rescheduler, story.now_ms, NULL), 0);
    expect_nothing(&story);
    assert_int_equal(swarm_rescheduler_waiting(story.rescheduler, story.a, &reason), 1);
    assert_non_null(strstr(reason, "which is lost: health 0 and the filter health are expected"));
    assert_null(swarm_cluster_next_reservation(story.cluster, NULL));
    assert_int_equal(due_in(&story), 1000);
    story_end(&story);
}

static void test_what_cannot_be_meant_is_refused(void **state)
{
    struct story story;
    struct swarm_cluster *other = NULL;
    struct swarm_node *node;
    struct swarm_container *container;
    struct swarm_request *request = request_of("name=x");
    struct swarm_error *error = NULL;
    story_begin(&story);
    assert_int_equal(swarm_cluster_new(&other, NULL), 0);
    assert_int_equal(swarm_cluster_add_node(other, "x", "x", "", &node, NULL), 0);
    assert_int_equal(swarm_cluster_add_container(other, node, "c9", request, &container, NULL), 0);
    swarm_request_unref(request);
    assert_int_equal(swarm_rescheduler_node_lost(story.rescheduler, 0, node, SWARM_NODE_STOPPED, &error),
                     SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "node x is of another cluster");
    swarm_error_free(error);
    assert_int_equal(swarm_rescheduler_node_back(story.rescheduler, 0, node, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_node_removed(story.rescheduler, 0, node, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_container_changed(story.rescheduler, 0, container, NULL), SWARM_ERR_INVALID);
    struct swarm_action action = {.size = 3};
    assert_int_equal(swarm_rescheduler_next(story.rescheduler, &action, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "action: size 3: start with SWARM_ACTION_INIT");
    swarm_error_free(error);
    struct swarm_rescheduler_options options = {.size = 5};
    struct swarm_rescheduler *none = NULL;
    assert_int_equal(swarm_rescheduler_new(&none, story.cluster, story.scheduler, &options, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error),
                        "rescheduler options: size 5: start with SWARM_RESCHEDULER_OPTIONS_INIT");
    swarm_error_free(error);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    assert_int_equal(swarm_rescheduler_moved(story.rescheduler, 0, story.action.id, container, NULL),
                     SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_moved(story.rescheduler, 0, story.action.id, story.action.container, &error),
                     SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "stand_in c1 is the lost container itself");
    swarm_error_free(error);
    moved(&story);
    story_end(&story);
    swarm_cluster_free(other);
}

static void test_container_without_policy_stays(void **state)
{
    struct story story;
    story_begin(&story);
    add_container(story.a, "c1", "name=web swarmid=s-web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    assert_int_equal(waiting(&story, story.a), 0);
    expect_nothing(&story);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

static void test_stopped_container_is_moved_but_not_started(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_EXITED, NULL), 0);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    assert_int_equal(story.action.start, 0);
    moved(&story);
    story_end(&story);
}

static void test_container_without_a_name_is_moved_too(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_request *request = request_of("label=a=b");
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    swarm_node_set_data(story.a, &story.cluster);
    run_request(story.a, "c1", request);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    moved(&story);
    story_end(&story);
}

/* ---- failures ---- */

static void test_failed_move_is_tried_again_for_ever_with_growing_pauses(void **state)
{
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    for (size_t i = 0; i < COUNT(pauses); i++) {
        expect_move(&story, "c1");
        failed(&story, "no such image");
        assert_string_equal(reason(&story, story.a), "no such image");
        assert_int_equal(due_in(&story), pauses[i]);
        elapse(&story, pauses[i] - 1);
        expect_nothing(&story);
        elapse(&story, 1);
    }
    expect_move(&story, "c1");
    moved(&story);
    assert_string_equal(reason(&story, story.a), "");
    story_end(&story);
}

static void test_move_without_a_place_waits_with_its_reason(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_request *request = request_of("name=web swarmid=s-web constraint=node==a1");
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    swarm_node_set_data(story.a, &story.cluster);
    run_request(story.a, "c1", request);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 1);
    assert_non_null(strstr(reason(&story, story.a), "Unable to find a node that satisfies"));
    assert_non_null(strstr(reason(&story, story.a), "[node==a1]"));
    assert_int_equal(due_in(&story), 1000);
    assert_non_null(swarm_cluster_find_container(story.cluster, story.a, "c1"));
    story_end(&story);
}

/* "c1!" for one that failed, "c2" for one that did not. */
static void note_waiting(void *data, const struct swarm_waiting *waiting)
{
    char *text = data;
    strcat(text, *text ? " " : "");
    strcat(text, swarm_container_id(waiting->container));
    strcat(text, waiting->reason != NULL && strstr(waiting->reason, "[node==a1]") != NULL ? "!" : "");
}

static void test_each_waiting_container_has_its_own_reason(void **state)
{
    struct story story;
    char text[64] = "";
    story_begin(&story);
    run(&story, story.a, "c2", "db");
    struct swarm_request *request = request_of("name=web swarmid=s-web constraint=node==a1");
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    run_request(story.a, "c1", request);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c2");
    expect_nothing(&story);
    swarm_rescheduler_each_waiting(story.rescheduler, story.a, note_waiting, text);
    assert_true(strcmp(text, "c1! c2") == 0 || strcmp(text, "c2 c1!") == 0);
    failed(&story, "full of [node==a1]");
    text[0] = '\0';
    swarm_rescheduler_each_waiting(story.rescheduler, story.a, note_waiting, text);
    assert_true(strcmp(text, "c1! c2!") == 0 || strcmp(text, "c2! c1!") == 0);
    text[0] = '\0';
    swarm_rescheduler_each_waiting(story.rescheduler, story.b, note_waiting, text);
    assert_string_equal(text, "");
    story_end(&story);
}

static void test_waiting_move_goes_when_another_node_comes_back(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.b, SWARM_NODE_STOPPED);
    lose(&story, story.c, SWARM_NODE_STOPPED);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    for (int i = 0; i < 10; i++) {
        expect_nothing(&story);
        elapse(&story, 60000);
    }
    expect_nothing(&story);
    come_back(&story, story.c);
    assert_int_equal(due_in(&story), 0);
    assert_string_equal(take(&story), "move c1 to c, start");
    moved(&story);
    story_end(&story);
}

static void test_dependent_is_moved_after_what_it_depends_on(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_request *request = request_of("name=web swarmid=s-web volumes=data");
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    swarm_node_set_data(story.a, &story.cluster);
    run_request(story.a, "c1", request);
    run(&story, story.a, "c2", "data");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c2");
    expect_nothing(&story);
    struct swarm_container *data = moved(&story);
    expect_move(&story, "c1");
    assert_ptr_equal(swarm_reservation_node(story.action.reservation), swarm_container_node(data));
    moved(&story);
    story_end(&story);
}

static void test_network_of_a_moved_container_is_followed(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "front");
    struct swarm_request *request = request_of("name=side swarmid=s-side net=container:c1");
    assert_int_equal(swarm_request_set_pid_mode(request, "container:c1", NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    run_request(story.a, "c2", request);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    expect_nothing(&story);
    struct swarm_container *front = moved(&story);
    expect_move(&story, "c2");
    assert_ptr_equal(swarm_reservation_node(story.action.reservation), swarm_container_node(front));
    assert_string_equal(swarm_request_network_mode(swarm_reservation_request(story.action.reservation)),
                        "container:new1");
    moved(&story);
    story_end(&story);
}

/* ---- limits ---- */

static void test_no_more_moves_at_once_than_allowed(void **state)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct story story;
    options.parallel = 2;
    story_begin_with(&story, &options);
    run(&story, story.a, "c1", "w1");
    run(&story, story.a, "c2", "w2");
    run(&story, story.a, "c3", "w3");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_action first = story.action;
    expect_move(&story, "c2");
    expect_nothing(&story);
    /* Nothing to wait for but the end of one of them. */
    assert_int_equal(due_in(&story), -1);
    report_moved(&story, &first, make(&story, &first));
    expect_move(&story, "c3");
    story_end(&story);
}

static void test_no_more_moves_onto_a_node_than_allowed(void **state)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct story story;
    options.parallel_per_node = 1;
    story_begin_with(&story, &options);
    for (int i = 1; i <= 20; i++) {
        char id[16], name[16];
        snprintf(id, sizeof(id), "c%d", i);
        snprintf(name, sizeof(name), "w%d", i);
        run(&story, story.a, id, name);
    }
    lose(&story, story.a, SWARM_NODE_STOPPED);
    for (int i = 0; i < 10; i++) {
        expect_move(&story, NULL);
        struct swarm_action first = story.action;
        struct swarm_node *onto = swarm_reservation_node(first.reservation);
        expect_move(&story, NULL);
        struct swarm_action second = story.action;
        assert_ptr_not_equal(swarm_reservation_node(second.reservation), onto);
        expect_nothing(&story);
        assert_int_equal(due_in(&story), -1);
        report_moved(&story, &first, make(&story, &first));
        report_moved(&story, &second, make(&story, &second));
    }
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    story_end(&story);
}

/* ---- misuse, and the end ---- */

static void test_wrong_reports_are_refused(void **state)
{
    struct story story;
    struct swarm_error *error = NULL;
    story_begin(&story);
    struct swarm_container *container = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_rescheduler_moved(story.rescheduler, story.now_ms, 77, container, &error),
                     SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "no action 77 of that kind is under way");
    swarm_error_free(error);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    assert_int_equal(swarm_rescheduler_removed(story.rescheduler, story.now_ms, story.action.id, NULL),
                     SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_node_lost(story.rescheduler, story.now_ms, story.a, 9, NULL), SWARM_ERR_INVALID);
    moved(&story);
    assert_int_equal(swarm_rescheduler_failed(story.rescheduler, story.now_ms, story.action.id, NULL, NULL),
                     SWARM_ERR_INVALID);
    story_end(&story);
}

static void test_end_gives_unreported_places_back(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    char *before = state_of(story.cluster);
    expect_move(&story, "c1");
    swarm_rescheduler_free(story.rescheduler);
    char *after = state_of(story.cluster);
    /* All but the generation. */
    assert_string_equal(strstr(after, " nodes "), strstr(before, " nodes "));
    free(before);
    free(after);
    swarm_scheduler_free(story.scheduler);
    swarm_cluster_free(story.cluster);
}

static void test_options_are_checked(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    struct swarm_rescheduler *rescheduler = NULL;
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    options.parallel = 0;
    assert_int_equal(swarm_rescheduler_new(&rescheduler, cluster, scheduler, &options, NULL), SWARM_ERR_INVALID);
    options.parallel = 1;
    options.size = 8;
    assert_int_equal(swarm_rescheduler_new(&rescheduler, cluster, scheduler, &options, NULL), SWARM_ERR_INVALID);
    assert_null(rescheduler);
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped_node_loses_its_containers_at_once),
        cmocka_unit_test(test_silent_node_gets_its_grace),
        cmocka_unit_test(test_silent_node_that_comes_back_in_time_keeps_everything),
        cmocka_unit_test(test_silent_node_found_stopped_is_acted_on_at_once),
        cmocka_unit_test(test_loss_reported_again_neither_prolongs_nor_doubles),
        cmocka_unit_test(test_nothing_is_moved_to_a_node_that_is_lost),
        cmocka_unit_test(test_what_cannot_be_meant_is_refused),
        cmocka_unit_test(test_container_without_policy_stays),
        cmocka_unit_test(test_stopped_container_is_moved_but_not_started),
        cmocka_unit_test(test_container_without_a_name_is_moved_too),
        cmocka_unit_test(test_failed_move_is_tried_again_for_ever_with_growing_pauses),
        cmocka_unit_test(test_move_without_a_place_waits_with_its_reason),
        cmocka_unit_test(test_each_waiting_container_has_its_own_reason),
        cmocka_unit_test(test_waiting_move_goes_when_another_node_comes_back),
        cmocka_unit_test(test_dependent_is_moved_after_what_it_depends_on),
        cmocka_unit_test(test_network_of_a_moved_container_is_followed),
        cmocka_unit_test(test_no_more_moves_at_once_than_allowed),
        cmocka_unit_test(test_no_more_moves_onto_a_node_than_allowed),
        cmocka_unit_test(test_wrong_reports_are_refused),
        cmocka_unit_test(test_end_gives_unreported_places_back),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
