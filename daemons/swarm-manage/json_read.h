/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON that came from somebody else. Parsing, writing and freeing it recurse, and a connection's thread has a
 * small stack: what is nested deeper than anything that clients and engines say is refused before it is parsed. */
#ifndef MANAGE_JSON_READ_H
#define MANAGE_JSON_READ_H

#include <jansson.h>

#define JSON_READ_DEPTH_MAX 100 /* Docker's bodies are about ten levels deep */

/* As json_loadb(). @p error may be NULL. */
json_t *json_read(const char *text, size_t length, size_t flags, json_error_t *error);

#endif
