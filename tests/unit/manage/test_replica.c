/* SPDX-License-Identifier: Apache-2.0 */
/* A manager with --replication, as clients and the primary see it, over a store that says what the test wants. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api_kit.h"
#include "events.h"
#include "http_peer.h"
#include "leader.h"
#include "memory_lock.h"
#include "stream.h"

#define OWN "10.0.0.9:3375"

static struct http_peer *primary;

static int set_up(void **state)
{
    struct leader_options options = {.enabled = true, .address = OWN, .ttl_ms = 20000, .wait_ms = 300};
    char *error = NULL;

    if (api_set_up(state) != 0)
        return -1;
    primary = http_peer_new(NULL, NULL);
    http_peer_set_answer(primary, 200, "Server: other\r\nContent-Type: application/json\r\n", "[\"from the primary\"]");
    assert_int_equal(leader_new(&api_manager.leader, &api_manager, &memory_discovery, &options, &error), 0);
    return leader_start(api_manager.leader);
}

static int tear_down(void **state)
{
    struct leader *leader = api_manager.leader;

    leader_stop(leader);
    api_tear_down(state);
    api_manager.leader = NULL;
    leader_free(leader);
    http_peer_free(primary);
    return 0;
}

/* The first two lines of SystemStatus. */
static void assert_role(const char *role, const char *address)
{
    json_t *info = api_get("/v1.41/info"), *lines = json_object_get(info, "SystemStatus");
    const char *first = json_string_value(json_array_get(json_array_get(lines, 0), 1));
    const char *second = json_string_value(json_array_get(json_array_get(lines, 1), 1));

    assert_string_equal(first, role);
    assert_string_equal(second, address);
    json_decref(info);
}

static void test_requests_are_passed_on(void **state)
{
    char expected[256], seen[256];

    memory_lock_set(http_peer_address(primary), 0);
    api_assert_text("GET", "/v1.41/containers/json?all=1&x=%20", 200, "[\"from the primary\"]");
    snprintf(expected, sizeof(expected),
             "GET /v1.41/containers/json?all=1&x=%%20 HTTP/1.1\r\nHost: %s\r\nSwarm-Hops: 1\r\n"
             "Swarm-Client: 127.0.0.1@" OWN "\r\n",
             http_peer_address(primary));
    snprintf(seen, sizeof(seen), "%.*s", (int)strlen(expected), http_peer_last(primary, ""));
    assert_string_equal(seen, expected);
    api_assert_text("POST", "/containers/a%2Fb/start", 200, "[\"from the primary\"]");
    assert_int_equal(http_peer_count(primary, "POST /containers/a%2Fb/start HTTP/1.1"), 1);
}

static void test_bodies_are_passed_on(void **state)
{
    struct http_result result;

    memory_lock_set(http_peer_address(primary), 0);
    api_ask("POST", "/v1.41/containers/create?name=x", "{\"Image\":\"i\"}", &result);
    assert_int_equal(result.status, 200);
    assert_non_null(strstr(http_peer_last(primary, "create"), "\r\n\r\n{\"Image\":\"i\"}"));
    http_result_clear(&result);
}

static void test_what_a_replica_answers_itself(void **state)
{
    int before = http_peer_count(primary, "");

    memory_lock_set(http_peer_address(primary), 0);
    api_assert_text("GET", "/_ping", 200, "OK");
    api_assert_text("GET", "/v1.30/_ping", 200, "OK");
    assert_role("replica", http_peer_address(primary));
    assert_int_equal(http_peer_count(primary, ""), before);
}

static void test_without_a_primary(void **state)
{
    memory_lock_set("", 0);
    assert_role("replica", "");
    api_assert_refused("GET", "/version", NULL, 503, "No elected primary cluster manager");
}

static void test_primary_that_cannot_be_reached(void **state)
{
    char expected[128];

    memory_lock_set(http_peer_address(primary), 0);
    http_peer_kill(primary);
    snprintf(expected, sizeof(expected), "Unable to reach primary cluster manager (connection refused): %s",
             http_peer_address(primary));
    api_assert_refused("GET", "/version", NULL, 500, expected);
    http_peer_revive(primary);
}

static void *elect(void *data)
{
    usleep(50000);
    memory_lock_set(http_peer_address(primary), 0);
    return NULL;
}

static void test_requests_wait_for_a_primary(void **state)
{
    pthread_t thread;
    struct http_result result = {0};

    memory_lock_set("", 0);
    assert_int_equal(pthread_create(&thread, NULL, elect, NULL), 0);
    while (result.status != 200) { /* the first one is the rule; a machine that sleeps may need more */
        http_result_clear(&result);
        api_ask("GET", "/images/json", NULL, &result);
        assert_true(result.status == 200 || result.status == 503);
    }
    assert_string_equal(result.body, "[\"from the primary\"]");
    http_result_clear(&result);
    pthread_join(thread, NULL);
}

static void test_answer_of_a_primary_that_fails(void **state)
{
    memory_lock_set(http_peer_address(primary), 0);
    http_peer_set_fault(primary, PEER_CLOSE);
    struct http_result result;

    api_ask("GET", "/images/json", NULL, &result);
    assert_int_equal(result.status, 500);
    assert_non_null(strstr(result.body, "failed during the request"));
    http_result_clear(&result);
    http_peer_set_fault(primary, PEER_CUT);
    api_assert_cut("GET", "/images/json");
    http_peer_set_fault(primary, PEER_WELL);
}

static void *ask_twice(void *data)
{
    (void)data;
    api_assert_text("GET", "/images/json?former", 200, "[\"from the next\"]");
    return NULL;
}

static void *ask_once(void *data)
{
    struct http_result result;

    (void)data;
    api_ask("POST", "/containers/former/start", NULL, &result);
    assert_int_equal(result.status, 500);
    assert_non_null(strstr(result.body, "another manager is the primary now"));
    http_result_clear(&result);
    return NULL;
}

/* What can be asked twice is asked the new one. */
static void test_answer_of_a_former_primary_is_not_waited_for(void **state)
{
    struct http_peer *next = http_peer_new(NULL, NULL);
    pthread_t threads[2];

    http_peer_set_answer(next, 200, "Content-Type: application/json\r\n", "[\"from the next\"]");
    memory_lock_set(http_peer_address(primary), 0);
    http_peer_set_fault(primary, PEER_SILENT);
    assert_int_equal(pthread_create(&threads[0], NULL, ask_twice, NULL), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, ask_once, NULL), 0);
    while (http_peer_count(primary, "former") < 2)
        usleep(1000);
    memory_lock_set(http_peer_address(next), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_int_equal(http_peer_count(next, "POST"), 0);
    http_peer_set_fault(primary, PEER_WELL);
    http_peer_free(next);
}

static void *follow(void *data)
{
    (void)data;
    api_assert_cut("GET", "/v1.41/events");
    return NULL;
}

static void test_event_streams_end_with_leadership(void **state)
{
    pthread_t thread;

    memory_lock_set(OWN, 5);
    assert_int_equal(pthread_create(&thread, NULL, follow, NULL), 0);
    while (event_hub_listeners(api_manager.events) == 0)
        usleep(1000);
    memory_lock_set("", 0); /* nobody else shows more than this manager does */
    assert_int_equal(event_hub_listeners(api_manager.events), 1);
    memory_lock_set(OWN, 6);
    assert_int_equal(event_hub_listeners(api_manager.events), 1);
    memory_lock_set(http_peer_address(primary), 0);
    pthread_join(thread, NULL);
}

/* One that was the last primary known of, while the store failed. */
static void test_event_streams_of_the_last_primary_end(void **state)
{
    pthread_t thread;

    memory_lock_set(OWN, 0);
    assert_int_equal(pthread_create(&thread, NULL, follow, NULL), 0);
    while (event_hub_listeners(api_manager.events) == 0)
        usleep(1000);
    memory_lock_set(http_peer_address(primary), 0);
    pthread_join(thread, NULL);
}

static void tell(void *data, const struct peer_request *request, struct peer_answer *answer)
{
    *answer = (struct peer_answer){.stream = true, .repeat_ms = 20, .body = strdup("{\"Type\":\"container\"}\n")};
}

/* A former primary that does not know it, and has much to tell. */
static void test_event_streams_that_are_never_silent_end(void **state)
{
    struct http_peer *former = http_peer_new(tell, NULL);
    pthread_t thread;

    memory_lock_set(http_peer_address(former), 0);
    assert_int_equal(pthread_create(&thread, NULL, follow, NULL), 0);
    while (http_peer_count(former, "/v1.41/events") == 0)
        usleep(1000);
    memory_lock_set("", 0);
    memory_lock_set(http_peer_address(primary), 0);
    pthread_join(thread, NULL);
    http_peer_free(former);
}

/* The primary until its time ended, as one that was stopped is: it asks before it answers. */
static void lapse(void)
{
    memory_lock_set_lives(1000);
    memory_lock_set(OWN, 7);
    assert_true(leader_is_primary(api_manager.leader, NULL));
    memory_lock_hang(true);
    while (leader_is_primary(api_manager.leader, NULL))
        usleep(1000);
    memory_lock_set_lives(600000);
}

static void *wake(void *data)
{
    (void)data;
    usleep(50000);
    memory_lock_hang(false);
    memory_lock_set(http_peer_address(primary), 0);
    return NULL;
}

static void test_one_that_wakes_finds_out_first(void **state)
{
    pthread_t thread;
    struct http_result result = {0};

    lapse();
    api_assert_refused("GET", "/images/json", NULL, 503, "No elected primary cluster manager");
    assert_int_equal(pthread_create(&thread, NULL, wake, NULL), 0);
    while (result.status != 200) {
        http_result_clear(&result);
        api_ask("GET", "/images/json", NULL, &result);
        assert_true(result.status == 200 || result.status == 503);
    }
    assert_string_equal(result.body, "[\"from the primary\"]");
    http_result_clear(&result);
    pthread_join(thread, NULL);
}

static void test_one_that_cannot_find_out_answers(void **state)
{
    lapse();
    memory_lock_fail(true);
    memory_lock_hang(false);
    while (leader_is_in_doubt(api_manager.leader))
        usleep(1000);
    assert_role("replica", "");
    api_assert_text("GET", "/images/json", 200, "[]");
    memory_lock_fail(false);
}

/* A connection to the manager, over which the request has been sent. */
static struct stream *send_raw(const char *request)
{
    struct address address;
    struct stream *stream = NULL;
    char url[64], *error = NULL;

    snprintf(url, sizeof(url), "tcp://%s", api_address());
    assert_int_equal(address_parse(&address, url, &error), 0);
    assert_int_equal(stream_dial(&stream, &address, NULL, 60000, &error), 0);
    assert_int_equal(stream_send_all(stream, request, strlen(request), 60000), 0);
    return stream;
}

/* They end like other answers: the connection can be used again. */
static void test_event_streams_are_no_hijacks(void **state)
{
    struct stream *stream;
    char head[2048];
    size_t length = 0;

    memory_lock_set(http_peer_address(primary), 0);
    stream = send_raw("GET /v1.41/events?until=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    do {
        ssize_t got = stream_recv_wait(stream, head + length, sizeof(head) - 1 - length, 60000);

        assert_true(got > 0);
        length += (size_t)got;
        head[length] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
    assert_int_equal(strncmp(head, "HTTP/1.1 200 ", 13), 0);
    assert_null(strstr(head, "Connection: close"));
    stream_close(stream);
}

/* Who has told its own client of a failure meanwhile must not have it done afterwards. */
static void test_requests_of_those_who_have_gone_are_not_passed_on(void **state)
{
    static const char request[] = "POST /v1.41/containers/gone/start HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    struct stream *stream;
    char byte;

    memory_lock_set("", 0);
    stream = send_raw(request);
    assert_int_equal(stream_shutdown_write(stream), 0);
    while (stream_recv_wait(stream, &byte, 1, 60000) > 0)
        continue;
    stream_close(stream);
    memory_lock_set(http_peer_address(primary), 0);
    assert_int_equal(http_peer_count(primary, "/gone/"), 0);
}

static void ask_with(const char *const *headers, const char *path, int status)
{
    struct http_result result;

    api_ask_with(headers, "GET", path, &result);
    assert_int_equal(result.status, status);
    http_result_clear(&result);
}

/* A chain of managers tells of the client at its beginning, once. */
static void test_who_the_client_is_is_passed_on(void **state)
{
    static const char *const headers[] = {"Swarm-Client: 192.0.2.7", "Swarm-Hops: 1", NULL};
    static const char *const none[] = {"Swarm-Client:", NULL};
    const char *seen;

    memory_lock_set(http_peer_address(primary), 0);
    ask_with(headers, "/images/json?passed", 200);
    seen = http_peer_last(primary, "?passed");
    assert_non_null(strstr(seen, "\r\nSwarm-Hops: 2\r\nSwarm-Client: 192.0.2.7\r\n"));
    assert_null(strstr(strstr(seen, "Swarm-Client") + 1, "Swarm-Client"));
    assert_null(strstr(seen, "Swarm-Hops: 1"));
    ask_with(none, "/images/json?first", 200);
    assert_non_null(strstr(http_peer_last(primary, "?first"), "\r\nSwarm-Client: 127.0.0.1@" OWN "\r\n"));
}

static void test_connections_to_the_primary_are_kept(void **state)
{
    int before;

    memory_lock_set(http_peer_address(primary), 0);
    api_assert_text("GET", "/images/json", 200, "[\"from the primary\"]");
    before = http_peer_accepted(primary);
    /* On a machine that sleeps for seconds between two of them, one may be too old. */
    for (int i = 0; i < 20; i++)
        api_assert_text("GET", "/images/json", 200, "[\"from the primary\"]");
    assert_true(http_peer_accepted(primary) < before + 20);
}

static void test_kept_connection_that_ends_is_replaced(void **state)
{
    struct http_result result;

    memory_lock_set(http_peer_address(primary), 0);
    api_assert_text("GET", "/images/json", 200, "[\"from the primary\"]");
    http_peer_set_fault(primary, PEER_STALE);
    api_assert_text("GET", "/images/json", 200, "[\"from the primary\"]");
    /* What may have been done is not asked for again. */
    api_ask("POST", "/containers/stale/start", NULL, &result);
    assert_true(http_peer_count(primary, "POST /containers/stale/start") == 1);
    http_result_clear(&result);
    http_peer_set_fault(primary, PEER_WELL);
    http_peer_kill(primary);
    http_peer_revive(primary);
    api_assert_text("GET", "/images/json", 200, "[\"from the primary\"]");
}

static void test_managers_that_disagree(void **state)
{
    static const char *const headers[] = {"Swarm-Hops: 3", NULL};

    memory_lock_set(http_peer_address(primary), 0);
    ask_with(headers, "/images/json", 503);
}

/* The address is that of an earlier process in our place, or we were the last primary that anybody knows of. */
static void test_own_address(void **state)
{
    memory_lock_set(OWN, 0);
    assert_role("replica", "");
    api_assert_text("GET", "/images/json", 200, "[]");
}

static void test_the_primary_itself(void **state)
{
    uint64_t term = 0;

    memory_lock_set(OWN, 17);
    assert_true(leader_is_primary(api_manager.leader, &term));
    assert_int_equal(term, 17);
    assert_true(leader_may_act(api_manager.leader, 17));
    assert_false(leader_may_act(api_manager.leader, 16));
    assert_role("primary", "spread");
    api_assert_text("GET", "/images/json", 200, "[]");
    /* A store that begins to count anew. */
    memory_lock_set("", 0);
    assert_false(leader_is_primary(api_manager.leader, &term));
    memory_lock_set(OWN, 2);
    assert_true(leader_is_primary(api_manager.leader, &term));
    assert_int_equal(term, 18);
    leader_retire(api_manager.leader);
    assert_false(leader_may_act(api_manager.leader, 18));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_passed_on),
        cmocka_unit_test(test_bodies_are_passed_on),
        cmocka_unit_test(test_what_a_replica_answers_itself),
        cmocka_unit_test(test_without_a_primary),
        cmocka_unit_test(test_primary_that_cannot_be_reached),
        cmocka_unit_test(test_requests_wait_for_a_primary),
        cmocka_unit_test(test_answer_of_a_primary_that_fails),
        cmocka_unit_test(test_answer_of_a_former_primary_is_not_waited_for),
        cmocka_unit_test(test_event_streams_end_with_leadership),
        cmocka_unit_test(test_event_streams_of_the_last_primary_end),
        cmocka_unit_test(test_event_streams_that_are_never_silent_end),
        cmocka_unit_test(test_event_streams_are_no_hijacks),
        cmocka_unit_test(test_one_that_wakes_finds_out_first),
        cmocka_unit_test(test_one_that_cannot_find_out_answers),
        cmocka_unit_test(test_requests_of_those_who_have_gone_are_not_passed_on),
        cmocka_unit_test(test_who_the_client_is_is_passed_on),
        cmocka_unit_test(test_connections_to_the_primary_are_kept),
        cmocka_unit_test(test_kept_connection_that_ends_is_replaced),
        cmocka_unit_test(test_managers_that_disagree),
        cmocka_unit_test(test_own_address),
        cmocka_unit_test(test_the_primary_itself),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
