/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking HTTP client for measurements: one connection, kept. What cannot go on ends the program with a line. */
#ifndef TESTS_BENCH_LOAD_CLIENT_H
#define TESTS_BENCH_LOAD_CLIENT_H

#include <stddef.h>
#include <stdint.h>

_Noreturn void load_give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));
int64_t load_now_ns(void);

struct load_client {
    char address[64]; /* ip:port */
    int fd;           /* -1: not connected */
    char *in;
    size_t begin, end, room;
};

struct load_answer {
    int status; /* 0: the connection broke */
    char *body; /* NUL behind it; NULL unless it was asked for; free() */
    size_t length;
    int64_t first_ns; /* from the request to the first byte of the body */
};

void load_client_init(struct load_client *client, const char *address);
void load_client_close(struct load_client *client);
/* @p body NULL: none. @p keep: the answer's body is kept. */
struct load_answer load_call(struct load_client *client, const char *method, const char *path, const char *body,
                             int keep);
/* Connects and sends a GET, without reading: for streams. */
int load_open_stream(const char *address, const char *path);

#endif
