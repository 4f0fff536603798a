/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images, as `docker save` makes them, put together to one while they come. What they have in files passes
 * by; only the lists of what is in them are kept, and written at the end. */
#ifndef MANAGE_ARCHIVE_MERGE_H
#define MANAGE_ARCHIVE_MERGE_H

#include <stddef.h>

struct archive_merge;

/* @p write is given what comes out; non-zero ends it. NULL for lack of memory. */
struct archive_merge *archive_merge_new(int (*write)(void *data, const void *bytes, size_t length), void *data);
void archive_merge_free(struct archive_merge *merge);
/* The next piece of an archive. -1 where it is none, where there is no memory, or where write() said so. */
int archive_merge_feed(struct archive_merge *merge, const void *bytes, size_t length);
/* It has come whole, as far as we were told, and another begins or the end comes. -1 as above, or where it is not. */
int archive_merge_next(struct archive_merge *merge);
/* Write the lists and the archive's end. */
int archive_merge_end(struct archive_merge *merge);
/* Why there was a -1, other than by write(); NULL: it was write(). */
const char *archive_merge_error(const struct archive_merge *merge);

#endif
