/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of moves: why they fail, that they are given up, held and released. */
#ifndef MANAGE_WATCHDOG_LOG_H
#define MANAGE_WATCHDOG_LOG_H

#include <swarm/swarm.h>

#include "pool.h"

/* Lines to be logged once the pool is not locked any more, which guards them. */
struct watchdog_log {
    struct watchdog_line *first, **end;
};

void watchdog_log_init(struct watchdog_log *log);
/* Without logging what is left. */
void watchdog_log_finish(struct watchdog_log *log);
/* For swarm_rescheduler_set_report(); @p data is the log. */
void watchdog_log_report(void *data, const struct swarm_report *report);
/* Log what was reported, and every container that cannot be moved for a new reason. Takes the pool's lock. */
void watchdog_log_write(struct watchdog_log *log, struct pool *pool, const struct swarm_rescheduler *rescheduler);

#endif
