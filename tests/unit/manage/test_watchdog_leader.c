/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog of a manager that is one of several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "events.h"
#include "fake_pool.h"
#include "http_listen.h"
#include "leader.h"
#include "memory_lock.h"
#include "watchdog.h"

#define OWN "10.0.0.9:3375"
#define OTHER "10.0.0.1:3375"
/* What is waited for comes within milliseconds; a slow machine may take its time. */
#define PATIENCE_S 30
#define BODY                                                                                                           \
    "{\"Image\":\"busybox\",\"Labels\":{"                                                                              \
    "\"com.docker.swarm.id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","                    \
    "\"com.docker.swarm.reschedule-policies\":\"[\\\"on-node-failure\\\"]\"}}"

static struct fake_pool pool;

static int set_up(void **state)
{
    struct leader_options options = {.enabled = true, .address = OWN, .ttl_ms = 20000, .wait_ms = 300};
    char *error = NULL;

    fake_pool_init(&pool, 2);
    assert_int_equal(event_hub_new(&pool.manager.events), 0);
    assert_int_equal(leader_new(&pool.manager.leader, &pool.manager, &memory_discovery, &options, &error), 0);
    if (watchdog_new(&pool.manager.watchdog, &pool.manager) || watchdog_start(pool.manager.watchdog)) {
        return -1;
    }
    return leader_start(pool.manager.leader);
}

static int tear_down(void **state)
{
    leader_stop(pool.manager.leader);
    watchdog_free(pool.manager.watchdog);
    leader_free(pool.manager.leader);
    pool.manager.leader = NULL;
    event_hub_free(pool.manager.events);
    pool.manager.events = NULL;
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

static size_t moves(void)
{
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;

    pool_read_lock(pool.manager.pool);
    swarm_rescheduler_status(watchdog_rescheduler(pool.manager.watchdog), &status);
    pool_unlock(pool.manager.pool);
    return status.moves;
}

static bool one_move_waits(void)
{
    return moves() == 1;
}

static bool no_move_waits(void)
{
    return moves() == 0;
}

static bool stand_in_runs(void)
{
    return engine_peer_runs(pool.engines[1], "web");
}

static bool first_engine_left(void)
{
    struct engine *engine = pool_find_engine_by_address(pool.manager.pool, engine_peer_address(pool.engines[0]));

    engine_unref(engine);
    return !engine;
}

/* A container runs on the first engine, which is lost. */
static void lose_container(void)
{
    struct engine *engine = fake_pool_engine(&pool, 0);

    engine_peer_put(pool.engines[0], NULL, "web", BODY, "running");
    fake_pool_refresh(&pool, 0);
    http_peer_kill(pool.engines[0]->http);
    pool_set_state(pool.manager.pool, engine, ENGINE_UNHEALTHY, 3, "gone");
    watchdog_engine_lost(pool.manager.watchdog, engine, SWARM_NODE_STOPPED);
    assert_true(wait_until(one_move_waits));
}

static void test_what_is_lost_while_nobody_leads_is_moved_by_the_next(void **state)
{
    memory_lock_set("", 0);
    lose_container();
    watchdog_look(pool.manager.watchdog);
    assert_int_equal(http_peer_count(pool.engines[1]->http, "POST "), 0);
    memory_lock_set(OWN, 5);
    assert_true(wait_until(stand_in_runs));
    assert_true(wait_until(no_move_waits));
    pool_read_lock(pool.manager.pool);
    assert_int_equal(swarm_rescheduler_term(watchdog_rescheduler(pool.manager.watchdog)), 5);
    pool_unlock(pool.manager.pool);
}

static void test_what_the_primary_moved_is_not_moved_again(void **state)
{
    struct engine *engine = fake_pool_engine(&pool, 0);

    memory_lock_set(OTHER, 0);
    lose_container();
    engine_peer_put(pool.engines[1], NULL, "web", BODY, "running");
    fake_pool_refresh(&pool, 1);
    watchdog_look(pool.manager.watchdog);
    assert_true(wait_until(no_move_waits));
    pool_write_lock(pool.manager.pool);
    engine->leaving = true;
    pool_unlock(pool.manager.pool);
    watchdog_engine_leaving(pool.manager.watchdog, engine);
    assert_true(wait_until(first_engine_left));
    memory_lock_set(OWN, 6);
    watchdog_look(pool.manager.watchdog);
    assert_int_equal(http_peer_count(pool.engines[1]->http, "POST "), 0);
    assert_int_equal(engine_peer_count(pool.engines[1]), 1);
}

static void test_engine_that_leaves_stays_while_its_containers_wait_for_the_primary(void **state)
{
    struct engine *engine = fake_pool_engine(&pool, 0);

    memory_lock_set(OTHER, 0);
    lose_container();
    pool_write_lock(pool.manager.pool);
    engine->leaving = true;
    pool_unlock(pool.manager.pool);
    watchdog_engine_leaving(pool.manager.watchdog, engine);
    assert_int_equal(moves(), 1);
    assert_false(first_engine_left());
    /* No event is needed for it to be noticed. */
    engine_peer_put(pool.engines[1], NULL, "web", BODY, "running");
    fake_pool_refresh(&pool, 1);
    assert_true(wait_until(first_engine_left));
}

static bool allow_first(void *data)
{
    int *asked = data;

    return ++*asked == 1;
}

/* In the place of the network's: asked before the guard is, as what it says only gets less. */
static int say_left(void *data)
{
    assert_int_equal(*(int *)data <= 1, true);
    return 60000;
}

static void test_guard_is_asked_for_each_request(void **state)
{
    int asked = 0;
    struct engine_guard guard = {allow_first, &asked, say_left};
    struct engine_request request = {.method = "GET", .path = "/version", .timeout_ms = 10000, .guard = &guard};
    struct failure failure = {0};
    struct http_result result;
    int before = http_peer_count(pool.engines[1]->http, "/version");

    memory_lock_set(OWN, 7);
    assert_int_equal(engine_request(fake_pool_engine(&pool, 1), &request, &result, &failure), 0);
    http_result_clear(&result);
    assert_int_equal(engine_request(fake_pool_engine(&pool, 1), &request, &result, &failure), -1);
    assert_string_equal(failure.message, "this manager is not the primary any more");
    http_result_clear(&result);
    failure_clear(&failure);
    assert_int_equal(http_peer_count(pool.engines[1]->http, "/version"), before + 1);
}

/* The rest of a request that has failed does not arrive when the engine, or the network, goes on. */
static void test_what_was_given_up_does_not_arrive(void **state)
{
    enum { LENGTH = 1 << 19 };
    static const char body[LENGTH];
    static char buffer[LENGTH];
    struct engine_request request = {.method = "POST", .path = "/x", .body = body, .length = LENGTH, .timeout_ms = 500};
    struct listening_socket listening;
    struct http_result result;
    struct failure failure = {0};
    char *error = NULL, *url;
    ssize_t got;
    int fd, there = 0, came = 0;

    assert_int_equal(listening_socket_open(&listening, "127.0.0.1:0", &error), 0);
    url = listening_socket_url(&listening);
    assert_int_equal(
        engine_request(pool_add_engine(pool.manager.pool, strstr(url, "127."), &failure), &request, &result, &failure),
        -1);
    while ((fd = accept(listening.fd, NULL, NULL)) < 0)
        usleep(1000);
    assert_int_equal(ioctl(fd, FIONREAD, &there), 0);
    while ((got = recv(fd, buffer, sizeof(buffer), 0)) > 0)
        came += (int)got;
    assert_true(came <= there && came < LENGTH);
    close(fd);
    listening_socket_close(&listening);
    free(url);
    http_result_clear(&result);
    failure_clear(&failure);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_lost_while_nobody_leads_is_moved_by_the_next),
        TEST(test_what_the_primary_moved_is_not_moved_again),
        TEST(test_engine_that_leaves_stays_while_its_containers_wait_for_the_primary),
        TEST(test_guard_is_asked_for_each_request),
        TEST(test_what_was_given_up_does_not_arrive),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
