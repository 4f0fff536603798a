/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

static bool make_room(struct swarm__text *text, size_t more)
{
    if (!text->failed && swarm__grow(&text->at, &text->capacity, text->length + more + 1, 1) != 0)
        text->failed = true;
    return !text->failed;
}

void swarm__text_add(struct swarm__text *text, const char *more)
{
    size_t length = strlen(more);
    if (!make_room(text, length))
        return;
    memcpy(text->at + text->length, more, length + 1);
    text->length += length;
}

void swarm__text_add_item(struct swarm__text *text, const char *more)
{
    swarm__text_add(text, more);
    if (make_room(text, 1))
        text->at[text->length++] = '\0';
}

void swarm__text_format(struct swarm__text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        text->failed = true;
    else if (make_room(text, (size_t)length))
        text->length += (size_t)vsnprintf(text->at + text->length, (size_t)length + 1, format, again);
    va_end(again);
}
