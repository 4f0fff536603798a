/* SPDX-License-Identifier: Apache-2.0 */
#include "memo.h"

#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "heap.h"

/* Subjects are numbers here; one is on the node of the slot of that number, and on others as it is told. */
struct thing {
    struct swarm__subject subject;
    char text[16];
    struct swarm__posting nodes;
};

static struct thing *thing_of(const struct swarm__subject *subject)
{
    return (struct thing *)(uintptr_t)subject;
}

static size_t matches; /* that were tried */

static int match(const struct swarm__subject *subject, const struct swarm__question *question,
                 struct swarm__matcher *matcher)
{
    matches++;
    const char *text = thing_of(subject)->text;
    if (!question->pattern)
        return strncmp(text, question->text, strlen(question->text)) == 0;
    return swarm__expr_match(question->pattern, matcher, text, strlen(text));
}

static const struct swarm__posting *nodes_of(const struct swarm__subject *subject, struct swarm__posting *one)
{
    return &thing_of(subject)->nodes;
}

static const struct swarm__memo_kind kind = {match, nodes_of};

#define SLOTS 1024

static struct swarm__memo_pool pool;
static struct swarm__memo *memo;
static struct swarm__matcher matcher;
static struct thing things[2000];

static int set_up(void **state)
{
    memset(&pool, 0, sizeof(pool));
    memset(things, 0, sizeof(things));
    memo = calloc(1, sizeof(*memo));
    assert_int_equal(swarm__memo_wake(memo, &kind, &pool, 4), 0);
    matches = 0;
    return 0;
}

static int tear_down(void **state)
{
    heap_restore();
    swarm__memo_free(memo);
    assert_int_equal(pool.count, 0);
    swarm__matcher_finish(&matcher);
    for (size_t i = 0; i < COUNT(things); i++)
        swarm__posting_finish(&things[i].nodes);
    return 0;
}

static void come(size_t i)
{
    sprintf(things[i].text, "t%zu", i);
    assert_int_equal(swarm__posting_add(&things[i].nodes, (uint32_t)(i % SLOTS)), 0);
    swarm__memo_born(memo, &things[i].subject);
}

static void stay_on(size_t i, uint32_t slot)
{
    assert_int_equal(swarm__posting_add(&things[i].nodes, slot), 0);
    swarm__memo_on(memo, &things[i].subject, slot);
}

static void leave(size_t i, uint32_t slot)
{
    swarm__posting_remove(&things[i].nodes, slot);
    swarm__memo_off(memo, &things[i].subject, slot);
}

static void go(size_t i)
{
    struct swarm__tally tally;
    for (uint32_t at = 0; swarm__posting_next(&things[i].nodes, &at, &tally);)
        swarm__memo_off(memo, &things[i].subject, tally.slot);
    swarm__posting_finish(&things[i].nodes);
    swarm__memo_gone(memo, &things[i].subject);
}

static const struct swarm__memo_entry *learn_of(struct swarm__memo *of, const char *pattern)
{
    struct swarm__expr expr;
    char text[64];
    snprintf(text, sizeof(text), "key==%s", pattern);
    assert_int_equal(swarm__expr_init(&expr, text, strlen(text)), 0);
    assert_int_equal(expr.kind, SWARM__EXPR_PATTERN);
    struct swarm__question question = swarm__question_of(&expr);
    const struct swarm__memo_entry *entry = swarm__memo_learn(of, &question, &matcher, SLOTS);
    if (entry)
        assert_ptr_equal(swarm__memo_find(of, &question), entry);
    swarm__expr_finish(&expr);
    return entry;
}

static const struct swarm__memo_entry *learn(const char *pattern)
{
    return learn_of(memo, pattern);
}

static const struct swarm__memo_entry *learn_prefix(const char *text)
{
    struct swarm__question question = {NULL, text};
    return swarm__memo_learn(memo, &question, &matcher, SLOTS);
}

/* "1 2 | 2": nodes, and those with several. */
static void check(const struct swarm__memo_entry *entry, const char *expected)
{
    struct swarm__nodeset nodes = {0}, several = {0};
    assert_int_equal(swarm__nodeset_init(&nodes, SLOTS), 0);
    assert_int_equal(swarm__nodeset_init(&several, SLOTS), 0);
    assert_int_equal(swarm__memo_mark(entry, &matcher, &nodes, &several), 0);
    char text[512] = "";
    for (size_t slot = swarm__nodeset_next(&nodes, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(&nodes, slot + 1))
        sprintf(text + strlen(text), "%zu ", slot);
    strcat(text, "|");
    for (size_t slot = swarm__nodeset_next(&several, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(&several, slot + 1))
        sprintf(text + strlen(text), " %zu", slot);
    assert_string_equal(text, expected);
    swarm__nodeset_finish(&nodes);
    swarm__nodeset_finish(&several);
}

static void test_each_subject_is_matched_once_a_pattern(void **state)
{
    for (size_t i = 0; i < 30; i++)
        come(i);
    check(learn("t1*"), "1 10 11 12 13 14 15 16 17 18 19 |");
    assert_int_equal(matches, 30);
    check(learn("t1*"), "1 10 11 12 13 14 15 16 17 18 19 |");
    assert_int_equal(matches, 30);
    check(learn("/^t[28]$/"), "2 8 |");
    assert_int_equal(matches, 60);
    come(100);
    check(learn("t1*"), "1 10 11 12 13 14 15 16 17 18 19 100 |");
    assert_int_equal(matches, 61);
}

static void test_nodes_are_counted_as_subjects_come_to_them_and_go(void **state)
{
    for (size_t i = 0; i < 8; i++)
        come(i);
    const struct swarm__memo_entry *entry = learn("t[123]");
    stay_on(1, 2);
    stay_on(2, 7);
    stay_on(5, 3);
    check(entry, "1 2 3 7 | 2");
    leave(2, 2);
    check(entry, "1 2 3 7 |");
    leave(1, 2);
    check(entry, "1 3 7 |");
    go(3);
    check(entry, "1 7 |");
    assert_int_equal(matches, 8);
}

static void test_one_who_only_reads_matches_what_came_since(void **state)
{
    come(0);
    const struct swarm__memo_entry *entry = learn("t*");
    come(1);
    come(2);
    stay_on(2, 1);
    for (int i = 0; i < 2; i++)
        check(entry, "0 1 2 | 1");
    assert_int_equal(matches, 5);
    go(1);
    check(entry, "0 1 2 |");
    check(learn("t*"), "0 1 2 |");
}

static void test_beginnings_are_no_patterns(void **state)
{
    come(1);
    come(10);
    come(2);
    check(learn_prefix("t1"), "1 10 |");
    check(learn_prefix("t."), "|");
    check(learn("t."), "1 2 |");
    check(learn_prefix("t."), "|");
}

static void test_matching_nothing_is_remembered(void **state)
{
    assert_true(learn("/^x?$/")->matches_nothing);
    assert_false(learn("t*")->matches_nothing);
}

static void test_the_pattern_least_asked_for_makes_room(void **state)
{
    char pattern[32];
    for (size_t i = 0; i < 40; i++)
        come(i);
    for (int i = 0; i < SWARM__MEMO_MOST; i++) {
        sprintf(pattern, "/^t%d$/", i);
        assert_non_null(learn(pattern));
    }
    matches = 0;
    check(learn("/^t0$/"), "0 |");
    assert_int_equal(matches, 0);
    check(learn("t3?"), "3 |"); /* in the place of t1 */
    assert_int_equal(matches, 40);
    check(learn("/^t0$/"), "0 |");
    assert_int_equal(matches, 40);
    check(learn("/^t1$/"), "1 |"); /* in the place of t2, whose bits are left in its subject */
    assert_int_equal(matches, 80);
    stay_on(2, 900);
    check(learn("/^t1$/"), "1 |");
    assert_int_equal(pool.count, SWARM__MEMO_MOST);
}

static void test_all_memos_of_a_cluster_share_a_limit(void **state)
{
    static struct swarm__memo others[SWARM__MEMO_POOL_MOST + 1];
    memset(others, 0, sizeof(others));
    come(3);
    assert_non_null(learn("t*"));
    for (size_t i = 0; i < SWARM__MEMO_POOL_MOST; i++) {
        assert_int_equal(swarm__memo_wake(&others[i], &kind, &pool, 0), 0);
        assert_non_null(learn_of(&others[i], "t*"));
    }
    assert_int_equal(pool.count, SWARM__MEMO_POOL_MOST);
    assert_false(swarm__memo_awake(memo)); /* it has forgotten all there was */
    come(4);                               /* it does not care */
    for (size_t i = 0; i < SWARM__MEMO_POOL_MOST; i++) {
        assert_true(swarm__memo_awake(&others[i]));
        swarm__memo_sleep(&others[i]);
    }
    assert_int_equal(pool.count, 0);
}

static void test_holes_are_closed_and_nothing_is_matched_twice(void **state)
{
    for (size_t i = 0; i < 1000; i++)
        come(i);
    assert_non_null(learn("t*9"));
    for (size_t i = 1000; i < 1200; i++)
        come(i);
    assert_non_null(learn("t1*"));
    for (size_t i = 1200; i < 1500; i++)
        come(i);
    for (size_t i = 0; i < 1498; i++)
        if (i % 100 != 99)
            go(i);
    assert_true(memo->capacity < 100); /* the memory is given back */
    matches = 0;
    check(learn("t*9"), "75 99 175 199 275 299 375 399 475 499 599 699 799 899 999 |");
    assert_int_equal(matches, 6);
    check(learn("t1*"), "75 175 199 275 375 474 475 |");
    assert_int_equal(matches, 10);
}

static void test_growing_slots(void **state)
{
    come(1);
    struct swarm__question question = {NULL, "t"};
    assert_non_null(swarm__memo_learn(memo, &question, &matcher, 10));
    stay_on(1, 700);
    stay_on(1, 63);
    check(swarm__memo_learn(memo, &question, &matcher, SLOTS), "1 63 700 |");
}

static void test_without_memory_it_is_forgotten(void **state)
{
    come(1);
    struct swarm__question question = {NULL, "t"};
    assert_non_null(swarm__memo_learn(memo, &question, &matcher, 10));
    heap_fail(0, false);
    swarm__memo_on(memo, &things[1].subject, 700);
    heap_restore();
    assert_null(swarm__memo_find(memo, &question));
    assert_false(swarm__memo_awake(memo));

    assert_int_equal(swarm__memo_wake(memo, &kind, &pool, 0), 0);
    swarm__memo_born(memo, &things[1].subject);
    assert_non_null(learn("t*"));
    heap_fail(0, false);
    for (size_t i = 2; i < 100; i++)
        swarm__memo_born(memo, &things[i].subject);
    heap_restore();
    assert_false(swarm__memo_awake(memo));
}

static void learn_without_memory(const char *text, bool once)
{
    struct swarm__expr expr;
    assert_int_equal(swarm__expr_init(&expr, text, strlen(text)), 0);
    struct swarm__question question = swarm__question_of(&expr);
    for (size_t n = 0;; n++) {
        heap_fail(n, once);
        const struct swarm__memo_entry *entry = swarm__memo_learn(memo, &question, &matcher, SLOTS);
        bool failed = heap_failed();
        heap_restore();
        if (!failed) {
            check(entry, "5 6 7 |");
            assert_true(n > 3);
            break;
        }
        assert_null(entry);
        assert_null(swarm__memo_find(memo, &question));
        assert_true(n < 100);
        swarm__matcher_finish(&matcher);
    }
    swarm__expr_finish(&expr);
}

static void test_learning_is_all_or_nothing(void **state)
{
    for (size_t i = 0; i < 10; i++)
        come(i);
    check(learn("t9*"), "9 |");
    swarm__matcher_finish(&matcher);
    learn_without_memory("key==/t[5-7]/", true);
    swarm__matcher_finish(&matcher);
    learn_without_memory("key==/[567]/", false);
    assert_int_equal(pool.count, 3);
    come(90);
    check(learn("t9*"), "9 90 |");
}

static void test_what_was_learned_stays_where_catching_up_fails(void **state)
{
    come(1);
    assert_non_null(learn("t*"));
    come(2);
    come(3);
    swarm__matcher_finish(&matcher);
    struct swarm__expr expr;
    assert_int_equal(swarm__expr_init(&expr, "key==t*", 7), 0);
    struct swarm__question question = swarm__question_of(&expr);
    heap_fail(0, true);
    assert_null(swarm__memo_learn(memo, &question, &matcher, SLOTS));
    heap_restore();
    check(swarm__memo_find(memo, &question), "1 2 3 |");
    check(learn("t*"), "1 2 3 |");
    swarm__expr_finish(&expr);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_each_subject_is_matched_once_a_pattern),
        TEST(test_nodes_are_counted_as_subjects_come_to_them_and_go),
        TEST(test_one_who_only_reads_matches_what_came_since),
        TEST(test_beginnings_are_no_patterns),
        TEST(test_matching_nothing_is_remembered),
        TEST(test_the_pattern_least_asked_for_makes_room),
        TEST(test_all_memos_of_a_cluster_share_a_limit),
        TEST(test_holes_are_closed_and_nothing_is_matched_twice),
        TEST(test_growing_slots),
        TEST(test_without_memory_it_is_forgotten),
        TEST(test_learning_is_all_or_nothing),
        TEST(test_what_was_learned_stays_where_catching_up_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
