/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "routes.h"

static void assert_split(const char *path, const char *version, const char *rest)
{
    char got[16];

    assert_string_equal(route_split_version(path, got, sizeof(got)), rest);
    assert_string_equal(got, version);
}

static void test_version_is_split_off(void **state)
{
    assert_split("/v1.41/info", "1.41", "/info");
    assert_split("/v1.51/containers/x/json", "1.51", "/containers/x/json");
    assert_split("/info", "", "/info");
}

static void test_version_needs_a_dot(void **state)
{
    assert_split("/v1x24/_ping", "", "/v1x24/_ping");
    assert_split("/v1/_ping", "", "/v1/_ping");
    assert_split("/v1./_ping", "", "/v1./_ping");
    assert_split("/v.24/_ping", "", "/v.24/_ping");
    assert_split("/v1.24_ping", "", "/v1.24_ping");
    assert_split("/v1.24", "", "/v1.24");
}

static void test_overlong_version_is_no_version(void **state)
{
    assert_split("/v1.2222222222222222222/info", "", "/v1.2222222222222222222/info");
}

static void test_container_named_like_a_version_keeps_its_name(void **state)
{
    assert_split("/containers/v1.24/json", "", "/containers/v1.24/json");
    assert_split("/v1.30/containers/v1/json", "1.30", "/containers/v1/json");
}

static void test_versions_are_two_numbers(void **state)
{
    static const char *const bad[] = {"", "1", "1.", ".1", "1.41.", "1.4x", "x1.4", "-1.4", "1.-4", " 1.4", "1. 4",
                                      "12345.1", "1.12345", "1..4"};
    struct api_version version = {0};

    assert_int_equal(api_version_parse(&version, "1.41"), 0);
    assert_int_equal(version.major, 1);
    assert_int_equal(version.minor, 41);
    assert_int_equal(api_version_parse(&version, NULL), -1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(api_version_parse(&version, bad[i]), -1);
}

static void assert_clean(const char *path, const char *clean)
{
    char *got = route_clean_path(path);

    if (clean == NULL)
        assert_null(got);
    else
        assert_string_equal(got, clean);
    free(got);
}

static void test_clean_paths_stay(void **state)
{
    assert_clean("/", NULL);
    assert_clean("/info", NULL);
    assert_clean("/info/", NULL);
    assert_clean("/containers/a.b/..c/json", NULL);
}

static void test_unclean_paths_are_cleaned(void **state)
{
    assert_clean("//info", "/info");
    assert_clean("/containers//web/json", "/containers/web/json");
    assert_clean("/./info", "/info");
    assert_clean("/containers/x/../json", "/containers/json");
    assert_clean("/../../info", "/info");
    assert_clean("/containers/..", "/");
    assert_clean("/a/b/./", "/a/b/");
    assert_clean("//", "/");
}

static void assert_match(const char *pattern, const char *path, const char *name, const char *rest)
{
    const char *at, *got_rest;
    size_t length;

    assert_true(route_match(pattern, path, &at, &length, &got_rest));
    assert_int_equal(length, strlen(name));
    assert_memory_equal(at, name, length);
    assert_string_equal(got_rest, rest);
}

static void assert_no_match(const char *pattern, const char *path)
{
    const char *at, *rest;
    size_t length;

    assert_false(route_match(pattern, path, &at, &length, &rest));
}

static void test_literal_pattern_matches_itself_only(void **state)
{
    assert_match("/info", "/info", "", "");
    assert_no_match("/info", "/info/");
    assert_no_match("/info", "/inf");
    assert_no_match("/info", "/information");
}

static void test_name_is_between_prefix_and_suffix(void **state)
{
    assert_match("/containers/{name}/json", "/containers/web/json", "web", "/json");
    assert_match("/containers/{name}/json", "/containers/node1/web/json", "node1/web", "/json");
    assert_match("/containers/{name}/attach/ws", "/containers/web/attach/ws", "web", "/attach/ws");
    assert_match("/containers/{name}", "/containers/node1/web", "node1/web", "");
}

static void test_names_that_are_words_of_routes(void **state)
{
    assert_match("/containers/{name}/json", "/containers/json/json", "json", "/json");
    assert_match("/containers/{name}/json", "/containers/containers/json", "containers", "/json");
    assert_match("/containers/{name}/attach", "/containers/attach/attach", "attach", "/attach");
    assert_match("/containers/{name}/json", "/containers/node1/attach/json", "node1/attach", "/json");
    assert_match("/containers/{name}/top", "/containers/co/top", "co", "/top");
}

static void test_empty_name_does_not_match(void **state)
{
    assert_no_match("/containers/{name}/json", "/containers/json");
    assert_no_match("/containers/{name}/json", "/containers//json");
    assert_no_match("/containers/{name}", "/containers/");
    assert_no_match("/exec/{name}/json", "/exec/json");
}

static void test_star_matches_one_segment(void **state)
{
    assert_match("/containers/{name}/checkpoints/*", "/containers/web/checkpoints/one", "web", "/checkpoints/one");
    assert_match("/containers/{name}/checkpoints/*", "/containers/n/web/checkpoints/one", "n/web", "/checkpoints/one");
    assert_no_match("/containers/{name}/checkpoints/*", "/containers/web/checkpoints/");
    assert_no_match("/containers/{name}/checkpoints/*", "/containers/web/checkpoints");
    assert_no_match("/containers/{name}/checkpoints/*", "/containers/web/checkpoints/a/b");
}

static void test_dots_match_all_below(void **state)
{
    assert_match("/containers/...", "/containers/web/new-thing", "", "/web/new-thing");
    assert_no_match("/containers/...", "/containers/");
    assert_no_match("/containers/...", "/containers");
    assert_no_match("/containers/...", "/containersx/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_are_two_numbers),
        cmocka_unit_test(test_version_is_split_off),
        cmocka_unit_test(test_version_needs_a_dot),
        cmocka_unit_test(test_overlong_version_is_no_version),
        cmocka_unit_test(test_container_named_like_a_version_keeps_its_name),
        cmocka_unit_test(test_clean_paths_stay),
        cmocka_unit_test(test_unclean_paths_are_cleaned),
        cmocka_unit_test(test_literal_pattern_matches_itself_only),
        cmocka_unit_test(test_name_is_between_prefix_and_suffix),
        cmocka_unit_test(test_names_that_are_words_of_routes),
        cmocka_unit_test(test_empty_name_does_not_match),
        cmocka_unit_test(test_star_matches_one_segment),
        cmocka_unit_test(test_dots_match_all_below),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
