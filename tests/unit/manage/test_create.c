/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "create.h"
#include "create_fixture.h"
#include "decisions.h"
#include "pool.h"

static void test_container_is_made_and_known(void **state)
{
    struct create_order order = {.name = "web"};
    struct failure failure = {0};
    struct target target = {0};
    json_t *answer = NULL;

    assert_int_equal(create_try("{\"Image\":\"busybox\"}", order, &answer, &failure), 0);
    assert_int_equal(pool_find_container(create_pool.manager.pool, "web", &target, &failure), 0);
    assert_string_equal(json_string_value(json_object_get(answer, "Id")), target.id);
    assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "Warnings"), 0)), "mind the gap");
    target_clear(&target);
    json_decref(answer);
}

static void test_swarm_id_is_new_and_found(void **state)
{
    struct failure failure = {0};
    struct target target = {0};
    const char *id;
    json_t *body;

    create_made("{\"Image\":\"busybox\"}", "web");
    body = fake_pool_body(&create_pool, "web");
    id = json_string_value(json_object_get(json_object_get(body, "Labels"), "com.docker.swarm.id"));
    assert_int_equal(strlen(id), 64);
    assert_int_equal(strspn(id, "0123456789abcdef"), 64);
    assert_int_equal(pool_find_container(create_pool.manager.pool, id, &target, &failure), 0);
    target_clear(&target);
    json_decref(body);
}

static void test_swarm_id_of_another_container_is_replaced(void **state)
{
    static const char json[] = "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm.id\":"
                               "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}";
    json_t *first, *second;

    create_made(json, "first");
    create_made(json, "second");
    first = fake_pool_body(&create_pool, "first");
    second = fake_pool_body(&create_pool, "second");
    assert_false(json_equal(json_object_get(first, "Labels"), json_object_get(second, "Labels")));
    json_decref(first);
    json_decref(second);
}

static void test_cpu_shares_are_settled(void **state)
{
    json_t *body, *shares;

    create_pool.manager.options.cpu_shares = SWARM_CPU_SHARES_AUTO;
    create_made("{\"Image\":\"busybox\",\"HostConfig\":{\"CpuShares\":512}}", "heavy");
    body = fake_pool_body(&create_pool, "heavy");
    shares = json_object_get(json_object_get(body, "HostConfig"), "CpuShares");
    assert_int_equal(json_integer_value(shares), 512);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(body, "Labels"), "com.docker.swarm.cpushares")), "weight");
    json_decref(body);
    for (int i = 0; i < 2; i++)
        assert_int_equal(swarm_node_used_cpus_milli(fake_pool_engine(&create_pool, i)->node), 0);
}

static void test_unknown_fields_reach_the_engine(void **state)
{
    json_t *body;

    create_made("{\"Image\":\"busybox\",\"FieldOfTomorrow\":[1]}", "web");
    body = fake_pool_body(&create_pool, "web");
    assert_true(json_is_array(json_object_get(body, "FieldOfTomorrow")));
    json_decref(body);
}

static void test_name_is_unique_in_the_pool(void **state)
{
    create_made("{\"Image\":\"busybox\"}", "web");
    create_refused("{\"Image\":\"busybox\"}", (struct create_order){.name = "web"}, 409,
                   "Conflict: The name web is already assigned.");
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/containers/create") +
                         http_peer_count(create_pool.engines[1]->http, "/containers/create"),
                     1);
}

static void test_spread_over_engines(void **state)
{
    create_made("{\"Image\":\"busybox\"}", "a");
    create_made("{\"Image\":\"busybox\"}", "b");
    assert_int_equal(engine_peer_count(create_pool.engines[0]), 1);
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 1);
}

static void test_constraint_that_nothing_fits(void **state)
{
    create_refused("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==nowhere\"]}",
                   (struct create_order){.name = "web"}, 500,
                   "Unable to find a node that satisfies the following conditions");
}

static void test_refusal_says_why(void **state)
{
    create_refused("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==nowhere\"]}",
                   (struct create_order){.name = "web"}, 500,
                   "\n[node==nowhere]\n0/2 nodes fit: 2 constraint node==nowhere");
    create_refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":1152921504606846976}}", (struct create_order){0},
                   500, "no resources available to schedule container\n0/2 nodes fit: 2 memory short (nearest node-");
    create_made("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-1\"]}", "web");
    create_refused("{\"Image\":\"busybox\"}", (struct create_order){.name = "web"}, 409,
                   "\n0/2 nodes fit: name web taken by container ");
}

static void test_decisions_are_kept(void **state)
{
    json_t *list, *granted, *denied;

    create_made("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-1\"]}", "web");
    create_refused("{\"Image\":\"httpd\",\"Env\":[\"constraint:node==nowhere\"]}", (struct create_order){0}, 500,
                   "0/2 nodes");
    list = decisions_json(create_pool.manager.decisions);
    assert_int_equal(json_array_size(list), 2);
    granted = json_array_get(list, 0);
    denied = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(granted, "outcome")), "granted");
    assert_string_equal(json_string_value(json_object_get(granted, "name")), "web");
    assert_string_equal(json_string_value(json_object_get(granted, "node")), "node-1");
    assert_non_null(strstr(json_string_value(json_object_get(granted, "text")), "node-1 is chosen: cpu 100, "));
    assert_string_equal(json_string_value(json_object_get(denied, "outcome")), "refused");
    assert_string_equal(json_string_value(json_object_get(denied, "image")), "httpd");
    assert_true(json_is_null(json_object_get(denied, "name")));
    assert_true(json_is_null(json_object_get(denied, "node")));
    json_decref(list);
}

static void test_dry_run_changes_nothing(void **state)
{
    static const char json[] = "{\"Image\":\"nowhere-to-be-had\",\"HostConfig\":{\"Memory\":67108864},"
                               "\"Env\":[\"constraint:node==node-1\"]}";
    uint64_t generation = swarm_cluster_generation(create_pool.manager.pool->cluster);
    struct create_order order = {.name = "web"};
    struct failure failure = {0};
    char *text = NULL;
    size_t length = 0;
    json_t *decision, *list;

    assert_int_equal(swarm_create_body_parse(&order.body, json, strlen(json), NULL), 0);
    assert_int_equal(create_dry_run(&create_pool.manager, &order, &text, &length, &failure), 0);
    decision = json_loadb(text, length, 0, NULL);
    assert_true(json_is_true(json_object_get(decision, "granted")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(decision, "node"), "name")), "node-1");
    json_decref(decision);
    swarm_free(text);
    swarm_create_body_free(order.body);
    assert_int_equal(swarm_cluster_generation(create_pool.manager.pool->cluster), generation);
    create_nothing_reserved();
    assert_null(http_peer_last(create_pool.engines[1]->http, "/containers/create"));
    assert_null(http_peer_last(create_pool.engines[1]->http, "/images/create"));
    list = decisions_json(create_pool.manager.decisions);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static void test_name_and_platform_are_passed_on(void **state)
{
    create_made("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-0\"]}", "/web");
    create_asked(0, "/containers/create", "/containers/create?name=web HTTP/1.1\r\n");
    struct create_order order = {.platform = "linux/amd64"};
    struct failure failure = {0};
    json_t *answer = NULL;

    assert_int_equal(
        create_try("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-0\"]}", order, &answer, &failure), 0);
    create_asked(0, "/containers/create", "/containers/create?platform=linux%2Famd64 HTTP/1.1\r\n");
    json_decref(answer);
}

static void test_refusal_of_the_engine_is_passed_on(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(
            create_pool.engines[i],
            (struct engine_faults){.create_status = 400, .create_message = "invalid hostname format: -x"});
    }
    create_refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864}}", (struct create_order){.name = "web"},
                   400, "invalid hostname format: -x");
    create_nothing_reserved();
}

static void test_retries_as_often_as_told(void **state)
{
    create_pool.manager.options.create_retry = 3;
    for (int i = 0; i < 2; i++) {
        engine_peer_break(create_pool.engines[i],
                          (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    }
    create_refused("{\"Image\":\"busybox\"}", (struct create_order){.name = "web"}, 500, "no luck");
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/containers/create") +
                         http_peer_count(create_pool.engines[1]->http, "/containers/create"),
                     4);
}

static void test_engine_that_is_away_fails_that_request(void **state)
{
    http_peer_kill(create_pool.engines[0]->http);
    create_refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864},\"Env\":[\"constraint:node==node-0\"]}",
                   (struct create_order){.name = "web"}, 500,
                   "Cannot connect to the Docker daemon at tcp://127.0.0.1:");
    create_nothing_reserved();
    create_made("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-1\"]}", "web");
}

static void test_container_that_is_not_reported_is_an_error(void **state)
{
    engine_peer_break(create_pool.engines[0], (struct engine_faults){.hide_containers = true});
    engine_peer_break(create_pool.engines[1], (struct engine_faults){.hide_containers = true});
    create_refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864}}", (struct create_order){.name = "web"},
                   500, "Container created but refresh didn't report it back");
    create_nothing_reserved();
}

static void test_resources_stay_reserved(void **state)
{
    create_made("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864},\"Env\":[\"constraint:node==node-0\"]}",
                "web");
    assert_int_equal(swarm_node_used_memory(create_pool.manager.pool->engines[0]->node), 67108864);
    assert_int_equal(swarm_cluster_container_count(create_pool.manager.pool->cluster), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CREATE_TEST(test_container_is_made_and_known),
        CREATE_TEST(test_swarm_id_is_new_and_found),
        CREATE_TEST(test_swarm_id_of_another_container_is_replaced),
        CREATE_TEST(test_cpu_shares_are_settled),
        CREATE_TEST(test_unknown_fields_reach_the_engine),
        CREATE_TEST(test_name_is_unique_in_the_pool),
        CREATE_TEST(test_spread_over_engines),
        CREATE_TEST(test_constraint_that_nothing_fits),
        CREATE_TEST(test_refusal_says_why),
        CREATE_TEST(test_decisions_are_kept),
        CREATE_TEST(test_dry_run_changes_nothing),
        CREATE_TEST(test_name_and_platform_are_passed_on),
        CREATE_TEST(test_refusal_of_the_engine_is_passed_on),
        CREATE_TEST(test_retries_as_often_as_told),
        CREATE_TEST(test_engine_that_is_away_fails_that_request),
        CREATE_TEST(test_container_that_is_not_reported_is_an_error),
        CREATE_TEST(test_resources_stay_reserved),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
