/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_ERROR_H
#define SWARM_ERROR_H

/** @file
 * Errors: codes and messages. */

#include <swarm/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Every error code with its text; expanded by error.c and by the tests. Codes are never renumbered or reused.
 */
#define SWARM_ERROR_LIST(X)                                                                                            \
    X(SWARM_ERR_INVALID, -1, "invalid argument")                                                                       \
    X(SWARM_ERR_NOMEM, -2, "out of memory")                                                                            \
    X(SWARM_ERR_NO_NODE, -3, "no node fits")                                                                           \
    X(SWARM_ERR_NOT_FOUND, -4, "not found")                                                                            \
    X(SWARM_ERR_AMBIGUOUS, -5, "ambiguous")                                                                            \
    X(SWARM_ERR_EXISTS, -6, "exists already")                                                                          \
    X(SWARM_ERR_NAME_TAKEN, -7, "name is taken")                                                                       \
    X(SWARM_ERR_PARSE, -8, "malformed input")                                                                          \
    X(SWARM_ERR_STATE, -9, "not possible in this state")

/** What functions of this library answer where they fail, always negative; 0 is success. */
enum swarm_error_code {
#define SWARM_ERROR_ENUM(name, number, text) name = number,
    SWARM_ERROR_LIST(SWARM_ERROR_ENUM)
#undef SWARM_ERROR_ENUM
};

/** What went wrong: a code and a message, which may have several lines. */
struct swarm_error;

/**
 * Say what a code means.
 *
 * @param code  0 or one of enum swarm_error_code.
 * @return Static text; "success" for 0 and "unknown error" for a code this library does not know.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT const char *swarm_strerror(int code);

/**
 * The code of an error.
 *
 * @param error  NULL counts as success.
 * @return 0 or a negative enum swarm_error_code.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_error_code(const struct swarm_error *error);

/**
 * The message of an error: what was wrong, where, and what would be right.
 *
 * @param error  NULL gives "success".
 * @return Borrowed, valid until swarm_error_free(). UTF-8, lines separated by '\n', none at the end.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT const char *swarm_error_message(const struct swarm_error *error);

/**
 * Make an error: for callbacks of one's own, as in
 * `return swarm_error_new(reterr, SWARM_ERR_NO_NODE, "rack %s is full", rack);`.
 *
 * @param reterr  Where the callback's caller wants its error. NULL: nobody does, and only the code is passed on. What
 *                *reterr holds is overwritten, not released.
 * @param code    One of enum swarm_error_code; anything else counts as SWARM_ERR_INVALID.
 * @param format  As for printf(), UTF-8, without a '\n' at the end. NULL: what swarm_strerror() says of the code.
 *
 * @return @p code, or SWARM_ERR_NOMEM where there is no memory for the error: *reterr then says so, and is released
 *         like any other.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT int swarm_error_new(struct swarm_error **reterr, int code, const char *format, ...) SWARM_PRINTF(3, 4);

/**
 * Release an error.
 *
 * @param error  May be NULL.
 *
 * Thread safety: any thread. Since: 1.3
 */
SWARM_EXPORT void swarm_error_free(struct swarm_error *error);

#ifdef __cplusplus
}
#endif
#endif
