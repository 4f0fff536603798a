/* SPDX-License-Identifier: Apache-2.0 */
#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/memory.h>

static void *plain_realloc(void *memory, size_t size)
{
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size);
}

swarm__mem_fn swarm__mem_hook = plain_realloc;

void *swarm__malloc(size_t size)
{
    return swarm__mem_hook(NULL, size ? size : 1);
}

void *swarm__calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *memory = swarm__malloc(count * size);
    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

void *swarm__realloc(void *memory, size_t size)
{
    return swarm__mem_hook(memory, size ? size : 1);
}

void swarm__free(void *memory)
{
    if (memory)
        swarm__mem_hook(memory, 0);
}

char *swarm__strndup(const char *text, size_t length)
{
    char *copy = swarm__malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *swarm__strdup(const char *text)
{
    return swarm__strndup(text, strlen(text));
}

int swarm__grow(void *array, size_t *capacity, size_t needed, size_t element_size)
{
    if (needed <= *capacity)
        return 0;
    size_t wanted = *capacity + *capacity / 2;
    if (wanted < needed)
        wanted = needed;
    if (wanted < 4)
        wanted = 4;
    if (wanted > SIZE_MAX / element_size)
        return -1;
    void *old;
    memcpy(&old, array, sizeof(old));
    void *grown = swarm__realloc(old, wanted * element_size);
    if (!grown)
        return -1;
    memcpy(array, &grown, sizeof(grown));
    *capacity = wanted;
    return 0;
}

void swarm_free(void *memory)
{
    swarm__free(memory);
}
