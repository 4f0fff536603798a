/* SPDX-License-Identifier: Apache-2.0 */
#include "http_options.h"

#include <limits.h>
#include <stdio.h>

#include "option_values.h"

#define CONNECTIONS_MOST 1000000

/* A time that something may take: some. */
static int read_time(int *ret_ms, const struct command *command, const char *name, char **reterr)
{
    int64_t ms;

    if (option_read_duration(&ms, command, name, reterr) < 0)
        return -1;
    if (ms >= 1) {
        *ret_ms = ms > INT_MAX ? INT_MAX : (int)ms;
        return 0;
    }
    if (asprintf(reterr, "invalid --%s: it should be at least a millisecond", name) < 0)
        *reterr = NULL;
    return -1;
}

int http_options_read(struct http_limits *ret, const struct command *command, char **reterr)
{
    struct http_limits read;

    if (option_read_number(&read.connections, command, "http-connections", 0, CONNECTIONS_MOST, reterr) < 0 ||
        read_time(&read.head_timeout_ms, command, "http-head-timeout", reterr) < 0 ||
        read_time(&read.body_timeout_ms, command, "http-body-timeout", reterr) < 0 ||
        read_time(&read.idle_timeout_ms, command, "http-idle-timeout", reterr) < 0)
        return -1;
    *ret = read;
    return 0;
}
