/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of inputs that hold JSON: values are replaced, moved, doubled and left out where they stand, so that what is
 * made of them is JSON again and gets past the first check. */
#ifndef FUZZ_JSON_MUTATOR_H
#define FUZZ_JSON_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* One of the texts in @p data (with NULs between them) gets another value somewhere. The new size, 0 where that text
 * holds no JSON or there is no room. */
size_t json_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#endif
