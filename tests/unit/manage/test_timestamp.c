/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timestamp.h"

static int64_t parsed(const char *text)
{
    int64_t ns = -1;

    assert_int_equal(timestamp_parse(text, &ns), 0);
    return ns;
}

static void test_utc_with_nanoseconds(void **state)
{
    assert_int_equal(parsed("2026-11-22T10:19:38.063145406Z"), INT64_C(1795342778063145406));
}

static void test_without_fraction(void **state)
{
    assert_int_equal(parsed("1970-01-01T00:00:01Z"), NS_PER_S);
}

static void test_short_fraction_counts_from_the_left(void **state)
{
    assert_int_equal(parsed("1970-01-01T00:00:01.5Z"), NS_PER_S + NS_PER_S / 2);
}

static void test_offset_is_subtracted(void **state)
{
    assert_int_equal(parsed("1970-01-01T02:00:00+02:00"), 0);
    assert_int_equal(parsed("1970-01-01T00:00:00-00:30"), 1800 * NS_PER_S);
}

static void test_zero_time_of_go_is_0(void **state)
{
    assert_int_equal(parsed("0001-01-01T00:00:00Z"), 0);
}

static void test_malformed_is_refused(void **state)
{
    const char *const bad[] = {"",
                               "2026",
                               "2026-11-22 10:19:38Z",
                               "2026-13-22T10:19:38Z",
                               "2026-11-22T10:19:38",
                               "2026-11-22T10:19:38Zx",
                               "2026-11-22T10:19:38+2:00",
                               "2026-11-22T10:19:3"};
    int64_t ns = 42;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(timestamp_parse(bad[i], &ns), -1);
    }
    assert_int_equal(ns, 42);
}

static void test_durations_in_words(void **state)
{
    static const struct {
        int64_t seconds;
        const char *words;
    } cases[] = {
        {-5, "Less than a second"},  {0, "Less than a second"},      {1, "1 second"},
        {59, "59 seconds"},          {60, "About a minute"},         {119, "About a minute"},
        {120, "2 minutes"},          {3599, "59 minutes"},           {3600, "About an hour"},
        {7200, "2 hours"},           {47 * 3600, "47 hours"},        {48 * 3600, "2 days"},
        {14 * 86400 - 1, "13 days"}, {14 * 86400, "2 weeks"},        {90 * 86400 - 1, "12 weeks"},
        {90 * 86400, "3 months"},    {730 * 86400 - 1, "24 months"}, {730 * 86400, "2 years"},
    };
    char words[40];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        duration_in_words(cases[i].seconds, words, sizeof(words));
        assert_string_equal(words, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utc_with_nanoseconds),
        cmocka_unit_test(test_without_fraction),
        cmocka_unit_test(test_short_fraction_counts_from_the_left),
        cmocka_unit_test(test_offset_is_subtracted),
        cmocka_unit_test(test_zero_time_of_go_is_0),
        cmocka_unit_test(test_malformed_is_refused),
        cmocka_unit_test(test_durations_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
