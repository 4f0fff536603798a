/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include "fixture.h"
#include "heap.h"

static void test_posting_counts_each_slot(void **state)
{
    static const uint32_t slots[] = {5, 1, 5, 9, 1, 5, 0};
    struct swarm__posting posting = {0};
    for (size_t i = 0; i < COUNT(slots); i++)
        assert_int_equal(swarm__posting_add(&posting, slots[i]), 0);
    assert_int_equal(posting.length, 4);
    assert_int_equal(swarm__posting_count(&posting, 5), 3);
    assert_int_equal(swarm__posting_count(&posting, 1), 2);
    assert_int_equal(swarm__posting_count(&posting, 2), 0);
    for (uint32_t i = 1; i < posting.length; i++)
        assert_true(swarm__posting_tallies(&posting)[i - 1].slot < swarm__posting_tallies(&posting)[i].slot);
    swarm__posting_finish(&posting);
}

static void test_posting_drops_a_slot_with_its_last_count(void **state)
{
    struct swarm__posting posting = {0};
    swarm__posting_add(&posting, 3);
    swarm__posting_add(&posting, 3);
    swarm__posting_add(&posting, 4);
    swarm__posting_remove(&posting, 3);
    assert_int_equal(swarm__posting_count(&posting, 3), 1);
    swarm__posting_remove(&posting, 3);
    assert_int_equal(posting.length, 1);
    assert_int_equal(swarm__posting_count(&posting, 4), 1);
    swarm__posting_finish(&posting);
}

static void test_one_slot_needs_no_memory(void **state)
{
    struct swarm__posting posting = {0};
    heap_fail(0, false);
    assert_int_equal(swarm__posting_add(&posting, 7), 0);
    assert_int_equal(swarm__posting_add(&posting, 8), -1);
    heap_restore();
    assert_int_equal(posting.length, 1);
    swarm__posting_finish(&posting);
}

static void test_entries_go_with_their_last_node(void **state)
{
    struct swarm__index index = {0};
    swarm__index_add(&index, "zone", "a", 1);
    swarm__index_add(&index, "zone", "a", 1);
    swarm__index_add(&index, "zone", "b", 2);
    swarm__index_remove(&index, "zone", "b", 2);
    const struct swarm__index_key *key = swarm__index_find(&index, "zone");
    assert_null(swarm__index_value(key, "b"));
    assert_int_equal(swarm__posting_count(swarm__index_value(key, "a"), 1), 2);
    swarm__index_remove(&index, "zone", "a", 1);
    swarm__index_remove(&index, "zone", "a", 1);
    assert_null(swarm__index_find(&index, "zone"));
    assert_int_equal(index.keys.count, 0);
    swarm__index_finish(&index);
}

static void test_removing_by_the_indexs_own_text(void **state)
{
    struct swarm__index index = {0};
    swarm__index_add(&index, "zone", "a", 1);
    const struct swarm__index_key *key = swarm__index_find(&index, "zone");
    swarm__index_remove(&index, key->text, swarm__index_text(key, "a"), 1);
    assert_int_equal(index.keys.count, 0);
    swarm__index_finish(&index);
}

static void check_marked(const char *text, const char *expected)
{
    struct swarm__index index = {0};
    static const char *const values[] = {"us-east", "us-west", "eu", "abc", "a.c"};
    for (uint32_t i = 0; i < COUNT(values); i++)
        swarm__index_add(&index, "region", values[i], i);
    struct swarm__expr expr;
    struct swarm__matcher matcher = {NULL, NULL};
    struct swarm__nodeset set = {0};
    assert_int_equal(swarm__expr_init(&expr, text, strlen(text)), 0);
    assert_int_equal(swarm__nodeset_init(&set, COUNT(values)), 0);
    assert_int_equal(swarm__index_mark(swarm__index_find(&index, "region"), &expr, &matcher, &set), 0);
    for (size_t i = 0; i < COUNT(values); i++)
        if (swarm__nodeset_has(&set, i) != (expected[i] == '1'))
            fail_msg("%s: value %s", text, values[i]);
    swarm__nodeset_finish(&set);
    swarm__matcher_finish(&matcher);
    swarm__expr_finish(&expr);
    swarm__index_finish(&index);
}

static void test_mark_matches_each_value(void **state)
{
    check_marked("region==eu", "00100");
    check_marked("region==us*", "11000");
    check_marked("region!=us*", "11000"); /* the operator is not applied here */
    check_marked("region==/u/", "11100");
    check_marked("region==a.c", "00011"); /* '.' is any character, in classic Swarm's patterns as well */
    check_marked("region==/(/", "00000");
}

static void test_add_without_memory_leaves_no_entry(void **state)
{
    for (size_t n = 0;; n++) {
        struct swarm__index index = {0};
        heap_fail(n, true);
        int code = swarm__index_add(&index, "zone", "a", 1);
        heap_restore();
        assert_int_equal(index.keys.count, code == 0 ? 1 : 0);
        swarm__index_finish(&index);
        if (code == 0)
            break;
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posting_counts_each_slot),
        cmocka_unit_test(test_posting_drops_a_slot_with_its_last_count),
        cmocka_unit_test(test_one_slot_needs_no_memory),
        cmocka_unit_test(test_entries_go_with_their_last_node),
        cmocka_unit_test(test_removing_by_the_indexs_own_text),
        cmocka_unit_test(test_mark_matches_each_value),
        cmocka_unit_test(test_add_without_memory_leaves_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
