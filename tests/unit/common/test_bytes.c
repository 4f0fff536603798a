/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

static void test_text_is_written_whatever_room_there_was(void **state)
{
    /* At each length the room left is another one, down to none. */
    for (size_t length = 0; length < 3000; length++) {
        struct bytes bytes = {0};
        char *text = malloc(length + 1);
        assert_non_null(text);
        memset(text, 'x', length);
        text[length] = '\0';
        assert_int_equal(bytes_append_text(&bytes, "begin"), 0);
        assert_int_equal(bytes_printf(&bytes, "%s|%d", text, 7), 0);
        assert_int_equal(bytes_length(&bytes), 5 + length + 2);
        assert_memory_equal(bytes_at(&bytes), "begin", 5);
        assert_memory_equal(bytes_at(&bytes) + 5, text, length);
        assert_memory_equal(bytes_at(&bytes) + 5 + length, "|7", 2);
        bytes_free(&bytes);
        free(text);
    }
}

/* Numbers in order: what is lost or doubled on the way shows. */
static void append_numbers(struct bytes *bytes, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        assert_int_equal(bytes_append(bytes, &i, sizeof i), 0);
}

static void check_numbers(const struct bytes *bytes, uint32_t from, uint32_t to)
{
    assert_int_equal(bytes_length(bytes), (size_t)(to - from) * sizeof from);
    for (uint32_t i = from; i < to; i++)
        assert_memory_equal(bytes_at(bytes) + (size_t)(i - from) * sizeof i, &i, sizeof i);
}

static void check_growth(bool pages)
{
    struct bytes bytes = {.pages = pages}, other = {.pages = pages};
    append_numbers(&bytes, 0, 100000);
    check_numbers(&bytes, 0, 100000);
    bytes_consume(&bytes, 50000 * sizeof(uint32_t));
    append_numbers(&bytes, 100000, 200000);
    check_numbers(&bytes, 50000, 200000);

    append_numbers(&other, 0, 2);
    bytes_consume(&other, 2 * sizeof(uint32_t));
    assert_int_equal(bytes_move(&other, &bytes), 0);
    assert_int_equal(bytes_length(&bytes), 0);
    append_numbers(&bytes, 200000, 200010);
    assert_int_equal(bytes_move(&other, &bytes), 0);
    check_numbers(&other, 50000, 200010);

    bytes_free(&other);
    assert_int_equal(other.size, 0);
    assert_int_equal(other.pages, pages);
    append_numbers(&other, 0, 100000);
    check_numbers(&other, 0, 100000);
    bytes_free(&other);
    bytes_free(&bytes);
}

static void test_content_stays_as_it_grows_and_moves(void **state)
{
    check_growth(false);
    check_growth(true);
}

static void test_too_much_room_is_refused(void **state)
{
    for (int pages = 0; pages < 2; pages++) {
        struct bytes bytes = {.pages = pages};
        append_numbers(&bytes, 0, 30000);
        assert_int_equal(bytes_reserve(&bytes, SIZE_MAX / 2), -1);
        check_numbers(&bytes, 0, 30000);
        bytes_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_written_whatever_room_there_was),
        cmocka_unit_test(test_content_stays_as_it_grows_and_moves),
        cmocka_unit_test(test_too_much_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
