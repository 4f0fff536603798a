/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_fixture.h"

static void check(const char *words, const char *expected)
{
    check_left("port", words, expected);
}

static void bind_port(struct swarm_container *container, const char *ip, const char *port)
{
    struct swarm_bound_port bound = {ip, port};
    assert_int_equal(swarm_container_set_bound_ports(container, &bound, 1, NULL), 0);
}

static void test_nothing_bound(void **state)
{
    check("", "n0 n1 n2");
    check("port=80", "n0 n1 n2");
}

static void test_other_port_bound(void **state)
{
    add_container(nodes[0], "c", "port=4242");
    check("port=80", "n0 n1 n2");
}

static void test_bound_on_all_interfaces(void **state)
{
    add_container(nodes[0], "c", "port=80");
    check("port=80", "n1 n2");
    check("port=127.0.0.1:80", "n1 n2");
    check("port=0.0.0.0:80", "n1 n2");
}

static void test_bound_on_one_interface(void **state)
{
    add_container(nodes[1], "c", "port=127.0.0.1:4242");
    check("port=127.0.0.1:4242", "n0 n2");
    check("port=0.0.0.0:4242", "n0 n2");
    check("port=4242", "n0 n2");
    check("port=:::4242", "n0 n2");
    check("port=192.168.1.1:4242", "n0 n1 n2");
}

static void test_unspecified_addresses_stand_for_all(void **state)
{
    add_container(nodes[0], "a", "port=:::80");
    add_container(nodes[1], "b", "port=0:0:0:0:0:0:0:0:80");
    add_container(nodes[2], "c", "port=0.0.0.0:80");
    check("port=10.0.0.1:80", NONE "[port 80 (Bridge mode)]");
}

static void test_really_bound_port_counts(void **state)
{
    struct swarm_container *container = add_container(nodes[0], "c", "port=");
    bind_port(container, "127.0.0.1", "1234");
    check("port=80", "n0 n1 n2");
    check("port=1234", "n1 n2");
    check("port=10.0.0.1:1234", "n0 n1 n2");
}

static void test_port_that_is_bound_no_more(void **state)
{
    struct swarm_container *container = add_container(nodes[0], "c", "port=");
    bind_port(container, "", "1234");
    bind_port(container, "", "1235");
    check("port=1234", "n0 n1 n2");
    check("port=1235", "n1 n2");
    assert_int_equal(swarm_container_set_bound_ports(container, NULL, 0, NULL), 0);
    check("port=1235", "n0 n1 n2");
}

static void test_any_port_is_never_in_the_way(void **state)
{
    add_container(nodes[0], "a", "port=");
    add_container(nodes[1], "b", "port=0");
    bind_port(add_container(nodes[2], "c", ""), "", "0");
    check("port=", "n0 n1 n2");
    check("port=0", "n0 n1 n2");
}

static void test_ranges_compare_as_text(void **state)
{
    add_container(nodes[0], "c", "port=8000-8010");
    check("port=8000-8010", "n1 n2");
    check("port=8005", "n0 n1 n2");
}

static void test_place_taken_counts(void **state)
{
    struct swarm_reservation *place = take_place(nodes[0], "port=80");
    check("port=80", "n1 n2");
    swarm_reservation_abort(place);
    check("port=80", "n0 n1 n2");
}

static void test_removed_container_counts_no_more(void **state)
{
    struct swarm_container *container = add_container(nodes[0], "c", "port=80");
    bind_port(container, "", "80");
    swarm_cluster_remove_container(cluster, container);
    check("port=80", "n0 n1 n2");
}

static void test_each_port_narrows(void **state)
{
    add_container(nodes[0], "a", "port=80");
    add_container(nodes[1], "b", "port=81");
    add_container(nodes[2], "c", "port=82");
    check("port=80 port=81", "n2");
    check("port=80 port=81 port=82", NONE "[port 80 (Bridge mode) port 81 (Bridge mode) port 82 (Bridge mode)]");
}

static void test_host_mode_compares_exposed_ports(void **state)
{
    add_container(nodes[0], "a", "net=host expose=80/tcp");
    add_container(nodes[1], "b", "expose=80/tcp");
    check("net=host expose=80/tcp", "n1 n2");
    check("net=host expose=80/udp", "n0 n1 n2");
    check("expose=80/tcp", "n0 n1 n2");
}

static void test_host_mode_refusal(void **state)
{
    for (int i = 0; i < 3; i++)
        add_container(nodes[i], "a", "net=host expose=80/tcp");
    check("net=host expose=80/tcp", NONE "[port 80/tcp (Host mode)]");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_nodes, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_bound),
        TEST(test_other_port_bound),
        TEST(test_bound_on_all_interfaces),
        TEST(test_bound_on_one_interface),
        TEST(test_unspecified_addresses_stand_for_all),
        TEST(test_really_bound_port_counts),
        TEST(test_port_that_is_bound_no_more),
        TEST(test_any_port_is_never_in_the_way),
        TEST(test_ranges_compare_as_text),
        TEST(test_place_taken_counts),
        TEST(test_removed_container_counts_no_more),
        TEST(test_each_port_narrows),
        TEST(test_host_mode_compares_exposed_ports),
        TEST(test_host_mode_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
