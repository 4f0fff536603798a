/* SPDX-License-Identifier: Apache-2.0 */
/* A build without ZooKeeper's client library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "discovery.h"

static void test_zk_is_refused_with_the_reason(void **state)
{
    struct discovery_options options = {.url = "zk://127.0.0.1:1", .heartbeat_ms = 1000};
    struct discovery *discovery = NULL;
    char *error = NULL;
    assert_int_equal(discovery_new(&discovery, &options, &error), -1);
    assert_null(discovery);
    assert_non_null(strstr(error, "this build lacks zk://"));
    assert_non_null(strstr(error, "libzookeeper-mt"));
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_zk_is_refused_with_the_reason)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
