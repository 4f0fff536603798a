/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cluster_fixture.h"

static void check(const char *words, const char *expected)
{
    check_left("dependency", words, expected);
}

static void test_one_container_each(void **state)
{
    add_container(nodes[0], "id0", "name=c0");
    add_container(nodes[1], "id1", "name=c1");
    add_container(nodes[2], "id2", "name=c2");
    check("", "n0 n1 n2");
    check("volumes=c0", "n0");
    check("volumes=c0:rw", "n0");
    check("volumes=c0:ro", "n0");
    check("link=c1:foobar", "n1");
    check("net=container:c2", "n2");
    check("net=bridge", "n0 n1 n2");
}

static void test_all_dependencies_on_one_node(void **state)
{
    add_container(nodes[0], "id0", "name=c0");
    add_container(nodes[0], "id1", "name=c1");
    add_container(nodes[1], "id2", "name=c2");
    check("volumes=c0", "n0");
    check("volumes=c1", "n0");
    check("volumes=c0 volumes=c1", "n0");
    check("volumes=c0 volumes=c2", NONE "[--volumes-from=c0 --volumes-from=c2]");
    check("volumes=c0 link=c1 net=container:c1", "n0");
    check("volumes=c0 link=c2 net=container:c1", NONE "[--volumes-from=c0 --link=c2 --net=container:c1]");
}

static void test_by_id_and_by_its_beginning(void **state)
{
    add_container(nodes[0], "aaaaaaaaaaaabbbb", "name=c0");
    add_container(nodes[1], "aaaaaaaaaaaccccc", "name=c1");
    check("volumes=aaaaaaaaaaaabbbb", "n0");
    check("volumes=aaaaaaaaaaaa", "n0");
    check("volumes=aaaaaaaaaaaab", "n0");
    check("volumes=aaa", "n0 n1"); /* unique on each node by itself */
}

static void test_prefix_of_two_on_a_node_means_neither(void **state)
{
    add_container(nodes[0], "aaa1", "");
    add_container(nodes[0], "aaa2", "");
    add_container(nodes[1], "aaa3", "");
    check("volumes=aaa", "n1");
}

static void test_name_of_two_on_a_node_means_neither(void **state)
{
    add_container(nodes[0], "id0", "name=db");
    add_container(nodes[0], "id1", "name=db");
    add_container(nodes[1], "id2", "name=db");
    check("volumes=db", "n1");
}

static void test_name_hides_an_id_that_begins_alike(void **state)
{
    add_container(nodes[0], "db1", "");
    add_container(nodes[0], "id2", "name=db");
    add_container(nodes[0], "id3", "name=db");
    check("volumes=db", NONE "[--volumes-from=db]");
}

static void test_swarm_id_and_its_beginning(void **state)
{
    add_container(nodes[1], "id0", "swarmid=feedfeedfeedfeed");
    check("volumes=feedfeedfeedfeed", "n1");
    check("volumes=feedfeedfeed", "n1");
    check("volumes=feed", "n1");
}

static void test_one_container_hit_by_both_ids_counts_once(void **state)
{
    add_container(nodes[1], "feed1", "swarmid=feed2");
    check("volumes=feed", "n1");
}

static void test_name_with_its_node(void **state)
{
    add_container(nodes[0], "id0", "name=db");
    add_container(nodes[1], "id1", "name=db");
    check("volumes=n1/db", "n1");
    check("volumes=/db", "n0 n1");
}

static void test_slash_in_front_means_a_name_only(void **state)
{
    add_container(nodes[0], "id0", "swarmid=s0");
    add_container(nodes[1], "id1", "name=id0");
    check("volumes=/id0:ro", "n1");
    check("link=/id0:/web/db", "n1");
    check("volumes=/s0", NONE "[--volumes-from=/s0]");
}

static void test_place_taken_counts(void **state)
{
    struct swarm_reservation *place = take_place(nodes[2], "name=coming");
    check("volumes=coming", "n2");
    swarm_reservation_abort(place);
}

static void test_empty_target_is_nowhere(void **state)
{
    add_container(nodes[0], "id0", "name=c0");
    check("keptvolumes=:ro", NONE "[--volumes-from=:ro]");
}

static void check_placed(const char *words, const char *expected)
{
    struct swarm_scheduler *scheduler = new_scheduler("random", "dependency");
    struct swarm_request *request = request_of(words);
    struct swarm_reservation *place = NULL;
    int code = swarm_scheduler_place(scheduler, cluster, request, NULL, &place, NULL);
    assert_string_equal(code == 0 ? swarm_node_id(swarm_reservation_node(place)) : "none", expected);
    if (code == 0)
        swarm_reservation_abort(place);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
}

/* So many that the cluster remembers where they are: the first place taken learns it, later ones find it kept up.
 */
static void test_beginning_of_many_ids(void **state)
{
    char id[16];
    struct swarm_container *made[60];
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof(id), "db%d", i);
        made[i] = add_container(nodes[i % 2], id, "");
    }
    check_placed("link=db", "none");
    struct swarm_container *only = add_container(nodes[2], "db100", "");
    check("link=db", "n2");
    check_placed("link=db", "n2");
    add_container(nodes[2], "x", "swarmid=db200");
    check_placed("link=db", "none");
    swarm_cluster_remove_container(cluster, only);
    check_placed("link=db", "n2");
    for (int i = 2; i < 60; i += 2)
        swarm_cluster_remove_container(cluster, made[i]);
    check("link=db", "n0 n2");
    add_container(nodes[1], "y", "name=db");
    check("link=db", "n0 n1 n2"); /* a name goes before */
    struct swarm_request *other = request_of("swarmid=other");
    assert_int_equal(swarm_container_set_request(swarm_cluster_find_container(cluster, nodes[2], "x"), other, NULL), 0);
    swarm_request_unref(other);
    check("link=db", "n0 n1");
    check_placed("link=db volumes=y", "n1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_nodes, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_one_container_each),
        TEST(test_all_dependencies_on_one_node),
        TEST(test_by_id_and_by_its_beginning),
        TEST(test_prefix_of_two_on_a_node_means_neither),
        TEST(test_name_of_two_on_a_node_means_neither),
        TEST(test_name_hides_an_id_that_begins_alike),
        TEST(test_swarm_id_and_its_beginning),
        TEST(test_one_container_hit_by_both_ids_counts_once),
        TEST(test_name_with_its_node),
        TEST(test_slash_in_front_means_a_name_only),
        TEST(test_place_taken_counts),
        TEST(test_beginning_of_many_ids),
        TEST(test_empty_target_is_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
