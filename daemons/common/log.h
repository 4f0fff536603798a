/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines in the shape that classic Swarm's users know: logfmt (time= level= msg= …) on a file or pipe,
 * "INFO[0042] message  key=value" on a terminal. Any thread may log. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level { LOG_LEVEL_PANIC, LOG_LEVEL_FATAL, LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
    const char *key;
    const char *value;
};
/* Fields of a line, for the _with calls: LOG_FIELDS({"name", name}, {"id", id}). Printed sorted by key. */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, NULL}})

/* 0, or -1 for a word that is no level. */
int log_level_parse(const char *word, enum log_level *ret_level);
/* Where lines go and from which level on; called once before the first thread starts. Default: stdout, info. */
void log_init(FILE *to, enum log_level level);
bool log_enabled(enum log_level level);

void log_line(enum log_level level, const struct log_field *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, NULL, __VA_ARGS__)
#define log_error(...) log_line(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_info_with(fields, ...) log_line(LOG_LEVEL_INFO, fields, __VA_ARGS__)
#define log_warn_with(fields, ...) log_line(LOG_LEVEL_WARN, fields, __VA_ARGS__)
#define log_error_with(fields, ...) log_line(LOG_LEVEL_ERROR, fields, __VA_ARGS__)
#define log_debug_with(fields, ...) log_line(LOG_LEVEL_DEBUG, fields, __VA_ARGS__)
/* Logs at level fatal and ends the process with status 1. */
void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
