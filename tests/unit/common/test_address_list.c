/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "address_list.h"
#include "discovery.h"

static struct address_list list;

static int tear_down(void **state)
{
    address_list_clear(&list);
    return 0;
}

static void refused(const char *text, const char *expected)
{
    char *error = NULL;
    assert_int_equal(address_list_add(&list, text, &error), -1);
    assert_string_equal(error, expected);
    free(error);
}

static void added(const char *text)
{
    char *error = NULL;
    assert_int_equal(address_list_add_range(&list, text, &error), 0);
    assert_null(error);
}

static void test_addresses_that_are_none(void **state)
{
    static const char *const bad[] = {
        "1.1.1.1",
        "hostname",
        "1.1.1.1:",
        "hostname:",
        "1.1.1.1:111111",
        "hostname:111111",
        "1.1.1.1:65536",
        "1.1.1.1:0",
        "1.1.1.1:-1",
        "http://1.1.1.1",
        "http://hostname",
        "http://1.1.1.1:1",
        "http://hostname:1",
        ":1.1.1.1",
        ":hostname",
        ":1.1.1.1:1",
        ":hostname:1",
        "1.1.1.1: 4000",
        "1.1.1.1:m2",
        "2001:db8:0:f101::3:2375",
        "[2001:db8:0:f101::3]:3:2375",
        "",
        "[",
        "]",
        "[:1",
        "[a]",
        "[a]b:1",
        "a[b]:1",
        "[a]]:1",
        "a b:1",
        "a/b:1",
        "a@b:1",
        "a:1\n",
        "a\n:1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (discovery_is_address(bad[i]))
            fail_msg("\"%s\" passes for an address", bad[i]);
    }
}

static void test_addresses_that_are_good(void **state)
{
    static const char *const good[] = {"1.1.1.1:1111",  "hostname:1111", "host-name_42:1111",
                                       "1.1.1.1:65535", "h:1",           "[2001:db8:0:f101::3]:2375",
                                       ":2375"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!discovery_is_address(good[i]))
            fail_msg("\"%s\" does not pass for an address", good[i]);
    }
}

static void test_error_says_what_is_wrong(void **state)
{
    refused("", "missing port in address");
    refused("1.2.3.4", "address 1.2.3.4: missing port in address");
    refused("::1:2", "address ::1:2: too many colons in address");
    refused("[::1", "address [::1: missing ']' in address");
    refused("[::1]:2:3", "address [::1]:2:3: too many colons in address");
    refused("a[1]:2", "address a[1]:2: unexpected '[' in address");
    refused("a]:2", "address a]:2: unexpected ']' in address");
    refused("a b:2", "address a b:2: unexpected ' ' in address");
    refused("a:b", "address a:b: port \"b\" is not a number from 1 to 65535");
    assert_int_equal(list.count, 0);
}

static void test_order_is_kept_and_twice_is_once(void **state)
{
    added("b:1");
    added("a:1");
    added("b:1");
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0], "b:1");
    assert_string_equal(list.items[1], "a:1");
    assert_null(list.items[2]);
}

static void test_ipv6_keeps_its_brackets_and_names_lose_them(void **state)
{
    added("[::1]:2");
    added("[host]:2");
    assert_string_equal(list.items[0], "[::1]:2");
    assert_string_equal(list.items[1], "host:2");
}

static void test_range_in_the_host(void **state)
{
    added("10.0.0.[9:11]:2375");
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0], "10.0.0.9:2375");
    assert_string_equal(list.items[2], "10.0.0.11:2375");
}

static void test_range_in_the_port(void **state)
{
    added("192.168.1.2:[2:20]375");
    assert_int_equal(list.count, 19);
    assert_string_equal(list.items[0], "192.168.1.2:2375");
    assert_string_equal(list.items[18], "192.168.1.2:20375");
}

static void test_range_that_goes_down_is_empty(void **state)
{
    added("10.0.0.[5:1]:2375");
    assert_int_equal(list.count, 0);
}

static void test_range_that_is_none_is_taken_as_it_is(void **state)
{
    added("[2001:db8::a]:2375");
    assert_string_equal(list.items[0], "[2001:db8::a]:2375");
    char *error = NULL;
    assert_int_equal(address_list_add_range(&list, "10.0.[0:1].[0:1]:2375", &error), -1);
    assert_string_equal(error, "address 10.0.[0:1].[0:1]:2375: too many colons in address");
    free(error);
}

static void test_range_with_a_bad_address_is_refused(void **state)
{
    char *error = NULL;
    assert_int_equal(address_list_add_range(&list, "a:[6:7]5535", &error), -1);
    assert_string_equal(error, "address a:75535: port \"75535\" is not a number from 1 to 65535");
    free(error);
}

static void refused_range(const char *text, const char *expected)
{
    char *error = NULL;
    assert_int_equal(address_list_add_range(&list, text, &error), -1);
    assert_string_equal(error, expected);
    free(error);
}

static void test_sockets_are_named_by_their_path(void **state)
{
    added("unix:///run/a.sock");
    added("unix:///run/b[1:2].sock");
    added("unix:///run/a.sock");
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0], "unix:///run/a.sock");
    assert_string_equal(list.items[2], "unix:///run/b2.sock");
    refused_range("unix://", "address unix://: missing path in address");
    refused_range("unix://run/a", "address unix://run/a: the path does not begin with \"/\"; unix:///path is expected");
    refused_range("unix:///a b", "address unix://…: unexpected byte 0x20 in its path");
}

static void test_socket_is_none_of_a_store(void **state)
{
    refused("unix:///run/a",
            "address unix:///run/a: a socket of this machine can be named by nodes:// and file:// only");
    assert_false(discovery_may_announce("unix:///run/a"));
}

static void test_hosts_behind_ssh(void **state)
{
    static const char *const good[] = {"ssh://h", "ssh://root@h:22", "ssh://u@[::1]:2222/run/docker.sock",
                                       "ssh://[fe80::1%eth0]", "ssh://a.b-c_d/x"};
    char *error = NULL;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(discovery_may_announce(good[i]));
        assert_false(discovery_is_address(good[i]));
        assert_int_equal(address_list_add(&list, good[i], &error), 0);
        assert_string_equal(list.items[i], good[i]);
    }
    added("ssh://root@h:22/");
    assert_int_equal(list.count, 5);
    added("ssh://10.0.0.[1:3]");
    assert_int_equal(list.count, 8);
}

static void test_what_a_shell_or_ssh_would_misread_is_refused(void **state)
{
    static const char *const bad[] = {"ssh://",        "ssh:///run/x", "ssh://-oProxyCommand=x",
                                      "ssh://-l@h",    "ssh://@h",     "ssh://h:0",
                                      "ssh://h:65536", "ssh://h:",     "ssh://h:a",
                                      "ssh://a:b:1",   "ssh://[::1",   "ssh://[::1]x",
                                      "ssh://h/a;b",   "ssh://h/$(x)", "ssh://h/a b",
                                      "ssh://h b",     "ssh://a'b@h",  "ssh://a@b@h",
                                      "ssh://h?x",     "ssh://h/a'",   "ssh://h\n",
                                      "ssh://%h",      "ssh://u:p@h"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *error = NULL;
        if (discovery_may_announce(bad[i]) || address_list_add(&list, bad[i], &error) == 0)
            fail_msg("\"%s\" passes for an address", bad[i]);
        free(error);
    }
    refused("ssh://h:0", "address ssh://h:0: the port is no number from 1 to 65535; "
                         "ssh://[user@]host[:port][/path] is expected");
}

static void test_range_too_long_is_refused(void **state)
{
    char *error = NULL;
    assert_int_equal(address_list_add_range(&list, "a[-9223372036854775808:9223372036854775807]:1", &error), -1);
    assert_string_equal(error, "range a[-9223372036854775808:9223372036854775807]:1: more than 100000 addresses");
    free(error);
    added("a[9223372036854775806:9223372036854775807]:1");
    assert_int_equal(list.count, 2);
}

static void test_lists_are_equal_with_the_same_order(void **state)
{
    struct address_list other = {0};
    char *error = NULL;
    added("a:1");
    added("b:1");
    address_list_add(&other, "b:1", &error);
    assert_false(address_list_equal(&list, &other));
    address_list_add(&other, "a:1", &error);
    assert_false(address_list_equal(&list, &other));
    address_list_clear(&other);
    address_list_add_range(&other, "a:1", &error);
    address_list_add_range(&other, "b:1", &error);
    assert_true(address_list_equal(&list, &other));
    address_list_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_addresses_that_are_none, tear_down),
        cmocka_unit_test_teardown(test_addresses_that_are_good, tear_down),
        cmocka_unit_test_teardown(test_error_says_what_is_wrong, tear_down),
        cmocka_unit_test_teardown(test_order_is_kept_and_twice_is_once, tear_down),
        cmocka_unit_test_teardown(test_ipv6_keeps_its_brackets_and_names_lose_them, tear_down),
        cmocka_unit_test_teardown(test_sockets_are_named_by_their_path, tear_down),
        cmocka_unit_test_teardown(test_socket_is_none_of_a_store, tear_down),
        cmocka_unit_test_teardown(test_hosts_behind_ssh, tear_down),
        cmocka_unit_test_teardown(test_what_a_shell_or_ssh_would_misread_is_refused, tear_down),
        cmocka_unit_test_teardown(test_range_in_the_host, tear_down),
        cmocka_unit_test_teardown(test_range_in_the_port, tear_down),
        cmocka_unit_test_teardown(test_range_that_goes_down_is_empty, tear_down),
        cmocka_unit_test_teardown(test_range_that_is_none_is_taken_as_it_is, tear_down),
        cmocka_unit_test_teardown(test_range_with_a_bad_address_is_refused, tear_down),
        cmocka_unit_test_teardown(test_range_too_long_is_refused, tear_down),
        cmocka_unit_test_teardown(test_lists_are_equal_with_the_same_order, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
