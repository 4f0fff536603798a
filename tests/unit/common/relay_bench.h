/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the relay: a client, a server that relays every request, and the engine, played by the test. */
#ifndef TESTS_RELAY_BENCH_H
#define TESTS_RELAY_BENCH_H

#include <stdatomic.h>

#include "http_kit.h"
#include "http_server.h"
#include "relay.h"

#define HOST "Host: x\r\n"

/* Client, a server that relays every request to one engine, and that engine's end of its connection. */
struct bench {
    struct http_server *server;
    struct stream *client;
    struct stream *near;   /* to the engine, as the relay has it */
    struct stream *engine; /* played by the test */
    struct relay_options options;
    struct relay_outcome outcome;
    int result;
    bool read_first;   /* the handler reads the request's body itself */
    bool switch_first; /* and switches to options.switched before it asks the engine */
    char *captured;
    size_t captured_length;
    atomic_int exchanges; /* that have ended */
    atomic_int finishing; /* calls of the hook */
    atomic_bool hold;     /* the hook does not return while this is set */
};

void bench_set_up(struct bench *bench, enum kit_transport client, enum kit_transport engine);
/* All over TCP. */
void bench_start(struct bench *bench);
void bench_tear_down(struct bench *bench);
/* Send @p request, and read away the head that the engine gets. */
void bench_ask(struct bench *bench, const char *request);
/* The hook: counts, and waits while bench->hold. */
void bench_finishing(void *data, int status);

#endif
