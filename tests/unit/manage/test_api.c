/* SPDX-License-Identifier: Apache-2.0 */
/* The API of a manager whose pool is empty: what it answers before the first engine is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_kit.h"
#include "bytes.h"
#include "events.h"
#include "stream.h"

static void test_ping_answers_get_and_head(void **state)
{
    struct http_result result;

    api_assert_text("GET", "/_ping", 200, "OK");
    api_assert_text("GET", "/v1.24/_ping", 200, "OK");
    api_ask("HEAD", "/_ping", NULL, &result);
    assert_int_equal(result.status, 200);
    assert_string_equal(result.api_version, API_VERSION_MAX);
    assert_string_equal(result.builder_version, "1");
    http_result_clear(&result);
}

static void test_version_names_a_classic_swarm(void **state)
{
    json_t *version = api_get("/version");

    assert_string_equal(json_string_value(json_object_get(version, "Version")), "swarm/" SWARM_VERSION);
    assert_string_equal(json_string_value(json_object_get(version, "ApiVersion")), API_VERSION_MAX);
    assert_string_equal(json_string_value(json_object_get(version, "MinAPIVersion")), API_VERSION_MIN);
    json_decref(version);
}

static void test_info_of_an_empty_pool(void **state)
{
    json_t *info = api_get("/info");

    assert_int_equal(json_integer_value(json_object_get(info, "Containers")), 0);
    assert_int_equal(json_integer_value(json_object_get(info, "NCPU")), 0);
    assert_string_equal(json_string_value(json_object_get(info, "ID")), "the-cluster");
    assert_string_equal(json_string_value(json_object_get(json_object_get(info, "Swarm"), "LocalNodeState")),
                        "inactive");
    assert_string_equal(json_string_value(json_array_get(json_array_get(json_object_get(info, "SystemStatus"), 3), 1)),
                        "0");
    json_decref(info);
}

static void test_nothing_waits_in_an_empty_pool(void **state)
{
    json_t *known = api_get("/swarm/reschedule");
    struct http_result result;

    assert_true(json_is_false(json_object_get(known, "held")));
    assert_int_equal(json_integer_value(json_object_get(known, "moves")), 0);
    assert_true(json_is_array(json_object_get(known, "waiting")));
    assert_int_equal(json_array_size(json_object_get(known, "waiting")), 0);
    json_decref(known);
    api_ask("POST", "/swarm/reschedule", NULL, &result);
    assert_int_equal(result.status, 200);
    http_result_clear(&result);
}

static void test_lists_of_an_empty_pool_are_empty(void **state)
{
    api_assert_text("GET", "/containers/json?all=1", 200, "[]\n");
    api_assert_text("GET", "/containers/ps", 200, "[]\n");
    api_assert_text("GET", "/containers/json?size=1&filters=%7B%22ancestor%22%3A%5B%22x%22%5D%7D", 200, "[]\n");
    api_assert_text("GET", "/images/json", 200, "[]");
}

static void test_dry_run_and_decisions_of_an_empty_pool(void **state)
{
    static const char body[] = "{\"Image\":\"busybox\",\"Env\":[\"constraint:zone==~a\"]}";
    struct http_result result;
    json_t *decision, *list, *last;

    api_assert_text("GET", "/swarm/nodes", 200, "[]");
    api_ask("POST", "/containers/create?dryrun=1&name=web", body, &result);
    assert_int_equal(result.status, 200);
    decision = json_loadb(result.body, result.length, 0, NULL);
    http_result_clear(&result);
    assert_true(json_is_false(json_object_get(decision, "granted")));
    assert_string_equal(json_string_value(json_object_get(decision, "text")),
                        "No healthy node available in the cluster\n0/0 nodes fit\n"
                        "soft expressions dropped: constraint:zone==~a");
    json_decref(decision);
    api_assert_refused("POST", "/containers/create?dryrun=1", "{", 400,
                       "invalid JSON: line 1, column 2: the text ends too early");
    list = api_get("/swarm/decisions");
    size_t before = json_array_size(list);
    json_decref(list);
    api_ask("POST", "/containers/create?dryrun=0&name=w%ffeb", body, &result);
    assert_int_equal(result.status, 500);
    http_result_clear(&result);
    list = api_get("/swarm/decisions");
    assert_int_equal(json_array_size(list), before + 1);
    last = json_array_get(list, before);
    assert_string_equal(json_string_value(json_object_get(last, "name")), "w?eb");
    assert_string_equal(json_string_value(json_object_get(last, "image")), "busybox");
    assert_string_equal(json_string_value(json_object_get(last, "kind")), "create");
    assert_string_equal(json_string_value(json_object_get(last, "outcome")), "refused");
    assert_true(json_is_null(json_object_get(last, "node")));
    assert_non_null(strstr(json_string_value(json_object_get(last, "text")), "\n0/0 nodes fit\n"));
    assert_int_equal(strlen(json_string_value(json_object_get(last, "time"))),
                     strlen("2026-11-26T03:00:00.000000000Z"));
    json_decref(list);
}

static void test_versions_out_of_range_are_refused(void **state)
{
    api_assert_refused(
        "GET", "/v1.23/info", NULL, 400,
        "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client "
        "to a newer version");
    api_assert_refused(
        "GET", "/v1.9/info", NULL, 400,
        "client version 1.9 is too old. Minimum supported API version is 1.24, please upgrade your client "
        "to a newer version");
    api_assert_refused("GET", "/v9.99/info", NULL, 400,
                       "client version 9.99 is too new. Maximum supported API version is 1.51");
}

static void test_unknown_paths_are_named(void **state)
{
    api_assert_refused("GET", "/nothing", NULL, 404, "page not found: this manager does not serve GET /nothing");
    api_assert_refused("DELETE", "/v1.41/info", NULL, 404, "page not found: this manager does not serve DELETE /info");
    api_assert_refused("GET", "/info/", NULL, 404, "page not found: this manager does not serve GET /info/");
    api_assert_refused("POST", "/nothing/prune", NULL, 404,
                       "page not found: this manager does not serve POST /nothing/prune");
    api_assert_refused("GET", "/v1x24/_ping", NULL, 404,
                       "page not found: this manager does not serve GET /v1x24/_ping");
}

static void test_unknown_containers_are_named(void **state)
{
    api_assert_refused("GET", "/containers/web/json", NULL, 404, "No such container: web");
    api_assert_refused("GET", "/containers/node1%2Fweb/json", NULL, 404, "No such container: node1/web");
    api_assert_refused("GET", "/containers/json/json", NULL, 404, "No such container: json");
    api_assert_refused("POST", "/containers/web/start", NULL, 404, "No such container: web");
    api_assert_refused("DELETE", "/containers/web", NULL, 404, "No such container: web");
    api_assert_refused("POST", "/containers/web/new-thing", NULL, 404, "No such container: web");
    api_assert_refused("GET", "/containers/json?before=web", NULL, 404, "No such container: web");
    api_assert_refused("GET", "/exec/e1/json", NULL, 404, "No such exec instance: e1");
    api_assert_refused("GET", "/containers/%zz/json", NULL, 400, "bad percent escape in the path /containers/%zz/json");
}

static void test_bad_filters_are_named(void **state)
{
    api_assert_refused("GET", "/containers/json?filters=%7B%22bogus%22%3A%5B%221%22%5D%7D", NULL, 400,
                       "invalid filter 'bogus'");
    api_assert_refused("GET", "/containers/json?filters=%7B%22status%22%3A%5B%22flying%22%5D%7D", NULL, 400,
                       "invalid filter 'status=flying'");
    api_assert_refused("GET", "/containers/json?filters=%7B%22exited%22%3A%5B%22x%22%5D%7D", NULL, 400,
                       "strconv.Atoi: parsing \"x\": invalid syntax");
    api_assert_refused("GET", "/containers/json?filters=%7B%22health%22%3A%5B%22fine%22%5D%7D", NULL, 400,
                       "Unrecognised filter value for health: fine");
    api_assert_text("GET", "/containers/json?filters=null", 200, "[]\n");
    api_assert_refused("GET", "/images/json?filters=%7B%22bogus%22%3A%5B%221%22%5D%7D", NULL, 400,
                       "invalid filter 'bogus'");
    api_assert_refused("GET", "/events?filters=%7B%22bogus%22%3A%5B%221%22%5D%7D", NULL, 400, "invalid filter 'bogus'");
    api_assert_refused(
        "GET", "/events?until=99999999999999999999", NULL, 400,
        "invalid until: \"99999999999999999999\" is neither a Unix time, nor an RFC 3339 time, nor a duration");
    api_assert_refused("GET", "/events?until=soon", NULL, 400,
                       "invalid until: \"soon\" is neither a Unix time, nor an RFC 3339 time, nor a duration");
}

static void test_create_needs_a_body_and_a_node(void **state)
{
    api_assert_refused("POST", "/containers/create", NULL, 400, "invalid JSON: got EOF while reading request body");
    api_assert_refused("POST", "/containers/create", "{\"Image\":\"busybox\"}", 500,
                       "No healthy node available in the cluster\n0/0 nodes fit");
}

static void test_unclean_path_is_redirected(void **state)
{
    struct http_result result;

    api_ask("GET", "/containers//web/json?x=1", NULL, &result);
    assert_int_equal(result.status, 301);
    http_result_clear(&result);
}

static void test_options_is_answered_anywhere(void **state)
{
    api_assert_text("OPTIONS", "/nothing", 200, "");
}

static void test_debug_variables_are_told_with_debug_only(void **state)
{
    json_t *answer, *again;

    api_assert_refused("GET", "/debug/vars", NULL, 404, "page not found: /debug/vars is served with --debug only");
    api_manager.options.debug = true;
    answer = api_get("/debug/vars");
    again = api_get("/debug/vars");
    api_assert_refused("GET", "/debug/pprof/", NULL, 404,
                       "page not found: this manager does not serve GET /debug/pprof/");
    api_manager.options.debug = false;
    assert_int_equal(json_integer_value(json_object_get(again, "Requests")),
                     json_integer_value(json_object_get(answer, "Requests")) + 1);
    assert_true(json_integer_value(json_object_get(answer, "MemoryKiB")) > 100);
    assert_true(json_integer_value(json_object_get(answer, "Threads")) > 1);
    assert_true(json_integer_value(json_object_get(answer, "OpenFiles")) > 3);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "Engines"), "Healthy")), 0);
    json_decref(answer);
    json_decref(again);
}

static void test_past_events_end_at_once(void **state)
{
    api_assert_text("GET", "/events?since=1&until=2", 200, "");
    api_assert_text("GET", "/events?since=1795343192.000000001&until=1795343193", 200, "");
    api_assert_text("GET", "/events?since=2020-01-01T00:00:00Z&until=1h", 200, "");
    api_assert_text("GET", "/events?since=1&until=2562047h", 200, "");  /* before 1970 */
    api_assert_text("GET", "/events?since=-2562047h&until=1", 200, ""); /* beyond the last nanosecond */
}

/* All there is of the stream until @p count events have come; new text. */
static char *read_events(struct stream *stream, size_t count)
{
    struct bytes text = {0};
    char *whole;

    for (size_t seen = 0; seen < count;) {
        ssize_t got;

        assert_int_equal(bytes_reserve(&text, 65536), 0);
        got = stream_recv_wait(stream, text.data + text.end, text.size - text.end - 1, 60000);
        assert_true(got > 0);
        text.end += (size_t)got;
        text.data[text.end] = '\0';
        seen = 0;
        for (const char *at = bytes_at(&text); (at = strstr(at, "\"Action\":\"n")) != NULL; at++)
            seen++;
    }
    whole = strdup(bytes_at(&text));
    bytes_free(&text);
    return whole;
}

static void test_events_of_a_burst_come_all_and_in_order(void **state)
{
    enum { COUNT = 1000 };
    static const char ask[] = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
    struct failure failure = {0};
    struct engine *engine = pool_add_engine(api_manager.pool, "192.0.2.9:2375", &failure);
    struct address address;
    struct stream *stream;
    char *error = NULL, *text, *at, action[32], head[4096];

    assert_int_equal(address_parse(&address, api_address(), &error), 0);
    assert_int_equal(stream_dial(&stream, &address, NULL, 20000, &error), 0);
    assert_int_equal(stream_send_all(stream, ask, sizeof(ask) - 1, 20000), 0);
    /* The answer begins once it listens. */
    assert_true(stream_recv_wait(stream, head, sizeof(head), 60000) > 0);
    for (int i = 0; i < COUNT; i++) {
        snprintf(action, sizeof(action), "n%d", i);
        events_publish_swarm(api_manager.events, engine, action);
    }
    text = at = read_events(stream, COUNT);
    for (int i = 0; i < COUNT; i++) {
        snprintf(action, sizeof(action), "\"Action\":\"n%d\"", i);
        at = strstr(at, action);
        if (at == NULL)
            fail_msg("%s is not where it belongs", action);
    }
    free(text);
    stream_close(stream);
    pool_remove_engine(api_manager.pool, engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping_answers_get_and_head),
        cmocka_unit_test(test_version_names_a_classic_swarm),
        cmocka_unit_test(test_info_of_an_empty_pool),
        cmocka_unit_test(test_nothing_waits_in_an_empty_pool),
        cmocka_unit_test(test_lists_of_an_empty_pool_are_empty),
        cmocka_unit_test(test_dry_run_and_decisions_of_an_empty_pool),
        cmocka_unit_test(test_versions_out_of_range_are_refused),
        cmocka_unit_test(test_unknown_paths_are_named),
        cmocka_unit_test(test_unknown_containers_are_named),
        cmocka_unit_test(test_bad_filters_are_named),
        cmocka_unit_test(test_create_needs_a_body_and_a_node),
        cmocka_unit_test(test_unclean_path_is_redirected),
        cmocka_unit_test(test_options_is_answered_anywhere),
        cmocka_unit_test(test_debug_variables_are_told_with_debug_only),
        cmocka_unit_test(test_past_events_end_at_once),
        cmocka_unit_test(test_events_of_a_burst_come_all_and_in_order),
    };

    return cmocka_run_group_tests(tests, api_set_up, api_tear_down);
}
