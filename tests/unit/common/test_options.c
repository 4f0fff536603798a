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

#include "options.h"

static struct option options[9];
static const struct command command = {
    .name = "manage",
    .usage = "Manage a docker cluster",
    .arguments = "<discovery>",
    .options = options,
    .epilogue = " * swarm.overcommit=0.05",
};
static const char **positional;
static size_t count;
static char *error;

static int set_up(void **state)
{
    const struct option fresh[9] = {
        {"strategy", OPTION_STRING, "spread", NULL, "placement strategy"},
        {"host, H", OPTION_LIST, "tcp://127.0.0.1:2375", "TEST_HOST", "ip/socket to listen on"},
        {"advertise, addr", OPTION_STRING, NULL, "TEST_ADVERTISE", "address"},
        {"tls", OPTION_BOOL, NULL, NULL, "use TLS"},
        {"retry", OPTION_INT, "3", NULL, "tries"},
        {"debug", OPTION_BOOL, NULL, "TEST_DEBUG", "debug mode"},
        {"filter, f", OPTION_LIST, "a, b,c", NULL, "filter to use"},
        {"secret", OPTION_STRING, NULL, NULL, NULL},
    };
    memcpy(options, fresh, sizeof options);
    positional = NULL;
    error = NULL;
    count = 0;
    return 0;
}

static int tear_down(void **state)
{
    options_free(&command);
    free(positional);
    free(error);
    unsetenv("TEST_HOST");
    unsetenv("TEST_ADVERTISE");
    unsetenv("TEST_DEBUG");
    return 0;
}

/* Parse the words, NULL-ended. */
static int parse(const char *const *words)
{
    char *argv[16];
    int argc = 0;
    options_free(&command);
    free(positional);
    positional = NULL;
    for (; words[argc]; argc++)
        argv[argc] = strdup(words[argc]);
    static char *kept[16]; /* values are borrowed from the words: freed by the next call */
    static int kept_count;
    for (int i = 0; i < kept_count; i++)
        free(kept[i]);
    memcpy(kept, argv, sizeof kept[0] * (size_t)argc);
    kept_count = argc;
    return options_parse(&command, argc, argv, &positional, &count, &error);
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static const char *value(const char *name)
{
    return option_find(&command, name)->value;
}

static void test_defaults_stand_without_flags(void **state)
{
    assert_int_equal(PARSE("nodes://a:1"), 0);
    assert_string_equal(value("strategy"), "spread");
    assert_string_equal(value("advertise"), "");
    assert_int_equal(option_find(&command, "retry")->number, 3);
    assert_false(option_find(&command, "tls")->flag);
    assert_int_equal(option_find(&command, "filter")->count, 3);
    assert_string_equal(option_find(&command, "filter")->list[1], "b");
    assert_null(option_find(&command, "filter")->list[3]);
    assert_false(option_find(&command, "filter")->given);
    assert_int_equal(count, 1);
    assert_string_equal(positional[0], "nodes://a:1");
}

static void test_one_dash_and_two_are_equal(void **state)
{
    assert_int_equal(PARSE("-strategy=a", "--advertise=b", "-retry", "5"), 0);
    assert_string_equal(value("strategy"), "a");
    assert_string_equal(value("addr"), "b");
    assert_int_equal(option_find(&command, "retry")->number, 5);
    assert_int_equal(PARSE("--strategy", "c"), 0);
    assert_string_equal(value("strategy"), "c");
}

static void test_last_scalar_wins(void **state)
{
    assert_int_equal(PARSE("--strategy", "a", "--strategy", "b"), 0);
    assert_string_equal(value("strategy"), "b");
}

static void test_bool_takes_a_value_only_with_equals(void **state)
{
    assert_int_equal(PARSE("--tls=T", "--debug=false", "x"), 0);
    assert_true(option_find(&command, "tls")->flag);
    assert_true(option_find(&command, "debug")->given);
    assert_false(option_find(&command, "debug")->flag);
    assert_int_equal(count, 1);
}

static void test_list_replaces_default_and_accumulates(void **state)
{
    assert_int_equal(PARSE("-H", ":1", "--filter", "x", "-H=:2"), 0);
    const struct option *host = option_find(&command, "H");
    assert_int_equal(host->count, 2);
    assert_string_equal(host->list[0], ":1");
    assert_string_equal(host->list[1], ":2");
    assert_int_equal(option_find(&command, "f")->count, 1);
}

static void test_environment_beats_default(void **state)
{
    setenv("TEST_HOST", ":1, :2 ,:3", 1);
    setenv("TEST_ADVERTISE", "a:1", 1);
    setenv("TEST_DEBUG", "true", 1);
    assert_int_equal(PARSE("x"), 0);
    assert_int_equal(option_find(&command, "host")->count, 3);
    assert_string_equal(option_find(&command, "host")->list[1], ":2");
    assert_string_equal(value("advertise"), "a:1");
    assert_true(option_find(&command, "debug")->flag);
    assert_false(option_find(&command, "debug")->given);
}

static void test_command_line_beats_environment(void **state)
{
    setenv("TEST_HOST", ":1,:2", 1);
    setenv("TEST_ADVERTISE", "a:1", 1);
    assert_int_equal(PARSE("-H", ":9", "--addr", "b:2"), 0);
    assert_int_equal(option_find(&command, "host")->count, 1);
    assert_string_equal(option_find(&command, "host")->list[0], ":9");
    assert_string_equal(value("advertise"), "b:2");
}

static void test_environment_that_is_no_bool_is_passed_over(void **state)
{
    setenv("TEST_DEBUG", "*", 1);
    assert_int_equal(PARSE("x"), 0);
    assert_false(option_find(&command, "debug")->flag);
}

static void test_words_before_the_flags_come_after_them(void **state)
{
    assert_int_equal(PARSE("nodes://a:1", "-H", ":2"), 0);
    assert_int_equal(count, 1);
    assert_string_equal(positional[0], "nodes://a:1");
    assert_string_equal(option_find(&command, "host")->list[0], ":2");
}

static void test_word_behind_a_flag_ends_the_flags(void **state)
{
    assert_int_equal(PARSE("-H", ":2", "nodes://a:1", "--strategy", "random"), 0);
    assert_int_equal(count, 3);
    assert_string_equal(positional[2], "random");
    assert_string_equal(value("strategy"), "spread");
}

static void test_two_dashes_end_the_flags(void **state)
{
    assert_int_equal(PARSE("--tls", "--", "--strategy"), 0);
    assert_int_equal(count, 1);
    assert_string_equal(positional[0], "--strategy");
}

static void fails(int status, const char *text)
{
    assert_int_equal(status, -1);
    assert_string_equal(error, text);
    assert_null(positional);
}

static void test_unknown_flag_is_named(void **state)
{
    fails(PARSE("--bogus=1"), "flag provided but not defined: -bogus");
}

static void test_missing_value_is_named(void **state)
{
    fails(PARSE("x", "--strategy"), "flag needs an argument: -strategy");
}

static void test_bad_syntax_is_named(void **state)
{
    fails(PARSE("---x"), "bad flag syntax: ---x");
}

static void test_bad_equals_is_named(void **state)
{
    fails(PARSE("--=x"), "bad flag syntax: --=x");
}

static void test_bad_bool_is_named(void **state)
{
    fails(PARSE("--tls=yes"),
          "invalid boolean value \"yes\" for -tls: strconv.ParseBool: parsing \"yes\": invalid syntax");
}

static void test_bad_number_is_named(void **state)
{
    fails(PARSE("--retry", "3x"),
          "invalid value \"3x\" for flag -retry: strconv.ParseInt: parsing \"3x\": invalid syntax");
}

static void test_two_forms_of_a_scalar_are_refused(void **state)
{
    fails(PARSE("--addr", "y", "--advertise", "x"), "Cannot use two forms of the same flag: addr advertise");
}

static void test_two_forms_of_a_list_are_refused(void **state)
{
    fails(PARSE("--host", "y", "-H", "x"), "Cannot use two forms of the same flag: H host");
}

static void test_discovery_is_the_one_word(void **state)
{
    const char *words[] = {"nodes://a:1", "x"};
    setenv("SWARM_DISCOVERY", "etcd://b", 1);
    assert_string_equal(options_discovery(words, 1), "nodes://a:1");
    assert_string_equal(options_discovery(words, 2), "etcd://b");
    assert_string_equal(options_discovery(words, 0), "etcd://b");
    unsetenv("SWARM_DISCOVERY");
    assert_null(options_discovery(words, 0));
    assert_null(options_discovery(words, 2));
}

static void test_help_is_laid_out_in_columns(void **state)
{
    char text[4096];
    FILE *file = tmpfile();
    fflush(stdout);
    int saved = dup(1);
    dup2(fileno(file), 1);
    int status = PARSE("--help");
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(status, 1);
    assert_memory_equal(text, "Usage: swarm manage [OPTIONS] <discovery>\n\nManage a docker cluster\n\nArguments:\n",
                        79);
    assert_non_null(strstr(text, "\nOptions:\n"
                                 "   --strategy \"spread\"\t\t\t\t\tplacement strategy\n"
                                 "   --host, -H [--host option --host option]\t\tip/socket to listen on [$TEST_HOST]\n"
                                 "   --advertise, --addr\t\t\t\t\taddress [$TEST_ADVERTISE]\n"
                                 "   --tls\t\t\t\t\t\tuse TLS\n"
                                 "   --retry \"3\"\t\t\t\t\t\ttries\n"));
    assert_non_null(strstr(text, "\n * swarm.overcommit=0.05\n"));
    assert_null(strstr(text, "secret"));
}

#define PARSING(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSING(test_defaults_stand_without_flags),
        PARSING(test_one_dash_and_two_are_equal),
        PARSING(test_last_scalar_wins),
        PARSING(test_bool_takes_a_value_only_with_equals),
        PARSING(test_list_replaces_default_and_accumulates),
        PARSING(test_environment_beats_default),
        PARSING(test_command_line_beats_environment),
        PARSING(test_environment_that_is_no_bool_is_passed_over),
        PARSING(test_words_before_the_flags_come_after_them),
        PARSING(test_word_behind_a_flag_ends_the_flags),
        PARSING(test_two_dashes_end_the_flags),
        PARSING(test_unknown_flag_is_named),
        PARSING(test_missing_value_is_named),
        PARSING(test_bad_syntax_is_named),
        PARSING(test_bad_equals_is_named),
        PARSING(test_bad_bool_is_named),
        PARSING(test_bad_number_is_named),
        PARSING(test_two_forms_of_a_scalar_are_refused),
        PARSING(test_two_forms_of_a_list_are_refused),
        PARSING(test_discovery_is_the_one_word),
        PARSING(test_help_is_laid_out_in_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
