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
    static const struct swarm__tally expected[] = {{0, 1}, {1, 2}, {5, 3}, {9, 1}};
    struct swarm__tally tally;
    uint32_t count = 0;
    for (uint32_t at = 0; swarm__posting_next(&posting, &at, &tally); count++)
        assert_memory_equal(&tally, &expected[count], sizeof(tally));
    assert_int_equal(count, COUNT(expected));
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

static uint64_t random_state = 1;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

#define SLOTS 3000

static void check_posting(const struct swarm__posting *posting, const uint32_t *counts)
{
    struct swarm__nodeset marked = {0}, left = {0};
    assert_int_equal(swarm__nodeset_init(&marked, SLOTS), 0);
    assert_int_equal(swarm__nodeset_init(&left, SLOTS), 0);
    memset(left.words, 0xff, left.length * sizeof(*left.words));
    swarm__posting_mark(posting, &marked);
    swarm__posting_unmark(posting, &left);
    uint32_t length = 0, at = 0;
    struct swarm__tally tally;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(swarm__posting_count(posting, slot), counts[slot]);
        assert_int_equal(swarm__nodeset_has(&marked, slot), counts[slot] > 0);
        assert_int_equal(swarm__nodeset_has(&left, slot), counts[slot] == 0);
        if (counts[slot] == 0)
            continue;
        assert_true(swarm__posting_next(posting, &at, &tally));
        assert_int_equal(tally.slot, slot);
        assert_int_equal(tally.count, counts[slot]);
        length++;
    }
    assert_false(swarm__posting_next(posting, &at, &tally));
    assert_int_equal(posting->length, length);
    swarm__nodeset_finish(&marked);
    swarm__nodeset_finish(&left);
}

static void check_below(const struct swarm__posting *posting, const uint32_t *counts)
{
    static uint32_t limits[SLOTS];
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        limits[slot] = draw(3);
    struct swarm__nodeset set = {0};
    assert_int_equal(swarm__nodeset_init(&set, SLOTS + 100), 0);
    memset(set.words, 0xff, set.length * sizeof(*set.words));
    swarm__posting_below(posting, limits, SLOTS, &set);
    for (uint32_t slot = 0; slot < SLOTS + 100; slot++)
        assert_int_equal(swarm__nodeset_has(&set, slot), slot < SLOTS && counts[slot] < limits[slot]);
    swarm__posting_below(NULL, limits, SLOTS, &set);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        assert_int_equal(swarm__nodeset_has(&set, slot), limits[slot] > 0);
    swarm__nodeset_finish(&set);
}

/* Many and few nodes, near and far slots, so that it becomes a list and dense again and again; at times without memory.
 */
static void test_posting_in_all_its_forms(void **state)
{
    static uint32_t counts[SLOTS];
    struct swarm__posting posting = {0};
    unsigned turns = 0;
    for (int round = 0; round < 120; round++) {
        uint32_t span = draw(4) == 0 ? SLOTS : 1 + draw(400), removals = 1 + draw(9);
        for (int step = 0; step < 500; step++) {
            uint32_t slot = draw(span);
            bool was_dense = posting.capacity == SWARM__POSTING_DENSE;
            if (draw(200) == 0)
                heap_fail(0, true);
            if (draw(10) >= removals)
                counts[slot] += swarm__posting_add(&posting, slot) == 0;
            else if (counts[slot] > 0)
                swarm__posting_remove(&posting, slot), counts[slot]--;
            heap_restore();
            turns += was_dense != (posting.capacity == SWARM__POSTING_DENSE);
        }
        check_posting(&posting, counts);
        check_below(&posting, counts);
        for (uint32_t slot = 0; round % 3 == 2 && slot < SLOTS; slot++)
            for (; counts[slot] > 0; counts[slot]--)
                swarm__posting_remove(&posting, slot);
    }
    assert_true(turns > 20);
    swarm__posting_finish(&posting);
}

static void test_marking_leaves_out_what_the_set_has_no_room_for(void **state)
{
    struct swarm__posting posting = {0};
    struct swarm__nodeset set = {0};
    for (uint32_t slot = 0; slot < 300; slot++)
        assert_int_equal(swarm__posting_add(&posting, slot), 0);
    assert_int_equal(posting.capacity, SWARM__POSTING_DENSE);
    assert_int_equal(swarm__nodeset_init(&set, 64), 0);
    swarm__posting_mark(&posting, &set);
    assert_int_equal(swarm__nodeset_count(&set), 64);
    swarm__posting_unmark(&posting, &set);
    assert_true(swarm__nodeset_empty(&set));
    swarm__nodeset_finish(&set);
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
        cmocka_unit_test(test_posting_in_all_its_forms),
        cmocka_unit_test(test_marking_leaves_out_what_the_set_has_no_room_for),
        cmocka_unit_test(test_entries_go_with_their_last_node),
        cmocka_unit_test(test_removing_by_the_indexs_own_text),
        cmocka_unit_test(test_mark_matches_each_value),
        cmocka_unit_test(test_add_without_memory_leaves_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
