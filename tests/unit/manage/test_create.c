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
#include "create_bind.h"
#include "decisions.h"
#include "fake_pool.h"
#include "pool.h"
#include "pull.h"

static struct fake_pool pool;

static int set_up(void **state)
{
    fake_pool_init(&pool, 2);
    return 0;
}

static int tear_down(void **state)
{
    fake_pool_finish(&pool);
    return 0;
}

/* Create a container of that body; the order's other members as given. */
static int create(const char *json, struct create_order order, json_t **ret_answer, struct failure *failure)
{
    struct swarm_error *error = NULL;
    int result;

    assert_int_equal(swarm_create_body_parse(&order.body, json, strlen(json), &error), 0);
    result = create_container(&pool.manager, &order, ret_answer, failure);
    swarm_create_body_free(order.body);
    return result;
}

static void created(const char *json, const char *name)
{
    struct create_order order = {.name = name};
    struct failure failure = {0};
    json_t *answer = NULL;

    if (create(json, order, &answer, &failure)) {
        fail_msg("create failed: %d %s", failure.status, failure.message);
    }
    assert_null(failure.message);
    json_decref(answer);
}

/* Expect a failure of that status with that text in its message. */
static void refused(const char *json, struct create_order order, int status, const char *text)
{
    struct failure failure = {0};
    json_t *answer = NULL;

    assert_int_equal(create(json, order, &answer, &failure), -1);
    assert_non_null(failure.message);
    if (failure.status != status || !strstr(failure.message, text)) {
        fail_msg("got: %d %s", failure.status, failure.message);
    }
    failure_clear(&failure);
}

/* In the last request of that engine with that part in its first line. */
static void assert_asked(int number, const char *part, const char *expected)
{
    const char *request = http_peer_last(pool.engines[number]->http, part);

    assert_non_null(request);
    assert_non_null(strstr(request, expected));
}

/* Nothing is left of creates that failed. */
static void assert_nothing_reserved(void)
{
    for (size_t i = 0; i < pool.manager.pool->engine_count; i++) {
        assert_int_equal(swarm_node_used_memory(pool.manager.pool->engines[i]->node), 0);
    }
}

static void test_container_is_made_and_known(void **state)
{
    struct create_order order = {.name = "web"};
    struct failure failure = {0};
    struct target target = {0};
    json_t *answer = NULL;

    assert_int_equal(create("{\"Image\":\"busybox\"}", order, &answer, &failure), 0);
    assert_int_equal(pool_find_container(pool.manager.pool, "web", &target, &failure), 0);
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

    created("{\"Image\":\"busybox\"}", "web");
    body = fake_pool_body(&pool, "web");
    id = json_string_value(json_object_get(json_object_get(body, "Labels"), "com.docker.swarm.id"));
    assert_int_equal(strlen(id), 64);
    assert_int_equal(strspn(id, "0123456789abcdef"), 64);
    assert_int_equal(pool_find_container(pool.manager.pool, id, &target, &failure), 0);
    target_clear(&target);
    json_decref(body);
}

static void test_swarm_id_of_another_container_is_replaced(void **state)
{
    static const char json[] = "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm.id\":"
                               "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}";
    json_t *first, *second;

    created(json, "first");
    created(json, "second");
    first = fake_pool_body(&pool, "first");
    second = fake_pool_body(&pool, "second");
    assert_false(json_equal(json_object_get(first, "Labels"), json_object_get(second, "Labels")));
    json_decref(first);
    json_decref(second);
}

static void test_cpu_shares_are_settled(void **state)
{
    json_t *body, *shares;

    pool.manager.options.cpu_shares = SWARM_CPU_SHARES_AUTO;
    created("{\"Image\":\"busybox\",\"HostConfig\":{\"CpuShares\":512}}", "heavy");
    body = fake_pool_body(&pool, "heavy");
    shares = json_object_get(json_object_get(body, "HostConfig"), "CpuShares");
    assert_int_equal(json_integer_value(shares), 512);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(body, "Labels"), "com.docker.swarm.cpushares")), "weight");
    json_decref(body);
    for (int i = 0; i < 2; i++)
        assert_int_equal(swarm_node_used_cpus_milli(fake_pool_engine(&pool, i)->node), 0);
}

static void test_unknown_fields_reach_the_engine(void **state)
{
    json_t *body;

    created("{\"Image\":\"busybox\",\"FieldOfTomorrow\":[1]}", "web");
    body = fake_pool_body(&pool, "web");
    assert_true(json_is_array(json_object_get(body, "FieldOfTomorrow")));
    json_decref(body);
}

static void test_name_is_unique_in_the_pool(void **state)
{
    created("{\"Image\":\"busybox\"}", "web");
    refused("{\"Image\":\"busybox\"}", (struct create_order){.name = "web"}, 409,
            "Conflict: The name web is already assigned.");
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/containers/create") +
                         http_peer_count(pool.engines[1]->http, "/containers/create"),
                     1);
}

static void test_spread_over_engines(void **state)
{
    created("{\"Image\":\"busybox\"}", "a");
    created("{\"Image\":\"busybox\"}", "b");
    assert_int_equal(engine_peer_count(pool.engines[0]), 1);
    assert_int_equal(engine_peer_count(pool.engines[1]), 1);
}

static void test_constraint_that_nothing_fits(void **state)
{
    refused("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==nowhere\"]}", (struct create_order){.name = "web"}, 500,
            "Unable to find a node that satisfies the following conditions");
}

static void test_refusal_says_why(void **state)
{
    refused("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==nowhere\"]}", (struct create_order){.name = "web"}, 500,
            "\n[node==nowhere]\n0/2 nodes fit: 2 constraint node==nowhere");
    refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":1152921504606846976}}", (struct create_order){0}, 500,
            "no resources available to schedule container\n0/2 nodes fit: 2 memory short (nearest node-");
    created("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-1\"]}", "web");
    refused("{\"Image\":\"busybox\"}", (struct create_order){.name = "web"}, 409,
            "\n0/2 nodes fit: name web taken by container ");
}

static void test_decisions_are_kept(void **state)
{
    json_t *list, *granted, *denied;

    created("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-1\"]}", "web");
    refused("{\"Image\":\"httpd\",\"Env\":[\"constraint:node==nowhere\"]}", (struct create_order){0}, 500, "0/2 nodes");
    list = decisions_json(pool.manager.decisions);
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
    uint64_t generation = swarm_cluster_generation(pool.manager.pool->cluster);
    struct create_order order = {.name = "web"};
    struct failure failure = {0};
    char *text = NULL;
    size_t length = 0;
    json_t *decision, *list;

    assert_int_equal(swarm_create_body_parse(&order.body, json, strlen(json), NULL), 0);
    assert_int_equal(create_dry_run(&pool.manager, &order, &text, &length, &failure), 0);
    decision = json_loadb(text, length, 0, NULL);
    assert_true(json_is_true(json_object_get(decision, "granted")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(decision, "node"), "name")), "node-1");
    json_decref(decision);
    swarm_free(text);
    swarm_create_body_free(order.body);
    assert_int_equal(swarm_cluster_generation(pool.manager.pool->cluster), generation);
    assert_nothing_reserved();
    assert_null(http_peer_last(pool.engines[1]->http, "/containers/create"));
    assert_null(http_peer_last(pool.engines[1]->http, "/images/create"));
    list = decisions_json(pool.manager.decisions);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static void test_name_and_platform_are_passed_on(void **state)
{
    created("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-0\"]}", "/web");
    assert_asked(0, "/containers/create", "/containers/create?name=web HTTP/1.1\r\n");
    struct create_order order = {.platform = "linux/amd64"};
    struct failure failure = {0};
    json_t *answer = NULL;

    assert_int_equal(create("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-0\"]}", order, &answer, &failure),
                     0);
    assert_asked(0, "/containers/create", "/containers/create?platform=linux%2Famd64 HTTP/1.1\r\n");
    json_decref(answer);
}

static void test_missing_image_is_pulled_on_that_engine(void **state)
{
    struct create_order order = {.name = "web", .auth = "c2VjcmV0", .platform = "linux/arm64"};
    struct failure failure = {0};
    json_t *answer = NULL;

    engine_peer_break(pool.engines[0], (struct engine_faults){.image_missing = true});
    engine_peer_break(pool.engines[1], (struct engine_faults){.image_missing = true});
    assert_int_equal(
        create("{\"Image\":\"reg:5000/busybox\",\"Env\":[\"constraint:node==node-0\"]}", order, &answer, &failure), 0);
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/images/create"), 1);
    assert_int_equal(http_peer_count(pool.engines[1]->http, "/images/create"), 0);
    assert_asked(0, "/images/create", "?fromImage=reg%3A5000%2Fbusybox&tag=latest&platform=linux%2Farm64 HTTP/1.1\r\n");
    assert_asked(0, "/images/create", "\r\nX-Registry-Auth: c2VjcmV0\r\n");
    json_decref(answer);
}

static void test_error_of_a_pull_is_told(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(pool.engines[i],
                          (struct engine_faults){.image_missing = true, .pull_error = "no space left on device"});
    }
    refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864}}", (struct create_order){.name = "web"}, 500,
            "no space left on device");
    assert_nothing_reserved();
}

static void test_pull_without_credentials_is_no_such_image(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(
            pool.engines[i],
            (struct engine_faults){
                .image_missing = true,
                .pull_error =
                    "pull access denied for private, repository does not exist or may require 'docker login'"});
    }
    refused("{\"Image\":\"private:1\"}", (struct create_order){.name = "web"}, 404, "No such image: private:1");
    refused("{\"Image\":\"private:1\"}", (struct create_order){.name = "web", .auth = "eA=="}, 404,
            "pull access denied");
}

static void test_pull_of_what_no_registry_has_is_no_such_image(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(pool.engines[i], (struct engine_faults){.image_missing = true,
                                                                  .pull_error = "manifest unknown: manifest unknown"});
    }
    refused("{\"Image\":\"absent:1\"}", (struct create_order){.name = "web"}, 404, "No such image: absent:1");
}

static void test_pull_that_cannot_begin_is_no_such_image(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(pool.engines[i], (struct engine_faults){.image_missing = true,
                                                                  .pull_status = 500,
                                                                  .pull_error = "dial tcp: connection refused"});
    }
    refused("{\"Image\":\"far:1\"}", (struct create_order){.name = "web"}, 404,
            "No such image: far:1: dial tcp: connection refused");
    assert_nothing_reserved();
}

static void test_image_that_is_elsewhere_is_used_there(void **state)
{
    engine_peer_break(pool.engines[0], (struct engine_faults){.image_missing = true,
                                                              .pull_error = "dial tcp: lookup registry: no such host"});
    fake_pool_set_pulled(&pool, 1, "busybox:latest", "busybox@sha256:1f2e");
    for (int i = 0; i < 4; i++) { /* wherever a tie sends them first */
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        created("{\"Image\":\"busybox\"}", name);
    }
    assert_int_equal(engine_peer_count(pool.engines[1]), 4);
    assert_true(http_peer_count(pool.engines[0]->http, "/containers/create") > 0);
}

static void test_image_that_is_only_elsewhere_is_not_pulled(void **state)
{
    engine_peer_break(pool.engines[0], (struct engine_faults){.image_missing = true});
    fake_pool_set_images(&pool, 1, "app:1");
    for (int i = 0; i < 4; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        created("{\"Image\":\"docker.io/library/app:1\"}", name);
    }
    assert_int_equal(engine_peer_count(pool.engines[1]), 4);
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/containers/create"), 0);
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/images/create"), 0);
}

static void test_image_that_a_registry_has_is_pulled_where_it_is_wanted(void **state)
{
    engine_peer_break(pool.engines[0], (struct engine_faults){.image_missing = true});
    fake_pool_set_pulled(&pool, 1, "busybox:latest", "busybox@sha256:1f2e");
    created("{\"Image\":\"busybox\"}", "a");
    created("{\"Image\":\"busybox\"}", "b");
    assert_int_equal(engine_peer_count(pool.engines[0]), 1);
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/images/create"), 1);
}

static void test_image_comes_to_the_place_that_is_demanded(void **state)
{
    json_t *body;

    engine_peer_break(pool.engines[0], (struct engine_faults){.image_missing = true});
    fake_pool_set_images(&pool, 1, "app:1");
    created("{\"Image\":\"app:1\",\"Cmd\":[\"x\"],\"Env\":[\"constraint:node==node-0\"]}", "web");
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/images/create"), 0);
    assert_asked(1, "/images/get", "/images/get?names=sha256%3A0a6d HTTP/1.1\r\n");
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/images/load"), 1);
    body = engine_peer_body(pool.engines[0], "web");
    assert_non_null(body);
    assert_string_equal(json_string_value(json_object_get(body, "Image")), "sha256:0a6d");
    assert_int_equal(json_array_size(json_object_get(body, "Cmd")), 1);
    json_decref(body);
}

static void test_image_that_cannot_be_taken_over_is_told_of(void **state)
{
    engine_peer_break(pool.engines[0], (struct engine_faults){.image_missing = true, .load_error = "no space left"});
    fake_pool_set_images(&pool, 1, "app:1");
    refused("{\"Image\":\"app:1\",\"Env\":[\"constraint:node==node-0\"]}", (struct create_order){.name = "web"}, 500,
            ": no space left");
    assert_nothing_reserved();
}

static void test_dry_run_tells_where_the_image_is(void **state)
{
    static const char json[] = "{\"Image\":\"app:1\"}";
    struct create_order order = {.name = "web"};
    struct failure failure = {0};
    char *text;
    size_t length;

    fake_pool_set_images(&pool, 1, "app:1");
    for (int i = 0; i < 4; i++) { /* however a tie is broken */
        assert_int_equal(swarm_create_body_parse(&order.body, json, strlen(json), NULL), 0);
        assert_int_equal(create_dry_run(&pool.manager, &order, &text, &length, &failure), 0);
        assert_non_null(strstr(text, "node-1"));
        assert_null(strstr(text, "\"node\":\"node-0\""));
        swarm_free(text);
        swarm_create_body_free(order.body);
    }
}

static void test_refusal_of_the_engine_is_passed_on(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(pool.engines[i], (struct engine_faults){.create_status = 400,
                                                                  .create_message = "invalid hostname format: -x"});
    }
    refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864}}", (struct create_order){.name = "web"}, 400,
            "invalid hostname format: -x");
    assert_nothing_reserved();
}

static void test_image_of_another_system_goes_where_it_fits(void **state)
{
    struct failure failure = {0};
    struct target target = {0};

    fake_pool_set_os(&pool, 1, "windows");
    engine_peer_break(
        pool.engines[0],
        (struct engine_faults){.create_status = 400,
                               .create_message = "image operating system \"windows\" cannot be used on this platform"});
    for (int i = 0; i < 3; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        created("{\"Image\":\"nanoserver\"}", name);
        assert_int_equal(pool_find_container(pool.manager.pool, name, &target, &failure), 0);
        assert_string_equal(target.node_name, "node-1");
        target_clear(&target);
    }
    assert_true(http_peer_count(pool.engines[0]->http, "/containers/create") > 0);
}

static void test_retries_as_often_as_told(void **state)
{
    pool.manager.options.create_retry = 3;
    for (int i = 0; i < 2; i++) {
        engine_peer_break(pool.engines[i], (struct engine_faults){.create_status = 500, .create_message = "no luck"});
    }
    refused("{\"Image\":\"busybox\"}", (struct create_order){.name = "web"}, 500, "no luck");
    assert_int_equal(http_peer_count(pool.engines[0]->http, "/containers/create") +
                         http_peer_count(pool.engines[1]->http, "/containers/create"),
                     4);
}

static void test_engine_that_is_away_fails_that_request(void **state)
{
    http_peer_kill(pool.engines[0]->http);
    refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864},\"Env\":[\"constraint:node==node-0\"]}",
            (struct create_order){.name = "web"}, 500, "Cannot connect to the Docker daemon at tcp://127.0.0.1:");
    assert_nothing_reserved();
    created("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-1\"]}", "web");
}

static void test_container_that_is_not_reported_is_an_error(void **state)
{
    engine_peer_break(pool.engines[0], (struct engine_faults){.hide_containers = true});
    engine_peer_break(pool.engines[1], (struct engine_faults){.hide_containers = true});
    refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864}}", (struct create_order){.name = "web"}, 500,
            "Container created but refresh didn't report it back");
    assert_nothing_reserved();
}

static void test_network_of_a_node_binds_to_it(void **state)
{
    json_t *body;

    for (int i = 0; i < 3; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        created("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"node-1/backend\"},"
                "\"NetworkingConfig\":{\"EndpointsConfig\":{\"node-1/backend\":{}}}}",
                name);
    }
    assert_int_equal(engine_peer_count(pool.engines[1]), 3);
    body = engine_peer_body(pool.engines[1], "c0");
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
    pool_apply_networks(pool.manager.pool, fake_pool_engine(&pool, number), pool_ticket(pool.manager.pool), networks);
    json_decref(networks);
}

static void set_volume(int number, const char *name)
{
    json_t *volumes = json_pack("{s:[{s:s, s:s}]}", "Volumes", "Name", name, "Driver", "local");

    pool_apply_volumes(pool.manager.pool, fake_pool_engine(&pool, number), pool_ticket(pool.manager.pool), volumes);
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

        if (create(json, order, &answer, &failure)) {
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
    assert_int_equal(engine_peer_count(pool.engines[1]), 3);
    create_three("{\"Image\":\"busybox\",\"NetworkingConfig\":{\"EndpointsConfig\":{\"abcdef012345\":{}}}}");
    assert_int_equal(engine_peer_count(pool.engines[1]), 6);
    refused("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\"},\"Env\":[\"constraint:node==node-0\"]}",
            (struct create_order){0}, 500, "node==node-1");
}

static void test_network_that_several_nodes_have_leads_to_those(void **state)
{
    set_networks(0, "[{\"Id\":\"aa\",\"Name\":\"front\",\"Scope\":\"local\"}]");
    set_networks(1, "[{\"Id\":\"bb\",\"Name\":\"front\",\"Scope\":\"local\"}]");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\"}}");
    assert_int_equal(engine_peer_count(pool.engines[0]) + engine_peer_count(pool.engines[1]), 3);
    assert_in_range(engine_peer_count(pool.engines[0]), 1, 2);
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\"},"
                 "\"Env\":[\"constraint:node==node-1\"]}");
    assert_int_equal(engine_peer_count(pool.engines[0]) + engine_peer_count(pool.engines[1]), 6);
    assert_in_range(engine_peer_count(pool.engines[1]), 4, 5);
}

static void test_other_networks_lead_nowhere(void **state)
{
    set_networks(1, "[{\"Id\":\"aa\",\"Name\":\"wide\",\"Scope\":\"swarm\"},"
                    "{\"Id\":\"bb\",\"Name\":\"bridge\",\"Scope\":\"local\"}]");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"wide\"}}");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"bridge\"}}");
    create_three("{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"nobody-has-it\"}}");
    assert_in_range(engine_peer_count(pool.engines[0]), 4, 5);
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
    assert_int_equal(engine_peer_count(pool.engines[1]), 6);
}

static void test_volume_leads_to_where_it_is_used(void **state)
{
    json_t *entry = canned_entry("web");
    size_t length;
    char *inspect = canned_text("inspect_web", &length);

    set_volume(0, "data");
    set_volume(1, "data");
    create_three(BIND); /* it is everywhere */
    assert_in_range(engine_peer_count(pool.engines[0]), 1, 2);

    json_object_set_new(entry, "Mounts", json_pack("[{s:s, s:s}]", "Type", "volume", "Name", "data"));
    assert_int_equal(pool_apply_container(pool.manager.pool, fake_pool_engine(&pool, 0), pool_ticket(pool.manager.pool),
                                          entry, inspect, length),
                     0);
    create_three(BIND);
    assert_in_range(engine_peer_count(pool.engines[0]), 4, 5);
    free(inspect);
    json_decref(entry);
}

static void test_volume_leads_to_where_it_was_used_last(void **state)
{
    json_t *entry = canned_entry("web");
    size_t length;
    char *inspect = canned_text("inspect_web", &length);
    struct engine *engine = fake_pool_engine(&pool, 1);

    set_volume(0, "data");
    set_volume(1, "data");
    json_object_set_new(entry, "Mounts", json_pack("[{s:s, s:s}]", "Type", "volume", "Name", "data"));
    assert_int_equal(
        pool_apply_container(pool.manager.pool, engine, pool_ticket(pool.manager.pool), entry, inspect, length), 0);
    pool_apply_removal(pool.manager.pool, engine, pool_ticket(pool.manager.pool),
                       json_string_value(json_object_get(entry, "Id")));
    set_volume(1, "data"); /* listed again */
    create_three(BIND);
    assert_int_equal(engine_peer_count(pool.engines[1]), 3);
    free(inspect);
    json_decref(entry);
}

static void test_volume_is_a_wish_only(void **state)
{
    json_t *volumes = create_volume_names(BIND, strlen(BIND)), *answer = NULL, *body;
    struct create_order order = {.name = "web", .volumes = volumes};
    struct failure failure = {0};

    set_volume(1, "data");
    assert_int_equal(create("{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-0\"]}", order, &answer, &failure),
                     0);
    body = engine_peer_body(pool.engines[0], "web");
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

static void test_resources_stay_reserved(void **state)
{
    created("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864},\"Env\":[\"constraint:node==node-0\"]}",
            "web");
    assert_int_equal(swarm_node_used_memory(pool.manager.pool->engines[0]->node), 67108864);
    assert_int_equal(swarm_cluster_container_count(pool.manager.pool->cluster), 1);
}

/* --- pull.h --- */

static void assert_split(const char *image, const char *repository, const char *tag)
{
    char *got_repository, *got_tag;

    assert_int_equal(pull_split_reference(image, &got_repository, &got_tag), 0);
    assert_string_equal(got_repository, repository);
    assert_string_equal(got_tag, tag);
    free(got_repository);
    free(got_tag);
}

static void test_references_are_split(void **state)
{
    assert_split("busybox", "busybox", "latest");
    assert_split("busybox:1.36", "busybox", "1.36");
    assert_split("reg:5000/a/b", "reg:5000/a/b", "latest");
    assert_split("reg:5000/a/b:2", "reg:5000/a/b", "2");
    assert_split("a@sha256:0123", "a", "sha256:0123");
}

static void test_ids_are_not_pulled(void **state)
{
    assert_false(pull_is_possible("sha256:0a6d38280ac4"));
    assert_false(pull_is_possible("0a6d38280ac493bb073d42743c9e3820b43e065c89f4ee8fb30286ccd57bb499"));
    assert_true(pull_is_possible("busybox"));
}

static void test_stream_without_error(void **state)
{
    static const char stream[] = "{\"status\":\"a\"}\r\n{\"status\":\"b\"}\r\n";

    assert_null(pull_stream_error(stream, strlen(stream)));
    assert_null(pull_stream_error("", 0));
}

static void test_error_at_the_end_of_a_stream(void **state)
{
    static const char stream[] = "{\"status\":\"a\"}\r\n{\"error\":\"plain\",\"errorDetail\":{\"message\":\"full\"}}";
    char *error = pull_stream_error(stream, strlen(stream));

    assert_string_equal(error, "full");
    free(error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_container_is_made_and_known),
        TEST(test_swarm_id_is_new_and_found),
        TEST(test_swarm_id_of_another_container_is_replaced),
        TEST(test_cpu_shares_are_settled),
        TEST(test_unknown_fields_reach_the_engine),
        TEST(test_name_is_unique_in_the_pool),
        TEST(test_spread_over_engines),
        TEST(test_constraint_that_nothing_fits),
        TEST(test_refusal_says_why),
        TEST(test_decisions_are_kept),
        TEST(test_dry_run_changes_nothing),
        TEST(test_name_and_platform_are_passed_on),
        TEST(test_missing_image_is_pulled_on_that_engine),
        TEST(test_error_of_a_pull_is_told),
        TEST(test_pull_without_credentials_is_no_such_image),
        TEST(test_pull_of_what_no_registry_has_is_no_such_image),
        TEST(test_pull_that_cannot_begin_is_no_such_image),
        TEST(test_image_that_is_elsewhere_is_used_there),
        TEST(test_image_that_is_only_elsewhere_is_not_pulled),
        TEST(test_image_that_a_registry_has_is_pulled_where_it_is_wanted),
        TEST(test_image_comes_to_the_place_that_is_demanded),
        TEST(test_image_that_cannot_be_taken_over_is_told_of),
        TEST(test_dry_run_tells_where_the_image_is),
        TEST(test_refusal_of_the_engine_is_passed_on),
        TEST(test_image_of_another_system_goes_where_it_fits),
        TEST(test_retries_as_often_as_told),
        TEST(test_engine_that_is_away_fails_that_request),
        TEST(test_container_that_is_not_reported_is_an_error),
        TEST(test_network_of_a_node_binds_to_it),
        TEST(test_local_network_leads_to_its_node),
        TEST(test_network_that_several_nodes_have_leads_to_those),
        TEST(test_other_networks_lead_nowhere),
        TEST(test_volume_leads_to_where_it_is),
        TEST(test_volume_leads_to_where_it_is_used),
        TEST(test_volume_leads_to_where_it_was_used_last),
        TEST(test_volume_is_a_wish_only),
        cmocka_unit_test(test_named_volumes_are_found),
        TEST(test_resources_stay_reserved),
        cmocka_unit_test(test_references_are_split),
        cmocka_unit_test(test_ids_are_not_pulled),
        cmocka_unit_test(test_stream_without_error),
        cmocka_unit_test(test_error_at_the_end_of_a_stream),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
