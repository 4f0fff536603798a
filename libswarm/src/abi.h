/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_ABI_H
#define SWARM_SRC_ABI_H

#include <stddef.h>

/**
 * Read a caller's struct that begins with its `size_t size`, made with older or newer headers than this library.
 *
 * @param ret    Ours, set to its defaults before; members that the caller's struct does not have keep them.
 * @param first  Size of the struct when it was first published.
 * @return 0; SWARM_ERR_INVALID where it is smaller than that, or larger than ours with something set there that this
 *         library does not know.
 */
int swarm__abi_read(void *ret, size_t size, size_t first, const void *from);

#endif
