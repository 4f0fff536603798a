/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the server: one with a handler for each thing to be seen. */
#ifndef TESTS_SERVER_FIXTURE_H
#define TESTS_SERVER_FIXTURE_H

#include <stdatomic.h>

#include "http_kit.h"
#include "http_server.h"

#define HOST "Host: x\r\n"

/* A server whose handler does what the path says. */
struct fixture {
    struct http_server *server;
    char *url;
    int event; /* an eventfd that /wait waits for */
    atomic_int entered;
    atomic_int left;
    atomic_int wait_result;
    atomic_bool release;
};

void fixture_start_at(struct fixture *fixture, const char *url, const struct tls *tls,
                      struct http_server_options options);
/* On loopback, with the defaults. */
void fixture_start(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);
struct stream *fixture_dial(struct fixture *fixture);
/* The next reply begins and ends like this. */
void fixture_check_reply(struct stream *stream, const char *begin, const char *end);
/* One exchange on a connection of its own. */
void fixture_check_exchange(struct fixture *fixture, const char *request, const char *begin, const char *end);
/* The request gets that status with a JSON message, and the connection ends. */
void fixture_check_refusal(struct fixture *fixture, const char *request, const char *status_line);

#endif
