/* SPDX-License-Identifier: Apache-2.0 */
#include <swarm/plugin.h>

#include <stdbool.h>
#include <stdio.h>

#include "fixture.h"
#include "heap.h"

/* Plugins that a program has loaded: what it gives to swarm_plugin_enter(). */

static struct swarm_registry *registry;
static int destroyed, entered;
static const char *seen_arguments;

static int set_up(void **state)
{
    destroyed = entered = 0;
    seen_arguments = NULL;
    assert_int_equal(swarm_registry_new(&registry, NULL), 0);
    return 0;
}

static int tear_down(void **state)
{
    swarm_registry_free(registry);
    return 0;
}

static int keep_all(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                    struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    return 0;
}

static int rank_all(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                    const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                    struct swarm_error **reterr)
{
    return 0;
}

static void count_destroy(void *data)
{
    destroyed++;
}

static int add_filter(struct swarm_registry *to, const char *name, struct swarm_error **reterr)
{
    struct swarm_filter_ops ops = SWARM_FILTER_OPS_INIT;
    ops.name = name;
    ops.filter = keep_all;
    ops.destroy = count_destroy;
    return swarm_registry_add_filter(to, &ops, NULL, reterr);
}

static int add_strategy(struct swarm_registry *to, const char *name, struct swarm_error **reterr)
{
    struct swarm_strategy_ops ops = SWARM_STRATEGY_OPS_INIT;
    ops.name = name;
    ops.rank = rank_all;
    ops.destroy = count_destroy;
    return swarm_registry_add_strategy(to, &ops, NULL, reterr);
}

/* Registers a filter "mine" and the strategy that the arguments name. */
static int enter(struct swarm_registry *to, const char *arguments, struct swarm_error **reterr)
{
    entered++;
    seen_arguments = *arguments ? "some" : "";
    int code = add_filter(to, "mine", reterr);
    return code != 0 || !*arguments ? code : add_strategy(to, arguments, reterr);
}

static int enter_and_fail(struct swarm_registry *to, const char *arguments, struct swarm_error **reterr)
{
    assert_int_equal(enter(to, "mine", reterr), 0);
    return swarm_error_new(reterr, SWARM_ERR_PARSE, "no such rack: '%s'", arguments);
}

static int enter_and_answer_nonsense(struct swarm_registry *to, const char *arguments, struct swarm_error **reterr)
{
    return 4711;
}

static int enter_and_say_nothing(struct swarm_registry *to, const char *arguments, struct swarm_error **reterr)
{
    return SWARM_ERR_STATE;
}

static void expect(const struct swarm_plugin *plugin, const char *arguments, int code, const char *message)
{
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_plugin_enter(plugin, registry, arguments, &error), code);
    assert_int_equal(swarm_error_code(error), code);
    assert_string_equal(swarm_error_message(error), message);
    swarm_error_free(error);
}

static bool has_filter(const char *name)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    options.filters = &name;
    options.filter_count = 1;
    options.registry = registry;
    int code = swarm_scheduler_new(&scheduler, &options, NULL);
    swarm_scheduler_free(scheduler);
    return code == 0;
}

static void test_what_it_registers_can_be_used(void **state)
{
    const struct swarm_plugin plugin = {SWARM_PLUGIN_HEAD, "racks", enter};
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    expect(&plugin, "mine", 0, "success");
    assert_string_equal(seen_arguments, "some");
    options.strategy = "mine";
    options.filters = (const char *[]){"mine"};
    options.filter_count = 1;
    options.registry = registry;
    assert_int_equal(swarm_scheduler_new(&scheduler, &options, NULL), 0);
    assert_string_equal(swarm_scheduler_strategy(scheduler), "mine");
    swarm_scheduler_free(scheduler);
    assert_int_equal(destroyed, 0);
}

static void test_no_arguments_are_empty_ones(void **state)
{
    const struct swarm_plugin plugin = {SWARM_PLUGIN_HEAD, "racks", enter};
    expect(&plugin, NULL, 0, "success");
    assert_string_equal(seen_arguments, "");
}

static void test_another_abi_is_named_with_ours(void **state)
{
    struct swarm_plugin plugin = {SWARM_PLUGIN_HEAD, "racks", enter};
    plugin.abi = 7;
    expect(&plugin, "", SWARM_ERR_INVALID,
           "plugin: it was built for plugin ABI 7, this library has 1: build it with the headers of "
           "libswarm " SWARM_VERSION);
    assert_int_equal(entered, 0);
}

static void test_entries_that_cannot_be_read_are_refused(void **state)
{
    struct {
        struct swarm_plugin plugin;
        void *more;
    } newer = {{sizeof(newer), SWARM_PLUGIN_ABI, "racks", enter}, NULL};
    struct swarm_plugin smaller = {8, SWARM_PLUGIN_ABI, "racks", enter}, nameless = {SWARM_PLUGIN_HEAD, "", enter},
                        empty = {SWARM_PLUGIN_HEAD, "racks", NULL};
    char message[200];
    snprintf(message, sizeof(message),
             "plugin: its entry has size 8, this library knows %zu: begin it with SWARM_PLUGIN_HEAD, or use a newer "
             "libswarm",
             sizeof(struct swarm_plugin));
    expect(&smaller, "", SWARM_ERR_INVALID, message);
    expect(&nameless, "", SWARM_ERR_INVALID, "plugin: its entry has no name");
    expect(&empty, "", SWARM_ERR_INVALID, "plugin racks: its entry has no enter function");
    expect(NULL, "", SWARM_ERR_INVALID, "plugin: a plugin's entry and a registry are needed");
    assert_int_equal(swarm_plugin_enter(&newer.plugin, NULL, "", NULL), SWARM_ERR_INVALID);
    assert_int_equal(entered, 0);
    newer.more = &newer;
    assert_int_equal(swarm_plugin_enter(&newer.plugin, registry, "", NULL), SWARM_ERR_INVALID);
    newer.more = NULL; /* newer than we are, but with nothing that we do not know */
    assert_int_equal(swarm_plugin_enter(&newer.plugin, registry, "", NULL), 0);
}

static void test_failure_takes_everything_out_again(void **state)
{
    const struct swarm_plugin good = {SWARM_PLUGIN_HEAD, "good", enter};
    const struct swarm_plugin bad = {SWARM_PLUGIN_HEAD, "bad", enter_and_fail};
    assert_int_equal(add_filter(registry, "before", NULL), 0);
    expect(&bad, "r9", SWARM_ERR_PARSE, "plugin bad: no such rack: 'r9'");
    assert_int_equal(destroyed, 2);
    assert_true(has_filter("before"));
    assert_false(has_filter("mine"));
    expect(&good, "mine", 0, "success");
    assert_true(has_filter("mine"));
}

static void test_names_that_exist_are_refused(void **state)
{
    const struct swarm_plugin plugin = {SWARM_PLUGIN_HEAD, "racks", enter};
    expect(&plugin, "binpack", SWARM_ERR_EXISTS, "plugin racks: strategy binpack exists already");
    assert_int_equal(destroyed, 1);
    expect(&plugin, "mine", 0, "success");
    expect(&plugin, "mine", SWARM_ERR_EXISTS, "plugin racks: filter mine exists already");
    assert_int_equal(destroyed, 1);
}

static void test_answers_without_an_error_get_one(void **state)
{
    const struct swarm_plugin nonsense = {SWARM_PLUGIN_HEAD, "racks", enter_and_answer_nonsense};
    const struct swarm_plugin silent = {SWARM_PLUGIN_HEAD, "racks", enter_and_say_nothing};
    expect(&nonsense, "", SWARM_ERR_INVALID, "plugin racks: it answered 4711 and no error");
    expect(&silent, "", SWARM_ERR_STATE, "plugin racks: it answered -9 and no error");
    assert_int_equal(swarm_plugin_enter(&nonsense, registry, "", NULL), SWARM_ERR_INVALID);
}

static void test_lack_of_memory_takes_everything_out_again(void **state)
{
    const struct swarm_plugin plugin = {SWARM_PLUGIN_HEAD, "racks", enter};
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        struct swarm_error *error = NULL;
        heap_fail(n, false);
        int code = swarm_plugin_enter(&plugin, registry, "mine", &error);
        failed = heap_failed();
        heap_restore();
        assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
        assert_int_equal(swarm_error_code(error), code);
        assert_int_equal(has_filter("mine"), !failed);
        swarm_error_free(error);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_it_registers_can_be_used),      TEST(test_no_arguments_are_empty_ones),
        TEST(test_another_abi_is_named_with_ours),     TEST(test_entries_that_cannot_be_read_are_refused),
        TEST(test_failure_takes_everything_out_again), TEST(test_names_that_exist_are_refused),
        TEST(test_answers_without_an_error_get_one),   TEST(test_lack_of_memory_takes_everything_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
