/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs schedules of faults over simulated pools (tests/kit/virtual_cluster.h), a seed each:
 *
 *   virtual-cluster --seeds 10000 --nodes 1000 --containers 30000
 *
 * Of 250 schedules in a row one has all the nodes and containers; the others have fewer, spread evenly over the orders
 * of magnitude from 3 nodes on (as many below 55 as above, for 1,000), with up to as many containers a node. A seed
 * means the same schedule whatever --seed and --seeds are, as long as --nodes and --containers are the same. A breach
 * is printed with the command that runs that seed alone, with every step as a line:
 *
 *   virtual-cluster --nodes 1000 --containers 30000 --seed 17 --trace
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "virtual_clock.h"
#include "virtual_cluster.h"

#define FULL_ONE_IN 250
#define LEAST_NODES 3

struct settings {
    uint64_t first, seeds;
    size_t nodes, containers;
    bool trace, full, verbose;
};

static int usage(const char *wrong)
{
    fprintf(stderr,
            "virtual-cluster: %s\n"
            "usage: virtual-cluster [--seed FIRST] [--seeds COUNT] [--nodes MOST] [--containers MOST]\n"
            "                       [--full] [--trace] [--verbose]\n"
            "  --full     all of them with all nodes and containers\n"
            "  --trace    print every step\n"
            "  --verbose  print a line for each seed\n",
            wrong);
    return 2;
}

static bool read_number(const char *text, uint64_t *ret)
{
    char *end;
    *ret = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

/** @return 0, or the status to end with. */
static int read_arguments(struct settings *settings, int argc, char **argv)
{
    uint64_t number;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--full") == 0)
            settings->full = true;
        else if (strcmp(argv[i], "--trace") == 0)
            settings->trace = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            settings->verbose = true;
        else if (i + 1 == argc || !read_number(argv[i + 1], &number))
            return usage("an unknown option, or no number behind it");
        else if (strcmp(argv[i], "--seed") == 0)
            settings->first = (i++, number);
        else if (strcmp(argv[i], "--seeds") == 0)
            settings->seeds = (i++, number);
        else if (strcmp(argv[i], "--nodes") == 0)
            settings->nodes = (i++, number);
        else if (strcmp(argv[i], "--containers") == 0)
            settings->containers = (i++, number);
        else
            return usage("an unknown option");
    }
    return settings->nodes < LEAST_NODES || settings->nodes > 100000 ? usage("3 to 100,000 nodes are expected") : 0;
}

/** How large the pool of a seed is. */
static struct virtual_options size_of(const struct settings *settings, uint64_t seed)
{
    struct virtual_options options = {seed, settings->nodes, settings->containers, settings->trace ? stdout : NULL};
    struct virtual_clock dice;
    if (settings->full || seed % FULL_ONE_IN == 0)
        return options;
    virtual_clock_init(&dice, seed ^ UINT64_C(0x5eed));
    double part = (double)virtual_roll(&dice, 1000000) / 1000000;
    options.nodes = (size_t)(LEAST_NODES * pow((double)settings->nodes / LEAST_NODES, part));
    size_t most = settings->containers / settings->nodes * options.nodes;
    options.containers = 1 + virtual_roll(&dice, most > 0 ? most : 1);
    return options;
}

static void add(struct virtual_result *sum, const struct virtual_result *one)
{
    sum->virtual_ms += one->virtual_ms;
    sum->events += one->events;
    sum->moves += one->moves;
    sum->starts += one->starts;
    sum->removals += one->removals;
    sum->failures += one->failures;
    sum->given_up += one->given_up;
    sum->held += one->held;
    sum->terms += one->terms;
    sum->restarts += one->restarts;
    sum->doubles += one->doubles;
}

static void print_sum(const struct settings *settings, const struct virtual_result *sum, size_t full, size_t broken,
                      double seconds)
{
    printf("%llu schedules (%zu of them with %zu nodes and %zu containers), %.0f hours of virtual time, %llu events\n",
           (unsigned long long)settings->seeds, full, settings->nodes, settings->containers,
           (double)sum->virtual_ms / 3600000, (unsigned long long)sum->events);
    printf("%zu moves, %zu starts of copies, %zu removals, %zu failed actions, %zu times two copies at once,\n"
           "%zu containers given up, %zu mass failures held, %zu terms, %zu managers anew\n",
           sum->moves, sum->starts, sum->removals, sum->failures, sum->doubles, sum->given_up, sum->held, sum->terms,
           sum->restarts);
    printf("%zu broken; %.1f s of processor time\n", broken, seconds);
}

int main(int argc, char **argv)
{
    struct settings settings = {.first = 1, .seeds = 1, .nodes = 1000, .containers = 30000};
    struct virtual_result sum = {0}, result;
    size_t full = 0, broken = 0;
    int status = read_arguments(&settings, argc, argv);
    if (status != 0)
        return status;
    clock_t began = clock();
    for (uint64_t seed = settings.first; seed < settings.first + settings.seeds; seed++) {
        struct virtual_options options = size_of(&settings, seed);
        clock_t before = clock();
        virtual_cluster_run(&options, &result);
        add(&sum, &result);
        full += options.nodes == settings.nodes;
        broken += result.broken;
        if (settings.verbose)
            printf("seed %llu: %zu nodes, %zu containers, %zu moves, %llu events, %.3f s\n", (unsigned long long)seed,
                   options.nodes, options.containers, result.moves, (unsigned long long)result.events,
                   (double)(clock() - before) / CLOCKS_PER_SEC);
        if (result.broken)
            printf("seed %llu (%zu nodes, %zu containers): %s\n"
                   "  virtual-cluster --nodes %zu --containers %zu --seed %llu%s --trace\n",
                   (unsigned long long)seed, options.nodes, options.containers, result.breach, settings.nodes,
                   settings.containers, (unsigned long long)seed, settings.full ? " --full" : "");
        fflush(stdout);
    }
    print_sum(&settings, &sum, full, broken, (double)(clock() - began) / CLOCKS_PER_SEC);
    return broken != 0;
}
