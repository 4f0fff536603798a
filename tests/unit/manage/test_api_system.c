/* SPDX-License-Identifier: Apache-2.0 */
/* What /info and /version tell of a pool of two engines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "api_nodes.h"
#include "canned.h"

/* The engine reports itself again: experimental, or not. */
static void set_experimental(int number, bool experimental)
{
    struct failure failure = {0};
    char id[8], name[8];
    json_t *info, *version = canned_json("version");

    snprintf(id, sizeof(id), "ID%d", number + 1);
    snprintf(name, sizeof(name), "n%d", number + 1);
    info = canned_info(id, name);
    json_object_set_new(info, "ExperimentalBuild", json_boolean(experimental));
    assert_int_equal(pool_apply_specs(api_manager.pool, api_nodes[number].engine, info, version, "1", &failure), 0);
    json_decref(info);
    json_decref(version);
}

static bool info_is_experimental(void)
{
    json_t *info = api_get("/info");
    bool experimental = json_is_true(json_object_get(info, "ExperimentalBuild"));

    json_decref(info);
    return experimental;
}

/* What the pool is as a whole is looked at anew within a moment. */
static void assert_experimental(bool wanted)
{
    json_t *version, *details;

    for (int i = 0; i < 600 && info_is_experimental() != wanted; i++)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    assert_int_equal(info_is_experimental(), wanted);
    version = api_get("/version");
    details = json_object_get(json_array_get(json_object_get(version, "Components"), 0), "Details");
    assert_int_equal(json_is_true(json_object_get(version, "Experimental")), wanted);
    assert_string_equal(json_string_value(json_object_get(details, "Experimental")), wanted ? "true" : "false");
    json_decref(version);
}

static void test_pool_of_experimental_engines_is_experimental(void **state)
{
    api_nodes_reset();
    assert_experimental(false);
    set_experimental(0, true);
    set_experimental(1, true);
    assert_experimental(true);
    set_experimental(1, false);
    assert_experimental(false);
}

static void test_engine_that_is_not_well_does_not_say_whether_the_pool_is_experimental(void **state)
{
    api_nodes_reset();
    set_experimental(0, true);
    set_experimental(1, false);
    assert_experimental(false);
    pool_set_state(api_manager.pool, api_nodes[1].engine, ENGINE_UNHEALTHY, 0, NULL);
    assert_experimental(true);
}

static void test_flag_says_that_the_pool_is_experimental(void **state)
{
    api_nodes_reset();
    set_experimental(0, false);
    assert_experimental(false);
    api_manager.options.experimental = true;
    assert_experimental(true);
    api_manager.options.experimental = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_of_experimental_engines_is_experimental),
        cmocka_unit_test(test_engine_that_is_not_well_does_not_say_whether_the_pool_is_experimental),
        cmocka_unit_test(test_flag_says_that_the_pool_is_experimental),
    };

    return cmocka_run_group_tests(tests, api_nodes_set_up, api_nodes_tear_down);
}
