/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of texts, by OpenSSL's coder. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>

/* New text, NULL for lack of memory. */
char *base64_encode(const void *bytes, size_t length);
/* New bytes of @p coded, with a NUL behind them; NULL where it is not base64, and for lack of memory. */
char *base64_decode(const char *coded, size_t *ret_length);
/* New text of @p coded; NULL where it is not base64 of a text (a NUL in it), and for lack of memory. */
char *base64_decode_text(const char *coded);

#endif
