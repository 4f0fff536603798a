/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static FILE *file;
static char text[8192];

static int set_up(void **state)
{
    file = tmpfile();
    log_init(file, LOG_LEVEL_INFO);
    return file ? 0 : -1;
}

static int tear_down(void **state)
{
    log_init(stdout, LOG_LEVEL_INFO);
    return fclose(file);
}

/* What was logged, behind the time. */
static const char *logged(void)
{
    rewind(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    char *level = strstr(text, " level=");
    return level ? level + 1 : text;
}

static void test_line_is_logfmt(void **state)
{
    log_info("Listening for %s", "HTTP");
    assert_string_equal(logged(), "level=info msg=\"Listening for HTTP\"\n");
}

static void test_time_is_rfc3339_in_the_local_zone(void **state)
{
    setenv("TZ", "XYZ-05:30", 1);
    tzset();
    log_info("x");
    unsetenv("TZ");
    tzset();
    logged();
    int year, month, day, hour, minute, second, used = 0;
    sscanf(text, "time=\"%4d-%2d-%2dT%2d:%2d:%2d+05:30\" level=info%n", &year, &month, &day, &hour, &minute, &second,
           &used);
    assert_int_equal(used, 43);
}

static void test_time_in_utc_ends_with_z(void **state)
{
    setenv("TZ", "UTC", 1);
    tzset();
    log_info("x");
    logged();
    assert_int_equal(text[25], 'Z');
    unsetenv("TZ");
    tzset();
}

static void test_plain_words_are_not_quoted(void **state)
{
    log_info_with(LOG_FIELDS({"addr", "10.0.0.1/24"}, {"empty", ""}, {"mail", "a@b^c+d-e_f"}), "word");
    assert_string_equal(logged(), "level=info msg=word addr=10.0.0.1/24 empty= mail=a@b^c+d-e_f\n");
}

static void test_fields_are_sorted_by_key(void **state)
{
    log_warn_with(LOG_FIELDS({"proto", "tcp"}, {"addr", "127.0.0.1:2375"}), "x");
    assert_string_equal(logged(), "level=warning msg=x addr=\"127.0.0.1:2375\" proto=tcp\n");
}

static void test_special_bytes_are_escaped(void **state)
{
    log_error("a\nb\t\"c\" \\ \x01 \x7f \xff \xc3\xa4 \xc2\x85");
    assert_string_equal(logged(), "level=error msg=\"a\\nb\\t\\\"c\\\" \\\\ \\x01 \\x7f \\xff \xc3\xa4 \\xc2\\x85\"\n");
}

static void test_missing_value_prints_as_nothing(void **state)
{
    log_info_with(LOG_FIELDS({"error", NULL}), "x");
    assert_string_equal(logged(), "level=info msg=x error=\n");
}

static void test_long_messages_are_whole(void **state)
{
    char message[4001];
    memset(message, 'm', 4000);
    message[4000] = '\0';
    log_info("%s", message);
    assert_int_equal(strlen(logged()), strlen("level=info msg=\n") + 4000);
}

static void test_levels_below_the_limit_are_dropped(void **state)
{
    log_debug("x");
    assert_string_equal(logged(), "");
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
    log_init(file, LOG_LEVEL_DEBUG);
    log_debug("y");
    assert_string_equal(logged(), "level=debug msg=y\n");
}

static void test_level_words(void **state)
{
    enum log_level level = LOG_LEVEL_PANIC;
    assert_int_equal(log_level_parse("warn", &level), 0);
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_int_equal(log_level_parse("WARNING", &level), 0);
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_int_equal(log_level_parse("Debug", &level), 0);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_parse("bogus", &level), -1);
    assert_int_equal(log_level_parse("", &level), -1);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void test_fatal_ends_the_process_with_one(void **state)
{
    pid_t child = fork();
    int status;
    if (child == 0)
        log_fatal("no %s", "way");
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_string_equal(logged(), "level=fatal msg=\"no way\"\n");
}

#define WITH_FILE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_line_is_logfmt),
        WITH_FILE(test_time_is_rfc3339_in_the_local_zone),
        WITH_FILE(test_time_in_utc_ends_with_z),
        WITH_FILE(test_plain_words_are_not_quoted),
        WITH_FILE(test_fields_are_sorted_by_key),
        WITH_FILE(test_special_bytes_are_escaped),
        WITH_FILE(test_missing_value_prints_as_nothing),
        WITH_FILE(test_long_messages_are_whole),
        WITH_FILE(test_levels_below_the_limit_are_dropped),
        WITH_FILE(test_level_words),
        WITH_FILE(test_fatal_ends_the_process_with_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
