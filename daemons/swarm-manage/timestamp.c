/* SPDX-License-Identifier: Apache-2.0 */
#include "timestamp.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* @p count decimal digits at *at, which moves on. -1 where there are fewer. */
static int digits(const char **at, int count)
{
    int value = 0;

    while (count--) {
        if (!is_digit(**at)) {
            return -1;
        }
        value = value * 10 + (*(*at)++ - '0');
    }
    return value;
}

static int64_t fraction_ns(const char **at)
{
    int64_t value = 0, unit = NS_PER_S / 10;

    for (; is_digit(**at); (*at)++, unit /= 10) {
        value += (**at - '0') * unit;
    }
    return value;
}

/* "Z" or "+hh:mm" in seconds east of Greenwich; nothing may follow. */
static int offset_seconds(const char *at, int *ret_offset)
{
    int sign = *at == '-' ? -1 : 1, hours, minutes;

    if (*at == 'Z' || *at == 'z') {
        *ret_offset = 0;
        return at[1] ? -1 : 0;
    }
    if (*at != '+' && *at != '-') {
        return -1;
    }
    at++;
    hours = digits(&at, 2);
    if (hours < 0 || hours > 23 || *at++ != ':') {
        return -1;
    }
    minutes = digits(&at, 2);
    if (minutes < 0 || minutes > 59 || *at) {
        return -1;
    }
    *ret_offset = sign * (hours * 3600 + minutes * 60);
    return 0;
}

int timestamp_parse(const char *text, int64_t *ret_ns)
{
    const char separators[] = "--T::";
    const int widths[] = {4, 2, 2, 2, 2, 2};
    int field[6], offset;
    int64_t fraction = 0, seconds;
    struct tm tm = {0};

    for (int i = 0; i < 6; i++) {
        field[i] = digits(&text, widths[i]);
        if (field[i] < 0 || (i < 5 && *text++ != separators[i])) {
            return -1;
        }
    }
    if (field[1] < 1 || field[1] > 12 || field[2] < 1 || field[2] > 31 || field[3] > 23 || field[4] > 59 ||
        field[5] > 60) {
        return -1;
    }
    if (*text == '.') {
        text++;
        fraction = fraction_ns(&text);
    }
    if (offset_seconds(text, &offset)) {
        return -1;
    }
    tm.tm_year = field[0] - 1900;
    tm.tm_mon = field[1] - 1;
    tm.tm_mday = field[2];
    tm.tm_hour = field[3];
    tm.tm_min = field[4];
    tm.tm_sec = field[5];
    seconds = (int64_t)timegm(&tm) - offset;
    /* An int64 counts nanoseconds up to the year 2262. */
    *ret_ns = seconds <= 0 ? 0 : seconds > INT64_MAX / NS_PER_S - 1 ? INT64_MAX : seconds * NS_PER_S + fraction;
    return 0;
}

int64_t timestamp_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* "12 hours": lists have many of these. */
static void put_number(int64_t number, const char *unit, char *buffer, size_t size)
{
    char digits[24];
    size_t begin = sizeof(digits), length, unit_length = strlen(unit);

    do {
        digits[--begin] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    length = sizeof(digits) - begin;
    if (length + unit_length + 1 > size) {
        snprintf(buffer, size, "%.*s%s", (int)length, digits + begin, unit);
        return;
    }
    memcpy(buffer, digits + begin, length);
    memcpy(buffer + length, unit, unit_length + 1);
}

void duration_in_words(int64_t seconds, char *buffer, size_t size)
{
    int64_t minutes = seconds / 60, hours = minutes / 60;

    if (seconds < 1) {
        snprintf(buffer, size, "Less than a second");
    } else if (seconds == 1) {
        snprintf(buffer, size, "1 second");
    } else if (seconds < 60) {
        put_number(seconds, " seconds", buffer, size);
    } else if (minutes == 1) {
        snprintf(buffer, size, "About a minute");
    } else if (minutes < 60) {
        put_number(minutes, " minutes", buffer, size);
    } else if (hours == 1) {
        snprintf(buffer, size, "About an hour");
    } else if (hours < 48) {
        put_number(hours, " hours", buffer, size);
    } else if (hours < 24 * 14) {
        put_number(hours / 24, " days", buffer, size);
    } else if (hours < 24 * 90) {
        put_number(hours / (24 * 7), " weeks", buffer, size);
    } else if (hours < 24 * 730) {
        put_number(hours / (24 * 30), " months", buffer, size);
    } else {
        put_number(hours / (24 * 365), " years", buffer, size);
    }
}
