/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "discovery_kv.h"
#include "etcd_wire.h"

static struct kv_table table;

static int tear_down(void **state)
{
    kv_table_clear(&table);
    return 0;
}

/* Takes @p text. */
static void is(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void table_is(const char *expected)
{
    char text[512] = "";
    for (size_t i = 0; i < table.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s=%s ", table.pairs[i].key, table.pairs[i].value);
    assert_string_equal(text, expected);
}

static void test_paths_are_joined_and_cleaned(void **state)
{
    is(kv_path_join("", "docker/swarm/nodes"), "docker/swarm/nodes");
    is(kv_path_join("/pre//fix/", "./a/../b/"), "pre/fix/b");
    is(kv_path_join("..", ".."), "");
    is(kv_path_join("a", "1.2.3.4:5"), "a/1.2.3.4:5");
}

static void test_table_is_sorted_and_keys_are_distinct(void **state)
{
    kv_table_put(&table, "b", "1");
    kv_table_put(&table, "a", "2");
    kv_table_put(&table, "c", "3");
    kv_table_put(&table, "b", "4");
    table_is("a=2 b=4 c=3 ");
    kv_table_remove(&table, "b");
    kv_table_remove(&table, "x");
    table_is("a=2 c=3 ");
}

static void test_requests_of_v3(void **state)
{
    /* "d/", "d0", "d/k", "v" in base64 */
    is(etcd_range_request("d", false), "{\"key\":\"ZC8=\",\"range_end\":\"ZDA=\"}");
    is(etcd_range_request("d", true), "{\"key\":\"ZC8=\",\"range_end\":\"ZDA=\",\"count_only\":true}");
    is(etcd_key_request("d/k"), "{\"key\":\"ZC9r\"}");
    is(etcd_watch_request("d", 1234567890123), "{\"create_request\":{\"key\":\"ZC8=\",\"range_end\":\"ZDA=\","
                                               "\"start_revision\":\"1234567890123\",\"progress_notify\":true}}");
    is(etcd_put_request("d/k", "v", "77"), "{\"key\":\"ZC9r\",\"value\":\"dg==\",\"lease\":\"77\"}");
    is(etcd_grant_request(4), "{\"TTL\":4}");
    is(etcd_lease_request("77"), "{\"ID\":\"77\"}");
}

static void test_range_fills_the_table(void **state)
{
    int64_t revision = 0;
    const char *text = "{\"header\":{\"revision\":\"9007199254740993\"},\"kvs\":[{\"key\":\"ZC9i\",\"value\":\"Yg==\"},"
                       "{\"key\":\"ZC9h\"}],\"count\":\"2\"}";
    assert_int_equal(etcd_parse_range(text, &table, &revision), 0);
    assert_true(revision == 9007199254740993);
    table_is("d/a= d/b=b ");
}

static void test_empty_range_is_an_empty_table(void **state)
{
    int64_t revision = 0;
    assert_int_equal(etcd_parse_range("{\"header\":{\"revision\":\"1\"}}", &table, &revision), 0);
    assert_int_equal(revision, 1);
    assert_int_equal(table.count, 0);
}

static void test_key_that_is_no_text_counts(void **state)
{
    int64_t revision;
    /* key "d/" NUL, value "a" NUL */
    const char *text = "{\"header\":{\"revision\":\"1\"},\"kvs\":[{\"key\":\"ZC8A\",\"value\":\"YQA=\"}]}";
    assert_int_equal(etcd_parse_range(text, &table, &revision), 0);
    table_is("ZC8A= ");
}

static void test_range_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "x", "[]", "{}", "{\"kvs\":[]}", "{\"header\":{},\"kvs\":[{}]}", "{\"header\":{},\"kvs\":[1]}"};
    int64_t revision = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(etcd_parse_range(bad[i], &table, &revision), -1);
    assert_int_equal(revision, 7);
}

static void test_key_has_its_lease(void **state)
{
    struct etcd_key key;
    assert_int_equal(
        etcd_parse_key("{\"header\":{},\"kvs\":[{\"key\":\"ZC9i\",\"value\":\"Yg==\",\"lease\":\"77\"}]}", &key), 0);
    assert_true(key.present);
    assert_string_equal(key.lease, "77");
    is(key.value, "b");
    assert_int_equal(etcd_parse_key("{\"header\":{}}", &key), 0);
    assert_false(key.present);
}

static void test_lock_requests(void **state)
{
    is(etcd_acquire_request("d/l", "a:1", "7"),
       "{\"compare\":[{\"result\":\"EQUAL\",\"target\":\"CREATE\",\"key\":\"ZC9s\",\"create_revision\":\"0\"}],"
       "\"success\":[{\"request_put\":{\"key\":\"ZC9s\",\"value\":\"YTox\",\"lease\":\"7\"}}],"
       "\"failure\":[{\"request_range\":{\"key\":\"ZC9s\"}}]}");
    is(etcd_watch_key_request("d/l", 9), "{\"create_request\":{\"key\":\"ZC9s\",\"start_revision\":\"9\"}}");
}

static void test_lock_that_was_free(void **state)
{
    struct etcd_key key;
    bool put = false;
    assert_int_equal(etcd_parse_acquire("{\"header\":{\"revision\":\"41\"},\"succeeded\":true,\"responses\":[{"
                                        "\"response_put\":{\"header\":{\"revision\":\"41\"}}}]}",
                                        &put, &key),
                     0);
    assert_true(put);
    assert_int_equal(key.revision, 41);
    assert_null(key.value);
}

static void test_lock_that_another_has(void **state)
{
    struct etcd_key key;
    bool put = true;
    assert_int_equal(
        etcd_parse_acquire("{\"header\":{\"revision\":\"41\"},\"responses\":[{\"response_range\":{\"kvs\":[{\"key\":"
                           "\"ZC9s\",\"create_revision\":\"12\",\"value\":\"YTox\",\"lease\":\"7\"}]}}]}",
                           &put, &key),
        0);
    assert_false(put);
    assert_true(key.present);
    assert_int_equal(key.created, 12);
    assert_int_equal(key.revision, 41);
    assert_string_equal(key.lease, "7");
    is(key.value, "a:1");
}

static void test_lock_answers_that_are_none(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "{}",
                                      "{\"header\":{}}",
                                      "{\"header\":{},\"succeeded\":true}",
                                      "{\"header\":{\"revision\":\"4\"},\"responses\":[7]}"};
    struct etcd_key key = {0};
    bool put;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(etcd_parse_acquire(bad[i], &put, &key), -1);
    assert_int_equal(etcd_parse_acquire(NULL, &put, &key), -1);
}

static void test_guarded_requests(void **state)
{
    const struct etcd_guard guards[] = {{"d/w", -1, 12}, {"d/l", 5, -1}};
    const struct kv_change changes[] = {{"k", "v", 1}, {"k", NULL, 0}};
    is(etcd_guarded_request(guards, 2, "d", changes, 2),
       "{\"compare\":[{\"result\":\"EQUAL\",\"target\":\"MOD\",\"key\":\"ZC93\",\"mod_revision\":\"12\"},"
       "{\"result\":\"EQUAL\",\"target\":\"CREATE\",\"key\":\"ZC9s\",\"create_revision\":\"5\"}],"
       "\"success\":[{\"request_put\":{\"key\":\"ZC9r\",\"value\":\"dg==\"}},"
       "{\"request_delete_range\":{\"key\":\"ZC9r\"}}]}");
    is(etcd_page_request("d/", "d0", 5, 0), "{\"key\":\"ZC8=\",\"range_end\":\"ZDA=\",\"limit\":5}");
    is(etcd_page_request("d/", "d0", 5, 7), "{\"key\":\"ZC8=\",\"range_end\":\"ZDA=\",\"limit\":5,\"revision\":\"7\"}");
}

static void test_guarded_answers(void **state)
{
    int64_t revision = 0;
    bool done = false;
    assert_int_equal(etcd_parse_guarded("{\"header\":{\"revision\":\"9\"},\"succeeded\":true}", &done, &revision), 0);
    assert_true(done);
    assert_int_equal(revision, 9);
    assert_int_equal(etcd_parse_guarded("{\"header\":{\"revision\":\"9\"}}", &done, &revision), 0);
    assert_false(done);
    assert_int_equal(etcd_parse_guarded("{\"succeeded\":true}", &done, &revision), -1);
    assert_int_equal(etcd_parse_guarded("", &done, &revision), -1);
    assert_int_equal(etcd_parse_guarded(NULL, &done, &revision), -1);
}

static int append_pair(void *data, const char *key, const char *value, size_t length)
{
    char *text = data;
    sprintf(text + strlen(text), "%s=%.*s ", key, (int)length, value);
    return 0;
}

static void test_pages(void **state)
{
    char text[64] = "", *next = NULL;
    int64_t revision = 0;
    assert_int_equal(etcd_parse_page("{\"header\":{\"revision\":\"9\"},\"kvs\":[{\"key\":\"ZC9r\",\"value\":\"dg==\"},"
                                     "{\"key\":\"AAA=\",\"value\":\"dg==\"},{\"key\":\"ZC9s\"}],\"more\":true}",
                                     2, append_pair, text, &next, &revision),
                     0);
    assert_string_equal(text, "k=v l= ");
    is(next, "d/l\001");
    assert_int_equal(revision, 9);
    assert_int_equal(etcd_parse_page("{\"header\":{}}", 2, append_pair, text, &next, &revision), 0);
    assert_null(next);
    assert_int_equal(etcd_parse_page("{}", 2, append_pair, text, &next, &revision), -1);
    assert_int_equal(etcd_parse_page("{\"header\":{},\"kvs\":[{\"key\":\"ZC9r\",\"value\":\"!\"}]}", 2, append_pair,
                                     text, &next, &revision),
                     -1);
    assert_null(next);
}

static void test_v2_key(void **state)
{
    static const char *const bad[] = {"", "[]", "{\"node\":{\"value\":\"a\"}}", "{\"node\":{\"createdIndex\":3}}"};
    struct etcd_v2_key key;
    assert_int_equal(etcd_parse_v2_key("{\"action\":\"get\",\"node\":{\"key\":\"/d/l\",\"value\":\"a:1\","
                                       "\"modifiedIndex\":9,\"createdIndex\":5}}",
                                       &key),
                     0);
    assert_int_equal(key.created, 5);
    assert_int_equal(key.modified, 9);
    is(key.value, "a:1");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(etcd_parse_v2_key(bad[i], &key), -1);
}

static void test_lease_answers(void **state)
{
    char lease[24] = "";
    int64_t ttl_s = 0;
    bool alive = true;
    assert_int_equal(
        etcd_parse_grant("{\"header\":{},\"ID\":\"7587862094\",\"TTL\":\"4\"}", lease, sizeof lease, &ttl_s), 0);
    assert_int_equal(ttl_s, 4);
    assert_string_equal(lease, "7587862094");
    assert_int_equal(etcd_parse_grant("{\"header\":{}}", lease, sizeof lease, NULL), -1);
    assert_int_equal(etcd_parse_keep_alive("{\"result\":{\"header\":{},\"ID\":\"7\"}}\n", &alive), 0);
    assert_false(alive);
    assert_int_equal(etcd_parse_keep_alive("{\"result\":{\"header\":{},\"ID\":\"7\",\"TTL\":\"4\"}}\n", &alive), 0);
    assert_true(alive);
    assert_int_equal(etcd_parse_keep_alive("{\"error\":{}}", &alive), -1);
}

static void test_watch_applies_events(void **state)
{
    kv_table_put(&table, "d/a", "a");
    enum etcd_event event =
        etcd_apply_watch("{\"result\":{\"header\":{},\"events\":[{\"kv\":{\"key\":\"ZC9i\",\"value\":"
                         "\"Yg==\"}},{\"type\":\"DELETE\",\"kv\":{\"key\":\"ZC9h\"}}]}}",
                         &table);
    assert_int_equal(event, ETCD_CHANGED);
    table_is("d/b=b ");
}

static void test_watch_messages_without_events(void **state)
{
    assert_int_equal(etcd_apply_watch("{\"result\":{\"header\":{},\"created\":true}}", &table), ETCD_NOTHING);
    assert_int_equal(etcd_apply_watch("{\"result\":{\"header\":{}}}", &table), ETCD_NOTHING);
    assert_int_equal(etcd_apply_watch("{\"result\":{\"canceled\":true,\"compact_revision\":\"9\"}}", &table),
                     ETCD_LIST);
    assert_int_equal(etcd_apply_watch("{\"error\":{\"message\":\"x\"}}", &table), ETCD_BROKEN);
    assert_int_equal(etcd_apply_watch("nonsense", &table), ETCD_BROKEN);
}

static void test_list_of_v2(void **state)
{
    assert_int_equal(etcd_parse_v2_list("{\"action\":\"get\",\"node\":{\"key\":\"/d\",\"dir\":true,\"nodes\":["
                                        "{\"key\":\"/d/b\",\"value\":\"b\"},{\"key\":\"/d/a\",\"dir\":true}]}}",
                                        &table),
                     0);
    table_is("d/a= d/b=b ");
    assert_int_equal(etcd_parse_v2_list("{\"node\":{\"key\":\"/d\",\"value\":\"x\"}}", &table), -1);
    assert_int_equal(etcd_parse_v2_list("{}", &table), -1);
}

static enum etcd_event v2_event(const char *action, const char *node, int64_t *ret_index)
{
    char text[256];
    snprintf(text, sizeof text, "{\"action\":\"%s\",\"node\":{%s,\"modifiedIndex\":12}}", action, node);
    return etcd_apply_v2_event(text, "d/n", &table, ret_index);
}

static void test_events_of_v2(void **state)
{
    int64_t index = 0;
    assert_int_equal(v2_event("set", "\"key\":\"/d/n/a\",\"value\":\"a\"", &index), ETCD_CHANGED);
    assert_int_equal(index, 12);
    table_is("d/n/a=a ");
    assert_int_equal(v2_event("expire", "\"key\":\"/d/n/a\"", &index), ETCD_CHANGED);
    table_is("");
    assert_int_equal(v2_event("create", "\"key\":\"/d/n\",\"dir\":true", &index), ETCD_NOTHING);
    assert_int_equal(v2_event("set", "\"key\":\"/d/n/x/y\",\"value\":\"1\"", &index), ETCD_NOTHING);
    assert_int_equal(v2_event("delete", "\"key\":\"/d\",\"dir\":true", &index), ETCD_LIST);
    assert_int_equal(v2_event("set", "\"value\":\"1\"", &index), ETCD_BROKEN);
    assert_int_equal(etcd_apply_v2_event("{}", "d/n", &table, &index), ETCD_BROKEN);
    table_is("");
}

static void test_path_of_v2_is_escaped(void **state)
{
    is(etcd_v2_path("d/[::1]:2?"), "/v2/keys/d/%5B::1%5D:2%3F");
}

static struct http_result answer(int status, const char *body)
{
    static char buffer[256];
    snprintf(buffer, sizeof buffer, "%s", body);
    return (struct http_result){.status = status, .body = buffer, .length = strlen(body)};
}

static void test_missing_api_is_a_404_that_is_not_etcds(void **state)
{
    struct http_result plain = answer(404, "404 page not found\n");
    assert_true(etcd_api_missing(&plain));
    struct http_result v3 = answer(404, "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}");
    assert_false(etcd_api_missing(&v3));
    struct http_result v2 = answer(404, "{\"errorCode\":100,\"message\":\"Key not found\"}");
    assert_false(etcd_api_missing(&v2));
    assert_int_equal(etcd_v2_error(&v2), 100);
    struct http_result fine = answer(200, "x");
    assert_false(etcd_api_missing(&fine));
}

static void test_descriptions_use_etcds_words(void **state)
{
    char text[320];
    struct http_result v3 = answer(404, "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}");
    etcd_describe(text, sizeof text, &v3);
    assert_string_equal(text, "etcdserver: requested lease not found");
    struct http_result v2 = answer(404, "{\"errorCode\":100,\"message\":\"Key not found\",\"cause\":\"/d\"}");
    etcd_describe(text, sizeof text, &v2);
    assert_string_equal(text, "Key not found: /d");
    struct http_result other = answer(503, "busy");
    etcd_describe(text, sizeof text, &other);
    assert_string_equal(text, "HTTP status 503");
    struct http_result strange = answer(200, "<html>");
    etcd_describe(text, sizeof text, &strange);
    assert_string_equal(text, "an answer that is not etcd's");
}

#define WITH_TABLE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_are_joined_and_cleaned),
        WITH_TABLE(test_table_is_sorted_and_keys_are_distinct),
        cmocka_unit_test(test_requests_of_v3),
        WITH_TABLE(test_range_fills_the_table),
        WITH_TABLE(test_empty_range_is_an_empty_table),
        WITH_TABLE(test_key_that_is_no_text_counts),
        WITH_TABLE(test_range_that_is_none_is_refused),
        cmocka_unit_test(test_key_has_its_lease),
        cmocka_unit_test(test_lock_requests),
        cmocka_unit_test(test_lock_that_was_free),
        cmocka_unit_test(test_lock_that_another_has),
        cmocka_unit_test(test_lock_answers_that_are_none),
        cmocka_unit_test(test_guarded_requests),
        cmocka_unit_test(test_guarded_answers),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_v2_key),
        cmocka_unit_test(test_lease_answers),
        WITH_TABLE(test_watch_applies_events),
        WITH_TABLE(test_watch_messages_without_events),
        WITH_TABLE(test_list_of_v2),
        WITH_TABLE(test_events_of_v2),
        cmocka_unit_test(test_path_of_v2_is_escaped),
        cmocka_unit_test(test_missing_api_is_a_404_that_is_not_etcds),
        cmocka_unit_test(test_descriptions_use_etcds_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
