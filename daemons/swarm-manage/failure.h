/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request cannot be done, as the client is to be told: an HTTP status and one message. */
#ifndef MANAGE_FAILURE_H
#define MANAGE_FAILURE_H

struct http_reply;
struct http_result;
struct engine;

struct failure {
    int status;    /* 0: none */
    char *message; /* owned */
};

/* Set it (an earlier message is freed). Always answers -1, so that `return failure_set(…)` reads well. */
int failure_set(struct failure *failure, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What an engine's answer of status >= 400, or no answer at all, amounts to: its own status and message; 500 with
 * "Cannot connect to the Docker daemon at <addr>. Is the docker daemon running?" where it refused. */
int failure_from_engine(struct failure *failure, const struct engine *engine, const struct http_result *result);
void failure_clear(struct failure *failure);
int failure_reply(const struct failure *failure, struct http_reply *reply);

#endif
