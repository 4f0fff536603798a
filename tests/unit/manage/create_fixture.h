/* SPDX-License-Identifier: Apache-2.0 */
/* Creates in a pool of two engine peers. */
#ifndef TEST_CREATE_FIXTURE_H
#define TEST_CREATE_FIXTURE_H

#include "create.h"
#include "fake_pool.h"

extern struct fake_pool create_pool;

int create_set_up(void **state);
int create_tear_down(void **state);
#define CREATE_TEST(name) cmocka_unit_test_setup_teardown(name, create_set_up, create_tear_down)

/* Create a container of that body; the order's other members as given. */
int create_try(const char *json, struct create_order order, json_t **ret_answer, struct failure *failure);

/* Of a create that must succeed. */
void create_made(const char *json, const char *name);

/* Expect a failure of that status with that text in its message. */
void create_refused(const char *json, struct create_order order, int status, const char *text);

/* In the last request of that engine with that part in its first line. */
void create_asked(int number, const char *part, const char *expected);

/* Nothing is left of creates that failed. */
void create_nothing_reserved(void);

#endif
