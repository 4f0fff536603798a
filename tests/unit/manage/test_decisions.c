/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decisions.h"

static struct decisions *decisions;

static int set_up(void **state)
{
    return decisions_new(&decisions);
}

static int tear_down(void **state)
{
    decisions_free(decisions);
    return 0;
}

static const char *text_of(json_t *list, size_t index, const char *key)
{
    return json_string_value(json_object_get(json_array_get(list, index), key));
}

static void test_the_last_are_kept_in_order(void **state)
{
    json_t *list = decisions_json(decisions);

    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    for (int i = 0; i < DECISIONS_MAX + 7; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        decisions_add(decisions, &(struct decision_note){.granted = true, .name = name, .node = "n"});
    }
    list = decisions_json(decisions);
    assert_int_equal(json_array_size(list), DECISIONS_MAX);
    assert_string_equal(text_of(list, 0, "name"), "c7");
    assert_string_equal(text_of(list, DECISIONS_MAX - 1, "name"), "c1006");
    json_decref(list);
}

static void test_missing_texts_are_null(void **state)
{
    json_t *list, *entry;

    decisions_add(decisions, &(struct decision_note){.move = true});
    list = decisions_json(decisions);
    entry = json_array_get(list, 0);
    assert_string_equal(text_of(list, 0, "kind"), "move");
    assert_string_equal(text_of(list, 0, "outcome"), "refused");
    assert_true(json_is_null(json_object_get(entry, "name")));
    assert_true(json_is_null(json_object_get(entry, "image")));
    assert_true(json_is_null(json_object_get(entry, "node")));
    assert_true(json_is_null(json_object_get(entry, "text")));
    json_decref(list);
    decisions_add(NULL, &(struct decision_note){.name = "nobody listens"});
}

static void test_long_texts_are_cut_between_characters(void **state)
{
    char *text = malloc(DECISION_TEXT_MAX * 2);
    json_t *list;

    memset(text, 'x', DECISION_TEXT_MAX * 2 - 1);
    text[DECISION_TEXT_MAX * 2 - 1] = '\0';
    memcpy(text + DECISION_TEXT_MAX - 1, "\xe2\x82\xac", 3);
    decisions_add(decisions, &(struct decision_note){.text = text});
    memcpy(text + DECISION_TEXT_MAX - 1, "\xe2\0", 2);
    decisions_add(decisions, &(struct decision_note){.text = text});
    list = decisions_json(decisions);
    assert_int_equal(strlen(text_of(list, 0, "text")), DECISION_TEXT_MAX - 1);
    assert_int_equal(strlen(text_of(list, 1, "text")), DECISION_TEXT_MAX);
    assert_int_equal(text_of(list, 1, "text")[DECISION_TEXT_MAX - 1], '?');
    json_decref(list);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_last_are_kept_in_order),
        TEST(test_missing_texts_are_null),
        TEST(test_long_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
