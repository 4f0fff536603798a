/* SPDX-License-Identifier: Apache-2.0 */
/* The help of a command, laid out as classic Swarm's: one option a line, columns aligned with tabs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "options.h"

enum { TAB = 8, LEFT_MAX = 256 };

static const char discovery_arguments[] = "Arguments:\n"
                                          "   <discovery>    discovery service to use [$SWARM_DISCOVERY]\n"
                                          "                   * consul://<ip>/<path>\n"
                                          "                   * etcd://<ip1>,<ip2>/<path>\n"
                                          "                   * file://path/to/file\n"
                                          "                   * token://<token>\n"
                                          "                   * zk://<ip1>,<ip2>/<path>\n"
                                          "                   * [nodes://]<ip1>,<ip2>\n\n";

/* "--host, -H" of "host, H", with what stands behind a list's or a scalar's name. */
static size_t left_text(char *buffer, const struct option *option)
{
    FILE *to = fmemopen(buffer, LEFT_MAX, "w");
    if (!to)
        return 0;
    int first = (int)strcspn(option->names, ",");
    for (const char *name = option->names; *name;) {
        int length = (int)strcspn(name, ",");
        fprintf(to, "%s%s%.*s", name == option->names ? "" : ", ", length == 1 ? "-" : "--", length, name);
        name += length + (name[length] == ',');
        name += strspn(name, " ");
    }
    if (option->kind == OPTION_LIST)
        fprintf(to, " [--%.*s option --%.*s option]", first, option->names, first, option->names);
    else if (option->kind != OPTION_BOOL && option->default_value && *option->default_value)
        fprintf(to, " \"%s\"", option->default_value);
    fclose(to);
    buffer[LEFT_MAX - 1] = '\0';
    return strlen(buffer);
}

static void print_line(const char *indent, const char *left, size_t width, const struct option *option)
{
    printf("%s%s", indent, left);
    for (size_t at = strlen(indent) + strlen(left); at < width; at = (at / TAB + 1) * TAB)
        putchar('\t');
    printf("%s", option->usage);
    if (option->environment)
        printf(" [$%s]", option->environment);
    putchar('\n');
}

void options_help_lines(const struct option *options, const char *indent)
{
    char left[LEFT_MAX];
    size_t width = 0;
    for (const struct option *option = options; option && option->names; option++) {
        size_t length = option->usage ? strlen(indent) + left_text(left, option) + 1 : 0;
        width = length > width ? length : width;
    }
    width = (width + TAB - 1) / TAB * TAB;
    for (const struct option *option = options; option && option->names; option++) {
        if (!option->usage)
            continue;
        left_text(left, option);
        print_line(indent, left, width, option);
    }
}

void options_help(const struct command *command, const char *program)
{
    bool has_options = command->options && command->options->names;
    printf("Usage: %s %s%s%s%s\n\n%s\n\n", program, command->name, has_options ? " [OPTIONS]" : "",
           command->arguments ? " " : "", command->arguments ? command->arguments : "", command->usage);
    if (command->arguments)
        fputs(discovery_arguments, stdout);
    if (has_options) {
        puts("Options:");
        options_help_lines(command->options, "   ");
    }
    if (command->epilogue)
        printf("%s\n", command->epilogue);
    fflush(stdout);
}

void options_incorrect_usage(const struct command *command, const char *program, const char *message)
{
    puts("Incorrect Usage.\n");
    options_help(command, program);
    log_fatal("%s", message);
}
