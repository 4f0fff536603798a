/* SPDX-License-Identifier: Apache-2.0 */
#include "nodeset.h"

#include "fixture.h"
#include "heap.h"

static struct swarm__nodeset set_of(const size_t *members, size_t count)
{
    struct swarm__nodeset set = {0};
    assert_int_equal(swarm__nodeset_init(&set, 200), 0);
    for (size_t i = 0; i < count; i++)
        swarm__nodeset_add(&set, members[i]);
    return set;
}

static void test_walk_gives_members_in_order(void **state)
{
    static const size_t members[] = {0, 63, 64, 127, 128, 199};
    struct swarm__nodeset set = set_of(members, COUNT(members));
    size_t slot = swarm__nodeset_next(&set, 0);
    for (size_t i = 0; i < COUNT(members); i++) {
        assert_int_equal(slot, members[i]);
        slot = swarm__nodeset_next(&set, slot + 1);
    }
    assert_true(slot == SWARM__NODESET_END);
    assert_int_equal(swarm__nodeset_count(&set), COUNT(members));
    swarm__nodeset_finish(&set);
}

static void test_walk_past_the_last_word_ends(void **state)
{
    struct swarm__nodeset set = set_of((const size_t[]){5}, 1);
    assert_true(swarm__nodeset_next(&set, 256) == SWARM__NODESET_END);
    assert_true(swarm__nodeset_next(&set, 6) == SWARM__NODESET_END);
    swarm__nodeset_finish(&set);
}

static void test_and_keeps_what_is_in_both(void **state)
{
    struct swarm__nodeset a = set_of((const size_t[]){1, 70, 150}, 3), b = set_of((const size_t[]){70, 151}, 2);
    swarm__nodeset_and(&a, &b);
    assert_int_equal(swarm__nodeset_next(&a, 0), 70);
    assert_int_equal(swarm__nodeset_count(&a), 1);
    swarm__nodeset_finish(&a);
    swarm__nodeset_finish(&b);
}

static void test_and_not_takes_the_others_out(void **state)
{
    struct swarm__nodeset a = set_of((const size_t[]){1, 70, 150}, 3), b = set_of((const size_t[]){70, 151}, 2);
    swarm__nodeset_and_not(&a, &b);
    assert_true(swarm__nodeset_has(&a, 1));
    assert_false(swarm__nodeset_has(&a, 70));
    assert_true(swarm__nodeset_has(&a, 150));
    swarm__nodeset_finish(&a);
    swarm__nodeset_finish(&b);
}

static void test_put_adds_and_removes(void **state)
{
    struct swarm__nodeset set = set_of(NULL, 0);
    assert_true(swarm__nodeset_empty(&set));
    swarm__nodeset_put(&set, 9, true);
    assert_true(swarm__nodeset_has(&set, 9));
    swarm__nodeset_put(&set, 9, false);
    assert_true(swarm__nodeset_empty(&set));
    swarm__nodeset_finish(&set);
}

static void test_resize_keeps_members(void **state)
{
    struct swarm__nodeset set = set_of((const size_t[]){3, 130}, 2);
    assert_int_equal(swarm__nodeset_resize(&set, 1000), 0);
    assert_true(swarm__nodeset_has(&set, 3));
    assert_true(swarm__nodeset_has(&set, 130));
    assert_int_equal(swarm__nodeset_count(&set), 2);
    swarm__nodeset_finish(&set);
}

static void test_resize_without_memory_changes_nothing(void **state)
{
    struct swarm__nodeset set = set_of((const size_t[]){3}, 1);
    size_t length = set.length;
    heap_fail(0, false);
    assert_int_equal(swarm__nodeset_resize(&set, 1000), -1);
    heap_restore();
    assert_int_equal(set.length, length);
    assert_true(swarm__nodeset_has(&set, 3));
    swarm__nodeset_finish(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_gives_members_in_order),
        cmocka_unit_test(test_walk_past_the_last_word_ends),
        cmocka_unit_test(test_and_keeps_what_is_in_both),
        cmocka_unit_test(test_and_not_takes_the_others_out),
        cmocka_unit_test(test_put_adds_and_removes),
        cmocka_unit_test(test_resize_keeps_members),
        cmocka_unit_test(test_resize_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
