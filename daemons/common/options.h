/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines as classic Swarm takes them: -x, --x, -x=v, --x v; defaults, environment, lists. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind { OPTION_BOOL, OPTION_STRING, OPTION_INT, OPTION_LIST };

/* One option. The table of a command ends with names == NULL. Zero everything below "result". */
struct option {
    const char *names; /* "host, H" or "advertise, addr": first the long one as shown */
    enum option_kind kind;
    const char *default_value; /* for lists: comma separated */
    const char *environment;   /* variable, NULL: none */
    const char *usage;         /* NULL: left out of the help */
    /* result */
    bool given; /* on the command line */
    bool flag;
    long number;
    const char *value;
    const char **list; /* NULL-ended */
    size_t count;
};

struct command {
    const char *name;      /* "manage" */
    const char *usage;     /* "Manage a docker cluster" */
    const char *arguments; /* "<discovery>", NULL: none */
    struct option *options;
    const char *epilogue; /* lines after the options, NULL: none */
};

/* Parse argv[0..argc): positionals are left in order in *ret_positional (borrowed from argv, array owned).
 * 0; 1 where --help was asked for (printed); -1 with *reterr new text ("flag provided but not defined: -bogus"). */
int options_parse(const struct command *command, int argc, char **argv, const char ***ret_positional, size_t *ret_count,
                  char **reterr);
/* By any of its names. */
struct option *option_find(const struct command *command, const char *name);
void options_free(const struct command *command);
/* The command's help on stdout. @p program is "swarm". */
void options_help(const struct command *command, const char *program);
/* Only the lines of the options, each behind @p indent. */
void options_help_lines(const struct option *options, const char *indent);
/* "Incorrect Usage." and the help on stdout, then @p message as fatal line: ends the process with status 1. */
void options_incorrect_usage(const struct command *command, const char *program, const char *message)
    __attribute__((noreturn));

/* The options that stand before the command ("swarm --debug manage"), for the tables of swarm, swarm-manage,
 * swarm-join. */
#define OPTIONS_GLOBAL                                                                                                 \
    {"debug", OPTION_BOOL, NULL, "DEBUG", "debug mode"},                                                               \
        {"log-level, l", OPTION_STRING, "info", NULL, "Log level (options: debug, info, warn, error, fatal, panic)"},  \
    {                                                                                                                  \
        "experimental", OPTION_BOOL, NULL, NULL, "enable experimental features"                                        \
    }
/* Log to stdout from the level that --log-level and --debug of a parsed table ask for; a bad word is fatal. */
void options_init_log(const struct command *command);

/* The one positional, else $SWARM_DISCOVERY, else NULL. */
const char *options_discovery(const char *const *positional, size_t count);

/* Go durations: "1m30s", "200ms", "0". 0, or -1 with *reterr new text `time: invalid duration "x"`. */
int duration_parse(int64_t *ret_ns, const char *text, char **reterr);
/* "1m0s", "1.5s" into @p buffer. */
void duration_format(char *buffer, size_t size, int64_t ns);

#endif
