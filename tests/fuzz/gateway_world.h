/* SPDX-License-Identifier: Apache-2.0 */
/* The two engines of fuzz_gateway.c, as a monitor would have found them. */
#ifndef FUZZ_GATEWAY_WORLD_H
#define FUZZ_GATEWAY_WORLD_H

#include "manager.h"

/* An engine of that address and number: healthy, API 1.41 (0) or 1.44 to 1.51 (1), with a container c0 or c1 whose id
 * is 64 times "a" or "b", an image "busybox", a network "net" and a volume "vol". */
void gateway_add_engine(struct manager *manager, const char *address, int number);

#endif
