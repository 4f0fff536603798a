/* SPDX-License-Identifier: Apache-2.0 */
/* Leadership over a store that says what the test wants; one manager a process. */
#ifndef TEST_MEMORY_LOCK_H
#define TEST_MEMORY_LOCK_H

#include "lock_private.h"

extern struct discovery memory_discovery;

/* Who holds it from now on, "" for nobody; @p term where that is this manager, else 0. The manager, whose leader must
 * have been started, has seen it when this returns. */
void memory_lock_set(const char *address, uint64_t term);

#endif
