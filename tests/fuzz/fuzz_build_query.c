/* SPDX-License-Identifier: Apache-2.0 */
/* A build's query, a NUL, and its build arguments: what is split off is an expression, what is left can be sent and has
 * none, and without any the query stays as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "build_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static int value_of(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'A' + 10;
}

/* The arguments as the engine reads them, in place: escaped by us, so that every escape is whole. NULL: there are none.
 */
static char *arguments(char *query)
{
    char *begin = strncmp(query, "buildargs=", 10) == 0 ? query : strstr(query, "&buildargs=");
    if (begin == NULL)
        return NULL;
    begin = strchr(begin, '=') + 1;
    begin[strcspn(begin, "&")] = '\0';
    char *to = begin;
    for (const char *at = begin; *at != '\0'; at++, to++) {
        *to = *at;
        if (*at == '%') {
            *to = (char)(value_of(at[1]) * 16 + value_of(at[2]));
            at += 2;
        }
    }
    *to = '\0';
    return begin;
}

static void check_left(char *left)
{
    char *args = arguments(left), *again = NULL;
    json_t *expressions = NULL;
    require(build_query_split("buildargs=x", args, &again, &expressions) == 0);
    require(json_array_size(expressions) == 0 && strcmp(again, "buildargs=x") == 0);
    json_decref(expressions);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    size_t length = end == NULL ? size : (size_t)(end - data);
    char *query = text_of(data, length), *left = NULL;
    char *args = end == NULL ? NULL : text_of(end + 1, size - length - 1);
    json_t *expressions = NULL, *expression;
    size_t i;
    require(build_query_split(query, args, &left, &expressions) == 0);
    json_array_foreach (expressions, i, expression)
        require(json_string_length(expression) > strlen("affinity:") - 1);
    if (json_array_size(expressions) == 0)
        require(strcmp(query, left) == 0);
    else
        check_left(left);
    json_decref(expressions);
    free(args);
    free(left);
    free(query);
    return 0;
}
