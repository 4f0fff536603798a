/* SPDX-License-Identifier: Apache-2.0 */
/* Networks and volumes that lead a create to their node. */
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
#include "create_bind.h"
#include "create_fixture.h"
#include "pool.h"

static void test_network_of_a_node_binds_to_it(void **state)
{
    json_t *body;

    for (int i = 0; i < 3; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        create_made("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"node-1/backend\"},"
                    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"node-1/backend\":{}}}}",
                    name);
    }
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 3);
    body = engine_peer_body(create_pool.engines[1], "c0");
    assert_string_equal(json_string_value(json_object_get(json_object_get(body, "HostConfig"), "NetworkMode")),
                        "backend");
    assert_non_null(
        json_object_get(json_object_get(json_object_get(body, "NetworkingConfig"), "EndpointsConfig"), "backend"));
    json_decref(body);
}

/* --- what is on certain nodes only --- */

static void set_networks(int number, const char *list)
{
    json_t *networks = json_loads(list, 0, NULL);

    assert_non_null(networks);
    pool_apply_networks(create_pool.manager.pool, fake_pool_engine(&create_pool, number),
                        pool_ticket(create_pool.manager.pool), networks);
    json_decref(networks);
}

static void set_volume(int number, const char *name)
{
    json_t *volumes = json_pack("{s:[{s:s, s:s}]}", "Volumes", "Name", name, "Driver", "local");

    pool_apply_volumes(create_pool.manager.pool, fake_pool_engine(&create_pool, number),
                       pool_ticket(create_pool.manager.pool), volumes);
    json_decref(volumes);
}

/* Three containers, so that they would be spread. */
static void create_three(const char *json)
{
    json_t *volumes = create_volume_names(json, strlen(json));

    for (int i = 0; i < 3; i++) {
        struct create_order order = {.volumes = volumes};
        struct failure failure = {0};
        json_t *answer = NULL;

        if (create_try(json, order, &answer, &failure)) {
            fail_msg("create failed: %d %s", failure.status, failure.message);
        }
        json_decref(answer);
    }
    json_decref(volumes);
}

static void test_local_network_leads_to_its_node(void **state)
{
    set_networks(1, "[{\"Id\":\"abcdef0123456789\",\"Name\":\"front\",\"Scope\":\"local\"}]");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\"}}");
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 3);
    create_three("{\"Image\":\"busybox\",\"NetworkingConfig\":{\"EndpointsConfig\":{\"abcdef012345\":{}}}}");
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 6);
    create_refused(
        "{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\"},\"Env\":[\"constraint:node==node-0\"]}",
        (struct create_order){0}, 500, "node==node-1");
}

static void test_network_that_several_nodes_have_leads_to_those(void **state)
{
    set_networks(0, "[{\"Id\":\"aa\",\"Name\":\"front\",\"Scope\":\"local\"}]");
    set_networks(1, "[{\"Id\":\"bb\",\"Name\":\"front\",\"Scope\":\"local\"}]");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\"}}");
    assert_int_equal(engine_peer_count(create_pool.engines[0]) + engine_peer_count(create_pool.engines[1]), 3);
    assert_in_range(engine_peer_count(create_pool.engines[0]), 1, 2);
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\"},"
                 "\"Env\":[\"constraint:node==node-1\"]}");
    assert_int_equal(engine_peer_count(create_pool.engines[0]) + engine_peer_count(create_pool.engines[1]), 6);
    assert_in_range(engine_peer_count(create_pool.engines[1]), 4, 5);
}

static void test_other_networks_lead_nowhere(void **state)
{
    set_networks(1, "[{\"Id\":\"aa\",\"Name\":\"wide\",\"Scope\":\"swarm\"},"
                    "{\"Id\":\"bb\",\"Name\":\"bridge\",\"Scope\":\"local\"}]");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"wide\"}}");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"bridge\"}}");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"nobody-has-it\"}}");
    assert_in_range(engine_peer_count(create_pool.engines[0]), 4, 5);
}

#define BIND "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"/etc:/e\",\"data:/d:ro\"]}}"
#define MOUNT                                                                                                          \
    "{\"Image\":\"busybox\",\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"data\",\"Target\":\"/"       \
    "d\"}]}}"

static void test_volume_leads_to_where_it_is(void **state)
{
    set_volume(1, "data");
    create_three(BIND);
    create_three(MOUNT);
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 6);
}

static void test_volume_leads_to_where_it_is_used(void **state)
{
    json_t *entry = canned_entry("web");
    size_t length;
    char *inspect = canned_text("inspect_web", &length);

    set_volume(0, "data");
    set_volume(1, "data");
    create_three(BIND); /* it is everywhere */
    assert_in_range(engine_peer_count(create_pool.engines[0]), 1, 2);

    json_object_set_new(entry, "Mounts", json_pack("[{s:s, s:s}]", "Type", "volume", "Name", "data"));
    assert_int_equal(pool_apply_container(create_pool.manager.pool, fake_pool_engine(&create_pool, 0),
                                          pool_ticket(create_pool.manager.pool), entry, inspect, length),
                     0);
    create_three(BIND);
    assert_in_range(engine_peer_count(create_pool.engines[0]), 4, 5);
    free(inspect);
    json_decref(entry);
}

static void test_volume_leads_to_where_it_was_used_last(void **state)
{
    json_t *entry = canned_entry("web");
    size_t length;
    char *inspect = canned_text("inspect_web", &length);
    struct engine *engine = fake_pool_engine(&create_pool, 1);

    set_volume(0, "data");
    set_volume(1, "data");
    json_object_set_new(entry, "Mounts", json_pack("[{s:s, s:s}]", "Type", "volume", "Name", "data"));
    assert_int_equal(pool_apply_container(create_pool.manager.pool, engine, pool_ticket(create_pool.manager.pool),
                                          entry, inspect, length),
                     0);
    pool_apply_removal(create_pool.manager.pool, engine, pool_ticket(create_pool.manager.pool),
                       json_string_value(json_object_get(entry, "Id")));
    set_volume(1, "data"); /* listed again */
    create_three(BIND);
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 3);
    free(inspect);
    json_decref(entry);
}

static void test_volume_is_a_wish_only(void **state)
{
    json_t *volumes = create_volume_names(BIND, strlen(BIND)), *answer = NULL, *body;
    struct create_order order = {.name = "web", .volumes = volumes};
    struct failure failure = {0};

    set_volume(1, "data");
    assert_int_equal(
        create_try("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-0\"]}", order, &answer, &failure), 0);
    body = engine_peer_body(create_pool.engines[0], "web");
    assert_non_null(body);
    /* Nor does the container keep it. */
    assert_null(json_object_get(json_object_get(body, "Labels"), "com.docker.swarm.whitelists"));
    json_decref(body);
    json_decref(answer);
    json_decref(volumes);
}

static void assert_volumes(const char *body, const char *expected)
{
    json_t *names = create_volume_names(body, strlen(body));
    char *text = names ? json_dumps(names, JSON_COMPACT) : strdup("");

    assert_string_equal(text, expected);
    free(text);
    json_decref(names);
}

static void test_named_volumes_are_found(void **state)
{
    assert_volumes("{\"HostConfig\":{\"Binds\":[\"a:/a\",\"/b:/b\",\"./c:/c\",\"d\",7,\"e:/e:ro,z\"]}}",
                   "[\"a\",\"e\"]");
    assert_volumes("{\"HostConfig\":{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/x\"},{\"Type\":\"volume\"},"
                   "{\"Type\":\"volume\",\"Source\":\"y\"}]}}",
                   "[\"y\"]");
    assert_volumes("{\"HostConfig\":{\"Binds\":null,\"Mounts\":{}}}", "");
    assert_volumes("{\"Binds\": broken", "");
    assert_volumes("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CREATE_TEST(test_network_of_a_node_binds_to_it),
        CREATE_TEST(test_local_network_leads_to_its_node),
        CREATE_TEST(test_network_that_several_nodes_have_leads_to_those),
        CREATE_TEST(test_other_networks_lead_nowhere),
        CREATE_TEST(test_volume_leads_to_where_it_is),
        CREATE_TEST(test_volume_leads_to_where_it_is_used),
        CREATE_TEST(test_volume_leads_to_where_it_was_used_last),
        CREATE_TEST(test_volume_is_a_wish_only),
        cmocka_unit_test(test_named_volumes_are_found),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
