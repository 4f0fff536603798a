/* SPDX-License-Identifier: Apache-2.0 */
/* swarm create asked a hosted service for a token. The service has ended. */
#include <stdlib.h>

#include "commands.h"

const struct command create_command = {.name = "create", .usage = "Create a cluster"};

int create_run(int argc, char **argv)
{
    const char **positional;
    size_t count;
    char *error = NULL;
    int status = options_parse(&create_command, argc, argv, &positional, &count, &error);
    if (status > 0)
        return 0;
    if (status < 0)
        options_incorrect_usage(&create_command, "swarm", error ? error : "out of memory");
    free(positional);
    if (count > 0)
        return fail_plainly("the `create` command takes no arguments. See 'swarm create --help'.");
    return fail_plainly(
        "the hosted token service (discovery.hub.docker.com) no longer exists. "
        "Use etcd://, consul://, zk://, file:// or nodes:// as <discovery>; these need no `swarm create`.");
}
