/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include "fixture.h"
#include "heap.h"

static void test_every_code_has_a_text_of_its_own(void **state)
{
    static const int codes[] = {
#define CODE(name, number, text) name,
        SWARM_ERROR_LIST(CODE)
#undef CODE
    };
    for (size_t i = 0; i < COUNT(codes); i++) {
        assert_true(codes[i] < 0);
        assert_string_not_equal(swarm_strerror(codes[i]), "unknown error");
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(codes[i], codes[j]);
            assert_string_not_equal(swarm_strerror(codes[i]), swarm_strerror(codes[j]));
        }
    }
}

static void test_strerror_of_success_and_of_the_unknown(void **state)
{
    assert_string_equal(swarm_strerror(0), "success");
    assert_string_equal(swarm_strerror(-12345), "unknown error");
    assert_string_equal(swarm_strerror(7), "unknown error");
}

static void test_null_error_is_success(void **state)
{
    assert_int_equal(swarm_error_code(NULL), 0);
    assert_string_equal(swarm_error_message(NULL), "success");
    swarm_error_free(NULL);
}

static void test_set_formats_and_returns_the_code(void **state)
{
    struct swarm_error *error = NULL;
    assert_int_equal(swarm__error_set(&error, SWARM_ERR_PARSE, "%s at %d", "bad", 3), SWARM_ERR_PARSE);
    assert_int_equal(swarm_error_code(error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), "bad at 3");
    swarm_error_free(error);
}

static void test_set_without_a_place_returns_the_code(void **state)
{
    assert_int_equal(swarm__error_set(NULL, SWARM_ERR_STATE, "x"), SWARM_ERR_STATE);
}

static void test_prefix_puts_text_in_front(void **state)
{
    struct swarm_error *error = NULL;
    swarm__error_set(&error, SWARM_ERR_PARSE, "empty value");
    assert_int_equal(swarm__error_prefix(&error, "constraint '%s'", "a=="), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), "constraint 'a==': empty value");
    swarm_error_free(error);
}

static void test_error_that_cannot_be_made_says_out_of_memory(void **state)
{
    struct swarm_error *error = NULL;
    heap_fail(0, false);
    assert_int_equal(swarm__error_set(&error, SWARM_ERR_PARSE, "x"), SWARM_ERR_NOMEM);
    heap_restore();
    assert_int_equal(swarm_error_code(error), SWARM_ERR_NOMEM);
    assert_string_equal(swarm_error_message(error), "out of memory");
    swarm_error_free(error);
    swarm_error_free(error);
}

static void test_prefix_without_memory_keeps_the_message(void **state)
{
    struct swarm_error *error = NULL;
    swarm__error_set(&error, SWARM_ERR_PARSE, "empty value");
    heap_fail(0, false);
    assert_int_equal(swarm__error_prefix(&error, "constraint"), SWARM_ERR_PARSE);
    heap_restore();
    assert_string_equal(swarm_error_message(error), "empty value");
    swarm_error_free(error);
}

static void test_new_formats_and_returns_the_code(void **state)
{
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_error_new(&error, SWARM_ERR_NO_NODE, "rack %s: %d of %d", "r1", 3, 3), SWARM_ERR_NO_NODE);
    assert_int_equal(swarm_error_code(error), SWARM_ERR_NO_NODE);
    assert_string_equal(swarm_error_message(error), "rack r1: 3 of 3");
    swarm_error_free(error);
    assert_int_equal(swarm_error_new(NULL, SWARM_ERR_NO_NODE, "nobody asks"), SWARM_ERR_NO_NODE);
}

static void test_new_without_a_format_says_what_the_code_means(void **state)
{
    struct swarm_error *error = NULL;
    int (*unchecked)(struct swarm_error **, int, const char *, ...) = swarm_error_new; /* compilers refuse NULL */
    assert_int_equal(unchecked(&error, SWARM_ERR_STATE, NULL), SWARM_ERR_STATE);
    assert_string_equal(swarm_error_message(error), "not possible in this state");
    swarm_error_free(error);
}

static void test_new_takes_no_code_that_is_none(void **state)
{
    static const int codes[] = {0, 1, -4711};
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct swarm_error *error = NULL;
        assert_int_equal(swarm_error_new(&error, codes[i], "x"), SWARM_ERR_INVALID);
        assert_int_equal(swarm_error_code(error), SWARM_ERR_INVALID);
        assert_string_equal(swarm_error_message(error), "x");
        swarm_error_free(error);
        assert_int_equal(swarm_error_new(NULL, codes[i], "x"), SWARM_ERR_INVALID);
    }
}

static void test_new_without_memory_says_so(void **state)
{
    struct swarm_error *error = NULL;
    heap_fail(0, false);
    assert_int_equal(swarm_error_new(&error, SWARM_ERR_PARSE, "x"), SWARM_ERR_NOMEM);
    heap_restore();
    assert_int_equal(swarm_error_code(error), SWARM_ERR_NOMEM);
    swarm_error_free(error);
}

static void test_version_is_the_headers(void **state)
{
    assert_string_equal(swarm_version(), SWARM_VERSION);
    assert_int_equal(SWARM_VERSION_NUM, 0x010400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_a_text_of_its_own),
        cmocka_unit_test(test_strerror_of_success_and_of_the_unknown),
        cmocka_unit_test(test_null_error_is_success),
        cmocka_unit_test(test_set_formats_and_returns_the_code),
        cmocka_unit_test(test_set_without_a_place_returns_the_code),
        cmocka_unit_test(test_prefix_puts_text_in_front),
        cmocka_unit_test(test_error_that_cannot_be_made_says_out_of_memory),
        cmocka_unit_test(test_prefix_without_memory_keeps_the_message),
        cmocka_unit_test(test_new_formats_and_returns_the_code),
        cmocka_unit_test(test_new_without_a_format_says_what_the_code_means),
        cmocka_unit_test(test_new_takes_no_code_that_is_none),
        cmocka_unit_test(test_new_without_memory_says_so),
        cmocka_unit_test(test_version_is_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
