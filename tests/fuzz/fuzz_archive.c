/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images as engines send them: whatever comes, it is taken or refused. The first byte says how long the
 * pieces are, a part behind "\xff\xffNEXT" is the next archive. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive_merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *data, const void *bytes, size_t length)
{
    size_t *total = data;
    const unsigned char *at = bytes;
    unsigned char last = at[length - 1]; /* all of it can be read */

    *total += length + (last & 0U);
    return 0;
}

static int feed(struct archive_merge *merge, const uint8_t *data, size_t size, size_t piece)
{
    for (size_t at = 0; at < size; at += piece) {
        if (archive_merge_feed(merge, data + at, size - at < piece ? size - at : piece) < 0)
            return -1;
    }
    return archive_merge_next(merge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char next[] = "\xff\xffNEXT";
    size_t total = 0, piece;
    struct archive_merge *merge = archive_merge_new(count, &total);
    int r = 0;

    if (merge == NULL || size == 0) {
        archive_merge_free(merge);
        return 0;
    }
    piece = data[0] == 0 ? size : data[0] * 8U;
    data++;
    size--;
    while (r == 0 && size > 0) {
        const uint8_t *end = memmem(data, size, next, sizeof(next) - 1);
        size_t length = end == NULL ? size : (size_t)(end - data);

        r = feed(merge, data, length, piece);
        data += length;
        size -= length;
        if (end != NULL) {
            data += sizeof(next) - 1;
            size -= sizeof(next) - 1;
        }
    }
    if (r == 0 && archive_merge_end(merge) == 0 && total % 512 != 0)
        abort();
    archive_merge_free(merge);
    return 0;
}
