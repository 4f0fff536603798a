/* SPDX-License-Identifier: Apache-2.0 */
/* A pool without a monitor: engines are what a test applies to it. */
#ifndef TEST_POOL_FIXTURE_H
#define TEST_POOL_FIXTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "manager.h"

#define WEB "e76937adc4d15cebcea7b4c9e901b16957525363045d8b7da102614d67f975c9"
#define DB "db88a3e96610b3c2de7d7c5ccd509ee489a45d04e23d1ad0b9f763f86aa66bd3"

extern struct manager manager;

int pool_set_up(void **state);
int pool_tear_down(void **state);
#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, pool_set_up, pool_tear_down)

struct engine *added(const char *address);

/* What it says of itself; takes @p info. As pool_apply_specs(). */
int apply_info(struct engine *engine, json_t *info, struct failure *failure);

/* An engine that has been validated and is healthy. */
struct engine *node(const char *address, const char *id, const char *name);

/* That canned container, as its engine tells of it. */
void apply(struct engine *engine, uint64_t ticket, const char *container);

/* Whether the library has it on that node. */
bool has(const struct engine *engine, const char *id);

#endif
