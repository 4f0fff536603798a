/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

static void test_leaving_twice_is_leaving_once(void **state)
{
    fan_queue_put(&queue, "abcd", 4);
    fan_queue_leave(&queue, 1);
    fan_queue_leave(&queue, 1);
    assert_int_equal(fan_queue_room(&queue), 4);
    assert_taken(0, 16, "abcd");
    assert_int_equal(fan_queue_room(&queue), 8);
}

#define READERS 5

/* The stream's byte at that place. */
static char byte_at(uint64_t position)
{
    return (char)(position * 7 + position / 256);
}

static void put_some(struct fan_queue *many, size_t length)
{
    char bytes[64];
    size_t put, room = fan_queue_room(many);

    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(many->end + i);
    put = fan_queue_put(many, bytes, length);
    assert_int_equal(put, length < room ? length : room);
}

static void take_some(struct fan_queue *many, size_t reader, size_t size)
{
    char bytes[64];
    uint64_t from = many->readers[reader].taken;
    size_t taken = fan_queue_take(many, reader, bytes, size);

    for (size_t i = 0; i < taken; i++)
        assert_int_equal(bytes[i], byte_at(from + i));
}

static void assert_consistent(const struct fan_queue *many)
{
    uint64_t least = many->end;

    for (size_t i = 0; i < READERS; i++) {
        if (!many->readers[i].left && many->readers[i].taken < least)
            least = many->readers[i].taken;
    }
    assert_int_equal(many->begin, least);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(fan_queue_held_by(many, i),
                         !many->readers[i].left && fan_queue_room(many) == 0 && many->readers[i].taken == least);
}

static void test_random_readers_get_every_byte(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct fan_queue many;
        unsigned random = seed;

        assert_int_equal(fan_queue_init(&many, 40, READERS), 0);
        for (int step = 0; step < 5000; step++) {
            unsigned what = (unsigned)rand_r(&random), size = (unsigned)rand_r(&random) % 60;

            if (what % 3 == 0)
                put_some(&many, size);
            else if (step > 4000 && what % 101 == 0 && !many.readers[1].left)
                fan_queue_leave(&many, what % 2 ? 1 : 3);
            else
                take_some(&many, what / 3 % READERS, size);
            assert_consistent(&many);
        }
        fan_queue_finish(&many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_reader_gets_everything_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slowest_reader_decides_about_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_wrap_around, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_that_leaves_holds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaving_twice_is_leaving_once, set_up, tear_down),
        cmocka_unit_test(test_random_readers_get_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
