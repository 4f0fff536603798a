/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: what parses, with which words what does not, and what matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "expr.h"

static struct swarm__expr parsed(const char *text)
{
    struct swarm__expr expr;
    assert_int_equal(swarm__expr_init(&expr, text, strlen(text)), 0);
    return expr;
}

static void expect(const char *text, const char *key, const char *value)
{
    struct swarm__expr expr = parsed(text);
    assert_int_equal(expr.flaw, SWARM__EXPR_GOOD);
    assert_string_equal(expr.key, key);
    assert_string_equal(expr.value, value);
    assert_string_equal(expr.text, text);
    swarm__expr_finish(&expr);
}

static void expect_flaw(const char *text, const char *classic_words)
{
    struct swarm__expr expr = parsed(text);
    struct swarm_error *error = NULL;
    assert_int_not_equal(expr.flaw, SWARM__EXPR_GOOD);
    assert_int_equal(swarm__expr_error(&expr, &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), classic_words);
    swarm_error_free(error);
    swarm__expr_finish(&expr);
}

/** Whether the expression's value matches, operator aside. */
static int matches(const char *text, const char *subject)
{
    struct swarm__matcher matcher = {NULL};
    struct swarm__expr expr = parsed(text);
    assert_int_equal(expr.flaw, SWARM__EXPR_GOOD);
    int found = swarm__expr_match(&expr, &matcher, subject, strlen(subject));
    swarm__expr_finish(&expr);
    swarm__matcher_finish(&matcher);
    return found;
}

static void test_parse_takes_keys_and_values(void **state)
{
    expect("node==node1", "node", "node1");
    expect("NoDe==node1", "NoDe", "node1");
    expect("no.de==node1", "no.de", "node1");
    expect("_node==_node1", "_node", "_node1");
    expect("node==*node*", "node", "*node*");
    expect("node==/(?i)^[a-b]+c*(n|b)$/", "node", "/(?i)^[a-b]+c*(n|b)$/");
    expect("node==node 1", "node", "node 1");
    expect("a-b!=c", "a-b", "c");
}

static void test_parse_looks_for_equal_first(void **state)
{
    struct swarm__expr expr = parsed("ab!=c==d");
    /* Split at "==", so the key is "ab!=c". */
    assert_int_equal(expr.flaw, SWARM__EXPR_BAD_KEY);
    swarm__expr_finish(&expr);
    expect("node===x", "node", "=x");
}

static void test_parse_refuses_in_classic_words(void **state)
{
    expect_flaw("1node", "One of operator ==, != is expected");
    expect_flaw("", "One of operator ==, != is expected");
    expect_flaw("node=x", "One of operator ==, != is expected");
    expect_flaw("node ==node1", "Key 'node ' is invalid");
    expect_flaw("no*de==node1", "Key 'no*de' is invalid");
    expect_flaw("no$de==node1", "Key 'no$de' is invalid");
    expect_flaw("n==node1", "Key 'n' is invalid");
    expect_flaw("1node==a", "Key '1node' is invalid");
    expect_flaw("==a", "Key '' is invalid");
    expect_flaw("node==", "Value '' is invalid");
    expect_flaw("node==~", "Value '~' is invalid");
    expect_flaw("node==~~a", "Value '~~a' is invalid");
    expect_flaw("node===", "Value '=' is invalid");
    expect_flaw("node==a,b", "Value 'a,b' is invalid");
    expect_flaw("node==\xc3\xbc", "Value '\xc3\xbc' is invalid");
    expect_flaw("node==a{b}", "Value 'a{b}' is invalid");
}

static void test_parse_refuses_a_nul_in_the_value(void **state)
{
    struct swarm__expr expr;
    assert_int_equal(swarm__expr_init(&expr, "node==a\0b", 9), 0);
    assert_int_equal(expr.flaw, SWARM__EXPR_BAD_VALUE);
    swarm__expr_finish(&expr);
}

static void test_complaint_names_the_expression_and_what_is_expected(void **state)
{
    struct swarm__expr expr = parsed("node=x");
    struct swarm_error *error = NULL;
    assert_int_equal(swarm__expr_check(&expr, "constraint", &error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), "constraint: 'node=x': one of operator ==, != is expected");
    swarm_error_free(error);
    swarm__expr_finish(&expr);
}

static void test_soft_is_marked_and_cut_off(void **state)
{
    struct swarm__expr expr = parsed("node!=~web*");
    assert_true(expr.soft);
    assert_int_equal(expr.op, SWARM__EXPR_NOT_EQUAL);
    assert_string_equal(expr.value, "web*");
    swarm__expr_finish(&expr);
    /* Behind a '=' the tilde is text. */
    expr = parsed("node===~x");
    assert_false(expr.soft);
    assert_string_equal(expr.value, "=~x");
    swarm__expr_finish(&expr);
}

static void test_kind_tells_literals_from_patterns(void **state)
{
    static const struct {
        const char *text;
        int kind;
    } cases[] = {{"node==web-1", SWARM__EXPR_LITERAL}, {"node==a b:c_/d", SWARM__EXPR_LITERAL},
                 {"node==/", SWARM__EXPR_LITERAL},     {"node==web*", SWARM__EXPR_PATTERN},
                 {"node==a.c", SWARM__EXPR_PATTERN},   {"node==a|b", SWARM__EXPR_PATTERN},
                 {"node==/web/", SWARM__EXPR_PATTERN}, {"node==//", SWARM__EXPR_PATTERN},
                 {"node==/(/", SWARM__EXPR_NEVER},     {"node==/[/", SWARM__EXPR_NEVER},
                 {"node==a)", SWARM__EXPR_NEVER}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct swarm__expr expr = parsed(cases[i].text);
        assert_int_equal(expr.kind, cases[i].kind);
        swarm__expr_finish(&expr);
    }
}

static void test_match_literal_is_exact_and_case_sensitive(void **state)
{
    assert_true(matches("node==foo", "foo"));
    assert_false(matches("node==foo", "Foo"));
    assert_false(matches("node==foo", "foobar"));
    assert_false(matches("node==foo", ""));
}

static void test_match_glob_is_anchored(void **state)
{
    assert_true(matches("node==f*o", "foo"));
    assert_true(matches("node==f*o", "fo"));
    assert_false(matches("node==f*o", "xfoo"));
    assert_false(matches("node==f*o", "foo1"));
    assert_true(matches("node==*", ""));
}

static void test_match_glob_keeps_other_metacharacters(void **state)
{
    assert_true(matches("node==a.c", "abc"));
    assert_true(matches("node==a.c", "a.c"));
    /* "^a|b$": starts with a, or ends with b. */
    assert_true(matches("node==a|b", "axx"));
    assert_true(matches("node==a|b", "xxb"));
    assert_false(matches("node==a|b", "xxa"));
    assert_true(matches("node==[ab]+", "abba"));
}

static void test_match_regex_is_unanchored(void **state)
{
    assert_true(matches("node==/foo/", "xfoox"));
    assert_true(matches("node==/^eu-[0-9]+$/", "eu-12"));
    assert_false(matches("node==/^eu-[0-9]+$/", "eu-12b"));
    assert_true(matches("node==/(?i)^WEB/", "web1"));
    assert_true(matches("node==/\\d\\d/", "a42"));
    assert_true(matches("node==/(?:a|b)c/", "xbc"));
}

static void test_match_slash_values_are_safe(void **state)
{
    assert_true(matches("node==/", "/"));
    assert_false(matches("node==/", "a"));
    assert_true(matches("node==//", ""));
    assert_true(matches("node==//", "anything"));
}

static void test_match_dollar_is_the_very_end(void **state)
{
    assert_false(matches("node==/foo$/", "foo\n"));
    assert_false(matches("node==fo*", "foo\n"));
    assert_true(matches("node==/^a.c$/", "a\xc3\xbc"
                                         "c"));
}

static void test_match_uncompilable_matches_nothing(void **state)
{
    assert_false(matches("node==/(/", "("));
    assert_false(matches("node!=/(/", "("));
    assert_false(matches("node==a)", "a)"));
}

/* PCRE2 compiles groups by recursion: this must not exhaust a small stack. */
static void test_match_deeply_nested_groups_match_nothing(void **state)
{
    char text[512] = "node==/";
    for (int i = 0; i < 200; i++)
        strcat(text, "(");
    strcat(text, "a");
    for (int i = 0; i < 200; i++)
        strcat(text, ")");
    strcat(text, "/");
    assert_false(matches(text, "a"));
    assert_true(matches("node==/((((((((((((((((((((a))))))))))))))))))))/", "a"));
}

static void test_match_refuses_what_re2_lacks(void **state)
{
    /* Back references, possessive quantifiers, verbs, recursion, \C, \K, \R, \X, \Z, \G, \h, \1 in a class. */
    static const char *const lacking[] = {"node==/(a)\\1/",  "node==/a++/",    "node==/a?+/",   "node==/(*ACCEPT)a/",
                                          "node==/(?R)?a/",  "node==/a(?1)?/", "node==/(?|a)/", "node==/a\\Kb/",
                                          "node==/a\\Z/",    "node==/\\Ga/",   "node==/\\ha/",  "node==/[\\b]a/",
                                          "node==/a\\8/",    "node==/\\x1/",   "node==/(?x)a/", "node==/(?^)a/",
                                          "node==/[a\\1]a/", "node==/\\Ca/",   "node==a++"};
    for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
        struct swarm__expr expr = parsed(lacking[i]);
        if (expr.kind != SWARM__EXPR_NEVER)
            fail_msg("%s compiles", lacking[i]);
        swarm__expr_finish(&expr);
    }
}

static void test_match_takes_what_re2_has(void **state)
{
    assert_true(matches("node==/^[[:alpha:]]+$/", "abc"));
    assert_true(matches("node==/^[]a]$/", "]"));
    assert_true(matches("node==/\\Qa.b\\E/", "a.b"));
    assert_false(matches("node==/\\Qa.b\\E/", "axb"));
    assert_true(matches("node==/\\x41\\101/", "AA"));
    assert_true(matches("node==/\\bweb\\b/", "a web b"));
    assert_true(matches("node==/\\Aweb\\z/", "web"));
    assert_true(matches("node==/a+?b*?(c)??$/", "a"));
    assert_true(matches("node==/^\\pL+$/", "\xc3\xbc"));
    assert_true(matches("node==/^(?i:w)eb$/", "Web"));
    assert_true(matches("node==/^\\./", ".x"));
}

static void test_match_wild_pattern_ends_soon_and_is_right(void **state)
{
    char subject[400];
    memset(subject, 'a', sizeof(subject) - 1);
    subject[sizeof(subject) - 1] = '\0';
    clock_t start = clock();
    assert_false(matches("node==/^(a|aa|a*)*$b/", subject));
    assert_false(matches("node==/^(a*)*b$/", subject));
    subject[sizeof(subject) - 2] = 'b';
    assert_true(matches("node==/^(a|a|aa)*b$/", subject));
    /* An exponential search would take longer than the machine lives. */
    assert_true((clock() - start) / CLOCKS_PER_SEC < 60);
}

static void test_match_value_with_newline(void **state)
{
    assert_true(matches("node==a\nb", "a\nb"));
    assert_false(matches("node==a.b", "a\nb"));
}

static void test_copy_matches_the_same(void **state)
{
    struct swarm__matcher matcher = {NULL};
    struct swarm__expr copy, expr = parsed("node!=~we*");
    assert_int_equal(swarm__expr_copy(&copy, &expr), 0);
    swarm__expr_finish(&expr);
    assert_string_equal(copy.key, "node");
    assert_true(copy.soft);
    assert_int_equal(copy.op, SWARM__EXPR_NOT_EQUAL);
    assert_int_equal(swarm__expr_match(&copy, &matcher, "web", 3), 1);
    swarm__expr_finish(&copy);
    swarm__matcher_finish(&matcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes_keys_and_values),
        cmocka_unit_test(test_parse_looks_for_equal_first),
        cmocka_unit_test(test_parse_refuses_in_classic_words),
        cmocka_unit_test(test_parse_refuses_a_nul_in_the_value),
        cmocka_unit_test(test_complaint_names_the_expression_and_what_is_expected),
        cmocka_unit_test(test_soft_is_marked_and_cut_off),
        cmocka_unit_test(test_kind_tells_literals_from_patterns),
        cmocka_unit_test(test_match_literal_is_exact_and_case_sensitive),
        cmocka_unit_test(test_match_glob_is_anchored),
        cmocka_unit_test(test_match_glob_keeps_other_metacharacters),
        cmocka_unit_test(test_match_regex_is_unanchored),
        cmocka_unit_test(test_match_slash_values_are_safe),
        cmocka_unit_test(test_match_dollar_is_the_very_end),
        cmocka_unit_test(test_match_uncompilable_matches_nothing),
        cmocka_unit_test(test_match_deeply_nested_groups_match_nothing),
        cmocka_unit_test(test_match_refuses_what_re2_lacks),
        cmocka_unit_test(test_match_takes_what_re2_has),
        cmocka_unit_test(test_match_wild_pattern_ends_soon_and_is_right),
        cmocka_unit_test(test_match_value_with_newline),
        cmocka_unit_test(test_copy_matches_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
