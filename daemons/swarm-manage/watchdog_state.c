/* SPDX-License-Identifier: Apache-2.0 */
/* What users are told of moves that wait. */
#include <inttypes.h>
#include <stdio.h>

#include "engine.h"
#include "watchdog.h"

struct tally {
    size_t waiting, under_way, held, given_up;
    int64_t next_ms;    /* -1: nothing is tried at a certain time */
    const char *reason; /* of the first that failed; NULL: none did */
};

static void count(void *data, const struct swarm_waiting *waiting)
{
    struct tally *tally = data;

    if (waiting->kind != SWARM_ACTION_MOVE) {
        return;
    }
    tally->waiting++;
    tally->under_way += waiting->wait == SWARM_WAIT_END;
    tally->held += waiting->wait == SWARM_WAIT_GUARD;
    tally->given_up += waiting->wait == SWARM_WAIT_GIVEN_UP;
    if (waiting->next_ms >= 0 && (tally->next_ms < 0 || waiting->next_ms < tally->next_ms)) {
        tally->next_ms = waiting->next_ms;
    }
    if (!tally->reason) {
        tally->reason = waiting->reason;
    }
}

static void print_part(FILE *out, size_t number, const char *what)
{
    if (number) {
        fprintf(out, ", %zu %s", number, what);
    }
}

char *watchdog_engine_text(const struct watchdog *watchdog, const struct engine *engine)
{
    struct tally tally = {.next_ms = -1};
    char *text = NULL;
    size_t length, moved;
    FILE *out;

    if (!watchdog || !engine->node) {
        return NULL;
    }
    swarm_rescheduler_each_waiting(watchdog_rescheduler(watchdog), engine->node, count, &tally);
    moved = engine->lost ? engine->moved : 0;
    if ((!tally.waiting && !moved) || !(out = open_memstream(&text, &length))) {
        return NULL;
    }
    if (tally.waiting) {
        fprintf(out, "%zu waiting", tally.waiting);
    }
    if (moved) {
        fprintf(out, "%s%zu moved", tally.waiting ? ", " : "", moved);
    }
    print_part(out, tally.under_way, "under way");
    print_part(out, tally.held, "held");
    print_part(out, tally.given_up, "given up");
    if (tally.next_ms >= 0) {
        int64_t in_ms = tally.next_ms - monotonic_ms();

        fprintf(out, ", next try in %" PRId64 "s", in_ms > 0 ? (in_ms + 999) / 1000 : 0);
    }
    if (tally.reason) {
        fprintf(out, ": %s", tally.reason);
    }
    fclose(out);
    return text;
}

char *watchdog_held_text(const struct watchdog *watchdog)
{
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    char *text;

    if (!watchdog || swarm_rescheduler_status(watchdog_rescheduler(watchdog), &status) || !status.held ||
        asprintf(&text, "held, %zu of %zu engines lost at once", status.nodes_lost, status.nodes_counted) < 0) {
        return NULL;
    }
    return text;
}
