/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cluster_fixture.h"

static int set_up(void **state)
{
    set_up_nodes(state);
    add_container(nodes[0], "container-n0-0-id", "name=container-n0-0-name label=app=db");
    add_container(nodes[0], "container-n0-1-id", "name=container-n0-1-name");
    add_container(nodes[1], "container-n1-0-id", "name=container-n1-0-name label=app=web");
    add_container(nodes[1], "container-n1-1-id", "name=container-n1-1-name label=app=web");
    add_image_to(nodes[0], "sha256:image-0-id", "image-0:tag1 image-0:tag2");
    add_image_to(nodes[1], "sha256:image-1-id", "image-1:tag1 image-0:tag3 image-1:tag2 host:5000/team/app:v2");
    return 0;
}

static void check(const char *words, const char *expected)
{
    check_left("affinity", words, expected);
}

static void test_nothing_asked_keeps_all(void **state)
{
    check("", "n0 n1 n2");
}

static void test_container_by_id_and_by_name(void **state)
{
    check("affinity=container==container-n0-0-id", "n0");
    check("affinity=container==container-n1-0-name", "n1");
    check("affinity=container==does_not_exist", NONE "[container==does_not_exist (soft=false)]");
}

static void test_container_short_id_does_not_match(void **state)
{
    check("affinity=container==container-n0", NONE "[container==container-n0 (soft=false)]");
}

static void test_container_by_pattern(void **state)
{
    check("affinity=container==container-n0*", "n0");
    check("affinity=container==container-*", "n0 n1");
    check("affinity=container==/n[01]-1-id$/", "n0 n1");
}

static void test_container_not(void **state)
{
    check("affinity=container!=container-n0-0-id", "n1 n2");
    check("affinity=container!=container-n0-1-id", "n1 n2");
    check("affinity=container!=container-n1-0-name", "n0 n2");
    check("affinity=container!=container-n0-1-id affinity=container!=container-n1-1-id", "n2");
}

static void test_affinities_that_contradict(void **state)
{
    check("affinity=container!=container-n1-1-name affinity=container==container-n1-1-name",
          NONE "[container!=container-n1-1-name (soft=false) container==container-n1-1-name (soft=false)]");
    check("affinity=container==container-n0-1-id affinity=container==container-n1-1-id",
          NONE "[container==container-n0-1-id (soft=false) container==container-n1-1-id (soft=false)]");
}

static void test_container_without_a_name_is_not_meant(void **state)
{
    add_container(nodes[2], "unnamed-id", "");
    check("affinity=container==unnamed-id", NONE "[container==unnamed-id (soft=false)]");
    check("affinity=container!=unnamed*", "n0 n1 n2");
}

static void test_second_name_is_not_meant(void **state)
{
    struct swarm_container *container = add_container(nodes[2], "linked-id", "");
    assert_int_equal(swarm_container_set_names(container, (const char *[]){"own", "other/alias"}, 2, NULL), 0);
    check("affinity=container==own", "n2");
    check("affinity=container==/alias/", NONE "[container==/alias/ (soft=false)]");
}

static void test_place_taken_counts_by_name(void **state)
{
    struct swarm_reservation *place = take_place(nodes[2], "name=coming");
    check("affinity=container==coming", "n2");
    check("affinity=container==/^$/", "n2"); /* it has no id yet */
    swarm_reservation_abort(place);
    check("affinity=container==coming", NONE "[container==coming (soft=false)]");
}

static void test_image_by_id_reference_and_repository(void **state)
{
    check("affinity=image==sha256:image-0-id", "n0");
    check("affinity=image==image-0:tag3", "n1");
    check("affinity=image==image-1", "n1");
    check("affinity=image==image-0", "n0 n1");
    check("affinity=image==host:5000/team/app", "n1");
    check("affinity=image!=image-0:tag3", "n0 n2");
    check("affinity=image!=image-1", "n0 n2");
    check("affinity=image==/image-\\d*/", "n0 n1");
}

static void test_image_that_is_gone(void **state)
{
    add_image_to(nodes[1], "sha256:image-2-id", "image-2:tag1");
    check("affinity=image==image-1", NONE "[image==image-1 (soft=false)]");
    check("affinity=image==image-2", "n1");
}

static void test_soft_affinities(void **state)
{
    check("affinity=image==~image-0:tag3", "n1");
    check("affinity=image==~image-9:tag3", "n0 n1 n2");
    check("affinity=image==~image-*", "n0 n1");
    check("affinity=image!=~image-*", "n2");
    check("affinity=image==~/image-\\d*/", "n0 n1");
}

static void test_container_label(void **state)
{
    check("affinity=app==web", "n1");
    check("affinity=app!=web", "n0 n2");
    check("affinity=app==/^(web|db)$/", "n0 n1");
}

static void test_missing_container_label_counts_as_empty(void **state)
{
    check("affinity=app==/^$/", "n0"); /* its second container has no such label; n2 has no container */
    check("affinity=app!=/^$/", "n1 n2");
    check("affinity=nowhere==*", "n0 n1");
    check("affinity=nowhere!=*", "n2");
}

static void test_stopped_containers_lack_labels_too(void **state)
{
    assert_int_equal(swarm_cluster_set_stopped_counts(cluster, 0, NULL), 0);
    struct swarm_container *container = add_container(nodes[2], "stopped", "name=stopped label=app=web");
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_EXITED, NULL), 0);
    check("affinity=tier==/^$/", "n0 n1 n2");
    check("affinity=app!=/^$/", "n1 n2");
}

static void test_label_of_a_place_taken(void **state)
{
    struct swarm_reservation *place = take_place(nodes[2], "label=app=web");
    check("affinity=app==web", "n1 n2");
    swarm_reservation_abort(place);
    check("affinity=app==web", "n1");
}

/* The swarm id is a label like any other, also where many containers have the same one. */
static void test_swarm_id(void **state)
{
    check("affinity=com.docker.swarm.id!=/^$/", "n2"); /* no container has any */
    add_container(nodes[2], "with-id", "name=with-id swarmid=s1");
    struct swarm_reservation *place = take_place(nodes[0], "swarmid=s2");
    check("affinity=com.docker.swarm.id==s1", "n2");
    check("affinity=com.docker.swarm.id==s", NONE "[com.docker.swarm.id==s (soft=false)]");
    check("affinity=com.docker.swarm.id==s*", "n0 n2");
    check("affinity=com.docker.swarm.id!=s*", "n1");
    check("affinity=com.docker.swarm.id==~/^s3$/", "n0 n1 n2");
    check("affinity=com.docker.swarm.id!=~/^s2$/", "n1 n2");
    check("affinity=com.docker.swarm.id==/^$/", "n0 n1");
    check("affinity=com.docker.swarm.id!=/^$/", "n2");
    check("affinity=container==s1*", NONE "[container==s1* (soft=false)]"); /* the same pattern, asked of names */
    check("affinity=com.docker.swarm.id==s1*", "n2");
    swarm_reservation_abort(place);
    check("affinity=com.docker.swarm.id==s2", NONE "[com.docker.swarm.id==s2 (soft=false)]");
    check("affinity=com.docker.swarm.id==s*", "n2");
    for (int i = 0; i < 40; i++) { /* more than are visited one by one */
        char id[16];
        snprintf(id, sizeof(id), "again-%d", i);
        add_container(nodes[i % 2], id, "swarmid=s1");
    }
    check("affinity=com.docker.swarm.id==s1", "n0 n1 n2");
    check("affinity=com.docker.swarm.id!=s1", NONE "[com.docker.swarm.id!=s1 (soft=false)]");
}

static void test_swarm_id_of_another_request(void **state)
{
    struct swarm_container *container = add_container(nodes[2], "changing", "swarmid=s1");
    check("affinity=com.docker.swarm.id==s*", "n2");
    struct swarm_request *request = request_of("label=com.docker.swarm.id=");
    assert_int_equal(swarm_container_set_request(container, request, NULL), 0);
    swarm_request_unref(request);
    check("affinity=com.docker.swarm.id==s*", NONE "[com.docker.swarm.id==s* (soft=false)]");
    check("affinity=com.docker.swarm.id==/^$/", "n0 n1 n2"); /* an empty one is none */
    request = request_of("swarmid=t1");
    assert_int_equal(swarm_container_set_request(container, request, NULL), 0);
    swarm_request_unref(request);
    check("affinity=com.docker.swarm.id==t*", "n2");
    check("affinity=com.docker.swarm.id==/^$/", "n0 n1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_asked_keeps_all),
        TEST(test_container_by_id_and_by_name),
        TEST(test_container_short_id_does_not_match),
        TEST(test_container_by_pattern),
        TEST(test_container_not),
        TEST(test_affinities_that_contradict),
        TEST(test_container_without_a_name_is_not_meant),
        TEST(test_second_name_is_not_meant),
        TEST(test_place_taken_counts_by_name),
        TEST(test_image_by_id_reference_and_repository),
        TEST(test_image_that_is_gone),
        TEST(test_soft_affinities),
        TEST(test_container_label),
        TEST(test_missing_container_label_counts_as_empty),
        TEST(test_stopped_containers_lack_labels_too),
        TEST(test_label_of_a_place_taken),
        TEST(test_swarm_id),
        TEST(test_swarm_id_of_another_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
