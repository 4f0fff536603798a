/* SPDX-License-Identifier: Apache-2.0 */
/* One request to several engines: answers, failures, bodies that are passed on, and what ends it. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "broadcast.h"
#include "canned.h"
#include "check.h"
#include "http_peer.h"
#include "http_server.h"
#include "log.h"
#include "pool.h"
#include "sink.h"
#include "stream.h"

#define NODES 3
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct manager manager;
static struct http_server *server;
static char *url;
static struct http_peer *peers[NODES];
static struct broadcast_order order; /* of the next request */
static bool lost_too;
static atomic_int runs, run_result;

/* --- the server: a request runs the order, its answer tells what came of it --- */

static bool chosen(void *data, const struct engine *engine)
{
    const char *left_out = data;

    return left_out == NULL || strcmp(left_out, engine->name) != 0;
}

static void tell(struct http_reply *reply, struct broadcast *broadcast)
{
    struct failure failure = {0};
    char line[512];

    for (size_t i = 0; i < broadcast->count; i++) {
        struct broadcast_answer *answer = &broadcast->answers[i];

        snprintf(line, sizeof(line), "%s%s %d %.100s|", answer->node,
                 answer->skipped ? " skipped"
                 : answer->lost  ? " lost"
                                 : "",
                 answer->status, answer->body == NULL ? "" : answer->body);
        http_reply_write(reply, line, strlen(line));
    }
    if (broadcast_failure(broadcast, lost_too, &failure) < 0) {
        snprintf(line, sizeof(line), "%d %.300s", failure.status, failure.message);
        http_reply_write(reply, line, strlen(line));
    }
    failure_clear(&failure);
}

static int handle(struct http_request *request, struct http_reply *reply, void *data)
{
    struct call call = {.manager = data, .request = request, .reply = reply, .rest = ""};
    struct failure failure = {0};
    struct broadcast *broadcast;
    union {
        const char *in;
        void *out;
    } left_out = {.in = http_request_query(request, "without")};
    int r;

    kit_check(broadcast_new(&broadcast, data, chosen, left_out.out) == 0);
    order.data = reply;
    if (order.object != NULL)
        http_reply_begin(reply, 200, "text/plain");
    r = broadcast_run(broadcast, &call, &order, &failure);
    if (r == 0 && !http_reply_begun(reply))
        http_reply_begin(reply, 200, "text/plain");
    if (r == 0) {
        tell(reply, broadcast);
        http_reply_end(reply);
    } else if (failure.status != 0) {
        r = failure_reply(&failure, reply);
    }
    failure_clear(&failure);
    broadcast_free(broadcast);
    atomic_store(&run_result, r);
    atomic_fetch_add(&runs, 1);
    return r;
}

/* --- set-up --- */

static struct engine *add_node(const char *address, const char *id, const char *name)
{
    struct failure failure = {0};
    struct engine *engine = pool_add_engine(manager.pool, address, &failure);
    json_t *info = canned_info(id, name), *version = canned_json("version");

    assert_non_null(engine);
    assert_int_equal(pool_apply_specs(manager.pool, engine, info, version, "1", &failure), 0);
    pool_set_state(manager.pool, engine, ENGINE_HEALTHY, 0, NULL);
    json_decref(info);
    json_decref(version);
    return engine;
}

static int set_up(void **state)
{
    struct http_server_options options = {.handler = handle, .data = &manager};
    char *error = NULL;

    log_init(stderr, LOG_LEVEL_FATAL);
    memset(&order, 0, sizeof(order));
    order.method = "POST";
    order.path = "/things?a=b";
    lost_too = true;
    assert_int_equal(pool_new(&manager.pool, &manager), 0);
    for (int i = 0; i < NODES; i++) {
        char id[8], name[8];

        peers[i] = http_peer_new(NULL, NULL);
        snprintf(id, sizeof(id), "ID%d", i + 1);
        snprintf(name, sizeof(name), "n%d", i + 1);
        add_node(http_peer_address(peers[i]), id, name);
    }
    assert_int_equal(http_server_new(&server, &options, &error), 0);
    assert_int_equal(http_server_listen(server, "tcp://127.0.0.1:0", NULL, &url, &error), 0);
    return 0;
}

static int tear_down(void **state)
{
    http_server_stop(server, 1000);
    http_server_free(server);
    free(url);
    pool_free(manager.pool);
    for (int i = 0; i < NODES; i++)
        http_peer_free(peers[i]);
    return 0;
}

static struct stream *dial(void)
{
    struct address address;
    struct stream *stream;
    char *error = NULL;

    assert_int_equal(address_parse(&address, url, &error), 0);
    assert_int_equal(stream_dial(&stream, &address, NULL, 60000, &error), 0);
    return stream;
}

/* The reply's body, with its chunks put together. */
static void assert_reply(struct stream *stream, const char *expected)
{
    char text[8192], body[8192] = "";
    size_t length = 0;
    char *at;

    do {
        ssize_t got = stream_recv_wait(stream, text + length, sizeof(text) - 1 - length, 60000);

        assert_true(got > 0);
        text[length += (size_t)got] = '\0';
    } while (strstr(text, "\r\n0\r\n\r\n") == NULL);
    at = strstr(text, "\r\n\r\n") + 4;
    for (unsigned long size; (size = strtoul(at, &at, 16)) > 0; at += size + 4)
        strncat(body, at + 2, size);
    assert_string_equal(body, expected);
}

static void assert_asked(const char *request, const char *expected)
{
    struct stream *stream = dial();

    assert_int_equal(stream_send_all(stream, request, strlen(request), 60000), 0);
    assert_reply(stream, expected);
    stream_close(stream);
}

#define ASK "POST /ask HTTP/1.1\r\nHost: x\r\n"

static void set_answers(int status, const char *body)
{
    for (int i = 0; i < NODES; i++)
        http_peer_set_answer(peers[i], status, "Content-Type: application/json\r\n", body);
}

static void set_state(int number, enum engine_state state, const char *error)
{
    struct engine *engine = pool_find_engine_by_address(manager.pool, http_peer_address(peers[number]));

    pool_set_state(manager.pool, engine, state, 3, error);
    engine_unref(engine);
}

/* --- answers --- */

static void test_all_are_asked_and_answer(void **state)
{
    static const char *const pass[] = {"X-Registry-Auth", "X-None", NULL};
    static const char *const headers[] = {"X-Own: yes", NULL};

    set_answers(201, "{}");
    order.pass = pass;
    order.headers = headers;
    order.version = "1.30";
    order.body = "[1]";
    order.length = 3;
    assert_asked(ASK "X-Registry-Auth: secret\r\nX-Other: no\r\n\r\n", "n1 201 {}|n2 201 {}|n3 201 {}|");
    for (int i = 0; i < NODES; i++) {
        const char *request = http_peer_last(peers[i], "");

        assert_int_equal(http_peer_count(peers[i], "POST /v1.30/things?a=b HTTP/1.1"), 1);
        assert_non_null(strstr(request, "\r\nX-Registry-Auth: secret\r\n"));
        assert_non_null(strstr(request, "\r\nX-Own: yes\r\n"));
        assert_null(strstr(request, "X-Other"));
        assert_non_null(strstr(request, "\r\n\r\n[1]"));
    }
}

static void test_only_the_chosen_are_asked(void **state)
{
    set_answers(200, "{}");
    assert_asked("POST /ask?without=n2 HTTP/1.1\r\nHost: x\r\n\r\n", "n1 200 {}|n3 200 {}|");
    assert_int_equal(http_peer_count(peers[1], ""), 0);
}

static void test_failures_are_told_by_node(void **state)
{
    set_answers(409, "{\"message\":\"in use\"}");
    assert_asked(ASK "\r\n", "n1 409 |n2 409 |n3 409 |409 in use");
    http_peer_set_answer(peers[1], 200, NULL, "{}");
    assert_asked(ASK "\r\n", "n1 409 |n2 200 {}|n3 409 |409 n1: in use\nn3: in use");
    http_peer_set_answer(peers[2], 404, NULL, "{\"message\":\"none\"}");
    assert_asked(ASK "\r\n", "n1 409 |n2 200 {}|n3 404 |500 n1: in use\nn3: none");
}

static void test_unhealthy_node_is_skipped(void **state)
{
    set_answers(200, "{}");
    set_state(0, ENGINE_UNHEALTHY, "no pings");
    assert_asked(ASK "\r\n", "n1 skipped 0 |n2 200 {}|n3 200 {}|");
    assert_int_equal(http_peer_count(peers[0], ""), 0);
}

static void test_dead_node_is_lost_and_the_others_answer(void **state)
{
    char expected[256];

    set_answers(200, "{}");
    http_peer_kill(peers[1]);
    lost_too = false;
    assert_asked(ASK "\r\n", "n1 200 {}|n2 lost 0 |n3 200 {}|");
    lost_too = true;
    snprintf(expected, sizeof(expected),
             "n1 200 {}|n2 lost 0 |n3 200 {}|500 n2: Cannot connect to the Docker daemon at tcp://%s. Is the docker "
             "daemon running?",
             http_peer_address(peers[1]));
    assert_asked(ASK "\r\n", expected);
    http_peer_revive(peers[1]);
}

static void *lose_second(void *data)
{
    while (http_peer_count(peers[1], "") == 0)
        poll(NULL, 0, 10);
    set_state(1, ENGINE_UNHEALTHY, "no pings");
    return NULL;
}

static void test_node_that_turns_silent_is_not_waited_for(void **state)
{
    pthread_t thread;

    set_answers(200, "{}");
    http_peer_set_fault(peers[1], PEER_SILENT);
    assert_int_equal(pthread_create(&thread, NULL, lose_second, NULL), 0);
    assert_asked(ASK "\r\n", "n1 200 {}|n2 lost 0 |n3 200 {}|500 n2: node n2 does not answer: no pings");
    pthread_join(thread, NULL);
}

static void test_answer_has_a_deadline(void **state)
{
    set_answers(200, "{}");
    http_peer_set_fault(peers[0], PEER_SILENT);
    order.timeout_ms = 300;
    lost_too = false;
    assert_asked(ASK "\r\n", "n1 lost 0 |n2 200 {}|n3 200 {}|");
}

static void test_answer_cut_short_is_a_failure(void **state)
{
    set_answers(200, "{\"half\":\"of it\"}");
    http_peer_set_fault(peers[2], PEER_CUT);
    lost_too = false;
    assert_asked(ASK "\r\n", "n1 200 {\"half\":\"of it\"}|n2 200 {\"half\":\"of it\"}|n3 lost 0 |");
}

/* --- objects --- */

static int pass_object(void *data, struct broadcast_answer *answer, const char *text, size_t length)
{
    char line[256];

    if (strncmp(text, "{\"no\"", 5) == 0) {
        failure_set(&answer->failure, 500, "no more");
        return BROADCAST_ENOUGH;
    }
    snprintf(line, sizeof(line), "%s:%.*s,", answer->node, (int)length, text);
    return http_reply_write(data, line, strlen(line)) < 0 ? BROADCAST_STOP : BROADCAST_GO_ON;
}

static void test_objects_come_as_they_are_said(void **state)
{
    set_answers(200, "{\"a\":1}\n{\"b\":2}");
    http_peer_set_answer(peers[1], 404, NULL, "{\"message\":\"none\"}");
    order.object = pass_object;
    assert_asked("POST /ask?without=n3 HTTP/1.1\r\nHost: x\r\n\r\n",
                 "n1:{\"a\":1},n1:{\"b\":2},n1 200 |n2 404 |404 n2: none");
}

static void test_object_may_end_its_engine(void **state)
{
    set_answers(200, "{\"a\":1}{\"no\":2}{\"b\":2}");
    http_peer_set_answer(peers[1], 404, NULL, "{\"message\":\"none\"}");
    order.object = pass_object;
    assert_asked("POST /ask?without=n3 HTTP/1.1\r\nHost: x\r\n\r\n",
                 "n1:{\"a\":1},n1 0 |n2 404 |500 n1: no more\nn2: none");
}

static void test_answer_that_is_no_objects_is_a_failure(void **state)
{
    set_answers(200, "{\"a\":1}");
    http_peer_set_answer(peers[0], 200, NULL, "what?");
    http_peer_set_answer(peers[1], 200, NULL, "{\"a\":");
    order.object = pass_object;
    assert_asked(ASK "\r\n",
                 "n3:{\"a\":1},n1 0 |n2 200 |n3 200 |500 n1: the node's answer is no stream of JSON objects\n"
                 "n2: the node's answer ended in the middle of an object");
}

static void *hold_open(void *data)
{
    struct stream *stream = dial();

    assert_int_equal(stream_send_all(stream, data, strlen(data), 60000), 0);
    while (http_peer_count(peers[1], "") == 0)
        poll(NULL, 0, 10);
    stream_close(stream);
    return NULL;
}

static void test_all_ends_when_the_client_leaves(void **state)
{
    static char request[] = ASK "\r\n";
    int before = atomic_load(&runs);

    set_answers(200, "{}");
    http_peer_set_fault(peers[1], PEER_SILENT);
    hold_open(request);
    while (atomic_load(&runs) == before)
        poll(NULL, 0, 10);
    assert_int_equal(atomic_load(&run_result), -1);
}

/* --- bodies --- */

#define BIG ((size_t)12 << 20)
#define LOADED "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static struct sink sinks[NODES];

static int set_up_sinks(void **state)
{
    if (set_up(state) != 0)
        return -1;
    for (int i = 0; i < NODES; i++) {
        struct engine *engine = pool_find_engine_by_address(manager.pool, http_peer_address(peers[i]));
        char id[8], name[8];

        pool_remove_engine(manager.pool, engine);
        engine_unref(engine);
        sink_start(&sinks[i], LOADED);
        snprintf(id, sizeof(id), "ID%d", i + 4);
        snprintf(name, sizeof(name), "n%d", i + 1);
        add_node(sinks[i].address, id, name);
    }
    order.pass_body = true;
    order.path = "/images/load";
    return 0;
}

static int tear_down_sinks(void **state)
{
    for (int i = 0; i < NODES; i++)
        sink_stop(&sinks[i]);
    return tear_down(state);
}

/* Send @p length bytes of body, in chunks or as they are; their hash. */
static uint64_t send_body(struct stream *stream, size_t length, bool chunked)
{
    static char piece[65536];
    uint64_t hash = 14695981039346656037u;
    char line[32];

    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (char)(i * 31 + i / 251);
    for (size_t sent = 0; sent < length; sent += sizeof(piece)) {
        piece[0] = (char)(sent >> 16);
        hash = sink_hash(hash, piece, sizeof(piece));
        snprintf(line, sizeof(line), "%zx\r\n", sizeof(piece));
        if (chunked)
            assert_int_equal(stream_send_all(stream, line, strlen(line), 60000), 0);
        assert_int_equal(stream_send_all(stream, piece, sizeof(piece), 60000), 0);
        if (chunked)
            assert_int_equal(stream_send_all(stream, "\r\n", 2, 60000), 0);
    }
    return hash;
}

static void assert_all_have(uint64_t hash, size_t length)
{
    for (int i = 0; i < NODES; i++) {
        assert_true(atomic_load(&sinks[i].whole));
        assert_int_equal(atomic_load(&sinks[i].taken), length);
        assert_true(atomic_load(&sinks[i].hash) == hash);
    }
}

static void test_body_goes_to_all(void **state)
{
    struct stream *stream = dial();
    char head[256];
    uint64_t hash;

    snprintf(head, sizeof(head), ASK "Content-Length: %zu\r\nExpect: 100-continue\r\n\r\n", BIG);
    stream_send_all(stream, head, strlen(head), 60000);
    assert_int_equal(stream_recv_wait(stream, head, 25, 60000), 25);
    assert_memory_equal(head, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    hash = send_body(stream, BIG, false);
    assert_reply(stream, "n1 200 {}|n2 200 {}|n3 200 {}|");
    assert_all_have(hash, BIG);
    stream_close(stream);
}

static void test_body_in_chunks_goes_to_all(void **state)
{
    struct stream *stream = dial();
    uint64_t hash;

    stream_send_all(stream, ASK "Transfer-Encoding: chunked\r\n\r\n", strlen(ASK) + 30, 60000);
    hash = send_body(stream, BIG, true);
    stream_send_all(stream, "0\r\n\r\n", 5, 60000);
    assert_reply(stream, "n1 200 {}|n2 200 {}|n3 200 {}|");
    assert_all_have(hash, BIG);
    stream_close(stream);
}

static void *thaw_soon(void *data)
{
    poll(NULL, 0, 400);
    atomic_store(&((struct sink *)data)->frozen, false);
    return NULL;
}

static void test_slow_node_truncates_nobody(void **state)
{
    struct stream *stream = dial();
    pthread_t thread;
    char head[256];
    uint64_t hash;

    atomic_store(&sinks[1].frozen, true);
    assert_int_equal(pthread_create(&thread, NULL, thaw_soon, &sinks[1]), 0);
    snprintf(head, sizeof(head), ASK "Content-Length: %zu\r\n\r\n", BIG);
    stream_send_all(stream, head, strlen(head), 60000);
    hash = send_body(stream, BIG, false);
    assert_reply(stream, "n1 200 {}|n2 200 {}|n3 200 {}|");
    assert_all_have(hash, BIG);
    pthread_join(thread, NULL);
    stream_close(stream);
}

static void *lose_frozen(void *data)
{
    struct engine *engine = pool_find_engine_by_address(manager.pool, sinks[1].address);

    while (atomic_load(&sinks[0].taken) == 0)
        poll(NULL, 0, 10);
    poll(NULL, 0, 200);
    pool_set_state(manager.pool, engine, ENGINE_UNHEALTHY, 3, "no pings");
    engine_unref(engine);
    return NULL;
}

static void test_silent_node_is_left_out_and_truncates_nobody(void **state)
{
    struct stream *stream = dial();
    pthread_t thread;
    char head[256];
    uint64_t hash;

    atomic_store(&sinks[1].frozen, true);
    assert_int_equal(pthread_create(&thread, NULL, lose_frozen, NULL), 0);
    snprintf(head, sizeof(head), ASK "Content-Length: %zu\r\n\r\n", BIG);
    stream_send_all(stream, head, strlen(head), 60000);
    hash = send_body(stream, BIG, false);
    assert_reply(stream, "n1 200 {}|n2 lost 0 |n3 200 {}|500 n2: node n2 does not answer: no pings");
    for (int i = 0; i < NODES; i += 2) {
        assert_int_equal(atomic_load(&sinks[i].taken), BIG);
        assert_true(atomic_load(&sinks[i].hash) == hash);
    }
    pthread_join(thread, NULL);
    stream_close(stream);
}

/* Alive for all the monitor knows. */
static void test_node_that_takes_nothing_holds_the_others_up_for_a_while_only(void **state)
{
    struct stream *stream = dial();
    char head[256];
    uint64_t hash;

    order.stall_ms = 1000;
    atomic_store(&sinks[1].frozen, true);
    snprintf(head, sizeof(head), ASK "Content-Length: %zu\r\n\r\n", BIG);
    stream_send_all(stream, head, strlen(head), 60000);
    hash = send_body(stream, BIG, false);
    assert_reply(stream, "n1 200 {}|n2 lost 0 |n3 200 {}|500 n2: node n2 has taken nothing for 1 s while others waited "
                         "for it");
    for (int i = 0; i < NODES; i += 2) {
        assert_int_equal(atomic_load(&sinks[i].taken), BIG);
        assert_true(atomic_load(&sinks[i].hash) == hash);
    }
    stream_close(stream);
}

/* The client says nothing for longer than that: nobody's fault. */
static void test_slow_client_is_waited_for(void **state)
{
    struct stream *stream = dial();
    uint64_t hash;

    order.stall_ms = 300;
    stream_send_all(stream, ASK "Content-Length: 65536\r\n\r\n", strlen(ASK) + 25, 60000);
    poll(NULL, 0, 1000);
    hash = send_body(stream, 65536, false);
    assert_reply(stream, "n1 200 {}|n2 200 {}|n3 200 {}|");
    assert_all_have(hash, 65536);
    stream_close(stream);
}

static void test_body_that_breaks_off_is_whole_nowhere(void **state)
{
    struct stream *stream = dial();
    int before = atomic_load(&runs);

    stream_send_all(stream, ASK "Transfer-Encoding: chunked\r\n\r\n", strlen(ASK) + 30, 60000);
    send_body(stream, 65536, true);
    while (atomic_load(&sinks[0].taken) == 0)
        poll(NULL, 0, 10);
    stream_close(stream);
    while (atomic_load(&runs) == before)
        poll(NULL, 0, 10);
    for (int i = 0; i < NODES; i++) {
        while (atomic_load(&sinks[i].taken) > 0 && !atomic_load(&sinks[i].ended))
            poll(NULL, 0, 10);
        assert_false(atomic_load(&sinks[i].whole));
    }
}

/* What one engine has goes to the others. */
static void test_body_comes_from_an_engine(void **state)
{
    struct engine *source = add_node(http_peer_address(peers[0]), "ID1", "source");

    http_peer_set_answer(peers[0], 200, NULL, "an archive");
    order.pass_body = false;
    order.source = source;
    order.source_path = "/images/x/get";
    assert_asked("POST /ask?without=source HTTP/1.1\r\nHost: x\r\n\r\n", "n1 200 {}|n2 200 {}|n3 200 {}|");
    assert_int_equal(atomic_load(&sinks[2].taken), 10);
    assert_int_equal(http_peer_count(peers[0], "GET /v1.41/images/x/get HTTP/1.1"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_are_asked_and_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_the_chosen_are_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_are_told_by_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unhealthy_node_is_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dead_node_is_lost_and_the_others_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_node_that_turns_silent_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer_has_a_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer_cut_short_is_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_objects_come_as_they_are_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_object_may_end_its_engine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer_that_is_no_objects_is_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_ends_when_the_client_leaves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_body_goes_to_all, set_up_sinks, tear_down_sinks),
        cmocka_unit_test_setup_teardown(test_body_in_chunks_goes_to_all, set_up_sinks, tear_down_sinks),
        cmocka_unit_test_setup_teardown(test_slow_node_truncates_nobody, set_up_sinks, tear_down_sinks),
        cmocka_unit_test_setup_teardown(test_silent_node_is_left_out_and_truncates_nobody, set_up_sinks,
                                        tear_down_sinks),
        cmocka_unit_test_setup_teardown(test_node_that_takes_nothing_holds_the_others_up_for_a_while_only, set_up_sinks,
                                        tear_down_sinks),
        cmocka_unit_test_setup_teardown(test_slow_client_is_waited_for, set_up_sinks, tear_down_sinks),
        cmocka_unit_test_setup_teardown(test_body_that_breaks_off_is_whole_nowhere, set_up_sinks, tear_down_sinks),
        cmocka_unit_test_setup_teardown(test_body_comes_from_an_engine, set_up_sinks, tear_down_sinks),
    };

    http_client_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
