/* SPDX-License-Identifier: Apache-2.0 */
#include "json_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- by the letter --- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* Length of the character that begins there and is no ASCII; 0: it is none. */
static size_t wide_length(const unsigned char *at, const char *end)
{
    size_t length = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;

    if (length == 0 || length > (size_t)(end - (const char *)at))
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits behind "\u"; -1 where they are none. */
static int32_t code_unit(const char *at, const char *end)
{
    int32_t unit = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* What "\uXXXX" behind a backslash stands for, with the other half of a pair; -1: it is wrong. */
static int32_t unicode(const char *at, const char *end, size_t *ret_length)
{
    int32_t high = code_unit(at + 1, end), low;

    *ret_length = 5;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff || end - at < 11 || at[5] != '\\' || at[6] != 'u')
        return -1;
    low = code_unit(at + 7, end);
    *ret_length = 11;
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* Behind the backslash; NULL: it is no escape. A key must have no NUL in it. */
static const char *check_escape(const char *at, const char *end, bool is_key)
{
    size_t length;
    int32_t code;

    if (at == end || *at == '\0')
        return NULL;
    if (*at != 'u')
        return strchr("\"\\/bfnrt", *at) ? at + 1 : NULL;
    code = unicode(at, end, &length);
    return code < 0 || (is_key && code == 0) ? NULL : at + length;
}

/* From behind the opening quote to behind the closing one; NULL: it is no string. */
static const char *check_string(const char *at, const char *end, bool is_key)
{
    while (at < end && *at != '"') {
        unsigned char c = (unsigned char)*at;

        if (c == '\\') {
            at = check_escape(at + 1, end, is_key);
            if (!at)
                return NULL;
        } else if (c >= 0x80) {
            size_t length = wide_length((const unsigned char *)at, end);

            if (length == 0)
                return NULL;
            at += length;
        } else if (c < ' ') {
            return NULL;
        } else {
            at++;
        }
    }
    return at < end ? at + 1 : NULL;
}

static const char *check_digits(const char *at, const char *end)
{
    const char *begin = at;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > begin ? at : NULL;
}

static const char *check_number(const char *at, const char *end)
{
    at += at < end && *at == '-';
    at = at < end && *at == '0' ? at + 1 : check_digits(at, end);
    if (at && at < end && *at == '.')
        at = check_digits(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        at = check_digits(at, end);
    }
    return at;
}

static const char *check_word(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);

    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0 ? at + length : NULL;
}

static const char *check_value(const char *at, const char *end, unsigned depth);

static const char *check_member(const char *at, const char *end, unsigned depth)
{
    at = at < end && *at == '"' ? check_string(at + 1, end, true) : NULL;
    at = at ? skip_blanks(at, end) : NULL;
    return at && at < end && *at == ':' ? check_value(at + 1, end, depth) : NULL;
}

/* From behind the opening bracket. */
static const char *check_inside(const char *at, const char *end, unsigned depth, char close)
{
    if (depth > JSON_READ_DEPTH_MAX)
        return NULL;
    at = skip_blanks(at, end);
    if (at < end && *at == close)
        return at + 1;
    for (;;) {
        at = skip_blanks(at, end);
        at = close == '}' ? check_member(at, end, depth) : check_value(at, end, depth);
        if (!at)
            return NULL;
        at = skip_blanks(at, end);
        if (at == end || (*at != ',' && *at != close))
            return NULL;
        if (*at++ == close)
            return at;
    }
}

static const char *check_value(const char *at, const char *end, unsigned depth)
{
    at = skip_blanks(at, end);
    if (at == end)
        return NULL;
    switch (*at) {
    case '"':
        return check_string(at + 1, end, false);
    case '{':
        return check_inside(at + 1, end, depth + 1, '}');
    case '[':
        return check_inside(at + 1, end, depth + 1, ']');
    case 't':
        return check_word(at, end, "true");
    case 'f':
        return check_word(at, end, "false");
    case 'n':
        return check_word(at, end, "null");
    default:
        return check_number(at, end);
    }
}

bool json_valid(const char *text, size_t length)
{
    const char *end = text + length, *at = length > 0 ? check_value(text, end, 0) : NULL;

    return at && skip_blanks(at, end) == end;
}

struct json_span json_span_of(const char *text, size_t length)
{
    const char *at = skip_blanks(text, text + length);

    length -= (size_t)(at - text);
    while (length > 0 && strchr(" \t\r\n", at[length - 1]))
        length--;
    return (struct json_span){at, length};
}

/* --- what is known to be good --- */

/* What ends a run of bytes that mean nothing: outside of strings, inside, and in a number or word. */
enum { ENDS_OUTSIDE = 1, ENDS_STRING = 2, ENDS_WORD = 4 };
static const unsigned char ends[256] = {
    ['"'] = ENDS_OUTSIDE | ENDS_STRING,
    ['\\'] = ENDS_STRING,
    ['{'] = ENDS_OUTSIDE,
    ['['] = ENDS_OUTSIDE,
    ['}'] = ENDS_OUTSIDE | ENDS_WORD,
    [']'] = ENDS_OUTSIDE | ENDS_WORD,
    [','] = ENDS_WORD,
    [' '] = ENDS_WORD,
    ['\t'] = ENDS_WORD,
    ['\r'] = ENDS_WORD,
    ['\n'] = ENDS_WORD,
};

static bool ends_run(char c, unsigned char run)
{
    return ends[(unsigned char)c] & run;
}

/* From behind the opening quote to the closing one. */
static const char *string_end(const char *at)
{
    for (;;) {
        while (!ends_run(*at, ENDS_STRING))
            at++;
        if (*at == '"')
            return at;
        at += 2;
    }
}

/* Behind the object or array that begins there. */
static const char *nest_end(const char *at)
{
    unsigned depth = 0;

    do {
        while (!ends_run(*at, ENDS_OUTSIDE))
            at++;
        if (*at == '"')
            at = string_end(at + 1);
        else if (*at == '{' || *at == '[')
            depth++;
        else
            depth--;
        at++;
    } while (depth > 0);
    return at;
}

/* Behind the value that begins there. */
static const char *value_end(const char *at, const char *end)
{
    if (*at == '"')
        return string_end(at + 1) + 1;
    if (*at == '{' || *at == '[')
        return nest_end(at);
    while (at < end && !ends_run(*at, ENDS_WORD))
        at++;
    return at;
}

struct json_walk json_walk(struct json_span value)
{
    if (!json_span_is_object(value) && !json_span_is_array(value))
        return (struct json_walk){"", ""};
    return (struct json_walk){value.at + 1, value.at + value.length - 1};
}

/* To the next one; false at the end. */
static bool walk_on(struct json_walk *walk)
{
    walk->at = skip_blanks(walk->at, walk->end);
    if (walk->at < walk->end && *walk->at == ',')
        walk->at = skip_blanks(walk->at + 1, walk->end);
    return walk->at < walk->end;
}

static void take_value(struct json_walk *walk, struct json_span *ret_value)
{
    const char *begin = walk->at;

    walk->at = value_end(begin, walk->end);
    *ret_value = (struct json_span){begin, (size_t)(walk->at - begin)};
}

bool json_walk_member(struct json_walk *walk, struct json_span *ret_key, struct json_span *ret_value)
{
    const char *close;

    if (!walk_on(walk) || *walk->at != '"')
        return false;
    close = string_end(walk->at + 1);
    *ret_key = (struct json_span){walk->at + 1, (size_t)(close - walk->at - 1)};
    walk->at = skip_blanks(close + 1, walk->end);
    walk->at = skip_blanks(walk->at + 1, walk->end);
    take_value(walk, ret_value);
    return true;
}

bool json_walk_item(struct json_walk *walk, struct json_span *ret_value)
{
    if (!walk_on(walk))
        return false;
    take_value(walk, ret_value);
    return true;
}

struct json_span json_span_get(struct json_span object, const char *name)
{
    struct json_walk walk = json_walk(object);
    struct json_span key, value;

    while (json_span_is_object(object) && json_walk_member(&walk, &key, &value)) {
        if (json_key_is(key, name))
            return value;
    }
    return (struct json_span){"", 0};
}

static bool begins_with(struct json_span value, char c)
{
    return value.length > 0 && *value.at == c;
}

bool json_span_is_object(struct json_span value)
{
    return begins_with(value, '{');
}

bool json_span_is_array(struct json_span value)
{
    return begins_with(value, '[');
}

bool json_span_is_string(struct json_span value)
{
    return begins_with(value, '"');
}

bool json_span_is_true(struct json_span value)
{
    return begins_with(value, 't');
}

bool json_span_is_integer(struct json_span value)
{
    if (value.length == 0 || (*value.at != '-' && (*value.at < '0' || *value.at > '9')))
        return false;
    for (size_t i = 1; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
    }
    return true;
}

int64_t json_span_integer(struct json_span value)
{
    int64_t number = 0;
    bool negative = begins_with(value, '-');

    if (!json_span_is_integer(value))
        return 0;
    for (size_t i = negative; i < value.length; i++) {
        int digit = value.at[i] - '0';

        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, negative ? -digit : digit, &number))
            return negative ? INT64_MIN : INT64_MAX;
    }
    return number;
}

/* --- strings --- */

static size_t put_character(char *to, int32_t code)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = length; i-- > 1; code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(lead[length] | code);
    return length;
}

/* The character at @p at, four bytes at most; *ret_used: bytes that it is written with. */
static size_t decode(const char *at, const char *end, char *to, size_t *ret_used)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

    *ret_used = 1;
    if (*at != '\\') {
        *to = *at;
        return 1;
    }
    if (at[1] == 'u') {
        int32_t code = unicode(at + 1, end, ret_used);

        ++*ret_used;
        return put_character(to, code);
    }
    *ret_used = 2;
    *to = meanings[strchr(letters, at[1]) - letters];
    return 1;
}

void json_span_text(struct json_span value, char *buffer, size_t size)
{
    bool is_string = json_span_is_string(value);
    const char *at = is_string ? value.at + 1 : "", *end = is_string ? value.at + value.length - 1 : at;
    size_t length = 0;

    while (at < end) {
        char character[4];
        size_t used, count = decode(at, end, character, &used);

        if (length + count >= size)
            break;
        memcpy(buffer + length, character, count);
        length += count;
        at += used;
    }
    buffer[length] = '\0';
}

char *json_span_strdup(struct json_span value)
{
    char *text = malloc(value.length + 1); /* escapes are longer than what they stand for */

    if (text)
        json_span_text(value, text, value.length + 1);
    return text;
}

bool json_span_equals(struct json_span value, const char *text)
{
    size_t length = strlen(text);

    return json_span_is_string(value) && value.length == length + 2 && memcmp(value.at + 1, text, length) == 0;
}
