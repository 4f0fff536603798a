/* SPDX-License-Identifier: Apache-2.0 */
/* Which regular expressions there are: what RE2 and PCRE2 both take. */
#include "expr.h"
#include "fixture.h"
#include "pattern.h"

static bool compiles(const char *pattern)
{
    void *code = NULL;
    assert_int_equal(swarm__pattern_compile(pattern, strlen(pattern), &code), 0);
    swarm__pattern_free(code);
    return code != NULL;
}

static void test_of_both_dialects(void **state)
{
    static const char *const good[] = {
        "",          "a",           "a*?b+?c??",
        "\\x41",     "\\x4a",       "\\x4F",
        "\\xfF",     "\\012",       "\\0",
        "\\12",      "\\77",        "\\pL",
        "\\PN+",     "\\p{Lu}",     "\\d\\D\\s\\S\\w\\W",
        "\\Aa\\z",   "\\ba\\B",     "\\a\\f\\n\\r\\t\\v",
        "\\.\\*\\/", "\\Qa.b",      "\\Qa.b\\E+",
        "[abc]",     "[^abc]",      "[]a]",
        "[^]a]",     "[[:alpha:]]", "[[:^digit:]x]",
        "[a[b]",     "[\\d\\.-]",   "[\\x41-\\x5a]",
        "[\\pL]",    "(a)",         "(?:a|b)",
        "(?i)a",     "(?i-s:a)",    "(?imsU)a",
        "((((a))))", "a|",
    };
    static const char *const bad[] = {
        "a++",   "a*+",   "a?+",   "\\1",       "\\8", "\\9",   "(a)\\1", "\\x4",  "\\x4g",   "\\x",
        "\\xg1", "\\18",  "\\p",   "\\K",       "\\R", "\\h",   "\\G",    "\\Z",   "\\y",     "\\",
        "[\\b]", "[\\A]", "[\\1]", "[\\x4]",    "[a",  "[\\",   "[[:",    "[[",    "[",       "[[:alpha:]",
        "(",     ")",     "(a",    "(?",        "(?i", "(?x)a", "(?=a)",  "(?!a)", "(?<=a)b", "(?>a)",
        "(?|a)", "(?R)",  "(?1)",  "(*ACCEPT)", "*a",  "+",     "?",      "a**",   "(?",      "\\Q\\E\\",
    };
    for (size_t i = 0; i < COUNT(good); i++)
        if (!compiles(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (compiles(bad[i]))
            fail_msg("%s", bad[i]);
}

static int matched(const char *pattern, const char *subject, size_t length)
{
    struct swarm__matcher matcher = {NULL};
    void *code = NULL;
    assert_int_equal(swarm__pattern_compile(pattern, strlen(pattern), &code), 0);
    assert_non_null(code);
    int found = swarm__pattern_match(code, &matcher, subject, length);
    swarm__matcher_finish(&matcher);
    swarm__pattern_free(code);
    return found;
}

static void test_meaning_of_escapes(void **state)
{
    assert_int_equal(matched("^\\x41\\102$", "AB", 2), 1);
    assert_int_equal(matched("^\\x41\\x42$", "AB", 2), 1);
    assert_int_equal(matched("^\\Qa.b\\E$", "a.b", 3), 1);
    assert_int_equal(matched("^\\Qa.b\\E$", "axb", 3), 0);
    assert_int_equal(matched("a$", "a\n", 2), 0);
    assert_int_equal(matched(".", "\n", 1), 0);
    assert_int_equal(matched("(?s).", "\n", 1), 1);
    assert_int_equal(matched("^[[:upper:]]$", "Q", 1), 1);
}

/* They are matched by another engine that cannot take long, or not at all. */
static void test_patterns_that_explode_end_in_time(void **state)
{
    static char subject[100000];
    memset(subject, 'a', sizeof(subject));
    assert_int_equal(matched("(a*)*b", subject, 200), 0);
    assert_int_equal(matched("^(?:(?:a|aa)+)+$", subject, 60), 1);
    assert_int_equal(matched("(?:a|b|ab)*c", subject, sizeof(subject)), 0);
    assert_int_equal(matched("^(a|b)*?$", subject, sizeof(subject)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_both_dialects),
        cmocka_unit_test(test_meaning_of_escapes),
        cmocka_unit_test(test_patterns_that_explode_end_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
