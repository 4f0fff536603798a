/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness from the system, for what libswarm asks its callers for. */
#ifndef MANAGE_RANDOM_H
#define MANAGE_RANDOM_H

#include <stdint.h>

/* For ties between nodes; 0 where the system has none to give. */
uint64_t random_seed(void);

#define RANDOM_ID_SIZE 65
/* 32 bytes as lower-case hexadecimal digits, the first 12 of which are not all decimal (such a short id would read as
 * a number). -1 where the system has none to give. */
int random_id(char id[RANDOM_ID_SIZE]);

#endif
