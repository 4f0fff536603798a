/* SPDX-License-Identifier: Apache-2.0 */
/* Linked with a target, this is its mutator: half of the changes are libFuzzer's own. */
#include "json_mutator.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 4096 /* of an input that are counted */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* Where a value stands: in an object by key, in an array by index. */
struct place {
    json_t *parent;
    const char *key;
    size_t index;
};

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 8) % below;
}

static void collect(json_t *value, struct place *places, size_t *count)
{
    const char *key;
    json_t *one;
    size_t i;

    json_object_foreach (value, key, one) {
        if (*count < VALUES_MAX)
            places[(*count)++] = (struct place){value, key, 0};
        collect(one, places, count);
    }
    json_array_foreach (value, i, one) {
        if (*count < VALUES_MAX)
            places[(*count)++] = (struct place){value, NULL, i};
        collect(one, places, count);
    }
}

static json_t *value_at(const struct place *place)
{
    return place->key != NULL ? json_object_get(place->parent, place->key)
                              : json_array_get(place->parent, place->index);
}

static json_t *interesting_number(unsigned *seed)
{
    static const json_int_t numbers[] = {0, 1, -1, 2, 255, 65535, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

    return json_integer(numbers[draw(seed, sizeof(numbers) / sizeof(numbers[0]))]);
}

static json_t *interesting_text(unsigned *seed)
{
    static const char *const texts[] = {"", "/", "a", "null", "0.0.0.0", "::", "9999-12-31T23:59:59Z",
                                        "<none>:<none>", "a/b:c@d", "=", "k=v", "\"\\\x01", "local", "bridge"};

    if (draw(seed, 8) == 0) { /* long, of two-byte letters */
        char text[1200];
        size_t length = 2 * (1 + draw(seed, sizeof(text) / 2 - 1));

        for (size_t i = 0; i < length; i += 2)
            memcpy(text + i, "\xc3\xa9", 2);
        return json_stringn(text, length);
    }
    return json_string(texts[draw(seed, sizeof(texts) / sizeof(texts[0]))]);
}

/* New. */
static json_t *other_value(const struct place *places, size_t count, unsigned *seed)
{
    switch (draw(seed, 10)) {
    case 0:
        return json_null();
    case 1:
        return draw(seed, 2) ? json_true() : json_false();
    case 2:
        return draw(seed, 2) ? json_object() : json_array();
    case 3:
    case 4:
        return interesting_text(seed);
    case 5:
    case 6:
        return json_deep_copy(value_at(&places[draw(seed, (unsigned)count)]));
    default:
        return interesting_number(seed);
    }
}

static void change(const struct place *places, size_t count, unsigned *seed)
{
    const struct place *place = &places[draw(seed, (unsigned)count)];
    json_t *parent = place->parent;
    unsigned what = draw(seed, 8);

    if (what == 0 && place->key != NULL)
        json_object_del(parent, place->key);
    else if (what == 0)
        json_array_remove(parent, place->index);
    else if (what == 1 && place->key == NULL)
        json_array_insert_new(parent, place->index, json_deep_copy(value_at(place)));
    else if (place->key != NULL)
        json_object_set_new(parent, place->key, other_value(places, count, seed));
    else
        json_array_set_new(parent, place->index, other_value(places, count, seed));
}

/* One of the NUL-ended texts: where it begins and ends. */
static void choose_text(const uint8_t *data, size_t size, unsigned *seed, size_t *ret_begin, size_t *ret_end)
{
    size_t at = draw(seed, (unsigned)size);

    *ret_begin = *ret_end = at;
    while (*ret_begin > 0 && data[*ret_begin - 1] != '\0')
        (*ret_begin)--;
    while (*ret_end < size && data[*ret_end] != '\0')
        (*ret_end)++;
}

static size_t put_back(uint8_t *data, size_t size, size_t max_size, size_t begin, size_t end, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    size_t length = text == NULL ? 0 : strlen(text), more = size - end;

    if (length == 0 || begin + length + more > max_size) {
        free(text);
        return 0;
    }
    memmove(data + begin + length, data + end, more);
    memcpy(data + begin, text, length);
    free(text);
    return begin + length + more;
}

size_t json_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static struct place places[VALUES_MAX];
    size_t begin, end, count = 0, changed = 0;
    json_error_t error;
    json_t *json;

    if (size == 0)
        return 0;
    choose_text(data, size, &seed, &begin, &end);
    while (begin < end && data[begin] != '{' && data[begin] != '[')
        begin++;
    json = json_loadb((const char *)data + begin, end - begin, JSON_DISABLE_EOF_CHECK, &error);
    if (json != NULL)
        collect(json, places, &count);
    if (count > 0) {
        change(places, count, &seed);
        changed = put_back(data, size, max_size, begin, begin + (size_t)error.position, json);
    }
    json_decref(json);
    return changed;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size_t changed = seed % 2 ? json_mutate(data, size, max_size, seed / 2) : 0;

    return changed > 0 ? changed : LLVMFuzzerMutate(data, size, max_size);
}
