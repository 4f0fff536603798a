/* SPDX-License-Identifier: Apache-2.0 */
/* A growing buffer that is filled at its end and emptied at its beginning. All zero is an empty one, and so is all zero
 * but for @pages. */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data;
    size_t begin;
    size_t end;
    size_t size;
    /* From BYTES_PAGES on its memory is pages of its own, which the system gets back at once, for what is large at
     * times only; set while it is empty, and outlives bytes_free(). What data points to is not for free() then. */
    bool pages;
};
#define BYTES_PAGES ((size_t)64 * 1024)

static inline size_t bytes_length(const struct bytes *bytes)
{
    return bytes->end - bytes->begin;
}
/* NULL where nothing was ever stored. */
static inline char *bytes_at(const struct bytes *bytes)
{
    return bytes->data ? bytes->data + bytes->begin : NULL;
}

/* Make room for @p room more bytes in one piece, at data + end. 0, or -1 for lack of memory (nothing is lost). */
int bytes_reserve(struct bytes *bytes, size_t room);
/* 0, or -1 for lack of memory. */
int bytes_append(struct bytes *bytes, const void *data, size_t length);
int bytes_append_text(struct bytes *bytes, const char *text);
int bytes_printf(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drop the first @p length bytes. */
void bytes_consume(struct bytes *bytes, size_t length);
/* Move everything from @p from to the end of @p to; by swapping where @p to is empty. 0, or -1 for lack of memory. */
int bytes_move(struct bytes *to, struct bytes *from);
void bytes_free(struct bytes *bytes);

#endif
