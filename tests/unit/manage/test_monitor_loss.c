/* SPDX-License-Identifier: Apache-2.0 */
/* Engines that drop a stream, stop, fall silent, come back, and leave. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "monitor_fixture.h"

/* --- gaps --- */

static void test_gap_in_the_stream_is_closed(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_send_event(f->one, "top", A_ID);
    expect_event(f, "top");
    engine_peer_put(f->one, B_ID, "db", NULL, "running");
    engine_peer_put(f->one, A_ID, "web", NULL, "exited");
    http_peer_cut_streams(f->one->http);
    WAIT_FOR(container_state(f, "db") == SWARM_CONTAINER_RUNNING);
    WAIT_FOR(container_state(f, "web") == SWARM_CONTAINER_EXITED);
    WAIT_FOR(http_peer_streams(f->one->http) == 1);
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_false(was_told("stopped"));
    assert_false(was_told("silent"));
    assert_non_null(strstr(http_peer_last(f->one->http, "/events"), "?since="));
    engine_peer_send_event(f->one, "top", A_ID); /* the new stream is listened to */
    expect_event(f, "top");
}

static void test_garbage_in_the_stream_opens_another(void **state)
{
    struct fixture *f = *state;
    int before;

    start_with_one(f);
    before = http_peer_count(f->one->http, "/events");
    http_peer_send(f->one->http, "this is no JSON");
    WAIT_FOR(http_peer_count(f->one->http, "/events") > before && http_peer_streams(f->one->http) == 1);
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
}

/* --- losses --- */

static void test_killed_engine_is_stopped_and_comes_back(void **state)
{
    struct fixture *f = *state;
    char *line;

    start_with_one(f);
    http_peer_kill(f->one->http);
    line = await_event(f, "engine_disconnect");
    assert_non_null(strstr(line, "\"node.name\":\"node1\""));
    free(line);
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY);
    WAIT_FOR(was_told("stopped node1"));
    assert_int_equal(container_state(f, "web"), SWARM_CONTAINER_RUNNING); /* as last seen */

    engine_peer_remove(f->one, A_ID);
    engine_peer_put(f->one, B_ID, "db", NULL, "running");
    http_peer_revive(f->one->http);
    expect_event(f, "engine_reconnect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_int_equal(container_state(f, A_ID), -1);
    assert_int_equal(container_state(f, "db"), SWARM_CONTAINER_RUNNING);
    WAIT_FOR(was_told("stopped node1, back node1"));
}

/* What a move took out of the pool is there still, and is to be known before the engine counts as back. */
static void test_engine_that_something_was_moved_off_is_listed_again(void **state)
{
    struct fixture *f = *state;
    struct engine *engine;
    int before;

    start_with_one(f);
    http_peer_kill(f->one->http);
    WAIT_FOR(was_told("stopped node1"));
    engine = pool_find_engine_by_name(f->manager.pool, "node1");
    pool_write_lock(f->manager.pool);
    engine->moved_ticket = atomic_load(&f->manager.pool->tickets) + 3; /* as if one came in between, each time */
    pool_unlock(f->manager.pool);
    before = http_peer_count(f->one->http, "/containers/json");
    http_peer_revive(f->one->http);
    WAIT_FOR(was_told("stopped node1, back node1"));
    assert_true(http_peer_count(f->one->http, "/containers/json") >= before + 2);
    pool_read_lock(f->manager.pool);
    assert_true(engine->listed_ticket > engine->moved_ticket);
    pool_unlock(f->manager.pool);
    engine_unref(engine);
}

static void test_silent_engine_is_lost_as_silent_and_comes_back(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    http_peer_set_fault(f->one->http, PEER_SILENT);
    expect_event(f, "engine_disconnect");
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY);
    WAIT_FOR(was_told("silent node1"));
    assert_false(was_told("stopped"));
    http_peer_set_fault(f->one->http, PEER_WELL);
    expect_event(f, "engine_reconnect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
}

/* One that is lost again and again has to answer for a while before it counts. */
static void test_flapping_engine_is_held_back(void **state)
{
    struct fixture *f = *state;

    f->manager.options.detection.flap_limit = 2;
    f->manager.options.detection.flap_window_ms = PATIENCE_MS * 2;
    start_with_one(f);
    http_peer_kill(f->one->http);
    expect_event(f, "engine_disconnect");
    http_peer_revive(f->one->http);
    expect_event(f, "engine_reconnect"); /* the first time it is taken back as it answers */
    http_peer_kill(f->one->http);
    expect_event(f, "engine_disconnect");
    http_peer_revive(f->one->http);
    WAIT_FOR(error_contains(f, f->one, "it answers, and is held back until it has for 4 s"));
    assert_true(error_contains(f, f->one, "it was lost 2 times within 120 s"));
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY);
    assert_false(was_told("stopped node1, back node1, stopped node1, back"));
    expect_event(f, "engine_reconnect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_false(error_contains(f, f->one, "held back"));
}

/* A break while it is held back begins the time anew. */
static void test_held_back_engine_that_fails_again_stays_lost(void **state)
{
    struct fixture *f = *state;

    f->manager.options.detection.flap_limit = 1;
    f->manager.options.detection.flap_window_ms = PATIENCE_MS * 10;
    start_with_one(f);
    http_peer_kill(f->one->http);
    expect_event(f, "engine_disconnect");
    http_peer_revive(f->one->http);
    WAIT_FOR(error_contains(f, f->one, "held back until it has for 20 s"));
    http_peer_kill(f->one->http);
    WAIT_FOR(error_contains(f, f->one, "Cannot connect"));
    http_peer_revive(f->one->http);
    WAIT_FOR(error_contains(f, f->one, "held back until it has for 20 s"));
    assert_false(event_waits(f));
}

static void test_silence_is_noticed_as_soon_as_asked_for(void **state)
{
    struct fixture *f = *state;

    f->manager.options.detection.silence_ms = 1000;
    start_with_one(f);
    http_peer_set_fault(f->one->http, PEER_SILENT);
    expect_event(f, "engine_disconnect");
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY);
}

static void test_silent_engine_that_stops_is_reported_again(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    http_peer_set_fault(f->one->http, PEER_SILENT);
    WAIT_FOR(was_told("silent node1"));
    http_peer_kill(f->one->http);
    WAIT_FOR(was_told("silent node1, stopped node1"));
}

static void test_reported_failure_of_a_lively_engine_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct engine *engine;
    int before;

    start_with_one(f);
    engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(f->one));
    before = http_peer_count(f->one->http, "/_ping");
    for (int i = 0; i < 100; i++)
        monitor_report(f->manager.monitor, engine, HTTP_REFUSED);
    WAIT_FOR(http_peer_count(f->one->http, "/_ping") > before);
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_false(event_waits(f));
    engine_unref(engine);
}

/* All descriptors are in use: no new connection can be made, which is no engine's fault. */
/* Long before the next heartbeat. */
static void test_call_that_is_late_has_the_engine_looked_at(void **state)
{
    struct fixture *f = *state;
    struct failure failure = {0};
    struct http_result result;
    struct engine *engine;
    int before;

    f->manager.options.detection.silence_ms = 3600000;
    start_with_one(f);
    engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(f->one));
    engine_peer_set_slow(f->one, A_ID, 4000);
    before = http_peer_count(f->one->http, "/_ping");
    assert_int_equal(engine_call(engine, "GET", "/containers/" A_ID "/json", NULL, NULL, 0, 0, &result, &failure), 0);
    WAIT_FOR(http_peer_count(f->one->http, "/_ping") > before);
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    http_result_clear(&result);
    engine_unref(engine);
}

static void test_lack_of_descriptors_is_no_loss(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit, tight;

    start_with_one(f);
    getrlimit(RLIMIT_NOFILE, &limit);
    tight = limit;
    tight.rlim_cur = 8;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    http_peer_set_fault(f->one->http, PEER_CLOSE); /* those that are kept end too */
    http_peer_cut_streams(f->one->http);
    poll(NULL, 0, 4000); /* several probes */
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    http_peer_set_fault(f->one->http, PEER_WELL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    WAIT_FOR(http_peer_streams(f->one->http) == 1);
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_false(was_told("silent"));
    assert_false(was_told("stopped"));
}

static void test_changed_id_takes_the_engine_out_of_service(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    http_peer_kill(f->one->http);
    WAIT_FOR(was_told("stopped node1"));
    engine_peer_set_id(f->one, "OTHER");
    http_peer_revive(f->one->http);
    WAIT_FOR(error_contains(f, f->one, "shows up with another ID:OTHER"));
    assert_int_equal(state_of(f, f->one), ENGINE_PENDING);
    engine_peer_set_id(f->one, "ONE");
    WAIT_FOR(state_of(f, f->one) == ENGINE_HEALTHY);
}

static void test_engine_replaced_while_healthy_is_lost(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_set_id(f->one, "OTHER");
    http_peer_cut_streams(f->one->http);
    expect_event(f, "engine_disconnect");
    assert_int_equal(state_of(f, f->one), ENGINE_PENDING);
    WAIT_FOR(was_told("silent node1"));
    discover(f, NULL, NULL); /* its containers are not forgotten before they have been dealt with */
    WAIT_FOR(was_told("leaving node1"));
    assert_int_equal(container_state(f, "web"), SWARM_CONTAINER_RUNNING);
}

static void test_one_engine_in_trouble_does_not_hold_another(void **state)
{
    struct fixture *f = *state;

    http_peer_set_fault(f->one->http, PEER_SILENT);
    discover(f, f->one, f->two);
    expect_event(f, "engine_connect");
    assert_int_equal(state_of(f, f->two), ENGINE_HEALTHY);
    assert_int_equal(state_of(f, f->one), ENGINE_PENDING);
}

/* --- leaving --- */

static void test_engine_that_answers_leaves_without_a_loss(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    discover(f, NULL, NULL);
    expect_event(f, "engine_disconnect");
    assert_int_equal(state_of(f, f->one), -1);
    assert_int_equal(container_state(f, A_ID), -1);
    assert_false(was_told("stopped"));
    assert_false(was_told("silent"));
    assert_false(was_told("leaving"));
    WAIT_FOR(http_peer_streams(f->one->http) == 0);
}

static void test_engine_that_does_not_answer_is_lost_then_leaves(void **state)
{
    struct fixture *f = *state;
    struct engine *engine;

    start_with_one(f);
    http_peer_kill(f->one->http);
    discover(f, NULL, NULL);
    WAIT_FOR(was_told("stopped node1, leaving node1"));
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY); /* stays until the watchdog lets it go */
    engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(f->one));
    assert_true(engine->leaving);
    pool_remove_engine(f->manager.pool, engine);
    engine_unref(engine);

    http_peer_revive(f->one->http); /* and is a new one when it is named again */
    discover(f, f->one, NULL);
    expect_event(f, "engine_connect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
}

static void test_engine_named_again_while_leaving_stays(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    http_peer_kill(f->one->http);
    discover(f, NULL, NULL);
    WAIT_FOR(was_told("leaving node1"));
    discover(f, f->one, NULL);
    http_peer_revive(f->one->http);
    expect_event(f, "engine_reconnect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_int_equal(container_state(f, A_ID), SWARM_CONTAINER_RUNNING);
}

static void test_short_lapse_of_membership_ends_healthy(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    for (int i = 0; i < 20; i++) {
        discover(f, NULL, NULL);
        discover(f, f->one, NULL);
    }
    WAIT_FOR(state_of(f, f->one) == ENGINE_HEALTHY && http_peer_streams(f->one->http) == 1 &&
             container_state(f, A_ID) == SWARM_CONTAINER_RUNNING);
    assert_false(was_told("stopped"));
}

static void test_lost_engine_that_answers_after_all_leaves_at_once(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    http_peer_set_fault(f->one->http, PEER_SILENT);
    WAIT_FOR(was_told("silent node1"));
    discover(f, NULL, NULL);
    WAIT_FOR(was_told("leaving node1"));
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY);
    http_peer_set_fault(f->one->http, PEER_WELL);
    WAIT_FOR(state_of(f, f->one) == -1); /* nobody had to give its containers up */
}

static void test_pending_engine_is_dropped_at_once(void **state)
{
    struct fixture *f = *state;

    http_peer_set_fault(f->one->http, PEER_SILENT);
    discover(f, f->one, NULL);
    WAIT_FOR(http_peer_count(f->one->http, "/_ping") == 1);
    discover(f, NULL, NULL);
    WAIT_FOR(state_of(f, f->one) == -1);
    assert_false(event_waits(f));
}

static void test_malformed_address_harms_no_other(void **state)
{
    struct fixture *f = *state;
    const char *addresses[] = {"no port", engine_peer_address(f->one), engine_peer_address(f->one)};
    const struct discovery_list list = {.addresses = addresses, .count = 3};

    monitor_set_list(f->manager.monitor, &list);
    expect_event(f, "engine_connect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
}

static void test_stop_with_everything_under_way(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_set_slow(f->one, A_ID, 1000);
    for (int i = 0; i < 20; i++)
        engine_peer_send_event(f->one, "update", A_ID);
    WAIT_FOR(http_peer_count(f->one->http, A_ID "/json") >= 2);
    http_peer_set_fault(f->two->http, PEER_SILENT);
    discover(f, f->one, f->two);
    WAIT_FOR(http_peer_count(f->two->http, "/_ping") == 1);
    /* tear_down() stops it; the leak checker and this test's end are what is asserted */
    monitor_stop(f->manager.monitor);
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_gap_in_the_stream_is_closed),
        TEST(test_garbage_in_the_stream_opens_another),
        TEST(test_killed_engine_is_stopped_and_comes_back),
        TEST(test_engine_that_something_was_moved_off_is_listed_again),
        TEST(test_silent_engine_is_lost_as_silent_and_comes_back),
        TEST(test_flapping_engine_is_held_back),
        TEST(test_held_back_engine_that_fails_again_stays_lost),
        TEST(test_silence_is_noticed_as_soon_as_asked_for),
        TEST(test_silent_engine_that_stops_is_reported_again),
        TEST(test_reported_failure_of_a_lively_engine_changes_nothing),
        TEST(test_call_that_is_late_has_the_engine_looked_at),
        TEST(test_lack_of_descriptors_is_no_loss),
        TEST(test_changed_id_takes_the_engine_out_of_service),
        TEST(test_engine_replaced_while_healthy_is_lost),
        TEST(test_one_engine_in_trouble_does_not_hold_another),
        TEST(test_engine_that_answers_leaves_without_a_loss),
        TEST(test_engine_that_does_not_answer_is_lost_then_leaves),
        TEST(test_engine_named_again_while_leaving_stays),
        TEST(test_short_lapse_of_membership_ends_healthy),
        TEST(test_lost_engine_that_answers_after_all_leaves_at_once),
        TEST(test_pending_engine_is_dropped_at_once),
        TEST(test_malformed_address_harms_no_other),
        TEST(test_stop_with_everything_under_way),
    };

    return monitor_run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
