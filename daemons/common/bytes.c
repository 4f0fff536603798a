/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_SIZE 1024

static void compact(struct bytes *bytes)
{
    if (bytes->begin == 0)
        return;
    memmove(bytes->data, bytes->data + bytes->begin, bytes_length(bytes));
    bytes->end -= bytes->begin;
    bytes->begin = 0;
}

static bool is_mapped(const struct bytes *bytes, size_t size)
{
    return bytes->pages && size >= BYTES_PAGES;
}

/* Its memory with room for @p size bytes, more than it has; NULL where there is none. */
static char *grow(const struct bytes *bytes, size_t size)
{
    char *data;
    if (!is_mapped(bytes, size))
        return realloc(bytes->data, size);
    if (is_mapped(bytes, bytes->size))
        data = mremap(bytes->data, bytes->size, size, MREMAP_MAYMOVE);
    else
        data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return NULL;
    if (!is_mapped(bytes, bytes->size)) {
        if (bytes->end > 0)
            memcpy(data, bytes->data, bytes->end);
        free(bytes->data);
    }
    return data;
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
    char *data = grow(bytes, size);
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
    size_t room = bytes->size - bytes->end;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(room > 0 ? bytes->data + bytes->end : NULL, room, format, arguments);
    va_end(arguments);
    /* One more for the NUL that vsnprintf() writes. */
    if (length >= 0 && (size_t)length >= room) {
        if (bytes_reserve(bytes, (size_t)length + 1) < 0)
            length = -1;
        else
            vsnprintf(bytes->data + bytes->end, (size_t)length + 1, format, again);
    }
    va_end(again);
    if (length < 0)
        return -1;
    bytes->end += (size_t)length;
    return 0;
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
    bool pages = bytes->pages;
    if (is_mapped(bytes, bytes->size))
        munmap(bytes->data, bytes->size);
    else
        free(bytes->data);
    *bytes = (struct bytes){.pages = pages};
}
