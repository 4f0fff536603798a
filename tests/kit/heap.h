/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_KIT_HEAP_H
#define TESTS_KIT_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An allocator that runs out of memory when it is told to. Run a scenario with the first allocation failing, then with
 * the second, and so on, until it gets through:
 *
 *   for (size_t n = 0; heap_fail(n, once); n++) { scenario; heap_restore(); }
 */

/**
 * Let the library's allocation number @p n from now (0: the next) fail.
 *
 * @param once  Only that one; otherwise every one after it too.
 * @return Always true.
 */
bool heap_fail(size_t n, bool once);
/** Whether the allocation to fail has been asked for. */
bool heap_failed(void);
/** Back to plain memory. */
void heap_restore(void);

#endif
