/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image_list.h"

static const char node1_images[] =
    "[{\"Id\":\"sha256:aaaa1111\",\"ParentId\":\"sha256:cccc3333\",\"Created\":100,\"Size\":5,\"Containers\":-1,"
    "\"RepoTags\":[\"busybox:latest\"],\"RepoDigests\":[\"busybox@sha256:01\"],\"Labels\":{\"tier\":\"front\"}},"
    "{\"Id\":\"sha256:bbbb2222\",\"ParentId\":\"\",\"Created\":200,\"Size\":6,\"RepoTags\":[\"<none>:<none>\"],"
    "\"RepoDigests\":null,\"Labels\":null},"
    "{\"Id\":\"sha256:cccc3333\",\"ParentId\":\"\",\"Created\":50,\"Size\":7,\"RepoTags\":null,\"RepoDigests\":null}]";
static const char node2_images[] =
    "[{\"Id\":\"sha256:aaaa1111\",\"ParentId\":\"\",\"Created\":100,\"Size\":5,\"Containers\":2,"
    "\"RepoTags\":[\"busybox:latest\",\"reg.example:5000/team/box:v1\"],\"RepoDigests\":[]}]";

static void take_sources(struct image_source sources[2])
{
    static char names[2][8] = {"node1", "node2"}, ids[2][8] = {"ID1", "ID2"};

    sources[0] = (struct image_source){names[0], ids[0], json_loads(node1_images, 0, NULL)};
    sources[1] = (struct image_source){names[1], ids[1], json_loads(node2_images, 0, NULL)};
    assert_non_null(sources[0].images);
    assert_non_null(sources[1].images);
}

/* The ids of the list, "aaaa1111 bbbb2222", in @p ids; the list itself is returned. */
static json_t *list_images(const char *filters_text, bool all, char *ids)
{
    struct image_source sources[2];
    json_t *filters = json_loads(filters_text, 0, NULL);
    struct image_query query = {.all = all, .filters = filters};
    struct failure failure = {0};
    json_t *list, *image;
    size_t i;

    take_sources(sources);
    assert_int_equal(image_query_check(&query, sources, 2, 1000, &failure), 0);
    list = image_list(&query, sources, 2);
    ids[0] = '\0';
    json_array_foreach (list, i, image) {
        strcat(ids, i == 0 ? "" : " ");
        strcat(ids, strchr(json_string_value(json_object_get(image, "Id")), ':') + 1);
    }
    json_decref(filters);
    json_decref(sources[0].images);
    json_decref(sources[1].images);
    return list;
}

static void assert_images(const char *filters, bool all, const char *expected)
{
    char ids[200];

    json_decref(list_images(filters, all, ids));
    assert_string_equal(ids, expected);
}

static void assert_refused(const char *filters_text, const char *message)
{
    struct image_source sources[2];
    json_t *filters = json_loads(filters_text, 0, NULL);
    struct image_query query = {.filters = filters};
    struct failure failure = {0};

    take_sources(sources);
    assert_int_equal(image_query_check(&query, sources, 2, 1000, &failure), -1);
    assert_int_equal(failure.status, 400);
    assert_string_equal(failure.message, message);
    failure_clear(&failure);
    json_decref(filters);
    json_decref(sources[0].images);
    json_decref(sources[1].images);
}

static void test_one_entry_an_id_newest_first(void **state)
{
    assert_images("{}", false, "bbbb2222 aaaa1111");
}

static void test_all_shows_intermediates(void **state)
{
    assert_images("{}", true, "bbbb2222 aaaa1111 cccc3333");
}

static void test_names_of_all_nodes_are_merged(void **state)
{
    char ids[200];
    json_t *list = list_images("{\"reference\":[\"busybox\",\"*/*/*\"]}", false, ids);
    json_t *tags = json_object_get(json_array_get(list, 0), "RepoTags");

    assert_string_equal(ids, "aaaa1111");
    assert_int_equal(json_array_size(tags), 2);
    assert_string_equal(json_string_value(json_array_get(tags, 0)), "busybox:latest");
    assert_string_equal(json_string_value(json_array_get(tags, 1)), "reg.example:5000/team/box:v1");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "Containers")), 2);
    json_decref(list);
}

static void test_names_are_lists_where_there_are_none(void **state)
{
    char ids[200];
    json_t *list = list_images("{\"dangling\":[\"true\"]}", false, ids);

    assert_string_equal(ids, "bbbb2222");
    assert_true(json_is_array(json_object_get(json_array_get(list, 0), "RepoTags")));
    assert_true(json_is_array(json_object_get(json_array_get(list, 0), "RepoDigests")));
    json_decref(list);
}

static void test_reference_filter_shows_only_what_fits(void **state)
{
    char ids[200];
    json_t *list = list_images("{\"reference\":[\"reg.example:5000/team/box:v*\"]}", false, ids);

    assert_string_equal(ids, "aaaa1111");
    assert_int_equal(json_array_size(json_object_get(json_array_get(list, 0), "RepoTags")), 1);
    json_decref(list);
    assert_images("{\"reference\":[\"box\"]}", false, "");
}

static void test_filters_by_dangling_label_and_node(void **state)
{
    assert_images("{\"dangling\":[\"false\"]}", false, "aaaa1111");
    assert_images("{\"label\":[\"tier=front\"]}", false, "aaaa1111");
    assert_images("{\"label!\":[\"tier\"]}", false, "bbbb2222 aaaa1111"); /* node2's copy has no labels */
    assert_images("{\"node\":[\"node2\"]}", false, "aaaa1111");
    assert_images("{\"node\":[\"ID1\"]}", false, "bbbb2222 aaaa1111");
}

static void test_filters_by_time(void **state)
{
    assert_images("{\"before\":[\"bbbb\"]}", false, "aaaa1111");
    assert_images("{\"since\":[\"docker.io/library/busybox\"]}", false, "bbbb2222");
    assert_images("{\"until\":[\"150\"]}", false, "aaaa1111");
    assert_images("{\"until\":[\"850s\"]}", false, "aaaa1111");
}

static void test_bad_filters_are_named(void **state)
{
    assert_refused("{\"bogus\":[\"1\"]}", "invalid filter 'bogus'");
    assert_refused("{\"dangling\":[\"maybe\"]}", "Invalid filter: 'type'='dangling'");
    assert_refused("{\"before\":[\"nothing\"]}", "Invalid filter: 'type'='before': no such image found: 'nothing'");
    assert_refused("{\"until\":[\"soon\"]}", "invalid filter 'until=soon': neither a time nor a duration");
}

static void test_count_leaves_intermediates_out(void **state)
{
    struct image_source sources[2];

    take_sources(sources);
    assert_int_equal(image_list_count(sources[0].images), 2);
    assert_int_equal(image_list_count(sources[1].images), 1);
    assert_int_equal(image_list_count(NULL), 0);
    json_decref(sources[0].images);
    json_decref(sources[1].images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_entry_an_id_newest_first),
        cmocka_unit_test(test_all_shows_intermediates),
        cmocka_unit_test(test_names_of_all_nodes_are_merged),
        cmocka_unit_test(test_names_are_lists_where_there_are_none),
        cmocka_unit_test(test_reference_filter_shows_only_what_fits),
        cmocka_unit_test(test_filters_by_dangling_label_and_node),
        cmocka_unit_test(test_filters_by_time),
        cmocka_unit_test(test_bad_filters_are_named),
        cmocka_unit_test(test_count_leaves_intermediates_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
