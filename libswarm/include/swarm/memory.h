/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_MEMORY_H
#define SWARM_MEMORY_H

/** @file
 * Memory that the library hands out. */

#include <swarm/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Release a text that this library handed out as new.
 *
 * @param memory  A text that a function said to release with this one. NULL is allowed.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT void swarm_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif
