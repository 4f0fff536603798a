/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_fixture.h"

static struct swarm_node *engine;

static int set_up(void **state)
{
    set_up_cluster(state);
    engine = add_node(cluster, "engine-id", "test-engine");
    struct swarm_container *first = add_container(engine, "container1-id", "swarmid=swarm1-id");
    assert_int_equal(
        swarm_container_set_names(first, (const char *[]){"container1-name1", "container1-name2"}, 2, NULL), 0);
    add_container(engine, "container2-id", "name=con swarmid=swarm2-id");
    return 0;
}

static void check(const char *reference, const char *expected)
{
    const char *got = looked_up(cluster, reference);
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s instead of %s", reference, got, expected);
}

static void test_unknown_is_not_found(void **state)
{
    check("invalid-id", "error: No such container: invalid-id");
    check("", "error: No such container: ");
}

static void test_full_id(void **state)
{
    check("container1-id", "container1-id");
    check("container2-id", "container2-id");
}

static void test_prefix_that_is_unique(void **state)
{
    check("container1-", "container1-id");
    check("container2", "container2-id");
}

static void test_name(void **state)
{
    check("container1-name1", "container1-id");
    check("container1-name2", "container1-id");
    check("/container1-name1", "container1-id");
}

static void test_name_with_its_node(void **state)
{
    check("test-engine/container1-name1", "container1-id");
    check("test-engine/container1-name2", "container1-id");
    check("engine-id/container1-name1", "container1-id");
    check("other/container1-name1", "error: No such container: other/container1-name1");
    check("test-engine/", "error: No such container: test-engine/");
    check("test-engine", "error: No such container: test-engine");
}

static void test_swarm_id_and_its_prefix(void **state)
{
    check("swarm1-id", "container1-id");
    check("swarm1-", "container1-id");
}

static void test_name_comes_before_prefix(void **state)
{
    check("con", "container2-id");
}

static void test_prefix_of_several_is_ambiguous(void **state)
{
    check("container", "error: Container name container is ambiguous: it exists on nodes test-engine; use the "
                       "container's id");
    check("swarm", "error: Container name swarm is ambiguous: it exists on nodes test-engine; use the container's id");
}

static void test_short_id(void **state)
{
    add_container(engine, "0123456789abcdef", "");
    add_container(engine, "00000000000000ff", "swarmid=fedcba9876543210");
    check("0123456789ab", "0123456789abcdef");
    check("fedcba987654", "00000000000000ff");
    check("0123456789abc", "0123456789abcdef");
}

static void test_id_comes_before_swarm_id_and_name(void **state)
{
    add_container(engine, "aaaa", "name=bbbb");
    add_container(engine, "bbbb", "name=cccc");
    add_container(engine, "dddd", "swarmid=cccc");
    check("bbbb", "bbbb");
    check("cccc", "dddd");
}

static void test_name_on_several_nodes_is_ambiguous(void **state)
{
    struct swarm_node *b = add_node(cluster, "id-b", "b"), *a = add_node(cluster, "id-a", "a");
    add_container(b, "c1", "name=web");
    add_container(a, "c2", "name=web");
    check("web", "error: Container name web is ambiguous: it exists on nodes a, b; use a/web");
    check("a/web", "c2");
    check("id-b/web", "c1");
}

static void test_ambiguous_has_a_code_of_its_own(void **state)
{
    struct swarm_container *container = NULL;
    assert_int_equal(swarm_cluster_look_up(cluster, "container", &container, NULL), SWARM_ERR_AMBIGUOUS);
    assert_int_equal(swarm_cluster_look_up(cluster, "nothing", &container, NULL), SWARM_ERR_NOT_FOUND);
    assert_null(container);
}

static void test_many_hits_are_cut_short(void **state)
{
    for (int i = 0; i < 15; i++) {
        char id[] = {'n', (char)('a' + i), '\0'};
        add_container(add_node(cluster, id, id), id, "name=web");
    }
    const char *got = looked_up(cluster, "web");
    assert_non_null(strstr(got, ", …; use n"));
}

static void test_container_hit_by_id_and_swarm_id_is_one(void **state)
{
    add_container(engine, "feed1", "swarmid=feed2");
    check("feed", "feed1");
}

static void test_container_with_a_name_twice_is_one(void **state)
{
    struct swarm_container *container = add_container(engine, "c1", "");
    assert_int_equal(
        swarm_container_set_names(container, (const char *[]){"twice", "twice", "test-engine/twice"}, 3, NULL), 0);
    check("twice", "c1");
    check("test-engine/twice", "c1");
}

static void test_engine_seen_twice_is_one_container(void **state)
{
    struct swarm_node *again = add_node(cluster, "again-id", "again");
    add_container(engine, "c1", "name=web");
    struct swarm_container *second = add_container(again, "c1", "name=web");
    check("web", "c1");
    check("c1", "c1");
    swarm_node_set_health(engine, 0, NULL);
    struct swarm_container *found = NULL;
    assert_int_equal(swarm_cluster_look_up(cluster, "web", &found, NULL), 0);
    assert_ptr_equal(found, second); /* the one whose node answers */
}

static void test_swarm_id_of_a_moved_container_prefers_the_one_that_answers(void **state)
{
    struct swarm_node *other = add_node(cluster, "other-id", "other");
    add_container(engine, "old", "swarmid=moved");
    add_container(other, "new", "swarmid=moved");
    swarm_node_set_health(engine, 0, NULL);
    check("moved", "new");
    swarm_node_set_health(engine, 100, NULL);
    swarm_node_set_health(other, 0, NULL);
    check("moved", "old");
}

static void test_places_taken_are_not_found(void **state)
{
    struct swarm_reservation *place = take_place(engine, "name=coming swarmid=coming-id");
    check("coming", "error: No such container: coming");
    check("coming-id", "error: No such container: coming-id");
    assert_int_equal(swarm_cluster_hold_name(cluster, "held", NULL), 0);
    check("held", "error: No such container: held");
    swarm_reservation_abort(place);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_is_not_found),
        TEST(test_full_id),
        TEST(test_prefix_that_is_unique),
        TEST(test_name),
        TEST(test_name_with_its_node),
        TEST(test_swarm_id_and_its_prefix),
        TEST(test_name_comes_before_prefix),
        TEST(test_prefix_of_several_is_ambiguous),
        TEST(test_short_id),
        TEST(test_id_comes_before_swarm_id_and_name),
        TEST(test_name_on_several_nodes_is_ambiguous),
        TEST(test_ambiguous_has_a_code_of_its_own),
        TEST(test_many_hits_are_cut_short),
        TEST(test_container_hit_by_id_and_swarm_id_is_one),
        TEST(test_container_with_a_name_twice_is_one),
        TEST(test_engine_seen_twice_is_one_container),
        TEST(test_swarm_id_of_a_moved_container_prefers_the_one_that_answers),
        TEST(test_places_taken_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
