/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of a store's directory say: who is announced, who left, and when that is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "discovery_kv_report.h"
#include "log.h"

static const struct discovery_backend backend = {.name = "store"};
static const struct discovery discovery = {.backend = &backend};
static char told[1024];
static struct kv_table table;
static struct kv_report report;

static void on_entries(void *data, const struct discovery_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        snprintf(told + strlen(told), sizeof told - strlen(told), "%s ", list->addresses[i]);
    for (size_t i = 0; i < list->left_count; i++)
        snprintf(told + strlen(told), sizeof told - strlen(told), "-%s ", list->left[i]);
    strcat(told, ". ");
}

static void on_error(void *data, const char *message)
{
    snprintf(told + strlen(told), sizeof told - strlen(told), "error: %s. ", message);
}

static const struct discovery_events events = {on_entries, on_error};

static int set_up(void **state)
{
    report = (struct kv_report){.discovery = &discovery, .events = &events};
    told[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    kv_table_clear(&table);
    kv_report_finish(&report);
    return 0;
}

static void put(const char *key, const char *value)
{
    assert_int_equal(kv_table_put(&table, key, value), 0);
}

static void expect(const char *text)
{
    told[0] = '\0';
    kv_report_entries(&report, "d/nodes", &table);
    assert_string_equal(told, text);
}

static void test_values_are_the_addresses(void **state)
{
    put("d/nodes/a:1", "a:1");
    put("d/nodes/other", "b:2");
    put("d/nodes/deep/c:3", "c:3");
    put("d/nodes2/d:4", "d:4");
    expect("a:1 b:2 . ");
    expect("");
    put("d/nodes/x", "nonsense");
    expect("error: key d/nodes/x: address nonsense: missing port in address. ");
}

static void test_empty_value_says_that_an_address_left(void **state)
{
    put("d/nodes/a:1", "a:1");
    put("d/nodes/b:2", "b:2");
    expect("a:1 b:2 . ");
    put("d/nodes/b:2", "");
    put("d/nodes/sub", ""); /* a directory of v2's */
    put("d/nodes/", "");    /* the directory itself, of Consul's */
    put("d/nodes/deep/c:3", "");
    expect("a:1 -b:2 . ");
    expect("");
    kv_table_remove(&table, "d/nodes/b:2"); /* the mark expires */
    expect("");
    put("d/nodes/b:2", "b:2");
    expect("a:1 b:2 . ");
    kv_table_remove(&table, "d/nodes/b:2"); /* it lapses */
    expect("a:1 . ");
    put("d/nodes/b:2", ""); /* and says so after all */
    put("d/nodes/ssh:++u@h", "");
    expect("a:1 -b:2 -ssh://u@h . ");
}

static void test_what_vanishes_altogether_has_not_left(void **state)
{
    put("d/nodes/a:1", "a:1");
    put("d/nodes/b:2", "b:2");
    expect("a:1 b:2 . ");
    kv_table_clear(&table);
    expect(". ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_are_the_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_value_says_that_an_address_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_vanishes_altogether_has_not_left, set_up, tear_down),
    };
    log_init(stdout, LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
