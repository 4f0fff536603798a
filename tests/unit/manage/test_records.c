/* SPDX-License-Identifier: Apache-2.0 */
/* The file that records are kept in, whatever state it is in, and the thread that writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "record_store.h"
#include "records.h"

static char folder[64], path[128];

static int set_up(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/test-records-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/state/one.db", folder);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static struct record_store *opened(char **ret_aside)
{
    struct record_store *store = NULL;
    char *aside = NULL, *error = NULL;

    if (record_sqlite_open(&store, path, &aside, &error)) {
        fail_msg("%s", error);
    }
    if (ret_aside) {
        *ret_aside = aside;
    } else {
        assert_null(aside);
    }
    return store;
}

static int append(void *data, const char *key, const char *value, size_t length)
{
    char *text = data;

    sprintf(text + strlen(text), "%s=%.*s ", key, (int)length, value);
    return 0;
}

static const char *contents(struct record_store *store)
{
    static char text[1024];
    char *error = NULL;

    text[0] = '\0';
    assert_int_equal(store->load(store, "", "\x7f", append, text, &error), 0);
    return text;
}

static void apply(struct record_store *store, const char *key, const char *value)
{
    struct record_change change = {key, value, value ? strlen(value) : 0};
    char *error = NULL;

    assert_int_equal(store->apply(store, &change, 1, &error), 0);
}

/* --- the file --- */

static void test_records_are_there_after_it_was_closed(void **state)
{
    struct record_store *store = opened(NULL);
    struct stat info;

    apply(store, "a", "1");
    apply(store, "b", "2");
    apply(store, "a", "3");
    apply(store, "c", "4");
    apply(store, "c", NULL);
    apply(store, "never", NULL);
    store->close(store);
    store = opened(NULL);
    assert_string_equal(contents(store), "a=3 b=2 ");
    store->close(store);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_value_may_be_any_bytes(void **state)
{
    struct record_store *store = opened(NULL);
    struct record_change change = {"a", "x\0y", 3};
    char *error = NULL;

    assert_int_equal(store->apply(store, &change, 1, &error), 0);
    assert_int_equal(strlen(contents(store)), 4); /* "a=x" and what printf() leaves out */
    change = (struct record_change){"b", "", 0};
    assert_int_equal(store->apply(store, &change, 1, &error), 0);
    store->close(store);
}

static void test_one_is_set_aside(void **state)
{
    struct record_store *store = opened(NULL);
    char *error = NULL;

    apply(store, "a", "1");
    apply(store, "b", "2");
    assert_int_equal(store->set_aside(store, "a", "for a reason", &error), 0);
    assert_string_equal(contents(store), "b=2 ");
    store->close(store);
}

static void test_second_manager_is_refused(void **state)
{
    struct record_store *store = opened(NULL), *second = NULL;
    char *aside = NULL, *error = NULL;

    assert_int_equal(record_sqlite_open(&second, path, &aside, &error), -1);
    assert_non_null(strstr(error, "is in use by another manager"));
    free(error);
    store->close(store);
}

static void test_folder_that_cannot_be_made_is_named(void **state)
{
    struct record_store *store = NULL;
    char *aside = NULL, *error = NULL;

    assert_int_equal(record_sqlite_open(&store, "/proc/none/state/one.db", &aside, &error), -1);
    assert_non_null(strstr(error, "/proc/none"));
    free(error);
    snprintf(path, sizeof(path), "%s/a-file", folder);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    strcat(path, "/one.db");
    assert_int_equal(record_sqlite_open(&store, path, &aside, &error), -1);
    assert_non_null(strstr(error, "a-file"));
    free(error);
}

/* Opened, it was set aside with that word in its new name, and what was in it is there. */
static void expect_set_aside(const char *word)
{
    char *aside = NULL;
    struct record_store *store = opened(&aside);

    assert_non_null(aside);
    assert_non_null(strstr(aside, word));
    assert_int_equal(access(aside, F_OK), 0);
    assert_string_equal(contents(store), "");
    apply(store, "new", "1");
    store->close(store);
    free(aside);
    store = opened(NULL);
    assert_string_equal(contents(store), "new=1 ");
    store->close(store);
}

static void damage(off_t at, size_t length)
{
    char noise[4096];
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    memset(noise, 0xa5, sizeof(noise));
    assert_int_equal(pwrite(fd, noise, length, at), length);
    close(fd);
}

static void test_damaged_head_is_set_aside(void **state)
{
    struct record_store *store = opened(NULL);

    apply(store, "a", "1");
    store->close(store);
    damage(0, 100);
    expect_set_aside(".damaged-");
}

static void test_damage_within_is_found(void **state)
{
    struct record_store *store = opened(NULL);
    char key[32], value[2000];

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        apply(store, key, value);
    }
    store->close(store);
    damage(6 * 4096, 4096);
    expect_set_aside(".damaged-");
}

static void test_file_cut_short_is_set_aside(void **state)
{
    struct record_store *store = opened(NULL);

    apply(store, "a", "1");
    store->close(store);
    assert_int_equal(truncate(path, 5000), 0);
    expect_set_aside(".damaged-");
}

static void run(const char *text)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_newer_one_is_set_aside(void **state)
{
    struct record_store *store = opened(NULL);

    apply(store, "a", "1");
    store->close(store);
    run("PRAGMA user_version = 2");
    expect_set_aside(".newer-");
}

static void make_folder(void)
{
    char *slash = strrchr(path, '/');

    *slash = '\0';
    assert_int_equal(mkdir(path, 0700), 0);
    *slash = '/';
}

static void test_foreign_one_is_set_aside(void **state)
{
    make_folder();
    run("CREATE TABLE theirs (x)");
    expect_set_aside(".foreign-");
}

static void test_empty_file_is_as_good_as_none(void **state)
{
    struct record_store *store;

    make_folder();
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    store = opened(NULL);
    assert_string_equal(contents(store), "");
    store->close(store);
}

/* Files may not grow: as on a full disk. */
static void test_what_cannot_be_written_is_not_there_in_part(void **state)
{
    struct record_store *store = opened(NULL);
    size_t size = 1 << 20;
    char *large = malloc(size), *error = NULL;
    struct record_change changes[] = {{"small", "1", 1}, {"large", large, size}};
    struct rlimit limit, old;

    memset(large, 'x', size);
    apply(store, "before", "0");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 200000;
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(store->apply(store, changes, 2, &error), -1);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_non_null(strstr(error, "one.db: "));
    free(error);
    free(large);
    assert_string_equal(contents(store), "before=0 ");
    apply(store, "after", "2");
    assert_string_equal(contents(store), "after=2 before=0 ");
    store->close(store);
}

/* --- the thread --- */

static struct {
    struct record_store base;
    pthread_mutex_t lock;
    int batches, changes, failures; /* failures: how often it is still to fail */
    int delay_ms;
    char last[64];
    bool closed, lost;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int fake_apply(struct record_store *store, const struct record_change *changes, size_t count, char **reterr)
{
    int result = 0;

    nanosleep(&(struct timespec){.tv_nsec = fake.delay_ms * 1000000}, NULL);
    pthread_mutex_lock(&fake.lock);
    if (fake.lost) {
        *reterr = strdup("somebody else");
        result = RECORD_STORE_LOST;
    } else if (fake.failures > 0) {
        fake.failures--;
        *reterr = strdup("the disk is full");
        result = -1;
    } else {
        fake.batches++;
        fake.changes += (int)count;
        snprintf(fake.last, sizeof(fake.last), "%s=%s", changes[count - 1].key,
                 changes[count - 1].value ? changes[count - 1].value : "gone");
    }
    pthread_mutex_unlock(&fake.lock);
    return result;
}

static void fake_close(struct record_store *store)
{
    fake.closed = true;
}

static struct records *begin(int failures, int delay_ms)
{
    struct records *records = NULL;

    fake.base = (struct record_store){.apply = fake_apply, .close = fake_close};
    fake.batches = fake.changes = 0;
    fake.failures = failures;
    fake.delay_ms = delay_ms;
    fake.closed = false;
    assert_int_equal(records_new(&records, &fake.base), 0);
    return records;
}

static void put(struct records *records, const char *key, const char *value)
{
    records_put(records, key, strdup(value), strlen(value));
}

static void test_what_is_waited_for_is_written(void **state)
{
    struct records *records = begin(0, 0);

    put(records, "a", "1");
    assert_true(records_wait(records, "a"));
    assert_string_equal(fake.last, "a=1");
    assert_true(records_wait(records, "a"));
    assert_true(records_wait(records, "never"));
    records_remove(records, "a");
    assert_true(records_wait(records, "a"));
    assert_string_equal(fake.last, "a=gone");
    records_free(records);
    assert_true(fake.closed);
}

static void test_only_the_last_of_one_key_is_written(void **state)
{
    struct records *records = begin(0, 50);
    char value[16];

    put(records, "other", "0");
    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof(value), "%d", i);
        put(records, "a", value);
    }
    records_free(records);
    assert_string_equal(fake.last, "a=999");
    assert_true(fake.changes <= 10); /* 2, but for a very slow machine */
}

static void test_change_during_a_write_is_written_after_it(void **state)
{
    struct records *records = begin(0, 100);

    put(records, "a", "1");
    nanosleep(&(struct timespec){.tv_nsec = 70000000}, NULL);
    put(records, "a", "2");
    assert_true(records_wait(records, "a"));
    assert_string_equal(fake.last, "a=2");
    records_free(records);
}

static void test_many_keys(void **state)
{
    struct records *records = begin(1, 0);
    char key[32];

    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        put(records, key, "x");
    }
    while (!records_wait(records, key)) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    records_free(records);
    assert_int_equal(fake.changes, 20000);
}

static void test_failure_is_told_and_tried_again(void **state)
{
    struct records *records = begin(2, 0);
    char *trouble;

    put(records, "a", "1");
    assert_false(records_wait(records, "a"));
    trouble = records_trouble(records);
    assert_string_equal(trouble, "the disk is full");
    free(trouble);
    put(records, "a", "2"); /* what is newer counts */
    while ((trouble = records_trouble(records))) {
        free(trouble);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_true(records_wait(records, "a"));
    assert_string_equal(fake.last, "a=2");
    records_free(records);
}

static void test_all_is_written_at_the_end(void **state)
{
    struct records *records = begin(0, 0);

    put(records, "a", "1");
    records_free(records);
    assert_string_equal(fake.last, "a=1");
}

static void test_end_comes_although_nothing_can_be_written(void **state)
{
    struct records *records = begin(1000, 0);

    put(records, "a", "1");
    records_free(records);
    assert_true(fake.closed);
}

static void test_without_records_nothing_happens(void **state)
{
    records_put(NULL, "a", strdup("1"), 1);
    records_remove(NULL, "a");
    assert_true(records_wait(NULL, "a"));
    assert_null(records_trouble(NULL));
    records_free(NULL);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* --- a store in which somebody else writes at times --- */

static void test_closed_ones_take_nothing(void **state)
{
    struct records *records = begin(0, 0);

    records_close(records, NULL);
    put(records, "a", "1");
    assert_false(records_wait(records, "a"));
    assert_null(records_trouble(records));
    records_open(records);
    records_release(records);
    put(records, "b", "2");
    assert_true(records_wait(records, "b"));
    assert_int_equal(fake.changes, 1);
    records_free(records);
}

static void test_what_is_held_is_written_once_released(void **state)
{
    struct records *records = begin(0, 0);

    records_close(records, NULL);
    records_open(records);
    assert_false(records_are_written(records));
    put(records, "a", "1");
    put(records, "b", "2");
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_int_equal(fake.changes, 0);
    records_release(records);
    assert_true(records_are_written(records));
    assert_true(records_wait(records, "a"));
    records_settle(records, 10000);
    assert_int_equal(fake.changes, 2);
    records_free(records);
}

static void test_lost_store_is_written_no_more(void **state)
{
    struct records *records = begin(0, 0);
    char *trouble;

    fake.lost = true;
    put(records, "a", "1");
    assert_false(records_wait(records, "a"));
    put(records, "b", "2");
    assert_false(records_wait(records, "b"));
    assert_false(records_are_written(records));
    assert_string_equal(trouble = records_trouble(records), "somebody else");
    free(trouble);
    assert_int_equal(fake.changes, 0);
    fake.lost = false;
    records_open(records);
    records_set_trouble(records, NULL);
    records_release(records);
    put(records, "c", "3");
    assert_true(records_wait(records, "c"));
    assert_int_equal(fake.changes, 1);
    records_free(records);
}

/* A batch that fails when its time is over is not written again in the next one. */
static void test_batch_of_an_earlier_time_is_dropped(void **state)
{
    struct records *records = begin(1, 200);

    put(records, "a", "1");
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL); /* it is being written, or about to be */
    records_close(records, NULL);
    records_open(records);
    records_release(records);
    put(records, "b", "2");
    while (!records_wait(records, "b")) { /* the store may have failed for this one */
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_string_equal(fake.last, "b=2");
    assert_int_equal(fake.changes, 1);
    records_free(records);
}

/* Nobody writes any more, so that nobody need be told that it failed. */
static void test_failure_after_the_end_is_no_trouble(void **state)
{
    struct records *records = begin(1, 200);

    put(records, "a", "1");
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    records_close(records, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_null(records_trouble(records));
    records_free(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DISK(test_records_are_there_after_it_was_closed),
        ON_DISK(test_value_may_be_any_bytes),
        ON_DISK(test_one_is_set_aside),
        ON_DISK(test_second_manager_is_refused),
        ON_DISK(test_folder_that_cannot_be_made_is_named),
        ON_DISK(test_damaged_head_is_set_aside),
        ON_DISK(test_damage_within_is_found),
        ON_DISK(test_file_cut_short_is_set_aside),
        ON_DISK(test_newer_one_is_set_aside),
        ON_DISK(test_foreign_one_is_set_aside),
        ON_DISK(test_empty_file_is_as_good_as_none),
        ON_DISK(test_what_cannot_be_written_is_not_there_in_part),
        cmocka_unit_test(test_what_is_waited_for_is_written),
        cmocka_unit_test(test_only_the_last_of_one_key_is_written),
        cmocka_unit_test(test_change_during_a_write_is_written_after_it),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_failure_is_told_and_tried_again),
        cmocka_unit_test(test_all_is_written_at_the_end),
        cmocka_unit_test(test_end_comes_although_nothing_can_be_written),
        cmocka_unit_test(test_without_records_nothing_happens),
        cmocka_unit_test(test_closed_ones_take_nothing),
        cmocka_unit_test(test_what_is_held_is_written_once_released),
        cmocka_unit_test(test_lost_store_is_written_no_more),
        cmocka_unit_test(test_batch_of_an_earlier_time_is_dropped),
        cmocka_unit_test(test_failure_after_the_end_is_no_trouble),
    };

    log_init(stderr, LOG_LEVEL_INFO);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
