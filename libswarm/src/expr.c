/* SPDX-License-Identifier: Apache-2.0 */
#include "expr.h"

#include <string.h>

#include "error.h"
#include "mem.h"
#include "pattern.h"

#define METACHARACTERS ".*?+()[]\\^$|"

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool good_key(const char *key, size_t length)
{
    if (length < 2 || !is_word(key[0]) || (key[0] >= '0' && key[0] <= '9'))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!is_word(key[i]) && key[i] != '-' && key[i] != '.')
            return false;
    return true;
}

static bool good_value_text(const char *value, size_t length)
{
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_word(value[i]) && (value[i] == '\0' || strchr(":-./ \t\n\f\r" METACHARACTERS, value[i]) == NULL))
            return false;
    return true;
}

static bool good_value(const char *value, size_t length)
{
    const char *rest = value, *end = value + length;
    if (rest < end && (*rest == '=' || *rest == '!' || *rest == '/'))
        rest++;
    if (rest < end && *rest == '~')
        rest++;
    /* "/" alone is a value too: there the slash is text. */
    return good_value_text(rest, (size_t)(end - rest)) || (length == 1 && *value == '/');
}

/** Copy text, key and value into one block and judge them. @return 0 or SWARM_ERR_NOMEM. */
static int split(struct swarm__expr *expr, const char *text, size_t length)
{
    const char *op = memmem(text, length, "==", 2);
    expr->op = SWARM__EXPR_EQUAL;
    if (op == NULL) {
        op = memmem(text, length, "!=", 2);
        expr->op = SWARM__EXPR_NOT_EQUAL;
    }
    size_t key_length = op != NULL ? (size_t)(op - text) : 0;
    const char *value = op != NULL ? op + 2 : text + length;
    size_t value_length = (size_t)(text + length - value);

    char *block = swarm__malloc(length + key_length + 2);
    if (block == NULL)
        return SWARM_ERR_NOMEM;
    memcpy(block, text, length);
    block[length] = '\0';
    memcpy(block + length + 1, text, key_length);
    block[length + 1 + key_length] = '\0';
    expr->text = block;
    expr->key = block + length + 1;
    expr->value = block + (value - text);

    if (op == NULL)
        expr->flaw = SWARM__EXPR_NO_OPERATOR;
    else if (!good_key(text, key_length))
        expr->flaw = SWARM__EXPR_BAD_KEY;
    else if (!good_value(value, value_length))
        expr->flaw = SWARM__EXPR_BAD_VALUE;
    return 0;
}

/** Turn "web*" into "^web.*$". @return The new pattern, or NULL. */
static char *glob_pattern(const char *value, size_t length, size_t *ret_length)
{
    size_t stars = 0;
    for (size_t i = 0; i < length; i++)
        stars += value[i] == '*';
    char *pattern = swarm__malloc(length + stars + 3);
    if (pattern == NULL)
        return NULL;
    char *out = pattern;
    *out++ = '^';
    for (size_t i = 0; i < length; i++) {
        if (value[i] == '*')
            *out++ = '.';
        *out++ = value[i];
    }
    *out++ = '$';
    *out = '\0';
    *ret_length = (size_t)(out - pattern);
    return pattern;
}

static int compile(struct swarm__expr *expr)
{
    size_t length = strlen(expr->value);
    int rc;
    if (length >= 2 && expr->value[0] == '/' && expr->value[length - 1] == '/') {
        rc = swarm__pattern_compile(expr->value + 1, length - 2, &expr->code);
    } else if (expr->value[strcspn(expr->value, METACHARACTERS)] == '\0') {
        expr->kind = SWARM__EXPR_LITERAL;
        return 0;
    } else {
        size_t pattern_length;
        char *pattern = glob_pattern(expr->value, length, &pattern_length);
        if (pattern == NULL)
            return SWARM_ERR_NOMEM;
        rc = swarm__pattern_compile(pattern, pattern_length, &expr->code);
        swarm__free(pattern);
    }
    expr->kind = expr->code != NULL ? SWARM__EXPR_PATTERN : SWARM__EXPR_NEVER;
    return rc;
}

int swarm__expr_init(struct swarm__expr *expr, const char *text, size_t length)
{
    struct swarm__expr made = {NULL};
    int rc = split(&made, text, length);
    if (rc < 0)
        return rc;
    if (made.flaw == SWARM__EXPR_GOOD) {
        made.soft = made.value[0] == '~';
        made.value += made.soft;
        rc = compile(&made);
    }
    if (rc < 0) {
        swarm__free(made.text);
        return rc;
    }
    *expr = made;
    return 0;
}

int swarm__expr_copy(struct swarm__expr *expr, const struct swarm__expr *from)
{
    /* Without NULs in good ones; of a flawed one the text up to the NUL says enough. */
    return swarm__expr_init(expr, from->text, strlen(from->text));
}

void swarm__expr_finish(struct swarm__expr *expr)
{
    swarm__pattern_free(expr->code);
    swarm__free(expr->text);
    *expr = (struct swarm__expr){NULL};
}

int swarm__expr_match(const struct swarm__expr *expr, struct swarm__matcher *matcher, const char *subject,
                      size_t length)
{
    if (expr->flaw != SWARM__EXPR_GOOD || expr->kind == SWARM__EXPR_NEVER)
        return 0;
    if (expr->kind == SWARM__EXPR_LITERAL)
        return strlen(expr->value) == length && memcmp(expr->value, subject, length) == 0;
    return swarm__pattern_match(expr->code, matcher, subject, length);
}

const char *swarm__expr_op_text(const struct swarm__expr *expr)
{
    return expr->op == SWARM__EXPR_EQUAL ? "==" : "!=";
}

int swarm__expr_error(const struct swarm__expr *expr, struct swarm_error **reterr)
{
    switch (expr->flaw) {
    case SWARM__EXPR_BAD_KEY:
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "Key '%s' is invalid", expr->key);
    case SWARM__EXPR_BAD_VALUE:
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "Value '%s' is invalid", expr->value);
    default:
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "One of operator ==, != is expected");
    }
}

int swarm__expr_check(const struct swarm__expr *expr, const char *kind, struct swarm_error **reterr)
{
    switch (expr->flaw) {
    case SWARM__EXPR_GOOD:
        if (strcmp(kind, "whitelist") == 0)
            return 0; /* whitelists list names, they match nothing */
        if (strcmp(expr->value, "/") == 0)
            return swarm__error_set(reterr, SWARM_ERR_PARSE,
                                    "%s: '%s': value '/' is invalid: a regular expression ends with a '/', too", kind,
                                    expr->text);
        if (expr->kind != SWARM__EXPR_NEVER)
            return 0;
        return swarm__error_set(reterr, SWARM_ERR_PARSE,
                                "%s: '%s': the pattern '%s' does not compile: a regular expression in RE2's syntax is "
                                "expected",
                                kind, expr->text, expr->value);
    case SWARM__EXPR_BAD_KEY:
        return swarm__error_set(reterr, SWARM_ERR_PARSE,
                                "%s: '%s': key '%s' is invalid: a letter or '_', then letters, digits, '-', '_' or '.' "
                                "are expected",
                                kind, expr->text, expr->key);
    case SWARM__EXPR_BAD_VALUE:
        return swarm__error_set(reterr, SWARM_ERR_PARSE,
                                "%s: '%s': value '%s' is invalid: letters, digits, blanks and :-_./*?+()[]\\^$| are "
                                "expected",
                                kind, expr->text, expr->value);
    default:
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "%s: '%s': one of operator ==, != is expected", kind,
                                expr->text);
    }
}
