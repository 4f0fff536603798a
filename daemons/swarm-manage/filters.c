/* SPDX-License-Identifier: Apache-2.0 */
#include "filters.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"

/* Bounds what one hostile expression can cost. */
#define MATCH_LIMIT 100000
#define NEST_LIMIT 50 /* groups in groups: PCRE2 compiles them by recursion, and the stack is a connection's */

struct pattern {
    pcre2_code *code; /* NULL: no valid expression */
};

/* jansson's iterators take no const object, though they only read it. */
static json_t *unconst(const json_t *object)
{
    return (json_t *)(uintptr_t)object;
}

/* {"value": true, …} or ["value", …] to an array of strings; NULL for anything else. New. As with Docker, a value that
 * is named counts, be it true or false. */
static json_t *value_list(const json_t *values)
{
    json_t *list = json_array();
    json_t *value;
    size_t i;
    bool good = json_is_object(values) || json_is_array(values);

    for (void *at = json_object_iter(unconst(values)); good && at != NULL;
         at = json_object_iter_next(unconst(values), at))
        good = json_is_boolean(json_object_iter_value(at)) &&
               json_array_append_new(list, json_string(json_object_iter_key(at))) == 0;
    json_array_foreach (values, i, value)
        good = good && json_is_string(value) && json_array_append(list, value) == 0;
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

int filters_parse(json_t **ret, const char *text, struct failure *failure)
{
    json_error_t error;
    json_t *root, *filters;
    const char *key;
    json_t *values;

    filters = json_object();
    if (filters == NULL)
        return failure_set(failure, 500, "out of memory");
    if (text == NULL || text[0] == '\0' || strcmp(text, "null") == 0) {
        *ret = filters;
        return 0;
    }
    root = json_read(text, strlen(text), 0, &error);
    if (!json_is_object(root)) {
        failure_set(failure, 400, "invalid filters: %s", root == NULL ? error.text : "not an object");
        goto fail;
    }
    json_object_foreach (root, key, values) {
        json_t *list = value_list(values);

        if (list == NULL) {
            failure_set(failure, 400,
                        "invalid filters: the values of '%s' are neither a list of strings nor an object of booleans",
                        key);
            goto fail;
        }
        if (json_object_set_new(filters, key, list) < 0) {
            failure_set(failure, 500, "out of memory");
            goto fail;
        }
    }
    json_decref(root);
    *ret = filters;
    return 0;
fail:
    json_decref(root);
    json_decref(filters);
    return -1;
}

int filters_check(const json_t *filters, const char *const *known, struct failure *failure)
{
    for (void *at = json_object_iter(unconst(filters)); at != NULL; at = json_object_iter_next(unconst(filters), at)) {
        const char *key = json_object_iter_key(at);
        size_t i = 0;

        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL)
            return failure_set(failure, 400, "invalid filter '%s'", key);
    }
    return 0;
}

const json_t *filters_values(const json_t *filters, const char *key)
{
    const json_t *values = json_object_get(filters, key);

    return json_array_size(values) == 0 ? NULL : values;
}

int filter_open(struct filter *filter, const json_t *filters, const char *key)
{
    pcre2_compile_context *context;
    size_t count, i;
    json_t *value;

    filter->values = filters_values(filters, key);
    filter->patterns = NULL;
    count = json_array_size(filter->values);
    if (count == 0)
        return 0;
    filter->patterns = calloc(count, sizeof(filter->patterns[0]));
    context = pcre2_compile_context_create(NULL);
    if (filter->patterns == NULL || context == NULL) {
        pcre2_compile_context_free(context);
        free(filter->patterns);
        filter->patterns = NULL;
        return -1;
    }
    pcre2_set_parens_nest_limit(context, NEST_LIMIT);
    json_array_foreach (filter->values, i, value) {
        int code;
        PCRE2_SIZE at;

        filter->patterns[i].code = pcre2_compile((PCRE2_SPTR)json_string_value(value), PCRE2_ZERO_TERMINATED,
                                                 PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, context);
    }
    pcre2_compile_context_free(context);
    return 0;
}

static bool pattern_match(const struct pattern *pattern, const char *text)
{
    pcre2_match_context *context;
    pcre2_match_data *data;
    bool matches = false;

    if (pattern->code == NULL)
        return false;
    context = pcre2_match_context_create(NULL);
    data = pcre2_match_data_create(1, NULL);
    if (context != NULL && data != NULL) {
        pcre2_set_match_limit(context, MATCH_LIMIT);
        pcre2_set_depth_limit(context, MATCH_LIMIT);
        matches = pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, context) >= 0;
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return matches;
}

bool filter_match(const struct filter *filter, const char *text)
{
    json_t *value;
    size_t i;

    if (filter->values == NULL)
        return true;
    json_array_foreach (filter->values, i, value) {
        if (strcmp(json_string_value(value), text) == 0 || pattern_match(&filter->patterns[i], text))
            return true;
    }
    return false;
}

void filter_close(struct filter *filter)
{
    for (size_t i = 0; filter->patterns != NULL && i < json_array_size(filter->values); i++)
        pcre2_code_free(filter->patterns[i].code);
    free(filter->patterns);
    filter->patterns = NULL;
    filter->values = NULL;
}

bool filters_exact(const json_t *filters, const char *key, const char *text)
{
    const json_t *values = filters_values(filters, key);
    json_t *value;
    size_t i;

    if (values == NULL)
        return true;
    json_array_foreach (values, i, value) {
        if (strcmp(json_string_value(value), text) == 0)
            return true;
    }
    return false;
}

static bool label_holds(const char *wanted, const char *(*label)(const void *data, const char *key), const void *data)
{
    const char *equal = strchr(wanted, '=');
    char *key = equal == NULL ? strdup(wanted) : strndup(wanted, (size_t)(equal - wanted));
    const char *value;

    if (key == NULL)
        return false;
    value = label(data, key);
    free(key);
    return value != NULL && (equal == NULL || strcmp(value, equal + 1) == 0);
}

bool filters_labels(const json_t *filters, const char *key, const char *(*label)(const void *data, const char *key),
                    const void *data)
{
    const json_t *values = filters_values(filters, key);
    json_t *value;
    size_t i;

    json_array_foreach (values, i, value) {
        if (!label_holds(json_string_value(value), label, data))
            return false;
    }
    return true;
}
