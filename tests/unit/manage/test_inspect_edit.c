/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "inspect_edit.h"
#include "json_write.h"

#define NODE "{\"ID\":\"n\"}"

/* New text, NULL where the body is refused. */
static char *edit(const char *body)
{
    struct bytes out = {0};
    bool no_memory = true;
    char *exact = malloc(strlen(body) + 1), *text = NULL; /* an over-read shows */

    assert_non_null(exact);
    memcpy(exact, body, strlen(body));
    if (inspect_edit(exact, strlen(body), NODE, "10.0.0.1", &out, &no_memory) == 0)
        text = strndup(bytes_at(&out), bytes_length(&out));
    assert_false(no_memory);
    bytes_free(&out);
    free(exact);
    return text;
}

static void assert_edited(const char *body, const char *expected)
{
    char *text = edit(body);

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_refused(const char *body)
{
    char *text = edit(body);

    if (text != NULL)
        fail_msg("%s became %s", body, text);
}

static void test_node_comes_before_the_name(void **state)
{
    assert_edited("{\"Id\":\"x\",\"Name\":\"/web\",\"State\":{}}",
                  "{\"Id\":\"x\",\"Node\":" NODE ",\"Name\":\"/web\",\"State\":{}}\n");
    assert_edited("{\"Name\":\"/web\"}", "{\"Node\":" NODE ",\"Name\":\"/web\"}\n");
    assert_edited("{\"Id\":\"x\"}", "{\"Id\":\"x\",\"Node\":" NODE "}\n");
    assert_edited("{}", "{\"Node\":" NODE "}\n");
    assert_edited(" { } \n", "{\"Node\":" NODE "}\n");
}

static void test_node_of_the_engine_is_replaced(void **state)
{
    assert_edited("{\"Node\":{\"a\":[1]},\"Name\":\"w\"}", "{\"Node\":" NODE ",\"Name\":\"w\"}\n");
    assert_edited("{\"Name\":\"w\",\"Node\":null}", "{\"Node\":" NODE ",\"Name\":\"w\"}\n");
    assert_edited("{\"a\":1,\"Node\":null,\"b\":2}", "{\"a\":1,\"b\":2,\"Node\":" NODE "}\n");
}

static void test_what_is_inside_is_not_taken_for_it(void **state)
{
    assert_edited("{\"Config\":{\"Name\":\"x\",\"Node\":1},\"HostIp\":\"\"}",
                  "{\"Config\":{\"Name\":\"x\",\"Node\":1},\"HostIp\":\"\",\"Node\":" NODE "}\n");
    assert_edited("{\"Config\":{\"Ports\":{\"80\":[{\"HostIp\":\"\"}]}}}",
                  "{\"Config\":{\"Ports\":{\"80\":[{\"HostIp\":\"\"}]}},\"Node\":" NODE "}\n");
}

static void test_addresses_of_all_interfaces_are_the_engines(void **state)
{
    assert_edited(
        "{\"Name\":\"w\",\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"1\"}"
        ",{\"HostIp\":\"::\"},{\"HostIp\":\"\"},{\"HostIp\":\"127.0.0.1\"},{\"HostIp\":3}],\"81/tcp\":null,"
        "\"82/tcp\":[null]},\"Gateway\":\"0.0.0.0\"}}",
        "{\"Node\":" NODE ",\"Name\":\"w\",\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"10.0.0.1\","
        "\"HostPort\":\"1\"},{\"HostIp\":\"10.0.0.1\"},{\"HostIp\":\"10.0.0.1\"},{\"HostIp\":\"127.0.0.1\"},"
        "{\"HostIp\":3}],\"81/tcp\":null,\"82/tcp\":[null]},\"Gateway\":\"0.0.0.0\"}}\n");
}

static void test_all_else_stays_as_it_is_written(void **state)
{
    assert_edited("{\"A\": 9007199254740993 , \"B\":1e400,\"C\":\"\\u0000\\\"\\\\é\",\"D\":[ 1 ,{ } ] }",
                  "{\"A\": 9007199254740993,\"B\":1e400,\"C\":\"\\u0000\\\"\\\\é\",\"D\":[ 1 ,{ } ],\"Node\":" NODE
                  "}\n");
}

static void test_what_is_no_object_is_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        " ",
        "[]",
        "null",
        "\"x\"",
        "{",
        "{\"a\"}",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1}x",
        "{\"a\" 1}",
        "{\"a\":[1 2]}",
        "{a:1}",
        "{\"a\":tru}",
        "{\"a\":\"x}",
        "{\"a\":\"\\",
        "{\"a\":}",
        "{\"a\":\"\n\"}",
        "{\"a\":[1,]}",
    };
    char deep[2048] = "{\"a\":";

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_refused(bodies[i]);
    memset(deep + 5, '[', 1000);
    assert_refused(deep);
}

/* --- strings --- */

static void assert_written(const char *text, const char *expected)
{
    struct bytes out = {0};

    assert_int_equal(json_write_string(&out, text), 0);
    assert_int_equal(bytes_append(&out, "", 1), 0);
    assert_string_equal(bytes_at(&out), expected);
    bytes_free(&out);
}

static void test_strings_are_written_as_jansson_does(void **state)
{
    static const char *const pieces[] = {"a", "é", "€", "😀", "\"", "\\", "\n", "\t", "\x01", "\x1f", "/", "\x7f", " "};
    unsigned seed = 1;

    for (int i = 0; i < 2000; i++) {
        char text[64] = "", *expected;
        json_t *json;

        for (int k = rand_r(&seed) % 8; k > 0; k--)
            strcat(text, pieces[(unsigned)rand_r(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
        json = json_string(text);
        expected = json_dumps(json, JSON_ENCODE_ANY);
        assert_non_null(expected);
        for (char *at = expected; *at != '\0'; at++) /* jansson's digits are capitals */
            *at = at > expected + 4 && at[-4] == 'u' && *at == 'F' ? 'f' : *at;
        assert_written(text, expected);
        free(expected);
        json_decref(json);
    }
    assert_written(NULL, "\"\"");
}

static void test_what_is_no_utf8_becomes_question_marks(void **state)
{
    assert_written("a\xff"
                   "b\xc3\xa9",
                   "\"a?b??\"");
    assert_written("\xc3", "\"?\"");
    assert_written("\xed\xa0\x80", "\"???\"");
    assert_written("\xf4\x90\x80\x80", "\"????\"");
    assert_written("\xc0\x80", "\"??\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node_comes_before_the_name),
        cmocka_unit_test(test_node_of_the_engine_is_replaced),
        cmocka_unit_test(test_what_is_inside_is_not_taken_for_it),
        cmocka_unit_test(test_addresses_of_all_interfaces_are_the_engines),
        cmocka_unit_test(test_all_else_stays_as_it_is_written),
        cmocka_unit_test(test_what_is_no_object_is_refused),
        cmocka_unit_test(test_strings_are_written_as_jansson_does),
        cmocka_unit_test(test_what_is_no_utf8_becomes_question_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
