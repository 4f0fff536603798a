/* SPDX-License-Identifier: Apache-2.0 */
/* bench-load: what a manager takes over many fake engines, operation by operation. */
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_client.h"
#include "load_measures.h"
#include "measure.h"

#define SIZES_MAX 16

struct arguments {
    unsigned engines[SIZES_MAX], containers[SIZES_MAX], concurrency[SIZES_MAX];
    size_t engine_count, container_count, concurrency_count;
    unsigned operations, idle_s;
    const char *only;
    bool json, own;
};

static const char help[] =
    "Usage: bench-load [options]\n"
    "Measure swarm-manage over fake engines on loopback: processor time of the manager alone per operation, and how\n"
    "long operations take; exits with 1 where one fails, the lists differ, or the"
    " manager does not end well. A '!' marks a target that is missed at "
    "1,000 engines with 30 containers.\n"
    "  --engines N,…       how many engines (10,100,1000)\n"
    "  --containers N,…    containers of each (30)\n"
    "  --concurrency N,…   requests at once (1,64)\n"
    "  --operations N      creates of each kind; other operations a multiple of it (300)\n"
    "  --idle SECONDS      how long the manager is watched at rest (30)\n"
    "  --only NAME         measure only those whose names begin so; start-up is always measured\n"
    "  --own               containers are a manager's own, as after its restart\n"
    "  --json              a JSON object a line instead of the table\n"
    "  --fakes PROGRAM     swarm-fake-engines (beside this program: ../kit/)\n"
    "  --manage PROGRAM    swarm-manage (beside this program: ../../daemons/swarm-manage/)\n"
    "  --help\n";

static void usage_error(const char *what)
{
    fprintf(stderr, "bench-load: %s; see --help\n", what);
    exit(2);
}

static size_t read_list(const char *text, unsigned list[SIZES_MAX])
{
    size_t count = 0;

    while (*text != '\0') {
        char *end;
        unsigned long number = strtoul(text, &end, 10);

        if (end == text || number > 60000 || count == SIZES_MAX || (*end != ',' && *end != '\0'))
            usage_error("a list of numbers is expected");
        list[count++] = (unsigned)number;
        text = end + (*end == ',');
    }
    return count;
}

static void read_arguments(int argc, char **argv, struct arguments *read, struct load_world *world)
{
    static const struct option options[] = {
        {"engines", required_argument, NULL, 'n'},
        {"containers", required_argument, NULL, 'c'},
        {"concurrency", required_argument, NULL, 'p'},
        {"operations", required_argument, NULL, 'o'},
        {"idle", required_argument, NULL, 'i'},
        {"only", required_argument, NULL, 'y'},
        {"own", no_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},
        {"fakes", required_argument, NULL, 'f'},
        {"manage", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int which;

    read->engine_count = read_list("10,100,1000", read->engines);
    read->container_count = read_list("30", read->containers);
    read->concurrency_count = read_list("1,64", read->concurrency);
    while ((which = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (which) {
        case 'n':
            read->engine_count = read_list(optarg, read->engines);
            break;
        case 'c':
            read->container_count = read_list(optarg, read->containers);
            break;
        case 'p':
            read->concurrency_count = read_list(optarg, read->concurrency);
            break;
        case 'o':
            read->operations = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'i':
            read->idle_s = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'y':
            read->only = optarg;
            break;
        case 'w':
            read->own = true;
            break;
        case 'j':
            read->json = true;
            break;
        case 'f':
            world->fake_program = optarg;
            break;
        case 'm':
            world->manage_program = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            usage_error("unknown option");
        }
    }
    if (optind < argc || read->operations == 0)
        usage_error("too many arguments, or no operations");
}

/* --- what comes out --- */

static void print_row(const struct arguments *given, const struct load_world *world, const struct load_row *row)
{
    bool at_target = world->engines == 1000 && world->containers == 30;

    if (given->json) {
        printf("{\"engines\":%u,\"containers\":%u,\"own\":%s,\"what\":\"%s\",\"concurrency\":%u,\"operations\":%zu,"
               "\"errors\":%zu,\"cpu_us\":%.1f,\"wall_ms\":%.2f,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,"
               "\"first_byte_ms\":%.3f,\"rate\":%.1f,\"rss_kib\":%ld,\"descriptors\":%ld,\"threads\":%ld,"
               "\"load\":%.2f,\"target\":%.1f,\"missed\":%s}\n",
               world->engines, world->containers, world->own ? "true" : "false", row->what, row->concurrency,
               row->operations, row->errors, row->cpu_us, row->wall_ms, row->p50_ms, row->p90_ms, row->p99_ms,
               row->first_ms, row->rate, row->process.rss_kib, row->process.descriptors, row->process.threads,
               machine_load(), row->target, at_target && row->missed ? "true" : "false");
    } else {
        printf("%6u x %-4u %-28s %4u %7zu %6zu %11.1f %10.2f %9.3f %9.3f %9.1f %8ld %6ld %6ld %s%s\n", world->engines,
               world->containers, row->what, row->concurrency, row->operations, row->errors, row->cpu_us, row->wall_ms,
               row->p50_ms, row->p99_ms, row->rate, row->process.rss_kib, row->process.descriptors,
               row->process.threads, at_target && row->missed ? "! " : "",
               at_target && row->note != NULL ? row->note : "");
    }
    fflush(stdout);
}

/* An operation went wrong, or the lists differ; events that come late are a figure. */
static bool failed;

static void finish_row(const struct arguments *given, const struct load_world *world, struct load_row *row)
{
    failed = failed || (row->errors > 0 && strncmp(row->what, "events", 6) != 0);
    row->process = load_process_of(world);
    print_row(given, world, row);
}

static void want(struct load_row *row, double value, double target, const char *note)
{
    row->target = target;
    row->missed = row->missed || row->errors > 0 || value > target;
    row->note = note;
}

static bool wanted(const struct arguments *given, const char *what)
{
    return given->only == NULL || strncmp(what, given->only, strlen(given->only)) == 0;
}

/* --- one size --- */

static void measure_start(const struct arguments *given, struct load_world *world)
{
    struct load_row row = {.what = given->own ? "start, own containers" : "start", .concurrency = 1, .operations = 1};
    int64_t ns, cpu_ns;

    load_manager_start(world, &ns, &cpu_ns);
    row.cpu_us = (double)cpu_ns / 1000;
    row.wall_ms = (double)ns / 1e6;
    want(&row, row.wall_ms, 2000, "2 s wall, 2 s CPU");
    row.missed = row.missed || row.cpu_us > 2e6;
    finish_row(given, world, &row);
}

static void measure_requests(const struct arguments *given, struct load_world *world, struct load_ids *ids)
{
    static const struct {
        const char *what;
        enum load_kind kind;
        unsigned factor_tenth; /* of --operations */
        double target;         /* CPU us an operation */
        const char *note;
    } kinds[] = {
        {"create+start", LOAD_CREATE, 10, 600, "600 us CPU"},
        {"create+start constraint", LOAD_CREATE_CONSTRAINT, 10, 600, "600 us CPU"},
        {"create+start memory", LOAD_CREATE_MEMORY, 10, 600, "600 us CPU"},
        {"inspect id", LOAD_INSPECT, 50, 120, "120 us CPU"},
        {"inspect short id", LOAD_INSPECT_SHORT, 50, 120, "120 us CPU"},
        {"inspect name", LOAD_INSPECT_NAME, 50, 120, "120 us CPU"},
        {"logs", LOAD_LOGS, 50, 90, "90 us CPU"},
        {"info", LOAD_INFO, 1, 2000, "2 ms CPU"},
        {"ping", LOAD_PING, 50, 0, ""},
        {"list", LOAD_LIST, 1, 35000, "35 ms CPU, first byte 5 ms"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (size_t j = 0; j < given->concurrency_count && wanted(given, kinds[i].what); j++) {
            struct load_row row = {.what = kinds[i].what, .concurrency = given->concurrency[j]};
            size_t count = (size_t)given->operations * kinds[i].factor_tenth / 10;

            if (kinds[i].kind == LOAD_LIST && row.concurrency > 4)
                continue; /* each holds all of it */
            load_run(world, kinds[i].kind, ids, count < 10 ? 10 : count, &row);
            if (kinds[i].target > 0)
                want(&row, row.cpu_us, kinds[i].target, kinds[i].note);
            if (kinds[i].kind == LOAD_LIST)
                row.missed = row.missed || (row.concurrency == 1 && row.first_ms > 5);
            finish_row(given, world, &row);
        }
    }
}

static void measure_rest(const struct arguments *given, struct load_world *world)
{
    if (wanted(given, "check")) {
        struct load_row row = {.what = "check", .concurrency = 1, .operations = 1, .note = ""};

        load_check(world, &row);
        row.missed = row.errors > 0;
        finish_row(given, world, &row);
    }
    if (wanted(given, "events")) {
        struct load_row row = {.what = "events 2000/s to 100", .concurrency = 100};

        load_events(world, 100, 2000, 5, &row);
        want(&row, row.p99_ms, 100, "all delivered, lag p99 100 ms");
        finish_row(given, world, &row);
    }
    if (wanted(given, "fail-over")) {
        struct load_row row = {.what = "fail-over of 100", .concurrency = 1, .operations = 100};

        load_fail_over(world, 100, &row);
        want(&row, row.wall_ms, 2500, "2.5 s");
        finish_row(given, world, &row);
    }
    if (wanted(given, "idle") && given->idle_s > 0) {
        struct load_row row = {.what = "idle, per second", .concurrency = 1, .operations = given->idle_s};
        int64_t begin;

        poll(NULL, 0, 2000); /* what was before has been seen to */
        begin = load_cpu_ns(world);
        poll(NULL, 0, (int)given->idle_s * 1000);
        row.cpu_us = (double)(load_cpu_ns(world) - begin) / 1000 / given->idle_s;
        row.wall_ms = given->idle_s * 1000.0;
        want(&row, row.cpu_us, 6000, "0.6 % of a core");
        finish_row(given, world, &row);
    }
}

static void measure_size(const struct arguments *given, struct load_world *world, unsigned engines, unsigned containers)
{
    struct load_ids ids = {0};

    world->engines = engines;
    world->containers = containers;
    world->own = given->own;
    load_world_start(world);
    measure_start(given, world);
    load_ids_take(world, &ids);
    measure_requests(given, world, &ids);
    measure_rest(given, world);
    load_ids_free(&ids);
    failed = !load_world_stop(world) || failed;
}

int main(int argc, char **argv)
{
    struct arguments given = {.operations = 300, .idle_s = 30};
    struct load_world world = {0};
    char fakes[4096], manage[4096], self[2048];

    snprintf(self, sizeof(self), "%s", argv[0]);
    snprintf(fakes, sizeof(fakes), "%s/../kit/swarm-fake-engines", dirname(self));
    snprintf(manage, sizeof(manage), "%s/../../daemons/swarm-manage/swarm-manage", self);
    world.fake_program = fakes;
    world.manage_program = manage;
    read_arguments(argc, argv, &given, &world);
    if (!given.json)
        printf("load %.2f\n%13s %-28s %4s %7s %6s %11s %10s %9s %9s %9s %8s %6s %6s target\n", machine_load(),
               "engines x c", "what", "at", "ops", "errors", "CPU us/op", "wall ms", "p50 ms", "p99 ms", "/s",
               "RSS KiB", "files", "thrds");
    for (size_t i = 0; i < given.engine_count; i++) {
        for (size_t j = 0; j < given.container_count; j++)
            measure_size(&given, &world, given.engines[i], given.containers[j]);
    }
    return failed;
}
