/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets of the daemons share: a check that names itself, and texts of the input's exact size. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(condition) fuzz_check((condition), #condition, __FILE__, __LINE__)

static inline void fuzz_check(bool holds, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* As a text, allocated to size, so that a byte too far is noticed. New. */
static inline char *fuzz_text(const void *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
