/* SPDX-License-Identifier: Apache-2.0 */
/* Inspect answers: what is accounted of a container, and the body that makes it again on another engine. */
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

#define ID "6b0ea8b025187c1bd7d22e1d7d551c2e2e33b31f8767a180be7859726713e68e"
#define SHORT_ID "6b0ea8b02518"
/** An inspect answer with these parts of Config, HostConfig and NetworkSettings.Networks. */
#define INSPECT(config, host, networks)                                                                                \
    "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"State\":{\"Running\":true},\"Config\":{" config "},\"HostConfig\":{" host  \
    "},\"NetworkSettings\":{\"Bridge\":\"\",\"Networks\":{" networks "}}}"
/** What an engine reports of an endpoint that nothing was asked for. */
#define ASSIGNED                                                                                                       \
    "\"NetworkID\":\"aabb\",\"EndpointID\":\"e1\",\"Gateway\":\"10.0.0.1\",\"IPAddress\":\"10.0.0.2\","                \
    "\"IPPrefixLen\":24,\"IPv6Gateway\":\"\",\"GlobalIPv6Address\":\"\",\"GlobalIPv6PrefixLen\":0,"                    \
    "\"MacAddress\":\"02:42:0a:00:00:02\",\"DNSNames\":[\"web\",\"" SHORT_ID "\"]"
#define NOTHING_ASKED "\"IPAMConfig\":null,\"Links\":null,\"Aliases\":null,\"DriverOpts\":null," ASSIGNED

static struct swarm_request *accounted(const char *json, int cpus)
{
    struct swarm_request *request = NULL;
    struct swarm_error *error = NULL;
    if (swarm_request_from_inspect(&request, json, strlen(json), cpus, &error) < 0)
        fail_msg("%s", swarm_error_message(error));
    return request;
}

static struct swarm_create_body *again(const char *json, int cpus)
{
    struct swarm_create_body *body = NULL;
    struct swarm_error *error = NULL;
    if (swarm_create_body_from_inspect(&body, json, strlen(json), cpus, &error) < 0)
        fail_msg("%s", swarm_error_message(error));
    return body;
}

static void expect_again(const char *json, const char *expected)
{
    struct swarm_create_body *body = again(json, 2);
    char *written;
    size_t length;
    assert_int_equal(swarm_create_body_write(body, 4, &written, &length, NULL), 0);
    assert_string_equal(written, expected);
    swarm_free(written);
    swarm_create_body_free(body);
}

/* ---- accounting ---- */

static void test_request_has_name_image_labels_and_resources(void **state)
{
    struct swarm_request *request = accounted(INSPECT("\"Image\":\"nginx\",\"Labels\":{\"com.docker.swarm.id\":\"s1\","
                                                      "\"com.docker.swarm.reschedule-policies\":"
                                                      "\"[\\\"on-node-failure\\\"]\"}",
                                                      "\"Memory\":64,\"CpuShares\":512", ""),
                                              4);
    assert_string_equal(swarm_request_name(request), "web");
    assert_string_equal(swarm_request_image(request), "nginx");
    assert_string_equal(swarm_request_swarm_id(request), "s1");
    assert_int_equal(swarm_request_memory(request), 64);
    assert_int_equal(swarm_request_cpus_milli(request), 2000);
    assert_int_equal(swarm_request_reschedule_policy(request), SWARM_RESCHEDULE_ON_NODE_FAILURE);
    swarm_request_unref(request);
}

static void test_existing_container_may_carry_bad_expressions(void **state)
{
    struct swarm_request *request = accounted(
        INSPECT("\"Env\":[\"constraint:node=x\",\"reschedule:always\"],\"Labels\":{\"com.docker.swarm.affinities\":"
                "\"{\",\"com.docker.swarm.reschedule-policy\":\"on-node-failure\"}",
                "", ""),
        1);
    assert_int_equal(request->extras->constraints.count, 1);
    assert_int_equal(request->extras->constraints.items[0].flaw, SWARM__EXPR_NO_OPERATOR);
    assert_int_equal(request->extras->affinities.count, 0);
    assert_int_equal(swarm_request_reschedule_policy(request), SWARM_RESCHEDULE_ON_NODE_FAILURE);
    swarm_request_unref(request);
}

/* What nothing is read of is looked at all the same. */
static void test_mistakes_anywhere_are_refused(void **state)
{
    static const char *const wrong[] = {
        INSPECT("\"Tty\":tru", "", ""),          INSPECT("\"X\":[1,]", "", ""),
        INSPECT("\"X\":{\"a\" 1}", "", ""),      INSPECT("", "\"X\":\"\xff\"", ""),
        INSPECT("", "\"X\":\"\\u12\"", ""),      INSPECT("", "", "\"n\":{\"a\":01}"),
        INSPECT("", "", "\"n\":{\"a\":\"\n\"}"), INSPECT("", "", "\"n\":[}"),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct swarm_request *request = NULL;
        struct swarm_error *error = NULL;
        assert_int_equal(swarm_request_from_inspect(&request, wrong[i], strlen(wrong[i]), 2, &error), SWARM_ERR_PARSE);
        if (strstr(swarm_error_message(error), "invalid JSON: line ") == NULL)
            fail_msg("%s: %s", wrong[i], swarm_error_message(error));
        swarm_error_free(error);
    }
}

static void test_keys_may_be_written_with_escapes(void **state)
{
    struct swarm_request *request =
        accounted(INSPECT("\"I\\u006dage\":\"busybox\",\"\\u0058\":[{}]", "\"\\u004demory\":4096", ""), 2);
    assert_string_equal(swarm_request_image(request), "busybox");
    assert_int_equal(swarm_request_memory(request), 4096);
    swarm_request_unref(request);
}

static void test_inspect_without_its_parts_is_refused(void **state)
{
    struct swarm_request *request = NULL;
    struct swarm_create_body *body = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_request_from_inspect(&request, "{\"HostConfig\":{}}", 17, 1, &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), "Config: an object is expected");
    swarm_error_free(error);
    assert_int_equal(swarm_request_from_inspect(&request, "{\"Config\":{}}", 13, 1, NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_request_from_inspect(&request, "{}", 2, 0, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_create_body_from_inspect(&body, "[]", 2, 1, NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_create_body_from_inspect(&body, "{}", 2, 0, NULL), SWARM_ERR_INVALID);
}

/* ---- again ---- */

static void test_plain_container_needs_no_endpoint(void **state)
{
    expect_again(INSPECT("\"Hostname\":\"" SHORT_ID "\",\"Image\":\"nginx\",\"Novel\":7", "\"NetworkMode\":\"default\"",
                         "\"bridge\":{" NOTHING_ASKED "}"),
                 "{\"Image\":\"nginx\",\"Novel\":7,\"HostConfig\":{\"NetworkMode\":\"default\"},"
                 "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}");
}

/* A setting that is empty, of whatever type, asks for nothing; any other is kept with its endpoint. */
static void test_default_network_keeps_what_says_something(void **state)
{
    static const char *const empty[] = {"null", "0", "\"\"", "{}", "[]"};
    static const char *const said[] = {"1", "-1", "\"x\"", "{\"a\":null}", "[null]", "true", "false", "0.5"};
    char json[2048], expected[256];
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        snprintf(json, sizeof(json), INSPECT("", "\"NetworkMode\":\"bridge\"", "\"bridge\":{\"New\":%s}"), empty[i]);
        struct swarm_create_body *body = again(json, 1);
        assert_null(swarm_create_body_endpoint(body, 0));
        swarm_create_body_free(body);
    }
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        char *settings = NULL;
        snprintf(json, sizeof(json), INSPECT("", "\"NetworkMode\":\"bridge\"", "\"bridge\":{\"New\":%s}"), said[i]);
        snprintf(expected, sizeof(expected), "{\"New\":%s}", said[i]);
        struct swarm_create_body *body = again(json, 1);
        assert_string_equal(swarm_create_body_endpoint(body, 0), "bridge");
        assert_int_equal(swarm_create_body_take_endpoint(body, "bridge", &settings, NULL), 0);
        assert_string_equal(settings, expected);
        swarm_free(settings);
        swarm_create_body_free(body);
    }
}

static void test_host_and_none_need_no_endpoint(void **state)
{
    struct swarm_create_body *body = again(INSPECT("", "\"NetworkMode\":\"host\"", "\"host\":{}"), 1);
    assert_null(swarm_create_body_endpoint(body, 0));
    swarm_create_body_free(body);
    body = again(INSPECT("", "\"NetworkMode\":\"none\"", "\"none\":null"), 1);
    assert_null(swarm_create_body_endpoint(body, 0));
    swarm_create_body_free(body);
    body = again(INSPECT("", "\"NetworkMode\":\"own\"", "\"own\":{}"), 1);
    assert_string_equal(swarm_create_body_endpoint(body, 0), "own");
    swarm_create_body_free(body);
}

static void expect_refused(const char *json, const char *message)
{
    struct swarm_create_body *body = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_create_body_from_inspect(&body, json, strlen(json), 1, &error), SWARM_ERR_PARSE);
    assert_null(body);
    assert_string_equal(swarm_error_message(error), message);
    swarm_error_free(error);
}

static void test_wrong_types_are_named(void **state)
{
    expect_refused("{\"Config\":[],\"HostConfig\":{}}", "Config: an object is expected");
    expect_refused("{\"Config\":{},\"HostConfig\":7}", "HostConfig: an object is expected");
    expect_refused("{\"Config\":{},\"HostConfig\":{},\"NetworkSettings\":[]}",
                   "NetworkSettings: an object is expected");
    expect_refused("{\"Config\":{},\"HostConfig\":{\"CpuShares\":\"x\"}}",
                   "HostConfig.CpuShares: an integer is expected");
    expect_refused("{\"Config\":{},\"HostConfig\":{\"Links\":{}}}", "HostConfig.Links: a list is expected");
    expect_refused("{\"Config\":{\"Labels\":{\"a\":1}},\"HostConfig\":{}}", "Labels[\"a\"]: a string is expected");
}

static void test_name_goes_with_the_request(void **state)
{
    struct swarm_create_body *body = again(INSPECT("", "", ""), 1);
    assert_string_equal(swarm_request_name(swarm_create_body_request(body)), "web");
    swarm_create_body_free(body);
}

static void test_host_name_that_was_asked_for_stays(void **state)
{
    expect_again(INSPECT("\"Hostname\":\"db1\",\"Domainname\":\"x.org\"", "", ""),
                 "{\"Hostname\":\"db1\",\"Domainname\":\"x.org\",\"HostConfig\":{},\"NetworkingConfig\":"
                 "{\"EndpointsConfig\":{}}}");
}

static void test_host_name_of_the_host_is_dropped(void **state)
{
    expect_again(INSPECT("\"Hostname\":\"node-1\"", "\"NetworkMode\":\"host\"", "\"host\":{" NOTHING_ASKED "}"),
                 "{\"HostConfig\":{\"NetworkMode\":\"host\"},\"NetworkingConfig\":{\"EndpointsConfig\":{}}}");
    expect_again(INSPECT("\"Hostname\":\"node-1\"", "\"UTSMode\":\"host\"", ""),
                 "{\"HostConfig\":{\"UTSMode\":\"host\"},\"NetworkingConfig\":{\"EndpointsConfig\":{}}}");
}

static void test_what_another_containers_network_brought_is_dropped(void **state)
{
    expect_again(INSPECT("\"Hostname\":\"other\",\"Domainname\":\"d\",\"ExposedPorts\":{\"80/tcp\":{}},\"Tty\":true",
                         "\"NetworkMode\":\"container:abc\"", ""),
                 "{\"Tty\":true,\"HostConfig\":{\"NetworkMode\":\"container:abc\"},"
                 "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}");
}

static void test_endpoint_keeps_what_was_asked_for(void **state)
{
    expect_again(INSPECT("", "\"NetworkMode\":\"n1\"",
                         "\"n1\":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.77\"},\"Links\":[\"db:d\"],"
                         "\"Aliases\":[\"foo\",\"" SHORT_ID "\",\"bar\"],\"DriverOpts\":{\"k\":\"v\"},\"GwPriority\":3,"
                         "" ASSIGNED "}"),
                 "{\"HostConfig\":{\"NetworkMode\":\"n1\"},\"NetworkingConfig\":{\"EndpointsConfig\":{\"n1\":{"
                 "\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.77\"},\"Links\":[\"db:d\"],\"Aliases\":[\"foo\",\"bar\"],"
                 "\"DriverOpts\":{\"k\":\"v\"},\"GwPriority\":3}}}}");
}

static void test_aliases_that_are_only_the_short_id_are_dropped(void **state)
{
    expect_again(INSPECT("", "\"NetworkMode\":\"n1\"", "\"n1\":{\"Aliases\":[\"" SHORT_ID "\"]," ASSIGNED "}"),
                 "{\"HostConfig\":{\"NetworkMode\":\"n1\"},\"NetworkingConfig\":{\"EndpointsConfig\":{\"n1\":{}}}}");
}

static void test_own_network_comes_first(void **state)
{
    struct swarm_create_body *body =
        again(INSPECT("", "\"NetworkMode\":\"n2\"", "\"n1\":{" ASSIGNED "},\"n2\":{" ASSIGNED "}"), 1);
    assert_string_equal(swarm_create_body_endpoint(body, 0), "n2");
    assert_string_equal(swarm_create_body_endpoint(body, 1), "n1");
    swarm_create_body_free(body);
    /* By the network's id. */
    body = again(INSPECT("", "\"NetworkMode\":\"aabb\"", "\"n1\":{},\"n2\":{" ASSIGNED "}"), 1);
    assert_string_equal(swarm_create_body_endpoint(body, 0), "n2");
    swarm_create_body_free(body);
    /* The default network is named where it is not the only one. */
    body = again(INSPECT("", "\"NetworkMode\":\"default\"", "\"n1\":{},\"bridge\":{" NOTHING_ASKED "}"), 1);
    assert_string_equal(swarm_create_body_endpoint(body, 0), "bridge");
    assert_string_equal(swarm_create_body_endpoint(body, 1), "n1");
    swarm_create_body_free(body);
}

static void test_network_other_than_the_mode_is_not_forgotten(void **state)
{
    struct swarm_create_body *body =
        again(INSPECT("", "\"NetworkMode\":\"none\"", "\"bridge\":{" NOTHING_ASKED "}"), 1);
    assert_string_equal(swarm_create_body_endpoint(body, 0), "bridge");
    swarm_create_body_free(body);
}

static void test_links_are_written_as_they_are_asked_for(void **state)
{
    struct swarm_create_body *body =
        again(INSPECT("", "\"Links\":[\"/db:/web/database\",\"plain:p\",\"/odd\"]", ""), 1);
    char *json;
    struct swarm__dependency dependency;
    assert_int_equal(swarm_create_body_write(body, 1, &json, NULL, NULL), 0);
    assert_non_null(strstr(json, "\"Links\":[\"db:database\",\"plain:p\",\"/odd\"]"));
    assert_true(swarm__request_dependency(swarm_create_body_request(body), 0, &dependency));
    assert_string_equal(dependency.target, "db");
    swarm_free(json);
    swarm_create_body_free(body);
}

static void test_cpus_move_between_engines_of_different_size(void **state)
{
    /* One of 2 CPUs is 512 there and 256 on an engine with 4. */
    expect_again(INSPECT("", "\"CpuShares\":512", ""),
                 "{\"HostConfig\":{\"CpuShares\":256},\"NetworkingConfig\":{\"EndpointsConfig\":{}}}");
}

static void test_weight_that_is_no_number_of_cpus_stays(void **state)
{
    struct swarm_create_body *body = again(INSPECT("", "\"CpuShares\":700", ""), 2);
    assert_int_equal(swarm_request_cpus_milli(swarm_create_body_request(body)), 1000);
    swarm_create_body_free(body);
    expect_again(INSPECT("", "\"CpuShares\":700", ""),
                 "{\"HostConfig\":{\"CpuShares\":700},\"NetworkingConfig\":{\"EndpointsConfig\":{}}}");
}

static void test_wrong_types_in_endpoints_are_named(void **state)
{
    struct swarm_create_body *body = NULL;
    struct swarm_error *error = NULL;
    const char *json = INSPECT("", "", "\"n1\":{\"Aliases\":[1]}");
    assert_int_equal(swarm_create_body_from_inspect(&body, json, strlen(json), 1, &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error),
                        "NetworkSettings.Networks.n1.Aliases: a list of strings is expected");
    swarm_error_free(error);
    json = INSPECT("", "", "\"n1\":[]");
    assert_int_equal(swarm_create_body_from_inspect(&body, json, strlen(json), 1, NULL), SWARM_ERR_PARSE);
    assert_null(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_has_name_image_labels_and_resources),
        cmocka_unit_test(test_existing_container_may_carry_bad_expressions),
        cmocka_unit_test(test_mistakes_anywhere_are_refused),
        cmocka_unit_test(test_keys_may_be_written_with_escapes),
        cmocka_unit_test(test_inspect_without_its_parts_is_refused),
        cmocka_unit_test(test_plain_container_needs_no_endpoint),
        cmocka_unit_test(test_default_network_keeps_what_says_something),
        cmocka_unit_test(test_host_and_none_need_no_endpoint),
        cmocka_unit_test(test_wrong_types_are_named),
        cmocka_unit_test(test_name_goes_with_the_request),
        cmocka_unit_test(test_host_name_that_was_asked_for_stays),
        cmocka_unit_test(test_host_name_of_the_host_is_dropped),
        cmocka_unit_test(test_what_another_containers_network_brought_is_dropped),
        cmocka_unit_test(test_endpoint_keeps_what_was_asked_for),
        cmocka_unit_test(test_aliases_that_are_only_the_short_id_are_dropped),
        cmocka_unit_test(test_own_network_comes_first),
        cmocka_unit_test(test_network_other_than_the_mode_is_not_forgotten),
        cmocka_unit_test(test_links_are_written_as_they_are_asked_for),
        cmocka_unit_test(test_cpus_move_between_engines_of_different_size),
        cmocka_unit_test(test_weight_that_is_no_number_of_cpus_stays),
        cmocka_unit_test(test_wrong_types_in_endpoints_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
