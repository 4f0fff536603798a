/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void kit_check_at(bool holds, const char *condition, const char *file, int line)
{
    if (!holds)
        kit_give_up("%s:%d: does not hold: %s", file, line, condition);
}

void kit_give_up(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(99);
}
