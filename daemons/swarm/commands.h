/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_COMMANDS_H
#define SWARM_COMMANDS_H

#include "options.h"

/* The commands that run in this process; each gets the words behind its name and returns the exit status. */
extern const struct command list_command, create_command, token_service_command;
int list_run(int argc, char **argv);
int create_run(int argc, char **argv);
int token_service_run(int argc, char **argv);

/* Become swarm-manage or swarm-join, found beside this program, else in $PATH. The global options that were given
 * (@p globals) come along; argv[0..argc) are the words behind the command. Returns where there is no such program. */
int program_run(const char *name, const struct command *globals, int argc, char **argv);

/* "2006/01/02 15:04:05 message" on stderr, as these commands say why they fail; always 1. */
int fail_plainly(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
