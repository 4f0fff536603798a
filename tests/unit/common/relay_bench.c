/* SPDX-License-Identifier: Apache-2.0 */
#include "relay_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_body_first(struct http_request *request)
{
    const char *body, *why;
    size_t length;
    return http_request_read_all(request, &body, &length, &why);
}

static int handle(struct http_request *request, struct http_reply *reply, void *data)
{
    struct bench *bench = data;
    if (bench->read_first)
        kit_check(read_body_first(request) == 0);
    http_reply_header(reply, "X-Handler", "handler");
    if (bench->switch_first)
        kit_check(http_reply_switch(reply, bench->options.switched) == 0);
    bench->result = relay_exchange(request, reply, bench->near, &bench->options, &bench->outcome);
    if (!bench->outcome.reusable) {
        stream_close(bench->near);
        bench->near = NULL;
    }
    bench->exchanges++;
    if (bench->outcome.answered || bench->outcome.client_gone)
        return bench->result;
    if (bench->result < 0)
        return http_reply_error(reply, 502, "%s", bench->outcome.error);
    return http_reply_send(reply, 203, "text/plain", bench->captured, bench->captured_length);
}

void bench_finishing(void *data, int status)
{
    struct bench *bench = data;
    bench->finishing++;
    while (bench->hold)
        kit_sleep_ms(1);
}

static void connect_client(struct bench *bench, enum kit_transport transport)
{
    const struct tls *tls = transport == KIT_TLS ? kit_tls() : NULL;
    char unix_url[128], *url, *error = NULL;
    snprintf(unix_url, sizeof unix_url, "unix://%s", kit_path("relay.sock"));
    const char *where = transport == KIT_UNIX ? unix_url : "tcp://127.0.0.1:0";
    kit_check(http_server_listen(bench->server, where, tls, &url, &error) == 0);
    bench->client = kit_dial(url, tls);
    free(url);
}

void bench_set_up(struct bench *bench, enum kit_transport client, enum kit_transport engine)
{
    memset(bench, 0, sizeof *bench);
    struct http_server_options options = {.handler = handle, .data = bench, .http2 = true};
    options.headers[0][0] = "Server";
    options.headers[0][1] = "manager";
    char *error = NULL;
    bench->options = (struct relay_options){.target = "/v1.41/there", .host = "engine", .data = bench};
    kit_check(http_server_new(&bench->server, &options, &error) == 0);
    kit_pair(engine, &bench->near, &bench->engine);
    connect_client(bench, client);
}

void bench_tear_down(struct bench *bench)
{
    stream_close(bench->client);
    stream_close(bench->engine);
    http_server_free(bench->server);
    stream_close(bench->near);
    free(bench->captured);
}

void bench_start(struct bench *bench)
{
    bench_set_up(bench, KIT_TCP, KIT_TCP);
}

void bench_ask(struct bench *bench, const char *request)
{
    kit_send(bench->client, request);
    kit_skip_head(bench->engine);
}
