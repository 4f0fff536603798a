/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <string.h>

#include <pcre2.h>

#include "mem.h"

/* Subjects are names and label values: these limits are far above what an honest pattern needs for them. */
#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KIB 1024
#define AUTOMATON_WORKSPACE 4096
/* PCRE2 compiles groups by recursion, some 600 bytes a level, and the caller's stack may be small. */
#define NEST_LIMIT 50

static void *pattern_malloc(PCRE2_SIZE size, void *data)
{
    (void)data;
    return swarm__malloc(size);
}

static void pattern_free(void *memory, void *data)
{
    (void)data;
    swarm__free(memory);
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/** Length of the escape at @p p (on the backslash), 0 where RE2 has no such escape. */
static size_t escape_length(const char *p, const char *end, bool in_class)
{
    if (p + 1 >= end)
        return 0;
    char c = p[1];
    if (!is_alnum(c))
        return 2;
    if (strchr("dswDSWafnrtv", c) != NULL)
        return 2;
    if (!in_class && strchr("AzbB", c) != NULL)
        return 2;
    if (c == 'p' || c == 'P')
        return p + 2 < end ? 3 : 0;
    if (c == 'x')
        return p + 3 < end && is_hex(p[2]) && is_hex(p[3]) ? 4 : 0;
    if (c == '0' || (is_octal(c) && p + 2 < end && is_octal(p[2])))
        return 2;
    return 0;
}

/** Length of "[…]" at @p p, 0 where it holds an escape that RE2 lacks. Left open, it is PCRE2's to refuse. */
static size_t class_length(const char *p, const char *end)
{
    const char *at = p + 1;
    if (at < end && *at == '^')
        at++;
    if (at < end && *at == ']')
        at++;
    while (at < end && *at != ']') {
        size_t step = 1;
        if (*at == '\\') {
            step = escape_length(at, end, true);
            if (step == 0)
                return 0;
        } else if (at[0] == '[' && at + 1 < end && at[1] == ':') {
            const char *close = memmem(at + 2, (size_t)(end - at - 2), ":]", 2);
            step = close != NULL ? (size_t)(close + 2 - at) : 1;
        }
        at += step;
    }
    return (size_t)((at < end ? at + 1 : end) - p);
}

/** Length of what "(" at @p p opens with, up to flags; 0 for forms that RE2 lacks: "(?=", "(?1)", "(*VERB)". */
static size_t group_length(const char *p, const char *end)
{
    if (p + 1 < end && p[1] == '*')
        return 0;
    if (p + 1 >= end || p[1] != '?')
        return 1;
    const char *at = p + 2;
    while (at < end && strchr("imsU-", *at) != NULL && *at != '\0')
        at++;
    return at < end && (*at == ':' || *at == ')') ? (size_t)(at + 1 - p) : 0;
}

/** Whether RE2 would take what PCRE2 takes: PCRE2 decides about the rest. */
static bool in_dialect(const char *pattern, size_t length)
{
    const char *p = pattern, *end = pattern + length;
    bool quantified = false;
    while (p < end) {
        size_t step = 1;
        bool quantifier = *p == '*' || *p == '+' || *p == '?';
        if (quantified && *p == '+')
            return false;
        if (*p == '\\' && p + 1 < end && p[1] == 'Q') {
            const char *close = memmem(p + 2, (size_t)(end - p - 2), "\\E", 2);
            step = close != NULL ? (size_t)(close + 2 - p) : (size_t)(end - p);
        } else if (*p == '\\') {
            step = escape_length(p, end, false);
        } else if (*p == '[') {
            step = class_length(p, end);
        } else if (*p == '(') {
            step = group_length(p, end);
        }
        if (step == 0)
            return false;
        quantified = quantifier;
        p += step;
    }
    return true;
}

int swarm__pattern_compile(const char *pattern, size_t length, void **ret_code)
{
    if (!in_dialect(pattern, length)) {
        *ret_code = NULL;
        return 0;
    }
    pcre2_general_context *general = pcre2_general_context_create(pattern_malloc, pattern_free, NULL);
    if (general == NULL)
        return SWARM_ERR_NOMEM;
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    pcre2_general_context_free(general);
    if (context == NULL)
        return SWARM_ERR_NOMEM;
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    (void)pcre2_set_parens_nest_limit(context, NEST_LIMIT);
    uint32_t options =
        PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP | PCRE2_NO_AUTO_CAPTURE;
    int problem;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, length, options, &problem, &offset, context);
    pcre2_compile_context_free(context);
    if (code == NULL && problem == PCRE2_ERROR_HEAP_FAILED)
        return SWARM_ERR_NOMEM;
    *ret_code = code;
    return 0;
}

void swarm__pattern_free(void *code)
{
    pcre2_code_free(code);
}

static int matcher_prepare(struct swarm__matcher *matcher)
{
    if (matcher->data != NULL)
        return 0;
    pcre2_general_context *general = pcre2_general_context_create(pattern_malloc, pattern_free, NULL);
    if (general == NULL)
        return SWARM_ERR_NOMEM;
    pcre2_match_context *context = pcre2_match_context_create(general);
    pcre2_match_data *data = pcre2_match_data_create(1, general);
    pcre2_general_context_free(general);
    if (context == NULL || data == NULL) {
        pcre2_match_context_free(context);
        pcre2_match_data_free(data);
        return SWARM_ERR_NOMEM;
    }
    (void)pcre2_set_match_limit(context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
    matcher->context = context;
    matcher->data = data;
    return 0;
}

void swarm__matcher_finish(struct swarm__matcher *matcher)
{
    pcre2_match_context_free(matcher->context);
    pcre2_match_data_free(matcher->data);
    matcher->context = NULL;
    matcher->data = NULL;
}

int swarm__pattern_match(const void *code, struct swarm__matcher *matcher, const char *subject, size_t length)
{
    if (matcher_prepare(matcher) < 0)
        return SWARM_ERR_NOMEM;
    int found = pcre2_match(code, (PCRE2_SPTR)subject, length, 0, 0, matcher->data, matcher->context);
    if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT || found == PCRE2_ERROR_HEAPLIMIT) {
        int *workspace = swarm__malloc(AUTOMATON_WORKSPACE * sizeof(*workspace));
        if (workspace == NULL)
            return SWARM_ERR_NOMEM;
        found = pcre2_dfa_match(code, (PCRE2_SPTR)subject, length, 0, PCRE2_DFA_SHORTEST, matcher->data,
                                matcher->context, workspace, AUTOMATON_WORKSPACE);
        swarm__free(workspace);
    }
    if (found == PCRE2_ERROR_NOMEMORY)
        return SWARM_ERR_NOMEM;
    return found >= 0;
}
