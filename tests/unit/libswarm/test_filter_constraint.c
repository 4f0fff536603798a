/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_fixture.h"

/* Four nodes, three with labels. */
static struct swarm_node *bare;

static int set_up(void **state)
{
    set_up_cluster(state);
    label_node(add_node(cluster, "node-0-id", "node-0-name"), "name=node0 group=1 region=us-west");
    label_node(add_node(cluster, "node-1-id", "node-1-name"), "name=node1 group=1 region=us-east");
    label_node(add_node(cluster, "node-2-id", "node-2-name"), "name=node2 group=2 region=eu");
    bare = add_node(cluster, "node-3-id", "node-3-name");
    return 0;
}

#define N0 "node-0-id"
#define N1 "node-1-id"
#define N2 "node-2-id"
#define N3 "node-3-id"

static void check(const char *words, const char *expected)
{
    check_left("constraint", words, expected);
}

static void test_nothing_asked_keeps_all_in_order(void **state)
{
    check("", N0 " " N1 " " N2 " " N3);
}

static void test_label_equals(void **state)
{
    check("constraint=name==node1", N1);
    check("constraint=group==1", N0 " " N1);
    check("constraint=does_not_exist==true", NONE "[does_not_exist==true]");
    check("constraint=region==us", NONE "[region==us]");
}

static void test_all_constraints_hold_together(void **state)
{
    check("constraint=name==node0 constraint=group==1", N0);
    check("constraint=name==node0 constraint=group==2", NONE "[name==node0 group==2]");
}

static void test_node_is_its_id_and_its_name(void **state)
{
    check("constraint=node==node-2-id", N2);
    check("constraint=node==node-1-name", N1);
    check("constraint=node!=/node-[01]-id/", N2 " " N3);
    check("constraint=node!=node-3-name", N0 " " N1 " " N2);
}

static void test_globs(void **state)
{
    check("constraint=region==us*", N0 " " N1);
    check("constraint=region==*us*", N0 " " N1);
    check("constraint=region!=us*", N2 " " N3);
}

static void test_missing_label_counts_as_empty(void **state)
{
    check("constraint=name!=node0", N1 " " N2 " " N3);
    check("constraint=name!=does_not_exist", N0 " " N1 " " N2 " " N3);
    check("constraint=name!=n*", N3);
    check("constraint=name==*", N0 " " N1 " " N2 " " N3);
    check("constraint=nowhere==*", N0 " " N1 " " N2 " " N3);
    check("constraint=name==/^$/", N3);
}

static void test_regular_expressions(void **state)
{
    check("constraint=name==/node\\d/", N0 " " N1 " " N2);
    check("constraint=name==/node[12]/", N1 " " N2);
    check("constraint=name!=/node[12]/", N0 " " N3);
}

static void test_case_matters_unless_told_otherwise(void **state)
{
    label_node(bare, "name=aBcDeF");
    check("constraint=name==/abcdef/", NONE "[name==/abcdef/]");
    check("constraint=name==/(?i)abcdef/", N3);
    check("constraint=name!=/(?i)abc*/", N0 " " N1 " " N2);
}

static void test_patterns_that_do_not_compile_match_nothing(void **state)
{
    check("kept=name==/(/", NONE "[name==/(/]");
    check("kept=name!=/(/", N0 " " N1 " " N2 " " N3);
}

static void test_lone_slashes_are_harmless(void **state)
{
    check("kept=name==/", NONE "[name==/]");
    check("kept=name!=/", N0 " " N1 " " N2 " " N3);
}

static void test_soft_constraints_hold_where_they_can(void **state)
{
    check("constraint=node==~node-1-name", N1);
    check("constraint=region!=~us*", N2 " " N3);
    check("constraint=region!=~can*", N0 " " N1 " " N2 " " N3);
}

static void test_soft_constraints_are_dropped_where_they_cannot(void **state)
{
    check("constraint=region==~mars", N0 " " N1 " " N2 " " N3);
    check("constraint=region==~mars constraint=group==1", N0 " " N1);
    check("constraint=region==~mars constraint=group==9", NONE "[region==mars group==9]");
}

static void test_relabelled_node_is_found_under_its_new_labels_only(void **state)
{
    label_node(bare, "name=old");
    label_node(bare, "name=new group=7");
    check("constraint=name==old", NONE "[name==old]");
    check("constraint=name==new", N3);
    check("constraint=group==7", N3);
}

static void test_renamed_node(void **state)
{
    assert_int_equal(swarm_node_set_name(bare, "fresh", NULL), 0);
    check("constraint=node==node-3-name", NONE "[node==node-3-name]");
    check("constraint=node==fresh", N3);
}

static void test_nodes_of_the_same_name_are_all_meant(void **state)
{
    assert_int_equal(swarm_node_set_name(bare, "node-0-name", NULL), 0);
    check("constraint=node==node-0-name", N0 " " N3);
}

static void check_whitelist(const char *words, const char *expected)
{
    const char *got = left_by(cluster, "whitelist", words);
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s instead of %s", words, got, expected);
}

static void test_whitelist_names_the_nodes_allowed(void **state)
{
    check_whitelist("", N0 " " N1 " " N2 " " N3);
    check_whitelist("whitelist=node==node-1-name", N1);
    check_whitelist("whitelist=node==node-1-name|node-2-name", N1 " " N2);
    check_whitelist("whitelist=node==node-7-name|node-1-name|node-2-name|node-8-name", N1 " " N2);
    check_whitelist("whitelist=node==node-5-name", NONE "[node==node-5-name (soft=false)]");
    check_whitelist("whitelist=node==node-5-name|node-6-name", NONE "[node==node-5-name|node-6-name (soft=false)]");
}

static void test_whitelists_intersect(void **state)
{
    check_whitelist("whitelist=node==node-0-name|node-1-name|node-2-name "
                    "whitelist=node==node-1-name|node-2-name|node-3-name",
                    N1 " " N2);
}

static void test_whitelist_ignores_key_and_operator(void **state)
{
    check_whitelist("whitelist=any!=node-1-name", N1);
}

static void test_whitelist_compares_literally(void **state)
{
    check_whitelist("whitelist=node==node-*", NONE "[node==node-* (soft=false)]");
}

static void test_soft_whitelist_is_dropped(void **state)
{
    check_whitelist("whitelist=node==~node-9-name", N0 " " N1 " " N2 " " N3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_asked_keeps_all_in_order),
        TEST(test_label_equals),
        TEST(test_all_constraints_hold_together),
        TEST(test_node_is_its_id_and_its_name),
        TEST(test_globs),
        TEST(test_missing_label_counts_as_empty),
        TEST(test_regular_expressions),
        TEST(test_case_matters_unless_told_otherwise),
        TEST(test_patterns_that_do_not_compile_match_nothing),
        TEST(test_lone_slashes_are_harmless),
        TEST(test_soft_constraints_hold_where_they_can),
        TEST(test_soft_constraints_are_dropped_where_they_cannot),
        TEST(test_relabelled_node_is_found_under_its_new_labels_only),
        TEST(test_renamed_node),
        TEST(test_nodes_of_the_same_name_are_all_meant),
        TEST(test_whitelist_names_the_nodes_allowed),
        TEST(test_whitelists_intersect),
        TEST(test_whitelist_ignores_key_and_operator),
        TEST(test_whitelist_compares_literally),
        TEST(test_soft_whitelist_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
