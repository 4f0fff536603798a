/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_MEM_H
#define SWARM_SRC_MEM_H

#include <stddef.h>

/*
 * All memory of the library comes from here, so that a test can make any allocation fail. Nothing here aborts: every
 * function answers NULL (or -1 for swarm__grow) when there is no memory, and the caller says SWARM_ERR_NOMEM.
 */

/** Replaces realloc(): size 0 frees and gives NULL. Tests set it; nothing else does. */
typedef void *(*swarm__mem_fn)(void *memory, size_t size);
extern swarm__mem_fn swarm__mem_hook;

void *swarm__malloc(size_t size);
/** Zeroed; NULL also where count * size does not fit a size_t. */
void *swarm__calloc(size_t count, size_t size);
/** The old memory is untouched where it fails. */
void *swarm__realloc(void *memory, size_t size);
/** NULL is allowed. */
void swarm__free(void *memory);
char *swarm__strdup(const char *text);
/** Copy exactly @p length bytes and end them with a NUL. */
char *swarm__strndup(const char *text, size_t length);

/**
 * Make room for @p needed elements in an array that grows by half again.
 *
 * @param array     Address of the array pointer (itself of any object pointer type).
 * @param capacity  Elements there is room for now; updated.
 * @return 0, or -1 where there is no memory (nothing is changed).
 */
int swarm__grow(void *array, size_t *capacity, size_t needed, size_t element_size);

#endif
