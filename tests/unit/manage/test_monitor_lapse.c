/* SPDX-License-Identifier: Apache-2.0 */
/* Engines that discovery names no longer, though they did not say that they leave. */
#include <stdlib.h>
#include <string.h>

#include "monitor_fixture.h"

static bool is_unannounced(struct fixture *f, struct engine_peer *peer)
{
    struct engine *engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(peer));
    bool is = false;

    if (engine) {
        pool_read_lock(f->manager.pool);
        is = engine->unannounced &&
             (!engine->node || swarm_node_availability(engine->node) == SWARM_AVAILABILITY_UNANNOUNCED);
        pool_unlock(f->manager.pool);
        engine_unref(engine);
    }
    return is;
}

static bool is_active(struct fixture *f, struct engine_peer *peer)
{
    struct engine *engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(peer));
    bool is = false;

    if (engine) {
        pool_read_lock(f->manager.pool);
        is = !engine->unannounced && engine->node && swarm_node_availability(engine->node) == SWARM_AVAILABILITY_ACTIVE;
        pool_unlock(f->manager.pool);
        engine_unref(engine);
    }
    return is;
}

/* Monotonic time when it goes; -1: it stays. */
static int64_t drop_ms(struct fixture *f, struct engine_peer *peer)
{
    struct engine *engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(peer));
    int64_t ms;

    assert_non_null(engine);
    pool_read_lock(f->manager.pool);
    ms = engine->drop_ms;
    pool_unlock(f->manager.pool);
    engine_unref(engine);
    return ms;
}

static void start_with_both(struct fixture *f)
{
    start_with_one(f);
    discover(f, f->one, f->two);
    WAIT_FOR(state_of(f, f->two) == ENGINE_HEALTHY);
}

static void test_lapsed_engine_that_answers_stays_unannounced(void **state)
{
    struct fixture *f = *state;

    start_with_both(f);
    lapse(f, f->two, NULL);
    WAIT_FOR(is_unannounced(f, f->one));
    assert_true(is_active(f, f->two));
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_int_equal(container_state(f, A_ID), SWARM_CONTAINER_RUNNING);
    assert_true(drop_ms(f, f->one) > monotonic_ms() + 3000000);
    /* what happens on it is still followed */
    engine_peer_put(f->one, A_ID, "web", NULL, "exited");
    engine_peer_send_event(f->one, "die", A_ID);
    WAIT_FOR(container_state(f, A_ID) == SWARM_CONTAINER_EXITED);
    lapse(f, f->one, f->two);
    WAIT_FOR(is_active(f, f->one));
    assert_int_equal(state_of(f, f->one), ENGINE_HEALTHY);
    assert_false(was_told("stopped"));
    assert_false(was_told("silent"));
    assert_false(was_told("leaving"));
}

static void test_lapsed_engine_that_says_so_later_leaves(void **state)
{
    struct fixture *f = *state;

    start_with_both(f);
    lapse(f, f->two, NULL);
    WAIT_FOR(is_unannounced(f, f->one));
    discover(f, f->two, NULL);
    WAIT_FOR(state_of(f, f->one) == -1);
    expect_event(f, "engine_disconnect");
    assert_false(was_told("leaving"));
}

static void test_lapsed_engine_goes_after_its_time(void **state)
{
    struct fixture *f = *state;

    start_with_both(f);
    lapse(f, f->two, NULL);
    WAIT_FOR(state_of(f, f->one) == -1);
    expect_event(f, "engine_disconnect");
    assert_int_equal(container_state(f, A_ID), -1);
    assert_false(was_told("stopped"));
    assert_false(was_told("silent"));
    assert_false(was_told("leaving"));
    assert_true(is_active(f, f->two));
}

static void test_lapsed_engine_that_does_not_answer_is_lost_then_leaves(void **state)
{
    struct fixture *f = *state;

    start_with_both(f);
    http_peer_kill(f->one->http);
    lapse(f, f->two, NULL);
    WAIT_FOR(was_told("stopped node1, leaving node1"));
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY); /* stays until the watchdog lets it go */
}

static void test_unannounced_engine_that_stops_is_lost_then_leaves(void **state)
{
    struct fixture *f = *state;

    start_with_both(f);
    lapse(f, f->two, NULL);
    WAIT_FOR(is_unannounced(f, f->one));
    http_peer_kill(f->one->http);
    WAIT_FOR(was_told("stopped node1, leaving node1"));
    /* Its containers have not been given up yet when it answers after all: then it stays, as unannounced as before. */
    http_peer_revive(f->one->http);
    expect_event(f, "engine_reconnect");
    WAIT_FOR(state_of(f, f->one) == ENGINE_HEALTHY && is_unannounced(f, f->one));
    assert_int_equal(container_state(f, A_ID), SWARM_CONTAINER_RUNNING);
    lapse(f, f->one, f->two);
    WAIT_FOR(is_active(f, f->one));
}

static void test_nobody_goes_where_all_lapse_at_once(void **state)
{
    struct fixture *f = *state;

    start_with_both(f);
    http_peer_kill(f->one->http);
    lapse(f, NULL, NULL);
    WAIT_FOR(was_told("stopped node1"));
    WAIT_FOR(is_unannounced(f, f->one) && is_unannounced(f, f->two));
    assert_int_equal(drop_ms(f, f->two), -1);
    poll(NULL, 0, 1500); /* longer than one by itself would have stayed */
    assert_int_equal(state_of(f, f->one), ENGINE_UNHEALTHY);
    assert_int_equal(state_of(f, f->two), ENGINE_HEALTHY);
    assert_false(was_told("leaving"));
    /* With the first that is announced again, the times of the others begin. */
    lapse(f, f->one, NULL);
    WAIT_FOR(drop_ms(f, f->two) > monotonic_ms() + 3000000);
    http_peer_revive(f->one->http);
    WAIT_FOR(is_active(f, f->one) && state_of(f, f->one) == ENGINE_HEALTHY);
    lapse(f, f->one, f->two);
    WAIT_FOR(is_active(f, f->two));
    assert_false(was_told("leaving"));
}

static void test_engine_that_lapses_before_its_first_answer_goes(void **state)
{
    struct fixture *f = *state;

    http_peer_set_fault(f->one->http, PEER_SILENT);
    discover(f, f->one, f->two);
    WAIT_FOR(state_of(f, f->two) == ENGINE_HEALTHY);
    lapse(f, f->two, NULL);
    WAIT_FOR(state_of(f, f->one) == -1);
    assert_false(was_told("leaving"));
}

static void test_engine_announced_at_another_address_goes_from_the_old_one(void **state)
{
    struct fixture *f = *state;

    start_with_one(f);
    lapse(f, NULL, NULL);
    WAIT_FOR(is_unannounced(f, f->one));
    engine_peer_set_id(f->two, "ONE");
    engine_peer_put(f->two, A_ID, "web", NULL, "running");
    lapse(f, f->two, NULL);
    WAIT_FOR(state_of(f, f->two) == ENGINE_HEALTHY);
    assert_int_equal(state_of(f, f->one), -1);
    assert_int_equal(container_state(f, A_ID), SWARM_CONTAINER_RUNNING);
    assert_false(was_told("leaving"));
}

static void test_store_that_comes_and_goes_changes_nothing(void **state)
{
    struct fixture *f = *state;

    start_with_both(f);
    for (int i = 0; i < 20; i++) {
        lapse(f, NULL, NULL);
        lapse(f, f->one, NULL);
        lapse(f, f->two, f->one);
    }
    WAIT_FOR(is_active(f, f->one) && is_active(f, f->two) && state_of(f, f->one) == ENGINE_HEALTHY &&
             state_of(f, f->two) == ENGINE_HEALTHY && container_state(f, A_ID) == SWARM_CONTAINER_RUNNING);
    assert_int_equal(http_peer_streams(f->one->http), 1); /* it was not even connected to anew */
    assert_false(was_told("stopped"));
    assert_false(was_told("leaving"));
}

/* As the watchdog does once nothing pends for it. */
static void remove_leaving(struct fixture *f, struct engine_peer *peer)
{
    struct engine *engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(peer));
    bool leaving = false;

    if (!engine)
        return;
    pool_read_lock(f->manager.pool);
    leaving = engine->leaving;
    pool_unlock(f->manager.pool);
    if (leaving)
        pool_remove_engine(f->manager.pool, engine);
    engine_unref(engine);
}

/* Engine one is there, or is not; *is: what it is now. */
static void set_there(struct fixture *f, bool there, bool *is)
{
    if (there && !*is)
        http_peer_revive(f->one->http);
    else if (!there && *is)
        http_peer_kill(f->one->http);
    *is = there;
}

static void do_something(struct fixture *f, unsigned choice, bool *is_there)
{
    struct engine_peer *a = choice & 1 ? f->one : NULL, *b = choice & 2 ? f->two : NULL;

    switch (choice >> 2 & 7) {
    case 0:
    case 1:
    case 2:
        set_there(f, (choice >> 2 & 7) > 0, is_there);
        break;
    case 3:
        http_peer_cut_streams(f->two->http);
        break;
    case 4:
        discover(f, a, b);
        break;
    case 5:
        remove_leaving(f, choice & 1 ? f->one : f->two);
        break;
    default:
        lapse(f, a, b);
        break;
    }
}

static void test_whatever_happens_all_is_well_in_the_end(void **state)
{
    struct fixture *f = *state;
    unsigned seed = (unsigned)monotonic_ms();
    bool is_there = true;

    print_message("seed %u\n", seed);
    f->manager.options.detection.flap_limit = 0; /* else it is held back for minutes */
    start_with_both(f);
    for (int i = 0; i < 150; i++) {
        do_something(f, (unsigned)rand_r(&seed) >> 5, &is_there);
        poll(NULL, 0, rand_r(&seed) % 8 == 0 ? 200 : 2);
    }
    set_there(f, true, &is_there);
    lapse(f, f->one, f->two);
    WAIT_FOR(is_active(f, f->one) && is_active(f, f->two) && state_of(f, f->one) == ENGINE_HEALTHY &&
             state_of(f, f->two) == ENGINE_HEALTHY && container_state(f, A_ID) == SWARM_CONTAINER_RUNNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lapsed_engine_that_answers_stays_unannounced),
        TEST(test_lapsed_engine_that_says_so_later_leaves),
        cmocka_unit_test_setup_teardown(test_lapsed_engine_goes_after_its_time, monitor_set_up_hasty,
                                        monitor_tear_down),
        TEST(test_lapsed_engine_that_does_not_answer_is_lost_then_leaves),
        TEST(test_unannounced_engine_that_stops_is_lost_then_leaves),
        TEST(test_nobody_goes_where_all_lapse_at_once),
        TEST(test_engine_that_lapses_before_its_first_answer_goes),
        TEST(test_engine_announced_at_another_address_goes_from_the_old_one),
        TEST(test_store_that_comes_and_goes_changes_nothing),
        cmocka_unit_test_setup_teardown(test_whatever_happens_all_is_well_in_the_end, monitor_set_up_hasty,
                                        monitor_tear_down),
    };

    return monitor_run_tests(tests, sizeof(tests) / sizeof(*tests));
}
