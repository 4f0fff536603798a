/* SPDX-License-Identifier: Apache-2.0 */
#include "codec_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "mem.h"

/* Longer places are cut off at the end; keys may be of any length. */
#define PLACE_MAX 400

/* ---- errors ---- */

static size_t append(char *text, size_t length, const char *format, ...) SWARM_PRINTF(3, 4);
static size_t append(char *text, size_t length, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int more = vsnprintf(text + length, PLACE_MAX - length, format, args);
    va_end(args);
    if (more < 0)
        return length;
    return length + (size_t)more < PLACE_MAX ? length + (size_t)more : PLACE_MAX - 1;
}

/* "state: nodes[3].labels["a.b"]"; behind the root's name come a colon and a blank, not a dot. */
static size_t write_place(char *text, const struct swarm__at *at)
{
    if (!at->up)
        return append(text, 0, "%s: ", at->key);
    size_t length = write_place(text, at->up);
    if (!at->key)
        return append(text, length, "[%zu]", at->index);
    if (at->quoted)
        return append(text, length, "[\"%s\"]", at->key);
    return append(text, length, "%s%s", at->up->up ? "." : "", at->key);
}

int swarm__state_error(struct swarm_error **reterr, int code, const struct swarm__at *at, const char *format, ...)
{
    char place[PLACE_MAX], message[PLACE_MAX];
    va_list args;
    if (!reterr)
        return code;
    write_place(place, at);
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return swarm__error_set(reterr, code, "%s%s%s", place, at->up ? ": " : "", message);
}

int swarm__state_refused(struct swarm_error **reterr, int code, const struct swarm__at *at, struct swarm_error *error)
{
    if (code != SWARM_ERR_NOMEM)
        code = swarm__state_error(reterr, SWARM_ERR_PARSE, at, "%s", error ? swarm_error_message(error) : "bad value");
    else
        swarm__error_nomem(reterr);
    swarm_error_free(error);
    return code;
}

/* ---- reading ---- */

int swarm__state_load(const char *json, size_t length, const struct swarm__at *at, json_t **ret_root,
                      struct swarm_error **reterr)
{
    json_t *root = NULL;
    struct swarm_error *error = NULL;
    int code = swarm__json_load_unique(json, length, &root, reterr ? &error : NULL);
    if (code != 0)
        return swarm__state_refused(reterr, code, at, error);
    *ret_root = root;
    return 0;
}

static bool is_listed(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

int swarm__state_object(const json_t *value, const struct swarm__at *at, const char *const *names,
                        struct swarm_error **reterr)
{
    if (!json_is_object(value))
        return swarm__state_error(reterr, SWARM_ERR_PARSE, at, "an object is expected");
    const char *name;
    json_t *member;
    /* jansson's iteration changes nothing; its interface says otherwise. */
    json_object_foreach ((json_t *)(uintptr_t)value, name, member)
        if (!is_listed(names, name))
            return swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_ENTRY(at, name), "no such member is known");
    return 0;
}

static const char *type_text(json_type type)
{
    switch (type) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    default:
        return "an integer";
    }
}

int swarm__state_value(const json_t *object, const struct swarm__at *at, const char *key, json_type type, json_t **ret,
                       struct swarm_error **reterr)
{
    json_t *value = json_object_get(object, key);
    if (value && json_typeof(value) != type)
        return swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_MEMBER(at, key), "%s is expected",
                                  type_text(type));
    *ret = value;
    return 0;
}

int swarm__state_text(const json_t *object, const struct swarm__at *at, const char *key, const char **ret,
                      struct swarm_error **reterr)
{
    json_t *value = NULL;
    int code = swarm__state_value(object, at, key, JSON_STRING, &value, reterr);
    if (code == 0 && value)
        *ret = json_string_value(value);
    return code;
}

int swarm__state_integer(const json_t *object, const struct swarm__at *at, const char *key, int64_t *ret,
                         struct swarm_error **reterr)
{
    json_t *value = NULL;
    int code = swarm__state_value(object, at, key, JSON_INTEGER, &value, reterr);
    if (code == 0 && value)
        *ret = json_integer_value(value);
    return code;
}

/* The index of a word. @return -1 with an error where it is none of them. */
static int find_word(const char *const *words, const char *text, const struct swarm__at *at,
                     struct swarm_error **reterr)
{
    char known[PLACE_MAX];
    size_t length = 0;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
        length = append(known, length, "%s%s", i ? ", " : "", words[i]);
    }
    swarm__state_error(reterr, SWARM_ERR_PARSE, at, "'%s': one of %s is expected", text, known);
    return -1;
}

int swarm__state_word(const json_t *object, const struct swarm__at *at, const char *key, const char *const *words,
                      int *ret, struct swarm_error **reterr)
{
    const char *text = NULL;
    int code = swarm__state_text(object, at, key, &text, reterr);
    if (code != 0 || !text)
        return code;
    int found = find_word(words, text, SWARM__AT_MEMBER(at, key), reterr);
    if (found < 0)
        return SWARM_ERR_PARSE;
    *ret = found;
    return 0;
}

int swarm__state_words_set(const json_t *object, const struct swarm__at *at, const char *key, const char *const *words,
                           int *ret, struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int set = 0, code = swarm__state_texts(object, at, key, &list, reterr);
    if (code != 0 || !list)
        return code;
    json_array_foreach (list, i, item) {
        int found = find_word(words, json_string_value(item), SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, key), i), reterr);
        if (found < 0)
            return SWARM_ERR_PARSE;
        set |= 1 << found;
    }
    *ret = set;
    return 0;
}

int swarm__state_texts(const json_t *object, const struct swarm__at *at, const char *key, json_t **ret,
                       struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int code = swarm__state_value(object, at, key, JSON_ARRAY, &list, reterr);
    if (code != 0)
        return code;
    json_array_foreach (list, i, item)
        if (!json_is_string(item))
            return swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_ELEMENT(SWARM__AT_MEMBER(at, key), i),
                                      "a string is expected");
    *ret = list;
    return 0;
}

int swarm__state_map(const json_t *object, const struct swarm__at *at, const char *key, json_t **ret,
                     struct swarm_error **reterr)
{
    json_t *map, *value;
    const char *name;
    int code = swarm__state_value(object, at, key, JSON_OBJECT, &map, reterr);
    if (code != 0)
        return code;
    json_object_foreach (map, name, value)
        if (!json_is_string(value))
            return swarm__state_error(reterr, SWARM_ERR_PARSE, SWARM__AT_ENTRY(SWARM__AT_MEMBER(at, key), name),
                                      "a string is expected");
    *ret = map;
    return 0;
}

int swarm__state_amounts(const json_t *object, const struct swarm__at *at, const char *key, swarm__state_amount_fn set,
                         void *of, struct swarm_error **reterr)
{
    json_t *map, *value;
    const char *name;
    int code = swarm__state_value(object, at, key, JSON_OBJECT, &map, reterr);
    if (code != 0)
        return code;
    json_object_foreach (map, name, value) {
        const struct swarm__at *entry = SWARM__AT_ENTRY(SWARM__AT_MEMBER(at, key), name);
        struct swarm_error *error = NULL;
        if (!json_is_integer(value))
            return swarm__state_error(reterr, SWARM_ERR_PARSE, entry, "an integer is expected");
        code = set(of, name, json_integer_value(value), &error);
        if (code != 0)
            return swarm__state_refused(reterr, code, entry, error);
    }
    return 0;
}

/* ---- writing ---- */

/* Bytes of the character that begins here; 0 where there is none. The same as jansson takes. */
static size_t character_length(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    if (length < 2)
        return length;
    uint32_t value = text[0] & (0x7f >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    return text[0] > 0xf4 || value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ? 0
                                                                                                               : length;
}

static int check_text(const char *text, const struct swarm__at *at, struct swarm_error **reterr)
{
    const unsigned char *next = (const unsigned char *)text;
    for (size_t length; *next; next += length)
        if ((length = character_length(next)) == 0)
            return swarm__state_error(reterr, SWARM_ERR_INVALID, at, "a text that is not UTF-8 cannot be written");
    return 0;
}

int swarm__state_put(json_t *object, const char *key, json_t *value, struct swarm_error **reterr)
{
    return json_object_set_new(object, key, value) < 0 ? swarm__error_nomem(reterr) : 0;
}

int swarm__state_put_filled(json_t *object, const char *key, json_t *value, int code, struct swarm_error **reterr)
{
    bool empty = value && json_array_size(value) == 0 && json_object_size(value) == 0;
    if (code != 0 || empty) {
        json_decref(value);
        return code;
    }
    return swarm__state_put(object, key, value, reterr);
}

/* @param ret  New. */
static int make_string(const char *text, const struct swarm__at *at, json_t **ret, struct swarm_error **reterr)
{
    int code = check_text(text, at, reterr);
    if (code != 0)
        return code;
    *ret = json_string(text);
    return *ret ? 0 : swarm__error_nomem(reterr);
}

static int make_name(const char *name, const struct swarm__at *at, json_t **ret, struct swarm_error **reterr)
{
    if (*name != '/')
        return make_string(name, at, ret, reterr);
    size_t size = strlen(name) + 1;
    char *copy = swarm__malloc(size + 1);
    if (!copy)
        return swarm__error_nomem(reterr);
    copy[0] = '/';
    memcpy(copy + 1, name, size);
    int code = make_string(copy, at, ret, reterr);
    swarm__free(copy);
    return code;
}

int swarm__state_put_text(json_t *object, const struct swarm__at *at, const char *key, const char *text,
                          struct swarm_error **reterr)
{
    json_t *value = NULL;
    int code = text ? make_string(text, SWARM__AT_MEMBER(at, key), &value, reterr) : 0;
    return code != 0 || !text ? code : swarm__state_put(object, key, value, reterr);
}

int swarm__state_put_name(json_t *object, const struct swarm__at *at, const char *key, const char *name,
                          struct swarm_error **reterr)
{
    json_t *value = NULL;
    int code = name ? make_name(name, SWARM__AT_MEMBER(at, key), &value, reterr) : 0;
    return code != 0 || !name ? code : swarm__state_put(object, key, value, reterr);
}

int swarm__state_put_entry(json_t *map, const struct swarm__at *at, const char *key, const char *text,
                           struct swarm_error **reterr)
{
    json_t *value;
    int code = check_text(key, at, reterr);
    if (code == 0)
        code = make_string(text, SWARM__AT_ENTRY(at, key), &value, reterr);
    return code != 0 ? code : swarm__state_put(map, key, value, reterr);
}

int swarm__state_put_amount(json_t *map, const struct swarm__at *at, const char *key, int64_t amount,
                            struct swarm_error **reterr)
{
    int code = check_text(key, at, reterr);
    return code != 0 ? code : swarm__state_put(map, key, json_integer(amount), reterr);
}

int swarm__state_append(json_t *list, json_t *value, struct swarm_error **reterr)
{
    return json_array_append_new(list, value) < 0 ? swarm__error_nomem(reterr) : 0;
}

int swarm__state_append_text(json_t *list, const struct swarm__at *at, const char *text, struct swarm_error **reterr)
{
    json_t *value;
    int code = make_string(text, SWARM__AT_ELEMENT(at, json_array_size(list)), &value, reterr);
    return code != 0 ? code : swarm__state_append(list, value, reterr);
}

int swarm__state_append_name(json_t *list, const struct swarm__at *at, const char *name, struct swarm_error **reterr)
{
    json_t *value;
    int code = make_name(name, SWARM__AT_ELEMENT(at, json_array_size(list)), &value, reterr);
    return code != 0 ? code : swarm__state_append(list, value, reterr);
}

int swarm__state_dump(json_t *root, char **ret_json, size_t *ret_length, struct swarm_error **reterr)
{
    int failed = swarm__json_dump(root, ret_json, ret_length);
    json_decref(root);
    return failed ? swarm__error_nomem(reterr) : 0;
}
