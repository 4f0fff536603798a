/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "oracle_expr.h"

#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

static pcre2_code *compiled(const char *pattern, size_t length, uint32_t options)
{
    int problem;
    PCRE2_SIZE offset;
    return pcre2_compile((PCRE2_SPTR)pattern, length, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | options, &problem, &offset,
                         NULL);
}

static bool found(const pcre2_code *code, const char *subject)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    kit_check(data != NULL);
    int result = pcre2_match(code, (PCRE2_SPTR)subject, strlen(subject), 0, 0, data, NULL);
    pcre2_match_data_free(data);
    return result >= 0;
}

static bool is_like(const char *text, const char *pattern)
{
    pcre2_code *code = compiled(pattern, strlen(pattern), PCRE2_CASELESS);
    kit_check(code != NULL);
    bool is = found(code, text);
    pcre2_code_free(code);
    return is;
}

/* What PCRE2 takes and RE2 refuses, of that which a value's characters can spell: possessive repetition, references
 * to groups, groups of other kinds than (?:…) and flags, escapes of PCRE2's own. */
static bool foreign(const char *pattern, size_t length)
{
    bool repeats = false, in_class = false;
    for (size_t i = 0; i < length; i++) {
        char c = pattern[i], next = i + 1 < length ? pattern[i + 1] : '\0';
        if (c == '\\') {
            if ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || (next >= '1' && next <= '9')) {
                if (strchr(in_class ? "dDsSwW" : "dDsSwWbBAzQE", next) == NULL)
                    return true;
            }
            i++;
            repeats = false;
            continue;
        }
        if (in_class) {
            in_class = c != ']';
            continue;
        }
        if (repeats && c == '+')
            return true;
        if (c == '(' && next == '?' && !(i + 2 < length && strchr("imsU-:", pattern[i + 2]) != NULL))
            return true;
        if (c == '(' && next == '*')
            return true;
        in_class = c == '[';
        if (in_class && next == '^')
            i++;
        if (in_class && i + 1 < length && pattern[i + 1] == ']')
            i++;
        repeats = c == '*' || c == '+' || c == '?';
    }
    return false;
}

static void compile(struct oracle_expr *expr)
{
    size_t length = strlen(expr->value), end = 0;
    char pattern[2 * ORACLE_EXPR_TEXT + 2];
    if (strcmp(expr->value, "/") == 0) {
        expr->plain = true;
        return;
    }
    if (expr->value[0] == '/' && expr->value[length - 1] == '/') {
        end = length - 2;
        memcpy(pattern, expr->value + 1, end);
    } else {
        pattern[end++] = '^';
        for (size_t i = 0; i < length; i++) {
            if (expr->value[i] == '*')
                pattern[end++] = '.';
            pattern[end++] = expr->value[i];
        }
        pattern[end++] = '$';
    }
    if (!foreign(pattern, end))
        expr->code = compiled(pattern, end, 0);
    expr->never = expr->code == NULL;
}

void oracle_expr_parse(struct oracle_expr *ret, const char *text)
{
    memset(ret, 0, sizeof(*ret));
    kit_check(strlen(text) < ORACLE_EXPR_TEXT);
    const char *op = strstr(text, "==");
    ret->equal = op != NULL;
    if (op == NULL)
        op = strstr(text, "!=");
    if (op == NULL) {
        ret->bad = true;
        strcpy(ret->error, "One of operator ==, != is expected");
        return;
    }
    memcpy(ret->key, text, (size_t)(op - text));
    strcpy(ret->value, op + 2);
    if (!is_like(ret->key, "^[a-z_][a-z0-9\\-_.]+$")) {
        ret->bad = true;
        sprintf(ret->error, "Key '%s' is invalid", ret->key);
    } else if (!is_like(ret->value, "^[=!\\/]?(~)?[a-z0-9:\\-_\\s\\.\\*/\\(\\)\\?\\+\\[\\]\\\\\\^\\$\\|]+$")) {
        ret->bad = true;
        sprintf(ret->error, "Value '%s' is invalid", ret->value);
    } else {
        ret->soft = ret->value[0] == '~';
        memmove(ret->value, ret->value + strspn(ret->value, "~"), strlen(ret->value) + 1 - strspn(ret->value, "~"));
        compile(ret);
    }
}

void oracle_expr_finish(struct oracle_expr *expr)
{
    pcre2_code_free(expr->code);
    expr->code = NULL;
}

bool oracle_expr_matches(const struct oracle_expr *expr, const char *subject)
{
    if (expr->plain)
        return strcmp(expr->value, subject) == 0;
    return !expr->never && found(expr->code, subject);
}
