/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to values. jansson's own reader is not used: where an allocation fails in the middle of a word it loses a byte,
 * calls the text wrong, or ends the process by an assertion, and an application's allocator is not the library's to
 * set.
 */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "error.h"
#include "mem.h"

/* Docker's bodies are about ten levels deep. */
#define MAX_DEPTH 100

static const struct swarm__json_wanted all[] = {{"", NULL}};

static const char too_deep[] = "too deep";

struct reader {
    const char *start;
    const char *at;
    const char *end;
    int depth;
    bool unique;                             /* no member may be there twice */
    const struct swarm__json_wanted *wanted; /* of the object that is being read; NULL: all of it */
    const char *problem;                     /* what is wrong at @c at; NULL where memory ran out */
};

static void *wrong(struct reader *reader, const char *problem)
{
    reader->problem = problem;
    return NULL;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r' || *reader->at == '\n'))
        reader->at++;
}

static bool next_is(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

static bool take(struct reader *reader, char c)
{
    if (!next_is(reader, c))
        return false;
    reader->at++;
    return true;
}

static void *unexpected(struct reader *reader, const char *problem)
{
    return wrong(reader, reader->at == reader->end ? "the text ends too early" : problem);
}

/* ---- strings ---- */

/** Length of the UTF-8 character at @p at, 0 where it is none. */
static size_t character_length(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xc2 ? 0 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (length == 0 || length > (size_t)(end - at) || byte[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xf0 && byte[1] < 0x90);
    bool surrogate = byte[0] == 0xed && byte[1] > 0x9f, too_high = byte[0] == 0xf4 && byte[1] > 0x8f;
    return overlong || surrogate || too_high ? 0 : length;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/** The four digits after "\u". @return -1 where they are none. */
static long code_unit(const struct reader *reader, const char *at)
{
    long unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = at + i < reader->end ? hex_digit(at[i]) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static char *put_character(char *out, unsigned long code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(lead[more] | (code >> (6 * more)));
    while (more-- > 0)
        *out++ = (char)(0x80 | ((code >> (6 * more)) & 0x3f));
    return out;
}

/** What "\uXXXX" at the reader stands for, alone or as half of a pair. @return The new end of @p out, or NULL. */
static char *take_unicode(struct reader *reader, char *out)
{
    long high = code_unit(reader, reader->at + 2), low;
    if (high < 0)
        return wrong(reader, "four hexadecimal digits are expected after \\u");
    if (high == 0)
        return wrong(reader, "\\u0000 is not allowed");
    if (high < 0xd800 || high > 0xdfff) {
        reader->at += 6;
        return put_character(out, (unsigned long)high);
    }
    bool pair = reader->end - reader->at >= 12 && reader->at[6] == '\\' && reader->at[7] == 'u';
    low = pair ? code_unit(reader, reader->at + 8) : -1;
    if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return wrong(reader, "half of a surrogate pair");
    reader->at += 12;
    return put_character(out, (unsigned long)(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
}

static char *take_escape(struct reader *reader, char *out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = reader->end - reader->at >= 2 ? reader->at[1] : '\0';
    if (letter == 'u')
        return take_unicode(reader, out);
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    if (found == NULL)
        return wrong(reader, "invalid escape");
    reader->at += 2;
    *out++ = meanings[found - letters];
    return out;
}

/** Whether all of eight bytes stand for themselves; there may be some that do where the answer is no. */
static bool are_plain(uint64_t eight)
{
    const uint64_t each = UINT64_C(0x0101010101010101), top_bits = each * 0x80;
    uint64_t quotes = eight ^ (each * '"'), escapes = eight ^ (each * '\\');
    return ((eight | (eight - each * ' ') | (quotes - each) | (escapes - each)) & top_bits) == 0;
}

/** How many bytes from there on are characters that stand for themselves, one byte each. */
static size_t plain_length(const char *at, const char *end)
{
    const char *begin = at;
    uint64_t eight;
    for (; (size_t)(end - at) >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, at, sizeof(eight));
        if (!are_plain(eight))
            break;
    }
    while (at < end && (unsigned char)(*at - ' ') < 0x60 && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - begin);
}

static bool not_closed(struct reader *reader)
{
    (void)wrong(reader, "a string is not closed");
    return false;
}

/** Move behind a character that does not stand for itself, or is more than one byte. @return false where it is wrong.
 */
static bool take_character(struct reader *reader, char **out)
{
    char ignored[4];
    if (*reader->at == '\\') {
        char *end = take_escape(reader, out != NULL ? *out : ignored);
        if (end != NULL && out != NULL)
            *out = end;
        return end != NULL;
    }
    bool control = (unsigned char)*reader->at < ' ';
    size_t length = control ? 0 : character_length(reader->at, reader->end);
    if (length == 0) {
        (void)wrong(reader, control ? "a control character in a string" : "invalid UTF-8");
        return false;
    }
    if (out != NULL) {
        memcpy(*out, reader->at, length);
        *out += length;
    }
    reader->at += length;
    return true;
}

/**
 * Move behind the string at the reader, which is on its opening quote.
 *
 * @param out          Where what it stands for is put, as many bytes as it is written with at most; moved on. NULL:
 *                     nowhere.
 * @param ret_escaped  Whether it is written otherwise than it stands for.
 * @return false where it is wrong.
 */
static bool take_string(struct reader *reader, char **out, bool *ret_escaped)
{
    *ret_escaped = false;
    for (reader->at++; reader->at < reader->end;) {
        size_t length = plain_length(reader->at, reader->end);
        if (out != NULL) {
            memcpy(*out, reader->at, length);
            *out += length;
        }
        reader->at += length;
        if (reader->at == reader->end)
            break;
        if (take(reader, '"'))
            return true;
        *ret_escaped = *ret_escaped || *reader->at == '\\';
        if (!take_character(reader, out))
            return false;
    }
    return not_closed(reader);
}

/** The same for one that is not wanted, or not yet. */
static bool skip_string(struct reader *reader, bool *ret_escaped)
{
    return take_string(reader, NULL, ret_escaped);
}

/** The string at the reader, which is on its opening quote. @return New, release with swarm__free(); NULL on failure.
 */
static char *read_string(struct reader *reader, size_t *ret_length)
{
    const char *open = reader->at;
    bool escaped;
    if (!skip_string(reader, &escaped))
        return NULL;
    *ret_length = (size_t)(reader->at - open) - 2;
    if (!escaped)
        return swarm__strndup(open + 1, *ret_length);
    char *text = swarm__malloc(*ret_length + 1), *end = text;
    if (text == NULL)
        return NULL;
    reader->at = open;
    (void)take_string(reader, &end, &escaped); /* it has been found to be good */
    *end = '\0';
    *ret_length = (size_t)(end - text);
    return text;
}

static json_t *read_text(struct reader *reader)
{
    const char *open = reader->at;
    bool escaped;
    if (!skip_string(reader, &escaped))
        return NULL;
    if (!escaped)
        return json_stringn_nocheck(open + 1, (size_t)(reader->at - open) - 2);
    size_t length;
    reader->at = open;
    char *text = read_string(reader, &length);
    json_t *value = text != NULL ? json_stringn_nocheck(text, length) : NULL;
    swarm__free(text);
    return value;
}

/* ---- numbers and words ---- */

static void skip_digits(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
}

/** Move behind a number. @return false where there is none. */
static bool skip_number(struct reader *reader, bool *ret_real)
{
    (void)take(reader, '-');
    const char *digits = reader->at;
    if (!take(reader, '0'))
        skip_digits(reader);
    bool good = reader->at > digits;
    *ret_real = false;
    if (good && take(reader, '.')) {
        *ret_real = true;
        digits = reader->at;
        skip_digits(reader);
        good = reader->at > digits;
    }
    if (good && (take(reader, 'e') || take(reader, 'E'))) {
        *ret_real = true;
        if (!take(reader, '+'))
            (void)take(reader, '-');
        digits = reader->at;
        skip_digits(reader);
        good = reader->at > digits;
    }
    return good;
}

/* strtod() reads the decimal point of the process's locale. */
static json_t *real(struct reader *reader, char *text)
{
    char *point = strchr(text, '.');
    if (point != NULL)
        *point = *localeconv()->decimal_point;
    double value = strtod(text, NULL);
    return isfinite(value) ? json_real(value) : wrong(reader, "the number is too great");
}

static json_t *integer(struct reader *reader, const char *text)
{
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    return errno == 0 ? json_integer(value) : wrong(reader, "the number is too great");
}

static json_t *read_number(struct reader *reader)
{
    const char *start = reader->at;
    bool is_real;
    if (!skip_number(reader, &is_real))
        return unexpected(reader, "a value is expected");
    char *text = swarm__strndup(start, (size_t)(reader->at - start));
    if (text == NULL)
        return NULL;
    json_t *value = is_real ? real(reader, text) : integer(reader, text);
    swarm__free(text);
    return value;
}

static bool take_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

/* ---- values in values ---- */

static json_t *read_value(struct reader *reader);

/** What is wanted of the member of that key, as it is written; NULL: nothing. */
static const struct swarm__json_wanted *find_wanted(const struct reader *reader, const char *key, size_t length)
{
    const struct swarm__json_wanted *wanted = reader->wanted;
    while (wanted->name != NULL &&
           (wanted->name[0] != *key || strncmp(wanted->name, key, length) != 0 || wanted->name[length] != '\0'))
        wanted++;
    return wanted->name != NULL ? wanted : NULL;
}

static bool skip_value(struct reader *reader);

static bool refuse(struct reader *reader, const char *problem)
{
    (void)unexpected(reader, problem);
    return false;
}

/** The rest of a member whose key is behind the reader. */
static bool skip_to_member_end(struct reader *reader)
{
    skip_blanks(reader);
    return take(reader, ':') ? skip_value(reader) : refuse(reader, "':' is expected");
}

static bool skip_member(struct reader *reader)
{
    bool escaped;
    if (!next_is(reader, '"'))
        return refuse(reader, "a string is expected");
    return skip_string(reader, &escaped) && skip_to_member_end(reader);
}

static bool skip_members(struct reader *reader)
{
    if (reader->depth == MAX_DEPTH) {
        (void)wrong(reader, too_deep);
        return false;
    }
    char close = *reader->at++ == '{' ? '}' : ']';
    bool first = true, good = true;
    reader->depth++;
    for (skip_blanks(reader); good && !take(reader, close); skip_blanks(reader)) {
        if (!first && !take(reader, ','))
            return refuse(reader, close == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
        skip_blanks(reader);
        good = close == '}' ? skip_member(reader) : skip_value(reader);
        first = false;
    }
    reader->depth--;
    return good;
}

/** Move behind a value that is not wanted; it is checked all the same. @return false where it is wrong. */
static bool skip_value(struct reader *reader)
{
    bool ignored;
    skip_blanks(reader);
    switch (reader->at < reader->end ? *reader->at : '\0') {
    case '"':
        return skip_string(reader, &ignored);
    case '{':
    case '[':
        return skip_members(reader);
    case 't':
    case 'f':
    case 'n':
        return take_word(reader, "true") || take_word(reader, "false") || take_word(reader, "null") ||
               refuse(reader, "a value is expected");
    default:
        return skip_number(reader, &ignored) || refuse(reader, "a value is expected");
    }
}

static int keep_member(struct reader *reader, json_t *object)
{
    size_t length;
    char *key = read_string(reader, &length);
    json_t *value = NULL;
    skip_blanks(reader);
    if (key != NULL && !take(reader, ':'))
        (void)unexpected(reader, "':' is expected");
    else if (key != NULL && reader->unique && json_object_get(object, key) != NULL)
        (void)wrong(reader, "the member before is there twice");
    else if (key != NULL)
        value = read_value(reader);
    int rc = value != NULL ? json_object_set_new_nocheck(object, key, value) : -1;
    swarm__free(key);
    return rc;
}

static int read_member(struct reader *reader, json_t *object)
{
    const struct swarm__json_wanted *outer = reader->wanted, *member = NULL;
    if (!next_is(reader, '"')) {
        (void)unexpected(reader, "a string is expected");
        return -1;
    }
    if (outer != NULL) {
        const char *open = reader->at;
        bool escaped;
        if (!skip_string(reader, &escaped))
            return -1;
        /* One that is spelled with escapes is read. */
        member = escaped ? all : find_wanted(reader, open + 1, (size_t)(reader->at - open) - 2);
        if (member == NULL)
            return skip_to_member_end(reader) ? 0 : -1;
        reader->at = open;
    }
    reader->wanted = member != NULL ? member->inside : NULL;
    int rc = keep_member(reader, object);
    reader->wanted = outer;
    return rc;
}

static int read_item(struct reader *reader, json_t *array)
{
    json_t *value = read_value(reader);
    return value != NULL ? json_array_append_new(array, value) : -1;
}

static json_t *read_members(struct reader *reader, json_t *value, char close,
                            int (*read_one)(struct reader *reader, json_t *value))
{
    bool first = true;
    reader->at++;
    for (skip_blanks(reader); value != NULL && !take(reader, close); skip_blanks(reader)) {
        int rc = -1;
        if (!first && !take(reader, ','))
            (void)unexpected(reader, close == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
        else {
            skip_blanks(reader);
            rc = read_one(reader, value);
        }
        first = false;
        if (rc < 0) {
            json_decref(value);
            value = NULL;
        }
    }
    return value;
}

static json_t *read_value(struct reader *reader)
{
    json_t *value;
    skip_blanks(reader);
    if (next_is(reader, '"'))
        return read_text(reader);
    if (take_word(reader, "true"))
        return json_true();
    if (take_word(reader, "false"))
        return json_false();
    if (take_word(reader, "null"))
        return json_null();
    if (!next_is(reader, '{') && !next_is(reader, '['))
        return read_number(reader);
    if (reader->depth == MAX_DEPTH)
        return wrong(reader, too_deep);
    reader->depth++;
    if (next_is(reader, '{'))
        value = read_members(reader, json_object(), '}', read_member);
    else
        value = read_members(reader, json_array(), ']', read_item);
    reader->depth--;
    return value;
}

static int describe(const struct reader *reader, struct swarm_error **reterr)
{
    size_t line = 1, column = 1;
    if (reader->problem == too_deep)
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "invalid JSON: nested deeper than %d levels", MAX_DEPTH);
    for (const char *at = reader->start; at < reader->at; at++) {
        column = *at == '\n' ? 1 : column + 1;
        line += *at == '\n';
    }
    return swarm__error_set(reterr, SWARM_ERR_PARSE, "invalid JSON: line %zu, column %zu: %s", line, column,
                            reader->problem);
}

static int load(const char *json, size_t length, bool unique, const struct swarm__json_wanted *wanted,
                json_t **ret_value, struct swarm_error **reterr)
{
    struct reader reader = {json, json, json + length, 0, unique, wanted, NULL};
    json_t *value = read_value(&reader);
    skip_blanks(&reader);
    if (value != NULL && reader.at < reader.end) {
        json_decref(value);
        value = wrong(&reader, "nothing more is expected");
    }
    if (value != NULL) {
        *ret_value = value;
        return 0;
    }
    return reader.problem != NULL ? describe(&reader, reterr) : swarm__error_nomem(reterr);
}

int swarm__json_load(const char *json, size_t length, json_t **ret_value, struct swarm_error **reterr)
{
    return load(json, length, false, NULL, ret_value, reterr);
}

int swarm__json_load_unique(const char *json, size_t length, json_t **ret_value, struct swarm_error **reterr)
{
    return load(json, length, true, NULL, ret_value, reterr);
}

int swarm__json_load_some(const char *json, size_t length, const struct swarm__json_wanted *wanted, json_t **ret_value,
                          struct swarm_error **reterr)
{
    return load(json, length, false, wanted, ret_value, reterr);
}
