/* SPDX-License-Identifier: Apache-2.0 */
/* Why nodes were not taken: every reason with what it tells. */
#include <stdio.h>

#include "amount.h"
#include "lack.h"
#include "request.h"
#include "strategy.h"

#include "explain_fixture.h"

static void test_unhealthy(void **state)
{
    swarm_node_set_health(nodes[1], 0, NULL);
    check_why("", "2/3 nodes fit: 1 unhealthy");
}

static void test_port_taken_names_the_container_and_its_node(void **state)
{
    add_container(nodes[1], "c1", "name=other port=444");
    add_container(nodes[1], "c2", "name=web-1 port=443");
    check_why("port=443", "2/3 nodes fit: 1 port 443 taken by web-1 on n1");
    add_container(nodes[2], "c3", "name=web-2 port=10.0.0.1:443");
    check_why("port=443", "1/3 nodes fit: 2 port 443 taken by web-1 on n1 and others");
    check_why("port=10.0.0.2:443", "2/3 nodes fit: 1 port 10.0.0.2:443 taken by web-1 on n1");
    check_why("port=443 port=444", "1/3 nodes fit: 2 port 443 taken by web-1 on n1 and others");
    check_why("port=444 port=443", "1/3 nodes fit: 1 port 444 taken by other on n1, 1 port 443 taken by web-2 on n2");
}

static void test_port_taken_by_a_binding_and_by_a_place(void **state)
{
    struct swarm_container *container = add_container(nodes[0], "0123456789abcdef", "");
    swarm_container_set_bound_ports(container, (const struct swarm_bound_port[]){{"0.0.0.0", "8080"}}, 1, NULL);
    struct swarm_reservation *named = take_place(nodes[1], "name=soon port=8080");
    struct swarm_reservation *unnamed = take_place(nodes[2], "port=8081");
    check_why("port=8080", "1/3 nodes fit: 2 port 8080 taken by 0123456789ab on n0 and others");
    check_why("port=8080 constraint=node==n1",
              "0/3 nodes fit: 2 port 8080 taken by 0123456789ab on n0 and others, 1 constraint node==n1");
    check_why("port=8081", "2/3 nodes fit: 1 port 8081 taken by a container that is being created on n2");
    swarm_container_set_bound_ports(container, NULL, 0, NULL);
    check_why("port=8080", "2/3 nodes fit: 1 port 8080 taken by soon on n1");
    swarm_reservation_abort(named);
    swarm_reservation_abort(unnamed);
}

static void test_port_of_the_host_network(void **state)
{
    add_container(nodes[0], "c0", "name=bridged expose=80/tcp");
    add_container(nodes[0], "c1", "name=dns net=host expose=53/udp expose=80/tcp");
    check_why("net=host expose=80/tcp expose=53/udp", "2/3 nodes fit: 1 port 80/tcp taken by dns on n0");
}

static void test_blocker_is_the_container(void **state)
{
    struct swarm_container *web = add_container(nodes[2], "c1", "name=web port=443");
    struct swarm_decision *decision = explain("spread", NULL, "port=443");
    const struct swarm_cause *cause = swarm_decision_cause(decision, 0);
    assert_ptr_equal(swarm_cause_blocker(cause), web);
    assert_string_equal(swarm_cause_detail(cause), "443");
    assert_string_equal(swarm_cause_filter(cause), "port");
    assert_int_equal(swarm_cause_reason(cause), SWARM_REASON_PORT);
    assert_null(swarm_cause_nearest(cause));
    int unit = -1;
    assert_int_equal(swarm_cause_shortage(cause, nodes[2], &unit), 0);
    assert_int_equal(unit, SWARM_UNIT_NONE);
    swarm_decision_free(decision);
}

static void test_container_slots(void **state)
{
    label_node(nodes[0], "containerslots=1");
    label_node(nodes[1], "containerslots=0");
    add_container(nodes[0], "c1", "");
    add_container(nodes[0], "c2", "");
    add_container(nodes[0], "c3", "");
    check_why("", "1/3 nodes fit: 2 container slots short (nearest n1 lacks 1 slot)");
    label_node(nodes[1], "containerslots=-9223372036854775808");
    add_container(nodes[1], "c4", "");
    check_why("", "1/3 nodes fit: 2 container slots short (nearest n1 lacks 2 slots)");
    struct swarm_decision *decision = explain("spread", NULL, "");
    int unit = -1;
    const struct swarm_cause *cause = swarm_decision_cause(decision, 0);
    assert_int_equal(swarm_cause_shortage(cause, nodes[0], &unit), 3);
    assert_int_equal(unit, SWARM_UNIT_CONTAINERS);
    assert_int_equal(swarm_cause_shortage(cause, NULL, NULL), 2);
    assert_int_equal(swarm_cause_shortage(cause, nodes[2], &unit), 0);
    assert_int_equal(unit, SWARM_UNIT_NONE);
    swarm_decision_free(decision);
}

static void test_dependency(void **state)
{
    add_container(nodes[0], "c1", "name=db");
    add_container(nodes[1], "c2", "name=data");
    check_why("link=db:d", "1/3 nodes fit: 2 dependency --link=db:d");
    check_why("link=db:d volumes=data:ro",
              "0/3 nodes fit: 2 dependency --volumes-from=data:ro, 1 dependency --link=db:d");
    check_why("net=container:data", "1/3 nodes fit: 2 dependency --net=container:data");
}

static void test_affinity(void **state)
{
    add_image_to(nodes[0], "sha256:1", "app:1");
    add_container(nodes[1], "c1", "name=web label=tier=front");
    check_why("affinity=image==app", "1/3 nodes fit: 2 affinity image==app");
    check_why("affinity=tier!=front affinity=image==/^app/",
              "1/3 nodes fit: 1 affinity tier!=front, 1 affinity image==/^app/");
}

static void test_constraint_and_whitelist(void **state)
{
    label_node(nodes[0], "zone=a disk=ssd");
    label_node(nodes[1], "zone=a");
    check_why("constraint=zone==a constraint=disk==ssd", "1/3 nodes fit: 1 constraint zone==a, 1 constraint disk==ssd");
    check_why("whitelist=node==n0|n1", "2/3 nodes fit: 1 whitelist node==n0|n1");
    check_why("constraint=zone==b", "0/3 nodes fit: 3 constraint zone==b");
}

static void test_paused_draining_and_replaced(void **state)
{
    swarm_node_set_availability(nodes[0], SWARM_AVAILABILITY_PAUSED, NULL);
    swarm_node_set_availability(nodes[1], SWARM_AVAILABILITY_DRAINING, NULL);
    check_why("", "1/3 nodes fit: 1 paused, 1 draining");
    swarm_node_set_availability(nodes[1], SWARM_AVAILABILITY_UNANNOUNCED, NULL);
    check_why("", "1/3 nodes fit: 1 paused, 1 unannounced");
    swarm_node_set_availability(nodes[1], SWARM_AVAILABILITY_DRAINING, NULL);
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.replaces = add_container(nodes[2], "c1", "name=web");
    struct swarm_scheduler *scheduler = new_scheduler(NULL, NULL);
    struct swarm_request *request = request_of("name=web");
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, &options, &decision, NULL), 0);
    assert_string_equal(summary_of(decision), "0/3 nodes fit: 1 paused, 1 draining, 1 to be replaced");
    assert_string_equal(swarm_decision_message(decision), "No healthy node available in the cluster");
    assert_null(swarm_cause_filter(swarm_decision_cause(decision, 0)));
    assert_null(swarm_cause_detail(swarm_decision_cause(decision, 0)));
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static void test_name_taken(void **state)
{
    struct swarm_container *web = add_container(nodes[1], "0123456789abcdef", "name=web");
    check_why("name=web cpus=1000", "0/3 nodes fit: name web taken by container 0123456789ab on n1");
    struct swarm_decision *decision = explain("spread", NULL, "name=web");
    assert_int_equal(swarm_decision_code(decision), SWARM_ERR_NAME_TAKEN);
    assert_ptr_equal(swarm_cause_blocker(swarm_decision_cause(decision, 0)), web);
    assert_int_equal(swarm_cause_count(swarm_decision_cause(decision, 0)), 3);
    assert_ptr_equal(swarm_decision_cause_of(decision, nodes[0]), swarm_decision_cause(decision, 0));
    assert_non_null(strstr(swarm_decision_message(decision), "Conflict: The name web is already assigned."));
    swarm_decision_free(decision);
    struct swarm_reservation *place = take_place(nodes[2], "name=soon");
    check_why("name=soon", "0/3 nodes fit: name soon taken by a container that is being created on n2");
    swarm_reservation_abort(place);
    assert_int_equal(swarm_cluster_hold_name(cluster, "held", NULL), 0);
    check_why("name=held", "0/3 nodes fit: name held taken by a rename under way");
    swarm_cluster_release_name(cluster, "held");
}

static void test_empty_cluster(void **state)
{
    for (size_t i = 0; i < COUNT(nodes); i++)
        swarm_cluster_remove_node(cluster, nodes[i]);
    check_why("constraint=zone==a", "0/0 nodes fit");
    check_why_of("random", "constraint", "", "0/0 nodes fit");
    check_why_of("random", "", "", "0/0 nodes fit");
}

static void test_flawed_expression(void **state)
{
    struct swarm_request *request = request_of("constraint=node!=n0");
    assert_int_equal(swarm__request_keep_affinity(request, "container=x", strlen("container=x")), 0);
    struct swarm_scheduler *scheduler = new_scheduler(NULL, "constraint affinity");
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, NULL), 0);
    assert_int_equal(swarm_decision_code(decision), SWARM_ERR_PARSE);
    assert_string_equal(summary_of(decision),
                        "0/3 nodes fit: 2 affinity: One of operator ==, != is expected, 1 constraint node!=n0");
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

static void size_nodes(void)
{
    for (size_t i = 0; i < COUNT(nodes); i++)
        assert_int_equal(swarm_node_set_capacity(nodes[i], 4000, (int64_t)(i + 1) * GIB, NULL), 0);
}

static void test_memory_short(void **state)
{
    size_nodes();
    check_why("memory=2", "2/3 nodes fit: 1 memory short (nearest n0 lacks 1 GiB)");
    check_why("memory=4", "0/3 nodes fit: 3 memory short (nearest n2 lacks 1 GiB)");
    check_why_of("binpack", NULL, "memory=4", "0/3 nodes fit: 3 memory short (nearest n2 lacks 1 GiB)");
    check_why_of("random", NULL, "memory=4", "3/3 nodes fit");
    struct swarm_decision *decision = explain("spread", NULL, "memory=4");
    const struct swarm_cause *cause = swarm_decision_cause(decision, 0);
    int unit = -1;
    assert_int_equal(swarm_cause_reason(cause), SWARM_REASON_MEMORY);
    assert_string_equal(swarm_cause_filter(cause), "spread");
    assert_ptr_equal(swarm_cause_nearest(cause), nodes[2]);
    assert_int_equal(swarm_cause_shortage(cause, nodes[0], &unit), 3 * GIB);
    assert_int_equal(unit, SWARM_UNIT_BYTES);
    assert_string_equal(swarm_decision_message(decision), "no resources available to schedule container");
    swarm_decision_free(decision);
}

static void test_cpu_short_prefers_a_node_that_lacks_nothing_else(void **state)
{
    size_nodes();
    add_container(nodes[2], "c1", "cpus=2");
    /* n0 and n1 lack less CPU, but memory too. */
    check_why("cpus=5 memory=3", "0/3 nodes fit: 3 CPU short (nearest n2 lacks 3 CPUs)");
    check_why("cpus=5 memory=1", "0/3 nodes fit: 3 CPU short (nearest n0 lacks 1 CPU)");
    check_why("cpus=3 memory=3",
              "0/3 nodes fit: 2 memory short (nearest n1 lacks 1 GiB), 1 CPU short (nearest n2 lacks 1 CPU)");
}

static void test_named_resource_short(void **state)
{
    check_why("resource=gpu:1", "0/3 nodes fit: 3 gpu short (nearest n0 lacks 1)");
    assert_int_equal(swarm_node_set_resource(nodes[1], "gpu", 4, NULL), 0);
    assert_int_equal(swarm_node_set_resource(nodes[2], "gpu", 8, NULL), 0);
    add_container(nodes[1], "c1", "resource=gpu:3");
    check_why("resource=gpu:2 constraint=node!=n0",
              "1/3 nodes fit: 1 constraint node!=n0, 1 gpu short (nearest n1 lacks 1)");
    check_why_of("random", NULL, "resource=gpu:9 resource=fpga:1", "0/3 nodes fit: 3 gpu short (nearest n2 lacks 1)");
    check_why("resource=gpu:2 resource=fpga:1 cpus=1",
              "0/3 nodes fit: 2 gpu short (nearest n1 lacks 1), 1 fpga short (nearest n2 lacks 1)");
    struct swarm_decision *decision = explain("spread", NULL, "resource=gpu:9");
    const struct swarm_cause *cause = swarm_decision_cause(decision, 0);
    int unit = -1;
    assert_int_equal(swarm_cause_reason(cause), SWARM_REASON_RESOURCE);
    assert_null(swarm_cause_filter(cause));
    assert_string_equal(swarm_cause_detail(cause), "gpu");
    assert_int_equal(swarm_cause_shortage(cause, nodes[1], &unit), 8);
    assert_int_equal(unit, SWARM_UNIT_PIECES);
    assert_string_equal(swarm_decision_message(decision), "no resources available to schedule container");
    swarm_decision_free(decision);
}

static void test_stopped_container_that_counts_for_nothing_is_no_blocker(void **state)
{
    struct swarm_container *stopped = add_container(nodes[0], "c1", "name=old port=80");
    add_container(nodes[0], "c2", "name=new port=80");
    swarm_container_set_state(stopped, SWARM_CONTAINER_EXITED, NULL);
    check_why("port=80", "2/3 nodes fit: 1 port 80 taken by old on n0");
    assert_int_equal(swarm_cluster_set_stopped_counts(cluster, 0, NULL), 0);
    check_why("port=80", "2/3 nodes fit: 1 port 80 taken by new on n0");
}

static void test_causes_come_in_order_and_cover_each_node_once(void **state)
{
    size_nodes();
    add_node(cluster, "n3", "");
    label_node(nodes[0], "zone=a");
    label_node(nodes[1], "zone=a");
    swarm_node_set_availability(nodes[2], SWARM_AVAILABILITY_DRAINING, NULL);
    struct swarm_decision *decision = explain("spread", NULL, "constraint=zone==a memory=4");
    assert_string_equal(summary_of(decision),
                        "0/4 nodes fit: 2 memory short (nearest n1 lacks 2 GiB), 1 draining, 1 constraint zone==a");
    assert_int_equal(swarm_decision_node_count(decision), 4);
    assert_int_equal(swarm_decision_fit_count(decision), 0);
    assert_null(swarm_decision_node(decision));
    assert_null(swarm_decision_cause(decision, 3));
    size_t seen = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct swarm_cause *cause = swarm_decision_cause(decision, i);
        size_t count = 0;
        for (struct swarm_node *node = NULL; (node = swarm_cause_next_node(cause, node)); count++)
            assert_ptr_equal(swarm_decision_cause_of(decision, node), cause);
        assert_int_equal(count, swarm_cause_count(cause));
        seen += count;
    }
    assert_int_equal(seen, 4);
    swarm_decision_free(decision);
}

static void test_shortage_goes_with_the_rule_of_room(void **state)
{
    uint64_t x = 20261126;
    for (int i = 0; i < 200000; i++) {
        int64_t values[3];
        for (int j = 0; j < 3; j++) {
            x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            values[j] = (int64_t)((x >> 1) >> (x >> 58));
        }
        int64_t used = values[0], total = values[1], asked = values[2], more;
        int percent;
        int64_t lack = swarm__lack(used, total, asked);
        assert_int_equal(lack == 0, swarm__strategy_share(used, asked, total, &percent));
        assert_true(lack >= 0);
        if (lack > 0 && !__builtin_add_overflow(total, lack, &more)) {
            assert_true(more - used == asked);
            assert_true(swarm__strategy_share(used, asked, more, &percent));
        }
    }
    assert_true(swarm__lack(INT64_MAX, 0, INT64_MAX) == INT64_MAX);
    assert_int_equal(swarm__lack(0, 0, 5), 5);
    assert_int_equal(swarm__lack(7, 0, 0), 0);
    assert_int_equal(swarm__lack(50, 100, 50), 0);
    assert_int_equal(swarm__lack(50, 1000, 959), 0);
    assert_int_equal(swarm__lack(50, 1000, 960), 10);
}

static void check_amount(int64_t amount, int unit, const char *expected)
{
    char text[SWARM__AMOUNT_SIZE];
    swarm__amount_text(text, amount, unit);
    assert_string_equal(text, expected);
}

static void test_amounts_for_people(void **state)
{
    check_amount(1, SWARM_UNIT_BYTES, "1 B");
    check_amount(1023, SWARM_UNIT_BYTES, "1023 B");
    check_amount(1025, SWARM_UNIT_BYTES, "1.1 KiB");
    check_amount(INT64_C(310) << 20, SWARM_UNIT_BYTES, "310 MiB");
    check_amount((INT64_C(309) << 20) + 1, SWARM_UNIT_BYTES, "310 MiB");
    check_amount((INT64_C(1) << 30) - 1, SWARM_UNIT_BYTES, "1 GiB");
    check_amount((INT64_C(3) << 29), SWARM_UNIT_BYTES, "1.5 GiB");
    check_amount((INT64_C(2) << 30) - 1, SWARM_UNIT_BYTES, "2 GiB");
    check_amount(INT64_MAX, SWARM_UNIT_BYTES, "8 EiB");
    check_amount(1000, SWARM_UNIT_CPUS_MILLI, "1 CPU");
    check_amount(1500, SWARM_UNIT_CPUS_MILLI, "1.5 CPUs");
    check_amount(25, SWARM_UNIT_CPUS_MILLI, "0.025 CPUs");
    check_amount(1, SWARM_UNIT_CONTAINERS, "1 slot");
    check_amount(2, SWARM_UNIT_CONTAINERS, "2 slots");
    check_amount(3, SWARM_UNIT_PIECES, "3");
}

static void test_reasons_have_names(void **state)
{
    int count = 0;
    for (; swarm_reason_name(count); count++)
        for (int i = 0; i < count; i++)
            assert_string_not_equal(swarm_reason_name(i), swarm_reason_name(count));
    assert_int_equal(count, SWARM_REASON_UNANNOUNCED + 1);
    assert_null(swarm_reason_name(-1));
}

static void test_many_causes_are_told_in_part(void **state)
{
    char words[2048] = "";
    for (int i = 0; i < 20; i++) {
        char id[8], more[64];
        snprintf(id, sizeof(id), "m%d", i);
        add_node(cluster, id, id);
        snprintf(more, sizeof(more), "constraint=node!=%s ", id);
        strcat(words, more);
    }
    struct swarm_decision *decision = explain("spread", NULL, words);
    assert_non_null(strstr(summary_of(decision), "3/23 nodes fit: 1 constraint node!=m0, 1 constraint node!=m1, "));
    assert_non_null(strstr(summary_of(decision), "1 constraint node!=m15, and 4 reasons more"));
    assert_non_null(swarm_decision_cause(decision, 19));
    swarm_decision_free(decision);
}

static void test_null_arguments(void **state)
{
    struct swarm_scheduler *scheduler = new_scheduler(NULL, NULL);
    struct swarm_request *request = request_of("");
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, NULL, NULL, &decision, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_explain(scheduler, NULL, request, NULL, &decision, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_explain(NULL, cluster, request, NULL, &decision, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_would_fit(scheduler, cluster, request, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_scheduler_would_fit(scheduler, cluster, NULL, &decision, NULL), SWARM_ERR_INVALID);
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.extra_affinity = "image=app";
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, &options, &decision, &error),
                     SWARM_ERR_PARSE);
    assert_non_null(strstr(swarm_error_message(error), "image=app"));
    swarm_error_free(error);
    assert_null(decision);
    char *text = NULL;
    assert_int_equal(swarm_decision_text(NULL, &text, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_decision_json(NULL, &text, NULL, NULL), SWARM_ERR_INVALID);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_nodes, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_unhealthy),
        TEST(test_port_taken_names_the_container_and_its_node),
        TEST(test_port_taken_by_a_binding_and_by_a_place),
        TEST(test_port_of_the_host_network),
        TEST(test_blocker_is_the_container),
        TEST(test_container_slots),
        TEST(test_dependency),
        TEST(test_affinity),
        TEST(test_constraint_and_whitelist),
        TEST(test_paused_draining_and_replaced),
        TEST(test_name_taken),
        TEST(test_empty_cluster),
        TEST(test_flawed_expression),
        TEST(test_memory_short),
        TEST(test_cpu_short_prefers_a_node_that_lacks_nothing_else),
        TEST(test_named_resource_short),
        TEST(test_stopped_container_that_counts_for_nothing_is_no_blocker),
        TEST(test_causes_come_in_order_and_cover_each_node_once),
        TEST(test_shortage_goes_with_the_rule_of_room),
        TEST(test_amounts_for_people),
        TEST(test_reasons_have_names),
        TEST(test_many_causes_are_told_in_part),
        TEST(test_null_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
