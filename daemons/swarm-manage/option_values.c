/* SPDX-License-Identifier: Apache-2.0 */
#include "option_values.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int refuse(char **reterr, const char *name, const char *what)
{
    if (asprintf(reterr, "invalid --%s: %s", name, what) < 0)
        *reterr = NULL;
    return -1;
}

int option_read_duration(int64_t *ret_ms, const struct command *command, const char *name, char **reterr)
{
    const char *text = option_find(command, name)->value;
    char *why = NULL;
    int64_t ns;

    if (duration_parse(&ns, text == NULL ? "" : text, &why) < 0) {
        refuse(reterr, name, why == NULL ? "out of memory" : why);
        free(why);
        return -1;
    }
    if (ns < 0)
        return refuse(reterr, name, "it should not be negative");
    *ret_ms = ns / 1000000;
    return 0;
}

int option_read_number(int *ret, const struct command *command, const char *name, long least, long most, char **reterr)
{
    long number = option_find(command, name)->number;
    char text[64];

    if (number < least || number > most) {
        if (most == INT_MAX)
            snprintf(text, sizeof(text), "%ld, a number from %ld on is expected", number, least);
        else
            snprintf(text, sizeof(text), "%ld, a number from %ld to %ld is expected", number, least, most);
        return refuse(reterr, name, text);
    }
    *ret = (int)number;
    return 0;
}
