/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_TEXT_H
#define SWARM_SRC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <swarm/version.h>

/** A text that grows. Zeroed memory is an empty one. Once memory has run out it takes nothing any more and says so. */
struct swarm__text {
    char *at; /**< NUL-ended; NULL while nothing was ever added. Release with swarm__free(). */
    size_t length;
    size_t capacity;
    bool failed; /**< There was no memory for some of it. */
};

void swarm__text_add(struct swarm__text *text, const char *more);
/** With the NUL at its end, so that what comes next is another text. */
void swarm__text_add_item(struct swarm__text *text, const char *more);
void swarm__text_format(struct swarm__text *text, const char *format, ...) SWARM_PRINTF(2, 3);

#endif
