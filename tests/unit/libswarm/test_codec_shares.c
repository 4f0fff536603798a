/* SPDX-License-Identifier: Apache-2.0 */
/* CpuShares: CPUs or a weight, when they are asked for, when they are counted, when they move, when they change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <swarm/swarm.h>

#define AUTO SWARM_CPU_SHARES_AUTO
#define CPUS SWARM_CPU_SHARES_CPUS
#define WEIGHT SWARM_CPU_SHARES_WEIGHT
#define WEIGHT_LABEL "\"Labels\":{\"com.docker.swarm.cpushares\":\"weight\"}"
#define CPUS_LABEL "\"Labels\":{\"com.docker.swarm.cpushares\":\"cpus\"}"
#define INSPECT(labels, shares)                                                                                        \
    "{\"Id\":\"c1\",\"Name\":\"/web\",\"Config\":{" labels "},\"HostConfig\":{\"CpuShares\":" shares "}}"

static struct swarm_cluster *cluster;

static void add_node(const char *id, int cpus, double overcommit)
{
    struct swarm_node *node;

    assert_int_equal(swarm_cluster_add_node(cluster, id, id, "", &node, NULL), 0);
    assert_int_equal(swarm_node_set_capacity(node, cpus * 1000, 1 << 30, NULL), 0);
    assert_int_equal(swarm_node_set_overcommit(node, overcommit, NULL), 0);
}

static int set_up(void **state)
{
    assert_int_equal(swarm_cluster_new(&cluster, NULL), 0);
    add_node("small", 2, 0.05);
    add_node("large", 192, 0.5);
    return 0;
}

static int tear_down(void **state)
{
    swarm_cluster_free(cluster);
    return 0;
}

static void test_meaning_is_by_number_and_policy(void **state)
{
    assert_int_equal(swarm_cpu_shares_meaning(cluster, AUTO, 1), CPUS);
    assert_int_equal(swarm_cpu_shares_meaning(cluster, AUTO, 288), CPUS); /* what the large one has, overcommitted */
    assert_int_equal(swarm_cpu_shares_meaning(cluster, AUTO, 289), WEIGHT);
    assert_int_equal(swarm_cpu_shares_meaning(cluster, AUTO, INT64_MAX), WEIGHT);
    assert_int_equal(swarm_cpu_shares_meaning(cluster, CPUS, 1024), CPUS);
    assert_int_equal(swarm_cpu_shares_meaning(cluster, WEIGHT, 1), WEIGHT);
    assert_int_equal(swarm_cpu_shares_meaning(NULL, AUTO, 127), CPUS); /* more than any node has, and still no weight */
    assert_int_equal(swarm_cpu_shares_meaning(NULL, AUTO, 128), WEIGHT);
}

/* Settle what @p json asks for: what is reserved then, and what an engine of 2 CPUs is sent. */
static void expect_settled(const char *json, enum swarm_cpu_shares policy, int64_t reserved_milli, const char *sent)
{
    struct swarm_create_body *body;
    char *text;

    assert_int_equal(swarm_create_body_parse(&body, json, strlen(json), NULL), 0);
    assert_int_equal(swarm_create_body_settle_cpu_shares(body, cluster, policy, NULL), 0);
    assert_int_equal(swarm_create_body_settle_cpu_shares(body, cluster, policy, NULL), 0); /* once and for all */
    assert_int_equal(swarm_request_cpus_milli(swarm_create_body_request(body)), reserved_milli);
    assert_int_equal(swarm_create_body_write(body, 2, &text, NULL, NULL), 0);
    assert_string_equal(text, sent);
    swarm_free(text);
    swarm_create_body_free(body);
}

static void test_weight_is_passed_on_and_said_in_a_label(void **state)
{
    expect_settled("{\"HostConfig\":{\"CpuShares\":512},\"New\":1}", AUTO, 0,
                   "{\"HostConfig\":{\"CpuShares\":512},\"New\":1," WEIGHT_LABEL "}");
    expect_settled("{\"HostConfig\":{\"CpuShares\":512,\"NanoCpus\":1500000000}}", AUTO, 1500,
                   "{\"HostConfig\":{\"CpuShares\":512,\"NanoCpus\":1500000000}," WEIGHT_LABEL "}");
    expect_settled("{\"HostConfig\":{\"CpuShares\":2}}", WEIGHT, 0,
                   "{\"HostConfig\":{\"CpuShares\":2}," WEIGHT_LABEL "}");
    expect_settled("{\"CpuShares\":512}", AUTO, 0, "{\"HostConfig\":{\"CpuShares\":512}," WEIGHT_LABEL "}");
}

static void test_cpus_are_converted_as_before(void **state)
{
    expect_settled("{\"HostConfig\":{\"CpuShares\":2}}", AUTO, 2000, "{\"HostConfig\":{\"CpuShares\":1024}}");
    expect_settled("{\"HostConfig\":{\"CpuShares\":512}}", CPUS, 512000, "{\"HostConfig\":{\"CpuShares\":262144}}");
    expect_settled("{\"HostConfig\":{\"CpuShares\":0}}", WEIGHT, 0, "{\"HostConfig\":{\"CpuShares\":0}}");
    expect_settled("{\"HostConfig\":{}}", AUTO, 0, "{\"HostConfig\":{}}");
}

static void test_label_goes_before_the_policy(void **state)
{
    expect_settled("{" WEIGHT_LABEL ",\"HostConfig\":{\"CpuShares\":2}}", CPUS, 0,
                   "{" WEIGHT_LABEL ",\"HostConfig\":{\"CpuShares\":2}}");
    expect_settled("{" CPUS_LABEL ",\"HostConfig\":{\"CpuShares\":512}}", AUTO, 512000,
                   "{" CPUS_LABEL ",\"HostConfig\":{\"CpuShares\":262144}}");
}

static void expect_counted(const char *inspect, enum swarm_cpu_shares policy, int64_t milli)
{
    struct swarm_request *request;

    assert_int_equal(swarm_request_from_inspect_as(&request, inspect, strlen(inspect), 2, policy, NULL), 0);
    assert_int_equal(swarm_request_cpus_milli(request), milli);
    swarm_request_unref(request);
}

static void test_weight_is_not_counted_later(void **state)
{
    expect_counted(INSPECT(WEIGHT_LABEL, "512"), AUTO, 0);
    expect_counted(INSPECT(WEIGHT_LABEL, "512"), CPUS, 0);
    expect_counted(INSPECT("", "512"), AUTO, 1000);
    expect_counted(INSPECT("", "512"), CPUS, 1000);
    expect_counted(INSPECT("", "512"), WEIGHT, 0);
    expect_counted(INSPECT(CPUS_LABEL, "512"), WEIGHT, 1000);
}

/* What an engine of 4 CPUs is sent to make it again. */
static void expect_moved(const char *inspect, enum swarm_cpu_shares policy, int64_t milli, const char *shares)
{
    struct swarm_create_body *body;
    char *text;

    assert_int_equal(swarm_create_body_from_inspect_as(&body, inspect, strlen(inspect), 2, policy, NULL), 0);
    assert_int_equal(swarm_request_cpus_milli(swarm_create_body_request(body)), milli);
    assert_int_equal(swarm_create_body_settle_cpu_shares(body, cluster, policy, NULL), 0);
    assert_int_equal(swarm_create_body_write(body, 4, &text, NULL, NULL), 0);
    if (strstr(text, shares) == NULL)
        fail_msg("no %s in %s", shares, text);
    swarm_free(text);
    swarm_create_body_free(body);
}

static void test_weight_stays_on_another_node(void **state)
{
    expect_moved(INSPECT(WEIGHT_LABEL, "512"), AUTO, 0, "\"CpuShares\":512}");
    expect_moved(INSPECT(WEIGHT_LABEL, "512"), CPUS, 0, "\"CpuShares\":512}");
    expect_moved(INSPECT("", "512"), AUTO, 1000, "\"CpuShares\":256}");
    expect_moved(INSPECT("", "512"), WEIGHT, 0, "\"CpuShares\":512}");
}

static int64_t changed(const char *label, enum swarm_cpu_shares policy, int64_t shares, int cpus)
{
    struct swarm_node *node = swarm_cluster_find_node(cluster, "small");
    struct swarm_container *container;
    struct swarm_request *request;
    int64_t told;

    assert_int_equal(swarm_request_new(&request, NULL), 0);
    if (label != NULL)
        assert_int_equal(swarm_request_set_label(request, "com.docker.swarm.cpushares", label, NULL), 0);
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c1", request, &container, NULL), 0);
    swarm_request_unref(request);
    told = swarm_container_cpu_shares(container, cluster, policy, shares, cpus);
    swarm_cluster_remove_container(cluster, container);
    return told;
}

static void test_change_is_in_the_engines_measure(void **state)
{
    assert_int_equal(changed(NULL, AUTO, 1, 2), 512);
    assert_int_equal(changed(NULL, AUTO, 512, 2), 512);
    assert_int_equal(changed(NULL, CPUS, 512, 2), 262144);
    assert_int_equal(changed("weight", AUTO, 2, 2), 2);
    assert_int_equal(changed("cpus", WEIGHT, 1, 4), 256);
    assert_int_equal(changed("other", AUTO, 1, 4), 256);
    assert_int_equal(changed(NULL, AUTO, 0, 2), 0);
    assert_int_equal(changed(NULL, AUTO, -1, 2), -1);
    assert_int_equal(changed(NULL, AUTO, 1, 0), 1);
    assert_int_equal(swarm_container_cpu_shares(NULL, NULL, AUTO, 1, 2), 512);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_meaning_is_by_number_and_policy),  TEST(test_weight_is_passed_on_and_said_in_a_label),
        TEST(test_cpus_are_converted_as_before),     TEST(test_label_goes_before_the_policy),
        TEST(test_weight_is_not_counted_later),      TEST(test_weight_stays_on_another_node),
        TEST(test_change_is_in_the_engines_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
