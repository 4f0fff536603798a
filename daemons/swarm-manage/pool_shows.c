/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an event is news: what a request has just found out need not be asked for again. */
#include <string.h>

#include "container_record.h"
#include "pool.h"
#include "saturate.h"

/* Engines tell of a start right after the time that they note as the start. */
#define START_TOLD_NS INT64_C(1000000000)

/* @p time_ns as the record's times are. */
static bool shows(const struct container_record *record, const char *action, int64_t time_ns)
{
    bool running = record->running && !record->restarting && record->started_ns > 0;

    if (strcmp(action, "create") == 0)
        return true;
    if (strcmp(action, "start") == 0) /* one that had ended in between would have told of that, too */
        return running && record->started_ns <= time_ns && time_ns - record->started_ns < START_TOLD_NS;
    /* What was connected before it started shows in an answer that knows of the start. */
    return strcmp(action, "connect") == 0 && running && record->started_ns >= time_ns;
}

bool pool_shows_event(struct pool *pool, const struct engine *engine, const char *id, const char *action,
                      int64_t time_ns)
{
    const struct swarm_container *container = NULL;
    const struct container_record *record = NULL;
    bool shown;

    pool_read_lock(pool);
    if (engine->node && time_ns > 0)
        container = swarm_cluster_find_container(pool->cluster, engine->node, id);
    if (container)
        record = container_record(container);
    shown =
        record && record->ticket && shows(record, action, saturating_add(time_ns, engine->clock_delta_ms * 1000000));
    pool_unlock(pool);
    return shown;
}
