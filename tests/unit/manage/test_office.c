/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever leads reads the record in the store before it acts: what it makes of it, and of what its engines say. */
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

#include "events.h"
#include "fake_pool.h"
#include "leader.h"
#include "memory_lock.h"
#include "monitor.h"
#include "office.h"
#include "record.h"
#include "record_store.h"
#include "records.h"
#include "watchdog.h"

#define OWN "10.0.0.9:3375"
#define OTHER "10.0.0.1:3375"
#define PATIENCE_S 30
#define SWARM_ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TO_MOVE                                                                                                        \
    "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm.id\":\"" SWARM_ID "\","                                     \
    "\"com.docker.swarm.reschedule-policies\":\"[\\\"on-node-failure\\\"]\"}}"
#define AWAY "{\"v\":1,\"name\":\"away\",\"address\":\"127.0.0.1:1\",\"ip\":\"\",\"cpus\":2,\"memory\":1000000}"
#define ON_AWAY                                                                                                        \
    "{\"v\":1,\"swarm_id\":\"s1\",\"name\":\"far\",\"entry\":{\"Id\":\"c1\",\"Names\":[\"/far\"]},\"inspect\":{"       \
    "\"Id\":\"c1\",\"Name\":\"/far\",\"Config\":" TO_MOVE ",\"HostConfig\":{}}}"

/* --- a store in memory, which fails and refuses on demand --- */

static struct {
    struct record_store base;
    pthread_mutex_t lock;
    json_t *records, *aside;
    bool fails, lost; /* it is down; somebody else writes */
    int begun;
    uint64_t fence;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock held, which it lets go. */
static int outcome(char **reterr)
{
    int result = store.fails ? -1 : store.lost ? RECORD_STORE_LOST : 0;

    if (result) {
        *reterr = strdup(store.fails ? "it is down" : "another one writes");
    }
    pthread_mutex_unlock(&store.lock);
    return result;
}

static int store_begin(struct record_store *base, uint64_t fence, char **reterr)
{
    pthread_mutex_lock(&store.lock);
    store.begun += !store.fails && !store.lost;
    store.fence = fence;
    return outcome(reterr);
}

static int store_load(struct record_store *base, const char *from, const char *to, record_fn fn, void *data,
                      char **reterr)
{
    const char *key;
    json_t *copy, *value;

    pthread_mutex_lock(&store.lock);
    copy = json_deep_copy(store.records);
    if (outcome(reterr)) {
        json_decref(copy);
        return -1;
    }
    json_object_foreach (copy, key, value) {
        if (strcmp(key, from) >= 0 && strcmp(key, to) < 0) {
            fn(data, key, json_string_value(value), json_string_length(value));
        }
    }
    json_decref(copy);
    return 0;
}

static int store_apply(struct record_store *base, const struct record_change *changes, size_t count, char **reterr)
{
    pthread_mutex_lock(&store.lock);
    for (size_t i = 0; !store.fails && !store.lost && i < count; i++) {
        if (changes[i].value) {
            json_object_set_new(store.records, changes[i].key, json_stringn(changes[i].value, changes[i].length));
        } else {
            json_object_del(store.records, changes[i].key);
        }
    }
    return outcome(reterr);
}

static int store_set_aside(struct record_store *base, const char *key, const char *why, char **reterr)
{
    pthread_mutex_lock(&store.lock);
    json_object_set_new(store.aside, key, json_string(why));
    json_object_del(store.records, key);
    return outcome(reterr);
}

static void store_close(struct record_store *base)
{
}

static void put(const char *key, const char *value)
{
    pthread_mutex_lock(&store.lock);
    json_object_set_new(store.records, key, json_string(value));
    pthread_mutex_unlock(&store.lock);
}

static bool is_stored(const char *key)
{
    bool is;

    pthread_mutex_lock(&store.lock);
    is = json_object_get(store.records, key) != NULL;
    pthread_mutex_unlock(&store.lock);
    return is;
}

static void set_store(bool fails, bool lost)
{
    pthread_mutex_lock(&store.lock);
    store.fails = fails;
    store.lost = lost;
    pthread_mutex_unlock(&store.lock);
}

/* --- a manager on two engines --- */

static struct fake_pool pool;

/* @p leads: one of several, which nobody leads yet; else one by itself. */
static void begin(bool leads)
{
    struct leader_options options = {.enabled = true, .address = OWN, .ttl_ms = 20000, .wait_ms = 300};
    struct office *office;
    char *error = NULL;

    fake_pool_init(&pool, 2);
    assert_int_equal(event_hub_new(&pool.manager.events), 0);
    if (leads) {
        assert_int_equal(leader_new(&pool.manager.leader, &pool.manager, &memory_discovery, &options, &error), 0);
    }
    assert_int_equal(watchdog_new(&pool.manager.watchdog, &pool.manager), 0);
    assert_int_equal(monitor_new(&pool.manager.monitor, &pool.manager), 0);
    assert_int_equal(watchdog_start(pool.manager.watchdog), 0);
    assert_int_equal(office_new_with(&office, &pool.manager, &store.base, NULL), 0);
    if (leads) {
        assert_int_equal(leader_start(pool.manager.leader), 0);
    }
    assert_int_equal(office_start(office), 0);
}

static void end(void)
{
    struct records *records = pool.manager.records;

    office_stop(pool.manager.office);
    if (pool.manager.leader) {
        memory_lock_set("", 0);
        leader_stop(pool.manager.leader);
    }
    monitor_stop(pool.manager.monitor);
    watchdog_free(pool.manager.watchdog);
    pool_write_lock(pool.manager.pool);
    pool.manager.records = NULL;
    pool_unlock(pool.manager.pool);
    records_free(records);
    office_free(pool.manager.office);
    pool.manager.office = NULL;
    monitor_free(pool.manager.monitor);
    leader_free(pool.manager.leader);
    pool.manager.leader = NULL;
    event_hub_free(pool.manager.events);
    pool.manager.events = NULL;
    fake_pool_finish(&pool);
}

static int set_up(void **state)
{
    store.base = (struct record_store){store_begin, store_load, store_apply, store_set_aside, store_close};
    store.records = json_object();
    store.aside = json_object();
    store.fails = store.lost = false;
    store.begun = 0;
    return 0;
}

static int tear_down(void **state)
{
    json_decref(store.records);
    json_decref(store.aside);
    return 0;
}

static bool is_held(void)
{
    uint64_t term;

    return office_is_held(&pool.manager, &term);
}

static bool wait_until(bool (*holds)(void), bool wanted)
{
    for (int i = 0; i < PATIENCE_S * 100; i++) {
        if (holds() == wanted) {
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static bool wait_until_stored(const char *key, bool wanted)
{
    for (int i = 0; i < PATIENCE_S * 100; i++) {
        if (is_stored(key) == wanted) {
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

/* Whether the pool knows it. */
static bool is_known(const char *reference)
{
    struct swarm_container *container = NULL;
    bool found;

    pool_read_lock(pool.manager.pool);
    found = !swarm_cluster_look_up(pool.manager.pool->cluster, reference, &container, NULL);
    pool_unlock(pool.manager.pool);
    return found;
}

/* --- who acts --- */

static void test_leader_acts_once_it_has_read_the_record(void **state)
{
    begin(true);
    assert_false(is_held());
    assert_int_equal(store.begun, 0);
    set_store(true, false);
    memory_lock_set(OWN, 5);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    assert_false(is_held());
    assert_true(office_is_reading(&pool.manager));
    set_store(false, false);
    assert_true(wait_until(is_held, true));
    assert_false(office_is_reading(&pool.manager));
    assert_int_equal(store.fence, 5);
    memory_lock_set(OTHER, 0);
    assert_false(is_held());
    end();
}

static void test_one_that_does_not_lead_writes_nothing(void **state)
{
    begin(true);
    records_put(pool.manager.records, "copy/x", strdup("{}"), 2);
    memory_lock_set(OWN, 5);
    assert_true(wait_until(is_held, true));
    records_put(pool.manager.records, "copy/y", strdup("{}"), 2);
    assert_true(wait_until_stored("copy/y", true));
    assert_false(is_stored("copy/x"));
    memory_lock_set(OTHER, 0);
    for (int i = 0; i < PATIENCE_S * 100 && records_are_written(pool.manager.records); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    records_put(pool.manager.records, "copy/z", strdup("{}"), 2);
    assert_false(records_wait(pool.manager.records, "copy/z"));
    memory_lock_set(OWN, 6);
    assert_true(wait_until(is_held, true));
    assert_int_equal(store.begun, 2);
    assert_int_equal(store.fence, 6);
    assert_false(is_stored("copy/z"));
    end();
}

static void test_single_one_that_was_replaced_acts_no_more(void **state)
{
    begin(false);
    assert_true(is_held());
    assert_int_equal(store.fence, 0);
    set_store(false, true);
    records_put(pool.manager.records, "copy/x", strdup("{}"), 2);
    assert_true(wait_until(is_held, false));
    set_store(false, false);
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 500000000}, NULL); /* it looks once a second */
    assert_false(is_held());
    assert_int_equal(store.begun, 1);
    end();
}

static void test_single_one_goes_on_while_the_store_is_away(void **state)
{
    char *trouble;

    begin(false);
    set_store(true, false);
    records_put(pool.manager.records, "copy/x", strdup("{}"), 2);
    assert_false(records_wait(pool.manager.records, "copy/x"));
    trouble = records_trouble(pool.manager.records);
    assert_string_equal(trouble, "it is down");
    free(trouble);
    assert_true(is_held());
    set_store(false, false);
    assert_true(wait_until_stored("copy/x", true));
    end();
}

/* --- what becomes of the record --- */

static void test_nodes_that_are_away_are_known(void **state)
{
    begin(true);
    put("node/N", AWAY);
    put("container/N/c1", ON_AWAY);
    put("state/N/c1", "{\"v\":1,\"wanted\":\"running\",\"stop_asked\":0,\"term\":1}");
    assert_false(is_known("far"));
    memory_lock_set(OWN, 5);
    assert_true(wait_until(is_held, true));
    assert_true(is_known("far"));
    assert_true(is_stored("container/N/c1"));
    end();
}

static void test_replica_knows_them_before_it_leads(void **state)
{
    put("node/N", AWAY);
    put("container/N/c1", ON_AWAY);
    begin(true);
    assert_true(is_known("far"));
    assert_int_equal(store.begun, 0);
    end();
}

static void test_engines_that_answer_are_believed(void **state)
{
    char key[200];

    begin(true);
    snprintf(key, sizeof(key), "container/ID-0/%s", engine_peer_put(pool.engines[0], NULL, "web", TO_MOVE, "running"));
    fake_pool_refresh(&pool, 0);
    put("node/ID-0", "{\"v\":1,\"name\":\"old\",\"address\":\"a\",\"ip\":\"\",\"cpus\":2,\"memory\":1000000}");
    put("container/ID-0/gone", ON_AWAY);
    put("state/ID-0/gone", "{\"v\":1,\"wanted\":\"running\",\"stop_asked\":0,\"term\":1}");
    memory_lock_set(OWN, 5);
    assert_true(wait_until_stored(key, true));
    assert_true(wait_until_stored("container/ID-0/gone", false));
    assert_true(wait_until_stored("state/ID-0/gone", false));
    assert_false(is_known("far"));
    end();
}

static void test_what_cannot_be_read_is_set_aside(void **state)
{
    begin(true);
    put("copy/x", "{\"v\":2}");
    put("container/N/c1", ON_AWAY); /* its node is not there */
    put("other", "{}");
    memory_lock_set(OWN, 5);
    assert_true(wait_until(is_held, true));
    assert_false(is_stored("copy/x") || is_stored("container/N/c1") || is_stored("other"));
    assert_non_null(json_object_get(store.aside, "copy/x"));
    assert_non_null(json_object_get(store.aside, "container/N/c1"));
    assert_non_null(json_object_get(store.aside, "other"));
    end();
}

static void tell_copy(const char *id, const char *by)
{
    struct swarm_memory memory = SWARM_MEMORY_INIT;

    memory.container_id = id;
    memory.node_id = "N";
    memory.by = by;
    pool_write_lock(pool.manager.pool);
    assert_int_equal(watchdog_remember(pool.manager.watchdog, &memory, NULL), 0);
    pool_unlock(pool.manager.pool);
}

static bool stored_copy_is_removed(void)
{
    const char *text;
    bool is;

    pthread_mutex_lock(&store.lock);
    text = json_string_value(json_object_get(store.records, "copy/c1"));
    is = text && strstr(text, "\"by\":\"\"");
    pthread_mutex_unlock(&store.lock);
    return is;
}

/* The former leader ended before it could say so. */
static void test_removal_that_was_seen_counts(void **state)
{
    begin(true);
    tell_copy("c1", "c2");
    tell_copy("c1", "");
    tell_copy("c3", "c4");
    put("copy/c1", "{\"v\":1,\"node\":\"N\",\"by\":\"c2\",\"judged\":0}");
    memory_lock_set(OWN, 5);
    assert_true(wait_until(stored_copy_is_removed, true));
    assert_true(wait_until_stored("copy/c3", true));
    end();
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_STORE(test_leader_acts_once_it_has_read_the_record),
        IN_STORE(test_one_that_does_not_lead_writes_nothing),
        IN_STORE(test_single_one_that_was_replaced_acts_no_more),
        IN_STORE(test_single_one_goes_on_while_the_store_is_away),
        IN_STORE(test_nodes_that_are_away_are_known),
        IN_STORE(test_replica_knows_them_before_it_leads),
        IN_STORE(test_engines_that_answer_are_believed),
        IN_STORE(test_what_cannot_be_read_is_set_aside),
        IN_STORE(test_removal_that_was_seen_counts),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
