/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

static void compact(struct bytes *bytes)
{
    if (bytes->begin == 0)
        return;
    memmove(bytes->data, bytes->data + bytes->begin, bytes_length(bytes));
    bytes->end -= bytes->begin;
    bytes->begin = 0;
}

int bytes_reserve(struct bytes *bytes, size_t room)
{
    if (bytes->size - bytes->end >= room && bytes->data)
        return 0;
    if (bytes->data)
        compact(bytes);
    if (bytes->size - bytes->end >= room && bytes->data)
        return 0;
    if (room > SIZE_MAX / 4 || bytes->end > SIZE_MAX / 4)
        return -1;
    size_t size = bytes->size ? bytes->size : FIRST_SIZE;
    while (size - bytes->end < room)
        size *= 2;
    char *data = realloc(bytes->data, size);
    if (!data)
        return -1;
    bytes->data = data;
    bytes->size = size;
    return 0;
}

int bytes_append(struct bytes *bytes, const void *data, size_t length)
{
    if (bytes_reserve(bytes, length) < 0)
        return -1;
    if (length > 0)
        memcpy(bytes->data + bytes->end, data, length);
    bytes->end += length;
    return 0;
}

int bytes_append_text(struct bytes *bytes, const char *text)
{
    return bytes_append(bytes, text, strlen(text));
}

int bytes_printf(struct bytes *bytes, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    int result = -1;
    /* One more for the NUL that vsnprintf() writes. */
    if (length >= 0 && bytes_reserve(bytes, (size_t)length + 1) == 0) {
        vsnprintf(bytes->data + bytes->end, (size_t)length + 1, format, again);
        bytes->end += (size_t)length;
        result = 0;
    }
    va_end(again);
    return result;
}

void bytes_consume(struct bytes *bytes, size_t length)
{
    bytes->begin += length;
    if (bytes->begin == bytes->end)
        bytes->begin = bytes->end = 0;
}

int bytes_move(struct bytes *to, struct bytes *from)
{
    if (bytes_length(to) == 0) {
        struct bytes empty = *to;
        *to = *from;
        *from = empty;
        return 0;
    }
    if (bytes_append(to, bytes_at(from), bytes_length(from)) < 0)
        return -1;
    bytes_consume(from, bytes_length(from));
    return 0;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}
