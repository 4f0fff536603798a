/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_PATTERN_H
#define SWARM_SRC_PATTERN_H

#include <stddef.h>

#include "expr.h"

/*
 * Regular expressions in the dialect of classic Swarm's users (RE2's syntax without braces), run by PCRE2. What RE2
 * refuses and PCRE2 would take (back references, possessive quantifiers, verbs, …) does not compile here either, nor do
 * groups nested deeper than 50 levels.
 */

/**
 * Compile.
 *
 * @param ret_code  The compiled pattern, release with swarm__pattern_free(); NULL where it does not compile.
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__pattern_compile(const char *pattern, size_t length, void **ret_code);
void swarm__pattern_free(void *code);

/**
 * Search @p subject. The effort is limited: a pattern that would run wild is decided by the slower automaton, and one
 * that exceeds even that does not match.
 *
 * @return 1, 0, or SWARM_ERR_NOMEM.
 */
int swarm__pattern_match(const void *code, struct swarm__matcher *matcher, const char *subject, size_t length);

#endif
