/* SPDX-License-Identifier: Apache-2.0 */
/* swarm-fake-engines: many Docker engines that are none, for tests and measurements. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "fake_control.h"
#include "fake_engine.h"
#include "log.h"
#include "options.h"

static struct option options[] = {
    {"engines, n", OPTION_INT, "10", NULL, "how many engines"},
    {"first", OPTION_INT, "0", NULL, "number of the first one, where several processes share the engines"},
    {"containers, c", OPTION_INT, "0", NULL, "running containers of each from the beginning"},
    {"address", OPTION_STRING, "127.77.0.1", NULL, "of engine 0; engine N has the address that is N higher"},
    {"port", OPTION_INT, "2375", NULL, "of every engine"},
    {"control", OPTION_STRING, NULL, NULL, "<ip:port> of the control; none without it"},
    {"cpus", OPTION_INT, "8", NULL, "of each engine"},
    {"memory", OPTION_INT, "32", NULL, "GiB of each engine"},
    {"label", OPTION_LIST, NULL, NULL, "<key=value> of each engine; %d in it is the engine's number"},
    {"container-label", OPTION_LIST, NULL, NULL, "<key=value> of each container from the beginning"},
    {"own", OPTION_BOOL, NULL, NULL, "containers from the beginning are a manager's own: each has a swarm id"},
    {"seed", OPTION_INT, "1", NULL, "from which all IDs follow, and what is random"},
    {"addresses", OPTION_STRING, NULL, NULL,
     "<file> that the engines' addresses are written to, for file:// discovery"},
    OPTIONS_GLOBAL,
    {0},
};
static const struct command command = {
    .name = "swarm-fake-engines",
    .usage = "Serve the Docker Engine API as many engines would",
    .options = options,
    .epilogue = "Engines listen before the line \"ready\" is printed. tests/kit/fake_engines.md tells more."};

static struct fake_loop *loop;

static void end(int number)
{
    fake_loop_stop(loop);
}

static long number_of(const char *name, long least, long most)
{
    long number = option_find(&command, name)->number;

    if (number < least || number > most)
        log_fatal("--%s must be between %ld and %ld", name, least, most);
    return number;
}

static struct sockaddr_in address_of(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    char ip[64];

    snprintf(ip, sizeof(ip), "%.*s", colon == NULL ? 0 : (int)(colon - text), text);
    if (colon == NULL || inet_pton(AF_INET, ip, &address.sin_addr) != 1)
        log_fatal("--control must be ip:port, not %s", text);
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    return address;
}

static struct fake_options read_options(void)
{
    struct fake_options read = {
        .seed = (uint64_t)option_find(&command, "seed")->number,
        .engines = (unsigned)number_of("engines", 1, 20000),
        .first = (unsigned)number_of("first", 0, 60000),
        .containers = (unsigned)number_of("containers", 0, 60000),
        .base_address = option_find(&command, "address")->value,
        .port = (unsigned)number_of("port", 1, 65535),
        .cpus = (int)number_of("cpus", 1, 4096),
        .memory = (int64_t)number_of("memory", 1, 1 << 20) << 30,
        .labels = option_find(&command, "label")->list,
        .container_labels = option_find(&command, "container-label")->list,
        .own_swarm_ids = option_find(&command, "own")->flag,
    };
    struct in_addr base;

    if (inet_pton(AF_INET, read.base_address, &base) != 1)
        log_fatal("--address must be an IPv4 address, not %s", read.base_address);
    return read;
}

/* Each engine takes a descriptor, each of its clients one more. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void write_addresses(const struct fake_world *world, const char *path)
{
    FILE *file = fopen(path, "w");

    for (unsigned i = 0; file != NULL && i < world->options.engines; i++)
        fprintf(file, "%s\n", world->engines[i].address);
    if (file == NULL || fclose(file) != 0)
        log_fatal("cannot write %s: %s", path, strerror(errno));
}

static void serve(void)
{
    struct fake_options read = read_options();
    const char *control = option_find(&command, "control")->value, *path = option_find(&command, "addresses")->value;
    struct fake_world *world;

    raise_limit();
    loop = fake_loop_new();
    world = fake_world_new(loop, &read);
    if (control != NULL && control[0] != '\0') {
        struct sockaddr_in address = address_of(control);
        int error = fake_control_open(world, &address);

        if (error != 0)
            log_fatal("cannot listen on %s: %s", control, strerror(error));
    }
    if (path != NULL && path[0] != '\0')
        write_addresses(world, path);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, end);
    signal(SIGINT, end);
    printf("ready\n");
    fflush(stdout);
    fake_loop_run(loop);
    fake_world_free(world);
    fake_loop_free(loop);
}

int main(int argc, char **argv)
{
    const char **positional;
    size_t count;
    char *error = NULL;
    int status;

    log_init(stderr, LOG_LEVEL_INFO);
    status = options_parse(&command, argc - 1, argv + 1, &positional, &count, &error);
    if (status > 0)
        return 0;
    if (status < 0)
        options_incorrect_usage(&command, "swarm-fake-engines", error ? error : "out of memory");
    serve();
    free(positional);
    options_free(&command);
    return 0;
}
