/* SPDX-License-Identifier: Apache-2.0 */
/* A million containers, each with CPU and memory, placed and committed one by one over 5,000 nodes. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "pool.h"

#define TARGET_SECONDS 10.0 /* for the default sizes */
#define MILLION 1000000
#define NODES 5000

/* A request of its own for each, as a manager has it. */
static struct swarm_request *new_request(size_t number)
{
    struct swarm_error *error = NULL;
    struct swarm_request *request;
    must(swarm_request_new(&request, &error), error);
    int64_t size = 1 + (int64_t)(number % 8);
    must(swarm_request_set_cpus_milli(request, size * 25, &error), error);
    must(swarm_request_set_memory(request, size << 26, &error), error);
    return request;
}

static void place_one(struct swarm_scheduler *scheduler, struct swarm_cluster *cluster, size_t number)
{
    struct swarm_error *error = NULL;
    struct swarm_request *request = new_request(number);
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.seed = number;
    struct swarm_reservation *place;
    must(swarm_scheduler_place(scheduler, cluster, request, &options, &place, &error), error);
    char id[POOL_ID_LENGTH + 1];
    pool_id(id, number);
    must(swarm_reservation_commit(place, id, NULL, &error), error);
    swarm_request_unref(request);
}

struct result {
    size_t nodes;
    size_t containers;
    const char *strategy;
    double seconds;   /* that passed */
    double processor; /* seconds of the processor: what the target is about, as the machine may do other things */
    double bytes;     /* a container, of which its id, the only text it has, is POOL_ID_LENGTH + 1 */
};

static void print_result(const struct result *result, bool json)
{
    bool target = result->nodes == NODES && result->containers == MILLION;
    bool met = result->processor < TARGET_SECONDS;
    double each = result->processor * 1e6 / (double)result->containers;
    if (json)
        printf("{\"nodes\": %zu, \"containers\": %zu, \"strategy\": \"%s\", \"seconds\": %.3f, "
               "\"processor_seconds\": %.3f, \"processor_us_a_container\": %.3f, \"container_bytes\": %.1f, "
               "\"container_string_bytes\": %d, \"load\": %.2f, \"met\": %s}\n",
               result->nodes, result->containers, result->strategy, result->seconds, result->processor, each,
               result->bytes, POOL_ID_LENGTH + 1, machine_load(), target ? (met ? "true" : "false") : "null");
    else
        printf("%zu containers with CPU and memory, one by one over %zu nodes, %s: %.2f s, %.2f s of the processor = "
               "%.2f us each, %.0f bytes each = %d of its id + %.0f; load of the machine: %.2f%s\n",
               result->containers, result->nodes, result->strategy, result->seconds, result->processor, each,
               result->bytes, POOL_ID_LENGTH + 1, result->bytes - (POOL_ID_LENGTH + 1), machine_load(),
               target ? (met ? "; < 10 s: ok" : "; < 10 s: MISSED") : "");
}

static void run(size_t nodes, size_t containers, const char *strategy, bool json)
{
    struct swarm_error *error = NULL;
    struct swarm_scheduler *scheduler;
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = strategy;
    must(swarm_scheduler_new(&scheduler, &options, &error), error);
    struct pool pool;
    pool_init(&pool, nodes, 0);
    size_t before = heap_bytes();
    uint64_t begin = clock_ns(), begin_processor = processor_ns();
    for (size_t i = 0; i < containers; i++)
        place_one(scheduler, pool.cluster, i);
    struct result result = {.nodes = nodes,
                            .containers = containers,
                            .strategy = strategy,
                            .seconds = (double)(clock_ns() - begin) / 1e9,
                            .processor = (double)(processor_ns() - begin_processor) / 1e9,
                            .bytes = (double)(heap_bytes() - before) / (double)containers};
    print_result(&result, json);
    pool_free(&pool);
    swarm_scheduler_free(scheduler);
}

_Noreturn static void usage(FILE *file, int status)
{
    fputs("usage: bench-million [--json] [--nodes N] [--containers N] [--strategy NAME]\n\n"
          "Places and commits containers with CPU and memory one by one, each with a request of its own, and says how\n"
          "long that takes: 1,000,000 over 5,000 nodes with spread, unless told otherwise.\n",
          file);
    exit(status);
}

static size_t read_number(const char *text)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || *text < '0' || *text > '9' || value == 0 || value > 100000000) {
        fprintf(stderr, "bench-million: a number is expected: '%s'\n", text);
        usage(stderr, 2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"nodes", required_argument, NULL, 'n'},
        {"containers", required_argument, NULL, 'c'},
        {"strategy", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    size_t nodes = NODES, containers = MILLION;
    const char *strategy = "spread";
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'j':
            json = true;
            break;
        case 'n':
            nodes = read_number(optarg);
            break;
        case 'c':
            containers = read_number(optarg);
            break;
        case 's':
            strategy = optarg;
            break;
        case 'h':
            usage(stdout, 0);
        default:
            usage(stderr, 2);
        }
    if (optind < argc)
        usage(stderr, 2);
    run(nodes, containers, strategy, json);
    return 0;
}
