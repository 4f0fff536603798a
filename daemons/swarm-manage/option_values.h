/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options within bounds. 0, or -1 with *reterr new text that names the option. */
#ifndef MANAGE_OPTION_VALUES_H
#define MANAGE_OPTION_VALUES_H

#include <stdint.h>

#include "options.h"

/* "10s" and the like, not negative. */
int option_read_duration(int64_t *ret_ms, const struct command *command, const char *name, char **reterr);
int option_read_number(int *ret, const struct command *command, const char *name, long least, long most, char **reterr);

#endif
