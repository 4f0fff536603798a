/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_AMOUNT_H
#define SWARM_SRC_AMOUNT_H

#include <stdint.h>

#define SWARM__AMOUNT_SIZE 40

/**
 * An amount as people read it: "310 MiB", "1.5 CPUs", "2 slots". Bytes are rounded up, so that having that much more is
 * enough.
 *
 * @param amount  0 or more.
 * @param unit    One of enum swarm_unit.
 */
void swarm__amount_text(char text[SWARM__AMOUNT_SIZE], int64_t amount, int unit);

#endif
