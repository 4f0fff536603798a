/* SPDX-License-Identifier: Apache-2.0 */
/* Getting to know engines, and what their events do. */
#include <stdlib.h>
#include <string.h>

#include "monitor_fixture.h"

/* --- connecting --- */

static void test_engine_is_healthy_and_known_when_it_is_announced(void **state)
{
    struct fixture *f = *state;

    engine_peer_put(f->one, A_ID, "web", NULL, "running");
    engine_peer_put(f->one, B_ID, "db", NULL, "exited");
    discover(f, f->one, NULL);
    expect_event(f, "engine_connect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_int_equal(container_state(f, "web"), SWARM_CONTAINER_RUNNING);
    assert_int_equal(container_state(f, "node1/db"), SWARM_CONTAINER_EXITED);
    WAIT_FOR(was_told("back node1"));
    assert_true(http_peer_count(f->one->http, "/v1.41/containers/json?all=1") == 1);
}

static void test_stream_starts_before_the_list(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    assert_memory_equal(http_peer_last(f->one->http, "/events"), "GET /v1.41/events?since=", 24);
}

static void test_engine_that_is_down_is_pending_until_it_comes(void **state)
{
    struct fixture *f = *state;

    http_peer_kill(f->one->http);
    discover(f, f->one, NULL);
    WAIT_FOR(error_contains(f, f->one, "Cannot connect to the Docker daemon at tcp://127.0.0.1:"));
    assert_int_equal(state_of(f, f->one), ENGINE_PENDING);
    http_peer_revive(f->one->http);
    expect_event(f, "engine_connect");
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
}

static void test_duplicate_id_is_pending_until_the_other_leaves(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_set_id(f->two, "ONE");
    engine_peer_put(f->two, A_ID, "web", NULL, "running");
    discover(f, f->one, f->two);
    WAIT_FOR(error_contains(f, f->two, "ID duplicated. ONE shared by this node"));
    assert_int_equal(state_of(f, f->two), ENGINE_PENDING);
    assert_int_equal(container_state(f, A_ID), SWARM_CONTAINER_RUNNING);
    discover(f, f->two, NULL);
    WAIT_FOR(state_of(f, f->two) == ENGINE_HEALTHY);
    assert_false(was_told("stopped"));
}

/* --- events --- */

static void test_lists_are_current_when_an_event_is_seen(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_set_slow(f->one, A_ID, 200);
    engine_peer_put(f->one, A_ID, "web", NULL, "exited");
    engine_peer_send_event(f->one, "die", A_ID);
    expect_event(f, "die");
    assert_int_equal(container_state(f, "web"), SWARM_CONTAINER_EXITED);
}

static void test_new_container_is_known_when_its_event_is_seen(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_put(f->one, B_ID, "db", NULL, "exited");
    engine_peer_send_event(f->one, "create", B_ID);
    expect_event(f, "create");
    assert_int_equal(container_state(f, "db"), SWARM_CONTAINER_EXITED);
}

static void test_destroyed_container_is_gone_when_its_event_is_seen(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_remove(f->one, A_ID);
    engine_peer_send_event(f->one, "destroy", A_ID);
    expect_event(f, "destroy");
    assert_int_equal(container_state(f, A_ID), -1);
}

static void test_events_keep_their_order_past_a_slow_refresh(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_put(f->one, B_ID, "db", NULL, "running");
    engine_peer_set_slow(f->one, A_ID, 300);
    engine_peer_send_event(f->one, "pause", A_ID);
    engine_peer_send_event(f->one, "start", B_ID);
    engine_peer_send_event(f->one, "top", B_ID);
    /* await_event() drops what comes before: in any other order one of them would be missing. */
    expect_event(f, "pause");
    expect_event(f, "start");
    expect_event(f, "top");
}

static void test_burst_of_events_is_few_refreshes(void **state)
{
    struct fixture *f = *state;
    int before;

    start_with_one(f);
    before = http_peer_count(f->one->http, A_ID "/json");
    engine_peer_set_slow(f->one, A_ID, 50);
    for (int i = 0; i < 300; i++)
        engine_peer_send_event(f->one, "update", A_ID);
    for (int i = 0; i < 300; i++)
        expect_event(f, "update");
    assert_in_range(http_peer_count(f->one->http, A_ID "/json") - before, 1, 150);
}

static void test_exec_events_cause_no_refresh(void **state)
{
    struct fixture *f = *state;
    int before;

    start_with_one(f);
    before = http_peer_count(f->one->http, A_ID);
    engine_peer_send_event(f->one, "exec_create: sh -c true", A_ID);
    engine_peer_send_event(f->one, "exec_start: sh -c true", A_ID);
    engine_peer_send_event(f->one, "exec_die", A_ID);
    expect_event(f, "exec_die");
    assert_int_equal(http_peer_count(f->one->http, A_ID), before);
}

static void test_image_event_renews_the_images(void **state)
{
    struct fixture *f = *state;
    int before;

    start_with_one(f);
    before = http_peer_count(f->one->http, "/images/json");
    http_peer_send(f->one->http, "{\"Type\":\"image\",\"Action\":\"pull\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{}}}");
    expect_event(f, "pull");
    assert_int_equal(http_peer_count(f->one->http, "/images/json"), before + 1);
}

static void test_events_of_networks_and_volumes_renew_their_lists(void **state)
{
    struct fixture *f = *state;
    int networks, volumes;

    start_with_one(f);
    networks = http_peer_count(f->one->http, "/networks ");
    volumes = http_peer_count(f->one->http, "/volumes ");
    assert_int_equal(networks, 1); /* at first contact */
    assert_int_equal(volumes, 1);
    http_peer_send(f->one->http,
                   "{\"Type\":\"network\",\"Action\":\"create\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{}}}");
    expect_event(f, "create");
    http_peer_send(f->one->http,
                   "{\"Type\":\"volume\",\"Action\":\"mount\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{}}}");
    expect_event(f, "mount");
    http_peer_send(f->one->http,
                   "{\"Type\":\"volume\",\"Action\":\"destroy\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{}}}");
    expect_event(f, "destroy");
    assert_int_equal(http_peer_count(f->one->http, "/networks "), networks + 1);
    assert_int_equal(http_peer_count(f->one->http, "/volumes "), volumes + 1);
}

static void test_network_event_refreshes_its_container(void **state)
{
    struct fixture *f = *state;
    int before;

    start_with_one(f);
    before = http_peer_count(f->one->http, A_ID "/json");
    http_peer_send(f->one->http, "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"n\",\"Attributes\":"
                                 "{\"container\":\"" A_ID "\",\"name\":\"x\"}}}");
    expect_event(f, "connect");
    assert_int_equal(http_peer_count(f->one->http, A_ID "/json"), before + 1);
}

static void test_daemon_reload_renews_the_specs(void **state)
{
    struct fixture *f = *state;
    int before;

    start_with_one(f);
    before = http_peer_count(f->one->http, "/info");
    http_peer_send(f->one->http,
                   "{\"Type\":\"daemon\",\"Action\":\"reload\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{}}}");
    expect_event(f, "reload");
    assert_int_equal(http_peer_count(f->one->http, "/info"), before + 1);
}

static void test_hostile_ids_in_events_are_not_asked_about(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    engine_peer_send_event(f->one, "start", "../../images/json");
    expect_event(f, "start");
    assert_int_equal(http_peer_count(f->one->http, ".."), 0);
}

/* --- without events --- */

static void test_periodic_refresh_finds_what_no_event_told(void **state)
{
    struct fixture *f = *state;

    f->manager.options.refresh_min_ms = 100;
    f->manager.options.refresh_max_ms = 200;
    start_with_one(f);
    engine_peer_put(f->one, A_ID, "web", NULL, "exited");
    engine_peer_put(f->one, B_ID, "db", NULL, "running");
    WAIT_FOR(container_state(f, "web") == SWARM_CONTAINER_EXITED);
    WAIT_FOR(container_state(f, "db") == SWARM_CONTAINER_RUNNING);
    engine_peer_remove(f->one, A_ID);
    WAIT_FOR(container_state(f, A_ID) == -1);
    assert_int_equal(http_peer_count(f->one->http, "/events"), 1);
}

/* As a move off a lost engine does, while that is being asked what it has. */
static void test_container_that_was_dropped_while_it_was_listed_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct engine *engine;

    f->manager.options.refresh_min_ms = 100;
    f->manager.options.refresh_max_ms = 200;
    start_with_one(f);
    engine = pool_find_engine_by_name(f->manager.pool, "node1");
    http_peer_lock(f->one->http); /* the answer waits */
    poll(NULL, 0, 500);
    pool_apply_removal(f->manager.pool, engine, pool_ticket(f->manager.pool), A_ID);
    assert_int_equal(container_state(f, "web"), -1);
    http_peer_unlock(f->one->http);
    WAIT_FOR(container_state(f, "web") == SWARM_CONTAINER_RUNNING);
    engine_unref(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_engine_is_healthy_and_known_when_it_is_announced),
        TEST(test_stream_starts_before_the_list),
        TEST(test_engine_that_is_down_is_pending_until_it_comes),
        TEST(test_duplicate_id_is_pending_until_the_other_leaves),
        TEST(test_lists_are_current_when_an_event_is_seen),
        TEST(test_new_container_is_known_when_its_event_is_seen),
        TEST(test_destroyed_container_is_gone_when_its_event_is_seen),
        TEST(test_events_keep_their_order_past_a_slow_refresh),
        TEST(test_burst_of_events_is_few_refreshes),
        TEST(test_exec_events_cause_no_refresh),
        TEST(test_image_event_renews_the_images),
        TEST(test_events_of_networks_and_volumes_renew_their_lists),
        TEST(test_network_event_refreshes_its_container),
        TEST(test_daemon_reload_renews_the_specs),
        TEST(test_hostile_ids_in_events_are_not_asked_about),
        TEST(test_periodic_refresh_finds_what_no_event_told),
        TEST(test_container_that_was_dropped_while_it_was_listed_is_found_again),
    };

    return monitor_run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
