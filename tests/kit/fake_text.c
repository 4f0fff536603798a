/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "check.h"

void say_list(struct bytes *out, const char *format, va_list arguments)
{
    char text[512];
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(text, sizeof(text), format, arguments);
    kit_check(length >= 0);
    if ((size_t)length < sizeof(text)) {
        say_bytes(out, text, (size_t)length);
    } else {
        kit_check(bytes_reserve(out, (size_t)length + 1) == 0);
        vsnprintf(out->data + out->end, (size_t)length + 1, format, again);
        out->end += (size_t)length;
    }
    va_end(again);
}

void say(struct bytes *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say_list(out, format, arguments);
    va_end(arguments);
}

void say_bytes(struct bytes *out, const void *data, size_t length)
{
    kit_check(bytes_append(out, data, length) == 0);
}

void say_text(struct bytes *out, const char *text)
{
    say_bytes(out, text, strlen(text));
}

void say_json(struct bytes *out, const char *text)
{
    say_bytes(out, "\"", 1);
    while (*text != '\0') {
        size_t plain = 0;

        while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
            plain++;
        say_bytes(out, text, plain);
        text += plain;
        if (*text == '"' || *text == '\\')
            say(out, "\\%c", *text++);
        else if (*text == '\n')
            text++, say_bytes(out, "\\n", 2);
        else if (*text != '\0')
            say(out, "\\u%04x", (unsigned char)*text++);
    }
    say_bytes(out, "\"", 1);
}

void say_value(struct bytes *out, const json_t *value)
{
    char *text = fake_dump(value);

    say_text(out, text);
    free(text);
}

void say_time(struct bytes *out, int64_t ns)
{
    time_t seconds = (time_t)(ns / FAKE_S_NS);
    struct tm tm;

    if (ns == 0) {
        say_text(out, "\"0001-01-01T00:00:00Z\"");
        return;
    }
    gmtime_r(&seconds, &tm);
    say(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z\"", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
        tm.tm_hour, tm.tm_min, tm.tm_sec, ns % FAKE_S_NS);
}

void say_duration(struct bytes *out, int64_t seconds)
{
    if (seconds < 1)
        say_text(out, "Less than a second");
    else if (seconds == 1)
        say_text(out, "1 second");
    else if (seconds < 60)
        say(out, "%" PRId64 " seconds", seconds);
    else if (seconds < 120)
        say_text(out, "About a minute");
    else if (seconds < 3600)
        say(out, "%" PRId64 " minutes", seconds / 60);
    else if (seconds < 5400)
        say_text(out, "About an hour");
    else if (seconds < 48 * 3600)
        say(out, "%" PRId64 " hours", (seconds + 1800) / 3600);
    else
        say(out, "%" PRId64 " days", seconds / 86400);
}

char *fake_strdup(const char *text)
{
    char *copy = strdup(text);

    kit_check(copy != NULL);
    return copy;
}

char *fake_format(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    kit_check(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    return text;
}

char *fake_dump(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    kit_check(text != NULL);
    return text;
}

void *fake_alloc(size_t size)
{
    void *memory = calloc(1, size);

    kit_check(memory != NULL);
    return memory;
}

uint64_t fake_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void fake_hex(char *text, size_t count, uint64_t a, uint64_t b, uint64_t c)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t state = a, word = 0;

    state = fake_random(&state) ^ b;
    state = fake_random(&state) ^ c;
    for (size_t i = 0; i < count; i++) {
        if (i % 16 == 0)
            word = fake_random(&state);
        text[i] = digits[word & 15];
        word >>= 4;
    }
    text[count] = '\0';
}

char *fake_decode(const char *text, size_t length, int plus_is_blank)
{
    char *plain = fake_alloc(length + 1), *to = plain;

    for (size_t i = 0; i < length; i++) {
        unsigned value;

        if (text[i] == '%' && i + 2 < length && sscanf(text + i + 1, "%2x", &value) == 1) {
            *to++ = (char)value;
            i += 2;
        } else {
            *to++ = plus_is_blank && text[i] == '+' ? ' ' : text[i];
        }
    }
    return plain;
}

char *fake_query(const char *query, const char *name)
{
    size_t length = strlen(name);

    while (*query != '\0') {
        size_t part = strcspn(query, "&");

        if (part >= length && strncmp(query, name, length) == 0 && (part == length || query[length] == '=')) {
            size_t skip = length + (part > length);

            return fake_decode(query + skip, part - skip, 1);
        }
        query += part + (query[part] == '&');
    }
    return NULL;
}

int fake_query_true(const char *query, const char *name)
{
    char *value = fake_query(query, name);
    int is = value != NULL && value[0] != '\0' && strcasecmp(value, "0") != 0 && strcasecmp(value, "no") != 0 &&
             strcasecmp(value, "false") != 0 && strcasecmp(value, "none") != 0;

    free(value);
    return is;
}
