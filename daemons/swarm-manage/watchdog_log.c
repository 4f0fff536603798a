/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decisions.h"
#include "log.h"
#include "manager.h"
#include "pool_private.h"

struct watchdog_line {
    struct watchdog_line *next;
    enum log_level level;
    char *text;
};

void watchdog_log_init(struct watchdog_log *log)
{
    log->first = NULL;
    log->end = &log->first;
}

static void free_lines(struct watchdog_line *line)
{
    while (line) {
        struct watchdog_line *next = line->next;

        free(line->text);
        free(line);
        line = next;
    }
}

void watchdog_log_finish(struct watchdog_log *log)
{
    free_lines(log->first);
    watchdog_log_init(log);
}

/* For lack of memory the log does without. */
static void __attribute__((format(printf, 3, 4)))
add(struct watchdog_log *log, enum log_level level, const char *format, ...)
{
    struct watchdog_line *line = calloc(1, sizeof(*line));
    va_list arguments;

    if (!line) {
        return;
    }
    va_start(arguments, format);
    if (vasprintf(&line->text, format, arguments) < 0) {
        line->text = NULL;
    }
    va_end(arguments);
    if (!line->text) {
        free(line);
        return;
    }
    line->level = level;
    *log->end = line;
    log->end = &line->next;
}

void watchdog_log_report(void *data, const struct swarm_report *report)
{
    struct watchdog_log *log = data;

    switch (report->kind) {
    case SWARM_REPORT_GIVEN_UP:
        add(log, LOG_LEVEL_ERROR, "Gave up rescheduling container %s until an engine comes back: %s",
            swarm_container_id(report->container), report->reason ? report->reason : "out of memory");
        break;
    case SWARM_REPORT_HELD:
        add(log, LOG_LEVEL_WARN,
            "%zu of %zu engines are lost at once: nothing is rescheduled until enough of them are back, or POST "
            "/swarm/reschedule",
            report->nodes_lost, report->nodes_counted);
        break;
    case SWARM_REPORT_RELEASED:
        add(log, LOG_LEVEL_INFO, "Rescheduling goes on, %zu of %zu engines count as lost at once", report->nodes_lost,
            report->nodes_counted);
        break;
    default:
        break;
    }
}

/* Why a container could not be moved, where that is news. */
static void note_trouble(void *data, const struct swarm_waiting *waiting)
{
    struct container_record *record = container_record(waiting->container);
    const char *reason = waiting->reason;
    char next[64] = "";

    if (waiting->kind != SWARM_ACTION_MOVE || !reason ||
        (record->move_trouble && !strcmp(record->move_trouble, reason))) {
        return;
    }
    if (waiting->next_ms >= 0) {
        int64_t in_ms = waiting->next_ms - monotonic_ms();

        snprintf(next, sizeof(next), " (tried again in %" PRId64 " s)", in_ms > 0 ? (in_ms + 999) / 1000 : 0);
    }
    add(data, LOG_LEVEL_ERROR, "Failed to reschedule container %s: %s%s", swarm_container_id(waiting->container),
        reason, next);
    decisions_add_move(record->engine->manager->decisions, waiting->container, NULL, reason);
    free(record->move_trouble);
    record->move_trouble = strdup(reason);
}

void watchdog_log_write(struct watchdog_log *log, struct pool *pool, const struct swarm_rescheduler *rescheduler)
{
    struct watchdog_line *lines;

    pool_write_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        if (pool->engines[i]->lost && pool->engines[i]->node) {
            swarm_rescheduler_each_waiting(rescheduler, pool->engines[i]->node, note_trouble, log);
        }
    }
    lines = log->first;
    watchdog_log_init(log);
    pool_unlock(pool);
    for (const struct watchdog_line *line = lines; line; line = line->next) {
        log_line(line->level, NULL, "%s", line->text);
    }
    free_lines(lines);
}
