/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000},  {"\xce\xbcs", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000LL}, {"h", 3600000000000LL},
};

static int fail(char **reterr, const char *what, const char *text)
{
    if (asprintf(reterr, "time: %s duration \"%s\"", what, text) < 0)
        *reterr = NULL;
    return -1;
}

/* Length of the unit word at @p at; it ends where a number begins again. */
static size_t unit_length(const char *at)
{
    return strcspn(at, ".0123456789");
}

static int64_t unit_ns(const char *at, size_t length)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, at, length) == 0)
            return units[i].ns;
    }
    return 0;
}

/* One "1.5h" at *at. *at moves behind it. Returns what is wrong, NULL where nothing is. */
static const char *parse_part(const char **at, int64_t *total)
{
    const char *p = *at;
    int64_t whole = 0, fraction_ns = 0;
    size_t digits = strspn(p, "0123456789");
    for (size_t i = 0; i < digits; i++) {
        if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, p[i] - '0', &whole))
            return "invalid";
    }
    p += digits;
    bool point = *p == '.';
    const char *fraction = p += point;
    size_t fraction_digits = point ? strspn(p, "0123456789") : 0;
    if (digits + fraction_digits == 0)
        return "invalid";
    p += fraction_digits;
    size_t length = unit_length(p);
    if (length == 0)
        return "missing unit in";
    int64_t unit = unit_ns(p, length);
    if (unit == 0)
        return "invalid";
    int64_t scale = unit;
    for (size_t i = 0; i < fraction_digits && scale > 1; i++) {
        fraction_ns += (fraction[i] - '0') * scale / 10;
        scale /= 10;
    }
    if (__builtin_mul_overflow(whole, unit, &whole) || __builtin_add_overflow(whole, fraction_ns, &whole) ||
        __builtin_add_overflow(*total, whole, total))
        return "invalid";
    *at = p + length;
    return NULL;
}

int duration_parse(int64_t *ret_ns, const char *text, char **reterr)
{
    const char *at = text;
    bool negative = *at == '-';
    int64_t total = 0;
    if (*at == '-' || *at == '+')
        at++;
    if (*at == '\0')
        return fail(reterr, "invalid", text);
    if (strcmp(at, "0") == 0) {
        *ret_ns = 0;
        return 0;
    }
    while (*at) {
        const char *wrong = parse_part(&at, &total);
        if (wrong)
            return fail(reterr, wrong, text);
    }
    *ret_ns = negative ? -total : total;
    return 0;
}

/* "1.5", "0.25", "3": @p ns in units of @p unit, without trailing zeros. */
static void print_decimal(char *buffer, size_t size, int64_t ns, int64_t unit)
{
    char fraction[24] = "";
    size_t length = 0;
    int64_t rest = ns % unit;
    for (int64_t scale = unit / 10; rest > 0; scale /= 10) {
        fraction[length++] = (char)('0' + rest / scale);
        rest %= scale;
    }
    fraction[length] = '\0';
    snprintf(buffer, size, "%lld%s%s", (long long)(ns / unit), length > 0 ? "." : "", fraction);
}

void duration_format(char *buffer, size_t size, int64_t ns)
{
    const char *sign = ns < 0 ? "-" : "";
    int64_t left = ns == INT64_MIN ? INT64_MAX : ns < 0 ? -ns : ns;
    char number[48];
    if (left < 1000000000) {
        const char *name = left < 1000 ? "ns" : left < 1000000 ? "\xc2\xb5s" : "ms";
        print_decimal(number, sizeof number, left, left < 1000 ? 1 : left < 1000000 ? 1000 : 1000000);
        if (left == 0)
            snprintf(buffer, size, "0s");
        else
            snprintf(buffer, size, "%s%s%s", sign, number, name);
        return;
    }
    int64_t minutes = left / 60000000000LL;
    print_decimal(number, sizeof number, left % 60000000000LL, 1000000000);
    if (minutes >= 60)
        snprintf(buffer, size, "%s%lldh%lldm%ss", sign, (long long)(minutes / 60), (long long)(minutes % 60), number);
    else if (minutes > 0)
        snprintf(buffer, size, "%s%lldm%ss", sign, (long long)minutes, number);
    else
        snprintf(buffer, size, "%s%ss", sign, number);
}
