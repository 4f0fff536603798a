/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments that are none, the ends of time, and memory that runs out in the rarer turns of a story. */
#include <stdlib.h>

#include "heap.h"
#include "rescheduler_story.h"

/* ---- arguments ---- */

static void test_no_rescheduler_is_an_error(void **state)
{
    struct swarm_action action = SWARM_ACTION_INIT;
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    struct story story;
    story_begin(&story);
    struct swarm_container *c = run(&story, story.a, "c1", "web");
    assert_int_equal(swarm_rescheduler_node_lost(NULL, 0, story.a, SWARM_NODE_STOPPED, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_node_back(NULL, 0, story.a, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_node_removed(NULL, 0, story.a, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_container_changed(NULL, 0, c, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_moved(NULL, 0, 1, c, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_removed(NULL, 0, 1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_failed(NULL, 0, 1, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_unanswered(NULL, 0, 1, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_advance(NULL, 0, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_next(NULL, &action, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_status(NULL, &status), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_timeout(NULL), -1);
    assert_int_equal(swarm_rescheduler_waiting(NULL, story.a, NULL), 0);
    swarm_rescheduler_each_waiting(NULL, story.a, NULL, NULL);
    swarm_rescheduler_container_removed(NULL, c);
    swarm_rescheduler_free(NULL);
    story_end(&story);
}

static void test_no_subject_is_an_error(void **state)
{
    struct swarm_action action = SWARM_ACTION_INIT;
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    struct story story;
    story_begin(&story);
    struct swarm_rescheduler *r = story.rescheduler;
    assert_int_equal(swarm_rescheduler_node_lost(r, 0, NULL, SWARM_NODE_STOPPED, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_node_lost(r, 0, story.a, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_node_back(r, 0, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_node_removed(r, 0, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_moved(r, 0, 1, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_next(r, NULL, NULL), SWARM_ERR_INVALID);
    action.size = sizeof(size_t);
    assert_int_equal(swarm_rescheduler_next(r, &action, NULL), SWARM_ERR_INVALID);
    status.size = sizeof(size_t);
    assert_int_equal(swarm_rescheduler_status(r, &status), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_waiting(r, NULL, NULL), 0);
    assert_int_equal(swarm_rescheduler_waiting(r, story.a, NULL), 0);
    swarm_rescheduler_each_waiting(r, NULL, NULL, NULL);
    swarm_rescheduler_each_waiting(r, story.a, NULL, NULL);
    swarm_rescheduler_container_removed(r, NULL);
    story_end(&story);
}

static void test_each_option_is_checked(void **state)
{
    const struct swarm_rescheduler_options good = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct swarm_rescheduler *made = NULL;
    struct story story;
    story_begin(&story);
    for (int i = 0; i < 7; i++) {
        struct swarm_rescheduler_options options = good;
        options.grace_ms = i == 0 ? -1 : 0;
        options.retry_initial_ms = i == 1 ? 0 : 1;
        options.retry_max_ms = i == 2 ? 0 : 1;
        options.parallel = i == 3 ? 0 : 1;
        options.parallel_per_node = i == 4 ? 0 : 1;
        options.reconcile = i == 5 ? -1 : 0;
        options.size = i == 6 ? sizeof(size_t) : sizeof(options);
        assert_int_equal(swarm_rescheduler_new(&made, story.cluster, story.scheduler, &options, NULL),
                         SWARM_ERR_INVALID);
    }
    assert_int_equal(swarm_rescheduler_new(NULL, story.cluster, story.scheduler, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_new(&made, NULL, story.scheduler, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_rescheduler_new(&made, story.cluster, NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_null(made);
    story_end(&story);
}

/* ---- the ends of time ---- */

static void test_time_does_not_run_over(void **state)
{
    struct story story;
    story_begin(&story);
    run(&story, story.a, "c1", "web");
    run(&story, story.b, "c2", "db");
    story.now_ms = INT64_MAX - 500;
    lose(&story, story.a, SWARM_NODE_SILENT);
    assert_int_equal(swarm_rescheduler_timeout(story.rescheduler), INT64_MAX);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    failed(&story, NULL);
    assert_int_equal(swarm_rescheduler_timeout(story.rescheduler), INT64_MAX);
    assert_string_equal(reason(&story, story.a), "");
    story_end(&story);
}

static void test_first_pause_is_never_longer_than_the_longest(void **state)
{
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct story story;
    options.retry_max_ms = 300;
    story_begin_with(&story, &options);
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    failed(&story, "no");
    assert_int_equal(due_in(&story), 300);
    story_end(&story);
}

static void test_a_node_that_does_not_answer_tells_nothing(void **state)
{
    struct story story;
    story_begin(&story);
    struct swarm_container *c = run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_SILENT);
    assert_int_equal(swarm_rescheduler_container_changed(story.rescheduler, story.now_ms + 10000, c, NULL), 0);
    expect_move(&story, "c1");
    moved(&story);
    story_end(&story);
}

/* ---- memory ---- */

/** A step of a story in which memory may fail once; then it is done again. */
#define TRY(number, call)                                                                                              \
    do {                                                                                                               \
        if (in == (number))                                                                                            \
            heap_fail(n, false);                                                                                       \
        int done = (call);                                                                                             \
        bool out = in == (number) && heap_failed();                                                                    \
        heap_restore();                                                                                                \
        if (done == SWARM_ERR_NOMEM)                                                                                   \
            done = (call);                                                                                             \
        failed_once |= out;                                                                                            \
        assert_true(done >= 0);                                                                                        \
    } while (0)

/** A copy that lives stands in; two lost ones are moved as one. */
static bool copies_failing(int in, size_t n)
{
    struct swarm_action action = SWARM_ACTION_INIT;
    bool failed_once = false;
    struct story story;
    story_begin(&story);
    struct swarm_rescheduler *r = story.rescheduler;
    run(&story, story.a, "c1", "web");
    run(&story, story.b, "c2", "web");
    run(&story, story.a, "d1", "db");
    run(&story, story.b, "d2", "db");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    TRY(0, swarm_rescheduler_next(r, &action, NULL)); /* both have a copy on b */
    expect_nothing(&story);
    assert_int_equal(waiting(&story, story.a), 0);
    run(&story, story.a, "c1", "web");
    run(&story, story.a, "d1", "db");
    swarm_node_set_health(story.b, 0, NULL);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    lose(&story, story.b, SWARM_NODE_STOPPED);
    TRY(1, swarm_rescheduler_next(r, &action, NULL));
    assert_int_equal(action.kind, SWARM_ACTION_MOVE);
    TRY(2, swarm_rescheduler_next(r, &action, NULL));
    assert_int_equal(action.kind, SWARM_ACTION_MOVE);
    expect_nothing(&story);
    assert_int_equal(swarm_cluster_container_count(story.cluster), 2);
    story_end(&story);
    return failed_once;
}

/** The stand-in's node is lost before the move is reported; another copy has become known before another one is. */
static bool reports_failing(int in, size_t n)
{
    bool failed_once = false;
    struct story story;
    story_begin(&story);
    struct swarm_rescheduler *r = story.rescheduler;
    run(&story, story.a, "c1", "web");
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    struct swarm_action action = story.action;
    struct swarm_node *to = swarm_reservation_node(action.reservation), *other = to == story.b ? story.c : story.b;
    swarm_node_set_health(to, 0, NULL);
    TRY(0, swarm_rescheduler_node_lost(r, story.now_ms, to, SWARM_NODE_STOPPED, NULL));
    struct swarm_container *made = make(&story, &action);
    TRY(1, swarm_rescheduler_moved(r, story.now_ms, action.id, made, NULL));
    expect_move(&story, "new1");
    assert_ptr_equal(swarm_reservation_node(story.action.reservation), other);
    action = story.action;
    come_back(&story, story.a);
    made = make(&story, &action);
    run(&story, story.a, "c9", "web");
    TRY(2, swarm_rescheduler_moved(r, story.now_ms, action.id, made, NULL));
    assert_non_null(strstr(take(&story), "remove new2 from "));
    assert_string_equal(swarm_container_id(story.action.kept), "c9");
    removed(&story);
    expect_nothing(&story);
    story_end(&story);
    return failed_once;
}

/** What runs in another one's namespaces is created with that one's new id. */
static bool followers_failing(int in, size_t n)
{
    bool failed_once = false;
    struct swarm_action action = SWARM_ACTION_INIT;
    struct story story;
    story_begin(&story);
    struct swarm_rescheduler *r = story.rescheduler;
    run(&story, story.a, "c1", "front");
    struct swarm_request *request = request_of("name=side swarmid=s-side net=container:c1");
    assert_int_equal(swarm_request_set_pid_mode(request, "container:c1", NULL), 0);
    assert_int_equal(swarm_request_set_ipc_mode(request, "container:c1", NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    run_request(story.a, "c2", request);
    lose(&story, story.a, SWARM_NODE_STOPPED);
    expect_move(&story, "c1");
    expect_nothing(&story);
    moved(&story);
    TRY(0, swarm_rescheduler_next(r, &action, NULL));
    assert_int_equal(action.kind, SWARM_ACTION_MOVE);
    assert_string_equal(swarm_request_network_mode(swarm_reservation_request(action.reservation)), "container:new1");
    story_end(&story);
    return failed_once;
}

static bool (*const stories[])(int, size_t) = {copies_failing, reports_failing, followers_failing};

static void test_rare_turns_survive_lack_of_memory(void **state)
{
    for (size_t story = 0; story < COUNT(stories); story++) {
        for (int step = 0; step < (story == 2 ? 1 : 3); step++) {
            size_t n = 0;
            while (stories[story](step, n))
                n++;
            assert_true(n > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_rescheduler_is_an_error),
        cmocka_unit_test(test_no_subject_is_an_error),
        cmocka_unit_test(test_each_option_is_checked),
        cmocka_unit_test(test_time_does_not_run_over),
        cmocka_unit_test(test_first_pause_is_never_longer_than_the_longest),
        cmocka_unit_test(test_a_node_that_does_not_answer_tells_nothing),
        cmocka_unit_test(test_rare_turns_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
