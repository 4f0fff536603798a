/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filters.h"

static json_t *parse(const char *text)
{
    struct failure failure = {0};
    json_t *filters = NULL;

    assert_int_equal(filters_parse(&filters, text, &failure), 0);
    return filters;
}

static void assert_refused(const char *text, const char *word)
{
    struct failure failure = {0};
    json_t *filters = NULL;

    assert_int_equal(filters_parse(&filters, text, &failure), -1);
    assert_int_equal(failure.status, 400);
    assert_non_null(strstr(failure.message, word));
    failure_clear(&failure);
}

static bool matches(const char *text, const char *key, const char *subject)
{
    json_t *filters = parse(text);
    struct filter filter;
    bool result;

    assert_int_equal(filter_open(&filter, filters, key), 0);
    result = filter_match(&filter, subject);
    filter_close(&filter);
    json_decref(filters);
    return result;
}

static void test_both_forms_read_alike(void **state)
{
    json_t *map = parse("{\"name\":{\"web\":true,\"db\":false}}");
    json_t *list = parse("{\"name\":[\"web\",\"db\"]}");

    assert_true(json_equal(map, list));
    json_decref(map);
    json_decref(list);
}

static void test_nothing_means_no_filters(void **state)
{
    json_t *none = parse(NULL), *empty = parse("");

    assert_int_equal(json_object_size(none), 0);
    assert_int_equal(json_object_size(empty), 0);
    assert_null(filters_values(none, "name"));
    json_decref(none);
    json_decref(empty);
}

static void test_bad_json_is_refused(void **state)
{
    assert_refused("garbage", "invalid filters");
    assert_refused("[]", "invalid filters");
    assert_refused("{\"name\":\"web\"}", "'name'");
    assert_refused("{\"name\":[1]}", "'name'");
    assert_refused("{\"name\":{\"web\":1}}", "'name'");
}

static void test_unknown_key_is_refused_by_name(void **state)
{
    static const char *const known[] = {"name", NULL};
    json_t *filters = parse("{\"bogus\":[\"1\"]}");
    struct failure failure = {0};

    assert_int_equal(filters_check(filters, known, &failure), -1);
    assert_int_equal(failure.status, 400);
    assert_string_equal(failure.message, "invalid filter 'bogus'");
    failure_clear(&failure);
    json_decref(filters);
}

static void test_match_is_equality_or_unanchored_expression(void **state)
{
    assert_true(matches("{\"name\":[\"we\"]}", "name", "web1"));
    assert_true(matches("{\"name\":[\"^web[0-9]$\"]}", "name", "web1"));
    assert_false(matches("{\"name\":[\"^web$\"]}", "name", "web1"));
    assert_true(matches("{\"name\":[\"x\",\"web1\"]}", "name", "web1"));
    assert_true(matches("{}", "name", "anything"));
}

static void test_bad_expression_matches_only_itself(void **state)
{
    assert_true(matches("{\"name\":[\"we(\"]}", "name", "we("));
    assert_false(matches("{\"name\":[\"we(\"]}", "name", "web"));
}

static void test_hostile_expression_ends(void **state)
{
    assert_false(matches("{\"name\":[\"^(a+)+$\"]}", "name", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
}

static const char *label(const void *data, const char *key)
{
    if (strcmp(key, "tier") == 0)
        return "front";
    return strcmp(key, "flag") == 0 ? "" : NULL;
}

static bool labels_match(const char *text)
{
    json_t *filters = parse(text);
    bool result = filters_labels(filters, "label", label, NULL);

    json_decref(filters);
    return result;
}

/* Parsers recurse: what a client sends must not be able to exhaust a connection's stack. */
static void test_deep_json_is_refused(void **state)
{
    char text[4001];

    memset(text, '[', 4000);
    text[4000] = '\0';
    assert_refused(text, "nested deeper than 100 levels");
}

static void test_deeply_nested_groups_match_nothing(void **state)
{
    char text[1024] = "{\"name\":[\"";

    for (int i = 0; i < 200; i++)
        strcat(text, "(");
    strcat(text, "a");
    for (int i = 0; i < 200; i++)
        strcat(text, ")");
    strcat(text, "\"]}");
    assert_false(matches(text, "name", "a"));
}

static void test_labels_must_all_hold(void **state)
{
    assert_true(labels_match("{}"));
    assert_true(labels_match("{\"label\":[\"tier\"]}"));
    assert_true(labels_match("{\"label\":[\"tier=front\",\"flag\"]}"));
    assert_true(labels_match("{\"label\":[\"flag=\"]}"));
    assert_false(labels_match("{\"label\":[\"tier=back\"]}"));
    assert_false(labels_match("{\"label\":[\"tier=front\",\"missing\"]}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_forms_read_alike),
        cmocka_unit_test(test_nothing_means_no_filters),
        cmocka_unit_test(test_bad_json_is_refused),
        cmocka_unit_test(test_unknown_key_is_refused_by_name),
        cmocka_unit_test(test_match_is_equality_or_unanchored_expression),
        cmocka_unit_test(test_bad_expression_matches_only_itself),
        cmocka_unit_test(test_hostile_expression_ends),
        cmocka_unit_test(test_deep_json_is_refused),
        cmocka_unit_test(test_deeply_nested_groups_match_nothing),
        cmocka_unit_test(test_labels_must_all_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
