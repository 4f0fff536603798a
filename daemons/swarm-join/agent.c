/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "http_client.h"
#include "log.h"
#include "notify.h"
#include "options.h"

enum { FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 15000, LEAVE_TRIES = 10, LEAVE_RETRY_MS = 500 };

static void end_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void agent_block_signals(void)
{
    sigset_t set;
    end_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* false: it is time to leave. */
static bool sleep_until(int64_t until_ms)
{
    sigset_t set;
    end_signals(&set);
    for (;;) {
        int64_t left_ms = until_ms - monotonic_ms();
        if (left_ms < 0)
            left_ms = 0;
        struct timespec left = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};
        if (sigtimedwait(&set, NULL, &left) > 0)
            return false;
        if (errno != EINTR)
            return true;
    }
}

/* Uniform in [0, limit). */
static int64_t random_below(int64_t limit)
{
    uint64_t number = 0;
    if (limit <= 0 || getrandom(&number, sizeof number, 0) != sizeof number)
        return 0;
    return (int64_t)(number % (uint64_t)limit);
}

static bool wait_random_delay(const struct agent *agent)
{
    int64_t delay_ns = random_below(agent->delay_ns);
    char text[64];
    if (agent->delay_ns <= 0)
        return true;
    duration_format(text, sizeof text, delay_ns);
    log_info("Add a random delay %s to avoid synchronized registration", text);
    return sleep_until(monotonic_ms() + delay_ns / 1000000);
}

/* Log an error unless it is the one that was logged last; takes @p error. */
static void log_new_error(char **logged, char *error)
{
    if (!error || !*logged || strcmp(*logged, error) != 0)
        log_error("%s", error ? error : "out of memory");
    free(*logged);
    *logged = error;
}

/* Announce until it works or @p until_ms comes, sooner and then later, each agent at its own times: after a store's
 * return they shall neither wait for their heartbeats nor come all at once. false: it is time to leave. */
static bool announce(const struct agent *agent, int64_t until_ms)
{
    int64_t delay_ms = FIRST_RETRY_MS;
    char *error = NULL, *logged = NULL;
    bool go_on = true, announced = false;
    while (go_on && !(announced = discovery_register(agent->discovery, agent->address, &error) == 0)) {
        log_new_error(&logged, error);
        error = NULL;
        int64_t next_ms = monotonic_ms() + delay_ms / 2 + random_below(delay_ms);
        if (next_ms >= until_ms)
            break;
        go_on = sleep_until(next_ms);
        delay_ms = delay_ms < LAST_RETRY_MS / 2 ? delay_ms * 2 : LAST_RETRY_MS;
    }
    free(logged);
    if (announced)
        notify("READY=1"); /* again and again: once is no less */
    return go_on;
}

/* A store that elects a leader just now is given a moment; another signal ends that. */
static void leave(const struct agent *agent)
{
    char *error = NULL, *logged = NULL;
    bool go_on = true;
    log_info_with(LOG_FIELDS({"addr", agent->address}), "Leaving the discovery service");
    for (int tries = 1; go_on && discovery_leave(agent->discovery, agent->address, &error) != 0; tries++) {
        log_new_error(&logged, error);
        error = NULL;
        go_on = tries < LEAVE_TRIES && sleep_until(monotonic_ms() + LEAVE_RETRY_MS);
    }
    free(logged);
}

void agent_run(const struct agent *agent)
{
    char heartbeat[64];
    duration_format(heartbeat, sizeof heartbeat, agent->heartbeat_ns);
    bool go_on = wait_random_delay(agent);
    int64_t next_ms = monotonic_ms();
    while (go_on) {
        log_info_with(LOG_FIELDS({"addr", agent->address}, {"discovery", agent->url}),
                      "Registering on the discovery service every %s...", heartbeat);
        next_ms += agent->heartbeat_ns / 1000000;
        if (next_ms < monotonic_ms()) /* the machine slept: no burst of late heartbeats */
            next_ms = monotonic_ms() + agent->heartbeat_ns / 1000000;
        go_on = announce(agent, next_ms) && sleep_until(next_ms);
    }
    notify("STOPPING=1");
    leave(agent);
}
