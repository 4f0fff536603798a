/* SPDX-License-Identifier: Apache-2.0 */
/* swarm list: print what the discovery service says, once. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "discovery.h"
#include "http_client.h"

static struct option options[] = {
    {"timeout", OPTION_STRING, "10s", NULL, "timeout period"},
    {"discovery-opt", OPTION_LIST, NULL, NULL, "discovery options"},
    {0},
};
const struct command list_command = {
    .name = "list", .usage = "List nodes in a cluster", .arguments = "<discovery>", .options = options};

/* The first thing that the watch says. */
struct first_word {
    struct discovery *discovery;
    pthread_mutex_t lock;
    pthread_cond_t said;
    bool done, failed;
    char *error; /* NULL where there was no memory for it */
};

static void said(struct first_word *word)
{
    word->done = true;
    pthread_cond_signal(&word->said);
    discovery_stop(word->discovery);
}

static void print_entries(void *data, const struct discovery_list *list)
{
    struct first_word *word = data;
    pthread_mutex_lock(&word->lock);
    for (size_t i = 0; !word->done && i < list->count; i++)
        puts(list->addresses[i]);
    if (!word->done)
        said(word);
    pthread_mutex_unlock(&word->lock);
}

/* One that comes behind the entries, of a bad line, is shown but is no failure. */
static void keep_error(void *data, const char *message)
{
    struct first_word *word = data;
    pthread_mutex_lock(&word->lock);
    if (word->done) {
        fail_plainly("%s", message);
    } else {
        word->failed = true;
        word->error = strdup(message);
        said(word);
    }
    pthread_mutex_unlock(&word->lock);
}

static void *watch(void *data)
{
    static const struct discovery_events events = {.entries = print_entries, .error = keep_error};
    struct first_word *word = data;
    discovery_watch(word->discovery, &events, word);
    return NULL;
}

/* Wait for the first word; the exit status. */
static int wait_for_word(struct first_word *word, int64_t timeout_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ns / 1000000000);
    until.tv_nsec += (long)(timeout_ns % 1000000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&word->lock);
    while (!word->done && pthread_cond_timedwait(&word->said, &word->lock, &until) == 0)
        ;
    bool done = word->done;
    word->done = true;
    pthread_mutex_unlock(&word->lock);
    discovery_stop(word->discovery);
    if (!done)
        return fail_plainly("Timed out");
    return word->failed ? fail_plainly("%s", word->error ? word->error : "out of memory") : 0;
}

static int run(struct discovery *discovery, int64_t timeout_ns)
{
    struct first_word word = {.discovery = discovery, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t attributes;
    pthread_t thread;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&word.said, &attributes);
    if (pthread_create(&thread, NULL, watch, &word) != 0)
        return fail_plainly("cannot start a thread");
    int status = wait_for_word(&word, timeout_ns);
    pthread_join(thread, NULL);
    free(word.error);
    return status;
}

/* Takes @p error. */
static int fail_with(const char *what, char *error)
{
    int status = fail_plainly("%s%s", what, error ? error : "out of memory");
    free(error);
    return status;
}

static int list(const char *url)
{
    int64_t timeout_ns;
    char *error = NULL;
    struct discovery *discovery;
    if (!url)
        return fail_plainly("discovery required to list a cluster. See 'swarm list --help'.");
    if (duration_parse(&timeout_ns, option_find(&list_command, "timeout")->value, &error) != 0)
        return fail_with("invalid --timeout: ", error);
    if (timeout_ns <= 0)
        return fail_plainly("--timeout should be a positive number");
    int64_t timeout_ms = timeout_ns / 1000000;
    struct discovery_options discovery_options = {.url = url,
                                                  .settings = option_find(&list_command, "discovery-opt")->list,
                                                  .heartbeat_ms = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms};
    if (discovery_new(&discovery, &discovery_options, &error) != 0)
        return fail_with("", error);
    int status = run(discovery, timeout_ns);
    discovery_free(discovery);
    return status;
}

int list_run(int argc, char **argv)
{
    const char **positional;
    size_t count;
    char *error = NULL;
    int status = options_parse(&list_command, argc, argv, &positional, &count, &error);
    if (status > 0)
        return 0;
    if (status < 0)
        options_incorrect_usage(&list_command, "swarm", error ? error : "out of memory");
    status = http_client_global_init() == 0 ? list(options_discovery(positional, count))
                                            : fail_plainly("libcurl does not start");
    free(positional);
    options_free(&list_command);
    return status;
}
