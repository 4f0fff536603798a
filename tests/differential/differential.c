/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differential [--cases N] [--seed S] [--steps K] [--verbose]: random clusters and requests, decided by libswarm and by
 * the oracle (tests/kit/oracle.h) alike. A case is one cluster that changes for K steps with decisions in between, so
 * that what is kept up to date step by step is compared with what is summed anew. The first difference ends the run: it
 * is shown with the seed of its case and the fewest steps found that lead to it.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define MOST_STEPS 4096
#define LONG_CASE 64   /* one in that many … */
#define LONG_FACTOR 16 /* … is that much longer */

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static unsigned draw(void *data, unsigned below)
{
    uint64_t *state = data;
    *state = mix(*state);
    return (unsigned)((*state >> 32) % below);
}

struct run {
    uint64_t seed; /* of the case */
    size_t steps;
    bool skip[MOST_STEPS];
};

/* Each step draws from a seed of its own, so that leaving one out changes the others as little as can be.
 * @return Whether there was a difference, described in @p world. */
static bool play(const struct run *run, FILE *log, struct world *world)
{
    uint64_t state = run->seed;
    const struct world_ops ops = {draw, NULL, NULL, &state};
    world_init(world, &ops);
    world->log = log;
    for (size_t i = 0; i < run->steps && !world->differs; i++) {
        state = mix(run->seed ^ mix(i));
        if (!run->skip[i])
            world_step(world);
    }
    bool differs = world->differs;
    world_finish(world);
    return differs;
}

/* Leave out what is not needed: ever smaller stretches of steps, until nothing can go any more. */
static void minimise(struct run *run, struct world *world)
{
    for (size_t stretch = run->steps / 2; stretch > 0; stretch /= 2)
        for (size_t at = 0; at < run->steps; at += stretch) {
            bool before[MOST_STEPS];
            memcpy(before, run->skip, sizeof(before));
            for (size_t i = at; i < at + stretch && i < run->steps; i++)
                run->skip[i] = true;
            if (memcmp(before, run->skip, sizeof(before)) != 0 && !play(run, NULL, world))
                memcpy(run->skip, before, sizeof(before));
        }
}

static void report(struct run *run, struct world *world)
{
    minimise(run, world);
    printf("case of seed %llu, %zu steps, less those that do not matter:\n", (unsigned long long)run->seed, run->steps);
    play(run, stdout, world);
    printf("%s\nto see it again: differential --cases 1 --case-seed %llu --steps %zu\n", world->difference,
           (unsigned long long)run->seed, run->steps);
}

static unsigned long long number(const char *text)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end) {
        fprintf(stderr, "differential: '%s' is not a number\n", text);
        exit(2);
    }
    return value;
}

static int usage(void)
{
    fprintf(stderr, "usage: differential [--cases N] [--seed S] [--steps K] [--case-seed S] [--verbose]\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"cases", required_argument, NULL, 'c'},     {"seed", required_argument, NULL, 's'},
        {"case-seed", required_argument, NULL, 'i'}, {"steps", required_argument, NULL, 'n'},
        {"verbose", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0}};
    static struct run run;
    static struct world world;
    unsigned long long cases = 1000, seed = 1, case_seed = 0, steps = 0;
    size_t verdicts[4] = {0}, soft_dropped = 0;
    bool one = false, verbose = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            cases = number(optarg);
        else if (option == 's')
            seed = number(optarg);
        else if (option == 'i')
            case_seed = number(optarg), one = true;
        else if (option == 'n')
            steps = number(optarg);
        else if (option == 'v')
            verbose = true;
        else
            return usage();
    }
    if (optind < argc || steps > MOST_STEPS)
        return usage();
    printf("seed %llu\n", seed);
    for (unsigned long long i = 0; i < cases; i++) {
        memset(&run, 0, sizeof(run));
        run.seed = one ? case_seed + i : mix(mix(seed) + i);
        run.steps = steps ? steps : 16 + run.seed % 48;
        if (!steps && i % LONG_CASE == LONG_CASE - 1)
            run.steps *= LONG_FACTOR;
        if (play(&run, verbose ? stdout : NULL, &world)) {
            report(&run, &world);
            return 1;
        }
        for (size_t verdict = 0; verdict < 4; verdict++)
            verdicts[verdict] += world.verdicts[verdict];
        soft_dropped += world.soft_dropped;
    }
    printf(
        "%llu cases, no difference: %zu decisions granted (%zu without soft expressions), %zu refused, %zu malformed, "
        "%zu names taken\n",
        cases, verdicts[ORACLE_GRANTED], soft_dropped, verdicts[ORACLE_REFUSED], verdicts[ORACLE_MALFORMED],
        verdicts[ORACLE_NAME_TAKEN]);
    return 0;
}
