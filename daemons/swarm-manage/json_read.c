/* SPDX-License-Identifier: Apache-2.0 */
#include "json_read.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Looks at the first value only: what follows one is never parsed together with it. */
static bool too_deep(const char *text, size_t length)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_READ_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) {
            return false;
        }
    }
    return false;
}

json_t *json_read(const char *text, size_t length, size_t flags, json_error_t *error)
{
    if (!too_deep(text, length))
        return json_loadb(text, length, flags, error);
    if (error) {
        memset(error, 0, sizeof(*error));
        snprintf(error->text, sizeof(error->text), "nested deeper than %d levels", JSON_READ_DEPTH_MAX);
    }
    return NULL;
}
