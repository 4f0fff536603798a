/* SPDX-License-Identifier: Apache-2.0 */
/* Events of what a request of ours has found out by itself: nobody is asked twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_fixture.h"

/* When the containers of engine peers have started. */
#define STARTED_NS INT64_C(1700000001000000000)
#define MS INT64_C(1000000)

static void send_event(struct fixture *f, const char *action, const char *id, int64_t time_ns)
{
    char text[512];
    bool connect = strcmp(action, "connect") == 0;

    snprintf(text, sizeof(text),
             "{\"Type\":\"%s\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\",\"Attributes\":{\"container\":\"%s\"}},"
             "\"time\":%lld,\"timeNano\":%lld}\n",
             connect ? "network" : "container", action, connect ? "net" : id, id, (long long)(time_ns / 1000000000),
             (long long)time_ns);
    http_peer_send(f->one->http, text);
}

/* How often the engine is asked about A for the sake of an event. */
static int asked_for(struct fixture *f, const char *action, int64_t time_ns)
{
    int before = http_peer_count(f->one->http, A_ID "/json");

    send_event(f, action, A_ID, time_ns);
    expect_event(f, action);
    return http_peer_count(f->one->http, A_ID "/json") - before;
}

static struct engine *engine_of(struct fixture *f)
{
    return pool_find_engine_by_address(f->manager.pool, engine_peer_address(f->one));
}

static void test_known_start_is_not_asked_about(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    assert_int_equal(asked_for(f, "start", STARTED_NS + 3 * MS), 0);
    assert_int_equal(asked_for(f, "start", STARTED_NS), 0);
}

static void test_another_start_is_asked_about(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    assert_int_equal(asked_for(f, "start", STARTED_NS + 1500 * MS), 1);
    assert_int_equal(asked_for(f, "start", STARTED_NS - 1), 1); /* nor is it certain that this one is older */
}

static void test_start_of_one_that_is_known_to_have_ended_is_asked_about(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_put(f->one, A_ID, "web", NULL, "exited");
    engine_peer_send_event(f->one, "die", A_ID);
    expect_event(f, "die");
    assert_int_equal(asked_for(f, "start", STARTED_NS + 3 * MS), 1);
}

/* The question after "die" may have been answered before the start. */
static void test_start_is_asked_about_while_an_older_question_is_under_way(void **state)
{
    struct fixture *f = *state;
    int before;

    start_with_one(f);
    before = http_peer_count(f->one->http, A_ID "/json");
    engine_peer_set_slow(f->one, A_ID, 200);
    engine_peer_send_event(f->one, "die", A_ID);
    WAIT_FOR(http_peer_count(f->one->http, A_ID "/json") == before + 1);
    send_event(f, "start", A_ID, STARTED_NS + 3 * MS);
    expect_event(f, "start");
    assert_int_equal(http_peer_count(f->one->http, A_ID "/json"), before + 2);
}

static void test_create_of_a_known_container_is_not_asked_about(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    assert_int_equal(asked_for(f, "create", STARTED_NS - 1000 * MS), 0);
}

static void test_network_is_asked_about_where_it_came_after_the_start(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    assert_int_equal(asked_for(f, "connect", STARTED_NS - 2 * MS), 0);
    assert_int_equal(asked_for(f, "connect", STARTED_NS + 2 * MS), 1);
    assert_int_equal(asked_for(f, "update", STARTED_NS - 2 * MS), 1);
}

static void test_event_without_a_time_is_asked_about(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    assert_int_equal(asked_for(f, "start", 0), 1);
}

static void test_event_waits_for_the_request_that_caused_it(void **state)
{
    struct fixture *f = *state;
    struct engine *engine;

    start_with_one(f);
    engine = engine_of(f);
    atomic_fetch_add(&engine->changes, 1);
    engine_peer_put(f->one, B_ID, "db", NULL, "running");
    send_event(f, "create", B_ID, STARTED_NS - 100 * MS);
    send_event(f, "start", B_ID, STARTED_NS + MS);
    assert_int_equal(pool_refresh_container(f->manager.pool, engine, B_ID), 0);
    atomic_fetch_sub(&engine->changes, 1);
    engine_unref(engine);
    expect_event(f, "create");
    expect_event(f, "start");
    /* Twice where this took longer than an event waits. */
    assert_in_range(http_peer_count(f->one->http, B_ID "/json"), 1, 2);
}

static void test_event_is_asked_about_where_the_request_is_of_something_else(void **state)
{
    struct fixture *f = *state;
    struct engine *engine;

    start_with_one(f);
    engine = engine_of(f);
    atomic_fetch_add(&engine->changes, 1);
    engine_peer_put(f->one, B_ID, "db", NULL, "running");
    send_event(f, "create", B_ID, STARTED_NS - 100 * MS);
    expect_event(f, "create");
    assert_int_equal(container_state(f, "db"), SWARM_CONTAINER_RUNNING);
    assert_int_equal(http_peer_count(f->one->http, B_ID "/json"), 1);
    atomic_fetch_sub(&engine->changes, 1);
    engine_unref(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_known_start_is_not_asked_about),
        TEST(test_another_start_is_asked_about),
        TEST(test_start_of_one_that_is_known_to_have_ended_is_asked_about),
        TEST(test_start_is_asked_about_while_an_older_question_is_under_way),
        TEST(test_create_of_a_known_container_is_not_asked_about),
        TEST(test_network_is_asked_about_where_it_came_after_the_start),
        TEST(test_event_without_a_time_is_asked_about),
        TEST(test_event_waits_for_the_request_that_caused_it),
        TEST(test_event_is_asked_about_where_the_request_is_of_something_else),
    };

    return monitor_run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
