/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"
#include "consul_wire.h"
#include "discovery_kv.h"

/* Takes @p text. */
static void is(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void test_base64(void **state)
{
    is(base64_encode("", 0), "");
    is(base64_encode("10.0.0.1:2375", 13), "MTAuMC4wLjE6MjM3NQ==");
    is(base64_decode_text("MTAuMC4wLjE6MjM3NQ=="), "10.0.0.1:2375");
    is(base64_decode_text(""), "");
    assert_null(base64_decode_text("MTA"));
    assert_null(base64_decode_text("????"));
    assert_null(base64_decode_text("AAAA")); /* NULs */
}

static void test_keys_are_escaped_for_paths(void **state)
{
    is(kv_path_escape("/v1/kv/", "a b/c?d#e%f:1"), "/v1/kv/a%20b/c%3Fd%23e%25f:1");
    is(kv_path_escape("", "[fd00::1]:2375"), "%5Bfd00::1%5D:2375");
}

static void test_session_request(void **state)
{
    is(consul_session_request("swarm-join a:1", 90),
       "{\"Name\":\"swarm-join a:1\",\"Behavior\":\"delete\",\"TTL\":\"90s\",\"LockDelay\":\"1ms\"}");
}

static void test_session_request_of_a_lock(void **state)
{
    is(consul_lock_session_request("swarm-manage a:1", 10),
       "{\"Name\":\"swarm-manage a:1\",\"Behavior\":\"release\",\"TTL\":\"10s\",\"LockDelay\":\"1ms\","
       "\"NodeChecks\":[],\"Checks\":[]}");
}

static void test_session_answers(void **state)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"ID\":7}",
        "{\"ID\":\"\"}",
        "{\"ID\":\"abc",
        "{\"ID\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}"};
    char id[CONSUL_SESSION_ID_MAX] = "before";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(consul_parse_session(bad[i], id, sizeof id), -1);
        assert_string_equal(id, "before");
    }
    assert_int_equal(consul_parse_session(NULL, id, sizeof id), -1);
    assert_int_equal(consul_parse_session("{\"ID\":\"adf4238a-882b-9ddc-4a9d-5b6758e4159e\"}", id, sizeof id), 0);
    assert_string_equal(id, "adf4238a-882b-9ddc-4a9d-5b6758e4159e");
}

static void test_key_answers(void **state)
{
    struct consul_key key;
    assert_int_equal(consul_parse_key(NULL, &key), 0);
    assert_false(key.present);
    assert_int_equal(consul_parse_key("[{\"Key\":\"d/a:1\",\"Flags\":3304740253564472344,\"Value\":\"YTox\","
                                      "\"Session\":\"s-1\",\"ModifyIndex\":77}]",
                                      &key),
                     0);
    assert_true(key.present);
    assert_string_equal(key.session, "s-1");
    assert_int_equal(key.modified, 77);
    is(key.value, "a:1");
    assert_int_equal(consul_parse_key("[{\"Key\":\"d/a:1\",\"Value\":null}]", &key), 0);
    assert_true(key.present);
    assert_string_equal(key.session, "");
    assert_null(key.value);
    static const char *const bad[] = {"", "{}", "[]", "[{}]", "[{\"Key\":\"k\",\"Session\":7}]", "[[]]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(consul_parse_key(bad[i], &key), -1);
}

static void test_lists(void **state)
{
    struct kv_table table = {0};
    assert_int_equal(consul_parse_list("[{\"Key\":\"d/\",\"Value\":null},{\"Key\":\"d/a:1\",\"Value\":\"YTox\"},"
                                       "{\"Key\":\"d/b\",\"Value\":\"?\"}]",
                                       &table),
                     0);
    assert_int_equal(table.count, 3);
    assert_string_equal(kv_table_get(&table, "d/"), "");
    assert_string_equal(kv_table_get(&table, "d/a:1"), "a:1");
    assert_string_equal(kv_table_get(&table, "d/b"), "");
    kv_table_clear(&table);
    assert_int_equal(consul_parse_list("[{\"Value\":\"YTox\"}]", &table), -1);
    assert_int_equal(consul_parse_list("{}", &table), -1);
    assert_int_equal(consul_parse_list(NULL, &table), -1);
    kv_table_clear(&table);
}

static void test_indexes(void **state)
{
    struct http_result result = {.index = "17"};
    assert_int_equal(consul_index(&result), 17);
    strcpy(result.index, "-3");
    assert_int_equal(consul_index(&result), 0);
    strcpy(result.index, "");
    assert_int_equal(consul_index(&result), 0);
}

static void test_failures_are_described(void **state)
{
    char text[128], body[] = "Permission denied\nmore";
    struct http_result result = {.status = 403, .body = body};
    consul_describe(text, sizeof text, &result);
    assert_string_equal(text, "HTTP status 403: Permission denied");
    result = (struct http_result){.status = 200};
    consul_describe(text, sizeof text, &result);
    assert_string_equal(text, "an answer that is not Consul's");
    result = (struct http_result){.failure = HTTP_REFUSED, .error = "nobody there"};
    consul_describe(text, sizeof text, &result);
    assert_string_equal(text, "nobody there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_keys_are_escaped_for_paths),
        cmocka_unit_test(test_session_request),
        cmocka_unit_test(test_session_request_of_a_lock),
        cmocka_unit_test(test_session_answers),
        cmocka_unit_test(test_key_answers),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_indexes),
        cmocka_unit_test(test_failures_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
