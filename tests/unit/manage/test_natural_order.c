/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "natural_order.h"

static void assert_before(const char *a, const char *b)
{
    assert_true(natural_compare(a, b) < 0);
    assert_true(natural_compare(b, a) > 0);
}

static void test_numbers_compare_by_value(void **state)
{
    assert_before("node2", "node10");
    assert_before("node-9-1", "node-10-0");
    assert_before("a99999999999999999999", "a100000000000000000000");
}

static void test_texts_compare_by_bytes(void **state)
{
    assert_before("alpha", "beta");
    assert_before("Zeta", "alpha");
    assert_before("node", "node1");
}

static void test_numbers_come_before_text(void **state)
{
    assert_before("a1", "ab");
}

static void test_equal_numbers_shorter_first(void **state)
{
    assert_before("node1", "node01");
}

static void test_same_is_equal(void **state)
{
    assert_int_equal(natural_compare("node-1", "node-1"), 0);
}

static void test_blanks_do_not_count_first(void **state)
{
    assert_before("no de2", "node10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_compare_by_value),
        cmocka_unit_test(test_texts_compare_by_bytes),
        cmocka_unit_test(test_numbers_come_before_text),
        cmocka_unit_test(test_equal_numbers_shorter_first),
        cmocka_unit_test(test_same_is_equal),
        cmocka_unit_test(test_blanks_do_not_count_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
