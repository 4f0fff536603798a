/* SPDX-License-Identifier: Apache-2.0 */
/* Leadership over a store that says what the test wants; one manager a process. */
#ifndef TEST_MEMORY_LOCK_H
#define TEST_MEMORY_LOCK_H

#include "lock_private.h"

extern struct discovery memory_discovery;

/* Who holds it from now on, "" for nobody; @p term where that is this manager, else 0. The manager, whose leader must
 * have been started, has seen it when this returns. */
void memory_lock_set(const char *address, uint64_t term);
/* For how long it is held once it has been looked at; 600 s unless told otherwise. */
void memory_lock_set_lives(int ms);
/* From now on a look at the store does not end; or those that wait do so. */
void memory_lock_hang(bool hang);
/* The looks at the store fail from now on; or succeed again. */
void memory_lock_fail(bool fail);

#endif
