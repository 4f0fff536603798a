/* SPDX-License-Identifier: Apache-2.0 */
/* swarm: the front command. Takes the global options and runs a command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <swarm/version.h>

#include "commands.h"
#include "commit.h"
#include "log.h"

static struct option options[] = {
    OPTIONS_GLOBAL,
    {"help, h", OPTION_BOOL, NULL, NULL, "show help"},
    {"version, v", OPTION_BOOL, NULL, NULL, "print the version"},
    {0},
};
static const struct command globals = {.name = "", .options = options};

static const struct {
    const char *name, *letter, *program; /* program: NULL where it runs in this process */
    const struct command *command;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"create", "c", NULL, &create_command, create_run},
    {"list", "l", NULL, &list_command, list_run},
    {"manage", "m", "swarm-manage", NULL, NULL},
    {"join", "j", "swarm-join", NULL, NULL},
    {"token-service", "t", NULL, &token_service_command, token_service_run},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(void)
{
    printf("Usage: swarm [OPTIONS] COMMAND [arg...]\n\n"
           "A Docker-native clustering system\n\n"
           "Version: %s (%s)\n\nOptions:\n",
           SWARM_VERSION, SWARM_GIT_COMMIT);
    options_help_lines(options, "  ");
    fputs("  \nCommands:\n"
          "  create, c\tCreate a cluster\n"
          "  list, l\tList nodes in a cluster\n"
          "  manage, m\tManage a docker cluster\n"
          "  join, j\tJoin a docker cluster\n"
          "  token-service, t\tServe tokens for token:// discovery\n"
          "  help\t\tShows a list of commands or help for one command\n"
          "  \nRun 'swarm COMMAND --help' for more information on a command.\n",
          stdout);
    fflush(stdout);
}

/* Position in the table, COMMANDS for a word that is no command. */
static int find_command(const char *word)
{
    int i = 0;
    while (i < COMMANDS && strcmp(word, commands[i].name) != 0 && strcmp(word, commands[i].letter) != 0)
        i++;
    return i;
}

static int no_such_command(const char *word)
{
    fprintf(stderr, "No help topic for '%s'. Run 'swarm --help' for the commands.\n", word);
    return 1;
}

static int help_run(int argc, char **argv)
{
    char flag[] = "--help", *help[] = {flag, NULL};
    if (argc == 0 || argv[0][0] == '-') {
        print_help();
        return 0;
    }
    int i = find_command(argv[0]);
    if (i == COMMANDS)
        return no_such_command(argv[0]);
    if (commands[i].program)
        return program_run(commands[i].program, &globals, 1, help);
    options_help(commands[i].command, "swarm");
    return 0;
}

static int run_command(int argc, char **argv)
{
    if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "h") == 0)
        return help_run(argc - 1, argv + 1);
    int i = find_command(argv[0]);
    if (i == COMMANDS)
        return no_such_command(argv[0]);
    if (commands[i].program)
        return program_run(commands[i].program, &globals, argc - 1, argv + 1);
    /* These print their results on stdout. */
    log_init(stderr, log_enabled(LOG_LEVEL_DEBUG) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
    return commands[i].run(argc - 1, argv + 1);
}

/* Parse the options before the command; *argc and *argv become what is behind them. */
static void parse_globals(int *argc, char ***argv)
{
    const char **positional;
    size_t count;
    char *error = NULL;
    /* Words before flags are the command and its arguments: what is parsed ends where they begin. */
    int flags = *argc > 0 && (*argv)[0][0] == '-' ? *argc : 0;
    log_init(stderr, LOG_LEVEL_INFO);
    if (options_parse(&globals, flags, *argv, &positional, &count, &error) != 0) {
        puts("Incorrect Usage.\n");
        print_help();
        log_fatal("%s", error ? error : "out of memory");
    }
    free(positional);
    *argv += flags > 0 ? *argc - (int)count : 0;
    *argc = flags > 0 ? (int)count : *argc;
}

int main(int argc, char **argv)
{
    argc--;
    argv++;
    parse_globals(&argc, &argv);
    if (option_find(&globals, "version")->flag) {
        printf("swarm version %s (%s)\n", SWARM_VERSION, SWARM_GIT_COMMIT);
        return 0;
    }
    if (argc == 0 || option_find(&globals, "help")->flag) {
        print_help();
        return 0;
    }
    options_init_log(&globals);
    int status = run_command(argc, argv);
    options_free(&globals);
    return status;
}
