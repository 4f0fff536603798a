/* SPDX-License-Identifier: Apache-2.0 */
#include "heap.h"

#include <stdlib.h>

#include "mem.h"

static size_t left;
static bool only_once;
static bool failed;

static void *failing_realloc(void *memory, size_t size)
{
    if (size == 0) {
        free(memory);
        return NULL;
    }
    if (failed && !only_once)
        return NULL;
    if (!failed && left-- == 0) {
        failed = true;
        return NULL;
    }
    return realloc(memory, size);
}

static void *plain_realloc(void *memory, size_t size)
{
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size);
}

bool heap_fail(size_t n, bool once)
{
    left = n;
    only_once = once;
    failed = false;
    swarm__mem_hook = failing_realloc;
    return true;
}

bool heap_failed(void)
{
    return failed;
}

void heap_restore(void)
{
    swarm__mem_hook = plain_realloc;
}
