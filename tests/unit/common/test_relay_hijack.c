/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>

#include "deadline.h"
#include "relay_bench.h"
#include "stream_internal.h"

#define ATTACH "POST /attach HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
#define UPGRADED                                                                                                       \
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n"              \
    "Upgrade: tcp\r\n\r\n"
#define RAW_200 "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"

static void hijack_over(struct bench *bench, enum kit_transport client, enum kit_transport engine)
{
    bench_set_up(bench, client, engine);
    bench->options.may_hijack = true;
    bench->options.finishing = bench_finishing;
    kit_send(bench->client, ATTACH "early stdin");
    kit_expect_head(bench->engine, PARTS("\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n", "\r\nContent-Length: 0\r\n"),
                    NULL);
    kit_send(bench->engine, UPGRADED "early stdout");
    kit_expect_head(bench->client,
                    PARTS("HTTP/1.1 101 UPGRADED\r\n", "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n",
                          "\r\nContent-Type: application/vnd.docker.raw-stream\r\n"),
                    PARTS("Content-Length", "Transfer-Encoding"));
    kit_expect(bench->client, "early stdout");
    kit_expect(bench->engine, "early stdin");
}

static void end_hijack(struct bench *bench)
{
    kit_wait_for(&bench->exchanges, 1);
    assert_int_equal(bench->result, 0);
    assert_int_equal(bench->outcome.status, 101);
    assert_false(bench->outcome.reusable);
    assert_int_equal(bench->finishing, 0);
    bench_tear_down(bench);
}

static void check_client_ends_first(enum kit_transport client, enum kit_transport engine)
{
    struct bench bench;
    hijack_over(&bench, client, engine);
    kit_send(bench.client, "stdin");
    stream_shutdown_write(bench.client);
    kit_expect(bench.engine, "stdin");
    kit_expect_end(bench.engine);
    kit_send(bench.engine, "output after the end of input");
    kit_expect(bench.client, "output after the end of input");
    kit_send(bench.engine, ", and more");
    kit_expect(bench.client, ", and more");
    stream_shutdown_write(bench.engine);
    kit_expect_end(bench.client);
    end_hijack(&bench);
}

static void check_engine_ends_first(enum kit_transport client, enum kit_transport engine)
{
    struct bench bench;
    hijack_over(&bench, client, engine);
    kit_send(bench.engine, "output");
    stream_shutdown_write(bench.engine);
    kit_expect(bench.client, "output");
    kit_expect_end(bench.client);
    kit_send(bench.client, "input after the end of output");
    kit_expect(bench.engine, "input after the end of output");
    stream_shutdown_write(bench.client);
    kit_expect_end(bench.engine);
    end_hijack(&bench);
}

static const enum kit_transport crossings[][2] = {
    {KIT_TCP, KIT_TCP}, {KIT_UNIX, KIT_TCP}, {KIT_TLS, KIT_TCP}, {KIT_TCP, KIT_TLS}, {KIT_TLS, KIT_TLS}};
#define CROSSINGS (sizeof crossings / sizeof *crossings)

static void test_hijack_goes_on_after_the_clients_half_close(void **state)
{
    for (size_t i = 0; i < CROSSINGS; i++)
        check_client_ends_first(crossings[i][0], crossings[i][1]);
}

static void test_hijack_goes_on_after_the_engines_half_close(void **state)
{
    for (size_t i = 0; i < CROSSINGS; i++)
        check_engine_ends_first(crossings[i][0], crossings[i][1]);
}

static void test_hijack_ends_soon_after_the_engine_has(void **state)
{
    struct bench bench;
    hijack_over(&bench, KIT_TCP, KIT_TCP);
    stream_shutdown_write(bench.engine);
    kit_expect_end(bench.client);
    /* The client does not end its side. */
    end_hijack(&bench);
}

static void test_hijack_of_a_client_that_half_closed_early_works(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_TCP);
    bench.options.may_hijack = true;
    kit_send(bench.client, ATTACH "stdin");
    stream_shutdown_write(bench.client);
    kit_skip_head(bench.engine);
    kit_sleep_ms(50);
    kit_send(bench.engine, UPGRADED);
    kit_skip_head(bench.client);
    kit_expect(bench.engine, "stdin");
    kit_expect_end(bench.engine);
    kit_send(bench.engine, "output");
    stream_shutdown_write(bench.engine);
    kit_expect(bench.client, "output");
    kit_expect_end(bench.client);
    end_hijack(&bench);
}

static void test_200_without_length_is_a_raw_stream(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_TCP);
    bench.options.may_hijack = true;
    kit_send(bench.client, "POST /exec HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}raw");
    kit_expect_head(bench.engine, PARTS("\r\nContent-Length: 2\r\n"), PARTS("Upgrade", "Connection"));
    kit_expect(bench.engine, "{}");
    kit_send(bench.engine, RAW_200 "output");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 200 OK\r\n", "\r\nConnection: close\r\n"),
                    PARTS("Content-Length", "Transfer-Encoding"));
    kit_expect(bench.client, "output");
    kit_expect(bench.engine, "raw");
    stream_shutdown_write(bench.client);
    kit_expect_end(bench.engine);
    stream_shutdown_write(bench.engine);
    kit_expect_end(bench.client);
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, 0);
    bench_tear_down(&bench);
}

static void test_200_with_length_is_no_hijack(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_TCP);
    bench.options.may_hijack = true;
    bench_ask(&bench, "POST /exec HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}");
    kit_expect(bench.engine, "{}");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    kit_expect_head(bench.client, PARTS("\r\nContent-Length: 0\r\n", "\r\nConnection: close\r\n"), NULL);
    kit_expect_end(bench.client);
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_refusal_of_a_hijack_is_passed_with_its_length(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_TCP);
    bench.options.may_hijack = true;
    bench_ask(&bench, ATTACH);
    kit_send(bench.engine, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 404 ", "\r\nContent-Length: 4\r\n", "\r\nConnection: close\r\n"),
                    NULL);
    kit_expect(bench.client, "nope");
    kit_expect_end(bench.client);
    bench_tear_down(&bench);
}

static void test_hijack_with_a_body_in_memory_skips_the_clients(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_TCP);
    bench.options.may_hijack = true;
    bench.options.body = "{\"a\":1}";
    bench.options.body_length = 7;
    bench_ask(&bench,
              "POST /exec HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 5\r\n\r\n{  }");
    kit_expect(bench.engine, "{\"a\":1}");
    kit_send(bench.engine, UPGRADED);
    kit_skip_head(bench.client);
    kit_send(bench.client, " raw");
    kit_expect(bench.engine, "raw");
    stream_shutdown_write(bench.engine);
    stream_shutdown_write(bench.client);
    end_hijack(&bench);
}

#define SESSION "POST /session HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

static void switch_over(struct bench *bench, enum kit_transport client)
{
    bench_set_up(bench, client, KIT_TCP);
    bench->options.may_hijack = bench->switch_first = true;
    bench->options.switched = "h2c";
    kit_send(bench->client, SESSION "early");
    kit_expect_head(bench->client,
                    PARTS("HTTP/1.1 101 Switching Protocols\r\n", "\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
                    PARTS("Content-Length", "Transfer-Encoding"));
    kit_expect_head(bench->engine, PARTS("\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"), NULL);
}

static void test_client_may_be_switched_before_the_engine(void **state)
{
    static const enum kit_transport clients[] = {KIT_TCP, KIT_UNIX, KIT_TLS};
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        struct bench bench;
        switch_over(&bench, clients[i]);
        kit_send(bench.engine, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nfrom engine");
        kit_expect(bench.client, "from engine");
        kit_expect(bench.engine, "early");
        stream_shutdown_write(bench.client);
        kit_expect_end(bench.engine);
        stream_shutdown_write(bench.engine);
        kit_expect_end(bench.client);
        end_hijack(&bench);
    }
}

/* What follows is no HTTP any more, so there is no way to tell but to end. */
static void test_engine_that_does_not_switch_ends_the_client(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nnope",
                                          "HTTP/1.1 200 OK\r\n\r\nraw"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct bench bench;
        int result;
        switch_over(&bench, KIT_TCP);
        kit_send(bench.engine, answers[i]);
        char *rest = kit_read_all(bench.client, NULL, &result);
        assert_string_equal(rest, "");
        free(rest);
        kit_wait_for(&bench.exchanges, 1);
        assert_int_equal(bench.result, -1);
        assert_non_null(strstr(bench.outcome.error, i == 0 ? "status 400" : "status 200"));
        bench_tear_down(&bench);
    }
}

/* However it is cut into pieces. */
static void test_http2_client_is_relayed_from_its_first_byte(void **state)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static const size_t cuts[] = {1, 16, 18, 23, 24};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct bench bench;
        char first[32];
        bench_set_up(&bench, i % 2 ? KIT_TCP : KIT_TLS, KIT_TCP);
        bench.options.may_hijack = true;
        bench.options.method = "POST";
        bench.options.switched = "h2c";
        snprintf(first, sizeof first, "%.*s", (int)cuts[i], preface);
        kit_send(bench.client, first);
        kit_sleep_ms(20);
        kit_send(bench.client, preface + cuts[i]);
        kit_send(bench.client, "frames");
        kit_expect_head(bench.engine,
                        PARTS("POST /v1.41/there HTTP/1.1\r\n", "\r\nHost: engine\r\n",
                              "\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
                        NULL);
        kit_send(bench.engine, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nsettings");
        kit_expect(bench.client, "settings");
        kit_expect(bench.engine, preface);
        kit_expect(bench.engine, "frames");
        stream_shutdown_write(bench.engine);
        stream_shutdown_write(bench.client);
        end_hijack(&bench);
    }
}

static void test_almost_http2_is_no_http2(void **state)
{
    struct bench bench;
    bench_set_up(&bench, KIT_TCP, KIT_TCP);
    kit_send(bench.client, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    kit_expect_head(bench.client, PARTS("HTTP/1.1 505 ", "\r\nConnection: close\r\n"), NULL);
    assert_int_equal(bench.exchanges, 0);
    bench_tear_down(&bench);
}

static void check_hijack_without_client(enum kit_transport transport)
{
    struct bench bench;
    hijack_over(&bench, transport, KIT_TCP);
    kit_send(bench.client, "last words");
    stream_close(bench.client);
    bench.client = NULL;
    kit_expect(bench.engine, "last words");
    kit_expect_end(bench.engine);
    /* TCP tells only when something is sent to who is gone. */
    struct deadline deadline = deadline_after(KIT_TIMEOUT_MS);
    while (bench.exchanges == 0 && deadline_left(deadline) > 0) {
        stream_send_all(bench.engine, "output", 6, 1000);
        kit_sleep_ms(5);
    }
    assert_true(bench.outcome.client_gone);
    bench_tear_down(&bench);
}

static void test_hijack_ends_when_the_client_is_gone(void **state)
{
    check_hijack_without_client(KIT_UNIX);
    check_hijack_without_client(KIT_TCP);
    check_hijack_without_client(KIT_TLS);
}

static void test_hijack_of_a_unix_client_that_is_gone_ends_without_output(void **state)
{
    struct bench bench;
    hijack_over(&bench, KIT_UNIX, KIT_TCP);
    stream_close(bench.client);
    bench.client = NULL;
    kit_expect_end(bench.engine);
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.client_gone);
    bench_tear_down(&bench);
}

static void test_engine_lost_in_a_hijack_resets_the_client(void **state)
{
    struct bench bench;
    int result;
    hijack_over(&bench, KIT_TCP, KIT_TCP);
    stream_abort(bench.engine);
    bench.engine = NULL;
    free(kit_read_all(bench.client, NULL, &result));
    assert_int_equal(result, -ECONNRESET);
    kit_wait_for(&bench.exchanges, 1);
    assert_int_equal(bench.result, -1);
    assert_non_null(strstr(bench.outcome.error, "connection reset by peer"));
    bench_tear_down(&bench);
}

static void test_stopping_server_cuts_a_hijack(void **state)
{
    struct bench bench;
    hijack_over(&bench, KIT_TCP, KIT_TCP);
    http_server_stop(bench.server, 50);
    assert_int_equal(bench.exchanges, 1);
    assert_true(kit_is_closed(bench.engine));
    bench_tear_down(&bench);
}

/* Buffers are given back when nothing moves for a while; the stream goes on where it was. */
static void test_hijack_goes_on_after_a_rest(void **state)
{
    struct bench bench;
    char *large = malloc(100001);
    assert_non_null(large);
    memset(large, 'x', 100000);
    large[100000] = '\0';
    bench_start(&bench);
    bench.options.may_hijack = true;
    bench_ask(&bench, ATTACH);
    kit_send(bench.engine, UPGRADED);
    kit_skip_head(bench.client);
    for (int round = 0; round < 2; round++) {
        kit_send(bench.engine, large);
        kit_expect(bench.client, large);
        kit_send(bench.client, large);
        kit_expect(bench.engine, large);
        kit_sleep_ms(1500);
    }
    kit_send(bench.client, "bye");
    kit_expect(bench.engine, "bye");
    bench_tear_down(&bench);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hijack_goes_on_after_a_rest),
        cmocka_unit_test(test_hijack_goes_on_after_the_clients_half_close),
        cmocka_unit_test(test_hijack_goes_on_after_the_engines_half_close),
        cmocka_unit_test(test_hijack_ends_soon_after_the_engine_has),
        cmocka_unit_test(test_hijack_of_a_client_that_half_closed_early_works),
        cmocka_unit_test(test_200_without_length_is_a_raw_stream),
        cmocka_unit_test(test_200_with_length_is_no_hijack),
        cmocka_unit_test(test_refusal_of_a_hijack_is_passed_with_its_length),
        cmocka_unit_test(test_hijack_with_a_body_in_memory_skips_the_clients),
        cmocka_unit_test(test_client_may_be_switched_before_the_engine),
        cmocka_unit_test(test_engine_that_does_not_switch_ends_the_client),
        cmocka_unit_test(test_http2_client_is_relayed_from_its_first_byte),
        cmocka_unit_test(test_almost_http2_is_no_http2),
        cmocka_unit_test(test_hijack_ends_when_the_client_is_gone),
        cmocka_unit_test(test_hijack_of_a_unix_client_that_is_gone_ends_without_output),
        cmocka_unit_test(test_engine_lost_in_a_hijack_resets_the_client),
        cmocka_unit_test(test_stopping_server_cuts_a_hijack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
