/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "cluster_fixture.h"
#include "image.h"

static struct swarm_node *node;

static int set_up(void **state)
{
    set_up_cluster(state);
    node = add_node(cluster, "a", "one");
    return 0;
}

static void test_new_node_is_healthy_active_and_empty(void **state)
{
    assert_string_equal(swarm_node_id(node), "a");
    assert_string_equal(swarm_node_name(node), "one");
    assert_string_equal(swarm_node_address(node), "");
    assert_int_equal(swarm_node_health(node), 100);
    assert_int_equal(swarm_node_availability(node), SWARM_AVAILABILITY_ACTIVE);
    assert_int_equal(swarm_node_total_memory(node), 0);
    assert_int_equal(swarm_node_container_count(node), 0);
    assert_null(swarm_node_next_container(node, NULL));
}

static void test_overcommit_adds_its_share(void **state)
{
    assert_int_equal(swarm_node_set_capacity(node, 4000, 100 * GIB, NULL), 0);
    assert_int_equal(swarm_node_set_overcommit(node, 0.05, NULL), 0);
    assert_int_equal(swarm_node_total_cpus_milli(node), 4200);
    assert_int_equal(swarm_node_total_memory(node), 105 * GIB);
    assert_int_equal(swarm_node_set_capacity(node, 1000, 1000, NULL), 0);
    assert_int_equal(swarm_node_total_memory(node), 1050);
}

static void test_overcommit_is_not_cut_to_whole_percents(void **state)
{
    assert_int_equal(swarm_node_set_overcommit(node, 0.29, NULL), 0);
    assert_int_equal(swarm_node_set_capacity(node, 1000, 1000, NULL), 0);
    assert_int_equal(swarm_node_total_memory(node), 1290);
}

static void test_overcommit_may_be_negative(void **state)
{
    assert_int_equal(swarm_node_set_overcommit(node, -0.25, NULL), 0);
    assert_int_equal(swarm_node_set_capacity(node, 1000, 1000, NULL), 0);
    assert_int_equal(swarm_node_total_memory(node), 750);
}

static void test_capacity_before_overcommit(void **state)
{
    assert_int_equal(swarm_node_set_capacity(node, 4000, 100 * GIB, NULL), 0);
    assert_int_equal(swarm_node_set_overcommit(node, 0.25, NULL), 0);
    assert_int_equal(swarm_node_capacity_cpus_milli(node), 4000);
    assert_int_equal(swarm_node_capacity_memory(node), 100 * GIB);
    assert_true(swarm_node_overcommit(node) == 0.25);
    assert_int_equal(swarm_node_set_overcommit(node, NAN, NULL), SWARM_ERR_INVALID);
    assert_true(swarm_node_overcommit(node) == 0.25);
    assert_int_equal(swarm_node_total_cpus_milli(node), 5000);
}

static void test_slots(void **state)
{
    assert_int_equal(swarm_node_slots_used(node), 0);
    assert_int_equal(swarm_node_slots_limit(node), INT64_MAX);
    label_node(node, "containerslots=3");
    assert_int_equal(swarm_node_slots_limit(node), 3);
    struct swarm_container *container = add_container(node, "c1", "");
    struct swarm_reservation *place = take_place(node, "");
    assert_int_equal(swarm_node_slots_used(node), 2);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_DEAD, NULL), 0);
    assert_int_equal(swarm_node_slots_used(node), 2);
    assert_int_equal(swarm_cluster_set_stopped_counts(cluster, 0, NULL), 0);
    assert_int_equal(swarm_node_slots_used(node), 1);
    swarm_reservation_abort(place);
    assert_int_equal(swarm_node_slots_used(node), 0);
    assert_int_equal(swarm_node_container_count(node), 1);
    label_node(node, "containerslots=many");
    assert_int_equal(swarm_node_slots_limit(node), INT64_MAX);
}

static void test_images_are_found_by_id_reference_and_repository(void **state)
{
    struct swarm_node *other = add_node(cluster, "b", "two");
    assert_int_equal(swarm_node_has_image(node, "app"), 0);
    add_image_to(node, "sha256:1", "registry:5000/team/app:1 app:2");
    add_image_to(other, "sha256:2", "db:1");
    static const char *const there[] = {"sha256:1", "app", "app:2", "registry:5000/team/app",
                                        "registry:5000/team/app:1"};
    static const char *const not_there[] = {"sha256:2", "db", "app:1", "ap", "", "sha256", "registry"};
    for (size_t i = 0; i < COUNT(there); i++)
        assert_int_equal(swarm_node_has_image(node, there[i]), 1);
    for (size_t i = 0; i < COUNT(not_there); i++)
        assert_int_equal(swarm_node_has_image(node, not_there[i]), 0);
    assert_int_equal(swarm_node_set_images(node, NULL, 0, NULL), 0);
    assert_int_equal(swarm_node_has_image(node, "app"), 0);
    assert_int_equal(swarm_node_has_image(other, "db:1"), 1);
}

static void test_impossible_capacities_are_refused(void **state)
{
    assert_int_equal(swarm_node_set_capacity(node, 2000, 2 * GIB, NULL), 0);
    assert_int_equal(swarm_node_set_capacity(node, -1, 0, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_set_capacity(node, 0, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_set_overcommit(node, -1.0, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_set_overcommit(node, NAN, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_set_overcommit(node, INFINITY, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_total_cpus_milli(node), 2000);
}

static void test_capacity_that_overcommit_takes_past_the_greatest_number(void **state)
{
    assert_int_equal(swarm_node_set_capacity(node, 0, INT64_MAX, NULL), 0);
    assert_int_equal(swarm_node_set_overcommit(node, 0.05, NULL), SWARM_ERR_INVALID);
    assert_true(swarm_node_total_memory(node) == INT64_MAX);
}

static void test_impossible_health_and_availability_are_refused(void **state)
{
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_node_set_health(node, 101, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "node a: health 101: 0 to 100 is expected");
    swarm_error_free(error);
    assert_int_equal(swarm_node_set_health(node, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_set_availability(node, 4, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_set_availability(node, -1, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_node_health(node), 100);
}

static void test_labels_come_in_key_order(void **state)
{
    label_node(node, "zone=a storage=ssd kernel=5");
    static const char *const expected[][2] = {{"kernel", "5"}, {"storage", "ssd"}, {"zone", "a"}};
    const char *key, *value;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(swarm_node_label_at(node, i, &key, &value), 1);
        assert_string_equal(key, expected[i][0]);
        assert_string_equal(value, expected[i][1]);
    }
    assert_int_equal(swarm_node_label_at(node, COUNT(expected), &key, &value), 0);
    assert_string_equal(swarm_node_label(node, "storage"), "ssd");
    assert_null(swarm_node_label(node, "nothing"));
}

static void test_labels_given_twice_are_refused(void **state)
{
    label_node(node, "zone=a");
    const char *keys[] = {"x", "x"}, *values[] = {"1", "2"};
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_node_set_labels(node, keys, values, 2, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "node a: label x is given twice");
    swarm_error_free(error);
    assert_string_equal(swarm_node_label(node, "zone"), "a");
}

static void test_labels_may_be_set_to_themselves(void **state)
{
    label_node(node, "zone=a");
    const char *key, *value;
    assert_int_equal(swarm_node_label_at(node, 0, &key, &value), 1);
    assert_int_equal(swarm_node_set_labels(node, &key, &value, 1, NULL), 0);
    assert_string_equal(swarm_node_label(node, "zone"), "a");
}

static void test_rename_and_move(void **state)
{
    assert_int_equal(swarm_node_set_name(node, "two", NULL), 0);
    assert_int_equal(swarm_node_set_address(node, "10.0.0.1:2375", NULL), 0);
    assert_string_equal(swarm_node_name(node), "two");
    assert_string_equal(swarm_node_address(node), "10.0.0.1:2375");
    assert_int_equal(swarm_node_set_name(node, NULL, NULL), SWARM_ERR_INVALID);
}

static void test_data_is_kept(void **state)
{
    int mine;
    swarm_node_set_data(node, &mine);
    assert_ptr_equal(swarm_node_data(node), &mine);
}

static void check_repository(const char *reference, const char *expected)
{
    assert_int_equal(swarm__image_repository_length(reference), strlen(expected));
    assert_memory_equal(reference, expected, strlen(expected));
}

static void test_repository_of_a_reference(void **state)
{
    check_repository("nginx:1.25", "nginx");
    check_repository("nginx", "nginx");
    check_repository("host:5000/team/app", "host:5000/team/app");
    check_repository("host:5000/team/app:v2", "host:5000/team/app");
    check_repository("nginx@sha256:abc", "nginx");
    check_repository("<none>:<none>", "<none>");
}

static void test_images_without_id_or_reference_are_refused(void **state)
{
    struct swarm_image *image = NULL;
    assert_int_equal(swarm_image_new(&image, "", NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_image_new(&image, "sha256:1", NULL), 0);
    assert_int_equal(swarm_image_add_tag(image, "", NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_image_add_digest(image, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_image_add_digest(image, "a@sha256:1", NULL), 0);
    assert_string_equal(swarm_image_id(image), "sha256:1");
    swarm_image_free(image);
    swarm_image_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_cluster)
    const struct CMUnitTest tests[] = {
        TEST(test_new_node_is_healthy_active_and_empty),
        TEST(test_overcommit_adds_its_share),
        TEST(test_overcommit_is_not_cut_to_whole_percents),
        TEST(test_overcommit_may_be_negative),
        TEST(test_capacity_before_overcommit),
        TEST(test_slots),
        TEST(test_images_are_found_by_id_reference_and_repository),
        TEST(test_impossible_capacities_are_refused),
        TEST(test_capacity_that_overcommit_takes_past_the_greatest_number),
        TEST(test_impossible_health_and_availability_are_refused),
        TEST(test_labels_come_in_key_order),
        TEST(test_labels_given_twice_are_refused),
        TEST(test_labels_may_be_set_to_themselves),
        TEST(test_rename_and_move),
        TEST(test_data_is_kept),
        TEST(test_repository_of_a_reference),
        TEST(test_images_without_id_or_reference_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
