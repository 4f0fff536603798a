/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_pool.h"
#include "watchdog.h"

/* What is waited for comes within milliseconds; a slow machine may take its time. */
#define PATIENCE_S 30

#define LABELS(policy)                                                                                                 \
    "\"Labels\":{\"com.docker.swarm.id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","        \
    "\"com.docker.swarm.reschedule-policies\":\"[\\\"" policy "\\\"]\"}"
#define TO_MOVE "{\"Image\":\"busybox\"," LABELS("on-node-failure") "}"
#define TO_STAY "{\"Image\":\"busybox\"," LABELS("off") "}"

static struct fake_pool pool;

static int set_up(void **state)
{
    fake_pool_init(&pool, 2);
    return watchdog_new(&pool.manager.watchdog, &pool.manager) || watchdog_start(pool.manager.watchdog);
}

static int set_up_giving_up(void **state)
{
    fake_pool_init(&pool, 2);
    pool.manager.options.reschedule.retry_limit = 1;
    return watchdog_new(&pool.manager.watchdog, &pool.manager) || watchdog_start(pool.manager.watchdog);
}

static int set_up_holding(void **state)
{
    fake_pool_init(&pool, 2);
    pool.manager.options.reschedule.mass_share_percent = 40;
    pool.manager.options.reschedule.mass_min_nodes = 2;
    return watchdog_new(&pool.manager.watchdog, &pool.manager) || watchdog_start(pool.manager.watchdog);
}

static int set_up_keeping_old(void **state)
{
    fake_pool_init(&pool, 2);
    pool.manager.options.reschedule.reconcile = SWARM_RECONCILE_KEEP_OLD;
    return watchdog_new(&pool.manager.watchdog, &pool.manager) || watchdog_start(pool.manager.watchdog);
}

static int tear_down(void **state)
{
    watchdog_free(pool.manager.watchdog);
    fake_pool_finish(&pool);
    return 0;
}

static bool wait_until(bool (*holds)(void))
{
    for (int i = 0; i < PATIENCE_S * 100; i++) {
        if (holds()) {
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

/* Whether the pool knows a container of that name on that node; *ret_running whether it runs. */
static bool is_on(const char *name, const char *node, bool *ret_running)
{
    struct swarm_container *container = NULL;
    char reference[64];
    bool found;

    snprintf(reference, sizeof(reference), "%s/%s", node, name);
    pool_read_lock(pool.manager.pool);
    found = !swarm_cluster_look_up(pool.manager.pool->cluster, reference, &container, NULL);
    if (found && ret_running) {
        *ret_running = container_record(container)->running;
    }
    pool_unlock(pool.manager.pool);
    return found;
}

static size_t known_containers(void)
{
    size_t count;

    pool_read_lock(pool.manager.pool);
    count = swarm_cluster_container_count(pool.manager.pool->cluster);
    pool_unlock(pool.manager.pool);
    return count;
}

static void lose(int number)
{
    struct engine *engine = fake_pool_engine(&pool, number);

    pool_set_state(pool.manager.pool, engine, ENGINE_UNHEALTHY, 3, "gone");
    watchdog_engine_lost(pool.manager.watchdog, engine, SWARM_NODE_STOPPED);
}

static void bring_back(int number)
{
    struct engine *engine = fake_pool_engine(&pool, number);

    fake_pool_refresh(&pool, number);
    pool_set_state(pool.manager.pool, engine, ENGINE_HEALTHY, 0, NULL);
    watchdog_engine_back(pool.manager.watchdog, engine);
}

static void place(const char *body, bool running)
{
    engine_peer_put(pool.engines[0], NULL, "web", body, running ? "running" : "created");
    fake_pool_refresh(&pool, 0);
    assert_true(is_on("web", "node-0", NULL));
}

static bool moved(void)
{
    return is_on("web", "node-1", NULL) && !is_on("web", "node-0", NULL);
}

static bool stand_in_runs(void)
{
    bool running = false;

    return is_on("web", "node-1", &running) && running;
}

static void test_running_container_is_moved_and_started(void **state)
{
    json_t *body;

    place(TO_MOVE, true);
    http_peer_kill(pool.engines[0]->http);
    lose(0);
    assert_true(wait_until(moved));
    assert_true(wait_until(stand_in_runs));
    assert_true(engine_peer_runs(pool.engines[1], "web"));
    body = engine_peer_body(pool.engines[1], "web");
    assert_string_equal(json_string_value(json_object_get(json_object_get(body, "Labels"), "com.docker.swarm.id")),
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    json_decref(body);
}

static void test_stopped_container_is_moved_but_not_started(void **state)
{
    place(TO_MOVE, false);
    lose(0);
    assert_true(wait_until(moved));
    assert_int_equal(http_peer_count(pool.engines[1]->http, "/start "), 0);
}

static bool old_copy_is_gone(void)
{
    return engine_peer_count(pool.engines[0]) == 0 && moved();
}

/* The pool knows already that it is back, and what it has; the rescheduler is told a moment later. */
static void test_move_that_ends_as_its_node_comes_back_leaves_one_copy(void **state)
{
    struct engine *engine = fake_pool_engine(&pool, 0);

    place(TO_MOVE, true);
    http_peer_lock(pool.engines[1]->http); /* the create there waits */
    lose(0);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    fake_pool_refresh(&pool, 0);
    assert_true(pool_set_back(pool.manager.pool, engine));
    http_peer_unlock(pool.engines[1]->http);
    assert_true(wait_until(stand_in_runs));
    watchdog_engine_back(pool.manager.watchdog, engine);
    assert_true(wait_until(old_copy_is_gone));
}

/* It was moved after the engine was asked what it has, which so is not known. */
static void test_node_that_was_asked_before_a_move_is_not_back(void **state)
{
    struct engine *engine = fake_pool_engine(&pool, 0);

    place(TO_MOVE, true);
    lose(0);
    assert_true(wait_until(moved));
    assert_false(pool_set_back(pool.manager.pool, engine));
    assert_int_equal(engine->state, ENGINE_UNHEALTHY);
    fake_pool_refresh(&pool, 0);
    assert_true(pool_set_back(pool.manager.pool, engine));
    watchdog_engine_back(pool.manager.watchdog, engine);
    assert_true(wait_until(old_copy_is_gone));
}

static bool first_engine_left(void)
{
    struct engine *engine = pool_find_engine_by_address(pool.manager.pool, engine_peer_address(pool.engines[0]));

    engine_unref(engine);
    return !engine;
}

static void leave(int number)
{
    struct engine *engine = fake_pool_engine(&pool, number);

    pool_write_lock(pool.manager.pool);
    engine->leaving = true;
    pool_unlock(pool.manager.pool);
    watchdog_engine_leaving(pool.manager.watchdog, engine);
}

static void test_container_that_its_engine_ended_is_started(void **state)
{
    struct engine *engine = fake_pool_engine(&pool, 0);

    place(TO_MOVE, true);
    pool_note_kill(pool.manager.pool, engine, engine_peer_end(pool.engines[0], "web"));
    fake_pool_refresh(&pool, 0);
    lose(0);
    assert_true(wait_until(moved));
    assert_true(wait_until(stand_in_runs));
}

static void test_container_that_a_client_stopped_is_not_started(void **state)
{
    struct engine *engine = fake_pool_engine(&pool, 0);
    const char *id;

    place(TO_MOVE, true);
    id = engine_peer_end(pool.engines[0], "web");
    pool_note_stop(pool.manager.pool, engine, id);
    pool_note_kill(pool.manager.pool, engine, id);
    fake_pool_refresh(&pool, 0);
    lose(0);
    leave(0);
    assert_true(wait_until(first_engine_left));
    assert_int_equal(http_peer_count(pool.engines[1]->http, "/start "), 0);
}

static void test_container_that_ended_by_itself_is_not_started(void **state)
{
    place(TO_MOVE, true);
    engine_peer_end(pool.engines[0], "web");
    fake_pool_refresh(&pool, 0);
    lose(0);
    leave(0);
    assert_true(wait_until(first_engine_left));
    assert_int_equal(http_peer_count(pool.engines[1]->http, "/start "), 0);
}

static bool other_node_has_one(void)
{
    return engine_peer_count(pool.engines[1]) == 1;
}

static void test_container_without_policy_stays(void **state)
{
    place(TO_STAY, true);
    engine_peer_put(pool.engines[0], NULL, "mover",
                    "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm.reschedule-policies\":"
                    "\"[\\\"on-node-failure\\\"]\"}}",
                    "running");
    fake_pool_refresh(&pool, 0);
    lose(0);
    assert_true(wait_until(other_node_has_one));
    assert_null(engine_peer_body(pool.engines[1], "web"));
    assert_true(is_on("web", "node-0", NULL));
}

static bool tried_once(void)
{
    return http_peer_count(pool.engines[1]->http, "/containers/create") > 0;
}

static void test_failed_move_is_tried_again(void **state)
{
    place(TO_MOVE, true);
    engine_peer_break(pool.engines[1], (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    lose(0);
    assert_true(wait_until(tried_once));
    assert_true(is_on("web", "node-0", NULL));
    engine_peer_break(pool.engines[1], (struct engine_faults){0});
    assert_true(wait_until(moved));
}

/* A move whose end nobody saw: the engine made the container all the same. */
static void test_stand_in_that_is_there_already_is_started(void **state)
{
    place(TO_MOVE, true);
    engine_peer_break(pool.engines[1], (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    lose(0);
    assert_true(wait_until(tried_once));
    engine_peer_put(pool.engines[1], NULL, "web", TO_MOVE, "created");
    fake_pool_refresh(&pool, 1);
    assert_true(wait_until(moved));
    assert_true(wait_until(stand_in_runs));
    assert_int_equal(engine_peer_count(pool.engines[1]), 1);
}

static bool tried_to_start(void)
{
    return http_peer_count(pool.engines[1]->http, "/start ") > 0;
}

static void test_move_that_cannot_start_counts(void **state)
{
    place(TO_MOVE, true);
    engine_peer_break(pool.engines[1], (struct engine_faults){.start_status = 500});
    lose(0);
    assert_true(wait_until(moved));
    assert_true(wait_until(tried_to_start));
    assert_int_equal(engine_peer_count(pool.engines[1]), 1);
}

static bool old_copy_removed(void)
{
    return engine_peer_count(pool.engines[0]) == 0 && known_containers() == 1;
}

static void test_old_copy_is_removed_without_its_volumes(void **state)
{
    place(TO_MOVE, true);
    lose(0);
    assert_true(wait_until(moved));
    bring_back(0);
    assert_true(wait_until(old_copy_removed));
    assert_non_null(strstr(http_peer_last(pool.engines[0]->http, "DELETE "), "?force=1 HTTP/1.1\r\n"));
    assert_true(is_on("web", "node-1", NULL));
    assert_int_equal(http_peer_count(pool.engines[1]->http, "DELETE "), 0);
}

static bool first_is_lost(void)
{
    const struct engine *engine = fake_pool_engine(&pool, 0);
    bool lost;

    pool_read_lock(pool.manager.pool);
    lost = engine->lost;
    pool_unlock(pool.manager.pool);
    return lost;
}

static bool first_runs_web(void)
{
    return engine_peer_runs(pool.engines[0], "web");
}

static void test_what_ended_with_its_host_is_started_at_its_new_address(void **state)
{
    char id[80];
    struct engine *engine = fake_pool_engine(&pool, 0);

    place(TO_MOVE, true);
    pool_set_state(pool.manager.pool, engine, ENGINE_UNHEALTHY, 3, "gone");
    watchdog_engine_lost(pool.manager.watchdog, engine, SWARM_NODE_SILENT);
    assert_true(wait_until(first_is_lost));
    snprintf(id, sizeof(id), "%s", engine_peer_end(pool.engines[0], "web"));
    fake_pool_renumber(&pool, 0);
    assert_int_equal(known_containers(), 1);
    assert_true(first_is_lost());
    engine_peer_put(pool.engines[0], id, "web", TO_MOVE, "exited");
    bring_back(0);
    assert_true(wait_until(first_runs_web));
    assert_true(is_on("web", "node-0", NULL));
}

/* It was stopped by a client, and moved; its node comes back with another idea of it. */
static void test_old_copy_that_runs_goes_where_its_stand_in_is_not_to_run(void **state)
{
    char id[80];
    bool running = true;

    place(TO_MOVE, true);
    snprintf(id, sizeof(id), "%s", engine_peer_end(pool.engines[0], "web"));
    pool_note_stop(pool.manager.pool, fake_pool_engine(&pool, 0), id);
    fake_pool_refresh(&pool, 0);
    lose(0);
    assert_true(wait_until(moved));
    engine_peer_put(pool.engines[0], id, "web", TO_MOVE, "running");
    bring_back(0);
    assert_true(wait_until(old_copy_removed));
    assert_true(is_on("web", "node-1", &running));
    assert_false(running);
}

static bool old_copy_is_all(void)
{
    return is_on("app", "node-0", NULL) && known_containers() == 1;
}

/* "web" of node-0 was moved to node-1 and is called "app" now; that is lost when node-0 comes back. */
static void lose_renamed_stand_in(bool stopped)
{
    struct engine *engine = fake_pool_engine(&pool, 1);
    const char *id;

    place(TO_MOVE, true);
    lose(0);
    assert_true(wait_until(moved));
    assert_true(wait_until(stand_in_runs));
    id = stopped ? engine_peer_end(pool.engines[1], "web") : NULL;
    if (stopped) {
        pool_note_stop(pool.manager.pool, engine, id);
    }
    engine_peer_rename(pool.engines[1], "web", "app");
    fake_pool_refresh(&pool, 1);
    lose(1);
    bring_back(0);
    assert_true(wait_until(old_copy_is_all));
}

static void test_old_copy_that_takes_over_is_called_as_the_other_one(void **state)
{
    lose_renamed_stand_in(false);
    assert_true(engine_peer_runs(pool.engines[0], "app"));
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/stop "), 0);
}

static void test_old_copy_that_takes_over_is_stopped_as_the_other_one(void **state)
{
    lose_renamed_stand_in(true);
    assert_false(engine_peer_runs(pool.engines[0], "app"));
}

static void test_leaving_engine_stays_until_its_containers_are_moved(void **state)
{
    place(TO_MOVE, true);
    engine_peer_break(pool.engines[1], (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    lose(0);
    leave(0);
    assert_true(wait_until(tried_once));
    assert_false(first_engine_left());
    engine_peer_break(pool.engines[1], (struct engine_faults){0});
    assert_true(wait_until(first_engine_left));
    assert_true(is_on("web", "node-1", NULL));
    assert_int_equal(known_containers(), 1);
}

static void test_leaving_engine_with_nothing_to_move_goes_at_once(void **state)
{
    place(TO_STAY, true);
    lose(0);
    leave(0);
    assert_true(wait_until(first_engine_left));
    assert_int_equal(known_containers(), 0);
}

static void test_container_removed_during_its_move_is_no_trouble(void **state)
{
    struct swarm_container *container = NULL;
    char id[65];

    place(TO_MOVE, true);
    engine_peer_break(pool.engines[1], (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    lose(0);
    assert_true(wait_until(tried_once));
    pool_read_lock(pool.manager.pool);
    assert_int_equal(swarm_cluster_look_up(pool.manager.pool->cluster, "web", &container, NULL), 0);
    snprintf(id, sizeof(id), "%s", swarm_container_id(container));
    pool_unlock(pool.manager.pool);
    pool_apply_removal(pool.manager.pool, fake_pool_engine(&pool, 0), pool_ticket(pool.manager.pool), id);
    leave(0);
    assert_true(wait_until(first_engine_left));
}

static void test_end_with_moves_waiting_leaks_nothing(void **state)
{
    place(TO_MOVE, true);
    engine_peer_break(pool.engines[1], (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    lose(0);
    assert_true(wait_until(tried_once));
}

/* --- what is told of it --- */

/* Whether the text of the first engine, and the one of all, contain these; NULL: there is none. */
static bool says(const char *of_engine, const char *of_all)
{
    char *engine_text, *all_text;
    bool same;

    pool_read_lock(pool.manager.pool);
    engine_text = watchdog_engine_text(pool.manager.watchdog, fake_pool_engine(&pool, 0));
    all_text = watchdog_held_text(pool.manager.watchdog);
    pool_unlock(pool.manager.pool);
    same = (of_engine ? engine_text && strstr(engine_text, of_engine) : !engine_text) &&
           (of_all ? all_text && !strcmp(all_text, of_all) : !all_text);
    free(engine_text);
    free(all_text);
    return same;
}

static bool says_nothing(void)
{
    return says(NULL, NULL);
}

static bool says_moved(void)
{
    return says("1 moved", NULL);
}

static bool says_given_up(void)
{
    return says("1 waiting, 1 given up: no luck", NULL);
}

static void test_move_given_up_is_told_of_and_goes_on_by_hand(void **state)
{
    assert_true(says_nothing());
    place(TO_MOVE, true);
    engine_peer_break(pool.engines[1], (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    lose(0);
    assert_true(wait_until(says_given_up));
    engine_peer_break(pool.engines[1], (struct engine_faults){0});
    watchdog_release(pool.manager.watchdog);
    assert_true(wait_until(moved));
    assert_true(wait_until(says_moved));
}

static bool says_held(void)
{
    return says("1 waiting, 1 held", "held, 1 of 2 engines lost at once");
}

static void test_mass_failure_is_held_until_released_by_hand(void **state)
{
    place(TO_MOVE, true);
    lose(0);
    assert_true(wait_until(says_held));
    assert_int_equal(http_peer_count(pool.engines[1]->http, "/containers/create"), 0);
    watchdog_release(pool.manager.watchdog);
    assert_true(wait_until(moved));
    assert_true(wait_until(says_moved));
}

static void test_mass_failure_ends_with_the_engine_back(void **state)
{
    place(TO_MOVE, true);
    lose(0);
    assert_true(wait_until(says_held));
    bring_back(0);
    assert_true(wait_until(says_nothing));
    assert_true(is_on("web", "node-0", NULL));
    assert_int_equal(http_peer_count(pool.engines[1]->http, "/containers/create"), 0);
}

static bool stand_in_removed(void)
{
    return engine_peer_count(pool.engines[1]) == 0 && known_containers() == 1;
}

static void test_old_copy_is_kept_where_that_is_asked_for(void **state)
{
    place(TO_MOVE, true);
    lose(0);
    assert_true(wait_until(moved));
    assert_true(wait_until(stand_in_runs));
    bring_back(0);
    assert_true(wait_until(stand_in_removed));
    assert_true(is_on("web", "node-0", NULL));
    assert_int_equal(http_peer_count(pool.engines[0]->http, "DELETE "), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_running_container_is_moved_and_started),
        TEST(test_move_that_ends_as_its_node_comes_back_leaves_one_copy),
        TEST(test_node_that_was_asked_before_a_move_is_not_back),
        TEST(test_stopped_container_is_moved_but_not_started),
        TEST(test_container_that_its_engine_ended_is_started),
        TEST(test_container_that_a_client_stopped_is_not_started),
        TEST(test_container_that_ended_by_itself_is_not_started),
        TEST(test_container_without_policy_stays),
        TEST(test_failed_move_is_tried_again),
        TEST(test_stand_in_that_is_there_already_is_started),
        TEST(test_move_that_cannot_start_counts),
        TEST(test_old_copy_is_removed_without_its_volumes),
        TEST(test_what_ended_with_its_host_is_started_at_its_new_address),
        TEST(test_old_copy_that_runs_goes_where_its_stand_in_is_not_to_run),
        TEST(test_old_copy_that_takes_over_is_called_as_the_other_one),
        TEST(test_old_copy_that_takes_over_is_stopped_as_the_other_one),
        TEST(test_leaving_engine_stays_until_its_containers_are_moved),
        TEST(test_leaving_engine_with_nothing_to_move_goes_at_once),
        TEST(test_container_removed_during_its_move_is_no_trouble),
        TEST(test_end_with_moves_waiting_leaks_nothing),
        cmocka_unit_test_setup_teardown(test_move_given_up_is_told_of_and_goes_on_by_hand, set_up_giving_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mass_failure_is_held_until_released_by_hand, set_up_holding, tear_down),
        cmocka_unit_test_setup_teardown(test_mass_failure_ends_with_the_engine_back, set_up_holding, tear_down),
        cmocka_unit_test_setup_teardown(test_old_copy_is_kept_where_that_is_asked_for, set_up_keeping_old, tear_down),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
