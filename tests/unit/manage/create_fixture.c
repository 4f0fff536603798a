/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "create_fixture.h"
#include "pool.h"

struct fake_pool create_pool;

int create_set_up(void **state)
{
    fake_pool_init(&create_pool, 2);
    return 0;
}

int create_tear_down(void **state)
{
    fake_pool_finish(&create_pool);
    return 0;
}

int create_try(const char *json, struct create_order order, json_t **ret_answer, struct failure *failure)
{
    struct swarm_error *error = NULL;
    int result;

    assert_int_equal(swarm_create_body_parse(&order.body, json, strlen(json), &error), 0);
    result = create_container(&create_pool.manager, &order, ret_answer, failure);
    swarm_create_body_free(order.body);
    return result;
}

void create_made(const char *json, const char *name)
{
    struct create_order order = {.name = name};
    struct failure failure = {0};
    json_t *answer = NULL;

    if (create_try(json, order, &answer, &failure)) {
        fail_msg("create failed: %d %s", failure.status, failure.message);
    }
    assert_null(failure.message);
    json_decref(answer);
}

void create_refused(const char *json, struct create_order order, int status, const char *text)
{
    struct failure failure = {0};
    json_t *answer = NULL;

    assert_int_equal(create_try(json, order, &answer, &failure), -1);
    assert_non_null(failure.message);
    if (failure.status != status || !strstr(failure.message, text)) {
        fail_msg("got: %d %s", failure.status, failure.message);
    }
    failure_clear(&failure);
}

void create_asked(int number, const char *part, const char *expected)
{
    const char *request = http_peer_last(create_pool.engines[number]->http, part);

    assert_non_null(request);
    assert_non_null(strstr(request, expected));
}

void create_nothing_reserved(void)
{
    for (size_t i = 0; i < create_pool.manager.pool->engine_count; i++) {
        assert_int_equal(swarm_node_used_memory(create_pool.manager.pool->engines[i]->node), 0);
    }
}
