/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fan_queue.h"

static struct fan_queue queue;

static int set_up(void **state)
{
    return fan_queue_init(&queue, 8, 2);
}

static int tear_down(void **state)
{
    fan_queue_finish(&queue);
    return 0;
}

static void assert_taken(size_t reader, size_t size, const char *expected)
{
    char buffer[16] = "";

    assert_int_equal(fan_queue_take(&queue, reader, buffer, size), strlen(expected));
    assert_string_equal(buffer, expected);
}

static void test_each_reader_gets_everything_once(void **state)
{
    assert_int_equal(fan_queue_put(&queue, "abcd", 4), 4);
    assert_taken(0, 16, "abcd");
    assert_taken(0, 16, "");
    assert_taken(1, 3, "abc");
    assert_int_equal(fan_queue_waiting(&queue, 1), 1);
    assert_taken(1, 3, "d");
}

static void test_slowest_reader_decides_about_room(void **state)
{
    assert_int_equal(fan_queue_put(&queue, "abcdefghij", 10), 8);
    assert_taken(0, 16, "abcdefgh");
    assert_int_equal(fan_queue_room(&queue), 0);
    assert_false(fan_queue_held_by(&queue, 0));
    assert_true(fan_queue_held_by(&queue, 1));
    assert_taken(1, 5, "abcde");
    assert_int_equal(fan_queue_room(&queue), 5);
    assert_false(fan_queue_held_by(&queue, 1));
}

static void test_bytes_wrap_around(void **state)
{
    for (int i = 0; i < 100; i++) {
        assert_int_equal(fan_queue_put(&queue, "12345", 5), 5);
        assert_taken(0, 16, "12345");
        assert_taken(1, 2, "12");
        assert_taken(1, 16, "345");
    }
}

static void test_reader_that_leaves_holds_nothing(void **state)
{
    fan_queue_put(&queue, "abcdefgh", 8);
    assert_taken(0, 16, "abcdefgh");
    fan_queue_leave(&queue, 1);
    assert_int_equal(fan_queue_room(&queue), 8);
    assert_false(fan_queue_held_by(&queue, 1));
    assert_taken(1, 16, "");
    assert_int_equal(fan_queue_put(&queue, "ijkl", 4), 4);
    assert_taken(0, 16, "ijkl");
}

static void test_without_readers_nothing_is_kept(void **state)
{
    fan_queue_leave(&queue, 0);
    fan_queue_leave(&queue, 1);
    fan_queue_put(&queue, "abcdefgh", 8);
    fan_queue_leave(&queue, 1);
    assert_int_equal(fan_queue_room(&queue), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_reader_gets_everything_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slowest_reader_decides_about_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_wrap_around, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_that_leaves_holds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_readers_nothing_is_kept, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
