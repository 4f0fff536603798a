/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "fixture.h"
#include "heap.h"
#include "mem.h"

/* The JSON reader: what it takes is what jansson takes, and to the same values. */

static const char *const good[] = {
    "{}",
    "[]",
    " [ ] ",
    "{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":{}}}",
    "{\"a\":1,\"a\":2}",
    "[0,-0,1,-1,9223372036854775807,-9223372036854775808]",
    "[0.5,-1.25,1e3,1E+3,1e-3,0e0,1.5e300,1e-400]",
    "[\"\",\"a\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"]",
    "[\"\x7f\",\"\xc2\x80\",\"\xe0\xa0\x80\",\"\xed\x9f\xbf\",\"\xf0\x90\x80\x80\",\"\xf4\x8f\xbf\xbf\"]",
    "[[1],\t[2]\r\n,[3] ]",
    "[\"[[{\",\"\\\\\"]",
};

static const char *const bad[] = {
    "{",
    "}",
    "[",
    "]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "[\"]",
    "[\"\\\"]",
    "[\"\\",
    "[\"\\x\"]",
    "[\"\\u12\"]",
    "[\"\\u000g\"]",
    "[\"\\u0000\"]",
    "[\"\\ud83d\"]",
    "[\"\\ude00\"]",
    "[\"\\ud83d\\u0041\"]",
    "[\"\n\"]",
    "[\"\x01\"]",
    "[\"\x80\"]",
    "[\"\xc1\x80\"]",
    "[\"\xe0\x80\x80\"]",
    "[\"\xed\xa0\x80\"]",
    "[\"\xf0\x80\x80\x80\"]",
    "[\"\xf4\x90\x80\x80\"]",
    "[\"\xf5\x80\x80\x80\"]",
    "[\"\xe2\x82\"]",
    "[\"\xe2\x82z\"]",
    "[01]",
    "[1.]",
    "[.5]",
    "[1e]",
    "[1e+]",
    "[-]",
    "[+1]",
    "[--1]",
    "[tru]",
    "[nul]",
    "[True]",
    "[9223372036854775808]",
    "[-9223372036854775809]",
    "[1e400]",
    "[]]",
    "{} x",
    "\xef\xbb\xbf{}",
    "['a']",
    "[1}",
    "{\"a\":1]",
};

static void test_takes_what_jansson_takes(void **state)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        json_t *value = NULL, *same = json_loads(good[i], 0, NULL);
        assert_non_null(same);
        assert_int_equal(swarm__json_load(good[i], strlen(good[i]), &value, NULL), 0);
        if (!json_equal(value, same))
            fail_msg("%s", good[i]);
        json_decref(value);
        json_decref(same);
    }
}

static void test_refuses_what_jansson_refuses(void **state)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        json_t *value = NULL;
        struct swarm_error *error = NULL;
        assert_null(json_loads(bad[i], 0, NULL));
        if (swarm__json_load(bad[i], strlen(bad[i]), &value, &error) != SWARM_ERR_PARSE)
            fail_msg("%s", bad[i]);
        assert_null(value);
        assert_non_null(strstr(swarm_error_message(error), "invalid JSON: line "));
        swarm_error_free(error);
    }
}

static void test_every_cut_is_refused(void **state)
{
    const char *text = "{\"a\":[1.5e3,true,\"\\u0041\\n\"],\"b\":{\"c\":null}}";
    for (size_t length = 0; length < strlen(text); length++) {
        json_t *value = NULL;
        assert_int_equal(swarm__json_load(text, length, &value, NULL), SWARM_ERR_PARSE);
    }
}

static void says(const char *text, const char *message)
{
    json_t *value = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm__json_load(text, strlen(text), &value, &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), message);
    swarm_error_free(error);
}

static void test_error_says_where_and_what(void **state)
{
    says("{\n \"a\": 1\n x}", "invalid JSON: line 3, column 2: ',' or '}' is expected");
    says("{\"a\" 1}", "invalid JSON: line 1, column 6: ':' is expected");
    says("[1", "invalid JSON: line 1, column 3: the text ends too early");
    says("[\"a\\q\"]", "invalid JSON: line 1, column 4: invalid escape");
    says("[12345678901234567890]", "invalid JSON: line 1, column 22: the number is too great");
}

static void test_point_of_the_locale_does_not_matter(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"};
    size_t i = 0;
    while (i < COUNT(names) && !setlocale(LC_NUMERIC, names[i]))
        i++;
    json_t *value = NULL;
    assert_int_equal(swarm__json_load("[1.5]", 5, &value, NULL), 0);
    assert_true(json_real_value(json_array_get(value, 0)) == 1.5);
    json_decref(value);
    setlocale(LC_NUMERIC, "C");
}

/* Words of every length, since buffers grow at some of them. */
static void test_each_allocation_may_fail(void **state)
{
    char text[512];
    size_t points = 0;
    json_malloc_t plain_malloc;
    json_free_t plain_free;
    json_get_alloc_funcs(&plain_malloc, &plain_free);
    json_set_alloc_funcs(swarm__malloc, swarm__free);
    for (int length = 1; length < 70; length += 7)
        for (int once = 0; once < 2; once++) {
            snprintf(text, sizeof(text), "{\"%0*d\":[\"%0*d\",1%0*d.5,{\"a\":12}],\"b\":true}", length, 1, length, 2,
                     length, 3);
            json_t *same = json_loads(text, 0, NULL);
            for (size_t n = 0;; n++) {
                json_t *value = NULL;
                struct swarm_error *error = NULL;
                heap_fail(n, once);
                int code = swarm__json_load(text, strlen(text), &value, &error);
                bool failed = heap_failed();
                heap_restore();
                assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
                assert_int_equal(swarm_error_code(error), code);
                assert_true(failed || json_equal(value, same));
                swarm_error_free(error);
                json_decref(value);
                points += failed;
                if (!failed)
                    break;
            }
            json_decref(same);
        }
    json_set_alloc_funcs(plain_malloc, plain_free);
    assert_true(points > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_what_jansson_takes),
        cmocka_unit_test(test_refuses_what_jansson_refuses),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_error_says_where_and_what),
        cmocka_unit_test(test_point_of_the_locale_does_not_matter),
        cmocka_unit_test(test_each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
