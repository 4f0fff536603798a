/* SPDX-License-Identifier: Apache-2.0 */
#include "load_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load_client.h"

#define PATIENCE_S 600
#define PORT 23750
#define QUIET_MS 50
#define QUIET_SAMPLES 5

/* --- processes --- */

static pid_t spawn(const char *const *arguments, const char *log, int out)
{
    pid_t pid = fork();

    if (pid == 0) {
        int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

        dup2(out < 0 ? file : out, STDOUT_FILENO);
        dup2(file, STDERR_FILENO);
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    if (pid < 0)
        load_give_up("cannot start %s", arguments[0]);
    return pid;
}

/* False where it does not end well: a crash at the end is one, too. */
static bool end(pid_t *pid, const char *what)
{
    int status = 0;

    if (*pid > 0) {
        kill(*pid, SIGTERM);
        waitpid(*pid, &status, 0);
    }
    *pid = 0;
    if (status != 0)
        fprintf(stderr, "%s ended with %s %d\n", what, WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return status == 0;
}

void load_control(const struct load_world *world, unsigned engine, char address[32])
{
    snprintf(address, 32, "%s:%u", world->host, PORT + 10 + engine / LOAD_SHARE);
}

static void start_fake(struct load_world *world, unsigned number)
{
    unsigned first = number * LOAD_SHARE;
    char engines[16], begin[16], containers[16], port[16], control[32], addresses[96], log[96], line[16];
    const char *arguments[] = {world->fake_program,
                               "--engines",
                               engines,
                               "--first",
                               begin,
                               "--containers",
                               containers,
                               "--address",
                               world->base,
                               "--port",
                               port,
                               "--control",
                               control,
                               "--addresses",
                               addresses,
                               world->own ? "--own" : NULL,
                               NULL};
    int pipe_ends[2];

    snprintf(engines, sizeof(engines), "%u", world->engines - first < LOAD_SHARE ? world->engines - first : LOAD_SHARE);
    snprintf(begin, sizeof(begin), "%u", first);
    snprintf(containers, sizeof(containers), "%u", world->containers);
    snprintf(port, sizeof(port), "%d", PORT);
    load_control(world, first, control);
    snprintf(addresses, sizeof(addresses), "%s/part-%u", world->folder, number);
    snprintf(log, sizeof(log), "%s/fake.log", world->folder);
    if (pipe(pipe_ends) != 0)
        load_give_up("no pipe");
    world->fakes[number] = spawn(arguments, log, pipe_ends[1]);
    close(pipe_ends[1]);
    if (read(pipe_ends[0], line, sizeof(line)) <= 0)
        load_give_up("the fake engines do not start, see %s", log);
    close(pipe_ends[0]);
}

static void join_addresses(const struct load_world *world)
{
    char path[96], line[64];
    FILE *pool, *part;

    snprintf(path, sizeof(path), "%s/pool", world->folder);
    pool = fopen(path, "w");
    for (unsigned i = 0; pool != NULL && i < world->fake_count; i++) {
        snprintf(path, sizeof(path), "%s/part-%u", world->folder, i);
        part = fopen(path, "r");
        while (part != NULL && fgets(line, sizeof(line), part) != NULL)
            fputs(line, pool);
        if (part != NULL)
            fclose(part);
    }
    if (pool == NULL || fclose(pool) != 0)
        load_give_up("cannot write %s", path);
}

void load_world_start(struct load_world *world)
{
    int pid = (int)getpid();
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    snprintf(world->folder, sizeof(world->folder), "/tmp/bench-load.XXXXXX");
    if (mkdtemp(world->folder) == NULL)
        load_give_up("cannot make %s", world->folder);
    /* Several may run at once. */
    snprintf(world->host, sizeof(world->host), "127.%d.%d.1", 64 + pid % 60, pid / 60 % 4 * 50);
    snprintf(world->base, sizeof(world->base), "127.%d.%d.2", 64 + pid % 60, pid / 60 % 4 * 50);
    snprintf(world->manager, sizeof(world->manager), "%s:%d", world->host, PORT + 1);
    world->fake_count = (world->engines + LOAD_SHARE - 1) / LOAD_SHARE;
    for (unsigned i = 0; i < world->fake_count; i++)
        start_fake(world, i);
    join_addresses(world);
}

/* A number of their controls' /stats, over all processes of fake engines. */
static long sum_of(const struct load_world *world, const char *key)
{
    long sum = 0;

    for (unsigned i = 0; i < world->fake_count; i++) {
        struct load_client client;
        struct load_answer answer;
        char control[32];
        const char *at;

        load_control(world, i * LOAD_SHARE, control);
        load_client_init(&client, control);
        answer = load_call(&client, "GET", "/stats", NULL, 1);
        at = answer.status == 200 ? strstr(answer.body, key) : NULL;
        if (at == NULL)
            load_give_up("the fake engines do not answer");
        sum += atol(at + strlen(key));
        free(answer.body);
        load_client_close(&client);
    }
    return sum;
}

/* How many engines /info calls healthy; -1: it does not answer. */
static long healthy(struct load_client *client)
{
    struct load_answer answer = load_call(client, "GET", "/info", NULL, 1);
    const char *at = answer.status == 200 ? answer.body : NULL;
    long count = at == NULL ? -1 : 0;

    while (at != NULL && (at = strstr(at, "\"Healthy\"")) != NULL) {
        count++;
        at++;
    }
    free(answer.body);
    return count;
}

/* Wait until the engines are asked no more than they are at rest. The manager is not asked: that is a load, too. */
static void await_quiet(const struct load_world *world)
{
    long requests = 0, before;
    unsigned quiet = 0;

    while (quiet < QUIET_SAMPLES) {
        before = requests;
        poll(NULL, 0, QUIET_MS);
        requests = sum_of(world, "\"requests\":");
        quiet = before > 0 && requests - before <= 1 + (long)world->engines / 20 ? quiet + 1 : 0;
    }
}

void load_manager_start(struct load_world *world, int64_t *ret_ns, int64_t *ret_cpu_ns)
{
    char listen[48], discovery[96], log[96];
    const char *arguments[] = {world->manage_program, "-H", listen, "--state-dir", "none", discovery, NULL};
    struct load_client client;
    int64_t begin = load_now_ns();

    snprintf(listen, sizeof(listen), "tcp://%s", world->manager);
    snprintf(discovery, sizeof(discovery), "file://%s/pool", world->folder);
    snprintf(log, sizeof(log), "%s/manage.log", world->folder);
    world->manage = spawn(arguments, log, -1);
    load_client_init(&client, world->manager);
    do {
        if (load_now_ns() - begin > PATIENCE_S * INT64_C(1000000000))
            load_give_up("not all engines become healthy, see %s", log);
        await_quiet(world);
        *ret_ns = load_now_ns() - begin - QUIET_SAMPLES * QUIET_MS * INT64_C(1000000);
        *ret_cpu_ns = load_cpu_ns(world);
    } while (healthy(&client) != (long)world->engines);
    load_client_close(&client);
}

bool load_world_stop(struct load_world *world)
{
    bool well = end(&world->manage, "the manager");
    char command[128];

    for (unsigned i = 0; i < world->fake_count; i++)
        well = end(&world->fakes[i], "a process of fake engines") && well;
    snprintf(command, sizeof(command), "rm -rf '%s'", world->folder);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", world->folder);
    return well;
}

/* --- what they say and take --- */

int64_t load_cpu_ns(const struct load_world *world)
{
    struct timespec time;
    clockid_t clock;

    if (clock_getcpuclockid(world->manage, &clock) != 0 || clock_gettime(clock, &time) != 0)
        load_give_up("the manager is gone, see %s", world->folder);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static long status_field(const struct load_world *world, const char *name)
{
    char path[64], line[256];
    long value = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)world->manage);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            value = atol(line + strlen(name));
    }
    if (file != NULL)
        fclose(file);
    return value;
}

struct load_process load_process_of(const struct load_world *world)
{
    struct load_process process = {.cpu_ns = load_cpu_ns(world),
                                   .rss_kib = status_field(world, "VmRSS:"),
                                   .threads = status_field(world, "Threads:")};
    char path[64];
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)world->manage);
    folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL)
        process.descriptors++;
    if (folder != NULL)
        closedir(folder);
    process.descriptors -= 2;
    return process;
}

long load_running(const struct load_world *world)
{
    return sum_of(world, "\"running\":");
}

void load_fault(const struct load_world *world, unsigned engine, const char *order)
{
    struct load_client client;
    struct load_answer answer;
    char control[32], path[64];

    load_control(world, engine, control);
    load_client_init(&client, control);
    snprintf(path, sizeof(path), "/engines/%u/fault", engine);
    answer = load_call(&client, "POST", path, order, 0);
    if (answer.status != 204)
        load_give_up("the fake engines refuse %s: %d", order, answer.status);
    load_client_close(&client);
}
