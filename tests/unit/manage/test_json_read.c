/* SPDX-License-Identifier: Apache-2.0 */
/* What is read is what jansson reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_read.h"

static void test_texts_are_what_jansson_makes_of_them(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " \n[ 1 , -2,0, -0, 1.5, 1e3, -1.25E-2, true,false , null ]\t",
        "{\"a\":{\"b\":[{\"c\":[]},{}]},\"d\":\"\"}",
        "{\"twice\":1,\"other\":2,\"twice\":3}",
        "{\"a\\tb\":1,\"\\u00e9\":2,\"\xc3\xa9\":3,\"\":4}",
        "[\"plain\",\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\",\"\\u00e9\\ud83d\\ude00\",\"\xf0\x9f\x98\x80\",\"a\\u0000b\"]",
        "[999999999999999999,-99999999999999999,9223372036854775807,-9223372036854775808]",
        /* refused */
        "[9223372036854775808]",
        "[1e999]",
        "{\"a\\u0000b\":1}",
        "[\"\xff\"]",
        "[1,]",
        "[1] 2",
        "[01]",
        "[\"a\nb\"]",
        "{\"a\":1",
        "\"text\"",
        "7",
        "",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_error_t error = {0}, expected_error = {0};
        json_t *expected = json_loadb(texts[i], strlen(texts[i]), JSON_ALLOW_NUL, &expected_error);
        json_t *read = json_read(texts[i], strlen(texts[i]), JSON_ALLOW_NUL, &error);
        char *a = json_dumps(expected, JSON_ENCODE_ANY), *b = json_dumps(read, JSON_ENCODE_ANY);

        if ((read == NULL) != (expected == NULL) || (a && (!b || strcmp(a, b) != 0)))
            fail_msg("%s: %s, not %s", texts[i], b, a);
        assert_string_equal(error.text, expected_error.text);
        free(a);
        free(b);
        json_decref(read);
        json_decref(expected);
    }
}

static void test_keys_of_any_length(void **state)
{
    for (size_t length = 120; length < 140; length++) {
        char text[256] = "{\"", key[160];
        json_t *read;

        memset(key, 'k', length);
        key[length] = '\0';
        strcat(strcat(text, key), "\":7}");
        read = json_read(text, strlen(text), JSON_ALLOW_NUL, NULL);
        assert_int_equal(json_integer_value(json_object_get(read, key)), 7);
        json_decref(read);
    }
}

static void test_what_follows_is_not_read(void **state)
{
    static const char text[] = "{\"a\":[1,2]}garbage";
    json_t *read = json_read(text, 11, JSON_ALLOW_NUL, NULL);

    assert_int_equal(json_array_size(json_object_get(read, "a")), 2);
    json_decref(read);
}

static void test_what_is_nested_too_deep_is_refused(void **state)
{
    for (size_t depth = JSON_READ_DEPTH_MAX - 1; depth <= JSON_READ_DEPTH_MAX + 1; depth++) {
        char text[2 * JSON_READ_DEPTH_MAX + 4];
        json_error_t error = {0};
        json_t *read;

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        read = json_read(text, 2 * depth, JSON_ALLOW_NUL, &error);
        assert_int_equal(read != NULL, depth <= JSON_READ_DEPTH_MAX);
        if (read == NULL)
            assert_non_null(strstr(error.text, "nested deeper"));
        json_decref(read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_what_jansson_makes_of_them),
        cmocka_unit_test(test_keys_of_any_length),
        cmocka_unit_test(test_what_follows_is_not_read),
        cmocka_unit_test(test_what_is_nested_too_deep_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
