/* SPDX-License-Identifier: Apache-2.0 */
/* swarm-join: announce a Docker engine to a discovery service. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <swarm/version.h>

#include "agent.h"
#include "commit.h"
#include "http_client.h"
#include "log.h"
#include "options.h"

static struct option options[] = {
    {"advertise, addr", OPTION_STRING, NULL, "SWARM_ADVERTISE",
     "Address of the Docker Engine joining the cluster. Swarm manager(s) MUST be able to reach the Docker Engine at "
     "this address."},
    {"heartbeat", OPTION_STRING, "60s", NULL, "period between each heartbeat"},
    {"ttl", OPTION_STRING, "180s", NULL, "set the expiration of an ephemeral node"},
    {"delay", OPTION_STRING, "0s", NULL, "add a random delay in [0s,delay] to avoid synchronized registration"},
    {"discovery-opt", OPTION_LIST, NULL, NULL, "discovery options"},
    OPTIONS_GLOBAL,
    {"version, v", OPTION_BOOL, NULL, NULL, "print the version"},
    {0},
};
static const struct command command = {
    .name = "join", .usage = "Join a docker cluster", .arguments = "<discovery>", .options = options};

static int64_t duration_option(const char *name)
{
    int64_t ns = 0;
    char *error = NULL;
    if (duration_parse(&ns, option_find(&command, name)->value, &error) != 0)
        log_fatal("invalid --%s: %s", name, error ? error : "out of memory");
    return ns;
}

static int to_ms(int64_t ns)
{
    int64_t ms = ns / 1000000;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* The options are checked in this order, and the first mistake ends the program. */
static void configure(struct agent *agent, const char *url)
{
    char *error = NULL;
    if (!url)
        log_fatal("discovery required to join a cluster. See 'swarm join --help'.");
    agent->url = url;
    agent->address = option_find(&command, "advertise")->value;
    if (*agent->address == '\0')
        log_fatal("missing mandatory --advertise flag");
    if (!discovery_may_announce(agent->address))
        log_fatal("--advertise should be of the form ip:port or hostname:port, or ssh://[user@]host[:port][/path]");
    agent->delay_ns = duration_option("delay");
    if (agent->delay_ns < 0)
        log_fatal("--delay should not be a negative number");
    agent->heartbeat_ns = duration_option("heartbeat");
    if (agent->heartbeat_ns < 1000000000)
        log_fatal("--heartbeat should be at least one second");
    int64_t ttl_ns = duration_option("ttl");
    if (ttl_ns <= agent->heartbeat_ns)
        log_fatal("--ttl must be strictly superior to the heartbeat value");
    struct discovery_options discovery = {.url = url,
                                          .settings = option_find(&command, "discovery-opt")->list,
                                          .heartbeat_ms = to_ms(agent->heartbeat_ns),
                                          .ttl_ms = to_ms(ttl_ns)};
    if (discovery_new(&agent->discovery, &discovery, &error) != 0)
        log_fatal("%s", error ? error : "out of memory");
}

static void announce(const char *url)
{
    struct agent agent = {0};
    agent_block_signals();
    if (http_client_global_init() != 0)
        log_fatal("libcurl does not start");
    configure(&agent, url);
    agent_run(&agent);
    discovery_free(agent.discovery);
}

int main(int argc, char **argv)
{
    const char **positional;
    size_t count;
    char *error = NULL;
    log_init(stdout, LOG_LEVEL_INFO);
    int status = options_parse(&command, argc - 1, argv + 1, &positional, &count, &error);
    if (status > 0)
        return 0;
    if (status < 0)
        options_incorrect_usage(&command, "swarm", error ? error : "out of memory");
    options_init_log(&command);
    if (option_find(&command, "version")->flag)
        printf("swarm-join version %s (%s)\n", SWARM_VERSION, SWARM_GIT_COMMIT);
    else
        announce(options_discovery(positional, count));
    free(positional);
    options_free(&command);
    return 0;
}
