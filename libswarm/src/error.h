/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_ERROR_H
#define SWARM_SRC_ERROR_H

#include <stdbool.h>

#include <swarm/error.h>

/** Whether it is one of enum swarm_error_code. */
bool swarm__error_is_code(int code);

/**
 * Make an error where the caller wants one. Where it cannot be allocated, the caller gets a static out-of-memory error.
 *
 * @param reterr  May be NULL: only the code is passed on. Otherwise *reterr is overwritten, not released.
 * @return @p code (SWARM_ERR_NOMEM where the error itself could not be made), so that `return swarm__error_set(…);`
 * reads well.
 */
int swarm__error_set(struct swarm_error **reterr, int code, const char *format, ...) SWARM_PRINTF(3, 4);

/** SWARM_ERR_NOMEM with the static error: allocates nothing. */
int swarm__error_nomem(struct swarm_error **reterr);

/**
 * Put "what: " in front of the message of *reterr; where there is no memory for it the message stays as it is.
 *
 * @return The code of the error (SWARM_ERR_INVALID where @p reterr is NULL or holds none; pass the code on yourself
 * then).
 */
int swarm__error_prefix(struct swarm_error **reterr, const char *format, ...) SWARM_PRINTF(2, 3);

#endif
