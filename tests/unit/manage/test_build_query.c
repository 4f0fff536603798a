/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "build_query.h"

static void assert_split(const char *query, const char *args, const char *left, const char *expressions)
{
    char *ret_left = NULL, *text;
    json_t *ret = NULL;

    assert_int_equal(build_query_split(query, args, &ret_left, &ret), 0);
    text = json_dumps(ret, JSON_COMPACT);
    assert_string_equal(ret_left, left);
    assert_string_equal(text, expressions);
    free(text);
    free(ret_left);
    json_decref(ret);
}

static void test_query_without_expressions_stays_as_it_is(void **state)
{
    assert_split("", NULL, "", "[]");
    assert_split("t=a&&x=%zz&q", NULL, "t=a&&x=%zz&q", "[]");
    assert_split("buildargs=%7B%22a%22%3Anull%7D&t=x", "{\"a\":null}", "buildargs=%7B%22a%22%3Anull%7D&t=x", "[]");
}

static void test_expressions_are_taken_out(void **state)
{
    assert_split("t=x&buildargs=old&q=1", "{\"constraint:node\":\"=n1\",\"word\":\"a b\",\"none\":null}",
                 "t=x&buildargs=%7B%22word%22%3A%22a%20b%22%2C%22none%22%3Anull%7D&q=1", "[\"constraint:node==n1\"]");
    assert_split("buildargs=old", "{\"affinity:image\":\"=~x\",\"whitelist:node\":\"=a|b\",\"reschedule:off\":null}",
                 "buildargs=%7B%7D", "[\"affinity:image==~x\",\"whitelist:node==a|b\",\"reschedule:off\"]");
}

/* As SDKs may write them, which take a map. */
static void test_expression_may_be_in_the_key(void **state)
{
    assert_split("buildargs=old", "{\"constraint:node==n1\":\"\"}", "buildargs=%7B%7D", "[\"constraint:node==n1\"]");
    assert_split("buildargs=old", "{\"constraint:node==n1\":null}", "buildargs=%7B%7D", "[\"constraint:node==n1\"]");
    assert_split("buildargs=old", "{\"constraint:node\":\"\"}", "buildargs=%7B%7D", "[\"constraint:node=\"]");
}

static void test_what_is_no_object_is_left_to_the_engine(void **state)
{
    assert_split("buildargs=x", "x", "buildargs=x", "[]");
    assert_split("buildargs=x", "", "buildargs=x", "[]");
    assert_split("buildargs=x", "[\"constraint:node==n1\"]", "buildargs=x", "[]");
    assert_split("buildargs=x", "\"constraint:node==n1\"", "buildargs=x", "[]");
}

static void test_value_of_another_type_is_none(void **state)
{
    assert_split("buildargs=x", "{\"constraint:node==n1\":7}", "buildargs=%7B%7D", "[\"constraint:node==n1\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_without_expressions_stays_as_it_is),
        cmocka_unit_test(test_expressions_are_taken_out),
        cmocka_unit_test(test_expression_may_be_in_the_key),
        cmocka_unit_test(test_what_is_no_object_is_left_to_the_engine),
        cmocka_unit_test(test_value_of_another_type_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
