/* SPDX-License-Identifier: Apache-2.0 */
#include "abi.h"

#include <string.h>

#include <swarm/error.h>

int swarm__abi_read(void *ret, size_t size, size_t first, const void *from)
{
    size_t theirs;
    memcpy(&theirs, from, sizeof(theirs));
    if (theirs < first)
        return SWARM_ERR_INVALID;
    const unsigned char *bytes = from;
    for (size_t i = size; i < theirs; i++)
        if (bytes[i] != 0)
            return SWARM_ERR_INVALID;
    memcpy(ret, from, theirs < size ? theirs : size);
    memcpy(ret, &size, sizeof(size));
    return 0;
}
