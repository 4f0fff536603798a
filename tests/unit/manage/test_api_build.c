/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and their parts, with engines that say what the test wants: which of them is asked, and what. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_kit.h"
#include "build_node.h"
#include "canned.h"
#include "http_peer.h"
#include "pins.h"

#define NODES 3

static struct {
    struct http_peer *peer;
    struct engine *engine; /* borrowed */
} nodes[NODES];

/* A build whose output is one line, as BuildKit's traces are. */
#define LONG_LINE (3u << 20)

static char *long_line(void)
{
    char *line = malloc(LONG_LINE + 1);

    memset(line, 'x', LONG_LINE);
    memcpy(line, "{\"aux\":\"", 8);
    memcpy(line + LONG_LINE - 4, "\"}\r\n", 5);
    return line;
}

static void say(void *data, const struct peer_request *request, struct peer_answer *answer)
{
    answer->headers = "Content-Type: application/json\r\n";
    if (strstr(request->query, "t=long") != NULL) {
        answer->body = long_line();
        return;
    }
    answer->body = strdup(strstr(request->path, "/images/json") != NULL ? "[]" : "{\"stream\":\"built\"}\r\n");
}

static void add_node(int number)
{
    struct failure failure = {0};
    char id[8], name[8];
    json_t *info, *version = canned_json("version");

    snprintf(id, sizeof(id), "ID%d", number);
    snprintf(name, sizeof(name), "n%d", number);
    info = canned_info(id, name);
    nodes[number].peer = http_peer_new(say, NULL);
    nodes[number].engine = pool_add_engine(api_manager.pool, http_peer_address(nodes[number].peer), &failure);
    assert_non_null(nodes[number].engine);
    assert_int_equal(pool_apply_specs(api_manager.pool, nodes[number].engine, info, version, "1", &failure), 0);
    pool_set_state(api_manager.pool, nodes[number].engine, ENGINE_HEALTHY, 0, NULL);
    json_decref(info);
    json_decref(version);
}

static int set_up(void **state)
{
    if (api_set_up(state) != 0)
        return -1;
    for (int i = 0; i < NODES; i++)
        add_node(i);
    return 0;
}

static int tear_down(void **state)
{
    api_tear_down(state);
    for (int i = 0; i < NODES; i++)
        http_peer_free(nodes[i].peer);
    return 0;
}

static int counted(int number, const char *part)
{
    return http_peer_count(nodes[number].peer, part);
}

/* POST @p path with header lines of the client's: the number of the node whose engine was asked something like @p part.
 */
static int asked_with(const char *const *headers, const char *path, const char *part)
{
    int before[NODES], number = -1;
    struct http_result result;

    for (int i = 0; i < NODES; i++)
        before[i] = counted(i, part);
    api_ask_with(headers, "POST", path, &result);
    if (result.status != 200)
        fail_msg("%s: %d %s", path, result.status, result.body);
    assert_string_equal(result.body, "{\"stream\":\"built\"}\r\n");
    http_result_clear(&result);
    for (int i = 0; i < NODES; i++) {
        int more = counted(i, part) - before[i];

        assert_true(more == 0 || (more == 1 && number == -1));
        number = more == 1 ? i : number;
    }
    assert_int_not_equal(number, -1);
    return number;
}

static int asked(const char *path, const char *part)
{
    return asked_with(NULL, path, part);
}

#define ARGS_N "%7B%22constraint%3Anode%22%3A%22%3Dn"
#define ON(number) "buildargs=" ARGS_N #number "%22%7D"

static void test_build_goes_where_its_arguments_say(void **state)
{
    assert_int_equal(asked("/v1.40/build?t=x&" ON(2) "&q=1", "POST /v1.40/build?t=x&buildargs=%7B%7D&q=1 "), 2);
    assert_int_equal(asked("/build?" ON(0), "POST /v1.41/build?buildargs=%7B%7D "), 0);
}

static void test_line_of_any_length_comes_whole(void **state)
{
    char *line = long_line();
    struct http_result result;

    api_ask("POST", "/build?t=long", NULL, &result);
    assert_int_equal(result.status, 200);
    assert_int_equal(result.length, LONG_LINE);
    assert_memory_equal(result.body, line, LONG_LINE);
    http_result_clear(&result);
    free(line);
}

static void test_images_are_asked_for_before_the_answer_ends(void **state)
{
    int before = counted(1, "/images/json");

    assert_int_equal(asked("/build?" ON(1), "/build?"), 1);
    assert_int_equal(counted(1, "/images/json"), before + 1);
}

static void test_next_build_of_the_client_goes_there_again(void **state)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(asked("/build?" ON(2), "/build?"), 2);
        assert_int_equal(asked("/build?t=plain", "/build?t=plain"), 2);
        assert_int_equal(asked("/build?" ON(1), "/build?"), 1);
        assert_int_equal(asked("/build?t=plain", "/build?t=plain"), 1);
    }
}

static void test_build_leaves_an_engine_that_is_not_healthy(void **state)
{
    assert_int_equal(asked("/build?" ON(2), "/build?"), 2);
    pool_set_state(api_manager.pool, nodes[2].engine, ENGINE_UNHEALTHY, 3, "gone");
    assert_int_not_equal(asked("/build?t=plain", "/build?t=plain"), 2);
    pool_set_state(api_manager.pool, nodes[2].engine, ENGINE_HEALTHY, 0, NULL);
}

static void test_build_leaves_an_engine_that_does_not_answer(void **state)
{
    assert_int_equal(asked("/build?" ON(2), "/build?"), 2); /* where the client's next one would go */
    http_peer_kill(nodes[2].peer);
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(asked("/build?t=plain", "/build?t=plain"), 2);
    http_peer_kill(nodes[0].peer);
    assert_int_equal(asked("/build?memory=1", "/build?memory=1"), 1);
    http_peer_revive(nodes[0].peer);
    http_peer_revive(nodes[2].peer);
}

static void test_build_that_fits_nowhere_is_refused(void **state)
{
    struct http_result result;

    api_ask("POST", "/build?" ON(9), NULL, &result);
    assert_int_equal(result.status, 500);
    assert_non_null(strstr(result.body, "node==n9"));
    http_result_clear(&result);
    api_ask("POST", "/build?memory=900000000000000", NULL, &result);
    assert_int_equal(result.status, 500);
    http_result_clear(&result);
    api_ask("POST", "/build?buildargs=%7B%22constraint%3A%3F%22%3A%22%22%7D", NULL, &result);
    assert_int_equal(result.status, 400);
    http_result_clear(&result);
    api_ask("POST", "/build?platform=windows/amd64", NULL, &result);
    assert_int_equal(result.status, 500);
    assert_non_null(strstr(result.body, "ostype==windows"));
    http_result_clear(&result);
}

static void test_build_follows_its_session(void **state)
{
    assert_int_equal(pin_set(api_manager.pins, PIN_SESSION, "s1", nodes[2].engine, monotonic_ms()), 0);
    assert_int_equal(asked("/build?" ON(0), "/build?"), 0); /* where the client's builds are */
    assert_int_equal(asked("/build?session=s1&version=2", "/build?session=s1&version=2 "), 2);
    assert_int_equal(asked("/build?session=s1&" ON(2), "/build?session=s1"), 2);
}

static void test_build_that_cannot_follow_its_session_is_refused(void **state)
{
    struct http_result result;

    assert_int_equal(pin_set(api_manager.pins, PIN_SESSION, "s2", nodes[2].engine, monotonic_ms()), 0);
    api_ask("POST", "/build?session=s2&" ON(1), NULL, &result);
    assert_int_equal(result.status, 500);
    assert_non_null(strstr(result.body, "the session of this build is on the engine at "));
    assert_non_null(strstr(result.body, "node==n1"));
    http_result_clear(&result);
}

static void test_session_follows_its_build(void **state)
{
    struct engine *engine;

    assert_int_equal(asked("/build?session=s3&" ON(1), "/build?session=s3"), 1);
    engine = pin_find(api_manager.pins, PIN_SESSION, "s3", monotonic_ms());
    assert_ptr_equal(engine, nodes[1].engine);
    engine_unref(engine);
}

/* Engines take a body there for what comes after the upgrade. */
static void test_body_of_an_upgrade_is_not_passed_on(void **state)
{
    struct http_result result;
    const char *told = NULL;

    api_ask("POST", "/grpc?body", "{\"stream\":true}", &result);
    assert_int_equal(result.status, 200);
    http_result_clear(&result);
    for (int i = 0; i < NODES && told == NULL; i++)
        told = http_peer_last(nodes[i].peer, "/grpc?body");
    assert_non_null(told);
    assert_null(strstr(told, "stream"));
}

static void test_upload_and_cancel_follow_their_build(void **state)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(asked("/build?buildid=b1&" ON(2), "/build?buildid=b1"), 2);
        assert_int_equal(asked("/build?" ON(0), "/build?"), 0);
        assert_int_equal(asked("/build?buildid=upload-request%3Ab1", "/build?buildid=upload-request%3Ab1 "), 2);
        assert_int_equal(asked("/build/cancel?id=b1", "/build/cancel?id=b1 "), 2);
    }
    api_assert_refused("POST", "/build/cancel", NULL, 400, "build ID not provided");
    api_assert_refused("POST", "/build/cancel?id=", NULL, 400, "build ID not provided");
}

static void *upload(void *data)
{
    struct http_result result;

    api_ask("POST", "/build?buildid=upload-request:b2", NULL, &result);
    *(int *)data = result.status;
    http_result_clear(&result);
    return NULL;
}

/* api_ask()'s client is for one thread at a time, so the build is only said to be there. */
static void test_upload_waits_for_its_build(void **state)
{
    int before = counted(1, "upload-request:b2"), status = 0;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, upload, &status), 0);
    assert_int_equal(pin_set(api_manager.pins, PIN_BUILD, "b2", nodes[1].engine, monotonic_ms()), 0);
    pthread_join(thread, NULL);
    assert_int_equal(status, 200);
    assert_int_equal(counted(1, "upload-request:b2"), before + 1);
}

static void test_build_that_never_comes_is_not_waited_for(void **state)
{
    api_assert_refused("POST", "/build?buildid=upload-request:b3", NULL, 500, "timeout waiting for build to start");
}

static void test_session_and_grpc_name_what_is_missing(void **state)
{
    api_assert_refused("POST", "/session", NULL, 400, "no session ID provided");
}

static void test_ids_that_are_too_long_are_refused(void **state)
{
    static const char *const keys[] = {"session", "buildid"};
    char path[PIN_KEY_MAX + 32], message[80];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        snprintf(path, sizeof(path), "/build?%s=%0*d", keys[i], PIN_KEY_MAX, 1);
        asked(path, "/build?");
        snprintf(path, sizeof(path), "/build?%s=%0*d", keys[i], PIN_KEY_MAX + 1, 1);
        snprintf(message, sizeof(message), "the parameter %s is longer than 512 bytes", keys[i]);
        api_assert_refused("POST", path, NULL, 400, message);
    }
}

/* Without a switch of protocols these are requests like others. */
static void test_connections_of_a_client_go_to_one_engine(void **state)
{
    int number = asked("/grpc", "POST /v1.41/grpc ");
    const char *client = "127.0.0.1";
    struct engine *engine = pin_find(api_manager.pins, PIN_CLIENT, client, monotonic_ms());

    assert_ptr_equal(engine, nodes[number].engine);
    engine_unref(engine);
    while (pin_is_held(api_manager.pins, PIN_CLIENT, client)) /* until the handler has returned */
        poll(NULL, 0, 10);
    for (int i = 0; i < 5; i++)
        assert_int_equal(asked("/v1.40/grpc", "POST /v1.40/grpc "), number);
    assert_int_equal(asked("/build?t=same", "/build?t=same"), number);
}

static void test_open_connections_keep_the_client_where_it_is(void **state)
{
    assert_int_equal(pin_set(api_manager.pins, PIN_CLIENT, "127.0.0.1", nodes[1].engine, monotonic_ms()), 0);
    pin_hold(api_manager.pins, PIN_CLIENT, "127.0.0.1");
    assert_int_equal(asked("/build?" ON(2), "/build?"), 2);
    assert_int_equal(asked("/grpc", "/grpc"), 1);
    pin_release(api_manager.pins, PIN_CLIENT, "127.0.0.1", monotonic_ms());
}

/* A replica's requests are those of many clients. */
static void test_clients_of_a_replica_are_told_apart(void **state)
{
    static const char *const one[] = {"Swarm-Client: 192.0.2.1", "Swarm-Hops: 1", NULL};
    static const char *const other[] = {"Swarm-Client: uid:0@192.0.2.9:3375", "Swarm-Hops: 1", NULL};

    assert_int_equal(asked_with(one, "/build?" ON(1), "/build?"), 1);
    assert_int_equal(asked_with(other, "/build?" ON(2), "/build?"), 2);
    assert_int_equal(asked("/build?" ON(0), "/build?"), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(asked_with(one, "/grpc", "/grpc"), 1);
        assert_int_equal(asked_with(other, "/grpc", "/grpc"), 2);
        assert_int_equal(asked_with(one, "/build?t=plain", "/build?t=plain"), 1);
        assert_int_equal(asked_with(other, "/build?t=plain", "/build?t=plain"), 2);
        assert_int_equal(asked("/build?t=plain", "/build?t=plain"), 0);
    }
}

static void test_clients_are_spread_and_each_stays(void **state)
{
    int count[NODES] = {0};
    struct failure failure = {0};
    char client[24];

    for (int i = 0; i < 300; i++) {
        struct engine *engine, *again;

        snprintf(client, sizeof(client), "10.0.%d.%d", i / 100, i % 100);
        engine = build_node_for_client(api_manager.pool, client, &failure);
        again = build_node_for_client(api_manager.pool, client, &failure);
        assert_non_null(engine);
        assert_ptr_equal(engine, again);
        for (int n = 0; n < NODES; n++)
            count[n] += nodes[n].engine == engine;
        engine_unref(engine);
        engine_unref(again);
    }
    for (int n = 0; n < NODES; n++)
        assert_true(count[n] > 50);
}

/* Who was elsewhere stays there when a node goes. */
static void test_node_that_goes_moves_its_own_clients_only(void **state)
{
    struct failure failure = {0};
    struct engine *before[100];
    char client[24];

    for (int i = 0; i < 100; i++) {
        snprintf(client, sizeof(client), "sha256:%d", i);
        before[i] = build_node_for_client(api_manager.pool, client, &failure);
    }
    pool_set_state(api_manager.pool, nodes[0].engine, ENGINE_UNHEALTHY, 3, "gone");
    for (int i = 0; i < 100; i++) {
        struct engine *now;

        snprintf(client, sizeof(client), "sha256:%d", i);
        now = build_node_for_client(api_manager.pool, client, &failure);
        assert_ptr_not_equal(now, nodes[0].engine);
        assert_true(before[i] == nodes[0].engine || before[i] == now);
        engine_unref(before[i]);
        engine_unref(now);
    }
    pool_set_state(api_manager.pool, nodes[0].engine, ENGINE_HEALTHY, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build_goes_where_its_arguments_say),
        cmocka_unit_test(test_line_of_any_length_comes_whole),
        cmocka_unit_test(test_images_are_asked_for_before_the_answer_ends),
        cmocka_unit_test(test_next_build_of_the_client_goes_there_again),
        cmocka_unit_test(test_build_leaves_an_engine_that_is_not_healthy),
        cmocka_unit_test(test_build_leaves_an_engine_that_does_not_answer),
        cmocka_unit_test(test_build_that_fits_nowhere_is_refused),
        cmocka_unit_test(test_build_follows_its_session),
        cmocka_unit_test(test_build_that_cannot_follow_its_session_is_refused),
        cmocka_unit_test(test_session_follows_its_build),
        cmocka_unit_test(test_body_of_an_upgrade_is_not_passed_on),
        cmocka_unit_test(test_upload_and_cancel_follow_their_build),
        cmocka_unit_test(test_upload_waits_for_its_build),
        cmocka_unit_test(test_build_that_never_comes_is_not_waited_for),
        cmocka_unit_test(test_session_and_grpc_name_what_is_missing),
        cmocka_unit_test(test_ids_that_are_too_long_are_refused),
        cmocka_unit_test(test_connections_of_a_client_go_to_one_engine),
        cmocka_unit_test(test_open_connections_keep_the_client_where_it_is),
        cmocka_unit_test(test_clients_of_a_replica_are_told_apart),
        cmocka_unit_test(test_clients_are_spread_and_each_stays),
        cmocka_unit_test(test_node_that_goes_moves_its_own_clients_only),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
