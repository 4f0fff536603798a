/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are passed on to an engine, from the client's end and from the engine's. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_kit.h"
#include "canned.h"
#include "http_peer.h"

#define WEB "e76937adc4d15cebcea7b4c9e901b16957525363045d8b7da102614d67f975c9"

static struct http_peer *engine;

static int set_up(void **state)
{
    struct failure failure = {0};
    struct engine *node;
    json_t *info, *version, *entry;
    char *text;
    size_t length;

    if (api_set_up(state) != 0)
        return -1;
    engine = http_peer_new(NULL, NULL);
    node = pool_add_engine(api_manager.pool, http_peer_address(engine), &failure);
    assert_non_null(node);
    info = canned_info("ID1", "node-1");
    version = canned_json("version");
    assert_int_equal(pool_apply_specs(api_manager.pool, node, info, version, "1", &failure), 0);
    pool_set_state(api_manager.pool, node, ENGINE_HEALTHY, 0, NULL);
    entry = canned_entry("web");
    text = canned_text("inspect_web", &length);
    assert_int_equal(pool_apply_container(api_manager.pool, node, pool_ticket(api_manager.pool), entry, text, length),
                     0);
    free(text);
    json_decref(entry);
    json_decref(info);
    json_decref(version);
    return 0;
}

static int tear_down(void **state)
{
    api_tear_down(state);
    http_peer_free(engine);
    return 0;
}

/* From the next request on. */
static void engine_answers(int status, const char *body, enum peer_fault fault)
{
    http_peer_set_answer(engine, status,
                         "Server: Docker/20.10\r\nApi-Version: 9.99\r\nContent-Type: application/json\r\n", body);
    http_peer_set_fault(engine, fault);
}

/* The engine's last request begins like this. */
static void assert_seen(const char *beginning)
{
    char request[256];

    snprintf(request, sizeof(request), "%.*s", (int)strlen(beginning), http_peer_last(engine, ""));
    assert_string_equal(request, beginning);
}

static void test_path_is_rebuilt_and_version_clamped(void **state)
{
    engine_answers(200, "{}", PEER_WELL);
    api_assert_text("GET", "/v1.51/containers/web/logs?tail=1&follow=0", 200, "{}");
    assert_seen("GET /v1.41/containers/" WEB "/logs?tail=1&follow=0 HTTP/1.1\r\n");
    api_assert_text("GET", "/v1.30/containers/node-1%2Fweb/top", 200, "{}");
    assert_seen("GET /v1.30/containers/" WEB "/top HTTP/1.1\r\n");
    api_assert_text("GET", "/containers/node-1/web/changes", 200, "{}");
    assert_seen("GET /v1.41/containers/" WEB "/changes HTTP/1.1\r\n");
    api_assert_text("POST", "/containers/web/new-thing/x%20y?a=b", 200, "{}");
    assert_seen("POST /v1.41/containers/" WEB "/new-thing/x%20y?a=b HTTP/1.1\r\n");
}

static void test_host_is_the_engine(void **state)
{
    char host[64];

    engine_answers(200, "{}", PEER_WELL);
    api_assert_text("GET", "/containers/web/top", 200, "{}");
    snprintf(host, sizeof(host), "\r\nHost: %s\r\n", http_peer_address(engine));
    assert_non_null(strstr(http_peer_last(engine, ""), host));
}

static void test_engine_does_not_speak_for_the_pool(void **state)
{
    struct http_result result;

    engine_answers(200, "{}", PEER_WELL);
    api_ask("GET", "/containers/web/top", NULL, &result);
    assert_string_equal(result.api_version, "1.41");
    http_result_clear(&result);
}

static void test_engine_errors_are_passed_on(void **state)
{
    engine_answers(409, "{\"message\":\"not now\"}\r\n", PEER_WELL);
    api_assert_refused("GET", "/containers/web/top", NULL, 409, "not now");
    api_assert_refused("GET", "/containers/web/json", NULL, 409, "not now");
    api_assert_refused("POST", "/containers/web/exec", "{}", 409, "not now");
}

static void test_kept_connection_that_died_is_replaced(void **state)
{
    int before;

    engine_answers(200, "{}", PEER_STALE);
    api_assert_text("GET", "/containers/web/top", 200, "{}");
    before = http_peer_count(engine, "");
    for (int i = 0; i < 5; i++)
        api_assert_text("GET", "/containers/web/top", 200, "{}");
    assert_true(http_peer_count(engine, "") > before + 5); /* some came to a dying connection first */
}

static void test_engine_that_closes_is_told_of(void **state)
{
    char text[160];

    engine_answers(200, "{}", PEER_CLOSE);
    snprintf(text, sizeof(text),
             "The engine at tcp://%s failed during the request: the engine closed the connection before it answered",
             http_peer_address(engine));
    api_assert_refused("GET", "/containers/web/top", NULL, 500, text);
}

static void test_answer_cut_short_is_no_answer(void **state)
{
    struct http_result result;

    engine_answers(200, "{\"half\":\"of it is missing\"}", PEER_CUT);
    api_ask("GET", "/containers/web/json", NULL, &result);
    assert_int_equal(result.status, 500);
    http_result_clear(&result);
}

/* More than one answer to a request: what is left over is no answer to the next. */
static void test_answer_that_nobody_asked_for_is_not_given(void **state)
{
    for (int i = 0; i < 10; i++) {
        http_peer_set_answer(engine, 200, "Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nX: y\r\n", "[\"not yours\"]");
        http_peer_set_fault(engine, PEER_WELL);
        api_assert_text("GET", "/containers/web/top", 200, "{}");
        engine_answers(200, "[]", PEER_WELL);
        api_assert_text("GET", "/containers/web/top", 200, "[]");
    }
}

static void test_answer_of_two_lengths_is_refused(void **state)
{
    char text[200];

    snprintf(text, sizeof(text),
             "The engine at tcp://%s failed during the request: malformed answer: both Content-Length and "
             "Transfer-Encoding",
             http_peer_address(engine));
    for (int i = 0; i < 10; i++) {
        http_peer_set_answer(engine, 200, "Transfer-Encoding: chunked\r\n", "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
        api_assert_refused("GET", "/containers/web/top", NULL, 500, text);
        engine_answers(200, "[]", PEER_WELL);
        api_assert_text("GET", "/containers/web/top", 200, "[]");
    }
}

/* A request in a request, if line breaks were taken as such. */
#define SPLIT "x%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0aGET%20/smuggled%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0a"
#define SPLIT_JSON "x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"

static void test_names_do_not_split_requests(void **state)
{
    static const struct {
        const char *method, *path, *body;
    } cases[] = {
        {"GET", "/containers/" SPLIT "/json", NULL},
        {"GET", "/containers/web/" SPLIT, NULL},
        {"GET", "/containers/web/logs?since=" SPLIT, NULL},
        {"GET", "/containers/web/logs?" SPLIT "=1", NULL},
        {"PUT", "/containers/web/archive?path=" SPLIT, "x"},
        {"POST", "/containers/web/rename?name=" SPLIT, NULL},
        {"POST", "/containers/web/update", "{\"Name\":\"" SPLIT_JSON "\"}"},
        {"POST", "/containers/create?name=" SPLIT, "{\"Image\":\"busybox\"}"},
        {"POST", "/containers/create", "{\"Image\":\"" SPLIT_JSON "\"}"},
        {"POST", "/containers/create", "{\"Image\":\"busybox:" SPLIT_JSON "\"}"},
        {"POST", "/commit?container=web&repo=" SPLIT "&tag=" SPLIT, NULL},
        {"GET", "/exec/" SPLIT "/json", NULL},
        {"POST", "/exec/" SPLIT "/start", "{}"},
        {"GET", "/images/" SPLIT "/json", NULL},
        {"GET", "/images/" SPLIT "/get", NULL},
        {"GET", "/images/get?names=" SPLIT, NULL},
        {"GET", "/images/search?term=" SPLIT, NULL},
        {"POST", "/images/create?fromImage=" SPLIT, NULL},
        {"POST", "/images/create?fromImage=busybox&tag=" SPLIT, NULL},
        {"POST", "/images/create?fromSrc=-&repo=" SPLIT, "x"},
        {"POST", "/images/busybox/tag?repo=" SPLIT, NULL},
        {"POST", "/images/" SPLIT "/push", NULL},
        {"DELETE", "/images/" SPLIT, NULL},
        {"GET", "/distribution/" SPLIT "/json", NULL},
        {"POST", "/build?t=" SPLIT, "x"},
        {"GET", "/networks/" SPLIT, NULL},
        {"DELETE", "/networks/" SPLIT, NULL},
        {"POST", "/networks/" SPLIT "/connect", "{\"Container\":\"" SPLIT_JSON "\"}"},
        {"POST", "/networks/create", "{\"Name\":\"" SPLIT_JSON "\"}"},
        {"GET", "/volumes/" SPLIT, NULL},
        {"DELETE", "/volumes/" SPLIT, NULL},
        {"POST", "/volumes/create", "{\"Name\":\"" SPLIT_JSON "\"}"},
        {"GET", "/plugins/" SPLIT "/json", NULL},
        {"POST", "/containers/prune?filters=" SPLIT, NULL},
        {"GET", "/events?until=1&filters=" SPLIT, NULL},
    };
    struct http_result result;

    engine_answers(404, "{\"message\":\"there is none\"}", PEER_WELL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        api_ask(cases[i].method, cases[i].path, cases[i].body, &result);
        if (http_peer_count(engine, "GET /smuggled ") != 0)
            fail_msg("%s %s split the engine's request", cases[i].method, cases[i].path);
        http_result_clear(&result);
    }
    assert_true(http_peer_count(engine, "%20/smuggled") > 5); /* it got there, as it was sent */
    api_assert_refused("GET", "/containers/web/top", NULL, 404, "there is none");
}

static const char inspect[] = "{\"Id\":\"" WEB "\",\"LogPath\":\"\",\"Name\":\"/web\",\"New\":9007199254740993,"
                              "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":"
                              "\"8080\"},{\"HostIp\":\"10.0.0.9\",\"HostPort\":\"81\"}],\"81/tcp\":null}}}";

static void test_inspect_gets_its_node_and_keeps_the_rest(void **state)
{
    struct http_result result;

    engine_answers(200, inspect, PEER_WELL);
    api_ask("GET", "/containers/web/json?size=1", NULL, &result);
    assert_seen("GET /v1.41/containers/" WEB "/json?size=1 HTTP/1.1\r\n");
    assert_int_equal(result.status, 200);
    assert_non_null(strstr(result.body, "\"LogPath\":\"\",\"Node\":{\"ID\":\"ID1\",\"IP\":\"127.0.0.1\",\"Addr\":\""));
    assert_non_null(strstr(result.body, "},\"Name\":\"/web\",\"New\":9007199254740993,"));
    assert_non_null(strstr(result.body, "{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}"));
    assert_non_null(strstr(result.body, "{\"HostIp\":\"10.0.0.9\",\"HostPort\":\"81\"}"));
    http_result_clear(&result);
}

static void test_inspect_that_is_no_json_is_an_error(void **state)
{
    char text[160];

    engine_answers(200, "nope", PEER_WELL);
    snprintf(text, sizeof(text), "The engine at tcp://%s answered an inspect with something that is no JSON object",
             http_peer_address(engine));
    api_assert_refused("GET", "/containers/web/json", NULL, 500, text);
}

static void test_exec_is_found_by_its_id(void **state)
{
    int before;

    engine_answers(201, "{\"Id\":\"abcd\"}", PEER_WELL);
    api_assert_text("POST", "/containers/web/exec", 201, "{\"Id\":\"abcd\"}");
    before = http_peer_count(engine, "");
    engine_answers(200, "{}", PEER_WELL);
    api_assert_text("GET", "/v1.40/exec/abcd/json", 200, "{}");
    assert_seen("GET /v1.40/exec/abcd/json HTTP/1.1\r\n");
    assert_int_equal(http_peer_count(engine, ""), before + 1);
}

static void test_unknown_exec_is_asked_for(void **state)
{
    engine_answers(200, "{\"ContainerID\":\"12345678\"}", PEER_WELL);
    api_assert_text("POST", "/exec/efgh/resize?h=1&w=2", 200, "{\"ContainerID\":\"12345678\"}");
    assert_seen("POST /v1.41/exec/efgh/resize?h=1&w=2 HTTP/1.1\r\n");
    engine_answers(404, "{}", PEER_WELL);
    api_assert_refused("GET", "/exec/ijkl/json", NULL, 404, "No such exec instance: ijkl");
}

static void test_link_is_removed_from_its_parent(void **state)
{
    engine_answers(200, "[]", PEER_WELL);
    api_assert_refused("DELETE", "/containers/web?link=1", NULL, 400,
                       "a link is removed as container/alias: web names no link");
    api_assert_refused("DELETE", "/containers/node-9/web/db?link=1", NULL, 404, "No such container: node-9/web");
}

/* The engine takes a request and does not answer; then it counts as lost. */
static void *lose_soon(void *data)
{
    struct engine *node = pool_find_engine_by_address(api_manager.pool, http_peer_address(engine));

    while (http_peer_count(engine, data) == 0)
        poll(NULL, 0, 10);
    pool_set_state(api_manager.pool, node, ENGINE_UNHEALTHY, 3, "no pings");
    engine_unref(node);
    return NULL;
}

static void test_answer_of_a_lost_engine_is_not_waited_for(void **state)
{
    static char stop[] = "/stop";
    struct engine *node = pool_find_engine_by_address(api_manager.pool, http_peer_address(engine));
    pthread_t thread;

    engine_answers(200, "", PEER_SILENT);
    assert_int_equal(pthread_create(&thread, NULL, lose_soon, stop), 0);
    api_assert_refused("POST", "/containers/web/stop", NULL, 500, "node node-1 does not answer: no pings");
    pthread_join(thread, NULL);
    pool_set_state(api_manager.pool, node, ENGINE_HEALTHY, 0, NULL);
    engine_unref(node);
}

/* The same for what the manager asks itself. */
static void test_call_to_a_lost_engine_is_given_up(void **state)
{
    static char call[] = "/call";
    struct engine *node = pool_find_engine_by_address(api_manager.pool, http_peer_address(engine));
    struct failure failure = {0};
    struct http_result result;
    pthread_t thread;

    engine_answers(200, "", PEER_SILENT);
    assert_int_equal(pthread_create(&thread, NULL, lose_soon, call), 0);
    assert_int_equal(engine_call(node, "GET", "/call", NULL, NULL, 0, 600000, &result, &failure), -1);
    assert_string_equal(failure.message, "node node-1 does not answer: no pings");
    pthread_join(thread, NULL);
    http_result_clear(&result);
    failure_clear(&failure);
    pool_set_state(api_manager.pool, node, ENGINE_HEALTHY, 0, NULL);
    engine_unref(node);
}

static void test_call_is_given_up_when_the_manager_ends(void **state)
{
    struct engine *node = pool_find_engine_by_address(api_manager.pool, http_peer_address(engine));
    struct failure failure = {0};
    struct http_result result;

    engine_answers(200, "", PEER_SILENT);
    atomic_store(&api_manager.calls_end_ms, monotonic_ms() + 100);
    assert_int_equal(engine_call(node, "GET", "/call", NULL, NULL, 0, 600000, &result, &failure), -1);
    assert_string_equal(failure.message, "the manager is being stopped");
    atomic_store(&api_manager.calls_end_ms, 0);
    http_result_clear(&result);
    failure_clear(&failure);
    engine_unref(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_is_rebuilt_and_version_clamped),
        cmocka_unit_test(test_host_is_the_engine),
        cmocka_unit_test(test_engine_does_not_speak_for_the_pool),
        cmocka_unit_test(test_engine_errors_are_passed_on),
        cmocka_unit_test(test_kept_connection_that_died_is_replaced),
        cmocka_unit_test(test_engine_that_closes_is_told_of),
        cmocka_unit_test(test_answer_cut_short_is_no_answer),
        cmocka_unit_test(test_answer_that_nobody_asked_for_is_not_given),
        cmocka_unit_test(test_answer_of_two_lengths_is_refused),
        cmocka_unit_test(test_names_do_not_split_requests),
        cmocka_unit_test(test_inspect_gets_its_node_and_keeps_the_rest),
        cmocka_unit_test(test_inspect_that_is_no_json_is_an_error),
        cmocka_unit_test(test_exec_is_found_by_its_id),
        cmocka_unit_test(test_unknown_exec_is_asked_for),
        cmocka_unit_test(test_link_is_removed_from_its_parent),
        cmocka_unit_test(test_answer_of_a_lost_engine_is_not_waited_for),
        cmocka_unit_test(test_call_to_a_lost_engine_is_given_up),
        cmocka_unit_test(test_call_is_given_up_when_the_manager_ends),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
