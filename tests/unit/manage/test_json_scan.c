/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_scan.h"

/* A copy of just that many bytes, so that the address sanitizer sees a read beyond them. */
static bool valid(const char *text)
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    bool result;

    memcpy(copy, text, length);
    result = json_valid(copy, length);
    free(copy);
    return result;
}

static struct json_span span(const char *text)
{
    assert_true(json_valid(text, strlen(text)));
    return json_span_of(text, strlen(text));
}

static void test_what_is_json(void **state)
{
    static const char *const texts[] = {"{}",
                                        " [ ] ",
                                        "null",
                                        "true",
                                        "\"\"",
                                        "0",
                                        "-0",
                                        "-12.5e+3",
                                        "1E9",
                                        "99999999999999999999999",
                                        "[1,2 , 3]",
                                        "{\"a\":{\"b\":[{}, \"\\u00e9\\n\", false]},\"a\":1}",
                                        "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3 \x7f\"",
                                        "\"\\ud83d\\udc33 \\u0000\""};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_true(valid(texts[i]));
}

static void test_what_is_none(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "{",
                                        "[1,]",
                                        "[,1]",
                                        "[1 2]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{1:1}",
                                        "{} {}",
                                        "[}",
                                        "tru",
                                        "truex",
                                        "01",
                                        "-",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "+1",
                                        "\"",
                                        "\"\\",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\ud83d\"",
                                        "\"\\ud83dx\\udc33\"",
                                        "\"\\udc33\"",
                                        "\"\n\"",
                                        "\"\xc3\"",
                                        "\"\xc0\x80\"",
                                        "\"\xed\xa0\x80\"",
                                        "\"\xf4\x90\x80\x80\"",
                                        "\"\xff\"",
                                        "{\"\\u0000\":1}",
                                        "\v1"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(valid(texts[i]));
    assert_false(json_valid("1\0", 2));
}

static void test_depth_is_limited(void **state)
{
    char text[2 * JSON_READ_DEPTH_MAX + 3];

    memset(text, '[', JSON_READ_DEPTH_MAX + 1);
    memset(text + JSON_READ_DEPTH_MAX + 1, ']', JSON_READ_DEPTH_MAX + 1);
    assert_false(json_valid(text, 2 * JSON_READ_DEPTH_MAX + 2));
    assert_true(json_valid(text + 1, 2 * JSON_READ_DEPTH_MAX));
}

static void test_members_come_in_order(void **state)
{
    struct json_walk walk = json_walk(span(" { \"a\" : 1 , \"b\":[ 2, {\"]\":\"}\\\"\"}], \"c\":null } "));
    struct json_span key, value;
    char seen[100] = "";

    while (json_walk_member(&walk, &key, &value))
        snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%.*s=%.*s|", (int)key.length, key.at,
                 (int)value.length, value.at);
    assert_string_equal(seen, "a=1|b=[ 2, {\"]\":\"}\\\"\"}]|c=null|");
}

static void test_items_come_in_order(void **state)
{
    struct json_walk walk = json_walk(span("[ -1 ,true,\"x,y\" , {}, [ ] ]"));
    struct json_span value;
    char seen[100] = "";

    while (json_walk_item(&walk, &value))
        snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%.*s|", (int)value.length, value.at);
    assert_string_equal(seen, "-1|true|\"x,y\"|{}|[ ]|");
    walk = json_walk(span("\"text\""));
    assert_false(json_walk_item(&walk, &value));
}

static void test_member_by_name(void **state)
{
    struct json_span object = span("{\"Name\":1,\"Names\":2,\"N\":{\"x\":true},\"Name\":3}");

    assert_int_equal(json_span_integer(json_span_get(object, "Name")), 1);
    assert_int_equal(json_span_integer(json_span_get(object, "Names")), 2);
    assert_true(json_span_is_true(json_span_get(json_span_get(object, "N"), "x")));
    assert_int_equal(json_span_get(object, "Nam").length, 0);
    assert_int_equal(json_span_get(json_span_get(object, "none"), "x").length, 0);
    assert_int_equal(json_span_get(span("[\"Name\",1]"), "Name").length, 0);
}

static void test_integers(void **state)
{
    assert_int_equal(json_span_integer(span("-42")), -42);
    assert_true(json_span_integer(span("9223372036854775807")) == INT64_MAX);
    assert_true(json_span_integer(span("9223372036854775808")) == INT64_MAX);
    assert_true(json_span_integer(span("-9223372036854775808")) == INT64_MIN);
    assert_true(json_span_integer(span("-99999999999999999999")) == INT64_MIN);
    assert_int_equal(json_span_integer(span("4.5")), 0);
    assert_false(json_span_is_integer(span("4e5")));
    assert_int_equal(json_span_integer(span("\"4\"")), 0);
    assert_int_equal(json_span_integer(json_span_get(span("{}"), "x")), 0);
}

static void assert_text(const char *written, const char *wanted)
{
    char *text = json_span_strdup(span(written));

    assert_string_equal(text, wanted);
    free(text);
}

static void test_texts(void **state)
{
    assert_text("\"plain\"", "plain");
    assert_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    assert_text("\"\\u0041\\u00e9\\u20ac\\ud83d\\udc33\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3");
    assert_text("\"\"", "");
    assert_text("12", "");
}

static void test_text_is_cut_at_a_character(void **state)
{
    char text[4];

    json_span_text(span("\"ab\\u20ac\""), text, sizeof(text));
    assert_string_equal(text, "ab");
    json_span_text(json_span_get(span("{}"), "x"), text, sizeof(text));
    assert_string_equal(text, "");
}

static void test_equals(void **state)
{
    assert_true(json_span_equals(span("\"running\""), "running"));
    assert_false(json_span_equals(span("\"running\""), "runnin"));
    assert_false(json_span_equals(span("\"run\""), "running"));
    assert_false(json_span_equals(span("1"), "1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_json),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_members_come_in_order),
        cmocka_unit_test(test_items_come_in_order),
        cmocka_unit_test(test_member_by_name),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_text_is_cut_at_a_character),
        cmocka_unit_test(test_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
