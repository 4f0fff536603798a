/* SPDX-License-Identifier: Apache-2.0 */
/* Texts on the heap: messages, copies. */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

/* New text in printf()'s way; NULL for lack of memory. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* New text for errno value @p error as Go programs word it: strerror()'s without the capital ("connection refused"). */
char *text_errno(int error);
/* free() for owned texts that are held as const. */
void text_free(const char *text);

#endif
