/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "options.h"

static const int64_t second = 1000000000;

static int64_t parsed(const char *text)
{
    int64_t ns = -1;
    char *error = NULL;
    assert_int_equal(duration_parse(&ns, text, &error), 0);
    assert_null(error);
    return ns;
}

static void refused(const char *text, const char *expected)
{
    int64_t ns = 7;
    char *error = NULL;
    assert_int_equal(duration_parse(&ns, text, &error), -1);
    assert_string_equal(error, expected);
    assert_int_equal(ns, 7);
    free(error);
}

static void test_units_are_parsed(void **state)
{
    assert_int_equal(parsed("3ns"), 3);
    assert_int_equal(parsed("3us"), 3000);
    assert_int_equal(parsed("3\xc2\xb5s"), 3000);
    assert_int_equal(parsed("3ms"), 3000000);
    assert_int_equal(parsed("3s"), 3 * second);
    assert_int_equal(parsed("3m"), 180 * second);
    assert_int_equal(parsed("3h"), 10800 * second);
}

static void test_parts_add_up(void **state)
{
    assert_int_equal(parsed("1h2m3s"), 3723 * second);
    assert_int_equal(parsed("1m0.5s"), 60 * second + second / 2);
}

static void test_fractions_are_parsed(void **state)
{
    assert_int_equal(parsed("1.5s"), second + second / 2);
    assert_int_equal(parsed(".5m"), 30 * second);
    assert_int_equal(parsed("2.s"), 2 * second);
    assert_int_equal(parsed("0.000000001s"), 1);
    assert_int_equal(parsed("0.0000000001s"), 0);
    assert_int_equal(parsed("0.25h"), 900 * second);
}

static void test_zero_needs_no_unit(void **state)
{
    assert_int_equal(parsed("0"), 0);
    assert_int_equal(parsed("-0"), 0);
}

static void test_signs_are_parsed(void **state)
{
    assert_int_equal(parsed("-1s"), -second);
    assert_int_equal(parsed("+1s"), second);
}

static void test_malformed_is_refused(void **state)
{
    refused("", "time: invalid duration \"\"");
    refused("x", "time: invalid duration \"x\"");
    refused("-", "time: invalid duration \"-\"");
    refused(".s", "time: invalid duration \".s\"");
    refused("1x", "time: invalid duration \"1x\"");
    refused("1 s", "time: invalid duration \"1 s\"");
    refused("1s ", "time: invalid duration \"1s \"");
    refused("1..5s", "time: missing unit in duration \"1..5s\"");
}

static void test_missing_unit_is_refused(void **state)
{
    refused("5", "time: missing unit in duration \"5\"");
    refused("1m5", "time: missing unit in duration \"1m5\"");
}

static void test_overflow_is_refused(void **state)
{
    refused("9999999999h", "time: invalid duration \"9999999999h\"");
    refused("99999999999999999999s", "time: invalid duration \"99999999999999999999s\"");
    assert_int_equal(parsed("2562047h"), INT64_C(2562047) * 3600 * second);
}

static void formatted(int64_t ns, const char *expected)
{
    char text[64];
    duration_format(text, sizeof text, ns);
    assert_string_equal(text, expected);
}

static void test_durations_print_as_go_prints_them(void **state)
{
    formatted(0, "0s");
    formatted(1, "1ns");
    formatted(1500, "1.5\xc2\xb5s");
    formatted(200000000, "200ms");
    formatted(second, "1s");
    formatted(second + second / 2, "1.5s");
    formatted(60 * second, "1m0s");
    formatted(90 * second + 50000000, "1m30.05s");
    formatted(3600 * second, "1h0m0s");
    formatted(-90 * second, "-1m30s");
    formatted(INT64_MAX, "2562047h47m16.854775807s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_are_parsed),
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_fractions_are_parsed),
        cmocka_unit_test(test_zero_needs_no_unit),
        cmocka_unit_test(test_signs_are_parsed),
        cmocka_unit_test(test_malformed_is_refused),
        cmocka_unit_test(test_missing_unit_is_refused),
        cmocka_unit_test(test_overflow_is_refused),
        cmocka_unit_test(test_durations_print_as_go_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
