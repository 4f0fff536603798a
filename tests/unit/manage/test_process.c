/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel and malloc() say of the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "process.h"

#define BLOCKS 100000
#define BLOCK_SIZE 2000
#define KEPT_OF 100 /* one of so many stays: what is free lies between those */

static void test_memory_that_is_free_is_given_back(void **state)
{
    static char *blocks[BLOCKS];
    struct process full, freed, given;

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_SIZE);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK_SIZE);
    }
    process_read(&full);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i % KEPT_OF)
            free(blocks[i]);
    }
    process_read(&freed);
    process_give_back();
    process_read(&given);
    for (size_t i = 0; i < BLOCKS; i += KEPT_OF)
        free(blocks[i]);
    if (!full.heap_used) /* this malloc() does not tell */
        skip();
    assert_true(full.heap_used >= (int64_t)BLOCKS * BLOCK_SIZE);
    assert_true(freed.heap_used < full.heap_used / 2);
    assert_true(freed.heap_free > full.heap_used / 2);
    assert_true(given.resident_bytes < full.resident_bytes / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_that_is_free_is_given_back)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
