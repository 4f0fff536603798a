/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written straight to a buffer, where a tree of values would cost more than its content. */
#ifndef MANAGE_JSON_WRITE_H
#define MANAGE_JSON_WRITE_H

#include "bytes.h"

/* As a string with its quotes. In a text that is no UTF-8 '?' stands for all that is not ASCII; NULL is "". 0, or -1
 * for lack of memory. */
int json_write_string(struct bytes *out, const char *text);
/* The same without the quotes. */
int json_write_inside(struct bytes *out, const char *text);

#endif
