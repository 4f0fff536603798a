/* SPDX-License-Identifier: Apache-2.0 */
/* Times as Docker writes them. */
#ifndef MANAGE_TIMESTAMP_H
#define MANAGE_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)

/* RFC 3339 with any fraction and offset, as Unix time in nanoseconds. The zero time of Go ("0001-01-01T00:00:00Z") and
 * anything before 1970 gives 0. 0, or -1 where @p text is no such time. */
int timestamp_parse(const char *text, int64_t *ret_ns);

/* Now, as Unix time in nanoseconds. */
int64_t timestamp_now_ns(void);

/* How long something took in words, truncated: "Less than a second", "About a minute", "3 hours". */
void duration_in_words(int64_t seconds, char *buffer, size_t size);

#endif
