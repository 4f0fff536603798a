/* SPDX-License-Identifier: Apache-2.0 */
/* What the pool puts into the records, and what the next manager makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_pool.h"
#include "monitor.h"
#include "recall.h"
#include "record.h"
#include "records.h"
#include "watchdog.h"

#define PATIENCE_S 30
#define SWARM_ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABELS(policy)                                                                                                 \
    "\"Labels\":{\"com.docker.swarm.id\":\"" SWARM_ID "\","                                                            \
    "\"com.docker.swarm.reschedule-policies\":\"[\\\"" policy "\\\"]\"}"
#define TO_MOVE "{\"Image\":\"busybox\"," LABELS("on-node-failure") "}"
#define TO_STAY "{\"Image\":\"busybox\"," LABELS("off") "}"

/* --- a store in memory, which outlives managers --- */

static struct memory_store {
    struct record_store base;
    pthread_mutex_t lock;
    json_t *records, *aside;
    int writes;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int store_load(struct record_store *base, const char *from, const char *to, record_fn fn, void *data,
                      char **reterr)
{
    const char *key;
    json_t *value;

    json_object_foreach (store.records, key, value) {
        if (strcmp(key, from) >= 0 && strcmp(key, to) < 0 &&
            fn(data, key, json_string_value(value), json_string_length(value))) {
            return -1;
        }
    }
    return 0;
}

static int store_apply(struct record_store *base, const struct record_change *changes, size_t count, char **reterr)
{
    pthread_mutex_lock(&store.lock);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].value) {
            json_object_set_new(store.records, changes[i].key, json_stringn(changes[i].value, changes[i].length));
        } else {
            json_object_del(store.records, changes[i].key);
        }
        store.writes++;
    }
    pthread_mutex_unlock(&store.lock);
    return 0;
}

static int store_set_aside(struct record_store *base, const char *key, const char *why, char **reterr)
{
    json_object_set_new(store.aside, key, json_string(why));
    json_object_del(store.records, key);
    return 0;
}

static void store_close(struct record_store *base)
{
}

/* The record of that key, parsed; NULL: there is none. New reference. */
static json_t *stored(const char *key)
{
    json_t *value, *record;

    pthread_mutex_lock(&store.lock);
    value = json_object_get(store.records, key);
    record = value ? json_loads(json_string_value(value), 0, NULL) : NULL;
    pthread_mutex_unlock(&store.lock);
    return record;
}

static bool is_stored(const char *key)
{
    json_t *record = stored(key);

    json_decref(record);
    return record;
}

static void put(const char *key, const char *value)
{
    json_object_set_new(store.records, key, json_string(value));
}

/* --- managers --- */

static struct fake_pool pool;

static int set_up(void **state)
{
    store.base = (struct record_store){NULL, store_load, store_apply, store_set_aside, store_close};
    store.records = json_object();
    store.aside = json_object();
    store.writes = 0;
    return 0;
}

static int tear_down(void **state)
{
    json_decref(store.records);
    json_decref(store.aside);
    return 0;
}

/* A manager on engines that it knows. */
static void begin_here(void)
{
    char *error = NULL;

    assert_int_equal(watchdog_new(&pool.manager.watchdog, &pool.manager), 0);
    assert_int_equal(monitor_new(&pool.manager.monitor, &pool.manager), 0);
    assert_int_equal(watchdog_start(pool.manager.watchdog), 0);
    assert_int_equal(recall_store(&pool.manager, &store.base, &error), 0);
}

/* The same, on so many of its own. */
static void begin(int engines)
{
    fake_pool_init(&pool, engines);
    begin_here();
}

static void end(void)
{
    struct records *records;

    monitor_stop(pool.manager.monitor);
    watchdog_free(pool.manager.watchdog);
    pool_write_lock(pool.manager.pool);
    records = pool.manager.records;
    pool.manager.records = NULL;
    pool_unlock(pool.manager.pool);
    records_free(records);
    monitor_free(pool.manager.monitor);
    fake_pool_finish(&pool);
}

/* Whatever was queued is in the store. */
static void settle(void)
{
    records_put(pool.manager.records, "settled", strdup("{}"), 2);
    assert_true(records_wait(pool.manager.records, "settled"));
    records_remove(pool.manager.records, "settled");
    assert_true(records_wait(pool.manager.records, "settled"));
}

static char *key_of(const char *kind, const char *node, const char *id)
{
    static char key[200];

    snprintf(key, sizeof(key), "%s/%s/%s", kind, node, id);
    return key;
}

static const char *wanted_of(const char *node, const char *id)
{
    static char wanted[16];
    json_t *record = stored(key_of("state", node, id));

    snprintf(wanted, sizeof(wanted), "%s",
             record ? json_string_value(json_object_get(record, "wanted")) : "not recorded");
    json_decref(record);
    return wanted;
}

/* Whether the pool knows it, and counts it as running. */
static bool is_known(const char *reference, bool *ret_runs)
{
    struct swarm_container *container = NULL;
    bool found;

    pool_read_lock(pool.manager.pool);
    found = !swarm_cluster_look_up(pool.manager.pool->cluster, reference, &container, NULL);
    if (found && ret_runs) {
        *ret_runs = swarm_container_state(container) == SWARM_CONTAINER_RUNNING;
    }
    pool_unlock(pool.manager.pool);
    return found;
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

/* --- what is recorded --- */

static void test_container_with_a_policy_is_recorded(void **state)
{
    char id[80];
    json_t *record;

    begin(1);
    snprintf(id, sizeof(id), "%s", engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running"));
    fake_pool_refresh(&pool, 0);
    settle();
    record = stored(key_of("container", "ID-0", id));
    assert_string_equal(json_string_value(json_object_get(record, "name")), "web");
    assert_string_equal(json_string_value(json_object_get(record, "swarm_id")), SWARM_ID);
    assert_int_equal(json_integer_value(json_object_get(record, "v")), 1);
    json_decref(record);
    assert_string_equal(wanted_of("ID-0", id), "running");
    end();
    assert_true(is_stored(key_of("container", "ID-0", id))); /* the manager's end is not its */
}

static void test_container_without_one_is_not(void **state)
{
    begin(1);
    engine_peer_put(pool.engines[0], NULL, "web", TO_STAY, "running");
    engine_peer_put(pool.engines[0], NULL, "plain", NULL, "running");
    fake_pool_refresh(&pool, 0);
    settle();
    assert_int_equal(json_object_size(store.records), 0);
    end();
}

static void test_what_is_wanted_follows(void **state)
{
    char id[80];
    int writes;

    begin(1);
    snprintf(id, sizeof(id), "%s", engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running"));
    fake_pool_refresh(&pool, 0);
    settle();
    writes = store.writes;
    fake_pool_refresh(&pool, 0);
    settle();
    assert_int_equal(store.writes, writes + 2); /* those of settle() */
    engine_peer_end(pool.engines[0], "web");
    fake_pool_refresh(&pool, 0);
    settle();
    assert_string_equal(wanted_of("ID-0", id), "stopped");
    assert_int_equal(store.writes, writes + 5);
    end();
}

static void test_removed_container_is_not_recorded_any_more(void **state)
{
    char id[80];

    begin(1);
    snprintf(id, sizeof(id), "%s", engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running"));
    fake_pool_refresh(&pool, 0);
    engine_peer_remove(pool.engines[0], "web");
    fake_pool_refresh(&pool, 0);
    settle();
    assert_false(is_stored(key_of("container", "ID-0", id)));
    assert_string_equal(wanted_of("ID-0", id), "not recorded");
    end();
}

/* --- what is taken over --- */

static const char node_record[] =
    "{\"v\":1,\"name\":\"away\",\"address\":\"127.0.0.1:1\",\"ip\":\"127.0.0.1\",\"cpus\":4,\"memory\":8000000000}";

/* A record of a container as an earlier manager left it; its id, static. */
static const char *record_of_earlier_manager(void)
{
    static char id[80];
    json_t *record;

    begin(1);
    snprintf(id, sizeof(id), "%s", engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running"));
    fake_pool_refresh(&pool, 0);
    settle();
    end();
    record = json_incref(json_object_get(store.records, key_of("container", "ID-0", id)));
    json_object_clear(store.records);
    put("node/AWAY", node_record);
    json_object_set_new(store.records, key_of("container", "AWAY", id), record);
    return id;
}

static void test_container_of_a_node_that_is_away_is_known(void **state)
{
    const char *id = record_of_earlier_manager();
    bool runs;

    put(key_of("state", "AWAY", id), "{\"v\":1,\"wanted\":\"running\",\"stop_asked\":0,\"term\":0}");
    store.writes = 0;
    begin(1);
    assert_true(is_known("away/web", &runs));
    assert_true(runs);
    assert_true(is_known(SWARM_ID, NULL));
    settle();
    assert_int_equal(store.writes, 2); /* settle()'s own: nothing was written again */
    assert_int_equal(json_object_size(store.aside), 0);
    end();
    assert_int_equal(json_object_size(store.records), 3);
}

static void test_stopped_one_is_known_as_stopped(void **state)
{
    const char *id = record_of_earlier_manager();
    bool runs;

    put(key_of("state", "AWAY", id), "{\"v\":1,\"wanted\":\"stopped\",\"stop_asked\":0,\"term\":0}");
    begin(1);
    assert_true(is_known("away/web", &runs));
    assert_false(runs);
    end();
}

static bool is_stopped(const char *reference)
{
    struct swarm_container *container = NULL;
    bool stopped;

    pool_read_lock(pool.manager.pool);
    stopped = !swarm_cluster_look_up(pool.manager.pool->cluster, reference, &container, NULL) &&
              swarm_container_stopped(container);
    pool_unlock(pool.manager.pool);
    return stopped;
}

/* Else an old copy of it that runs would be taken for what is to run. */
static void test_one_that_a_client_stopped_is_known_as_such(void **state)
{
    const char *id = record_of_earlier_manager();

    put(key_of("state", "AWAY", id), "{\"v\":1,\"wanted\":\"stopped\",\"stop_asked\":1700000000000000000,\"term\":0}");
    begin(1);
    assert_true(is_stopped("away/web"));
    end();
    begin(1);
    assert_true(is_stopped("away/web"));
    end();
}

static void set_stop_asked(const char *reference, int64_t ns)
{
    struct swarm_container *container = NULL;

    pool_write_lock(pool.manager.pool);
    assert_int_equal(swarm_cluster_look_up(pool.manager.pool->cluster, reference, &container, NULL), 0);
    container_record(container)->stop_asked_ns = ns;
    pool_unlock(pool.manager.pool);
}

static void test_a_stop_of_earlier_is_not_why_it_ended(void **state)
{
    const char *id;
    json_t *record;

    begin(1);
    id = engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running");
    fake_pool_refresh(&pool, 0);
    set_stop_asked("node-0/web", 1);
    engine_peer_end(pool.engines[0], "web");
    fake_pool_refresh(&pool, 0);
    settle();
    record = stored(key_of("state", "ID-0", id));
    assert_int_equal(json_integer_value(json_object_get(record, "stop_asked")), 0);
    json_decref(record);
    end();
}

static json_int_t recorded_lost(const char *key)
{
    json_t *record = stored(key);
    json_int_t lost = json_integer_value(json_object_get(record, "lost"));

    json_decref(record);
    return lost;
}

static bool node_is_lost(void)
{
    return recorded_lost("node/ID-0") == 1;
}

static bool node_is_not_lost(void)
{
    return recorded_lost("node/ID-0") == 0;
}

static bool web_runs(void)
{
    return engine_peer_runs(pool.engines[0], "web");
}

/* Its host loses power, and comes back. */
static void test_what_ended_with_its_host_is_to_run_still(void **state)
{
    char id[80];

    begin(1);
    snprintf(id, sizeof(id), "%s", engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running"));
    fake_pool_refresh(&pool, 0);
    watchdog_engine_lost(pool.manager.watchdog, fake_pool_engine(&pool, 0), SWARM_NODE_SILENT);
    assert_true(wait_until(node_is_lost));
    engine_peer_end(pool.engines[0], "web");
    fake_pool_refresh(&pool, 0);
    settle();
    assert_string_equal(wanted_of("ID-0", id), "running");
    watchdog_engine_back(pool.manager.watchdog, fake_pool_engine(&pool, 0));
    assert_true(wait_until(web_runs));
    assert_true(wait_until(node_is_not_lost));
    settle();
    assert_string_equal(wanted_of("ID-0", id), "running");
    end();
}

static bool something_waits(void)
{
    struct swarm_node *node;
    bool waits;

    pool_read_lock(pool.manager.pool);
    node = swarm_cluster_find_node(pool.manager.pool->cluster, "AWAY");
    waits = swarm_rescheduler_waiting(watchdog_rescheduler(pool.manager.watchdog), node, NULL) == 1;
    pool_unlock(pool.manager.pool);
    return waits;
}

/* Should it come back before the next manager has missed it, what ended there is started all the same. */
static void test_node_that_was_lost_is_lost_to_the_next_manager(void **state)
{
    const char *id = record_of_earlier_manager();

    put(key_of("state", "AWAY", id), "{\"v\":1,\"wanted\":\"running\",\"stop_asked\":0,\"term\":0}");
    begin(1);
    assert_false(something_waits());
    end();
    put("node/AWAY", "{\"v\":1,\"name\":\"away\",\"address\":\"127.0.0.1:1\",\"ip\":\"127.0.0.1\",\"cpus\":4,"
                     "\"memory\":8000000000,\"lost\":1}");
    begin(1);
    assert_true(something_waits());
    end();
}

static bool is_moved(void)
{
    bool runs = false;

    return is_known("node-0/web", &runs) && runs && !is_known("away/web", NULL);
}

/* Nobody answers at its address. */
static void test_it_is_moved_where_its_node_does_not_answer(void **state)
{
    const char *id = record_of_earlier_manager();
    struct engine *away;
    char key[200];
    json_t *copy;

    put(key_of("state", "AWAY", id), "{\"v\":1,\"wanted\":\"running\",\"stop_asked\":0,\"term\":0}");
    begin(1);
    fake_pool_refresh(&pool, 0);
    away = pool_find_engine_by_name(pool.manager.pool, "away");
    watchdog_engine_lost(pool.manager.watchdog, away, SWARM_NODE_STOPPED);
    engine_unref(away);
    assert_true(wait_until(is_moved));
    snprintf(key, sizeof(key), "copy/%s", id);
    for (int i = 0; i < PATIENCE_S * 100 && !is_stored(key); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    copy = stored(key);
    assert_string_equal(json_string_value(json_object_get(copy, "node")), "AWAY");
    json_decref(copy);
    assert_false(is_stored(key_of("container", "AWAY", id)));
    end();
    assert_false(is_stored("claim/" SWARM_ID));
}

static void test_unreadable_records_are_set_aside(void **state)
{
    const char *id = record_of_earlier_manager();

    put("node/BROKEN", "{\"v\":1");
    put("node/NEWER", "{\"v\":2,\"name\":\"x\"}");
    put("node/SHORT", "{\"v\":1,\"name\":\"x\"}");
    put("mystery/one", "{\"v\":1}");
    put("container/NOWHERE/c1", "{\"v\":1,\"swarm_id\":\"s\",\"name\":\"n\",\"entry\":{},\"inspect\":{}}");
    put("container/AWAY/c2", "{\"v\":1,\"swarm_id\":\"s\",\"name\":\"n\",\"entry\":{},\"inspect\":{}}");
    put("container/AWAY/c3", "nonsense");
    put("copy/c4", "[]");
    begin(1);
    assert_int_equal(json_object_size(store.aside), 8);
    assert_string_equal(json_string_value(json_object_get(store.aside, "node/NEWER")), "it is of another version");
    assert_true(is_known("away/web", NULL));
    assert_true(is_stored(key_of("container", "AWAY", id)));
    end();
}

static void test_claims_and_copies_are_taken_over(void **state)
{
    char claim[300];

    snprintf(claim, sizeof(claim),
             "{\"v\":1,\"container\":\"c1\",\"name\":\"web\",\"node\":\"A\",\"to\":\"B\",\"start\":1,\"term\":0,\"at\":"
             "%lld}",
             (long long)time(NULL));
    put("claim/s1", claim);
    put("claim/s2", "{\"v\":1,\"container\":\"c1\",\"name\":\"web\",\"node\":\"A\",\"to\":\"B\",\"start\":1,\"term\":0,"
                    "\"at\":1000000}");
    put("copy/c3", "{\"v\":1,\"node\":\"A\",\"by\":\"c4\",\"judged\":0}");
    put("copy/c5", "{\"v\":1,\"node\":\"A\",\"by\":\"\",\"judged\":1}");
    begin(1);
    settle();
    assert_true(is_stored("claim/s1"));
    assert_false(is_stored("claim/s2")); /* of a day long gone */
    assert_true(is_stored("copy/c3"));
    assert_true(is_stored("copy/c5"));
    end();
    assert_true(is_stored("copy/c3"));
}

/* It was made, and the manager that made it recorded no more than that it was to be made. */
static void test_claim_of_a_move_that_was_made_tells_of_the_old_copy(void **state)
{
    char claim[400], id[80];
    json_t *copy;

    snprintf(claim, sizeof(claim),
             "{\"v\":1,\"container\":\"c1\",\"name\":\"web\",\"node\":\"AWAY\",\"to\":\"ID-0\",\"start\":1,"
             "\"term\":0,\"at\":%lld}",
             (long long)time(NULL));
    put("claim/" SWARM_ID, claim);
    fake_pool_init(&pool, 1);
    snprintf(id, sizeof(id), "%s", engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running"));
    fake_pool_refresh(&pool, 0);
    begin_here();
    settle();
    assert_false(is_stored("claim/" SWARM_ID));
    copy = stored("copy/c1");
    assert_string_equal(json_string_value(json_object_get(copy, "by")), id);
    json_decref(copy);
    end();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_container_with_a_policy_is_recorded),
        TEST(test_container_without_one_is_not),
        TEST(test_what_is_wanted_follows),
        TEST(test_removed_container_is_not_recorded_any_more),
        TEST(test_container_of_a_node_that_is_away_is_known),
        TEST(test_stopped_one_is_known_as_stopped),
        TEST(test_one_that_a_client_stopped_is_known_as_such),
        TEST(test_a_stop_of_earlier_is_not_why_it_ended),
        TEST(test_what_ended_with_its_host_is_to_run_still),
        TEST(test_node_that_was_lost_is_lost_to_the_next_manager),
        TEST(test_it_is_moved_where_its_node_does_not_answer),
        TEST(test_unreadable_records_are_set_aside),
        TEST(test_claims_and_copies_are_taken_over),
        TEST(test_claim_of_a_move_that_was_made_tells_of_the_old_copy),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
