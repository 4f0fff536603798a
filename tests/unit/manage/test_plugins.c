/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <swarm/swarm.h>

#include "plugins.h"

static void assert_split(const char *text, const char *file, const char *arguments)
{
    const char *found;
    size_t length = plugin_split(text, &found);

    assert_int_equal(length, strlen(file));
    assert_memory_equal(text, file, length);
    assert_string_equal(found, arguments);
}

static void test_arguments_follow_the_suffix(void **state)
{
    assert_split("a.so", "a.so", "");
    assert_split("a.so:", "a.so", "");
    assert_split("/x/a.so:b,c:d=e", "/x/a.so", "b,c:d=e");
    assert_split("/x:y/a.so:b.so:c", "/x:y/a.so", "b.so:c");
    assert_split("/x:y/a.so.1", "/x:y/a.so.1", "");
    assert_split("", "", "");
}

static int load(struct swarm_registry **ret, const char *first, const char *second, char **reterr)
{
    const char *list[] = {first, second, NULL};

    return plugins_load(ret, list, reterr);
}

static void assert_refused(const char *first, const char *second, const char *start, const char *end)
{
    struct swarm_registry *registry = NULL;
    char *error = NULL;

    assert_int_equal(load(&registry, first, second, &error), -1);
    assert_null(registry);
    assert_non_null(error);
    if (strncmp(error, start, strlen(start)) != 0 || strlen(error) < strlen(end) ||
        strcmp(error + strlen(error) - strlen(end), end) != 0)
        fail_msg("wrong message: %s", error);
    free(error);
}

static void test_a_scheduler_uses_what_plugins_bring(void **state)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    char *error = NULL;
    struct swarm_registry *registry = NULL;

    assert_int_equal(load(&registry, SAMPLES "/sample_good.so:one", SAMPLES "/sample_good.so:two", &error), 0);
    assert_null(error);
    options.strategy = "two";
    options.filters = (const char *[]){"one", "health"};
    options.filter_count = 2;
    options.registry = registry;
    assert_int_equal(swarm_scheduler_new(&scheduler, &options, NULL), 0);
    swarm_registry_free(registry);
    assert_string_equal(swarm_scheduler_strategy(scheduler), "two");
    swarm_scheduler_free(scheduler);
}

static void test_no_plugin_is_an_empty_registry(void **state)
{
    struct swarm_registry *registry = NULL;
    char *error = NULL;

    assert_int_equal(plugins_load(&registry, NULL, &error), 0);
    assert_non_null(registry);
    swarm_registry_free(registry);
}

static void test_a_file_without_a_slash_is_in_the_working_directory(void **state)
{
    struct swarm_registry *registry = NULL;
    char *error = NULL, *before = getcwd(NULL, 0);

    assert_int_equal(chdir(SAMPLES), 0);
    assert_int_equal(load(&registry, "sample_good.so:one", NULL, &error), 0);
    assert_int_equal(chdir(before), 0);
    swarm_registry_free(registry);
    free(before);
}

static void test_what_is_wrong_is_said(void **state)
{
    const char *good = SAMPLES "/sample_good.so:one";

    assert_refused("/none/a.so:b", NULL, "--plugin /none/a.so: cannot be opened: No such file or directory", "");
    assert_refused("", NULL, "--plugin : cannot be opened: No such file or directory", "");
    assert_refused("/dev/null", NULL, "--plugin /dev/null: cannot be opened: /dev/null: ", "");
    assert_refused(SAMPLES "/sample_no_symbol.so", NULL, "--plugin " SAMPLES "/sample_no_symbol.so: it is no plugin",
                   "it has no symbol swarm_plugin_entry");
    assert_refused(SAMPLES "/sample_other_abi.so:one", NULL, "--plugin " SAMPLES "/sample_other_abi.so: ",
                   "plugin: it was built for plugin ABI 2, this library has 1: build it with the headers of "
                   "libswarm " SWARM_VERSION);
    assert_refused(SAMPLES "/sample_good.so", NULL,
                   "--plugin " SAMPLES "/sample_good.so: ", "plugin sample: a name is needed, as in sample.so:NAME");
    assert_refused(good, good, "--plugin ", "plugin sample: filter one exists already");
    assert_refused(SAMPLES "/sample_good.so:spread", NULL, "--plugin ",
                   "plugin sample: strategy spread exists already");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_follow_the_suffix),
        cmocka_unit_test(test_a_scheduler_uses_what_plugins_bring),
        cmocka_unit_test(test_no_plugin_is_an_empty_registry),
        cmocka_unit_test(test_a_file_without_a_slash_is_in_the_working_directory),
        cmocka_unit_test(test_what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
