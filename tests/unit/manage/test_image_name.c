/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image_name.h"

static void test_repository_ends_where_tag_or_digest_begins(void **state)
{
    assert_int_equal(image_name_repository("busybox"), 7);
    assert_int_equal(image_name_repository("busybox:1"), 7);
    assert_int_equal(image_name_repository("host:5000/box"), 13);
    assert_int_equal(image_name_repository("host:5000/a/box:1"), 15);
    assert_int_equal(image_name_repository("box@sha256:01"), 3);
    assert_int_equal(image_name_repository("host:5000/box:1@sha256:01"), 13);
    assert_int_equal(image_name_repository(""), 0);
}

static void assert_shown(const char *reference, const char *expected)
{
    char *shown = image_name_shown(reference);

    assert_string_equal(shown, expected);
    free(shown);
}

static void test_names_are_shown_as_engines_do(void **state)
{
    assert_shown("busybox", "busybox:latest");
    assert_shown("docker.io/library/busybox", "busybox:latest");
    assert_shown("docker.io/team/box:1", "team/box:1");
    assert_shown("host:5000/box", "host:5000/box:latest");
    assert_shown("box@sha256:01", "box@sha256:01");
}

static size_t meant(const char *reference, bool any_tag)
{
    json_t *image = json_loads("{\"Id\":\"sha256:aaaabbbbcccc\",\"RepoTags\":[\"busybox:latest\",\"busybox:1\","
                               "\"host:5000/team/box:1\"],\"RepoDigests\":[\"busybox@sha256:0102\"]}",
                               0, NULL);
    size_t count = image_names_meant(image, reference, any_tag);

    json_decref(image);
    return count;
}

static void test_name_without_a_tag_means_latest(void **state)
{
    assert_int_equal(meant("busybox", false), 1);
    assert_int_equal(meant("busybox:latest", false), 1);
    assert_int_equal(meant("busybox:1", false), 1);
    assert_int_equal(meant("busybox:2", false), 0);
    assert_int_equal(meant("host:5000/team/box", false), 0);
    assert_int_equal(meant("host:5000/team/box:1", false), 1);
    assert_int_equal(meant("busy", false), 0);
    assert_int_equal(meant("", false), 0);
}

static void test_name_without_a_tag_may_mean_all(void **state)
{
    assert_int_equal(meant("busybox", true), 3);
    assert_int_equal(meant("busybox:1", true), 1);
    assert_int_equal(meant("host:5000/team/box", true), 1);
}

static void test_hub_prefixes_do_not_count(void **state)
{
    assert_int_equal(meant("docker.io/library/busybox", false), 1);
    assert_int_equal(meant("docker.io/busybox:1", false), 1);
    assert_int_equal(meant("index.docker.io/library/busybox:latest", false), 1);
    assert_int_equal(meant("docker.io/library/host:5000/team/box:1", false), 1);
}

static void test_digest_is_the_one_that_counts(void **state)
{
    assert_int_equal(meant("busybox@sha256:0102", false), 1);
    assert_int_equal(meant("busybox:whatever@sha256:0102", false), 1);
    assert_int_equal(meant("busybox@sha256:01", false), 0);
    assert_int_equal(meant("box@sha256:0102", false), 0);
}

static void test_id_may_be_cut_short(void **state)
{
    json_t *image = json_loads("{\"Id\":\"sha256:aaaabbbbcccc\"}", 0, NULL);

    assert_true(image_id_meant(image, "sha256:aaaabbbbcccc"));
    assert_true(image_id_meant(image, "aaaabbbbcccc"));
    assert_true(image_id_meant(image, "aaaa"));
    assert_true(image_id_meant(image, "sha256:aaaab"));
    assert_true(image_id_meant(image, "a"));
    assert_false(image_id_meant(image, "sha256:"));
    assert_false(image_id_meant(image, "sha2"));
    assert_false(image_id_meant(image, "bbbb"));
    assert_false(image_id_meant(image, "aaaabbbbccccd"));
    assert_false(image_id_meant(image, ""));
    json_decref(image);
}

static void test_entry_without_names_or_id_is_nobodys(void **state)
{
    json_t *image = json_loads("{\"RepoTags\":null,\"RepoDigests\":[1]}", 0, NULL);

    assert_int_equal(image_names_meant(image, "busybox", true), 0);
    assert_false(image_id_meant(image, "aaaa"));
    json_decref(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repository_ends_where_tag_or_digest_begins),
        cmocka_unit_test(test_names_are_shown_as_engines_do),
        cmocka_unit_test(test_name_without_a_tag_means_latest),
        cmocka_unit_test(test_name_without_a_tag_may_mean_all),
        cmocka_unit_test(test_hub_prefixes_do_not_count),
        cmocka_unit_test(test_digest_is_the_one_that_counts),
        cmocka_unit_test(test_id_may_be_cut_short),
        cmocka_unit_test(test_entry_without_names_or_id_is_nobodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
