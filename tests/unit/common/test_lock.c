/* SPDX-License-Identifier: Apache-2.0 */
/* The logic of the lock, over a store in memory that fails on demand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lock_private.h"

enum { CANDIDATES = 3, LIVES_MS = 400 };

/* What the store knows. One lock is held at a time, until its holder has not renewed it for LIVES_MS. */
static struct {
    pthread_mutex_t mutex;
    const void *holder;
    char address[16];
    int64_t ends_ms;
    uint64_t term;
    int64_t granted_ms; /* when that term began */
} store = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* One who wants it, and what it was told. */
struct candidate {
    char address[16];
    struct discovery discovery;
    struct lock *lock;
    pthread_t thread;
    atomic_bool cut_off; /* from the store */
    atomic_bool asleep;  /* it does nothing at all */
    atomic_int acquired, lost, troubles;
    atomic_ullong term;
    int resigned;
};

static struct candidate candidates[CANDIDATES];

static struct candidate *candidate_of(const struct lock *lock)
{
    for (size_t i = 0; i < CANDIDATES; i++)
        if (&candidates[i].discovery == lock->discovery)
            return &candidates[i];
    fail();
    return NULL;
}

static int ask(struct lock *lock, struct lock_view *view, bool take, char **reterr)
{
    struct candidate *candidate = candidate_of(lock);
    while (atomic_load(&candidate->asleep) && !lock_stopping(lock))
        usleep(1000);
    if (atomic_load(&candidate->cut_off))
        return discovery_fail(reterr, "cut off");
    pthread_mutex_lock(&store.mutex);
    int64_t now_ms = lock_now_ms();
    if (now_ms >= store.ends_ms)
        store.holder = NULL;
    if (take && !store.holder) {
        store.term++;
        store.holder = candidate;
        store.granted_ms = now_ms;
        strcpy(store.address, candidate->address);
    }
    view->mine = store.holder == candidate;
    if (view->mine)
        store.ends_ms = now_ms + LIVES_MS;
    view->term = view->mine ? store.term : 0;
    view->lives_ms = view->mine ? LIVES_MS : 0;
    view->holder = store.holder ? strdup(store.address) : NULL;
    pthread_mutex_unlock(&store.mutex);
    return 0;
}

static int campaign(struct lock *lock, struct lock_view *view, char **reterr)
{
    return ask(lock, view, true, reterr);
}

static int renew(struct lock *lock, struct lock_view *view, char **reterr)
{
    return ask(lock, view, false, reterr);
}

static int resign(struct lock *lock, char **reterr)
{
    struct candidate *candidate = candidate_of(lock);
    if (atomic_load(&candidate->cut_off))
        return discovery_fail(reterr, "cut off");
    candidate->resigned++;
    pthread_mutex_lock(&store.mutex);
    if (store.holder == candidate)
        store.holder = NULL;
    pthread_mutex_unlock(&store.mutex);
    return 0;
}

static int open_store(struct lock *lock, char **reterr)
{
    return 0;
}

static void close_store(struct lock *lock)
{
}

static void wait_for_store(struct lock *lock, int timeout_ms)
{
    struct pollfd fd = {.fd = lock->stop_fd, .events = POLLIN};
    poll(&fd, 1, timeout_ms < 20 ? timeout_ms : 20);
}

static const struct lock_backend backend = {.open = open_store,
                                            .close = close_store,
                                            .campaign = campaign,
                                            .renew = renew,
                                            .resign = resign,
                                            .wait = wait_for_store};
static const struct discovery_backend with_lock = {.name = "memory", .lock = &backend};
static const struct discovery_backend without_lock = {.name = "nodes"};

static void on_acquired(void *data, uint64_t term)
{
    struct candidate *candidate = data;
    atomic_store(&candidate->term, term);
    atomic_fetch_add(&candidate->acquired, 1);
}

static void on_lost(void *data)
{
    struct candidate *candidate = data;
    atomic_fetch_add(&candidate->lost, 1);
}

static void on_holder(void *data, const char *address)
{
}

static void on_trouble(void *data, const char *message)
{
    struct candidate *candidate = data;
    if (message)
        atomic_fetch_add(&candidate->troubles, 1);
}

static void *run(void *data)
{
    static const struct lock_events events = {on_acquired, on_lost, on_holder, on_trouble};
    struct candidate *candidate = data;
    lock_run(candidate->lock, &events, candidate);
    return NULL;
}

static void start(struct candidate *candidate)
{
    char *why = NULL;
    memset(candidate, 0, sizeof *candidate);
    snprintf(candidate->address, sizeof candidate->address, "m%d:1", (int)(candidate - candidates));
    candidate->discovery.backend = &with_lock;
    struct lock_options options = {.address = candidate->address, .ttl_ms = LIVES_MS};
    assert_int_equal(lock_new(&candidate->lock, &candidate->discovery, &options, &why), 0);
    assert_int_equal(pthread_create(&candidate->thread, NULL, run, candidate), 0);
}

static void end(struct candidate *candidate)
{
    atomic_store(&candidate->cut_off, false);
    lock_stop(candidate->lock);
    pthread_join(candidate->thread, NULL);
    lock_free(candidate->lock);
}

static void reset(void)
{
    pthread_mutex_lock(&store.mutex);
    store.holder = NULL;
    store.ends_ms = 0;
    pthread_mutex_unlock(&store.mutex);
}

/* Whoever takes it for theirs must not have been followed by another before it was asked. */
static struct candidate *check_holders(void)
{
    struct candidate *holder = NULL;
    for (size_t i = 0; i < CANDIDATES; i++) {
        uint64_t term;
        int64_t asked_ms = lock_now_ms();
        if (!candidates[i].lock || !lock_is_held(candidates[i].lock, &term))
            continue;
        pthread_mutex_lock(&store.mutex);
        assert_false(store.term > term && store.granted_ms < asked_ms);
        pthread_mutex_unlock(&store.mutex);
        holder = &candidates[i];
    }
    return holder;
}

/* The next one that is not @p other. */
static struct candidate *await_holder(const struct candidate *other)
{
    struct candidate *holder;
    while (!(holder = check_holders()) || holder == other)
        usleep(500);
    return holder;
}

/* --- */

static void test_it_is_ours_for_less_than_the_store_says(void **state)
{
    assert_int_equal(lock_until_ms(1000, 20000), 19000);
    assert_int_equal(lock_until_ms(1000, 500), 1400);
    assert_int_equal(lock_until_ms(1000, 100), 1000);
    assert_int_equal(lock_until_ms(1000, 0), 1000);
    assert_int_equal(lock_until_ms(1000, -5), 1000);
}

static void test_pauses(void **state)
{
    char name[] = "a:1";
    struct lock lock = {.options = {.ttl_ms = 20000}};
    assert_int_equal(lock_pause_ms(&lock, 0), 500); /* nobody has it */
    lock.holder = name;
    assert_int_equal(lock_pause_ms(&lock, 0), 5000);
    lock.failures = 1;
    assert_int_equal(lock_pause_ms(&lock, 0), 1000);
    lock = (struct lock){.held = true, .lives_ms = 20000, .until_ms = 18000};
    assert_int_equal(lock_pause_ms(&lock, 0), 5000);
    assert_int_equal(lock_pause_ms(&lock, 15000), 3000); /* not beyond its end */
    assert_int_equal(lock_pause_ms(&lock, 19000), 0);
    lock.failures = 1;
    assert_int_equal(lock_pause_ms(&lock, 0), 1000);
    lock.lives_ms = 2000;
    assert_int_equal(lock_pause_ms(&lock, 0), 200);
}

static void test_a_store_without_locks(void **state)
{
    struct discovery discovery = {.backend = &without_lock};
    struct lock_options options = {.address = "a:1", .ttl_ms = 1000};
    struct lock *lock = NULL;
    char *why = NULL;
    assert_int_equal(lock_new(&lock, &discovery, &options, &why), -1);
    assert_string_equal(why, "Leader election is only supported with consul, etcd and zookeeper discovery.");
    free(why);
}

static void test_resigning_lets_another_have_it(void **state)
{
    reset();
    start(&candidates[0]);
    assert_ptr_equal(await_holder(NULL), &candidates[0]);
    uint64_t term = candidates[0].term;
    start(&candidates[1]);
    lock_retire(candidates[0].lock);
    assert_false(lock_is_held(candidates[0].lock, NULL));
    assert_int_equal(lock_left_ms(candidates[0].lock), 0);
    usleep(LIVES_MS * 1500);
    assert_int_equal(candidates[1].acquired, 0); /* the store's lock is kept until the end */
    end(&candidates[0]);
    candidates[0].lock = NULL;
    assert_ptr_equal(await_holder(NULL), &candidates[1]);
    assert_true(candidates[1].term > term);
    assert_int_equal(candidates[0].lost, 1);
    assert_int_equal(candidates[0].resigned, 1);
    end(&candidates[1]);
    candidates[1].lock = NULL;
}

static void test_one_who_cannot_renew_says_so_in_time(void **state)
{
    reset();
    start(&candidates[0]);
    assert_ptr_equal(await_holder(NULL), &candidates[0]);
    atomic_store(&candidates[0].cut_off, true);
    for (int64_t asked_ms = lock_now_ms(); lock_is_held(candidates[0].lock, NULL); asked_ms = lock_now_ms()) {
        pthread_mutex_lock(&store.mutex);
        assert_true(asked_ms < store.ends_ms);
        pthread_mutex_unlock(&store.mutex);
    }
    while (candidates[0].lost == 0)
        usleep(1000);
    assert_int_equal(candidates[0].troubles, 1); /* the same one is told once */
    while (lock_is_in_doubt(candidates[0].lock)) /* until one more try has failed */
        usleep(1000);
    /* Back before the store has given it to another, it begins anew. */
    atomic_store(&candidates[0].cut_off, false);
    while (candidates[0].acquired < 2)
        usleep(1000);
    assert_true(candidates[0].term > 1);
    end(&candidates[0]);
    candidates[0].lock = NULL;
}

static void test_one_that_sleeps_has_lost_it_when_it_wakes(void **state)
{
    reset();
    start(&candidates[0]);
    assert_ptr_equal(await_holder(NULL), &candidates[0]);
    start(&candidates[1]);
    atomic_store(&candidates[0].asleep, true);
    assert_ptr_equal(await_holder(&candidates[0]), &candidates[1]);
    assert_false(lock_is_held(candidates[0].lock, NULL));
    assert_int_equal(lock_left_ms(candidates[0].lock), 0);
    assert_true(lock_left_ms(candidates[1].lock) <= LIVES_MS);
    assert_true(lock_is_in_doubt(candidates[0].lock));
    assert_false(lock_is_in_doubt(candidates[1].lock));
    atomic_store(&candidates[0].asleep, false);
    while (candidates[0].lost == 0 || lock_is_in_doubt(candidates[0].lock))
        usleep(1000);
    for (size_t i = 0; i < 2; i++) {
        end(&candidates[i]);
        candidates[i].lock = NULL;
    }
}

/* Whatever happens to whom. */
static void test_never_two(void **state)
{
    struct candidate *holder = NULL;
    unsigned seed = 7;
    reset();
    for (size_t i = 0; i < CANDIDATES; i++)
        start(&candidates[i]);
    for (int round = 0; round < 12; round++) {
        holder = await_holder(NULL);
        atomic_bool *fault = rand_r(&seed) % 2 ? &holder->cut_off : &holder->asleep;
        atomic_store(fault, true);
        holder = await_holder(holder);
        if (rand_r(&seed) % 4)
            atomic_store(fault, false);
        else
            for (size_t i = 0; i < CANDIDATES; i++)
                candidates[i].cut_off = candidates[i].asleep = false;
    }
    for (size_t i = 0; i < CANDIDATES; i++) {
        candidates[i].asleep = false;
        end(&candidates[i]);
        candidates[i].lock = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_ours_for_less_than_the_store_says),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_a_store_without_locks),
        cmocka_unit_test(test_resigning_lets_another_have_it),
        cmocka_unit_test(test_one_who_cannot_renew_says_so_in_time),
        cmocka_unit_test(test_one_that_sleeps_has_lost_it_when_it_wakes),
        cmocka_unit_test(test_never_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
