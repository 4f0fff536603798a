/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "progress_merge.h"

static struct progress_merge merge;

static int set_up(void **state)
{
    return progress_merge_init(&merge, 2);
}

static int tear_down(void **state)
{
    progress_merge_finish(&merge);
    return 0;
}

static enum progress_verdict take(size_t node, const char *text)
{
    static const char *const names[] = {"n1", "n2"};
    json_t *object = json_loads(text, 0, NULL);
    enum progress_verdict verdict;

    assert_non_null(object);
    verdict = progress_merge_take(&merge, node, names[node], object);
    json_decref(object);
    return verdict;
}

static enum progress_verdict layer(size_t node, const char *id, const char *status, int current)
{
    char text[256];

    snprintf(text, sizeof(text), "{\"status\":\"%s\",\"progressDetail\":{\"current\":%d},\"id\":\"%s\"}", status,
             current, id);
    return take(node, text);
}

static void test_layer_is_shown_as_far_as_the_last_node_is(void **state)
{
    assert_int_equal(layer(0, "a", "Pulling fs layer", 0), PROGRESS_SEND);
    assert_int_equal(layer(1, "a", "Pulling fs layer", 0), PROGRESS_DROP); /* it is shown so already */
    assert_int_equal(layer(0, "a", "Downloading", 10), PROGRESS_DROP);
    assert_int_equal(layer(1, "a", "Downloading", 5), PROGRESS_SEND);
    assert_int_equal(layer(0, "a", "Downloading", 20), PROGRESS_DROP);
    assert_int_equal(layer(1, "a", "Downloading", 15), PROGRESS_SEND);
    assert_int_equal(layer(0, "a", "Pull complete", 0), PROGRESS_DROP);
    assert_int_equal(layer(1, "a", "Extracting", 1), PROGRESS_SEND);
    assert_int_equal(layer(1, "a", "Pull complete", 0), PROGRESS_SEND);
}

static void test_node_that_begins_later_takes_nothing_back(void **state)
{
    assert_int_equal(layer(0, "a", "Pulling fs layer", 0), PROGRESS_SEND);
    assert_int_equal(layer(0, "a", "Downloading", 10), PROGRESS_SEND);
    assert_int_equal(layer(1, "a", "Pulling fs layer", 0), PROGRESS_DROP);
    assert_int_equal(layer(0, "a", "Downloading", 30), PROGRESS_DROP);
    assert_int_equal(layer(1, "a", "Downloading", 9), PROGRESS_DROP);
    assert_int_equal(layer(1, "a", "Downloading", 20), PROGRESS_SEND);
}

static void test_layers_are_apart(void **state)
{
    assert_int_equal(layer(0, "a", "Downloading", 10), PROGRESS_SEND);
    assert_int_equal(layer(1, "b", "Downloading", 5), PROGRESS_SEND);
    assert_int_equal(layer(0, "b", "Already exists", 0), PROGRESS_DROP);
    assert_int_equal(layer(1, "a", "Already exists", 0), PROGRESS_DROP);
}

static void test_node_that_left_is_not_waited_for(void **state)
{
    assert_int_equal(layer(0, "a", "Downloading", 10), PROGRESS_SEND);
    assert_int_equal(layer(1, "a", "Downloading", 20), PROGRESS_DROP);
    progress_merge_leave(&merge, 0);
    assert_int_equal(layer(1, "a", "Downloading", 30), PROGRESS_SEND);
}

static void test_other_lines_with_an_id_are_said_once(void **state)
{
    assert_int_equal(take(0, "{\"status\":\"Pulling from box\",\"id\":\"v1\"}"), PROGRESS_SEND);
    assert_int_equal(take(1, "{\"status\":\"Pulling from box\",\"id\":\"v1\"}"), PROGRESS_DROP);
    assert_int_equal(take(1, "{\"status\":\"Pulling from box\",\"id\":\"v2\"}"), PROGRESS_SEND);
}

static void test_results_are_held_and_told_once_with_their_nodes(void **state)
{
    json_t *held;
    char *text;

    assert_int_equal(take(1, "{\"status\":\"Digest: x\"}"), PROGRESS_HOLD);
    assert_int_equal(take(0, "{\"status\":\"Downloaded\"}"), PROGRESS_HOLD);
    assert_int_equal(take(0, "{\"status\":\"Digest: x\"}"), PROGRESS_HOLD);
    assert_int_equal(take(0, "{\"status\":\"Digest: x\"}"), PROGRESS_HOLD);
    assert_int_equal(take(1, "{\"aux\":{\"ID\":\"y\"}}"), PROGRESS_HOLD);
    held = progress_merge_held(&merge);
    text = json_dumps(held, JSON_COMPACT);
    assert_string_equal(text, "[{\"status\":\"Digest: x\",\"nodes\":[\"n1\",\"n2\"]},"
                              "{\"status\":\"Downloaded\",\"nodes\":[\"n1\"]},"
                              "{\"aux\":{\"ID\":\"y\"},\"nodes\":[\"n2\"]}]");
    free(text);
    json_decref(held);
}

static void test_what_is_too_much_is_passed_on(void **state)
{
    char id[16], text[32];

    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof(id), "%d", i);
        assert_int_equal(layer(0, id, "Waiting", 0), PROGRESS_SEND);
    }
    assert_int_equal(layer(0, "more", "Waiting", 0), PROGRESS_SEND);
    assert_int_equal(layer(1, "more", "Waiting", 0), PROGRESS_SEND);
    assert_int_equal(layer(1, "1", "Waiting", 0), PROGRESS_DROP);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "{\"stream\":\"%d\"}", i);
        assert_int_equal(take(0, text), PROGRESS_HOLD);
    }
    assert_int_equal(take(0, "{\"stream\":\"more\"}"), PROGRESS_SEND);
}

static void test_odd_objects_do_no_harm(void **state)
{
    assert_int_equal(take(0, "{}"), PROGRESS_HOLD);
    assert_int_equal(take(0, "{\"id\":7,\"status\":[]}"), PROGRESS_HOLD);
    assert_int_equal(take(0, "{\"id\":\"a\"}"), PROGRESS_SEND);
    assert_int_equal(take(0, "{\"id\":\"a\",\"status\":\"Downloading\",\"progressDetail\":[]}"), PROGRESS_SEND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layer_is_shown_as_far_as_the_last_node_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_node_that_begins_later_takes_nothing_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_layers_are_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_node_that_left_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_lines_with_an_id_are_said_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_results_are_held_and_told_once_with_their_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_too_much_is_passed_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd_objects_do_no_harm, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
