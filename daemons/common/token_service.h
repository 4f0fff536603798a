/* SPDX-License-Identifier: Apache-2.0 */
/* Where a token service is, for token:// and `swarm create`. */
#ifndef COMMON_TOKEN_SERVICE_H
#define COMMON_TOKEN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Check a service's address, "http://host:port/v1" or "https://…": its text without a slash at the end, new; NULL with
 * *reterr new text. */
char *token_service_url(const char *text, char **reterr);
/* What $SWARM_TOKEN_SERVICE names, NULL where it names nothing. */
const char *token_service_default(void);
/* Letters and digits only, at most 64. */
bool token_is_valid(const char *token, size_t length);

#endif
