/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions once more: reads a recorded state (swarm_cluster_write()) and, from standard input, requests as
 * swarm_request_write() writes them, one a line. Says for each where it goes now, and why there or nowhere; what goes
 * somewhere is placed, so that later ones see it.
 *
 *   replay STATE [STRATEGY [SEED]] <REQUESTS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/swarm.h>

static void fail(const char *what, int code, struct swarm_error *error)
{
    fprintf(stderr, "replay: %s: %s\n", what, error ? swarm_error_message(error) : swarm_strerror(code));
    swarm_error_free(error);
    exit(EXIT_FAILURE);
}

static void fail_errno(const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* The whole file. */
static char *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "r");
    size_t capacity = 1 << 16, length = 0, got;
    char *text = malloc(capacity);
    if (!file || !text)
        fail_errno(path);
    while ((got = fread(text + length, 1, capacity - length, file)) > 0) {
        length += got;
        if (length == capacity && !(text = realloc(text, capacity *= 2)))
            fail_errno(path);
    }
    if (ferror(file))
        fail_errno(path);
    fclose(file);
    *ret_length = length;
    return text;
}

static struct swarm_cluster *read_state(const char *path)
{
    struct swarm_cluster *cluster = NULL;
    struct swarm_error *error = NULL;
    size_t length;
    char *text = read_file(path, &length);
    int code = swarm_cluster_read(&cluster, text, length, &error);
    if (code)
        fail(path, code, error);
    free(text);
    return cluster;
}

static struct swarm_scheduler *make_scheduler(const char *strategy)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_error *error = NULL;
    options.strategy = strategy;
    int code = swarm_scheduler_new(&scheduler, &options, &error);
    if (code)
        fail("scheduler", code, error);
    return scheduler;
}

/* The line's request; a line that is none ends the program, and is named. */
static struct swarm_request *read_request(const char *line, size_t length, size_t number)
{
    struct swarm_request *request = NULL;
    struct swarm_error *error = NULL;
    int code = swarm_request_read(&request, line, length, &error);
    if (code) {
        char what[40];
        snprintf(what, sizeof(what), "line %zu", number);
        fail(what, code, error);
    }
    return request;
}

/* Explains the decision, and makes it. */
static void answer(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster,
                   struct swarm_request *request, uint64_t seed)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_decision *decision = NULL;
    struct swarm_reservation *place; /* released with the cluster */
    struct swarm_error *error = NULL;
    const char *name = swarm_request_name(request);
    char *text = NULL;
    options.seed = seed;
    int code = swarm_scheduler_explain(scheduler, cluster, request, &options, &decision, &error);
    if (!code)
        code = swarm_decision_text(decision, &text, &error);
    if (!code && !swarm_decision_code(decision))
        code = swarm_scheduler_place(scheduler, cluster, request, &options, &place, &error);
    if (code)
        fail(name ? name : "a container", code, error);
    printf("%s: %s\n", name ? name : "a container", text);
    swarm_free(text);
    swarm_decision_free(decision);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "Usage: replay STATE [STRATEGY [SEED]] <REQUESTS\n");
        return 2;
    }
    struct swarm_cluster *cluster = read_state(argv[1]);
    struct swarm_scheduler *scheduler = make_scheduler(argc > 2 ? argv[2] : NULL);
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    char *line = NULL;
    size_t capacity = 0, number = 0;
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
        struct swarm_request *request = read_request(line, (size_t)length, ++number);
        answer(scheduler, cluster, request, seed);
        swarm_request_unref(request);
    }
    free(line);
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
    return ferror(stdin) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
