/* SPDX-License-Identifier: Apache-2.0 */
/* Create bodies: what is read out of them, what is kept, what is refused, what an engine is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <swarm/codec.h>

#include "request.h"

static struct swarm_create_body *parse(const char *json)
{
    struct swarm_create_body *body = NULL;
    struct swarm_error *error = NULL;
    if (swarm_create_body_parse(&body, json, strlen(json), &error) < 0)
        fail_msg("%s", swarm_error_message(error));
    return body;
}

/** The request in a create body. */
static struct swarm_request *requested(const char *json)
{
    struct swarm_create_body *body = parse(json);
    struct swarm_request *request = swarm_request_ref(swarm_create_body_request(body));
    swarm_create_body_free(body);
    return request;
}

static void expect_error(const char *json, const char *message)
{
    struct swarm_create_body *body = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_create_body_parse(&body, json, strlen(json), &error), SWARM_ERR_PARSE);
    if (strcmp(swarm_error_message(error), message) != 0)
        fail_msg("got \"%s\", expected \"%s\"", swarm_error_message(error), message);
    assert_null(body);
    swarm_error_free(error);
}

static void expect_written(const struct swarm_create_body *body, int cpus, const char *expected)
{
    char *json;
    size_t length;
    assert_int_equal(swarm_create_body_write(body, cpus, &json, &length, NULL), 0);
    assert_string_equal(json, expected);
    assert_int_equal(length, strlen(expected));
    swarm_free(json);
}

static void expect_rewritten(const char *json, const char *expected)
{
    struct swarm_create_body *body = parse(json);
    expect_written(body, 1, expected);
    swarm_create_body_free(body);
}

/* ---- what is kept ---- */

static void test_unknown_fields_order_and_large_integers_stay(void **state)
{
    const char *json = "{\"Zeta\":[1,{\"b\":null,\"a\":true}],\"Image\":\"busybox\",\"Big\":9223372036854775807,"
                       "\"HostConfig\":{\"Memory\":8589934593,\"New\":{\"x\":-5}},\"Alpha\":\"\xc3\xbc\\n\"}";
    expect_rewritten(json, json);
}

static void test_env_expressions_move_to_labels(void **state)
{
    expect_rewritten("{\"Env\":[\"A=1\",\"constraint:zone==eu\",\"affinity:container!=~web*\",\"B=constraint:x\","
                     "\"whitelist:node==a|b\",\"reschedule:on-node-failure\",\"constraint:disk==ssd\"]}",
                     "{\"Env\":[\"A=1\",\"B=constraint:x\"],\"Labels\":{"
                     "\"com.docker.swarm.constraints\":\"[\\\"zone==eu\\\",\\\"disk==ssd\\\"]\","
                     "\"com.docker.swarm.affinities\":\"[\\\"container!=~web*\\\"]\","
                     "\"com.docker.swarm.whitelists\":\"[\\\"node==a|b\\\"]\","
                     "\"com.docker.swarm.reschedule-policies\":\"[\\\"on-node-failure\\\"]\"}}");
}

static void test_env_expressions_join_those_in_labels(void **state)
{
    expect_rewritten("{\"Labels\":{\"a\":\"b\",\"com.docker.swarm.constraints\":\"[ \\\"zone==eu\\\" ]\"},"
                     "\"Env\":[\"constraint:disk==ssd\"]}",
                     "{\"Labels\":{\"a\":\"b\",\"com.docker.swarm.constraints\":"
                     "\"[\\\"zone==eu\\\",\\\"disk==ssd\\\"]\"},\"Env\":[]}");
}

static void test_ordinary_env_is_left_alone(void **state)
{
    const char *json = "{\"Env\":[\"PATH=/bin\",\"constraints:a\",\"constraint\",\" constraint:zone==a\"]}";
    expect_rewritten(json, json);
}

static void test_label_lists_are_escaped_as_go_does(void **state)
{
    struct swarm_request *request = NULL;
    /* Not valid as an expression, but representable. */
    const char *json = "{\"Env\":[\"constraint:a<b>&c\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac\\\"\\\\\"]}";
    assert_int_equal(swarm_request_from_create(&request, json, strlen(json), NULL), 0);
    assert_string_equal(swarm_request_label(request, "com.docker.swarm.constraints"),
                        "[\"a\\u003cb\\u003e\\u0026c\\u2028\\u2029\xe2\x82\xac\\\"\\\\\"]");
    swarm_request_unref(request);
}

static void test_legacy_resources_move_to_host_config(void **state)
{
    expect_rewritten("{\"Memory\":100,\"MemorySwap\":0,\"CpuShares\":2,\"Cpuset\":\"1-2\","
                     "\"HostConfig\":{\"Memory\":50,\"MemorySwap\":7}}",
                     "{\"MemorySwap\":0,\"HostConfig\":{\"Memory\":100,\"MemorySwap\":7,\"CpuShares\":2048,"
                     "\"CpusetCpus\":\"1-2\"}}");
}

/* ---- what the request gets ---- */

static void test_empty_object_asks_for_nothing(void **state)
{
    struct swarm_request *request = requested("{}");
    assert_null(swarm_request_image(request));
    assert_int_equal(request->label_count, 0);
    assert_int_equal(request->extras->constraints.count, 0);
    swarm_request_unref(request);
}

static void test_resources_are_read(void **state)
{
    struct swarm_request *request =
        requested("{\"HostConfig\":{\"Memory\":4242,\"MemorySwap\":4343,\"CpuShares\":3,\"CpusetCpus\":\"1-2\"}}");
    assert_int_equal(swarm_request_memory(request), 4242);
    assert_int_equal(swarm_request_cpus_milli(request), 3000);
    swarm_request_unref(request);
    request = requested("{\"HostConfig\":{\"NanoCpus\":1500000000,\"Memory\":-1,\"CpuShares\":0}}");
    assert_int_equal(swarm_request_cpus_milli(request), 1500);
    assert_int_equal(swarm_request_memory(request), 0);
    swarm_request_unref(request);
}

static void test_reserved_memory_and_its_limit(void **state)
{
    static const struct {
        const char *json;
        int64_t reserved, limit;
    } cases[] = {
        {"{\"HostConfig\":{\"Memory\":100}}", 100, 100},
        {"{\"HostConfig\":{\"Memory\":100,\"MemoryReservation\":0}}", 100, 100},
        {"{\"HostConfig\":{\"Memory\":100,\"MemoryReservation\":-1}}", 100, 100},
        {"{\"HostConfig\":{\"Memory\":100,\"MemoryReservation\":40}}", 40, 100},
        {"{\"HostConfig\":{\"Memory\":100,\"MemoryReservation\":100}}", 100, 100},
        {"{\"HostConfig\":{\"Memory\":0,\"MemoryReservation\":40}}", 40, 0},
        {"{\"HostConfig\":{\"Memory\":-1,\"MemoryReservation\":40}}", 40, 0},
        {"{\"HostConfig\":{\"MemoryReservation\":40}}", 40, 0},
        {"{\"Memory\":100,\"HostConfig\":{\"Memory\":10,\"MemoryReservation\":40}}", 40, 100},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct swarm_create_body *body = parse(cases[i].json);
        struct swarm_request *request = NULL;
        assert_int_equal(swarm_request_from_create(&request, cases[i].json, strlen(cases[i].json), NULL), 0);
        assert_int_equal(swarm_request_memory(request), cases[i].reserved);
        assert_int_equal(swarm_request_memory_limit(request), cases[i].limit);
        assert_int_equal(swarm_request_memory(swarm_create_body_request(body)), cases[i].reserved);
        swarm_request_unref(request);
        swarm_create_body_free(body);
    }
}

static void test_reservation_above_the_limit(void **state)
{
    static const char body[] = "{\"HostConfig\":{\"Memory\":100,\"MemoryReservation\":101}}";
    static const char inspect[] = "{\"Config\":{},\"HostConfig\":{\"Memory\":100,\"MemoryReservation\":101}}";
    struct swarm_create_body *parsed = NULL;
    struct swarm_request *request = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_request_from_create(&request, body, strlen(body), NULL), 0);
    assert_int_equal(swarm_request_memory(request), 100); /* what classic Swarm counts */
    swarm_request_unref(request);
    assert_int_equal(swarm_create_body_parse(&parsed, body, strlen(body), &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error),
                        "HostConfig.MemoryReservation: 101 is more than HostConfig.Memory, which is 100");
    assert_null(parsed);
    swarm_error_free(error);
    assert_int_equal(swarm_request_from_inspect(&request, inspect, strlen(inspect), 4, NULL), 0);
    assert_int_equal(swarm_request_memory(request), 100);
    assert_int_equal(swarm_request_memory_limit(request), 100);
    swarm_request_unref(request);
}

static void test_cpu_limit(void **state)
{
    static const struct {
        const char *json;
        int64_t reserved, limit;
    } cases[] = {
        {"{\"HostConfig\":{\"CpuShares\":2}}", 2000, 0},
        {"{\"HostConfig\":{\"NanoCpus\":1500000000}}", 1500, 1500},
        {"{\"HostConfig\":{\"NanoCpus\":1500000000,\"CpuShares\":1}}", 1500, 1500},
        {"{\"HostConfig\":{\"NanoCpus\":1500000000,\"CpuShares\":2}}", 2000, 0},
        {"{\"HostConfig\":{\"NanoCpus\":2000000000,\"CpuShares\":2}}", 2000, 2000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct swarm_request *request = requested(cases[i].json);
        assert_int_equal(swarm_request_cpus_milli(request), cases[i].reserved);
        assert_int_equal(swarm_request_cpus_limit_milli(request), cases[i].limit);
        swarm_request_unref(request);
    }
}

static void test_larger_of_both_cpu_fields_counts(void **state)
{
    struct swarm_request *request = requested("{\"HostConfig\":{\"NanoCpus\":2500000000,\"CpuShares\":2}}");
    assert_int_equal(swarm_request_cpus_milli(request), 2500);
    swarm_request_unref(request);
    request = requested("{\"HostConfig\":{\"NanoCpus\":500000000,\"CpuShares\":2}}");
    assert_int_equal(swarm_request_cpus_milli(request), 2000);
    swarm_request_unref(request);
}

static void test_huge_cpu_shares_saturate(void **state)
{
    struct swarm_create_body *body = parse("{\"HostConfig\":{\"CpuShares\":9223372036854775807}}");
    assert_int_equal(swarm_request_cpus_milli(swarm_create_body_request(body)), INT64_MAX);
    expect_written(body, 1, "{\"HostConfig\":{\"CpuShares\":9223372036854775807}}");
    swarm_create_body_free(body);
}

static void test_ports_are_read(void **state)
{
    struct swarm_request *request =
        requested("{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"HostConfig\":{\"PortBindings\":{\"80/tcp\":["
                  "{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"},{\"HostPort\":\"\"}],\"53/udp\":null}}}");
    assert_int_equal(request->exposed_count, 2);
    assert_string_equal(request->exposed[1], "53/udp");
    assert_int_equal(request->port_count, 2);
    assert_string_equal(request->ports[0].container_port, "80/tcp");
    assert_string_equal(request->ports[0].host_ip, "127.0.0.1");
    assert_string_equal(request->ports[0].host_port, "8080");
    assert_string_equal(request->ports[1].host_ip, "");
    assert_string_equal(request->ports[1].host_port, "");
    swarm_request_unref(request);
}

static void test_every_reference_to_a_container_is_a_dependency(void **state)
{
    static const char *const targets[] = {"data", "db", "net", "pid", "ipc"};
    struct swarm_request *request = requested(
        "{\"HostConfig\":{\"VolumesFrom\":[\"data:ro\"],\"Links\":[\"db:d\"],\"NetworkMode\":\"container:net\","
        "\"PidMode\":\"container:pid\",\"IpcMode\":\"container:ipc\"}}");
    struct swarm__dependency dependency;
    for (size_t i = 0; i < 5; i++) {
        assert_true(swarm__request_dependency(request, i, &dependency));
        assert_string_equal(dependency.target, targets[i]);
    }
    assert_false(swarm__request_dependency(request, 5, &dependency));
    swarm_request_unref(request);
}

static void test_image_labels_and_swarm_id_are_read(void **state)
{
    struct swarm_request *request =
        requested("{\"Image\":\"nginx\",\"Labels\":{\"a\":\"b\",\"n\":null,\"com.docker.swarm.id\":\"s1\"}}");
    assert_string_equal(swarm_request_image(request), "nginx");
    assert_string_equal(swarm_request_label(request, "a"), "b");
    assert_string_equal(swarm_request_label(request, "n"), "");
    assert_string_equal(swarm_request_swarm_id(request), "s1");
    swarm_request_unref(request);
}

/* ---- policies ---- */

static void expect_policy(const char *json, int policy)
{
    struct swarm_request *request = requested(json);
    assert_int_equal(swarm_request_reschedule_policy(request), policy);
    swarm_request_unref(request);
}

static void test_policy_is_read_from_both_labels_and_env(void **state)
{
    expect_policy("{}", SWARM_RESCHEDULE_OFF);
    expect_policy("{\"Env\":[\"reschedule:on-node-failure\"]}", SWARM_RESCHEDULE_ON_NODE_FAILURE);
    expect_policy("{\"Env\":[\"reschedule:off\"]}", SWARM_RESCHEDULE_OFF);
    expect_policy("{\"Labels\":{\"com.docker.swarm.reschedule-policies\":\"[\\\"on-node-failure\\\"]\"}}",
                  SWARM_RESCHEDULE_ON_NODE_FAILURE);
    expect_policy("{\"Labels\":{\"com.docker.swarm.reschedule-policies\":\"on-node-failure\"}}",
                  SWARM_RESCHEDULE_ON_NODE_FAILURE);
    expect_policy("{\"Labels\":{\"com.docker.swarm.reschedule-policy\":\"on-node-failure\"}}",
                  SWARM_RESCHEDULE_ON_NODE_FAILURE);
    expect_policy("{\"Labels\":{\"com.docker.swarm.reschedule-policy\":\"[\\\"on-node-failure\\\"]\"}}",
                  SWARM_RESCHEDULE_ON_NODE_FAILURE);
}

static void test_policy_said_in_both_labels_counts_once(void **state)
{
    expect_policy("{\"Labels\":{\"com.docker.swarm.reschedule-policy\":\"on-node-failure\","
                  "\"com.docker.swarm.reschedule-policies\":\"[\\\"on-node-failure\\\"]\"}}",
                  SWARM_RESCHEDULE_ON_NODE_FAILURE);
}

static void test_bad_policies_are_refused(void **state)
{
    expect_error("{\"Env\":[\"reschedule:off\",\"reschedule:on-node-failure\"]}", "too many reschedule policies");
    expect_error("{\"Env\":[\"reschedule:off\"],\"Labels\":{\"com.docker.swarm.reschedule-policy\":"
                 "\"on-node-failure\"}}",
                 "too many reschedule policies");
    expect_error("{\"Env\":[\"reschedule:always\"]}", "invalid reschedule policy: always");
}

static void test_bad_reconcile_policy_is_refused(void **state)
{
    expect_error(
        "{\"Labels\":{\"com.docker.swarm.reschedule-reconcile\":\"keep-both\"}}",
        "invalid com.docker.swarm.reschedule-reconcile \"keep-both\": keep-new, keep-old or longest-running is "
        "expected");
}

/* ---- what is refused ---- */

static void test_bad_expression_is_named(void **state)
{
    expect_error("{\"Env\":[\"constraint:node=x\"]}", "constraint: 'node=x': one of operator ==, != is expected");
    expect_error("{\"Labels\":{\"com.docker.swarm.affinities\":\"[\\\"imagenginx\\\"]\"}}",
                 "affinity: 'imagenginx': one of operator ==, != is expected");
}

static void test_bad_expression_passes_where_only_the_request_is_read(void **state)
{
    struct swarm_request *request = NULL;
    const char *json = "{\"Env\":[\"constraint:node=x\"],\"Labels\":{\"com.docker.swarm.affinities\":\"oops\"}}";
    assert_int_equal(swarm_request_from_create(&request, json, strlen(json), NULL), 0);
    assert_int_equal(request->extras->constraints.count, 1);
    assert_int_equal(request->extras->constraints.items[0].flaw, SWARM__EXPR_NO_OPERATOR);
    assert_int_equal(request->extras->affinities.count, 0);
    swarm_request_unref(request);
}

static void test_label_that_is_no_list_is_named(void **state)
{
    expect_error("{\"Labels\":{\"com.docker.swarm.constraints\":\"zone==a\"}}",
                 "Labels: com.docker.swarm.constraints: a JSON list of strings is expected");
    expect_error("{\"Labels\":{\"com.docker.swarm.whitelists\":\"[1]\"}}",
                 "Labels: com.docker.swarm.whitelists: a JSON list of strings is expected");
}

static void test_field_of_wrong_type_is_named(void **state)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"{\"Image\":1}", "Image: a string is expected"},
        {"{\"Env\":{}}", "Env: a list is expected"},
        {"{\"Env\":[1]}", "Env[0]: a string is expected"},
        {"{\"Labels\":[]}", "Labels: an object is expected"},
        {"{\"Labels\":{\"a\":1}}", "Labels[\"a\"]: a string is expected"},
        {"{\"ExposedPorts\":[]}", "ExposedPorts: an object is expected"},
        {"{\"HostConfig\":[]}", "HostConfig: an object is expected"},
        {"{\"HostConfig\":{\"Memory\":\"1g\"}}", "HostConfig.Memory: an integer is expected"},
        {"{\"HostConfig\":{\"Memory\":1.5}}", "HostConfig.Memory: an integer is expected"},
        {"{\"HostConfig\":{\"MemoryReservation\":[]}}", "HostConfig.MemoryReservation: an integer is expected"},
        {"{\"HostConfig\":{\"CpuShares\":true}}", "HostConfig.CpuShares: an integer is expected"},
        {"{\"HostConfig\":{\"NanoCpus\":\"1\"}}", "HostConfig.NanoCpus: an integer is expected"},
        {"{\"HostConfig\":{\"PortBindings\":[]}}", "HostConfig.PortBindings: an object is expected"},
        {"{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":{}}}}", "HostConfig.PortBindings.80/tcp: a list is expected"},
        {"{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[1]}}}",
         "HostConfig.PortBindings[\"80/tcp\"]: an object is expected"},
        {"{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":80}]}}}",
         "HostConfig.PortBindings.HostPort: a string is expected"},
        {"{\"HostConfig\":{\"Links\":\"a\"}}", "HostConfig.Links: a list is expected"},
        {"{\"HostConfig\":{\"VolumesFrom\":[null]}}", "HostConfig.VolumesFrom[0]: a string is expected"},
        {"{\"HostConfig\":{\"NetworkMode\":{}}}", "HostConfig.NetworkMode: a string is expected"},
        {"{\"HostConfig\":{\"PidMode\":1}}", "HostConfig.PidMode: a string is expected"},
        {"{\"CpuShares\":\"1\"}", "CpuShares: an integer is expected"},
        {"{\"NetworkingConfig\":[]}", "NetworkingConfig: an object is expected"},
        {"{\"NetworkingConfig\":{\"EndpointsConfig\":1}}", "NetworkingConfig.EndpointsConfig: an object is expected"},
        {"{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":1}}}",
         "NetworkingConfig.EndpointsConfig.n: an object is expected"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_error(cases[i].json, cases[i].message);
}

static void test_null_fields_count_as_absent(void **state)
{
    struct swarm_request *request =
        requested("{\"Image\":null,\"Env\":null,\"Labels\":null,\"ExposedPorts\":null,\"HostConfig\":null,"
                  "\"NetworkingConfig\":null,\"Memory\":null}");
    assert_null(swarm_request_image(request));
    swarm_request_unref(request);
    swarm_request_unref(requested("{\"HostConfig\":{\"PortBindings\":null,\"Links\":null,\"Memory\":null},"
                                  "\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":null}}}"));
}

static void test_text_that_is_no_json_object_is_refused(void **state)
{
    expect_error("", "invalid JSON: got EOF while reading request body");
    expect_error(" \r\n\t", "invalid JSON: got EOF while reading request body");
    expect_error("[]", "invalid JSON: an object is expected");
    struct swarm_create_body *body = NULL;
    assert_int_equal(swarm_create_body_parse(&body, "{\"a\":", 5, NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_create_body_parse(&body, "{\"a\":1}\0", 8, NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_create_body_parse(&body, "\xff", 1, NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_create_body_parse(&body, "\"x\"", 3, NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_create_body_parse(&body, NULL, 0, NULL), SWARM_ERR_PARSE);
}

static void test_syntax_error_says_where_it_is(void **state)
{
    struct swarm_create_body *body = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_create_body_parse(&body, "{}\n x", 5, &error), SWARM_ERR_PARSE);
    assert_ptr_equal(strstr(swarm_error_message(error), "invalid JSON: line 2, column "), swarm_error_message(error));
    swarm_error_free(error);
}

static void test_deep_nesting_is_refused(void **state)
{
    size_t depth = 100000;
    char *json = malloc(6 + depth + 1);
    strcpy(json, "{\"a\":");
    memset(json + 5, '[', depth);
    json[5 + depth] = '\0';
    expect_error(json, "invalid JSON: nested deeper than 100 levels");
    free(json);
    /* Brackets in strings do not nest, and neither does a deep label break anything. */
    json = malloc(3 * depth);
    int length = snprintf(json, 3 * depth, "{\"Labels\":{\"com.docker.swarm.constraints\":\"");
    memset(json + length, '[', depth);
    strcpy(json + length + depth, "\"}}");
    expect_error(json, "Labels: com.docker.swarm.constraints: a JSON list of strings is expected");
    free(json);
}

static void test_large_body_passes(void **state)
{
    size_t size = 4 << 20;
    char *json = malloc(size + 64);
    int length = snprintf(json, 64, "{\"X\":\"");
    memset(json + length, 'x', size);
    strcpy(json + length + size, "\"}");
    expect_rewritten(json, json);
    free(json);
}

/* ---- edits ---- */

static void test_edits_reach_body_and_request(void **state)
{
    struct swarm_create_body *body = parse("{\"Image\":\"a\"}");
    assert_int_equal(swarm_create_body_set_swarm_id(body, "s1", NULL), 0);
    assert_int_equal(swarm_create_body_add_constraint(body, "ostype==linux", NULL), 0);
    assert_int_equal(swarm_create_body_add_constraint(body, "node==~n1", NULL), 0);
    assert_int_equal(swarm_create_body_set_network_mode(body, "back", NULL), 0);
    struct swarm_request *request = swarm_create_body_request(body);
    assert_string_equal(swarm_request_swarm_id(request), "s1");
    assert_int_equal(request->extras->constraints.count, 2);
    assert_string_equal(request->extras->constraints.items[1].text, "node==~n1");
    assert_string_equal(swarm_request_network_mode(request), "back");
    assert_string_equal(swarm_request_label(request, "com.docker.swarm.constraints"),
                        "[\"ostype==linux\",\"node==~n1\"]");
    expect_written(body, 1,
                   "{\"Image\":\"a\",\"Labels\":{\"com.docker.swarm.id\":\"s1\",\"com.docker.swarm.constraints\":"
                   "\"[\\\"ostype==linux\\\",\\\"node==~n1\\\"]\"},\"HostConfig\":{\"NetworkMode\":\"back\"}}");
    swarm_create_body_free(body);
}

static void test_bad_constraint_edit_changes_nothing(void **state)
{
    struct swarm_create_body *body = parse("{}");
    assert_int_equal(swarm_create_body_add_constraint(body, "x", NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_create_body_request(body)->extras->constraints.count, 0);
    expect_written(body, 1, "{}");
    swarm_create_body_free(body);
}

static void test_edit_of_a_shared_request_goes_to_a_copy(void **state)
{
    struct swarm_create_body *body = parse("{}");
    struct swarm_request *placed = swarm__request_share(swarm_create_body_request(body));
    assert_int_equal(swarm_create_body_set_swarm_id(body, "s2", NULL), 0);
    assert_null(swarm_request_swarm_id(placed));
    assert_string_equal(swarm_request_swarm_id(swarm_create_body_request(body)), "s2");
    swarm_request_unref(placed);
    swarm_create_body_free(body);
}

static void test_edit_keeps_the_name_set_on_the_request(void **state)
{
    struct swarm_create_body *body = parse("{}");
    struct swarm_request *request = swarm_create_body_request(body);
    assert_int_equal(swarm_request_set_name(request, "web", NULL), 0);
    assert_int_equal(swarm_create_body_set_swarm_id(body, "s2", NULL), 0);
    assert_ptr_equal(swarm_create_body_request(body), request);
    assert_string_equal(swarm_request_name(request), "web");
    swarm_create_body_free(body);
}

static void test_endpoints_are_listed_renamed_and_taken(void **state)
{
    struct swarm_create_body *body =
        parse("{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n1/a\":{\"Aliases\":[\"x\"]},\"b\":null,\"c\":{}}}}");
    char *settings;
    assert_string_equal(swarm_create_body_endpoint(body, 0), "n1/a");
    assert_string_equal(swarm_create_body_endpoint(body, 1), "b");
    assert_null(swarm_create_body_endpoint(body, 3));
    assert_int_equal(swarm_create_body_rename_endpoint(body, "none", "d", NULL), SWARM_ERR_NOT_FOUND);
    assert_int_equal(swarm_create_body_rename_endpoint(body, "n1/a", "b", NULL), SWARM_ERR_EXISTS);
    assert_int_equal(swarm_create_body_rename_endpoint(body, "n1/a", "n1/a", NULL), 0);
    assert_int_equal(swarm_create_body_rename_endpoint(body, "n1/a", "a", NULL), 0);
    assert_int_equal(swarm_create_body_take_endpoint(body, "b", &settings, NULL), 0);
    assert_string_equal(settings, "{}");
    swarm_free(settings);
    expect_written(body, 1, "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"a\":{\"Aliases\":[\"x\"]},\"c\":{}}}}");
    assert_int_equal(swarm_create_body_take_endpoint(body, "a", &settings, NULL), 0);
    assert_string_equal(settings, "{\"Aliases\":[\"x\"]}");
    swarm_free(settings);
    assert_int_equal(swarm_create_body_take_endpoint(body, "a", &settings, NULL), SWARM_ERR_NOT_FOUND);
    swarm_create_body_free(body);
}

/* ---- CPUs ---- */

static void test_cpu_shares_are_written_for_the_engine(void **state)
{
    struct swarm_create_body *body = parse("{\"HostConfig\":{\"CpuShares\":1,\"Memory\":5}}");
    expect_written(body, 10, "{\"HostConfig\":{\"CpuShares\":103,\"Memory\":5}}");
    expect_written(body, 4, "{\"HostConfig\":{\"CpuShares\":256,\"Memory\":5}}");
    assert_int_equal(swarm_create_body_write(body, 0, NULL, NULL, NULL), SWARM_ERR_INVALID);
    swarm_create_body_free(body);
    expect_rewritten("{\"HostConfig\":{\"CpuShares\":0}}", "{\"HostConfig\":{\"CpuShares\":0}}");
}

static void test_cpus_come_back_exactly_from_every_engine(void **state)
{
    static const int hosts[] = {1, 2, 4, 8, 10, 12, 16, 20, 32, 36, 40, 48};
    static const int containers[] = {1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47};
    for (size_t h = 0; h < sizeof(hosts) / sizeof(hosts[0]); h++) {
        for (size_t c = 0; c < sizeof(containers) / sizeof(containers[0]) && containers[c] <= hosts[h]; c++) {
            char json[64], inspect[128], *written;
            size_t length;
            struct swarm_request *request;
            snprintf(json, sizeof(json), "{\"HostConfig\":{\"CpuShares\":%d}}", containers[c]);
            struct swarm_create_body *body = parse(json);
            assert_int_equal(swarm_create_body_write(body, hosts[h], &written, &length, NULL), 0);
            snprintf(inspect, sizeof(inspect), "{\"Config\":{},%s", written + 1);
            assert_int_equal(swarm_request_from_inspect(&request, inspect, strlen(inspect), hosts[h], NULL), 0);
            assert_int_equal(swarm_request_cpus_milli(request), containers[c] * 1000);
            swarm_request_unref(request);
            swarm_free(written);
            swarm_create_body_free(body);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_fields_order_and_large_integers_stay),
        cmocka_unit_test(test_env_expressions_move_to_labels),
        cmocka_unit_test(test_env_expressions_join_those_in_labels),
        cmocka_unit_test(test_ordinary_env_is_left_alone),
        cmocka_unit_test(test_label_lists_are_escaped_as_go_does),
        cmocka_unit_test(test_legacy_resources_move_to_host_config),
        cmocka_unit_test(test_empty_object_asks_for_nothing),
        cmocka_unit_test(test_resources_are_read),
        cmocka_unit_test(test_reserved_memory_and_its_limit),
        cmocka_unit_test(test_reservation_above_the_limit),
        cmocka_unit_test(test_cpu_limit),
        cmocka_unit_test(test_larger_of_both_cpu_fields_counts),
        cmocka_unit_test(test_huge_cpu_shares_saturate),
        cmocka_unit_test(test_ports_are_read),
        cmocka_unit_test(test_every_reference_to_a_container_is_a_dependency),
        cmocka_unit_test(test_image_labels_and_swarm_id_are_read),
        cmocka_unit_test(test_policy_is_read_from_both_labels_and_env),
        cmocka_unit_test(test_policy_said_in_both_labels_counts_once),
        cmocka_unit_test(test_bad_policies_are_refused),
        cmocka_unit_test(test_bad_reconcile_policy_is_refused),
        cmocka_unit_test(test_bad_expression_is_named),
        cmocka_unit_test(test_bad_expression_passes_where_only_the_request_is_read),
        cmocka_unit_test(test_label_that_is_no_list_is_named),
        cmocka_unit_test(test_field_of_wrong_type_is_named),
        cmocka_unit_test(test_null_fields_count_as_absent),
        cmocka_unit_test(test_text_that_is_no_json_object_is_refused),
        cmocka_unit_test(test_syntax_error_says_where_it_is),
        cmocka_unit_test(test_deep_nesting_is_refused),
        cmocka_unit_test(test_large_body_passes),
        cmocka_unit_test(test_edits_reach_body_and_request),
        cmocka_unit_test(test_bad_constraint_edit_changes_nothing),
        cmocka_unit_test(test_edit_of_a_shared_request_goes_to_a_copy),
        cmocka_unit_test(test_edit_keeps_the_name_set_on_the_request),
        cmocka_unit_test(test_endpoints_are_listed_renamed_and_taken),
        cmocka_unit_test(test_cpu_shares_are_written_for_the_engine),
        cmocka_unit_test(test_cpus_come_back_exactly_from_every_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
