/* SPDX-License-Identifier: Apache-2.0 */
/* A manager without engines to talk to, its API served on loopback, and a client for it. */
#ifndef TEST_API_KIT_H
#define TEST_API_KIT_H

#include <jansson.h>

#include "http_client.h"
#include "manager.h"
#include "pool.h"

extern struct manager api_manager;

/* Group set-up and tear-down. */
int api_set_up(void **state);
int api_tear_down(void **state);

/* "127.0.0.1:port" */
const char *api_address(void);
/* Ask; the test fails where there is no answer. Clear the result. */
void api_ask(const char *method, const char *path, const char *body, struct http_result *result);
/* The same with header lines of the client's own, NULL-ended. */
void api_ask_with(const char *const *headers, const char *method, const char *path, struct http_result *result);
void api_assert_text(const char *method, const char *path, int status, const char *text);
void api_assert_refused(const char *method, const char *path, const char *body, int status, const char *message);
/* The answer begins, and its connection is closed before its end. */
void api_assert_cut(const char *method, const char *path);
/* The JSON that a GET answers with 200; new. */
json_t *api_get(const char *path);

#endif
