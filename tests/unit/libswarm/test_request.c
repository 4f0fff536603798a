/* SPDX-License-Identifier: Apache-2.0 */
/* Requests made with setters: what they hold, when they stop changing, copies. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "request.h"

static struct swarm_request *new_request(void)
{
    struct swarm_request *request = NULL;
    assert_int_equal(swarm_request_new(&request, NULL), 0);
    return request;
}

static void test_new_request_asks_for_nothing(void **state)
{
    struct swarm_request *request = new_request();
    struct swarm__dependency dependency;
    assert_null(swarm_request_name(request));
    assert_null(swarm_request_image(request));
    assert_null(swarm_request_swarm_id(request));
    assert_null(swarm_request_network_mode(request));
    assert_int_equal(swarm_request_cpus_milli(request), 0);
    assert_int_equal(swarm_request_memory(request), 0);
    assert_int_equal(swarm_request_reschedule_policy(request), SWARM_RESCHEDULE_OFF);
    assert_int_equal(swarm_request_has_node_constraint(request), 0);
    assert_false(swarm__request_host_network(request));
    assert_false(swarm__request_dependency(request, 0, &dependency));
    swarm_request_unref(request);
}

static void test_name_loses_its_slash(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_set_name(request, "/web", NULL), 0);
    assert_string_equal(swarm_request_name(request), "web");
    assert_int_equal(swarm_request_set_name(request, "", NULL), 0);
    assert_null(swarm_request_name(request));
    swarm_request_unref(request);
}

static void test_swarm_id_is_a_label_too(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_set_swarm_id(request, "s1", NULL), 0);
    assert_string_equal(swarm_request_label(request, "com.docker.swarm.id"), "s1");
    assert_int_equal(swarm_request_set_label(request, "com.docker.swarm.id", "s2", NULL), 0);
    assert_string_equal(swarm_request_swarm_id(request), "s2");
    swarm_request_unref(request);
}

static void test_label_is_replaced(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_set_label(request, "tier", "front", NULL), 0);
    assert_int_equal(swarm_request_set_label(request, "zone", "a", NULL), 0);
    assert_int_equal(swarm_request_set_label(request, "tier", "back", NULL), 0);
    assert_string_equal(swarm_request_label(request, "tier"), "back");
    assert_string_equal(swarm_request_label(request, "zone"), "a");
    assert_null(swarm_request_label(request, "none"));
    assert_int_equal(request->label_count, 2);
    swarm_request_unref(request);
}

static void test_texts_may_come_from_the_request_itself(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_set_label(request, "tier", "front", NULL), 0);
    assert_int_equal(swarm_request_set_name(request, swarm_request_label(request, "tier"), NULL), 0);
    assert_int_equal(swarm_request_set_image(request, swarm_request_name(request), NULL), 0);
    assert_int_equal(swarm_request_set_label(request, swarm_request_image(request), "", NULL), 0);
    assert_int_equal(swarm_request_set_label(request, "tier", swarm_request_name(request) + 1, NULL), 0);
    assert_int_equal(swarm_request_set_network_mode(request, "host", NULL), 0);
    assert_int_equal(swarm_request_set_name(request, NULL, NULL), 0);
    assert_null(swarm_request_name(request));
    assert_string_equal(swarm_request_image(request), "front");
    assert_string_equal(swarm_request_network_mode(request), "host");
    const char *key, *value;
    assert_int_equal(swarm_request_label_at(request, 0, &key, &value), 1);
    assert_string_equal(key, "tier");
    assert_string_equal(value, "ront");
    assert_int_equal(swarm_request_label_at(request, 1, &key, &value), 1);
    assert_string_equal(key, "front");
    assert_string_equal(value, "");
    assert_int_equal(swarm_request_label_at(request, 2, &key, &value), 0);
    swarm_request_unref(request);
}

static void test_bad_expression_is_named_and_changes_nothing(void **state)
{
    struct swarm_request *request = new_request();
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_request_add_affinity(request, "n==x", &error), SWARM_ERR_PARSE);
    assert_non_null(strstr(swarm_error_message(error), "affinity: 'n==x': key 'n' is invalid"));
    assert_int_equal(request->extras->affinities.count, 0);
    swarm_error_free(error);
    swarm_request_unref(request);
}

static void test_check_finds_the_first_bad_expression(void **state)
{
    struct swarm_request *request = new_request();
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_request_add_constraint(request, "zone==a", NULL), 0);
    assert_int_equal(swarm_request_check(request, NULL), 0);
    assert_int_equal(swarm__request_keep_constraint(request, "node=x", 6), 0);
    assert_int_equal(swarm_request_check(request, &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), "constraint: 'node=x': one of operator ==, != is expected");
    swarm_error_free(error);
    swarm_request_unref(request);
}

static void test_check_finds_a_pattern_that_does_not_compile(void **state)
{
    struct swarm_request *request = new_request();
    struct swarm_error *error = NULL;
    assert_int_equal(swarm__request_keep_affinity(request, "container==/(/", 14), 0);
    assert_int_equal(swarm_request_check(request, &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), "affinity: 'container==/(/': the pattern '/(/' does not compile: a "
                                                    "regular expression in RE2's syntax is expected");
    swarm_error_free(error);
    swarm_request_unref(request);
}

static void test_a_pattern_that_does_not_compile_is_not_added(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_add_constraint(request, "node==/(/", NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_request_add_constraint(request, "node==a(", NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_request_add_whitelist(request, "node==a(|b", NULL), 0);
    assert_int_equal(swarm_request_check(request, NULL), 0);
    swarm_request_unref(request);
}

static void test_node_constraint_is_a_hard_equal(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_add_constraint(request, "node!=a1", NULL), 0);
    assert_int_equal(swarm_request_add_constraint(request, "node==~a1", NULL), 0);
    assert_int_equal(swarm_request_add_constraint(request, "nodes==a1", NULL), 0);
    assert_int_equal(swarm_request_has_node_constraint(request), 0);
    assert_int_equal(swarm_request_add_constraint(request, "node==node1", NULL), 0);
    assert_int_equal(swarm_request_has_node_constraint(request), 1);
    swarm_request_unref(request);
}

static void expect_dependency(const struct swarm_request *request, size_t index, const char *text, const char *target)
{
    struct swarm__dependency dependency;
    assert_true(swarm__request_dependency(request, index, &dependency));
    assert_true(strncmp(text, dependency.option, strlen(dependency.option)) == 0);
    assert_string_equal(text + strlen(dependency.option), dependency.raw);
    assert_string_equal(dependency.target, target);
}

static void test_dependencies_come_in_the_order_of_refusals(void **state)
{
    struct swarm_request *request = new_request();
    struct swarm__dependency dependency;
    assert_int_equal(swarm_request_set_ipc_mode(request, "container:i", NULL), 0);
    assert_int_equal(swarm_request_set_pid_mode(request, "container:p", NULL), 0);
    assert_int_equal(swarm_request_set_network_mode(request, "container:n:x", NULL), 0);
    assert_int_equal(swarm_request_add_link(request, "db:database", NULL), 0);
    assert_int_equal(swarm_request_add_link(request, "/cache:/web/c", NULL), 0);
    assert_int_equal(swarm_request_add_volumes_from(request, "data:ro", NULL), 0);
    expect_dependency(request, 0, "--volumes-from=data:ro", "data");
    expect_dependency(request, 1, "--link=db:database", "db");
    expect_dependency(request, 2, "--link=/cache:/web/c", "/cache");
    expect_dependency(request, 3, "--net=container:n:x", "n:x");
    expect_dependency(request, 4, "--pid=container:p", "p");
    expect_dependency(request, 5, "--ipc=container:i", "i");
    assert_false(swarm__request_dependency(request, 6, &dependency));
    swarm_request_unref(request);
}

static void test_only_container_modes_are_dependencies(void **state)
{
    struct swarm_request *request = new_request();
    struct swarm__dependency dependency;
    assert_int_equal(swarm_request_set_ipc_mode(request, "shareable", NULL), 0);
    assert_int_equal(swarm_request_set_pid_mode(request, "host", NULL), 0);
    assert_int_equal(swarm_request_set_network_mode(request, "host", NULL), 0);
    assert_false(swarm__request_dependency(request, 0, &dependency));
    assert_true(swarm__request_host_network(request));
    swarm_request_unref(request);
}

static void test_quantities_below_zero_are_refused(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_set_cpus_milli(request, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_set_memory(request, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_set_reschedule_policy(request, 7, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_set_memory(request, INT64_MAX, NULL), 0);
    assert_int_equal(swarm_request_memory(request), INT64_MAX);
    swarm_request_unref(request);
}

/* The call's error is SWARM_ERR_INVALID with that text. */
#define CHECK_INVALID(call, text)                                                                                      \
    do {                                                                                                               \
        struct swarm_error *error = NULL;                                                                              \
        assert_int_equal(call, SWARM_ERR_INVALID);                                                                     \
        assert_string_equal(swarm_error_message(error), text);                                                         \
        swarm_error_free(error);                                                                                       \
    } while (0)

static void test_limits_are_not_below_what_is_reserved(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_set_cpus_limit_milli(request, 2000, NULL), 0);
    assert_int_equal(swarm_request_set_memory_limit(request, 100, NULL), 0);
    assert_int_equal(swarm_request_cpus_milli(request), 0); /* a limit alone reserves nothing */
    assert_int_equal(swarm_request_memory(request), 0);
    assert_int_equal(swarm_request_set_cpus_milli(request, 2000, NULL), 0);
    assert_int_equal(swarm_request_set_memory(request, 60, NULL), 0);
    CHECK_INVALID(swarm_request_set_cpus_milli(request, 2001, &error),
                  "CPUs: the reservation of 2001 milli-CPUs is more than the limit of 2000");
    CHECK_INVALID(swarm_request_set_cpus_limit_milli(request, 1999, &error),
                  "CPUs: the reservation of 2000 milli-CPUs is more than the limit of 1999");
    CHECK_INVALID(swarm_request_set_memory(request, 101, &error),
                  "memory: the reservation of 101 bytes is more than the limit of 100");
    CHECK_INVALID(swarm_request_set_memory_limit(request, 59, &error),
                  "memory: the reservation of 60 bytes is more than the limit of 59");
    CHECK_INVALID(swarm_request_set_memory_limit(request, -1, &error), "memory: -1: 0 or more bytes are expected");
    CHECK_INVALID(swarm_request_set_cpus_limit_milli(request, INT64_MIN, &error),
                  "CPUs: -9223372036854775808: 0 or more milli-CPUs are expected");
    CHECK_INVALID(swarm_request_set_cpus_limit_milli(NULL, 1, &error), "request is NULL");
    CHECK_INVALID(swarm_request_set_memory_limit(NULL, 1, &error), "request is NULL");
    assert_int_equal(swarm_request_cpus_milli(request), 2000);
    assert_int_equal(swarm_request_cpus_limit_milli(request), 2000);
    assert_int_equal(swarm_request_memory(request), 60);
    assert_int_equal(swarm_request_memory_limit(request), 100);
    assert_int_equal(swarm_request_set_memory_limit(request, 0, NULL), 0);
    assert_int_equal(swarm_request_set_memory(request, INT64_MAX, NULL), 0);
    assert_int_equal(swarm_request_cpus_limit_milli(NULL), 0);
    assert_int_equal(swarm_request_memory_limit(NULL), 0);
    swarm_request_unref(request);
}

static void test_lists_can_be_walked(void **state)
{
    struct swarm_request *request = new_request();
    const char *a = NULL, *b = NULL, *c = NULL;
    assert_int_equal(swarm_request_set_label(request, "tier", "front", NULL), 0);
    assert_int_equal(swarm_request_set_label(request, "zone", NULL, NULL), 0);
    assert_int_equal(swarm_request_add_port(request, "80/tcp", NULL, NULL, NULL), 0);
    assert_int_equal(swarm_request_add_port(request, "53-54/udp", "10.0.0.1", "53-54", NULL), 0);
    assert_int_equal(swarm_request_add_exposed_port(request, "443", NULL), 0);
    assert_int_equal(swarm_request_add_volumes_from(request, "data:ro", NULL), 0);
    assert_int_equal(swarm_request_add_link(request, "/db:/web/alias", NULL), 0);
    assert_int_equal(swarm_request_add_constraint(request, "zone==~eu*", NULL), 0);
    assert_int_equal(swarm_request_add_constraint(request, "node!=/^x/", NULL), 0);
    assert_int_equal(swarm_request_add_affinity(request, "image==app", NULL), 0);
    assert_int_equal(swarm_request_add_whitelist(request, "node==a|b", NULL), 0);
    assert_int_equal(swarm_request_set_pid_mode(request, "container:p", NULL), 0);
    assert_int_equal(swarm_request_set_ipc_mode(request, "container:i", NULL), 0);

    assert_int_equal(swarm_request_label_at(request, 0, &a, &b), 1);
    assert_string_equal(a, "tier");
    assert_string_equal(b, "front");
    assert_int_equal(swarm_request_label_at(request, 1, &a, &b), 1);
    assert_string_equal(a, "zone");
    assert_string_equal(b, "");
    assert_int_equal(swarm_request_port_at(request, 0, &a, &b, &c), 1);
    assert_string_equal(a, "80/tcp");
    assert_string_equal(b, "");
    assert_string_equal(c, "");
    assert_int_equal(swarm_request_port_at(request, 1, &a, &b, &c), 1);
    assert_string_equal(a, "53-54/udp");
    assert_string_equal(b, "10.0.0.1");
    assert_string_equal(c, "53-54");
    assert_string_equal(swarm_request_exposed_port_at(request, 0), "443");
    assert_string_equal(swarm_request_volumes_from_at(request, 0), "data:ro");
    assert_string_equal(swarm_request_link_at(request, 0), "/db:/web/alias");
    assert_string_equal(swarm_request_constraint_at(request, 0), "zone==~eu*");
    assert_string_equal(swarm_request_constraint_at(request, 1), "node!=/^x/");
    assert_string_equal(swarm_request_affinity_at(request, 0), "image==app");
    assert_string_equal(swarm_request_whitelist_at(request, 0), "node==a|b");
    assert_string_equal(swarm_request_pid_mode(request), "container:p");
    assert_string_equal(swarm_request_ipc_mode(request), "container:i");
    assert_int_equal(swarm_request_label_at(request, 0, NULL, NULL), 1);
    assert_int_equal(swarm_request_port_at(request, 0, NULL, NULL, NULL), 1);
    swarm_request_unref(request);
}

/* Past the end, and without a request, nothing is given and nothing is written. */
static void check_ends(const struct swarm_request *request, size_t past)
{
    const char *kept = "kept", *text = kept;
    assert_int_equal(swarm_request_label_at(request, past, &text, &text), 0);
    assert_int_equal(swarm_request_port_at(request, past, &text, &text, &text), 0);
    assert_ptr_equal(text, kept);
    assert_null(swarm_request_exposed_port_at(request, past));
    assert_null(swarm_request_volumes_from_at(request, past));
    assert_null(swarm_request_link_at(request, past));
    assert_null(swarm_request_constraint_at(request, past));
    assert_null(swarm_request_affinity_at(request, past));
    assert_null(swarm_request_whitelist_at(request, past));
    assert_null(swarm_request_pid_mode(request));
    assert_null(swarm_request_ipc_mode(request));
}

static void test_walks_end(void **state)
{
    struct swarm_request *request = new_request();
    check_ends(request, 0);
    check_ends(request, SIZE_MAX);
    check_ends(NULL, 0);
    swarm_request_unref(request);
}

static void test_ports_that_cannot_be_are_named(void **state)
{
    static const char *const bad[] = {"x",     "-1",       "65536", "100000", "8000-", "-8000",
                                      "90-80", "80-90-95", "80 ",   "1e3",    "+1"};
    static const char *const good[] = {"0", "1", "65535", "8000-8010", "80-80", ""};
    struct swarm_request *request = new_request();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), "host port '%s': 0 to 65535, or a range such as 8000-8010, is expected",
                 bad[i]);
        CHECK_INVALID(swarm_request_add_port(request, "80/tcp", NULL, bad[i], &error), expected);
        snprintf(expected, sizeof(expected), "container port '%s': a port such as 80/tcp is expected", bad[i]);
        CHECK_INVALID(swarm_request_add_port(request, bad[i], NULL, NULL, &error), expected);
        CHECK_INVALID(swarm_request_add_exposed_port(request, bad[i], &error), expected);
    }
    CHECK_INVALID(swarm_request_add_exposed_port(request, "", &error),
                  "container port '': a port such as 80/tcp is expected");
    CHECK_INVALID(swarm_request_add_exposed_port(request, "80/", &error),
                  "container port '80/': a port such as 80/tcp is expected");
    CHECK_INVALID(swarm_request_add_exposed_port(request, "/tcp", &error),
                  "container port '/tcp': a port such as 80/tcp is expected");
    assert_null(swarm_request_exposed_port_at(request, 0));
    assert_int_equal(swarm_request_port_at(request, 0, NULL, NULL, NULL), 0);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(swarm_request_add_port(request, "80/tcp", NULL, good[i], NULL), 0);
    swarm_request_unref(request);
}

static void test_references_need_a_name(void **state)
{
    static const char *const bad[] = {"", ":ro", "/", "/:alias"};
    struct swarm_request *request = new_request();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), "link '%s': the name of a container is expected", bad[i]);
        CHECK_INVALID(swarm_request_add_link(request, bad[i], &error), expected);
        snprintf(expected, sizeof(expected), "volumes from '%s': the name of a container is expected", bad[i]);
        CHECK_INVALID(swarm_request_add_volumes_from(request, bad[i], &error), expected);
    }
    assert_null(swarm_request_link_at(request, 0));
    assert_null(swarm_request_volumes_from_at(request, 0));
    swarm_request_unref(request);
}

static void test_shared_request_is_frozen(void **state)
{
    struct swarm_request *request = new_request(), *copy = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_request_set_name(request, "web", NULL), 0);
    struct swarm_request *shared = swarm__request_share(request);
    assert_int_equal(swarm_request_set_name(request, "db", &error), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_add_constraint(request, "zone==a", NULL), SWARM_ERR_STATE);
    assert_string_equal(swarm_request_name(request), "web");
    assert_int_equal(swarm_request_copy(&copy, request, NULL), 0);
    assert_int_equal(swarm_request_set_name(copy, "db", NULL), 0);
    swarm_error_free(error);
    swarm_request_unref(copy);
    swarm_request_unref(shared);
    swarm_request_unref(request);
}

static void test_copy_has_everything(void **state)
{
    struct swarm_request *request = new_request(), *copy = NULL;
    assert_int_equal(swarm_request_set_name(request, "web", NULL), 0);
    assert_int_equal(swarm_request_set_image(request, "nginx", NULL), 0);
    assert_int_equal(swarm_request_set_network_mode(request, "host", NULL), 0);
    assert_int_equal(swarm_request_set_pid_mode(request, "container:p", NULL), 0);
    assert_int_equal(swarm_request_set_ipc_mode(request, "container:i", NULL), 0);
    assert_int_equal(swarm_request_set_cpus_milli(request, 1500, NULL), 0);
    assert_int_equal(swarm_request_set_memory(request, 4242, NULL), 0);
    assert_int_equal(swarm_request_set_cpus_limit_milli(request, 2500, NULL), 0);
    assert_int_equal(swarm_request_set_memory_limit(request, 5000, NULL), 0);
    assert_int_equal(swarm_request_set_resource(request, "gpu", 2, NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    assert_int_equal(swarm_request_set_label(request, "tier", "front", NULL), 0);
    assert_int_equal(swarm_request_add_constraint(request, "zone==/^eu/", NULL), 0);
    assert_int_equal(swarm_request_add_affinity(request, "container!=~web*", NULL), 0);
    assert_int_equal(swarm_request_add_whitelist(request, "node==a|b", NULL), 0);
    assert_int_equal(swarm_request_add_port(request, "80/tcp", "127.0.0.1", "8080", NULL), 0);
    assert_int_equal(swarm_request_add_exposed_port(request, "80/tcp", NULL), 0);
    assert_int_equal(swarm_request_add_volumes_from(request, "data", NULL), 0);
    assert_int_equal(swarm_request_add_link(request, "db:d", NULL), 0);
    assert_int_equal(swarm_request_copy(&copy, request, NULL), 0);
    swarm_request_unref(request);

    assert_string_equal(swarm_request_name(copy), "web");
    assert_string_equal(swarm_request_image(copy), "nginx");
    assert_int_equal(swarm_request_cpus_milli(copy), 1500);
    assert_int_equal(swarm_request_memory(copy), 4242);
    assert_int_equal(swarm_request_cpus_limit_milli(copy), 2500);
    assert_int_equal(swarm_request_memory_limit(copy), 5000);
    assert_int_equal(swarm_request_resource(copy, "gpu"), 2);
    assert_int_equal(swarm_request_reschedule_policy(copy), SWARM_RESCHEDULE_ON_NODE_FAILURE);
    assert_string_equal(swarm_request_label(copy, "tier"), "front");
    assert_string_equal(copy->extras->constraints.items[0].text, "zone==/^eu/");
    assert_true(copy->extras->affinities.items[0].soft);
    assert_string_equal(copy->extras->whitelists.items[0].value, "a|b");
    assert_string_equal(copy->ports[0].container_port, "80/tcp");
    assert_string_equal(copy->ports[0].host_ip, "127.0.0.1");
    assert_string_equal(copy->ports[0].host_port, "8080");
    assert_string_equal(copy->exposed[0], "80/tcp");
    expect_dependency(copy, 0, "--volumes-from=data", "data");
    expect_dependency(copy, 1, "--link=db:d", "db");
    expect_dependency(copy, 2, "--pid=container:p", "p");
    expect_dependency(copy, 3, "--ipc=container:i", "i");
    assert_true(swarm__request_host_network(copy));
    swarm_request_unref(copy);
}

static void test_null_arguments_are_refused(void **state)
{
    struct swarm_request *request = new_request();
    assert_int_equal(swarm_request_new(NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_set_name(NULL, "a", NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_add_constraint(request, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_add_port(request, NULL, NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_set_label(request, NULL, "x", NULL), SWARM_ERR_INVALID);
    assert_null(swarm_request_ref(NULL));
    swarm_request_unref(NULL);
    swarm_request_unref(request);
}

static void test_many_labels_stay_apart(void **state)
{
    struct swarm_request *request = new_request();
    char key[32], value[32];
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        snprintf(value, sizeof(value), "value%d", i);
        assert_int_equal(swarm_request_set_label(request, key, value, NULL), 0);
    }
    assert_string_equal(swarm_request_label(request, "key0"), "value0");
    assert_string_equal(swarm_request_label(request, "key299"), "value299");
    swarm_request_unref(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_request_asks_for_nothing),
        cmocka_unit_test(test_name_loses_its_slash),
        cmocka_unit_test(test_swarm_id_is_a_label_too),
        cmocka_unit_test(test_label_is_replaced),
        cmocka_unit_test(test_texts_may_come_from_the_request_itself),
        cmocka_unit_test(test_bad_expression_is_named_and_changes_nothing),
        cmocka_unit_test(test_check_finds_the_first_bad_expression),
        cmocka_unit_test(test_check_finds_a_pattern_that_does_not_compile),
        cmocka_unit_test(test_a_pattern_that_does_not_compile_is_not_added),
        cmocka_unit_test(test_node_constraint_is_a_hard_equal),
        cmocka_unit_test(test_dependencies_come_in_the_order_of_refusals),
        cmocka_unit_test(test_only_container_modes_are_dependencies),
        cmocka_unit_test(test_quantities_below_zero_are_refused),
        cmocka_unit_test(test_limits_are_not_below_what_is_reserved),
        cmocka_unit_test(test_lists_can_be_walked),
        cmocka_unit_test(test_walks_end),
        cmocka_unit_test(test_ports_that_cannot_be_are_named),
        cmocka_unit_test(test_references_need_a_name),
        cmocka_unit_test(test_shared_request_is_frozen),
        cmocka_unit_test(test_copy_has_everything),
        cmocka_unit_test(test_null_arguments_are_refused),
        cmocka_unit_test(test_many_labels_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
