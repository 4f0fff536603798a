/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer_hash.h"

/* Copies of just that many bytes, so that the address sanitizer sees a read beyond them. */
static uint64_t hash(const char *text, uint64_t (*of)(const char *text, size_t length))
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    uint64_t result;

    memcpy(copy, text, length);
    result = of(copy, length);
    free(copy);
    return result;
}

static void test_any_byte_makes_another_hash(void **state)
{
    char text[] = "[{\"Id\":\"0123456789abcdef\",\"Labels\":{}}]";
    uint64_t before = hash(text, answer_hash), list_before = hash(text, answer_hash_list);

    for (size_t i = 0; text[i]; i++) {
        text[i] ^= 1;
        assert_true(hash(text, answer_hash) != before && hash(text, answer_hash_list) != list_before);
        text[i] ^= 1;
    }
    assert_true(hash(text, answer_hash) == before && hash(text, answer_hash_list) == list_before);
    assert_true(hash("", answer_hash) != 0 && hash("", answer_hash_list) != 0);
    assert_true(hash("[]", answer_hash) != hash("[ ]", answer_hash));
}

static void test_status_is_passed_over(void **state)
{
    uint64_t one =
        hash("[{\"State\":\"running\",\"Status\":\"Up 3 minutes\"},{\"Status\":\"Created\"}]", answer_hash_list);

    assert_true(hash("[{\"State\":\"running\",\"Status\":\"Up About an hour\"},{\"Status\":\"\"}]", answer_hash_list) ==
                one);
    assert_true(
        hash("[{\"State\":\"exited\",\"Status\":\"Up 3 minutes\"},{\"Status\":\"Created\"}]", answer_hash_list) != one);
    assert_true(hash("[{\"State\":\"running\",\"Status\":\"Up 3 minutes\"},{\"Status\":\"Created\"},{}]",
                     answer_hash_list) != one);
}

static void test_text_may_end_in_a_status(void **state)
{
    assert_true(hash("\"Status\":\"Up", answer_hash_list) == hash("\"Status\":\"", answer_hash_list));
    assert_true(hash("\"Status\":", answer_hash_list) != hash("\"Status\":\"", answer_hash_list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_byte_makes_another_hash),
        cmocka_unit_test(test_status_is_passed_over),
        cmocka_unit_test(test_text_may_end_in_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
