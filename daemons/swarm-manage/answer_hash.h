/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an engine answers what it has answered before: most lists that are asked for again are the same bytes, and
 * need not be read. Not for bytes that somebody chose to deceive: who can answer for an engine needs no collision. */
#ifndef MANAGE_ANSWER_HASH_H
#define MANAGE_ANSWER_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Never 0. */
uint64_t answer_hash(const char *text, size_t length);
/* The same of a list of containers without the values of Status, which tell how long ago something was. */
uint64_t answer_hash_list(const char *text, size_t length);

#endif
