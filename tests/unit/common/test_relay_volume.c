/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_body.h"
#include "relay_bench.h"

#define MUCH ((size_t)50 * 1000 * 1000)

static void hijack(struct bench *bench, enum kit_transport client, enum kit_transport engine)
{
    bench_set_up(bench, client, engine);
    bench->options.may_hijack = true;
    bench_ask(bench, "POST /attach HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    kit_send(bench->engine, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    kit_skip_head(bench->client);
}

static void end(struct bench *bench)
{
    kit_wait_for(&bench->exchanges, 1);
    assert_int_equal(bench->result, 0);
    bench_tear_down(bench);
}

struct flow {
    struct stream *stream;
    size_t length; /* to send, or received */
    uint32_t sum;
    bool slow;
    bool end; /* half-close after sending */
};

static uint32_t sum_of(uint32_t sum, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = sum * 31 + (unsigned char)data[i];
    return sum;
}

static void pour(void *data)
{
    struct flow *flow = data;
    char block[40000];
    uint32_t state = 1;
    for (size_t left = flow->length; left > 0;) {
        size_t length = left < sizeof block ? left : sizeof block;
        for (size_t i = 0; i < length; i++) {
            state = state * 1664525 + 1013904223;
            block[i] = (char)(state >> 24);
        }
        kit_check(stream_send_all(flow->stream, block, length, KIT_TIMEOUT_MS) == 0);
        flow->sum = sum_of(flow->sum, block, length);
        left -= length;
    }
    if (flow->end)
        kit_check(stream_shutdown_write(flow->stream) == 0);
}

static void drain(void *data)
{
    struct flow *flow = data;
    char block[65536];
    ssize_t got;
    size_t next_pause = 0;
    while ((got = stream_recv_wait(flow->stream, block, sizeof block, KIT_TIMEOUT_MS)) > 0) {
        flow->sum = sum_of(flow->sum, block, (size_t)got);
        flow->length += (size_t)got;
        if (flow->slow && flow->length > next_pause) {
            kit_sleep_ms(5);
            next_pause += 500 * 1000;
        }
    }
    kit_check(got == 0);
}

/* The engine is cat: what it reads it writes, and ends when its input does. */
static void cat(void *data)
{
    struct stream *stream = data;
    char block[65536];
    ssize_t got;
    while ((got = stream_recv_wait(stream, block, sizeof block, KIT_TIMEOUT_MS)) > 0)
        kit_check(stream_send_all(stream, block, (size_t)got, KIT_TIMEOUT_MS) == 0);
    kit_check(got == 0);
    kit_check(stream_shutdown_write(stream) == 0);
}

/* A stream is one thread's at a time; plain sockets may be read and written by two. */
static void check_cat(enum kit_transport engine)
{
    struct bench bench;
    hijack(&bench, KIT_TCP, engine);
    struct flow up = {.stream = bench.client, .length = MUCH, .end = true};
    struct flow down = {.stream = bench.client, .slow = true};
    struct kit_thread *engine_thread = kit_start(cat, bench.engine);
    struct kit_thread *up_thread = kit_start(pour, &up);
    drain(&down);
    kit_join(up_thread);
    kit_join(engine_thread);
    assert_true(down.length == MUCH);
    assert_int_equal(down.sum, up.sum);
    end(&bench);
}

static void test_50_mb_through_cat_come_back(void **state)
{
    check_cat(KIT_TCP);
    check_cat(KIT_TLS);
}

static void test_50_mb_each_way_at_once_arrive_though_one_reads_slowly(void **state)
{
    struct bench bench;
    hijack(&bench, KIT_TCP, KIT_UNIX);
    struct flow flows[4] = {{.stream = bench.client, .length = MUCH, .end = true},
                            {.stream = bench.engine, .length = MUCH, .end = true},
                            {.stream = bench.client, .slow = true},
                            {.stream = bench.engine}};
    struct kit_thread *threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = kit_start(i < 2 ? pour : drain, &flows[i]);
    for (int i = 0; i < 4; i++)
        kit_join(threads[i]);
    assert_true(flows[2].length == MUCH && flows[3].length == MUCH);
    assert_int_equal(flows[2].sum, flows[1].sum);
    assert_int_equal(flows[3].sum, flows[0].sum);
    end(&bench);
}

static void test_50_mb_body_arrives_over_tls_on_both_sides(void **state)
{
    struct bench bench;
    char request[200];
    bench_set_up(&bench, KIT_TLS, KIT_TLS);
    snprintf(request, sizeof request, "POST / HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", MUCH);
    bench_ask(&bench, request);
    struct flow up = {.stream = bench.client, .length = MUCH};
    struct kit_thread *thread = kit_start(pour, &up);
    char block[65536];
    uint32_t sum = 0;
    for (size_t left = MUCH; left > 0;) {
        size_t most = left < sizeof block ? left : sizeof block;
        ssize_t got = stream_recv_wait(bench.engine, block, most, KIT_TIMEOUT_MS);
        assert_true(got > 0);
        sum = sum_of(sum, block, (size_t)got);
        left -= (size_t)got;
    }
    kit_join(thread);
    assert_int_equal(sum, up.sum);
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    kit_skip_head(bench.client);
    kit_expect(bench.client, "ok");
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void echo_length(void *data)
{
    struct flow *flow = data;
    char block[65536];
    for (size_t left = flow->length; left > 0;) {
        ssize_t got = stream_recv_wait(flow->stream, block, sizeof block, KIT_TIMEOUT_MS);
        kit_check(got > 0);
        kit_check(stream_send_all(flow->stream, block, (size_t)got, KIT_TIMEOUT_MS) == 0);
        left -= (size_t)got;
    }
}

/* Not a hijack: an answer that begins, and goes on, while the request is still being sent. */
static void test_50_mb_body_goes_through_while_the_answer_comes(void **state)
{
    struct bench bench;
    bench_start(&bench);
    bench_ask(&bench, "POST / HTTP/1.0\r\nContent-Length: 50000000\r\n\r\n");
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n");
    kit_skip_head(bench.client);
    struct flow up = {.stream = bench.client, .length = MUCH};
    struct flow echo = {.stream = bench.engine, .length = MUCH};
    struct flow down = {.stream = bench.client, .slow = true};
    struct kit_thread *up_thread = kit_start(pour, &up);
    struct kit_thread *engine_thread = kit_start(echo_length, &echo);
    drain(&down);
    kit_join(up_thread);
    kit_join(engine_thread);
    assert_true(down.length == MUCH);
    assert_int_equal(down.sum, up.sum);
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.reusable);
    bench_tear_down(&bench);
}

/* --- chunks of many sizes --- */

struct chunks {
    struct stream *stream;
    unsigned seed;
    size_t length; /* of content, at least; what it is in the end */
    bool slow;     /* the reader */
    bool small;    /* the chunks */
    uint32_t sum;
};

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 8;
}

/* Single bytes, lines, the 32 KiB blocks of Docker's clients and engines, and anything; or short ones only, so that
 * buffers end in the middle of all that frames them. */
static size_t next_size(struct chunks *chunks)
{
    unsigned kind = next_random(&chunks->seed) % 4;
    if (kind == 0)
        return 1;
    if (kind == 1 || chunks->small)
        return 1 + next_random(&chunks->seed) % 100;
    return kind == 2 ? 32768 : 1 + next_random(&chunks->seed) % 70000;
}

/* In writes that end anywhere. */
static void send_chunks(void *data)
{
    static const size_t write_size = 1000 * 1000;
    struct chunks *chunks = data;
    char *block = malloc(write_size + 80000);
    size_t filled = 0, sent = 0;
    kit_check(block != NULL);
    while (sent < chunks->length) {
        size_t size = next_size(chunks);
        filled += (size_t)sprintf(block + filled, "%zx\r\n", size);
        memset(block + filled, (int)(next_random(&chunks->seed) & 0xff), size);
        chunks->sum = sum_of(chunks->sum, block + filled, size);
        memcpy(block + filled + size, "\r\n", 2);
        filled += size + 2;
        sent += size;
        if (filled < write_size && sent < chunks->length)
            continue;
        kit_check(stream_send_all(chunks->stream, block, filled, KIT_TIMEOUT_MS) == 0);
        filled = 0;
    }
    kit_send(chunks->stream, "0\r\n\r\n");
    chunks->length = sent;
    free(block);
}

static void take_chunks(void *data)
{
    struct chunks *chunks = data;
    const struct http_head head = {.content_length = -1, .chunked = true};
    struct http_body body;
    char block[65536];
    http_body_init_request(&body, &head);
    while (!body.done) {
        ssize_t got = stream_recv_wait(chunks->stream, block, sizeof block, KIT_TIMEOUT_MS);
        kit_check(got > 0);
        for (size_t at = 0, consumed = 1; consumed > 0; at += consumed) {
            const char *content;
            size_t length;
            kit_check(http_body_next(&body, block + at, (size_t)got - at, &consumed, &content, &length) == 0);
            chunks->sum = sum_of(chunks->sum, content, length);
            chunks->length += length;
        }
        if (chunks->slow && next_random(&chunks->seed) % 50 == 0)
            kit_sleep_ms(1);
    }
}

static void pass_chunks(struct stream *from, struct stream *to, unsigned seed, bool slow)
{
    struct chunks sent = {.stream = from, .seed = seed, .length = 2 * 1000 * 1000, .small = seed % 4 < 2};
    struct chunks taken = {.stream = to, .seed = seed, .slow = slow};
    struct kit_thread *thread = kit_start(send_chunks, &sent);
    take_chunks(&taken);
    kit_join(thread);
    assert_true(taken.length == sent.length);
    assert_int_equal(taken.sum, sent.sum);
}

static void check_chunks(enum kit_transport client, enum kit_transport engine, unsigned seed)
{
    struct bench bench;
    bench_set_up(&bench, client, engine);
    bench_ask(&bench, "POST /images/load HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    pass_chunks(bench.client, bench.engine, seed, seed & 1);
    kit_send(bench.engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    kit_skip_head(bench.client);
    pass_chunks(bench.engine, bench.client, seed, seed & 1);
    kit_wait_for(&bench.exchanges, 1);
    assert_true(bench.outcome.reusable);
    bench_tear_down(&bench);
}

static void test_chunks_of_all_sizes_go_through_both_ways(void **state)
{
    for (unsigned seed = 1; seed <= 8; seed++) {
        check_chunks(KIT_TCP, KIT_TCP, seed);
        check_chunks(KIT_UNIX, KIT_UNIX, seed);
        check_chunks(KIT_TLS, KIT_TLS, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_50_mb_through_cat_come_back),
        cmocka_unit_test(test_50_mb_each_way_at_once_arrive_though_one_reads_slowly),
        cmocka_unit_test(test_50_mb_body_arrives_over_tls_on_both_sides),
        cmocka_unit_test(test_50_mb_body_goes_through_while_the_answer_comes),
        cmocka_unit_test(test_chunks_of_all_sizes_go_through_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
