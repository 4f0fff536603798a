/* SPDX-License-Identifier: Apache-2.0 */
#include "natural_order.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ') {
        text++;
    }
    return text;
}

/* A run of digits: where its number begins after leading zeros, and its lengths. */
struct number {
    const char *at;
    size_t length, zeros;
};

static struct number number_at(const char **text)
{
    struct number number = {0};

    for (; **text == '0'; (*text)++) {
        number.zeros++;
    }
    number.at = *text;
    while (is_digit(**text)) {
        (*text)++;
    }
    number.length = (size_t)(*text - number.at);
    return number;
}

static int compare_numbers(const char **a, const char **b)
{
    struct number x = number_at(a), y = number_at(b);
    int order;

    if (x.length != y.length) {
        return x.length < y.length ? -1 : 1;
    }
    order = memcmp(x.at, y.at, x.length);
    if (order) {
        return order;
    }
    return x.zeros < y.zeros ? -1 : x.zeros > y.zeros;
}

int natural_compare(const char *a, const char *b)
{
    const char *x = skip_blanks(a), *y = skip_blanks(b);

    while (*x && *y) {
        if (is_digit(*x) && is_digit(*y)) {
            int order = compare_numbers(&x, &y);

            if (order) {
                return order;
            }
        } else if (is_digit(*x) != is_digit(*y)) {
            return is_digit(*x) ? -1 : 1;
        } else if (*x != *y) {
            return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
        } else {
            x++;
            y++;
        }
        x = skip_blanks(x);
        y = skip_blanks(y);
    }
    if (*x || *y) {
        return *x ? 1 : -1;
    }
    return strcmp(a, b);
}
