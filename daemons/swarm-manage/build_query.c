/* SPDX-License-Identifier: Apache-2.0 */
#include "build_query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "json_read.h"
#include "uri.h"

static const char parameter[] = "buildargs=";

static bool is_expression(const char *key)
{
    static const char *const prefixes[] = {"constraint:", "affinity:", "whitelist:", "reschedule:"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

/* Clients cut an argument at its first equals sign; those that are given as a map may have all of it in the key. */
static json_t *expression(const char *key, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text == NULL || (text[0] == '\0' && strpbrk(key, "=~") != NULL))
        return json_string(key);
    return json_sprintf("%s=%s", key, text);
}

/* Move them from @p args to @p expressions. */
static int take_expressions(json_t *args, json_t *expressions)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe (args, next, key, value) {
        if (is_expression(key) &&
            (json_array_append_new(expressions, expression(key, value)) < 0 || json_object_del(args, key) < 0))
            return -1;
    }
    return 0;
}

/* The query with @p args as its build arguments. */
static char *query_with(const char *query, const json_t *args)
{
    char *text = json_dumps(args, JSON_COMPACT), *escaped = text == NULL ? NULL : uri_escape(text);
    struct bytes whole = {0};
    int r = escaped == NULL ? -1 : 0;

    for (const char *at = query; r == 0 && *at != '\0';) {
        size_t length = strcspn(at, "&");

        if (bytes_length(&whole) > 0)
            r = bytes_append(&whole, "&", 1);
        if (r == 0 && strncmp(at, parameter, strlen(parameter)) == 0)
            r = bytes_printf(&whole, "%s%s", parameter, escaped);
        else if (r == 0)
            r = bytes_append(&whole, at, length);
        at += length + (at[length] == '&');
    }
    if (r == 0)
        r = bytes_append(&whole, "", 1);
    free(escaped);
    free(text);
    if (r < 0)
        bytes_free(&whole);
    return whole.data; /* begin is 0: nothing was consumed */
}

int build_query_split(const char *query, const char *build_args, char **ret_query, json_t **ret_expressions)
{
    json_t *args = build_args == NULL ? NULL : json_read(build_args, strlen(build_args), JSON_ALLOW_NUL, NULL);
    json_t *expressions = json_array();
    char *left = NULL;
    int r = expressions == NULL ? -1 : take_expressions(args, expressions);

    if (r == 0)
        left = json_array_size(expressions) == 0 ? strdup(query) : query_with(query, args);
    json_decref(args);
    if (left == NULL) {
        json_decref(expressions);
        return -1;
    }
    *ret_query = left;
    *ret_expressions = expressions;
    return 0;
}
