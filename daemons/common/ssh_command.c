/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct arguments {
    const char **items;
    size_t count, capacity;
    bool failed;
};

static void add(struct arguments *arguments, const char *item)
{
    if (arguments->count + 1 >= arguments->capacity) {
        size_t capacity = arguments->capacity * 2 + 32;
        const char **longer = reallocarray(arguments->items, capacity, sizeof *longer);
        if (!longer) {
            arguments->failed = true;
            return;
        }
        arguments->items = longer;
        arguments->capacity = capacity;
    }
    arguments->items[arguments->count++] = item;
    arguments->items[arguments->count] = NULL;
}

static void add_option(struct arguments *arguments, const char *value)
{
    add(arguments, "-o");
    add(arguments, value);
}

/* ssh takes the first value of an option: what sessions are made of comes before the user's options, what is only a
 * better default than ssh's own after them. */
static void add_options(struct arguments *arguments, const struct ssh_address *to, const char *const *options,
                        const char *control)
{
    static const char *const fixed[] = {"BatchMode=yes",      "ControlPersist=no",     "RequestTTY=no",
                                        "RemoteCommand=none", "PermitLocalCommand=no", "ClearAllForwardings=yes",
                                        "ForwardAgent=no",    "ForwardX11=no"};
    static const char *const defaults[] = {"ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        add_option(arguments, fixed[i]);
    add_option(arguments, control);
    for (size_t i = 0; options && options[i]; i++)
        add_option(arguments, options[i]);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        add_option(arguments, defaults[i]);
    if (*to->user) {
        add(arguments, "-l");
        add(arguments, to->user);
    }
    if (*to->port) {
        add(arguments, "-p");
        add(arguments, to->port);
    }
}

/* Takes the arguments. */
static int start(struct arguments *arguments, struct ssh_process *process, int fd)
{
    union {
        const char **from;
        char *const *to; /* execvp() takes them so, and changes none */
    } argv = {arguments->items};
    int result = arguments->failed ? -ENOMEM : ssh_process_start(process, argv.to, fd);
    free(arguments->items);
    return result;
}

static void begin(struct arguments *arguments, const char *master)
{
    add(arguments, "ssh");
    add_option(arguments, master);
}

int ssh_command_connect(struct ssh_process *process, const struct ssh_address *to, const char *const *options,
                        const char *control)
{
    struct arguments arguments = {0};
    char option[160];
    snprintf(option, sizeof option, "ControlPath=%s", control);
    begin(&arguments, "ControlMaster=yes");
    add_options(&arguments, to, options, option);
    add(&arguments, "-N");
    add(&arguments, "--");
    add(&arguments, to->host);
    return start(&arguments, process, -1);
}

int ssh_command_session(struct ssh_process *process, const struct ssh_address *to, const char *const *options,
                        const char *control, int fd)
{
    struct arguments arguments = {0};
    char option[160], engine[sizeof to->path + 8];
    snprintf(option, sizeof option, "ControlPath=%s", control);
    snprintf(engine, sizeof engine, "unix://%s", to->path);
    begin(&arguments, "ControlMaster=no");
    add_options(&arguments, to, options, option);
    add(&arguments, "--");
    add(&arguments, to->host);
    add(&arguments, "docker");
    if (*to->path) {
        add(&arguments, "--host");
        add(&arguments, engine);
    }
    add(&arguments, "system");
    add(&arguments, "dial-stdio");
    return start(&arguments, process, fd);
}
