/* SPDX-License-Identifier: Apache-2.0 */
#include "uri.h"

#include <stdlib.h>
#include <string.h>

static char *escape(const char *text, const char *kept)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char hex[] = "0123456789ABCDEF";
    char *escaped = malloc(strlen(text) * 3 + 1), *at = escaped;

    if (!escaped) {
        return NULL;
    }
    for (; *text; text++) {
        if (strchr(unreserved, *text) || strchr(kept, *text)) {
            *at++ = *text;
        } else {
            *at++ = '%';
            *at++ = hex[(unsigned char)*text >> 4];
            *at++ = hex[(unsigned char)*text & 15];
        }
    }
    *at = '\0';
    return escaped;
}

char *uri_escape(const char *text)
{
    return escape(text, "");
}

char *uri_escape_name(const char *text)
{
    return escape(text, "/:@");
}
