/* SPDX-License-Identifier: Apache-2.0 */
/* How long decisions take, and what nodes and containers weigh. */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "pool.h"

#define WARM_UP 3         /* decisions after the first that are not counted: values have been seen by then */
#define FEWEST_SAMPLES 50 /* however long they take */
#define MOST_SAMPLES 20000
#define MOST_NS_A_KIND 4000000000u /* after that, fewer samples will do */
#define MOST_SIZES 16
#define TIMES_PLAIN 3.0
#define CONTAINER_BYTES 400.0

static void ask_nothing(struct swarm_request *request, size_t nodes)
{
}

static void ask_resources(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_set_cpus_milli(request, 500, &error), error);
    must(swarm_request_set_memory(request, INT64_C(512) << 20, &error), error);
}

static void ask_constraints(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_add_constraint(request, "storage==ssd", &error), error);
    must(swarm_request_add_constraint(request, "zone!=zone-3", &error), error);
}

static void ask_regex(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_add_constraint(request, "rack==/^rack-[0-9]*[05]$/", &error), error);
}

/* No container has such a name, so that it takes both passes. */
static void ask_soft_affinity(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_add_affinity(request, "container==~billing.*", &error), error);
}

static void ask_label_affinity(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_add_affinity(request, "service==service-0", &error), error);
}

static void ask_image_affinity(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_add_affinity(request, "image==redis", &error), error);
}

static void ask_port(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_add_port(request, "443/tcp", "", "443", &error), error);
}

/* No node has that much; half of them are refused for the constraint, the others for the memory. */
static void ask_too_much(struct swarm_request *request, size_t nodes)
{
    struct swarm_error *error = NULL;
    must(swarm_request_add_constraint(request, "storage==ssd", &error), error);
    must(swarm_request_set_memory(request, INT64_C(1) << 43, &error), error);
}

static const struct kind {
    const char *name;
    void (*ask)(struct swarm_request *request, size_t nodes);
    bool needs_containers; /* it asks for one that is there */
    bool explained;        /* by swarm_scheduler_explain(), for lack of room: "random" would not refuse it */
} kinds[] = {
    {"plain", ask_nothing, false},
    {"resources", ask_resources, false},
    {"constraints", ask_constraints, false},
    {"regex", ask_regex, false},
    {"soft-affinity", ask_soft_affinity, false},
    {"label-affinity", ask_label_affinity, true},
    {"image-affinity", ask_image_affinity, false},
    {"port", ask_port, false},
    {"explained-refusal", ask_too_much, false, true},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct settings {
    size_t nodes[MOST_SIZES];
    size_t node_sizes;
    size_t containers[MOST_SIZES];
    size_t container_sizes;
    bool wanted[KINDS];
    const char *strategy;
    size_t samples;
    bool plan;
    bool json;
};

/* What one kind came to. */
struct row {
    const struct kind *kind; /* NULL: there is no such row */
    size_t samples;
    double first_us;
    double p50_us;
    double p99_us;
};

struct bench {
    const struct settings *settings;
    struct swarm_scheduler *scheduler;
    struct pool pool;
    size_t each;
    uint64_t seed;
    bool first_object; /* of the JSON array */
};

/* One decision, timed; what it took is given back outside the measurement. */
static uint64_t decide(struct bench *bench, struct swarm_request *request, bool explained)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.seed = ++bench->seed;
    struct swarm_error *error = NULL;
    struct swarm_reservation *place = NULL;
    struct swarm_decision *decision = NULL;
    const struct swarm_scheduler *scheduler = bench->scheduler;
    struct swarm_cluster *cluster = bench->pool.cluster;
    int code;
    uint64_t begin = clock_ns();
    if (explained)
        code = swarm_scheduler_explain(scheduler, cluster, request, &options, &decision, &error);
    else if (bench->settings->plan)
        code = swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, &error);
    else
        code = swarm_scheduler_place(scheduler, cluster, request, &options, &place, &error);
    uint64_t took = clock_ns() - begin;
    must(code, error);
    if (explained && swarm_decision_code(decision) != SWARM_ERR_NO_NODE) {
        fputs("what was to be refused is not\n", stderr);
        exit(1);
    }
    swarm_reservation_abort(place);
    swarm_decision_free(decision);
    return took;
}

static struct row measure(struct bench *bench, const struct kind *kind)
{
    struct swarm_error *error = NULL;
    struct swarm_request *request;
    must(swarm_request_new(&request, &error), error);
    kind->ask(request, bench->pool.nodes);
    struct row row = {.kind = kind, .first_us = (double)decide(bench, request, kind->explained) / 1e3};
    for (int i = 0; i < WARM_UP; i++)
        decide(bench, request, kind->explained);
    struct samples samples;
    samples_init(&samples, bench->settings->samples);
    uint64_t begin = clock_ns();
    while (samples.count < samples.room && (samples.count < FEWEST_SAMPLES || clock_ns() - begin < MOST_NS_A_KIND))
        samples_add(&samples, decide(bench, request, kind->explained));
    row.samples = samples.count;
    row.p50_us = (double)samples_percentile(&samples, 50) / 1e3;
    row.p99_us = (double)samples_percentile(&samples, 99) / 1e3;
    samples_free(&samples);
    swarm_request_unref(request);
    return row;
}

/* The most that a plain decision may take; 0 where nothing is set for that size. */
static double plain_target_us(size_t nodes)
{
    return nodes == 1000 ? 3 : nodes == 10000 ? 25 : 0;
}

/* Whether a row meets its target, and the target in words ("" where there is none). */
static bool meets_target(const struct row *row, double plain_us, size_t nodes, char *words, size_t size)
{
    *words = '\0';
    if (row->kind == &kinds[0]) {
        double most = plain_target_us(nodes);
        if (most > 0)
            snprintf(words, size, "< %g us", most);
        return most == 0 || row->p50_us < most;
    }
    if (plain_us > 0)
        snprintf(words, size, "<= %g x plain", TIMES_PLAIN);
    return plain_us == 0 || row->p50_us <= TIMES_PLAIN * plain_us;
}

static void next_object(struct bench *bench)
{
    fputs(bench->first_object ? "\n  {" : ",\n  {", stdout);
    bench->first_object = false;
}

static void print_row(struct bench *bench, const struct row *row, double plain_us)
{
    size_t nodes = bench->pool.nodes;
    char target[32];
    bool met = meets_target(row, plain_us, nodes, target, sizeof(target));
    double ratio = plain_us > 0 ? row->p50_us / plain_us : 0;
    if (bench->settings->json) {
        next_object(bench);
        printf("\"nodes\": %zu, \"containers\": %zu, \"kind\": \"%s\", \"samples\": %zu, \"first_us\": %.3f, "
               "\"p50_us\": %.3f, \"p99_us\": %.3f, \"times_plain\": %.3f, \"target\": \"%s\", \"met\": %s}",
               nodes, bench->each, row->kind->name, row->samples, row->first_us, row->p50_us, row->p99_us, ratio,
               target, *target ? (met ? "true" : "false") : "null");
        return;
    }
    printf("%7zu x %-3zu  %-17s %10.2f %10.2f %12.2f %8.2f  %-12s %s\n", nodes, bench->each, row->kind->name,
           row->p50_us, row->p99_us, row->first_us, ratio, target, *target ? (met ? "ok" : "MISSED") : "");
}

static void print_weight(struct bench *bench)
{
    const struct pool *pool = &bench->pool;
    double node = pool->nodes ? (double)pool->node_bytes / (double)pool->nodes : 0;
    double each = pool->containers ? (double)pool->container_bytes / (double)pool->containers : 0;
    double own = pool->containers ? (double)pool->container_strings / (double)pool->containers : 0;
    if (bench->settings->json) {
        next_object(bench);
        printf("\"nodes\": %zu, \"containers\": %zu, \"kind\": \"memory\", \"node_bytes\": %.1f, "
               "\"container_bytes\": %.1f, \"container_string_bytes\": %.1f, \"met\": %s}",
               pool->nodes, bench->each, node, each, own,
               each > 0 ? (each - own < CONTAINER_BYTES ? "true" : "false") : "null");
        return;
    }
    printf("%7zu x %-3zu  memory: ", pool->nodes, bench->each);
    if (pool->node_bytes == 0) {
        puts("the allocator does not tell");
        return;
    }
    printf("%.0f bytes a node", node);
    if (each > 0)
        printf(", %.0f bytes a container = %.0f of its own strings + %.0f   < %g  %s", each, own, each - own,
               CONTAINER_BYTES, each - own < CONTAINER_BYTES ? "ok" : "MISSED");
    fputs("\n\n", stdout);
}

static void print_skipped(struct bench *bench, size_t nodes, double needed, double available)
{
    if (bench->settings->json) {
        next_object(bench);
        printf("\"nodes\": %zu, \"containers\": %zu, \"kind\": \"skipped\", \"needed_bytes\": %.0f, "
               "\"available_bytes\": %.0f}",
               nodes, bench->each, needed, available);
        return;
    }
    printf("%7zu x %-3zu  skipped: it would take about %.1f GiB, and %.1f GiB of memory are available\n\n", nodes,
           bench->each, needed / (1 << 30), available / (1 << 30));
}

static bool is_measured(const struct bench *bench, size_t kind)
{
    if (kinds[kind].needs_containers && bench->each == 0)
        return false;
    if (kinds[kind].explained && strcmp(bench->settings->strategy, "random") == 0)
        return false;
    return bench->settings->wanted[kind];
}

/* All kinds on one cluster; plain goes first. */
static void run_size(struct bench *bench, size_t nodes)
{
    double needed = (double)nodes * (double)bench->each * POOL_CONTAINER_BYTES_GUESS;
    double available = (double)memory_available();
    if (available > 0 && needed > available * 0.8) {
        print_skipped(bench, nodes, needed, available);
        return;
    }
    pool_init(&bench->pool, nodes, bench->each);
    double plain_us = 0;
    for (size_t i = 0; i < KINDS; i++) {
        if (!is_measured(bench, i))
            continue;
        struct row row = measure(bench, &kinds[i]);
        if (i == 0)
            plain_us = row.p50_us;
        print_row(bench, &row, plain_us);
        fflush(stdout);
    }
    print_weight(bench);
    pool_free(&bench->pool);
}

static void run_all(const struct settings *settings)
{
    struct bench bench = {.settings = settings, .first_object = true};
    struct swarm_error *error = NULL;
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = settings->strategy;
    must(swarm_scheduler_new(&bench.scheduler, &options, &error), error);
    const char *call = settings->plan ? "plan" : "place";
    if (settings->json)
        printf("{\"call\": \"%s\", \"strategy\": \"%s\", \"clock_ns\": %" PRIu64 ", \"load\": %.2f, \"rows\": [", call,
               settings->strategy, clock_cost_ns(), machine_load());
    else
        printf("swarm_scheduler_%s(), strategy %s; microseconds, %" PRIu64 " ns of them the clock's; load of the "
               "machine: %.2f\n\nnodes x containers  kind                     p50        p99        first  x plain  "
               "target\n\n",
               call, settings->strategy, clock_cost_ns(), machine_load());
    for (size_t i = 0; i < settings->node_sizes; i++)
        for (size_t j = 0; j < settings->container_sizes; j++) {
            bench.each = settings->containers[j];
            run_size(&bench, settings->nodes[i]);
        }
    if (settings->json)
        printf("\n], \"load_at_end\": %.2f}\n", machine_load());
    else
        printf("load of the machine at the end: %.2f\n", machine_load());
    swarm_scheduler_free(bench.scheduler);
}

static void print_usage(FILE *file)
{
    fputs("usage: bench-scheduler [--json] [--plan] [--nodes N,…] [--containers N,…] [--kinds NAME,…]\n"
          "                       [--strategy NAME] [--samples N]\n\n"
          "Measures how long a decision takes, as median and 99th percentile, and what nodes and containers weigh. It "
          "is\n"
          "made by swarm_scheduler_place(), with --plan by swarm_scheduler_plan(), and explained ones by\n"
          "swarm_scheduler_explain(). \"first\" is the first decision of its kind, which may have to look at each\n"
          "distinct value.\n\n"
          "  --nodes       sizes of the clusters (10,100,1000,10000,100000)\n"
          "  --containers  containers on each node (0,30,100)\n"
          "  --strategy    spread, binpack or random (spread)\n"
          "  --samples     decisions a kind, at most (20000); fewer where they take long\n"
          "  --kinds       all of ",
          file);
    for (size_t i = 0; i < KINDS; i++)
        fprintf(file, "%s%s", i ? "," : "", kinds[i].name);
    fputs("\n", file);
}

_Noreturn static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "bench-scheduler: %s: '%s'\n", what, value);
    print_usage(stderr);
    exit(2);
}

static size_t read_number(const char *text, const char *end, size_t least)
{
    char *stop = NULL;
    unsigned long value = strtoul(text, &stop, 10);
    if (stop != end || *text < '0' || *text > '9' || value < least || value > 10000000)
        refuse("a number is expected", text);
    return value;
}

static size_t read_sizes(const char *text, size_t least, size_t sizes[MOST_SIZES])
{
    size_t count = 0;
    for (;;) {
        const char *end = strchrnul(text, ',');
        if (count == MOST_SIZES)
            refuse("too many sizes", text);
        sizes[count++] = read_number(text, end, least);
        if (*end == '\0')
            return count;
        text = end + 1;
    }
}

static void read_kinds(const char *text, bool wanted[KINDS])
{
    memset(wanted, 0, KINDS * sizeof(*wanted));
    for (;;) {
        size_t length = strcspn(text, ","), i = 0;
        while (i < KINDS && (strncmp(kinds[i].name, text, length) != 0 || kinds[i].name[length] != '\0'))
            i++;
        if (i == KINDS)
            refuse("no such kind", text);
        wanted[i] = true;
        if (text[length] == '\0')
            return;
        text += length + 1;
    }
}

static void read_options(int argc, char **argv, struct settings *settings)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"plan", no_argument, NULL, 'p'},
        {"nodes", required_argument, NULL, 'n'},
        {"containers", required_argument, NULL, 'c'},
        {"kinds", required_argument, NULL, 'k'},
        {"strategy", required_argument, NULL, 's'},
        {"samples", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'j':
            settings->json = true;
            break;
        case 'p':
            settings->plan = true;
            break;
        case 'n':
            settings->node_sizes = read_sizes(optarg, 1, settings->nodes);
            break;
        case 'c':
            settings->container_sizes = read_sizes(optarg, 0, settings->containers);
            break;
        case 'k':
            read_kinds(optarg, settings->wanted);
            break;
        case 's':
            settings->strategy = optarg;
            break;
        case 'm':
            settings->samples = read_number(optarg, optarg + strlen(optarg), 1);
            break;
        case 'h':
            print_usage(stdout);
            exit(0);
        default:
            print_usage(stderr);
            exit(2);
        }
    if (optind < argc)
        refuse("no argument is expected", argv[optind]);
}

int main(int argc, char **argv)
{
    struct settings settings = {
        .nodes = {10, 100, 1000, 10000, 100000},
        .node_sizes = 5,
        .containers = {0, 30, 100},
        .container_sizes = 3,
        .strategy = "spread",
        .samples = MOST_SAMPLES,
    };
    memset(settings.wanted, 1, sizeof(settings.wanted));
    read_options(argc, argv, &settings);
    run_all(&settings);
    return 0;
}
